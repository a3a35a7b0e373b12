"""Who is it that opens a websocket, and who may?"""

from __future__ import annotations

from typing import Any

import pytest
from loops import asyncio, run_sync
from quart import copy_current_websocket_context, render_template_string, websocket
from sites import Site
from sockets import add_sockets, connect, hear, logged_in, refusal, who

from quart_login import (
    load_user,
    user_accessed,
)


@pytest.fixture
def site(make_site: Any) -> Site:
    return add_sockets(make_site())


@pytest.fixture(params=["eager", "on_demand"])
def either(request: pytest.FixtureRequest, make_site: Any) -> Site:
    """Return a site in each mode of loading in turn."""
    return add_sockets(make_site({"LOGIN_LOAD_USER": request.param}))


# --- who it is -----------------------------------------------------------------------------------


async def test_a_socket_knows_its_user(site: Site) -> None:
    assert await hear(await logged_in(site), "/who") == "user 1"
    assert site.loads == [1]
    assert await hear(site.browser(), "/who") == "anonymous"
    assert site.loads == [1]


async def test_a_socket_knows_its_user_in_every_place_and_all_its_life(site: Site) -> None:
    async def who_later() -> str:
        await asyncio.sleep(0)
        return who()

    @site.app.websocket("/life")
    async def life() -> None:
        seen = {who()}
        await websocket.accept()
        while await websocket.receive() != "enough":
            seen |= {
                who(),
                await asyncio.create_task(who_later()),
                await copy_current_websocket_context(who_later)(),
                await run_sync(who)(),
                await render_template_string("{{ current_user.name }}"),
                (await load_user()).name,
                *await asyncio.gather(who_later(), who_later()),
            }
        await websocket.send(", ".join(seen))

    async with connect(await logged_in(site), "/life") as connection:
        for _ in range(3):
            await connection.send("again")
        await connection.send("enough")
        assert await connection.receive() == "user 1"
    assert site.loads == [1]


async def test_two_sockets_and_a_request_of_different_users_stay_apart(site: Site) -> None:
    @site.app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.receive()
            await websocket.send(who())

    first, second = await logged_in(site), site.browser()
    await second.get("/in/2")
    async with connect(first, "/echo") as one, connect(second, "/echo") as other:
        for _ in range(3):
            await one.send("?")
            await other.send("?")
            assert await second.get("/me") == (200, "user 2")
            assert await other.receive() == "user 2"
            assert await first.get("/me") == (200, "user 1")
            assert await one.receive() == "user 1"


async def test_the_request_loader_is_asked_at_the_handshake(either: Site) -> None:
    @either.manager.request_loader
    async def by_header(handshake: Any) -> Any:
        return either.users.get(int(handshake.headers.get("X-User", "0")))

    browser = either.browser()
    assert await hear(browser, "/private-socket", **{"X-User": "2"}) == "private of user 2"
    assert await refusal(browser, "/private-socket") == 401


async def test_a_coroutine_receiver_hears_of_a_look_inside_a_socket(site: Site) -> None:
    heard: list[str] = []

    async def accessed(sender: Any, **extra: Any) -> None:
        heard.append(who())

    with user_accessed.connected_to(accessed, sender=site.app):
        await hear(await logged_in(site), "/who")
    assert heard == ["user 1"]


async def test_a_plain_receiver_hears_of_a_look_inside_a_socket(site: Site) -> None:
    heard: list[str] = []

    def accessed(sender: Any, **extra: Any) -> None:
        heard.append(who())

    with user_accessed.connected_to(accessed, sender=site.app):
        await hear(await logged_in(site), "/who")
    assert heard == ["user 1"]


async def test_on_demand_a_socket_must_load_its_user(make_site: Any) -> None:
    site = add_sockets(make_site({"LOGIN_LOAD_USER": "on_demand"}))

    @site.app.websocket("/load")
    async def load() -> None:
        await websocket.send((await load_user()).name)

    browser = await logged_in(site)
    assert await hear(browser, "/load") == "user 1"
    assert await refusal(browser, "/who") == 500
    assert site.loads == [1]
