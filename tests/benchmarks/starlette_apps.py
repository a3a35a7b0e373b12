"""The Starlette applications: bare, by hand, and with starlette-login.

Another framework: what can be compared with ours is the ratio to its own floor, not microseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from benchmarks import asgi
from benchmarks.contenders import CLIENT, KEY, USERS, Contender

SESSIONS = Middleware(SessionMiddleware, secret_key=KEY)


def new_app(views: dict[str, Any], *middleware: Middleware) -> Starlette:
    routes = [Route(path, view) for path, view in views.items()]
    return Starlette(routes=routes, middleware=middleware)


async def public(request: Request) -> Response:
    return PlainTextResponse("public")


async def away(request: Request) -> Response:
    return RedirectResponse("/login?next=%2Fprivate", 302)


def bare() -> Starlette:
    async def private(request: Request) -> Response:
        return PlainTextResponse("user 7")

    async def log_in(request: Request) -> Response:
        return PlainTextResponse("in")

    return new_app({"/private": private, "/public": public, "/away": away, "/in": log_in})


def floor() -> Starlette:
    serializer = URLSafeTimedSerializer(KEY, salt="remember")

    async def private(request: Request) -> Response:
        session = request.session
        user_id = session.get("_user_id")
        if user_id is None:
            token = request.cookies.get("remember_token")
            if token is None:
                return await away(request)
            try:
                user_id = serializer.loads(token, max_age=31_536_000)
                session.update(_user_id=user_id, _fresh=False, _id=CLIENT)
            except BadSignature:
                return await away(request)
        return PlainTextResponse(USERS[user_id].name)

    async def log_in(request: Request) -> Response:
        request.session.update(_user_id="7", _fresh=True, _id=CLIENT)
        return PlainTextResponse("in")

    async def log_in_remember(request: Request) -> Response:
        response = await log_in(request)
        response.set_cookie("remember_token", serializer.dumps("7"))
        return response

    views = {"/private": private, "/public": public, "/in": log_in, "/in-remember": log_in_remember}
    return new_app(views, SESSIONS)


def starlette_login() -> Starlette:
    from starlette_login.backends import SessionAuthBackend
    from starlette_login.decorator import login_required
    from starlette_login.login_manager import LoginManager
    from starlette_login.middleware import AuthenticationMiddleware
    from starlette_login.utils import login_user

    manager = LoginManager(redirect_to="/login", secret_key=KEY)

    async def load(request: Any, user_id: str) -> Any:
        return USERS.get(user_id)

    manager.set_user_loader(load)

    @login_required
    async def private(request: Request) -> Response:
        return PlainTextResponse(request.user.name)

    async def log_in(request: Request) -> Response:
        remember = request.url.path == "/in-remember"
        await login_user(request, USERS["7"], remember=remember)  # type: ignore[arg-type]
        return PlainTextResponse("in")

    backend = SessionAuthBackend(manager)
    logins = Middleware(AuthenticationMiddleware, backend=backend, login_manager=manager)
    views = {"/private": private, "/public": public, "/in": log_in, "/in-remember": log_in}
    app = new_app(views, SESSIONS, logins)
    app.state.login_manager = manager
    return app


#: The rows that the framework has nothing for: it has no messages.
LACKS = ("anonymous_flash",)

Make = Callable[[], Starlette]

OWN: dict[str, Make] = {"floor": floor, "floor, again": floor}
PEERS: dict[str, Make] = {"starlette-login": starlette_login}


def contend(app: Starlette, loop: asyncio.AbstractEventLoop, **how: Any) -> Contender:
    return Contender(asgi.sender(app, loop), asgi.read, **how)
