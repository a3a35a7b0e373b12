"""The Flask applications: bare, by hand, and with each library."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from flask import Flask, make_response, redirect, request, session
from itsdangerous import BadSignature, URLSafeTimedSerializer

from benchmarks import wsgi
from benchmarks.contenders import CLIENT, KEY, USERS, Contender


def new_app(*, lean: bool = False, secret: bool = True) -> Flask:
    app = Flask("bench", static_folder=None)
    if secret:
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


def bare() -> Flask:
    """Return an application without sessions: its pages say at once what is to be said."""
    app = new_app(secret=False)

    @app.route("/private")
    def private() -> str:
        return "user 7"

    @app.route("/away")
    def away() -> Any:
        return redirect("/login?next=%2Fprivate")

    @app.route("/in")
    def log_in() -> str:
        return "in"

    return app


def floor(*, lean: bool = False) -> Flask:
    app = new_app(lean=lean)
    serializer = URLSafeTimedSerializer(KEY, salt="remember")

    @app.route("/private")
    def private() -> Any:
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
    def flashing() -> Any:
        session.get("_user_id")
        return redirect("/login?next=%2Fflashing")

    @app.route("/in")
    def log_in() -> str:
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        return "in"

    @app.route("/in-remember")
    def log_in_remember() -> Any:
        session.update(_user_id="7", _fresh=True, _id=CLIENT)
        response = make_response("in")
        response.set_cookie("remember_token", serializer.dumps("7"))
        return response

    return app


def with_library(name: str, *, lean: bool = False, **options: Any) -> Flask:
    """Return the application with the library *name*: flask_compat, or flask_login."""
    lib = import_module(name)
    app = new_app(lean=lean)
    manager = lib.LoginManager(app, **options)
    manager.login_view = "/login"
    manager.login_message = None

    @manager.user_loader
    def load(user_id: str) -> Any:
        return USERS.get(user_id)

    @app.route("/private")
    @lib.login_required
    def private() -> str:
        return lib.current_user.name

    @app.route("/flashing")
    def flashing() -> Any:
        manager.login_message = "Please log in to access this page."
        try:
            return manager.unauthorized()
        finally:
            manager.login_message = None

    @app.route("/in")
    def log_in() -> str:
        lib.login_user(USERS["7"])
        return "in"

    @app.route("/in-remember")
    def log_in_remember() -> str:
        lib.login_user(USERS["7"], remember=True)
        return "in"

    return app


#: The rows that the framework has nothing for.
LACKS: tuple[str, ...] = ()

Make = Callable[[], Flask]

OWN: dict[str, Make] = {
    "floor": floor,
    "floor, again": floor,
    "flask_compat": lambda: with_library("flask_compat"),
    "floor, lean cookie": lambda: floor(lean=True),
    "flask_compat, lean cookie": lambda: with_library("flask_compat", lean=True),
}
PEERS: dict[str, Make] = {"Flask-Login": lambda: with_library("flask_login")}


def contend(app: Flask, loop: Any, **how: Any) -> Contender:
    return Contender(wsgi.sender(app), wsgi.read, **how)
