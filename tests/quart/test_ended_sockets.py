"""What becomes of a websocket when its login ends?  (P23)"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import registry
from ended import closing_code, connect, is_open, login_of, make_site, opened, until, watch
from loops import TRIO, asyncio
from quart import websocket
from quart.testing.connections import WebsocketResponseError
from registry import logged_in
from sites import Browser
from sockets import who

from quart_login import ConfigurationError, issue_token
from quart_login._core.held import LoginEnded
from quart_login._websocket import watch_of

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def site() -> Any:
    return make_site()


async def test_096_a_logout_closes_the_sockets_of_that_login_alone(site: Any) -> None:
    one, other = await logged_in(site), await logged_in(site)
    async with opened(one) as first, opened(one) as second, opened(other) as elsewhere:
        assert len(watch(site)) == 2
        assert await one.get("/out") == (200, "True")
        # It was closed before the logout was answered.
        assert first.codes == second.codes == [1008]
        assert await is_open(elsewhere)
        assert len(watch(site)) == 1


ENDS: dict[str, Callable[[Any, Browser, Any], Awaitable[Any]]] = {
    "revoked elsewhere": lambda site, other, login: other.get(f"/revoke/{login.id}"),
    "all others revoked": lambda site, other, login: other.get("/revoke-others"),
    "all of the user's": lambda site, other, login: other.get("/revoke-user/1"),
    "too many": lambda site, other, login: site.browser().get("/in/1"),
}


@pytest.mark.parametrize("how", list(ENDS))
async def test_096_whatever_ends_a_login_closes_its_sockets(how: str) -> None:
    site = make_site({"LOGIN_MAX_SESSIONS": 2 if how == "too many" else None})
    one = await logged_in(site)
    login = login_of(site)
    site.clock.advance(seconds=1)
    other = await logged_in(site)
    async with opened(one) as connection:
        await ENDS[how](site, other, login)
        assert connection.codes == [1008]  # before it was answered: nobody needed to look


async def test_096_a_user_who_is_gone_loses_all_sockets(site: Any) -> None:
    one, other = await logged_in(site), await logged_in(site)
    async with opened(one) as connection:
        del site.users[1]
        assert await other.get("/me") == (200, "anonymous")
        assert await closing_code(connection) == 1008


async def test_096_a_login_that_ran_out_closes_its_sockets() -> None:
    site = make_site({"LOGIN_LIFETIME": 3600})
    one = await logged_in(site)
    site.clock.advance(seconds=60)
    other = await logged_in(site)
    async with opened(one) as connection, opened(other) as elsewhere:
        site.clock.advance(seconds=3541)
        await watch(site).look()
        assert await closing_code(connection) == 1008
        assert await is_open(elsewhere)
        site.clock.advance(days=400)
        await watch(site).look()
        assert await closing_code(elsewhere) == 1008


async def test_096_an_idle_login_closes_its_sockets_and_one_in_use_does_not() -> None:
    site = make_site({"LOGIN_IDLE_TIMEOUT": 600})
    one, other = await logged_in(site), await logged_in(site)
    async with opened(one) as connection, opened(other) as elsewhere:
        await watch(site).look()
        for _ in range(3):
            site.clock.advance(seconds=250)
            assert await other.get("/me") == (200, "user 1")
            await watch(site).look(told=True)
        assert await closing_code(connection) == 1008
        assert await is_open(elsewhere)


async def test_the_code_is_the_applications() -> None:
    site = make_site({"LOGIN_WEBSOCKET_CLOSE_CODE": 4401})
    browser = await logged_in(site)
    async with opened(browser) as connection:
        await browser.get("/out")
        assert await closing_code(connection) == 4401


@pytest.mark.parametrize("code", [0, 999, 1001, 1005, 1006, 2999, 5000, "1008", 1008.0, True, None])
def test_a_code_that_no_application_may_send_is_refused(code: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_WEBSOCKET_CLOSE_CODE"):
        make_site({"LOGIN_WEBSOCKET_CLOSE_CODE": code})


@pytest.mark.parametrize("code", [1000, 1008, 3000, 4999])
def test_a_code_that_an_application_may_send_is_taken(code: int) -> None:
    make_site({"LOGIN_WEBSOCKET_CLOSE_CODE": code})


async def test_a_handler_that_waits_for_something_else_ends(site: Any) -> None:
    browser = await logged_in(site)
    async with opened(browser, "/wait") as connection:
        await browser.get("/out")
        assert await closing_code(connection) == 1008
    assert site.heard == ["cancelled"]


async def test_a_handler_that_goes_on_gets_nothing_and_gives_nothing(site: Any) -> None:
    done = asyncio.Event()

    async def go_on() -> None:
        for method in (websocket.receive, lambda: websocket.send("secret"), websocket.accept):
            try:
                await method()
            except (LoginEnded, asyncio.CancelledError) as error:
                site.heard.append(type(error).__name__)
                if TRIO and isinstance(error, asyncio.CancelledError):
                    done.set()
                    raise
        await websocket.close(1000)  # as many a handler does at its end
        done.set()

    @site.app.websocket("/deaf")
    async def deaf() -> None:
        await websocket.send("ready")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await go_on()
            raise

    browser = await logged_in(site)
    async with connect(browser, "/deaf") as connection:
        assert await connection.receive() == "ready"
        await connection.send("a command")
        await browser.get("/out")
        await asyncio.wait_for(done.wait(), 5)
        assert await closing_code(connection) == 1008
    # (Some of Quart's releases cancel the handler once more, when the socket is closed.)
    assert site.heard.pop() == ("Cancelled" if TRIO else "LoginEnded")
    assert len(site.heard) == (0 if TRIO else 2)


async def test_a_handler_s_own_task_is_told(site: Any) -> None:
    told = asyncio.Event()

    async def send() -> None:
        while True:
            try:
                await websocket.send("tick")
            except LoginEnded:
                told.set()
                return
            await asyncio.sleep(0)

    @site.app.websocket("/ticks")
    async def ticks() -> None:
        site.task = asyncio.create_task(send())
        await asyncio.Event().wait()

    browser = await logged_in(site)
    async with connect(browser, "/ticks") as connection:
        assert await connection.receive() == "tick"
        await browser.get("/out")
        await asyncio.wait_for(told.wait(), 5)


async def test_a_socket_may_end_its_own_login_and_another_s(site: Any) -> None:
    done = asyncio.Event()

    @site.app.websocket("/revoke-me")
    async def revoke_me() -> None:
        user = await websocket.receive()
        try:
            await site.lib.revoke_user(int(user))
        finally:
            done.set()

    one, other = await logged_in(site), await logged_in(site)
    async with connect(one, "/revoke-me") as connection, opened(other) as elsewhere:
        await connection.send("1")
        assert await closing_code(connection) == 1008
        assert await closing_code(elsewhere) == 1008
        await asyncio.wait_for(done.wait(), 5)


async def test_a_socket_that_is_not_accepted_yet_is_refused(site: Any) -> None:
    begun = asyncio.Event()

    @site.app.websocket("/slow")
    async def slow() -> None:
        begun.set()
        await asyncio.Event().wait()

    browser = await logged_in(site)
    async with connect(browser, "/slow") as connection:
        await begun.wait()
        await browser.get("/out")
        assert await closing_code(connection) == 1008
        assert not connection.accepted


async def test_who_ends_a_login_waits_for_no_client_that_takes_nothing(site: Any) -> None:
    browser = await logged_in(site)
    async with opened(browser, "/wait") as connection:
        stuck = asyncio.Event()

        async def take_nothing(message: Any) -> None:
            while not stuck.is_set():  # Some servers do not listen to who stops waiting, either.
                try:
                    await stuck.wait()
                except asyncio.CancelledError:
                    if TRIO:
                        raise

        held = next(iter(watch(site)._holding.take([login_of(site).id])))
        watch(site)._holding.enter(held, login_of(site))
        held()._close = lambda code, reason: take_nothing(code)
        assert await asyncio.wait_for(browser.get("/out"), 5) == (200, "True")
        assert not watch(site)
        stuck.set()
    del connection
    assert site.heard == ["cancelled"]


async def test_a_logout_whose_client_is_gone_closes_all_the_same(site: Any) -> None:
    """What closes sockets is a task of its own, which is not cancelled with the request."""
    browser = await logged_in(site)
    async with opened(browser) as connection:
        closing = asyncio.create_task(watch(site).end([login_of(site).id]))
        await asyncio.sleep(0)
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        assert await closing_code(connection) == 1008


async def test_a_confirmed_login_keeps_its_sockets(site: Any) -> None:
    browser = await logged_in(site)
    async with opened(browser) as connection:
        before = login_of(site)
        assert await browser.get("/confirm") == (200, "confirmed")
        assert login_of(site).digest != before.digest
        watch(site)._holding.look_at_all()
        await watch(site).look()
        assert await is_open(connection)


@pytest.mark.parametrize("mode", ["eager", "on_demand"])
async def test_on_demand_it_is_the_same(mode: str) -> None:
    site = make_site({"LOGIN_LOAD_USER": mode})

    @site.app.websocket("/later")
    async def later() -> None:
        await websocket.send(str(len(watch(site))))
        # In another task than the handler's.
        await asyncio.create_task(site.lib.load_user())
        await websocket.send(who())
        await asyncio.Event().wait()

    browser = await logged_in(site)
    async with connect(browser, "/later") as connection, opened(browser) as another:
        assert await connection.receive() == ("1" if mode == "eager" else "0")
        assert await connection.receive() == "user 1"
        await browser.get("/out")
        assert await closing_code(connection) == 1008
        assert await closing_code(another) == 1008


async def test_nobody_s_socket_is_watched(site: Any) -> None:
    @site.app.websocket("/who")
    async def who_is_it() -> None:
        await websocket.send(who())
        await asyncio.Event().wait()

    async with site.app.app_context():
        token = issue_token(site.users[1])
    for headers, name in (({}, "anonymous"), ({"Authorization": f"Bearer {token}"}, "user 1")):
        async with connect(site.browser(), "/who", **headers) as connection:
            assert await connection.receive() == name
            assert not watch(site) and watch(site)._task is None


async def test_without_a_registry_nothing_is_watched() -> None:
    site = registry.SITES["quart"]()
    browser = site.browser()
    await browser.get("/in/1")
    assert watch_of(site.app, site.manager) is None
    assert await browser.get("/out") == (200, "True")


PATHS = ["client", "returns", "raises", "refused by a hook", "no such socket"]


@pytest.mark.parametrize("path", PATHS)
async def test_what_ends_by_itself_is_watched_no_longer(site: Any, path: str) -> None:
    site.app.config["PROPAGATE_EXCEPTIONS"] = False

    @site.app.before_websocket
    async def refuse() -> Any:
        site.heard.append(len(watch(site)))
        return ("no", 403) if path == "refused by a hook" else None

    @site.app.websocket("/ends")
    async def ends() -> None:
        await websocket.accept()
        if path == "raises":
            raise RuntimeError("of the application")
        if path == "client":
            await asyncio.Event().wait()

    browser = await logged_in(site)
    async with connect(browser, "/nowhere" if path == "no such socket" else "/ends") as connection:
        if path == "client":
            await until(lambda: connection.accepted)
        else:
            await until(lambda: connection.codes or connection.status_code)
        if connection.status_code is not None:
            with pytest.raises(WebsocketResponseError):
                await connection.receive()
    assert site.heard == [1]
    assert not watch(site)


async def test_a_teardown_that_fails_leaves_nothing_for_long(site: Any) -> None:
    @site.app.teardown_websocket
    async def fail(error: Any) -> None:
        raise RuntimeError("of the application")

    browser = await logged_in(site)
    with suppress(RuntimeError, BaseExceptionGroup):
        async with opened(browser):
            assert len(watch(site)) == 1
    for _ in range(20):  # The loop holds what failed until its next turn.
        await asyncio.sleep(0)
        gc.collect()
    assert not watch(site)
