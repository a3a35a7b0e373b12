"""The application that is soaked: every way in and out, a page, a stream, a live page.

``SOAK_STORE`` is where its login sessions are: a Redis URL, or the path of an SQLite file.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, request, websocket

from quart_login import (
    LoginManager,
    UserMixin,
    confirm_login,
    current_user,
    fresh_login_required,
    login_required,
    login_user,
    logout_user,
    revoke_other_sessions,
    revoke_user,
)
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlite import SQLiteStore


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


def open_store(place: str) -> Any:
    if place.startswith("redis"):
        return RedisStore.from_url(place, is_async=True, timeout=1.0)
    return SQLiteStore(place)


def create_app() -> Quart:
    app = Quart(__name__)
    app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex(32)
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    manager = LoginManager(app, sessions=open_store(os.environ["SOAK_STORE"]))
    manager.user_loader(_load)
    app.add_url_rule("/in/<id>", "log_in", _log_in, methods=["POST"])
    app.add_url_rule("/out", "log_out", _log_out, methods=["POST"])
    app.add_url_rule("/confirm", "confirm", login_required(_confirm), methods=["POST"])
    app.add_url_rule("/others", "others", login_required(_others), methods=["POST"])
    app.add_url_rule("/everywhere", "everywhere", login_required(_everywhere), methods=["POST"])
    app.add_url_rule("/me", "me", login_required(_me))
    app.add_url_rule("/fresh", "fresh", fresh_login_required(_me))
    app.add_url_rule("/open", "open", _open)
    app.add_url_rule("/stream", "stream", login_required(_stream))
    app.add_websocket("/live", "live", login_required(_live))
    return app


async def _load(user_id: str) -> User | None:
    await asyncio.sleep(0.001)  # a database
    return User(user_id) if user_id.isdigit() else None


async def _log_in(id: str) -> str:
    await login_user(User(id), remember="remember" in request.args)
    return id


async def _log_out() -> str:
    await logout_user()
    return "out"


async def _confirm() -> str:
    await confirm_login()
    return str(current_user.id)


async def _others() -> str:
    await revoke_other_sessions()
    return str(current_user.id)


async def _everywhere() -> str:
    user = current_user.id
    await revoke_user(user)
    return str(user)


async def _me() -> str:
    return str(current_user.id)


async def _open() -> str:
    return str(current_user.id) if current_user.is_authenticated else "anonymous"


async def _stream() -> Response:
    async def body() -> AsyncIterator[str]:
        for _ in range(5):
            yield f"{current_user.id}\n"
            await asyncio.sleep(0.01)

    return Response(body())


async def _live() -> None:
    while True:
        await websocket.send(str(current_user.id))
        await websocket.receive()
