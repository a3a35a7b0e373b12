"""A Quart application as type checkers see it.

They report the lines that are marked with an E, each by the checkers that it names; no others.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quart import Quart, Response

import quart_login
from quart_login import (
    LoginManager,
    UserMixin,
    anonymous_required,
    confirm_login,
    current_user,
    fresh_login_required,
    load_user,
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


class User(UserMixin):
    def __init__(self, id: int, name: str) -> None:
        self.id = id
        self.name = name


class Robot(UserMixin):
    serial = "R2"


USERS = {"1": User(1, "alice")}

app = Quart(__name__)
manager = LoginManager[User](app)


# --- loaders -------------------------------------------------------------------------------------


@manager.user_loader
async def find(user_id: str) -> User | None:
    return USERS.get(user_id)


@manager.user_loader
def find_in_a_thread(user_id: str) -> User | None:
    return USERS.get(user_id)


@manager.user_loader
async def find_for_certain(user_id: str) -> User:
    return USERS[user_id]


@manager.request_loader
async def find_by_request(request: Any) -> User | None:
    return USERS.get(request.headers.get("X-Key", ""))


@manager.user_loader  # E: mypy, pyright
async def find_a_robot(user_id: str) -> Robot | None:
    return None


@manager.user_loader  # E: mypy, pyright
def find_a_robot_in_a_thread(user_id: str) -> Robot | None:
    return None


@manager.user_loader  # E: mypy, pyright
async def find_a_name(user_id: str) -> str:
    return "alice"


@manager.user_loader  # E: mypy, pyright
def find_nothing_by_nothing() -> User | None:
    return None


@manager.request_loader  # E: mypy, pyright
async def find_a_robot_by_request(request: Any) -> Robot | None:
    return None


# --- the callbacks keep their types --------------------------------------------------------------


async def ask() -> str:
    found = await find("1")
    return found.name if found is not None else "nobody"


async def ask_badly() -> str:
    found = await find("1")
    return found.name  # E: mypy, pyright


# --- views ---------------------------------------------------------------------------------------


@app.route("/login", methods=["POST"])
async def login() -> str:
    user = USERS["1"]
    if not await manager.login_user(user, remember=True, duration=timedelta(days=7)):
        return "locked"
    await login_user(user, True, timedelta(days=7), force=False, fresh=True)
    return manager.current_user.name


@app.route("/badly", methods=["POST"])
async def log_in_badly() -> str:
    await manager.login_user(Robot())  # E: mypy, pyright
    await manager.login_user(USERS.get("1"))  # E: mypy, pyright
    await manager.login_user(USERS["1"], remember="yes")  # E: mypy, pyright
    await login_user(USERS["1"], forever=True)  # E: mypy, pyright
    return manager.current_user.nmae  # E: mypy, pyright


@app.route("/forgotten", methods=["POST"])
async def forget_to_wait() -> str:
    login_user(USERS["1"])  # E: mypy, pyright
    logout_user()  # E: mypy, pyright
    confirm_login()  # E: mypy, pyright
    load_user()  # E: mypy, pyright
    manager.login_user(USERS["1"])  # E: mypy, pyright
    manager.unauthorized()  # E: mypy, pyright
    if login_user(USERS["1"]):  # E: mypy
        return "always"
    return "never"


@app.route("/logout", methods=["POST"])
@login_required
async def logout() -> str:
    left: bool = await logout_user()
    await confirm_login()
    return str(left)


@app.route("/private")
@fresh_login_required
def private() -> str:
    fresh: bool = login_fresh() and login_remembered()
    return f"{current_user.name} {fresh} {login_url('login', next_field='back')}"


@app.route("/welcome")
@anonymous_required
async def welcome() -> str:
    return "welcome"


@app.route("/hello")
@manager.anonymous_required("private")
@login_exempt
async def hello() -> str:
    text: str = await welcome()
    number: int = await welcome()  # E: mypy, pyright
    return f"{text} {number}"


@anonymous_required(7)  # E: mypy, pyright
async def badly_sent_away() -> str:
    return await hello()


async def use_the_view() -> str:
    # A decorator keeps the view's type.
    text: str = await logout()
    number: int = await logout()  # E: mypy, pyright
    return f"{text} {number}"


async def load() -> str:
    user = await manager.load_user()
    return user.name


async def load_badly() -> int:
    user = await manager.load_user()
    return user.name  # E: mypy, pyright


# --- handlers and signals ------------------------------------------------------------------------


@manager.unauthorized_handler
async def stranger() -> tuple[str, int]:
    return "no", 401


@manager.needs_refresh_handler
def stale() -> Response:
    return Response("again")


def on_login(sender: Quart, user: User, **extra: Any) -> None: ...


async def on_login_waiting(sender: Any, *, user: User, **extra: Any) -> None: ...


def on_any_login(sender: Any, **extra: Any) -> None: ...


def on_failure(sender: Any, user: User | None, **extra: Any) -> None: ...


def on_robot(sender: Any, user: Robot, **extra: Any) -> None: ...


manager.user_logged_in.connect(on_login)
manager.user_logged_in.connect(on_login_waiting, app)
manager.user_logged_out.connect(on_any_login, sender=app)
manager.user_loaded_from_cookie.connect(on_login, weak=False)
manager.user_login_failed.connect(on_failure)
manager.user_logged_in.disconnect(on_login)
user_logged_in.connect(on_login)

manager.user_login_failed.connect(on_login)  # E: mypy, pyright
manager.user_logged_in.connect(on_robot)  # E: mypy, pyright
manager.user_logged_out.connect(on_robot)  # E: mypy, pyright
manager.user_loaded_from_cookie.connect(on_robot)  # E: mypy, pyright
manager.user_loaded_from_request.connect(on_robot)  # E: mypy, pyright


@manager.user_logged_in.connect
def greet(sender: Any, user: User, **extra: Any) -> str:
    return user.name


@manager.user_logged_in.connect  # E: mypy, pyright
def greet_a_robot(sender: Any, user: Robot, **extra: Any) -> str:
    return user.serial


# --- a manager that knows no user class ----------------------------------------------------------

plain = LoginManager()
plain.init_app(app)
plain.login_view = "login"
plain.login_view = lambda: "login"
plain.blueprint_login_views["shop"] = lambda: None


@plain.unauthorized_handler
async def find_a_page() -> str:
    url: str = safe_next(object(), fallback="/home")
    return url


async def go_on() -> Any:
    redirect_next("/home")  # E: mypy, pyright
    safe_next("/a", 5)  # E: mypy, pyright
    return await redirect_next("/home", next_field="back")


plain.session_protection = "strong"


@plain.user_loader
async def find_anything(user_id: str) -> Robot | None:
    return None


@plain.user_loader
def find_whatever(user_id: int) -> Any:
    return None


async def anything_goes() -> str:
    await plain.login_user(Robot())
    serial: str = plain.current_user.serial
    return serial


def set_up(app: Quart) -> LoginManager:
    return LoginManager(app)


plain.login_view = 5  # E: mypy, pyright
quart_login.login_usr()  # E: mypy, pyright
