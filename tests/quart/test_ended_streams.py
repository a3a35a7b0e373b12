"""What becomes of a stream when its login ends?  (P23)"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ended import make_site, until, watch
from loops import TRIO, asyncio
from registry import logged_in
from sites import Browser

from quart_login._core.held import LoginEnded
from quart_login._loops import Interruptible

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def site() -> Any:
    return make_site()


def add_stream(site: Any, kind: str = "waits") -> None:
    site.go_on = asyncio.Event()

    async def body() -> AsyncIterator[str]:
        try:
            yield "first;"
            await site.go_on.wait()
            yield "last;"
        except asyncio.CancelledError:
            if kind != "swallows":
                raise
            yield "swallowed;"
        finally:
            site.heard.append("closed")

    @site.route("/stream")
    async def stream() -> Any:
        return body()


def stream_of(browser: Browser) -> Any:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
    client = browser.site.app.test_client(use_cookies=False)
    return client.request("/stream", headers={**browser.headers, "Cookie": cookies})


def expect_no_end(connection: Any) -> None:
    """Let Quart-Trio's client, which waits for one, not wait for the end of a body."""
    if TRIO:
        connection._client_send.close()


@pytest.mark.parametrize("kind", ["waits"] if TRIO else ["waits", "swallows"])
@pytest.mark.parametrize("mode", ["eager", "on_demand"])
async def test_096_a_stream_is_cut_when_its_login_ends(kind: str, mode: str) -> None:
    site = make_site({"LOGIN_LOAD_USER": mode})
    add_stream(site, kind)
    if mode == "on_demand":

        @site.app.before_request
        async def load() -> None:
            await site.lib.load_user()

    one, other = await logged_in(site), await logged_in(site)
    async with stream_of(one) as cut, stream_of(other) as whole:
        await cut.send_complete()
        await whole.send_complete()
        assert await cut.receive() == await whole.receive() == b"first;"
        assert len(watch(site)) == 2
        await one.get("/out")
        await until(lambda: site.heard)
        expect_no_end(cut)
        site.go_on.set()
        assert await whole.receive() == b"last;"
    assert bytes(cut.response_data) == b""
    assert site.heard == ["closed", "closed"]
    gc.collect()
    assert not watch(site)


async def test_a_stream_that_is_between_two_steps_makes_no_other(site: Any) -> None:
    add_stream(site)
    browser = await logged_in(site)
    response = await site.app.test_client(use_cookies=False).open(
        "/public", headers=dict(browser.headers)
    )
    assert response.status_code == 200
    from quart_login._streams import Steps

    async def body() -> AsyncIterator[str]:
        yield "first"
        yield "second"

    steps = Steps(body(), (site.app, None, None))
    steps.may_be_cut(lambda held: True)
    assert await steps.__anext__() == "first"
    steps.cut()
    for _ in range(2):
        with pytest.raises(LoginEnded):
            await steps.__anext__()
    await steps.aclose()


@pytest.mark.skipif(TRIO, reason="trio's scopes do not count who cancels")
async def test_who_else_cancels_a_step_is_heard() -> None:
    for cut in (False, True):
        line, begun = Interruptible(), asyncio.Event()

        async def step(begun: Any = begun) -> None:
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(line.step(step))
        await begun.wait()
        if cut:
            line.interrupt()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_client_that_leaves_a_stream_ends_it(site: Any) -> None:
    add_stream(site)
    browser = await logged_in(site)
    async with stream_of(browser) as connection:
        await connection.send_complete()
        assert await connection.receive() == b"first;"
        await connection.disconnect()
        await until(lambda: site.heard)
        expect_no_end(connection)
    assert bytes(connection.response_data) == b""
    gc.collect()
    assert not watch(site)


async def test_on_demand_a_stream_that_loads_its_user_itself_is_cut() -> None:
    site = make_site({"LOGIN_LOAD_USER": "on_demand"})
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[str]:
        yield (await site.lib.load_user()).name
        yield "second"
        try:
            await go_on.wait()
        finally:
            site.heard.append("closed")
        yield "third"

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    browser = await logged_in(site)
    async with stream_of(browser) as connection:
        await connection.send_complete()
        assert await connection.receive() == b"user 1"
        assert await connection.receive() == b"second"
        await until(lambda: len(watch(site)))
        await browser.get("/out")
        await until(lambda: site.heard)
        expect_no_end(connection)
    assert bytes(connection.response_data) == b""


async def test_a_stream_s_own_failure_stays_what_it_is(site: Any) -> None:
    site.app.config["PROPAGATE_EXCEPTIONS"] = True

    async def body() -> AsyncIterator[str]:
        yield "first"
        raise ZeroDivisionError

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    browser = await logged_in(site)
    with pytest.raises((ZeroDivisionError, BaseExceptionGroup)):
        await browser.get("/stream")


async def test_a_stream_of_nobody_is_watched_by_nobody(site: Any) -> None:
    add_stream(site)
    site.go_on.set()
    assert await site.browser().get("/stream") == (200, "first;last;")
    assert watch(site)._task is None
