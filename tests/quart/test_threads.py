"""Does a driver that blocks, or hangs, hold up anything but what waits for it?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from functools import partial
from threading import Event, current_thread
from typing import Any

import pytest
from loops import TRIO, asyncio
from registry import CountingStore, copy, logged_in, registered
from sites import QuartSite

from quart_login import _threads as ours
from quart_login import purge_sessions
from quart_login._threads import FOR_LISTENERS, FOR_STORES, Blocking

#: More than asyncio, trio and this library have threads for.
MANY = 45

marked: ContextVar[str] = ContextVar("marked", default="nobody's")


@pytest.fixture
def release() -> Iterator[Event]:
    """Return what lets all go on that hangs."""
    event = Event()
    yield event
    event.set()


async def test_a_store_that_hangs_holds_up_no_page_without_a_login() -> None:
    site = registered(QuartSite, {"LOGIN_STORE_TIMEOUT": 0.01})
    tokens: list[str] = []

    @site.app.route("/plain")
    def plain() -> str:  # which Quart runs in a thread
        return "plain"

    @site.manager.user_loader
    def load(user_id: Any) -> Any:
        tokens.append(current_thread().name)
        return site.users.get(user_id)

    browser = await logged_in(site)
    store = site.manager.sessions
    store.hangs = True
    try:
        for _ in range(MANY):
            assert (await copy(browser).get("/private")).status == 503
        for one in (site.browser(), browser):
            assert await asyncio.wait_for(one.get("/plain"), 20) == (200, "plain")
    finally:
        store.resume()
    assert await browser.get("/private") == (200, "private of user 1")
    # Those are for stores alone.
    assert tokens and "login-store" not in tokens


async def test_who_listens_and_what_is_asked_do_not_wait_for_each_other(release: Event) -> None:
    for hung, other in ((FOR_LISTENERS, FOR_STORES), (FOR_STORES, FOR_LISTENERS)):
        begun = [Event() for _ in range(MANY)]
        tasks = [asyncio.create_task(hung.call(_hang, one, release)) for one in begun]
        for _ in range(1000):
            await asyncio.sleep(0)
        assert await asyncio.wait_for(other.call(str, 7), 20) == "7"
        release.set()
        assert await asyncio.gather(*tasks) == [None] * MANY
        release.clear()


def _hang(begun: Event, release: Event) -> None:
    begun.set()
    release.wait(30)


async def test_there_are_so_many_threads_at_most(release: Event) -> None:
    few, begun = Blocking(3, "few"), [Event() for _ in range(5)]
    tasks = [asyncio.create_task(few.call(_hang, one, release)) for one in begun]
    while sum(one.is_set() for one in begun) < 3:
        await asyncio.sleep(0)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert sum(one.is_set() for one in begun) == 3
    release.set()
    await asyncio.gather(*tasks)
    assert all(one.is_set() for one in begun)


async def test_what_nobody_waits_for_any_more_is_not_begun(release: Event) -> None:
    one_alone, begun, late = Blocking(1, "one"), Event(), Event()
    first = asyncio.create_task(one_alone.call(_hang, begun, release))
    while not begun.is_set():
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one_alone.call(late.set), 0.01)
    release.set()
    await first
    await one_alone.call(str)
    assert not late.is_set()
    assert not one_alone._threads._waiting


async def test_a_thread_has_the_context_variables_of_who_asks() -> None:
    class Curious(CountingStore):
        async def get(self, exchange: Any, id: str) -> Any:
            seen.append(await exchange.call(marked.get))
            return await super().get(exchange, id)

    seen: list[str] = []
    for limit in (None, 20):
        site = registered(QuartSite, {"LOGIN_STORE_TIMEOUT": limit}, sessions=Curious())
        browser = await logged_in(site)

        @site.app.before_request
        async def mark() -> None:
            marked.set("the request's")

        site.app.before_request_funcs[None].insert(0, site.app.before_request_funcs[None].pop())
        seen.clear()
        await browser.get("/me")
        assert seen == ["the request's"], limit
        await FOR_STORES.call(marked.set, "the thread's")
        assert marked.get() == "nobody's"


async def test_what_no_request_waits_for_is_asked_in_those_threads_too() -> None:
    class Curious(CountingStore):
        async def purge(self, exchange: Any, now: float) -> int:
            assert exchange is FOR_STORES
            return 7

    site = registered(QuartSite, sessions=Curious())
    async with site.app.app_context():
        assert await purge_sessions() == 7


async def test_whatever_a_driver_is_called_with_it_is_called() -> None:
    async def waits(what: str) -> str:
        await asyncio.sleep(0)
        return what

    class Raised(BaseException):
        pass

    def fail(error: BaseException) -> None:
        raise error

    call = FOR_STORES.call
    assert await call(waits, "a") == await call(partial(waits, "a")) == "a"
    assert await call(lambda: waits("b")) == "b"
    assert await call(partial(str, 7)) == "7"
    assert await call(lambda: None) is None
    for error in (LookupError("x"), Raised()):
        with pytest.raises(type(error)) as raised:
            await call(fail, error)
        assert raised.value is error
    # Nobody may take that for a return.
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(call(fail, StopIteration(1)), 20)


@pytest.mark.skipif(TRIO, reason="Trio's threads are trio's")
async def test_a_name_says_what_a_thread_is_for() -> None:
    names = [await one.call(lambda: current_thread().name) for one in (FOR_STORES, FOR_LISTENERS)]
    assert names == ["login-store", "login-listener"]
    assert await FOR_STORES.call(lambda: current_thread().daemon)


SCRIPT = """
import os, sys, {loop}
from threading import Event
from quart_login._threads import FOR_STORES

async def main(hang):
    assert await FOR_STORES.call(str, 7) == "7"
    if hang:
        {leave}

{run}(main, False)
child = os.fork() if hasattr(os, "fork") else 1
{run}(main, True)
if child > 1:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

LEAVE = {
    "asyncio": (
        "try: await asyncio.wait_for(FOR_STORES.call(Event().wait), 0.01)\n"
        "        except TimeoutError: os.write(1, b'left\\n')"
    ),
    "trio": (
        "with trio.move_on_after(0.01): await FOR_STORES.call(Event().wait)\n"
        "        os.write(1, b'left\\n')"
    ),
}


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_driver_that_hangs_keeps_no_process_from_ending_nor_its_child(loop: str) -> None:
    run = "trio.run" if loop == "trio" else "(lambda fn, *args: asyncio.run(fn(*args)))"
    script = SCRIPT.format(loop=loop, leave=LEAVE[loop], run=run)
    done = subprocess.run(
        # Python 3.12 and later warn of any fork of a process that has threads.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "left\nleft\n"


@pytest.mark.skipif(TRIO, reason="asyncio's loop closes while threads run")
def test_what_comes_when_the_loop_is_closed_disturbs_nobody(
    release: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Event()
    tell = ours._tell

    def note(*args: Any) -> None:
        tell(*args)
        told.set()

    monkeypatch.setattr(ours, "_tell", note)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(FOR_STORES.call(release.wait, 30), 0.01)

    asyncio.run(main())
    release.set()
    assert told.wait(30)
