"""What is new: an application in Quart.

It is the Flask half once more, and differs by ``async`` and ``await``.
"""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Quart, abort, flash, redirect, render_template, request, url_for

from quart_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_exempt,
    login_required,
    login_user,
    logout_user,
    redirect_next,
)
from quart_login.stores import Store

from . import common


class User(UserMixin, common.User):
    pass


def create_app(store: Store) -> Quart:
    app = Quart(__name__, root_path=str(common.HERE), static_folder=None)
    app.config.update(common.settings())
    app.config.from_prefixed_env("SIDE_BY_SIDE")
    login_manager = LoginManager[User](app, sessions=store)
    login_manager.login_view = "login"

    @login_manager.user_loader
    async def load_user(user_id: str) -> User | None:
        return User(user_id) if user_id == common.NAME else None

    @app.before_request
    async def refuse_other_sites() -> None:
        if common.is_foreign(request):
            abort(403)

    @app.after_request
    async def mark(response: Any) -> Any:
        response.headers.update(common.HEADERS)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    @login_exempt
    async def index() -> str:
        return await page("Start")

    @app.get("/whoami")
    @login_exempt
    async def whoami() -> dict[str, Any]:
        return {"name": current_user.id if current_user.is_authenticated else None}

    @app.get("/reports")
    @login_required
    async def private() -> str:
        return await page("Reports", text="A new page, in Quart. Only users see it.")

    @app.route("/login", methods=["GET", "POST"])
    async def login() -> Any:
        if request.method != "POST":
            return await page("Log in", form=True)
        form = await request.form
        name = form.get("name", "")
        if not await asyncio.to_thread(common.knows, name, form.get("password", "")):
            return await page("Log in", form=True, name=name, wrong=True), 422
        await login_user(User(name), remember="remember" in form)
        return await redirect_next(url_for("index"))

    @app.post("/logout")
    @login_exempt
    async def logout() -> Any:
        await logout_user()
        await flash("Quart has logged you out.")
        return redirect(url_for("index"), 303)

    async def page(title: str, **context: Any) -> str:
        return await render_template(
            "page.html", half="Quart", title=title, common=common, **context
        )

    return app
