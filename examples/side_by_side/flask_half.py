"""What was there before: an application in Flask.

Flask-Login became flask_compat by its imports; `sessions=` is new.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, flash, redirect, render_template, request, url_for

from flask_compat import (
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


def create_app(store: Store) -> Flask:
    app = Flask(__name__, root_path=str(common.HERE))
    app.config.update(common.settings())
    app.config.from_prefixed_env("SIDE_BY_SIDE")
    login_manager = LoginManager(app, sessions=store)
    login_manager.login_view = "login"

    @login_manager.user_loader
    def load_user(user_id: str) -> User | None:
        return User(user_id) if user_id == common.NAME else None

    @app.before_request
    def refuse_other_sites() -> None:
        if common.is_foreign(request):
            abort(403)

    @app.after_request
    def mark(response: Any) -> Any:
        response.headers.update(common.HEADERS)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    @login_exempt
    def index() -> str:
        return page("Start")

    @app.get("/whoami")
    @login_exempt
    def whoami() -> dict[str, Any]:
        return {"name": current_user.id if current_user.is_authenticated else None}

    @app.get("/orders")
    @login_required
    def private() -> str:
        return page("Orders", text="An old page, in Flask. Only users see it.")

    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        if request.method != "POST":
            return page("Log in", form=True)
        name = request.form.get("name", "")
        if not common.knows(name, request.form.get("password", "")):
            return page("Log in", form=True, name=name, wrong=True), 422
        login_user(User(name), remember="remember" in request.form)
        return redirect_next(url_for("index"))

    @app.post("/logout")
    @login_exempt
    def logout() -> Any:
        logout_user()
        flash("Flask has logged you out.")
        return redirect(url_for("index"), 303)

    def page(title: str, **context: Any) -> str:
        return render_template("page.html", half="Flask", title=title, common=common, **context)

    return app
