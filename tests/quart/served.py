"""The application that `test_servers` serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from loops import Quart, Response, asyncio
from quart import Blueprint, copy_current_websocket_context, stream_with_context, websocket

from quart_login import (
    LoginManager,
    UserMixin,
    allow_origins,
    current_user,
    issue_token,
    login_exempt,
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


@app.route("/token/<user_id>")
async def give_token(user_id: str) -> str:
    return issue_token(User(user_id))


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


@app.route("/bare-stream")
async def bare_stream() -> Any:
    async def body() -> AsyncIterator[str]:
        for _ in range(3):
            yield f"{await who()};"

    return body()


@app.route("/plain-stream")
async def plain_stream() -> Any:
    return (f"{now()};" for _ in range(3))


@app.websocket("/socket")
@login_required
async def socket() -> None:
    await websocket.send(await who())


@app.websocket("/chat")
@login_required
async def chat() -> None:
    """Answer each message by whom its places see, after as many turns of the loop as it says."""
    while (turns := await websocket.receive()) != "enough":
        for _ in range(int(turns)):
            await asyncio.sleep(0)
        seen = {await who(), await copy_current_websocket_context(who)(), now()}
        await websocket.send(", ".join(sorted({*seen, *await asyncio.gather(who(), who())})))


@app.websocket("/partner")
@allow_origins("https://partner.example")
async def partner() -> None:
    await websocket.send(await who())


fenced = Blueprint("fenced", "served", url_prefix="/fenced")
manager.require_login(fenced)


@fenced.route("/page")
async def page() -> str:
    return await who()


@fenced.websocket("/socket")
async def fenced_socket() -> None:
    await websocket.send(await who())


@fenced.websocket("/open-socket")
@login_exempt
async def open_socket() -> None:
    await websocket.send(await who())


app.register_blueprint(fenced)
