"""What happens when PostgreSQL is killed, hangs, is restarted, or cuts a connection?

With a server of its own, which is none of the other tests'.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from stores.machine import do, on
from stores.postgres import Postgres

from quart_login.stores._contract_kit import Awaits, Kept, after, session
from quart_login.stores.sqlalchemy import SQLAlchemyStore

#: What a driver raises when a server is gone; asyncpg lets some of its own pass SQLAlchemy.
GONE = (SQLAlchemyError, OSError)

KINDS = ["psycopg", "psycopg async", "asyncpg async"]

#: The core's time limit for a store.
DEADLINE = 0.25


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, server: Postgres) -> Iterator[str]:
    yield request.param
    server.resume()
    server.run("DROP TABLE IF EXISTS login_session")


def engine_of(kind: str, server: Postgres, **options: Any) -> Any:
    driver, _, asynchronous = kind.partition(" ")
    return (create_async_engine if asynchronous else create_engine)(server.url(driver), **options)


@asynccontextmanager
async def a_store(kind: str, server: Postgres, **options: Any) -> AsyncIterator[Kept]:
    """Return a store with `session(1)` and a connection that was used."""
    engine = engine_of(kind, server, **options)
    store = SQLAlchemyStore(engine, create=True)
    kept = Kept(store, store, Awaits())
    try:
        await kept.check()
        await kept.add(session(1))
        yield kept
    finally:
        # Until what was given up has given back its connections.
        await asyncio.gather(*store._given_up, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()
        disposed = engine.dispose()
        if disposed is not None:
            await disposed


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def uses(kept: Kept) -> dict[str, Callable[[], Coroutine[Any, Any, Any]]]:
    one = session(1)
    return {
        "get": lambda: kept.get(one.id),
        "list": lambda: kept.list("7"),
        "add": lambda: kept.add(session(2)),
        "add with a limit": lambda: kept.add(session(3), limit=1),
        "swap": lambda: kept.swap(one, after(one)),
        "touch": lambda: kept.touch(one.id, one.seen + 9),
        "delete": lambda: kept.delete(one.id),
        "delete_user": lambda: kept.delete_user("7"),
        "purge": lambda: kept.purge(one.expires + 1),
    }


def test_a_server_that_was_killed_keeps_what_was_returned(server: Postgres, kind: str) -> None:
    async def test() -> None:
        async with a_store(kind, server) as kept:
            await kept.add(session(2))
            await kept.delete(session(2).id)
            server.stop(signal.SIGQUIT)
            try:
                for name, use in uses(kept).items():
                    with pytest.raises(GONE):
                        pytest.fail(f"{name} returned {await use()!r}")
            finally:
                server.start()
            assert await kept.list("7") == [session(1)]
            assert await kept.add(session(3)) == []

    run(test)


def test_a_look_up_does_not_notice_a_restart(server: Postgres, kind: str) -> None:
    async def test() -> None:
        async with a_store(kind, server) as kept:
            for use in (lambda: kept.get(session(1).id), lambda: kept.list("7")):
                server.restart()
                assert await use() in (session(1), [session(1)])

    run(test)


def test_111_a_write_is_not_tried_again_after_a_restart(server: Postgres, kind: str) -> None:
    async def test() -> None:
        async with a_store(kind, server) as kept:
            for name, use in uses(kept).items():
                if name in ("get", "list"):
                    continue
                await kept.get(session(1).id)
                server.restart()
                with pytest.raises(GONE):
                    pytest.fail(f"{name} returned {await use()!r}")
                assert await kept.list("7") == [session(1)]

    run(test)


def test_110_a_server_that_hangs_is_given_up_in_time(server: Postgres, kind: str) -> None:
    async def test() -> None:
        async with a_store(kind, server, pool_size=3, max_overflow=2) as kept:
            server.suspend()
            try:
                for name in ("get", "list", "swap", "get", "touch", "delete_user", "get"):
                    begun = time.monotonic()
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(DEADLINE):
                            pytest.fail(f"{name} returned {await uses(kept)[name]()!r}")
                    assert time.monotonic() - begun < 1, name
            finally:
                server.resume()
            # Also the pool is as it was.
            assert await kept.at_once(*[lambda: kept.delete(session(1).id)] * 5)
            assert await kept.get(session(1).id) is None
            assert await kept.add(session(2)) == []

    run(test)


async def somebody_waits(server: Postgres) -> list[int]:
    """Wait until a process of the server waits for a lock; return which do."""
    for _ in range(1000):
        if found := server.waiting():
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


def test_111_a_connection_that_is_cut_in_the_middle_has_done_nothing(
    server: Postgres, kind: str
) -> None:
    async def test() -> None:
        async with a_store(kind, server) as kept:
            with server.held("LOCK TABLE login_session IN SHARE ROW EXCLUSIVE MODE"):
                login = asyncio.ensure_future(kept.add(session(2), limit=1))
                for process in await somebody_waits(server):
                    server.run("SELECT pg_terminate_backend(%s)", process)
                with pytest.raises(GONE):
                    await login
            assert await kept.list("7") == [session(1)]
            assert await kept.add(session(3), limit=1) == [session(1)]

    run(test)


def test_119_a_pool_that_is_exhausted_is_an_error(server: Postgres, kind: str) -> None:
    async def test() -> None:
        options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
        async with a_store(kind, server, **options) as kept:
            with server.held("UPDATE login_session SET method = 'held'"):
                stuck = asyncio.ensure_future(kept.delete(session(1).id))
                await somebody_waits(server)
                with pytest.raises(GONE):
                    await kept.get(session(1).id)
            assert await stuck == session(1)
            assert await kept.get(session(1).id) is None

    run(test)


def test_whoever_stops_waiting_has_done_all_or_nothing(server: Postgres, kind: str) -> None:
    """A request that is cancelled at any moment of its login (P14).  A thread goes on by itself."""

    async def test() -> None:
        async with a_store(kind, server) as kept:
            for number in range(2, 42):
                login = asyncio.ensure_future(kept.add(session(number), limit=1))
                await asyncio.sleep(number * 0.0002)
                login.cancel()
                await asyncio.gather(login, return_exceptions=True)
                # One session made room for the other, or neither did anything.
                assert len(await kept.list("7")) == 1

    run(test)


def test_logins_at_once_keep_to_the_limit_whatever_the_isolation(server: Postgres) -> None:
    """With the application's own REPEATABLE READ, who waited for another would not see him."""
    engine = create_engine(server.url("psycopg"), isolation_level="REPEATABLE READ", pool_size=12)
    store = SQLAlchemyStore(engine, create=True)
    do(on(store).check())
    gate, results = threading.Barrier(12), []

    def login(number: int) -> None:
        gate.wait()
        results.append(do(on(store).add(session(number, created=100.0), limit=2, evict=False)))

    for _ in range(5):
        threads = [threading.Thread(target=login, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([1 for result in results if result is not None]) == 2
        assert len(do(on(store).list("7"))) == 2
        do(on(store).delete_user("7"))
        results.clear()
    engine.dispose()
    server.run("DROP TABLE login_session")


@pytest.mark.parametrize("of_wheel", [False, True])
def test_the_suite_finds_a_server_on_the_path_or_brings_one(of_wheel: bool) -> None:
    server = Postgres(of_wheel=of_wheel)
    assert server.run("SELECT 1") == [(1,)]
    directory = server.directory
    server.remove()
    assert not directory.exists()
