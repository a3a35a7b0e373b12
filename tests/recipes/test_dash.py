"""Dash's routes are protected, all of them, and its pages work in a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from browser.chromium import Browser, find
from quart.testing.connections import WebsocketResponseError
from servers import free_port

from quart_login import QuartLoginClient, list_sessions, revoke_session
from quart_login.stores.memory import MemoryStore


@pytest.fixture
def page(cook: Callable[[str], ModuleType]) -> Any:
    return cook("dash")


def test_no_route_of_dash_is_open(page: Any) -> None:
    for app in (page.app, page.old_app):
        said = app.test_cli_runner().invoke(args=["login", "routes"]).output
        lines = [line for line in said.splitlines() if "board/" in line]
        assert len(lines) > 5
        assert all(" required " in line for line in lines), said


async def test_what_dash_serves_to_users_is_kept_by_no_shared_cache(page: Any) -> None:
    async with page.app.test_app():
        client = QuartLoginClient(page.app, user=page.users["alice"])
        for path in ("/board/", "/board/_dash-layout"):
            headers = (await client.get(path)).headers
            assert "private" in headers["Cache-Control"] and "Cookie" in headers["Vary"]


async def test_its_websocket_is_for_users_and_ends_with_the_login(page: Any) -> None:
    page.login_manager.sessions = MemoryStore()

    @page.app.post("/end")
    async def end() -> str:
        [one] = await list_sessions()
        return str(await revoke_session(one.id))

    path, headers = "/board/_dash-ws-callback", {"Origin": "http://localhost"}
    async with page.app.test_app():
        with pytest.raises(WebsocketResponseError) as refused:
            async with page.app.test_client().websocket(path, headers=headers) as socket:
                await socket.receive()
        assert refused.value.response.status_code == 401
        alice = page.app.test_client()
        await alice.post("/login", form={"name": "alice", "password": "follow the white rabbit"})
        connection = alice.websocket(path, headers=headers)
        closed = closing_code(connection)
        async with connection as socket:
            await socket.send_json({"type": "heartbeat"})
            assert (await socket.receive_json())["type"] == "heartbeat_ack"
            assert await (await alice.post("/end")).get_data() == b"True"
            assert await asyncio.wait_for(closed, 10) == 1008


def closing_code(connection: Any) -> asyncio.Future[int]:
    """Return with which code *connection* will be closed: not all of Quart's clients tell."""
    send, closed = connection._asgi_send, asyncio.get_running_loop().create_future()

    async def note(message: Any) -> None:
        if message["type"] != "websocket.close":
            await send(message)
            return
        closed.set_result(message.get("code", 1000))
        await connection.disconnect()

    connection._asgi_send = note
    return closed


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture
def site(page: Any) -> Iterator[str]:
    """Serve the recipe, and return its URL."""
    find()
    port = free_port()
    config = uvicorn.Config(page.app, "127.0.0.1", port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_a_browser_logs_in_and_asks(site: str) -> None:
    browser = Browser(site)
    try:
        browser.open("/board/")
        assert browser.path == "/login?next=%2Fboard%2F"
        browser.fill("Name", "alice")
        browser.fill("Password", "follow the white rabbit")
        browser.press("Log in", "body")
        browser.shows("Orders of alice")
        browser.shows("7 orders")
        browser.run("document.querySelectorAll('input[type=radio]')[1].click()")
        browser.shows("11 orders")
        browser.press("Log out", "body")
        browser.open("/board/")
        assert browser.path == "/login?next=%2Fboard%2F"
    finally:
        browser.quit()
