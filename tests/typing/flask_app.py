"""A Flask application as type checkers see it.

They report the lines that are marked with an E, each by the checkers that it names; no others.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response

import flask_compat as flask_login
from flask_compat import (
    LoginManager,
    UserMixin,
    anonymous_required,
    confirm_login,
    current_user,
    fresh_login_required,
    login_exempt,
    login_fresh,
    login_remembered,
    login_required,
    login_url,
    login_user,
    logout_user,
    redirect_next,
    safe_next,
    user_logged_in,
)
from flask_compat.config import COOKIE_DURATION
from flask_compat.login_manager import LoginManager as SameLoginManager
from flask_compat.mixins import AnonymousUserMixin
from flask_compat.utils import expand_login_view


class User(UserMixin):
    def __init__(self, id: int, name: str) -> None:
        self.id = id
        self.name = name


class Robot(UserMixin):
    serial = "R2"


class Guest(AnonymousUserMixin):
    name = "guest"


USERS = {"1": User(1, "alice")}

app = Flask(__name__)
manager = LoginManager[User](app)
manager.anonymous_user = Guest


# --- loaders -------------------------------------------------------------------------------------


@manager.user_loader
def find(user_id: str) -> User | None:
    return USERS.get(user_id)


@manager.user_loader
async def find_by_flask_async(user_id: str) -> User | None:
    return USERS.get(user_id)


@manager.request_loader
def find_by_request(request: Request) -> User | None:
    return USERS.get(request.headers.get("X-Key", ""))


@manager.user_loader  # E: mypy, pyright
def find_a_robot(user_id: str) -> Robot | None:
    return None


@manager.user_loader  # E: mypy, pyright
async def find_a_robot_by_flask_async(user_id: str) -> Robot | None:
    return None


@manager.request_loader  # E: mypy, pyright
def find_a_name_by_request(request: Request) -> str:
    return "alice"


def ask() -> str:
    found = find("1")
    return found.name if found is not None else "nobody"


def ask_badly() -> str:
    found = find("1")
    return found.name  # E: mypy, pyright


# --- views ---------------------------------------------------------------------------------------


@app.route("/login", methods=["POST"])
def login() -> str:
    user = USERS["1"]
    if not manager.login_user(user, remember=True, duration=timedelta(days=7)):
        return "locked"
    login_user(user, True, COOKIE_DURATION, force=False, fresh=True)
    return manager.current_user.name


@app.route("/badly", methods=["POST"])
def log_in_badly() -> str:
    manager.login_user(Robot())  # E: mypy, pyright
    manager.login_user(USERS.get("1"))  # E: mypy, pyright
    login_user(USERS["1"], forever=True)  # E: mypy, pyright
    return manager.current_user.nmae  # E: mypy, pyright


@app.route("/logout", methods=["POST"])
@login_required
def logout() -> str:
    left: bool = logout_user()
    confirm_login()
    return str(left)


@app.route("/private")
@fresh_login_required
def private() -> str:
    fresh: bool = login_fresh() and login_remembered()
    return f"{current_user.name} {fresh} {login_url('login', next_field='back')}"


@app.route("/welcome")
@anonymous_required
def welcome() -> str:
    return "welcome"


@app.route("/hello")
@manager.anonymous_required("private")
@login_exempt
def hello() -> str:
    text: str = welcome()
    number: int = welcome()  # E: mypy, pyright
    return f"{text} {number}"


@anonymous_required(7)  # E: mypy, pyright
def badly_sent_away() -> str:
    return hello()


def use_the_view() -> str:
    text: str = logout()
    number: int = logout()  # E: mypy, pyright
    return f"{text} {number} {expand_login_view('login')}"


# --- handlers and signals ------------------------------------------------------------------------


@manager.unauthorized_handler
def stranger() -> tuple[str, int]:
    return "no", 401


@manager.needs_refresh_handler
async def stale() -> Response:
    return Response("again")


def on_login(sender: Flask, user: User, **extra: Any) -> None: ...


def on_robot(sender: Any, user: Robot, **extra: Any) -> None: ...


manager.user_logged_in.connect(on_login, app)
user_logged_in.connect(on_login)
manager.user_logged_in.connect(on_robot)  # E: mypy, pyright


# --- in place of Flask-Login, without a user class -----------------------------------------------

plain = flask_login.LoginManager()
plain.init_app(app)
plain.login_view = "login"
plain.login_view = lambda: "login"
plain.blueprint_login_views["shop"] = lambda: None


def go_on() -> Any:
    url: str = safe_next(object(), fallback="/home")
    redirect_next(url, 5)  # E: mypy, pyright
    return redirect_next(url, next_field="back")


same: LoginManager = SameLoginManager(app)


@plain.user_loader
def find_anything(user_id: str) -> Robot | None:
    return None


@flask_login.login_required
def anything_goes() -> str:
    flask_login.login_user(Robot())
    plain.login_user(Robot())
    serial: str = plain.current_user.serial
    return f"{serial} {flask_login.current_user.name}"


flask_login.login_usr(Robot())  # E: mypy, pyright
flask_login.signals.user_logged_on.connect(on_login)  # E: mypy, pyright
