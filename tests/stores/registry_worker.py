"""One of several processes that serve the same logins, each with an application of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import isawaitable
from queue import Empty
from threading import Thread
from typing import Any

from registry import add_views
from sites import SITES, Browser
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from quart_login._core.step import step
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore

#: Seconds for which a process waits for the others.
PATIENCE = 120.0

CONFIG = {"LOGIN_STORE_TIMEOUT": 10.0}


@dataclass(frozen=True)
class Part:
    """What one process is: its framework, and the server that it shares."""

    framework: str
    #: ``redis://...``, or the URL of a database with its driver.
    url: str


def open_store(part: Part) -> Any:
    if part.url.startswith("redis"):
        return RedisStore.from_url(part.url, is_async=part.framework == "quart", timeout=1.0)
    if part.framework == "flask":
        return SQLAlchemyStore(create_engine(part.url, pool_size=8, max_overflow=32))
    return SQLAlchemyStore(create_async_engine(part.url, pool_size=8, max_overflow=32))


def work(number: int, part: Part, orders: Any, answers: Any, told: Any) -> None:
    """Serve, and do what the *orders* say until there is none.

    *told* is shared by all: at 0, how many logins of a batch have been ended; after it, how far
    each process has looked.
    """
    worker = Worker(number, part, told)
    run: Any = step if part.framework == "flask" else asyncio.run
    try:
        run(worker.serve(orders, answers))
    except BaseException as error:
        answers.put((number, error))
        raise


class Worker:
    def __init__(self, number: int, part: Part, told: Any) -> None:
        self.number, self.part, self.told = number, part, told
        self.site: Any = SITES[part.framework](dict(CONFIG), sessions=open_store(part))
        add_views(self.site)

    async def serve(self, orders: Any, answers: Any) -> None:
        with self.site.hearing("remember_theft_detected") as thefts:
            while (order := await self.next(orders)) is not None:
                name, *args = order
                answers.put((self.number, await getattr(self, name)(*args)))
                assert name == "at_once" or not thefts, "a theft was seen that was none"
                del thefts[:]
        await self.close()

    async def next(self, orders: Any) -> Any:
        """Return the next order.  (A loop must not be blocked: its store has connections.)"""
        while True:
            try:
                return orders.get_nowait()
            except Empty:
                await self.pause(0.001)

    async def pause(self, seconds: float) -> None:
        if self.part.framework == "flask":
            time.sleep(seconds)  # noqa: ASYNC251 (There is no loop.)
        else:
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        store = self.site.manager.sessions
        if not isinstance(store, RedisStore):
            closed = store._alone.dispose()
        elif store.is_async:
            closed = store._client.aclose()
        else:
            closed = store._client.close()
        if isawaitable(closed):
            await closed

    # --- orders --------------------------------------------------------------------------------

    async def log_in(self, paths: Sequence[str]) -> list[dict[str, str]]:
        """Log in by each of *paths*; return what the browsers hold."""
        jars = []
        for path in paths:
            browser = self.site.browser()
            assert await browser.get(path) == (200, "True")
            jars.append(browser.jar)
        return jars

    async def move_clock(self, now: float) -> None:
        self.site.clock.now = now

    async def look_at(self, jar: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Return whom *jar* authenticates, and what it holds afterwards."""
        browser = self.browser(jar)
        answer = await browser.get("/me")
        assert answer.status == 200
        return answer.text, browser.jar

    async def end(self, jars: Sequence[dict[str, str]], ways: Sequence[str]) -> list[int]:
        """End the logins of *jars*, one after another, each as soon as all others look at it."""
        returned = []
        for number, (jar, way) in enumerate(zip(jars, ways, strict=True)):
            await self.until(lambda n=number: all(far > n for far in self.others()))
            await self.end_one(jar, way)
            returned.append(time.monotonic_ns())
            self.told[0] = number + 1
        return returned

    def others(self) -> list[int]:
        mine = self.number + 1
        return [far for place, far in enumerate(self.told) if place not in (0, mine)]

    async def end_one(self, jar: dict[str, str], way: str) -> None:
        if way == "logout":
            assert await self.browser(jar).get("/out") == (200, "True")
        elif way.startswith("user"):
            user_id = int(way.removeprefix("user "))
            answer = await self.site.browser().get(f"/revoke-user/{user_id}")
            assert answer.status == 200 and int(answer.text) > 0
        else:
            other = self.site.browser()
            assert await other.get(way) == (200, "True")
            assert (await other.get("/revoke-others")).status == 200
            assert await other.get("/out") == (200, "True")

    async def look(self, jars: Sequence[dict[str, str]]) -> list[tuple[int, int, int]]:
        """Look at each login until it has ended, and then once more; return for each how often it
        was seen, when the last look began that saw it, and whether anything saw it afterwards.
        """
        return [await self.look_until_end(number, jar) for number, jar in enumerate(jars)]

    async def look_until_end(self, number: int, jar: dict[str, str]) -> tuple[int, int, int]:
        seen = last = 0
        held: list[dict[str, str]] = []
        while self.told[0] <= number:
            browser, began = self.browser(jar), time.monotonic_ns()
            answer = await browser.get("/me")
            assert answer.status == 200
            if answer.text != "anonymous":
                seen, last = seen + 1, began
                if browser.jar != jar:
                    held.append(browser.jar)
            self.told[self.number + 1] = number + 1
            await self.pause(0.0005)
        # Whatever was issued meanwhile is nobody's, either.
        alive = 0
        for one in (jar, *held[-2:]):
            for name, value in one.items():
                alive += (await self.look_at({name: value}))[0] != "anonymous"
        return seen, last, alive

    async def at_once(self, jar: dict[str, str], count: int) -> list[tuple[str, list[str]]]:
        """Show *jar* in *count* requests at once; return the answers."""
        results: list[Any] = [None] * count

        async def one(number: int) -> None:
            answer = await self.browser(jar).get("/me")
            results[number] = (answer.text, answer.set_cookies)

        if self.part.framework == "flask":
            threads = [Thread(target=lambda n=n: step(one(n))) for n in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:
            await asyncio.gather(*map(one, range(count)))
        return results

    async def until(self, so: Any) -> None:
        ends = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < ends, "the others do not come"
            await self.pause(0.0005)

    def browser(self, jar: dict[str, str]) -> Browser:
        browser: Browser = self.site.browser()
        browser.jar = dict(jar)
        return browser
