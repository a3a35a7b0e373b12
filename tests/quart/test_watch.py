"""Who sees that a login ended in another process, how soon, and at what cost?  (P23)"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import tracemalloc
from contextlib import AsyncExitStack
from threading import Event
from typing import Any

import pytest
import registry
from ended import Store, closing_code, is_open, login_of, make_site, opened, until, watch
from loops import TRIO, asyncio
from registry import logged_in
from sockets import who

from quart_login import _watch as watching
from quart_login._core.held import GRACE, SLOWLY
from quart_login._watch import Watch

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def site() -> Any:
    return make_site()


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
