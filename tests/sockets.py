"""Websockets of a Quart site, and how a browser opens them."""

from __future__ import annotations

from typing import Any

import pytest
from quart import websocket
from quart.testing.connections import WebsocketResponseError
from sites import Browser, Site

from quart_login import current_user, fresh_login_required, login_required


def who() -> str:
    return current_user.name if current_user.is_authenticated else "anonymous"


def connect(browser: Browser, path: str, **headers: str) -> Any:
    """Open a websocket as *browser*: with its name and cookies."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
    sent = {**browser.headers, **({"Cookie": cookies} if cookies else {}), **headers}
    return browser.site.app.test_client(use_cookies=False).websocket(path, headers=sent)


async def hear(browser: Browser, path: str, **headers: str) -> str:
    """Return the first message of the socket at *path*."""
    async with connect(browser, path, **headers) as connection:
        return str(await connection.receive())


async def refusal(browser: Browser, path: str, **headers: str) -> int:
    """Return the status that the handshake at *path* is refused with."""
    async with connect(browser, path, **headers) as connection:
        with pytest.raises(WebsocketResponseError) as caught:
            await connection.receive()
        assert not connection.accepted
    return int(caught.value.response.status_code)


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    site.loads.clear()
    return browser


def add_sockets(site: Site) -> Site:
    @site.app.websocket("/who")
    async def who_is_it() -> None:
        await websocket.send(who())

    @site.app.websocket("/private-socket")
    @login_required
    async def private_socket() -> None:
        await websocket.accept()
        await websocket.send(f"private of {current_user.name}")

    @site.app.websocket("/very-private-socket")
    @fresh_login_required
    async def very_private_socket() -> None:
        await websocket.send(f"very private of {current_user.name}")

    return site
