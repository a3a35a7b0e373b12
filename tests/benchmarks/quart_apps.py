"""The Quart applications."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from contenders import AGENT, CLIENT, KEY, ROWS, USERS, Contender
from itsdangerous import BadSignature, URLSafeTimedSerializer
from quart import Quart, redirect, request, session


def new_app(lean: bool = False) -> Quart:
    app = Quart("bench", static_folder=None)
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


def floor(lean: bool = False) -> Quart:
    app = new_app(lean)
    serializer = URLSafeTimedSerializer(KEY, salt="remember")

    @app.route("/private")
    async def private():
        session.accessed = True
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
    async def flashing():
        session.accessed = True
        return redirect("/login?next=%2Fflashing")

    @app.route("/in")
    async def log_in():
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        return "in"

    @app.route("/in-remember")
    async def log_in_remember():
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        from quart import make_response

        response = await make_response("in")
        response.set_cookie("remember_token", serializer.dumps("7"))
        return response

    return app


def ours(lean: bool = False, **config) -> Quart:
    from quart_login import LoginManager, current_user, login_required, login_user

    app = new_app(lean)
    app.config.update(config)
    manager = LoginManager(app)
    manager.login_view = "/login"
    manager.login_message = None

    @manager.user_loader
    async def load(user_id: str):
        return USERS.get(user_id)

    @app.route("/private")
    @login_required
    async def private():
        return current_user.name

    @app.route("/in")
    async def log_in():
        await login_user(USERS["7"])
        return "in"

    @app.route("/in-remember")
    async def log_in_remember():
        await login_user(USERS["7"], remember=True)
        return "in"

    add_flashing(app, manager)
    return app


def add_flashing(app, manager) -> None:
    @app.route("/flashing")
    async def flashing():
        manager.login_message = "Please log in to access this page."
        try:
            return await manager.unauthorized()
        finally:
            manager.login_message = None


def quart_auth() -> Quart:
    from quart_auth import AuthUser, QuartAuth, current_user, login_required, login_user

    app = new_app()
    app.config["QUART_AUTH_COOKIE_SECURE"] = False
    QuartAuth(app)

    @app.route("/private")
    @login_required
    async def private():
        return USERS[current_user.auth_id].name

    @app.route("/in")
    @app.route("/in-remember", endpoint="in-remember")
    async def log_in():
        login_user(AuthUser("7"))
        return "in"

    return app


def sender(app: Quart, loop: asyncio.AbstractEventLoop):
    def send(path: str, cookie: str):
        headers = [(b"host", b"localhost"), (b"user-agent", AGENT.encode())]
        if cookie:
            headers.append((b"cookie", cookie.encode()))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "asgi": {"spec_version": "2.3", "version": "3.0"},
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("1.2.3.4", 5),
            "server": ("localhost", 80),
            "extensions": {},
        }
        seen, answered = {}, asyncio.Event()

        async def receive():
            if "asked" in seen:
                await answered.wait()  # Quart 0.23 listens until the client is gone.
                return {"type": "http.disconnect"}
            seen["asked"] = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def answer(message):
            if message["type"] == "http.response.start":
                seen["start"] = message
            elif not message.get("more_body", False):
                answered.set()

        loop.run_until_complete(app(scope, receive, answer))
        start = seen["start"]
        return start["status"], [v.decode() for k, v in start["headers"] if k == b"set-cookie"]

    return send


def apps(loop: asyncio.AbstractEventLoop) -> dict[str, Contender]:
    made = {
        "floor": Contender(sender(floor(), loop)).prepare(ROWS),
        "quart_login": Contender(sender(ours(), loop)).prepare(ROWS),
        "quart_login on demand": Contender(sender(ours(LOGIN_LOAD_USER="on_demand"), loop)).prepare(
            ROWS
        ),
        "floor, lean cookie": Contender(sender(floor(lean=True), loop)).prepare(ROWS),
        "quart_login, lean cookie": Contender(sender(ours(lean=True), loop)).prepare(ROWS),
    }
    with suppress(ImportError):
        made["Quart-Auth"] = Contender(sender(quart_auth(), loop)).prepare(
            ["protected", "public", "public_in", "login"]
        )
    return made
