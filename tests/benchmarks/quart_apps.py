"""The Quart applications: bare, by hand, and with each library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from quart import Quart, make_response, redirect, request, session

from benchmarks import asgi
from benchmarks.contenders import CLIENT, KEY, USERS, Contender


def new_app(*, lean: bool = False, secret: bool = True) -> Quart:
    app = Quart("bench", static_folder=None)
    if secret:
        app.config["SECRET_KEY"] = KEY
    if lean:
        from quart_login.cookie_session import LeanCookieSessionInterface

        app.session_interface = LeanCookieSessionInterface()

    @app.route("/public")
    async def public() -> str:
        return "public"

    @app.route("/login")
    async def login() -> str:
        return "login"

    return app


def bare() -> Quart:
    """Return an application without sessions: its pages say at once what is to be said."""
    app = new_app(secret=False)

    @app.route("/private")
    async def private() -> str:
        return "user 7"

    @app.route("/away")
    async def away() -> Any:
        return redirect("/login?next=%2Fprivate")

    @app.route("/in")
    async def log_in() -> str:
        return "in"

    return app


def floor(*, lean: bool = False) -> Quart:
    app = new_app(lean=lean)
    serializer = URLSafeTimedSerializer(KEY, salt="remember")

    @app.route("/private")
    async def private() -> Any:
        session.accessed = True  # type: ignore[attr-defined]
        user_id = session.get("_user_id")
        if user_id is None:
            token = request.cookies.get("remember_token")
            if token is None:
                return redirect("/login?next=%2Fprivate")
            try:
                user_id = serializer.loads(token, max_age=31_536_000)
                session.update(_user_id=user_id, _fresh=False, _id=CLIENT)
            except BadSignature:
                return redirect("/login?next=%2Fprivate")
        return USERS[user_id].name

    @app.route("/flashing")
    async def flashing() -> Any:
        session.accessed = True  # type: ignore[attr-defined]
        return redirect("/login?next=%2Fflashing")

    @app.route("/in")
    async def log_in() -> str:
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        return "in"

    @app.route("/in-remember")
    async def log_in_remember() -> Any:
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        response = await make_response("in")
        response.set_cookie("remember_token", serializer.dumps("7"))
        return response

    return app


def ours(*, lean: bool = False, sessions: Any = None, **config: Any) -> Quart:
    from quart_login import LoginManager, current_user, login_required, login_user

    app = new_app(lean=lean)
    app.config.update(config)
    manager: Any = LoginManager(app, sessions=sessions)
    manager.login_view = "/login"
    manager.login_message = None

    @manager.user_loader
    async def load(user_id: str) -> Any:
        return USERS.get(user_id)

    @app.route("/private")
    @login_required
    async def private() -> str:
        return current_user.name

    @app.route("/in")
    async def log_in() -> str:
        await login_user(USERS["7"])
        return "in"

    @app.route("/in-remember")
    async def log_in_remember() -> str:
        await login_user(USERS["7"], remember=True)
        return "in"

    @app.route("/flashing")
    async def flashing() -> Any:
        manager.login_message = "Please log in to access this page."
        try:
            return await manager.unauthorized()
        finally:
            manager.login_message = None

    return app


def quart_auth() -> Quart:
    from quart_auth import (
        AuthUser,
        QuartAuth,
        Unauthorized,
        current_user,
        login_required,
        login_user,
    )

    app = new_app()
    QuartAuth(app, cookie_secure=False)

    @app.route("/private")
    @login_required
    async def private() -> str:
        return USERS[current_user.auth_id].name

    @app.errorhandler(Unauthorized)
    async def send_away(_: Exception) -> Any:
        return redirect("/login?next=%2Fprivate")

    @app.route("/in")
    @app.route("/in-remember", endpoint="in-remember")
    async def log_in() -> str:
        login_user(AuthUser("7"))
        return "in"

    return app


class _State(dict[str, Any]):
    """What quart-security asks of the place where it keeps its logins."""

    async def put(self, payload: Any, *, ttl: int, token: str | None = None) -> str:
        token = token or f"{len(self):043d}"
        self[token] = payload
        return token

    async def get(self, token: str) -> Any:  # type: ignore[override]
        return dict.get(self, token)

    async def pop(self, token: str) -> Any:  # type: ignore[override]
        return dict.pop(self, token, None)

    async def claim(self, token: str, *, ttl: int) -> bool:
        return True


class _Users:
    """What quart-security asks of the place where users are."""

    async def find_user(self, fs_uniquifier: str) -> Any:
        return USERS.get(fs_uniquifier)

    def commit(self) -> None: ...
    def rotate_uniquifier(self, *_: Any) -> None: ...


def quart_security() -> Quart:
    from quart_security import Security, auth_required, current_user

    app = new_app()
    features = ("TWO_FACTOR", "WEBAUTHN", "MULTI_FACTOR_RECOVERY_CODES", "TRACKABLE")
    app.config.update({f"SECURITY_{name}": False for name in features})
    app.config.update(SECURITY_LOGIN_MAX_ATTEMPTS=0, SECURITY_COOKIE_SECURE=False)
    security = Security(app, _Users(), state_store=_State())

    @app.route("/private")
    @auth_required()
    async def private() -> str:
        return current_user.name

    @app.route("/in")
    @app.route("/in-remember", endpoint="in-remember")
    async def log_in() -> str:
        await security.login_user(USERS["7"])
        return "in"

    return app


#: The rows that the framework has nothing for.
LACKS: tuple[str, ...] = ()

Make = Callable[[], Quart]

OWN: dict[str, Make] = {
    "floor": floor,
    "floor, again": floor,
    "quart_login": ours,
    "quart_login, on demand": lambda: ours(LOGIN_LOAD_USER="on_demand"),
    "floor, lean cookie": lambda: floor(lean=True),
    "quart_login, lean cookie": lambda: ours(lean=True),
}
PEERS: dict[str, Make] = {"Quart-Auth": quart_auth, "quart-security": quart_security}


def contend(app: Quart, loop: asyncio.AbstractEventLoop, **how: Any) -> Contender:
    return Contender(asgi.sender(app, loop), asgi.read, **how)
