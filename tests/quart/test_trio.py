"""Does the library run on Quart-Trio?

These few tests are in every run.  With ``QUART_LOGIN_LOOP=trio`` all tests of Quart run on trio.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from threading import Event
from typing import Any

import pytest
import trio
from quart.testing.connections import WebsocketResponseError
from quart_trio import QuartTrio
from sites import QuartSite
from sockets import add_sockets, hear, logged_in, who

from quart_login import load_user
from quart_login._loops import in_time
from quart_login.stores.memory import MemoryStore


class TrioSite(QuartSite):
    app_class = QuartTrio


def on_trio(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        trio.run(test)

    run.__name__ = test.__name__  # type: ignore[attr-defined]
    return run


@on_trio
async def test_a_user_logs_in_and_out_on_trio() -> None:
    site = TrioSite()
    browser = site.browser()
    assert await browser.get("/in/1?remember=1") == (200, "True")
    assert await browser.get("/very") == (200, "very private of user 1")
    browser.close()
    assert await browser.get("/private") == (200, "private of user 1")
    assert await browser.get("/out") == (200, "True")
    assert (await browser.get("/private")).status == 401


@on_trio
async def test_a_socket_and_a_stream_see_their_user_on_trio() -> None:
    site = add_sockets(TrioSite())

    async def body() -> AsyncIterator[str]:
        for _ in range(2):
            await trio.lowlevel.checkpoint()
            yield f"{who()};"

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    browser = await logged_in(site)
    assert await hear(browser, "/private-socket") == "private of user 1"
    assert await browser.get("/stream") == (200, "user 1;user 1;")
    for cookies, origin, status in ((True, "https://evil.example", 403), (False, None, 401)):
        headers = {**browser.headers, **({"Origin": origin} if origin else {})}
        if cookies:
            headers["Cookie"] = f"session={browser.jar['session']}"
        client = site.app.test_client(use_cookies=False)
        async with client.websocket("/private-socket", headers=headers) as connection:
            with pytest.raises(WebsocketResponseError) as refused:
                await connection.receive()
        assert refused.value.response.status_code == status


@on_trio
async def test_many_tasks_of_a_request_load_its_user_once_on_trio() -> None:
    site = TrioSite({"LOGIN_LOAD_USER": "on_demand"})

    @site.route("/tasks")
    async def tasks() -> str:
        seen: set[str] = set()

        async def look() -> None:
            seen.add((await load_user()).name)

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(look)
        return ", ".join(seen)

    browser = site.browser()
    await browser.get("/in/1")
    site.loads.clear()
    assert await browser.get("/tasks") == (200, "user 1")
    assert site.loads == [1]


@on_trio
async def test_a_loader_that_takes_too_long_is_ended_on_trio() -> None:
    site = TrioSite({"LOGIN_LOADER_TIMEOUT": 0.001})
    browser = site.browser()
    await browser.get("/in/1")

    async def never(user_id: Any) -> Any:
        await trio.sleep_forever()

    site.find = never  # type: ignore[method-assign]
    assert (await browser.get("/private")).status == 503
    assert await browser.get("/me") == (200, "anonymous")


@on_trio
async def test_a_blocking_store_that_hangs_is_left_in_time_on_trio() -> None:
    release = Event()

    class Hanging(MemoryStore):
        async def get(self, exchange: Any, id: str) -> Any:
            return await exchange.call(release.wait, 60)

    site = TrioSite({"LOGIN_STORE_TIMEOUT": 0.01}, sessions=Hanging())
    browser = site.browser()
    await browser.get("/in/1")
    with trio.fail_after(30):
        assert (await browser.get("/private")).status == 503
        assert await browser.get("/me") == (200, "anonymous")
    release.set()


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_what_is_in_time_returns_and_what_is_late_raises(loop: str) -> None:
    sleep = asyncio.sleep if loop == "asyncio" else trio.sleep

    async def answer(what: str) -> str:
        await sleep(0)
        return what

    async def fail() -> None:
        raise LookupError

    async def main() -> None:
        assert await in_time(60, answer, "in time") == "in time"
        with pytest.raises(LookupError):
            await in_time(60, fail)
        with pytest.raises(TimeoutError):
            await in_time(0.001, sleep, 60)

    asyncio.run(main()) if loop == "asyncio" else trio.run(main)


def test_where_nobody_uses_trio_it_is_not_imported() -> None:
    program = "import sys, quart_login; quart_login.LoginManager; print('trio' in sys.modules)"
    done = partial(subprocess.run, capture_output=True, text=True, check=True)
    assert done([sys.executable, "-c", program]).stdout == "False\n"
