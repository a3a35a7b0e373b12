"""The Flask applications."""

from __future__ import annotations

import io

from contenders import AGENT, CLIENT, KEY, ROWS, USERS, Contender
from flask import Flask, make_response, redirect, request, session
from itsdangerous import BadSignature, URLSafeTimedSerializer


def new_app(lean: bool = False) -> Flask:
    app = Flask("bench", static_folder=None)
    app.config["SECRET_KEY"] = KEY
    if lean:
        from flask_compat.cookie_session import LeanCookieSessionInterface

        app.session_interface = LeanCookieSessionInterface()

    @app.route("/public")
    def public() -> str:
        return "public"

    @app.route("/login")
    def login() -> str:
        return "login"

    return app


def floor(lean: bool = False) -> Flask:
    app = new_app(lean)
    serializer = URLSafeTimedSerializer(KEY, salt="remember")

    @app.route("/private")
    def private():
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
    def flashing():
        session.get("_user_id")
        return redirect("/login?next=%2Fflashing")

    @app.route("/in")
    def log_in():
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        return "in"

    @app.route("/in-remember")
    def log_in_remember():
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        response = make_response("in")
        response.set_cookie("remember_token", serializer.dumps("7"))
        return response

    return app


def with_library(lib, lean: bool = False) -> Flask:
    app = new_app(lean)
    manager = lib.LoginManager(app)
    manager.login_view = "/login"
    manager.login_message = None

    @manager.user_loader
    def load(user_id: str):
        return USERS.get(user_id)

    @app.route("/private")
    @lib.login_required
    def private():
        return lib.current_user.name

    @app.route("/flashing")
    def flashing():
        manager.login_message = "Please log in to access this page."
        try:
            return manager.unauthorized()
        finally:
            manager.login_message = None

    @app.route("/in")
    def log_in():
        lib.login_user(USERS["7"])
        return "in"

    @app.route("/in-remember")
    def log_in_remember():
        lib.login_user(USERS["7"], remember=True)
        return "in"

    return app


def sender(app: Flask):
    def send(path: str, cookie: str):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_USER_AGENT": AGENT,
            "REMOTE_ADDR": "1.2.3.4",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if cookie:
            environ["HTTP_COOKIE"] = cookie
        seen = {}

        def start_response(status, headers, exc_info=None):
            seen["status"], seen["headers"] = status, headers

        body = app(environ, start_response)
        for _ in body:
            pass
        body.close()
        return int(seen["status"][:3]), [v for k, v in seen["headers"] if k == "Set-Cookie"]

    return send


def apps(loop=None) -> dict[str, Contender]:
    import flask_compat

    made = {
        "floor": Contender(sender(floor())).prepare(ROWS),
        "flask_compat": Contender(sender(with_library(flask_compat))).prepare(ROWS),
        "floor, lean cookie": Contender(sender(floor(lean=True))).prepare(ROWS),
        "flask_compat, lean cookie": Contender(
            sender(with_library(flask_compat, lean=True))
        ).prepare(ROWS),
    }
    try:
        import flask_login
    except ImportError:
        return made
    made["Flask-Login"] = Contender(sender(with_library(flask_login))).prepare(ROWS)
    return made
