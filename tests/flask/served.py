"""The application that `test_servers` serves."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, stream_with_context

from flask_compat import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from quart_login.stores.memory import MemoryStore


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


dice = random.Random(1)
app = Flask("served", static_folder=None)
app.secret_key = "0123456789abcdef0123456789abcdef"
manager: LoginManager[User] = LoginManager(app, sessions=MemoryStore())


def give_way() -> None:
    """Let other threads, or greenlets, go on."""
    time.sleep(dice.choice([0, 0, 0.001]))


@manager.user_loader
def load(user_id: str) -> User:
    give_way()
    return User(user_id)


def who() -> str:
    give_way()
    return str(current_user.get_id())


@app.route("/in/<user_id>")
def log_in(user_id: str) -> str:
    login_user(User(user_id), remember=True)
    return who()


@app.route("/out")
def log_out() -> str:
    logout_user()
    return who()


@app.route("/in-out/<user_id>")
def in_and_out(user_id: str) -> str:
    story = [who()]
    login_user(User(user_id))
    story.append(who())
    logout_user()
    return ", ".join([*story, who()])


@app.route("/me")
def me() -> str:
    return ", ".join({who() for _ in range(4)})


@app.route("/private")
@login_required
def private() -> str:
    return f"private of {who()}"


@app.route("/stream")
def stream() -> Any:
    @stream_with_context
    def body() -> Iterator[str]:
        for _ in range(3):
            yield f"{who()};"

    return Response(body())


@app.route("/bare-stream")
def bare_stream() -> Any:
    return Response(f"{who()};" for _ in range(3))
