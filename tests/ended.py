"""A site in Quart with sockets and streams, whose logins end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import registry
from loops import asyncio
from quart import websocket
from registry import CountingStore
from sites import Browser, Site
from sockets import connect as open_socket
from sockets import who

from quart_login import login_required
from quart_login._watch import Watch
from quart_login._websocket import watch_of


class Store(CountingStore):
    """Says what it is asked, fails where a test says so, and tells what ended if it has *news*."""

    news: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[list[str]] = []

    async def alive(self, exchange: Any, ids: Any) -> Any:
        self.looks.append(sorted(ids))
        if "alive" in self.before:
            raise self.before["alive"]
        return await super().alive(exchange, ids)

    def listener(self) -> Any:
        return self.news


def make_site(config: dict[str, Any] | None = None, **options: Any) -> Any:
    site = registry.make_site("quart", config, sessions=options.pop("sessions", Store()), **options)
    site.heard = []
    site.ended = asyncio.Event()

    @site.app.websocket("/echo")
    @login_required
    async def echo() -> None:
        while True:
            await websocket.send(f"{who()}: {await websocket.receive()}")

    @site.app.websocket("/wait")
    @login_required
    async def wait() -> None:
        """Wait for something else than the client."""
        await websocket.send("ready")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            site.heard.append("cancelled")
            raise

    return site


def watch(site: Site) -> Watch:
    found: Watch = watch_of(site.app, site.manager)
    return found


def login_of(site: Any, number: int = 0) -> Any:
    return site.manager.sessions.all()[number]


def connect(browser: Browser, path: str, **headers: str) -> Any:
    """Open a websocket, which notes with which codes it is closed: not all of Quart's do."""
    connection = open_socket(browser, path, **headers)
    send, connection.codes = connection._asgi_send, []

    async def note(message: Any) -> None:
        if message["type"] == "websocket.close":
            connection.codes.append(message.get("code", 1000))
        await send(message)

    connection._asgi_send = note
    return connection


async def closing_code(connection: Any) -> int:
    """Return the code that the socket is closed with."""
    await until(lambda: connection.codes)
    [code] = connection.codes
    return int(code)


async def until(so: Callable[[], Any]) -> None:
    """Let the other tasks run until it is *so*."""
    patience = time.monotonic() + 10
    while time.monotonic() < patience:
        if so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it is not so")


async def is_open(connection: Any, name: str = "user 1") -> bool:
    await connection.send("hello")
    return bool(await asyncio.wait_for(connection.receive(), 5) == f"{name}: hello")


@asynccontextmanager
async def opened(browser: Browser, path: str = "/echo", **headers: str) -> AsyncIterator[Any]:
    """Open the socket at *path*, whose view has begun when this returns."""
    async with connect(browser, path, **headers) as connection:
        if path == "/echo":
            assert await is_open(connection)
        elif path == "/wait":
            assert await connection.receive() == "ready"
        yield connection
