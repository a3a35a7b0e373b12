"""Applications with routes of every kind, in both frameworks."""

from __future__ import annotations

import functools
import importlib
import inspect
from pathlib import Path
from typing import Any

from sites import Site

import quart_login


def add(site: Site, scope: Any, path: str, endpoint: str, *decorators: Any, **options: Any) -> None:
    """Add a view that says its endpoint to *scope*, an application or a blueprint."""

    async def view(**kwargs: Any) -> str:
        site.loads.append(f"ran {endpoint}")
        return endpoint

    coloured = site.colour(view)
    for decorator in decorators:
        coloured = decorator(coloured)
    scope.add_url_rule(path, endpoint, coloured, **options)


def blueprint(site: Site, name: str, **options: Any) -> Any:
    return site.web.Blueprint(name, "site", **options)


def views_of(site: Site) -> Any:
    return importlib.import_module(f"{site.web.__name__}.views")


# --- with everything -----------------------------------------------------------------------------


def estate(site_class: Any, folder: Path) -> Site:
    """Return a site with everything that a route can be, all of it protected."""
    (folder / "page.css").write_text("colour")

    class WithStatic(site_class):  # type: ignore[misc]
        def make_app(self) -> Any:
            kind = type(super().make_app())
            return kind("site", static_folder=str(folder), static_url_path="/static")

    site: Site = WithStatic()
    exempt, views = site.lib.login_exempt, views_of(site)
    site.manager.login_view = "login"
    site.manager.require_login(site.app)
    outer = blueprint(
        site, "outer", url_prefix="/outer", static_folder=str(folder), static_url_path="/static"
    )
    inner = blueprint(site, "inner", url_prefix="/inner")
    add(site, outer, "/page", "page", methods=["GET", "POST"])
    add(site, inner, "/page", "page", methods=["DELETE"])
    add(site, inner, "/news", "news", exempt)
    add(site, site.app, "/about", "about", exempt, methods=["GET", "POST"])
    add(site, site.app, "/welcome", "welcome", site.lib.anonymous_required)
    add(site, site.app, "/own", "own", methods=["OPTIONS", "PUT"], provide_automatic_options=False)
    add(site, site.app, "/folder/", "folder")
    outer.register_blueprint(inner)
    site.app.register_blueprint(outer)

    class Things(views.MethodView):
        @exempt
        def get(self) -> str:
            return "things"

        def post(self) -> str:
            raise AssertionError

    class Page(views.View):
        init_every_request = False
        methods = ["GET", "PATCH"]  # noqa: RUF012

        def dispatch_request(self) -> str:
            raise AssertionError

    site.app.add_url_rule("/things", view_func=Things.as_view("things"))
    site.app.add_url_rule("/class", view_func=Page.as_view("class"))
    site.app.register_error_handler(404, lambda error: ("my 404", 404))
    site.app.register_error_handler(405, lambda error: ("my 405", 405))
    if site.lib is quart_login:
        add_sockets(site)
    return site


def add_sockets(site: Site) -> None:
    @site.app.websocket("/socket")
    async def socket() -> None:
        await site.web.websocket.send(site.lib.current_user.name)

    @site.app.websocket("/open-socket")
    @site.lib.login_exempt
    async def open_socket() -> None:
        await site.web.websocket.send("open")


# --- decorators of an application's own ----------------------------------------------------------


def through(view: Any) -> Any:
    """Decorate *view* as well-behaved decorators do."""

    @functools.wraps(view)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    @functools.wraps(view)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return await view(*args, **kwargs)

    return coroutine if inspect.iscoroutinefunction(view) else inner


def opaque(view: Any) -> Any:
    """Decorate *view* as decorators do that forget `functools.wraps`."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return await view(*args, **kwargs)

    return coroutine if inspect.iscoroutinefunction(view) else inner
