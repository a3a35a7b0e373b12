"""What becomes of a websocket, and of a stream, when its login ends?  (P23)"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from threading import Event
from typing import Any

import pytest
import registry
from loops import TRIO, asyncio
from quart import websocket
from quart.testing.connections import WebsocketResponseError
from registry import CountingStore, logged_in
from sites import Browser, Site
from sockets import connect as open_socket
from sockets import who

from quart_login import ConfigurationError, issue_token, login_required
from quart_login import _watch as watching
from quart_login import _websocket as sockets
from quart_login._core.held import GRACE, SLOWLY, LoginEnded
from quart_login._loops import Interruptible
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


@pytest.fixture
def site() -> Any:
    return make_site()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody for long who does not take a close code."""
    monkeypatch.setattr(sockets, "PATIENCE", 0.01)


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


# --- websockets ----------------------------------------------------------------------------------


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


# --- looking for what ended elsewhere ------------------------------------------------------------


async def test_one_statement_finds_what_ended_elsewhere(site: Any) -> None:
    store, one, other = site.manager.sessions, await logged_in(site), await logged_in(site)
    first, second = store.all()
    async with opened(one) as connection, opened(other) as elsewhere:
        await store.delete(None, first.id)
        assert store.looks == []
        await watch(site).look()
        assert store.looks == [sorted([first.id, second.id])]
        assert await closing_code(connection) == 1008
        assert await is_open(elsewhere)


async def test_a_login_that_ended_in_the_handshake_is_found(site: Any) -> None:
    """Where messages come, and this one came before the socket was open."""
    store, one, other = site.manager.sessions, await logged_in(site), await logged_in(site)
    ids = [login.id for login in store.all()]
    async with opened(one) as elsewhere:
        await watch(site).look(None, told=True)
        find = site.find

        async def end(user_id: Any) -> Any:
            await store.delete(None, ids[1])
            await watch(site).look([ids[1]], told=True)
            return await find(user_id)

        site.find = end
        async with opened(other) as connection:
            site.find = find
            await watch(site).look(told=True)
            assert store.looks == [[ids[0]], [ids[1]]]
            assert await closing_code(connection) == 1008
            assert await is_open(elsewhere)


async def test_what_is_told_ends_at_once_and_without_a_look(site: Any) -> None:
    store, one, other = site.manager.sessions, await logged_in(site), await logged_in(site)
    ids = [login.id for login in store.all()]
    async with opened(one) as connection, opened(other) as elsewhere:
        await watch(site).look(None, told=True)
        store.looks.clear()
        await watch(site).look([ids[0], "nobody's"], told=True)
        assert store.looks == []
        assert await closing_code(connection) == 1008
        assert await is_open(elsewhere)


async def test_a_message_that_was_lost_is_made_up_for(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, browser = site.manager.sessions, await logged_in(site)
    async with opened(browser) as connection:
        at = [1000.0]
        watch(site).monotonic = lambda: at[0]  # type: ignore[method-assign]
        await watch(site).look(None, told=True)
        await store.delete(None, login_of(site).id)
        at[0] += SLOWLY - 0.1
        await watch(site).look(told=True)
        assert await is_open(connection)
        at[0] += 0.1
        await watch(site).look(told=True)
        assert await closing_code(connection) == 1008


def of_watch(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged by who watches.  (Quart-Trio logs some clients' leaving, too.)"""
    return [record for record in caplog.records if record.module == "_watch"]


async def test_a_store_that_fails_for_long_closes_everything(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store, browser = site.manager.sessions, await logged_in(site)
    at = [1000.0]
    watch(site).monotonic = lambda: at[0]  # type: ignore[method-assign]
    async with opened(browser) as connection:
        store.before["alive"] = OSError("5ec4e7")
        for seconds in (0.0, 1.0, GRACE - 1):
            at[0] += seconds
            await watch(site).look(told=True)
            assert await is_open(connection)
        at[0] += 0.1
        await watch(site).look(told=True)
        assert await closing_code(connection) == 1013
    said = [(record.levelno, record.getMessage()) for record in of_watch(caplog)]
    assert [level for level, _ in said] == [logging.WARNING, logging.ERROR]
    assert "OSError" in said[0][1] and "5ec4e7" not in str(said)


async def test_a_store_that_answers_again_is_forgiven(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store, browser = site.manager.sessions, await logged_in(site)
    at = [1000.0]
    watch(site).monotonic = lambda: at[0]  # type: ignore[method-assign]
    async with opened(browser) as connection:
        for _ in range(3):
            store.before["alive"] = TimeoutError()
            for _ in range(3):
                at[0] += GRACE / 4
                await watch(site).look()
            del store.before["alive"]
            at[0] += 1.0
            await watch(site).look()
        assert await is_open(connection)
    assert [record.levelno for record in of_watch(caplog)] == [logging.WARNING] * 3


# --- the task that looks -------------------------------------------------------------------------


class News:
    """Says what it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.to_tell: list[Any] = []
        self.waiting = asyncio.Event()

    async def begin(self, exchange: Any) -> None:
        self.calls.append("begin")

    async def hear(self, exchange: Any, seconds: float) -> Any:
        self.calls.append("hear")
        while not self.to_tell:
            await self.waiting.wait()
            self.waiting.clear()
        said = self.to_tell.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def tell(self, *what: Any) -> None:
        self.to_tell.extend(what)
        self.waiting.set()

    async def is_heard(self, *what: Any) -> None:
        """Tell, and wait until that was heard."""
        calls = len(self.calls)
        self.tell(*what)
        await until(lambda: self.calls[calls:] and self.calls[-1] == "hear")

    async def end(self, exchange: Any) -> None:
        self.calls.append("end")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second be nothing."""
    monkeypatch.setattr(watching, "EVERY", 0)


async def test_a_task_looks_while_anything_is_open_and_no_longer(site: Any, quick: None) -> None:
    browser = await logged_in(site)
    store = site.manager.sessions
    assert watch(site)._task is None
    async with opened(browser) as connection:
        assert watch(site)._task is not None
        await until(lambda: store.looks)
        await store.delete(None, login_of(site).id)
        watch(site)._holding.look_at_all()
        assert await closing_code(connection) == 1008
    await until(lambda: watch(site)._task is None)
    looks = len(store.looks)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(store.looks) == looks
    # And begins again.
    browser = await logged_in(site)
    async with opened(browser):
        assert watch(site)._task is not None
    await until(lambda: watch(site)._task is None)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second never be over, but for who waits to connect anew."""
    monkeypatch.setattr(watching, "EVERY", 1000)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(watching, "sleep", sleep)


async def test_it_listens_where_the_store_tells(slow: None) -> None:
    store = Store()
    news = store.news = News()
    site = make_site(sessions=store)
    browsers = [await logged_in(site) for _ in range(3)]
    ids = [login.id for login in store.all()]
    async with opened(browsers[0]) as one, opened(browsers[1]) as two, opened(browsers[2]) as three:
        # It looks when it has begun to listen, not before.
        await until(lambda: "hear" in news.calls and store.looks)
        assert news.calls[0] == "begin" and len(store.looks) == 1
        news.tell(["nobody's"])
        await until(lambda: {id for look in store.looks for id in look} == set(ids))
        looks = len(store.looks)  # By now nobody is new.
        await news.is_heard([ids[0]])
        assert await closing_code(one) == 1008
        assert len(store.looks) == looks
        # What tells lost its connection: it is made anew, and all are looked for.
        await store.delete(None, ids[1])
        news.tell(ConnectionError())
        assert await closing_code(two) == 1008
        assert [call for call in news.calls if call != "hear"] == ["begin", "end", "begin"]
        # What tells does not know what it missed.
        await store.delete(None, ids[2])
        news.tell(None)
        assert await closing_code(three) == 1008
    await until(lambda: news.calls[-1] == "end" and watch(site)._task is None)


async def test_what_is_told_is_not_lost_where_messages_may_have_been(slow: None) -> None:
    """A store that fails meanwhile finds nothing by a look."""
    store = Store()
    news = store.news = News()
    site = make_site(sessions=store)
    one, other = await logged_in(site), await logged_in(site)
    ids = [login.id for login in store.all()]
    async with opened(one) as connection, opened(other) as elsewhere:
        await until(lambda: "hear" in news.calls and store.looks)
        store.before["alive"] = OSError()
        news.tell([ids[0]], None)
        assert await closing_code(connection) == 1008
        assert await is_open(elsewhere)


class Hung(News):
    """Hangs where it is told to, as some drivers do: in a thread, or deaf to being cancelled."""

    def __init__(self, where: str, how: str) -> None:
        super().__init__()
        self.where, self.how = where, how
        self.hanging, self.release = 0, Event()

    async def begin(self, exchange: Any) -> None:
        await super().begin(exchange)
        await self.hang("begin", exchange)

    async def hear(self, exchange: Any, seconds: float) -> Any:
        await self.hang("hear", exchange)
        return await super().hear(exchange, seconds)

    async def end(self, exchange: Any) -> None:
        await super().end(exchange)
        await self.hang("end", exchange)

    async def hang(self, where: str, exchange: Any) -> None:
        if where == self.where:
            self.hanging += 1
            if self.how == "thread":
                await exchange.call(self.release.wait, 60)
            else:
                await self.be_deaf()

    async def be_deaf(self) -> None:
        cancelled = None
        while not self.release.is_set():
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


HOW = ["thread"] if TRIO else ["thread", "deaf"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("where", ["begin", "hear"])
async def test_096_who_listens_and_hangs_holds_up_no_look(
    where: str, how: str, quick: None
) -> None:
    store, news = Store(), Hung(where, how)
    store.news = news
    site = make_site({"LOGIN_LIFETIME": 3600}, sessions=store)
    one, other = await logged_in(site), await logged_in(site)
    try:
        async with opened(one) as connection, opened(other) as elsewhere:
            await until(lambda: news.hanging)
            await store.delete(None, login_of(site).id)
            # (A look may be under way.)
            await until(lambda: watch(site)._holding.look_at_all() or connection.codes)  # type: ignore[func-returns-value]
            assert await closing_code(connection) == 1008
            site.clock.advance(seconds=3601)
            assert await closing_code(elsewhere) == 1008
    finally:
        news.release.set()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("where", ["begin", "hear", "end"])
async def test_who_listens_and_hangs_is_left_and_another_listens(
    where: str, how: str, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "EVERY", 0.01)
    monkeypatch.setattr(watching, "_PATIENCE", 0.01)
    store, hung, news = Store(), Hung(where, how), News()
    hung.tell(ConnectionError())
    all_of_them = [hung, news]
    store.listener = lambda: all_of_them.pop(0) if all_of_them else news  # type: ignore[method-assign]
    monkeypatch.setattr(Watch, "monotonic", staticmethod(lambda: 1000.0))
    site = make_site(sessions=store)
    one, other = await logged_in(site), await logged_in(site)
    try:
        async with opened(one) as connection, opened(other) as elsewhere:
            await until(lambda: "hear" in news.calls)
            await until(lambda: "end" in hung.calls)
            news.tell([login_of(site).id])
            assert await closing_code(connection) == 1008
            assert await is_open(elsewhere)
    finally:
        hung.release.set()


async def test_096_a_login_that_ran_out_closes_its_sockets_also_if_the_store_hangs(
    quick: None,
) -> None:
    class Hanging(Store):
        async def alive(self, exchange: Any, ids: Any) -> Any:
            asked.set()
            await exchange.call(release.wait, 60)
            return await super().alive(exchange, ids)

    release, asked = Event(), Event()
    site = make_site({"LOGIN_LIFETIME": 3600}, sessions=Hanging())
    one = await logged_in(site)
    site.clock.advance(seconds=60)
    other = await logged_in(site)
    try:
        async with opened(one) as connection, opened(other) as elsewhere:
            site.clock.advance(seconds=3541)
            await until(asked.is_set)
            looking = asyncio.create_task(watch(site).look())
            assert await closing_code(connection) == 1008
            assert await is_open(elsewhere)
    finally:
        release.set()
    await looking


async def test_where_nobody_can_listen_it_looks_each_second(quick: None) -> None:
    class Deaf(News):
        async def begin(self, exchange: Any) -> None:
            raise ConnectionError

    store = Store()
    store.news = Deaf()
    site = make_site(sessions=store)
    browser = await logged_in(site)
    async with opened(browser) as connection:
        await until(lambda: store.looks)
        await store.delete(None, login_of(site).id)
        watch(site)._holding.look_at_all()
        assert await closing_code(connection) == 1008


async def test_the_task_goes_on_after_what_nobody_expected(
    site: Any, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await logged_in(site)
    async with opened(browser) as connection:
        clock, site.manager.clock = site.manager.clock, lambda: 1 / 0
        await until(lambda: of_watch(caplog))
        site.manager.clock = clock
        await site.manager.sessions.delete(None, login_of(site).id)
        watch(site)._holding.look_at_all()
        assert await closing_code(connection) == 1008


async def test_sessions_that_come_before_the_application_serves_are_watched() -> None:
    site = registry.SITES["quart"]()
    site.manager.sessions = Store()
    async with site.app.test_app():
        assert watch(site) is not None


async def test_the_task_ends_with_the_application(quick: None) -> None:
    store = Store()
    news = store.news = News()
    site = make_site(sessions=store)
    async with site.app.test_app():
        browser = await logged_in(site)
        async with opened(browser):
            task: Any = watch(site)._task
            await until(lambda: "hear" in news.calls)
            await watch(site).stop()
            assert task.is_over()
    assert news.calls == ["begin", "hear", "end"]


async def test_the_task_sees_nobody_s_request(site: Any, quick: None) -> None:
    seen = []

    class Curious(Store):
        async def alive(self, exchange: Any, ids: Any) -> Any:
            seen.append(who())
            return await super().alive(exchange, ids)

    site = make_site(sessions=Curious())
    browser = await logged_in(site)
    async with opened(browser):
        await until(lambda: seen)
    assert set(seen) == {"anonymous"}


# --- streams -------------------------------------------------------------------------------------


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


# --- what it costs -------------------------------------------------------------------------------


@pytest.mark.skipif(TRIO, reason="Quart-Trio's client opens a nursery by hand for each socket")
def test_a_socket_that_is_watched_holds_little_more(request: pytest.FixtureRequest) -> None:
    """In a process of its own: what ran before decides where Python lets its dicts grow."""
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash"]
    alone = subprocess.run(
        [*run, f"{request.path}::test_what_a_watched_socket_holds"],
        cwd=request.config.rootpath,
        env={**os.environ, ALONE: "1"},
        capture_output=True,
        text=True,
    )
    assert alone.returncode == 0, alone.stdout


ALONE = "QUART_LOGIN_ALONE"

if ALONE in os.environ:

    async def test_what_a_watched_socket_holds(site: Any) -> None:
        count = 300
        browsers = [await logged_in(site) for _ in range(count)]
        ours = [tracemalloc.Filter(True, f"*/quart_login/{name}.py") for name in OURS]
        async with opened(browsers[0]):
            gc.collect()
            tracemalloc.start()
            async with AsyncExitStack() as stack:
                for browser in browsers:
                    await stack.enter_async_context(opened(browser))
                gc.collect()
                taken = tracemalloc.take_snapshot().filter_traces(ours)
                tracemalloc.stop()
                assert len(watch(site)) == count
        size = sum(one.size for one in taken.statistics("filename")) / count
        assert 50 < size < 300, size


OURS = ("_watch", "_websocket", "_loops", "_core/held")
