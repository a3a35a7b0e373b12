"""The applications that the load is put on; the environment says which.

``BENCHMARK_APP`` is the contender, ``BENCHMARK_WAIT`` for how many milliseconds its loader waits.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from benchmarks.contenders import USERS

_WAIT = float(os.environ.get("BENCHMARK_WAIT", "10")) / 1e3


async def load_from_afar(user_id: str | None) -> Any:
    await asyncio.sleep(_WAIT)
    return None if user_id is None else USERS.get(user_id)


def by_hand() -> Any:
    from quart import Quart, session

    app = _quart(Quart)

    @app.route("/private")
    async def private() -> str:
        session.accessed = True
        return (await load_from_afar(session["_user_id"])).name

    @app.route("/in")
    async def log_in() -> str:
        session["_user_id"] = "7"
        return "in"

    return app


def ours() -> Any:
    from quart import Quart

    from quart_login import LoginManager, current_user, login_required, login_user

    app = _quart(Quart)
    manager: Any = LoginManager(app)
    manager.user_loader(load_from_afar)

    @app.route("/private")
    @login_required
    async def private() -> str:
        return current_user.name

    @app.route("/in")
    async def log_in() -> str:
        await login_user(USERS["7"])
        return "in"

    return app


def quart_auth() -> Any:
    from quart import Quart
    from quart_auth import AuthUser, QuartAuth, current_user, login_required, login_user

    class Resolved(AuthUser):
        async def resolve(self) -> Any:
            return await load_from_afar(self.auth_id)

    app = _quart(Quart)
    auth = QuartAuth(app, cookie_secure=False)
    auth.user_class = Resolved

    @app.route("/private")
    @login_required
    async def private() -> str:
        return (await current_user.resolve()).name

    @app.route("/in")
    async def log_in() -> str:
        login_user(AuthUser("7"))
        return "in"

    return app


def _quart(make: Any) -> Any:
    from benchmarks.contenders import KEY

    app = make("served", static_folder=None)
    app.secret_key = KEY
    return app


def on_flask(name: str) -> Any:
    from benchmarks.flask_apps import with_library

    app = with_library(name)

    @app.login_manager.user_loader
    def load(user_id: str) -> Any:
        time.sleep(_WAIT)
        return USERS.get(user_id)

    return app


APPS = {
    "by hand": by_hand,
    "quart_login": ours,
    "Quart-Auth": quart_auth,
    "flask_compat": lambda: on_flask("flask_compat"),
    "Flask-Login": lambda: on_flask("flask_login"),
}


def create_app() -> Any:
    return APPS[os.environ["BENCHMARK_APP"]]()


if "BENCHMARK_APP" in os.environ:
    app = create_app()
