"""The application that `test_ended_servers` serves, twice, on one store of login sessions."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from loops import Quart, asyncio
from quart import websocket
from quart.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from quart.wrappers import base

from quart_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
    revoke_other_sessions,
    revoke_user,
)


def make_store(url: str) -> Any:
    kind, _, rest = url.partition(" ")
    if kind == "sqlite":
        from quart_login.stores.sqlite import SQLiteStore

        return SQLiteStore(rest, timeout=2)
    if kind.startswith("redis"):
        from quart_login.stores.redis import RedisStore

        return RedisStore.from_url(rest, is_async=kind == "redis-async", timeout=1.0)
    from sqlalchemy import create_engine
    from sqlalchemy.ext.asyncio import create_async_engine

    from quart_login.stores.sqlalchemy import SQLAlchemyStore

    make: Any = create_async_engine if kind == "sql-async" else create_engine
    return SQLAlchemyStore(make(rest), create=True)


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


app = Quart("served", static_folder=None)
app.secret_key = "0123456789abcdef0123456789abcdef"
# The machine of the tests may be busy.
app.config["LOGIN_STORE_TIMEOUT"] = 5.0
app.config["LOGIN_WEBSOCKET_CLOSE_CODE"] = 4401
if "LIFETIME" in os.environ:
    app.config["LOGIN_LIFETIME"] = float(os.environ["LIFETIME"])
manager: LoginManager[User] = LoginManager(app, sessions=make_store(os.environ["STORE"]))


@manager.user_loader
async def load(user_id: str) -> User:
    return User(user_id)


@app.route("/in/<user_id>")
async def log_in(user_id: str) -> str:
    return str(await login_user(User(user_id)))


@app.route("/out")
async def log_out() -> str:
    return str(await logout_user())


@app.route("/revoke-others")
@login_required
async def revoke_others() -> str:
    return str(await revoke_other_sessions())


@app.route("/revoke-user/<user_id>")
async def revoke(user_id: str) -> str:
    return str(await revoke_user(user_id))


@app.route("/connections")
async def connections() -> str:
    """Return how many connections Quart still has: this one, at least."""
    gc.collect()
    kinds = (ASGIHTTPConnection, ASGIWebsocketConnection)
    return str(sum(isinstance(one, kinds) for one in gc.get_objects()))


#: What some releases of Quart raise where a client is gone, and log if nobody catches it.
GONE = [kind for name, kind in vars(base).items() if name == "ClientDisconnectedError"]


@app.websocket("/echo")
@login_required
async def echo() -> None:
    with suppress(*GONE):
        while (said := await websocket.receive()) != "enough":
            await websocket.send(f"{current_user.get_id()}: {said}")


@app.websocket("/wait")
@login_required
async def wait() -> None:
    await websocket.send("ready")
    await asyncio.Event().wait()


@app.route("/stream")
@login_required
async def stream() -> Any:
    async def body() -> AsyncIterator[str]:
        yield "first;"
        await asyncio.Event().wait()

    return body()


@app.route("/endless")
@login_required
async def endless() -> Any:
    async def body() -> AsyncIterator[str]:
        while True:
            yield "more;"
            await asyncio.sleep(0.01)

    return body()
