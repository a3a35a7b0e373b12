"""How is an ASGI application sent a request, or a websocket opened, without a server?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from benchmarks.contenders import AGENT, Answer

_HEADERS = [(b"host", b"localhost"), (b"user-agent", AGENT.encode())]


def headers(cookie: str) -> list[tuple[bytes, bytes]]:
    return [*_HEADERS, (b"cookie", cookie.encode())] if cookie else [*_HEADERS]


def sender(app: Any, loop: asyncio.AbstractEventLoop) -> Callable[[str, str], Any]:
    def send(path: str, cookie: str) -> list[Any]:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "asgi": {"spec_version": "2.3", "version": "3.0"},
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers(cookie),
            "client": ("1.2.3.4", 5),
            "server": ("localhost", 80),
            "extensions": {},
        }
        seen, asked, answered = [], False, asyncio.Event()

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await answered.wait()  # Quart 0.23 listens until the client is gone.
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def answer(message: Any) -> None:
            seen.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered.set()

        loop.run_until_complete(app(scope, receive, answer))
        return seen

    return send


def read(messages: list[Any]) -> Answer:
    start, *rest = messages
    lines = [(name.decode(), value.decode()) for name, value in start["headers"]]
    body = b"".join(message.get("body", b"") for message in rest)
    return Answer(start["status"], lines, body.decode())


class Socket:
    """A websocket that is open until it is closed."""

    def __init__(self, app: Any, path: str, cookie: str) -> None:
        self.heard: list[str] = []
        self._said, self._gone, self._begun = asyncio.Event(), asyncio.Event(), False
        scope = {
            "type": "websocket",
            "http_version": "1.1",
            "asgi": {"spec_version": "2.3", "version": "3.0"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers(cookie),
            "client": ("1.2.3.4", 5),
            "server": ("localhost", 80),
            "subprotocols": [],
            "extensions": {},
        }
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self._begun:
            await self._gone.wait()
            return {"type": "websocket.disconnect", "code": 1000}
        self._begun = True
        return {"type": "websocket.connect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.heard.append(message["text"])
            self._said.set()
        elif message["type"] != "websocket.accept":
            raise AssertionError(f"the socket was refused: {message}")

    async def first_word(self) -> str:
        said = asyncio.ensure_future(self._said.wait())
        await asyncio.wait({said, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if not self.heard:
            raise AssertionError("the socket said nothing") from self.task.exception()
        return self.heard[0]

    async def close(self) -> None:
        self._gone.set()
        await self.task
