"""The application that `test_servers` serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, stream_with_context, websocket

from quart_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


app = Quart("served", static_folder=None)
app.secret_key = "0123456789abcdef0123456789abcdef"
manager: LoginManager[User] = LoginManager(app)


@manager.user_loader
async def load(user_id: str) -> User:
    await asyncio.sleep(0)
    return User(user_id)


async def who() -> str:
    await asyncio.sleep(0)
    return str(current_user.get_id())


@app.route("/in/<user_id>")
async def log_in(user_id: str) -> str:
    await login_user(User(user_id), remember=True)
    return await who()


@app.route("/out")
async def log_out() -> str:
    await logout_user()
    return await who()


@app.route("/me")
async def me() -> str:
    seen = {await who(), await asyncio.create_task(who()), await asyncio.to_thread(now)}
    return ", ".join(sorted(seen))


def now() -> str:
    return str(current_user.get_id())


@app.route("/private")
@login_required
async def private() -> str:
    return f"private of {await who()}"


@app.route("/stream")
async def stream() -> Any:
    @stream_with_context
    async def body() -> AsyncIterator[str]:
        for _ in range(3):
            yield f"{await who()};"

    return Response(body())


@app.websocket("/socket")
@login_required
async def socket() -> None:
    await websocket.send(await who())
