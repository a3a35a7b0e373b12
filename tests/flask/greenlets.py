"""Run by `test_threads`: greenlets that serve requests at once.  Do their users mix?

It takes the number of greenlets, and of requests that each serves.
"""

# ruff: noqa: E402 -- gevent must be first of all.
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import random
import sys
from typing import Any

import flask
import gevent
from gevent.pool import Pool

from flask_compat import LoginManager, UserMixin, current_user, login_user


class User(UserMixin):
    def __init__(self, id: int) -> None:
        self.id = id


def make_app(dice: random.Random) -> flask.Flask:
    app = flask.Flask("greenlets", static_folder=None)
    app.secret_key = "0123456789abcdef0123456789abcdef"
    manager: LoginManager[User] = LoginManager(app)

    def give_way() -> None:
        for _ in range(dice.randrange(3)):
            gevent.sleep(0)

    @manager.user_loader
    def load(user_id: Any) -> User:
        give_way()
        return User(int(user_id))

    @app.route("/in/<int:number>")
    def log_in(number: int) -> str:
        login_user(User(number))
        give_way()
        return str(current_user.get_id())

    @app.route("/look")
    def look() -> str:
        seen = set()
        for _ in range(5):
            seen.add(str(current_user.get_id()))
            give_way()
        return ", ".join(seen)

    return app


def main(greenlets: int, requests: int) -> None:
    dice = random.Random(1)
    app = make_app(dice)
    clients = [app.test_client() for _ in range(greenlets)]
    for number, client in enumerate(clients):
        if number % 4:
            assert client.get(f"/in/{number}").text == str(number)

    def serve(_: int) -> list[tuple[str, str]]:
        found = []
        with app.app_context():
            for _ in range(requests):
                number = dice.randrange(greenlets)
                expected = str(number) if number % 4 else "None"
                found.append((clients[number].get("/look").text, expected))
        return found

    results = [pair for found in Pool(greenlets).map(serve, range(greenlets)) for pair in found]
    mixed = [pair for pair in results if pair[0] != pair[1]]
    print(f"{len(results)} requests, {len(mixed)} mixed")


main(int(sys.argv[1]), int(sys.argv[2]))
