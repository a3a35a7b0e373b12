"""What do those hear who listen to Redis and PostgreSQL, when something goes wrong?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from stores.postgres import Postgres
from stores.redis_kinds import close
from stores.redis_server import Proxy, RedisServer

from quart_login.stores import _postgres_listener, _redis_listener
from quart_login.stores._contract_kit import Threads, session
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore

HERE: Any = Threads()

DRIVERS = ["psycopg", "psycopg async", "asyncpg"]


@asynccontextmanager
async def on_postgres(postgres: Postgres, driver: str) -> AsyncIterator[Any]:
    """Return a store, and what listens to it."""
    make: Any = create_engine if driver == "psycopg" else create_async_engine
    engine = make(postgres.url(driver.split(" ")[0]))
    store = SQLAlchemyStore(engine, create=True)
    listener = store.listener()
    assert listener is not None
    try:
        await store.check(HERE)
        await listener.begin(HERE)
        yield store, listener
    finally:
        await listener.end(HERE)
        disposed = engine.dispose()
        if disposed is not None:
            await disposed


async def heard(listener: Any) -> Any:
    """Return the first thing that is heard."""
    for _ in range(10):
        said = await listener.hear(HERE, 1.0)
        if said is None or said:
            return said
    raise AssertionError("nothing is heard")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_more_than_a_message_holds_says_look_for_yourselves(
    postgres: Postgres, driver: str
) -> None:
    async with on_postgres(postgres, driver) as (store, listener):
        for number in range(400):
            await store.add(HERE, session(number))
        assert len(await store.delete_user(HERE, "7")) == 400
        assert await heard(listener) is None


@pytest.mark.parametrize("driver", DRIVERS)
async def test_ids_of_many_bytes_and_with_spaces_are_told(postgres: Postgres, driver: str) -> None:
    ids = ["a b", "\"'", "é" * 20, "{}[],", "\n"]
    async with on_postgres(postgres, driver) as (store, listener):
        for number, id in enumerate(ids):
            await store.add(HERE, session(number, id=id))
        await store.delete_user(HERE, "7")
        assert sorted(await heard(listener)) == sorted(ids)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_was_rolled_back_is_not_told(postgres: Postgres, driver: str) -> None:
    async with on_postgres(postgres, driver) as (store, listener):
        await store.add(HERE, session(1))
        await store.add(HERE, session(2, "8"))
        with pytest.raises(Exception):  # noqa: B017  # whatever the driver raises
            await store.add(HERE, session(2), limit=1)  # which would have ended the first
        await store.delete(HERE, session(2).id)
        assert await heard(listener) == [session(2).id]
        assert await store.get(HERE, session(1).id) == session(1)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_junk_on_postgres_says_no_more_than_look(postgres: Postgres, driver: str) -> None:
    async with on_postgres(postgres, driver) as (_, listener):
        for junk in ("", "null", "7", "{}", "[1]", "[[", '{"a": "b"}', "[" * 7000):
            postgres.run("SELECT pg_notify('login_session_ended', %s)", junk)
            assert await heard(listener) is None
        postgres.run("SELECT pg_notify('login_session_ended', '[]')")
        assert not await listener.hear(HERE, 0.2)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_line_to_postgres_that_is_cut_is_noticed(postgres: Postgres, driver: str) -> None:
    async with on_postgres(postgres, driver) as (store, listener):
        postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
        with pytest.raises(Exception):  # noqa: B017  # whatever the driver raises
            for _ in range(5):
                await listener.hear(HERE, 1.0)
        await listener.begin(HERE)
        await store.add(HERE, session(1))
        await store.delete(HERE, session(1).id)
        assert await heard(listener) == [session(1).id]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_who_listens_tries_the_line(
    postgres: Postgres, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [1000.0]
    monkeypatch.setattr(_postgres_listener, "monotonic", lambda: at[0])
    async with on_postgres(postgres, driver) as (_, listener):
        before = postgres.log().count("SELECT 1")
        for seconds, tries in ((1.0, 0), (5.0, 1), (1.0, 1), (5.0, 2)):
            at[0] += seconds
            await listener.hear(HERE, 0.01)
            assert postgres.log().count("SELECT 1") - before == tries


async def until(so: Callable[[], Any]) -> None:
    """Let the other tasks, and threads, run until it is *so*."""
    async with asyncio.timeout(20):
        while not so():  # noqa: ASYNC110  # Nobody tells.
            await asyncio.sleep(0.001)


def is_closed(connection: Any) -> bool:
    closed = getattr(connection, "closed", None)
    return bool(connection.is_closed() if closed is None else closed)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_line_that_hangs_is_closed_by_who_has_it_in_his_hands(
    postgres: Postgres, driver: str
) -> None:
    """A thread that waits for it goes on by itself, and nobody may take it away meanwhile."""
    async with on_postgres(postgres, driver) as (_, listener):
        line, connection = listener._line, listener._line.connection
        listener._tried = float("-inf")
        postgres.suspend()
        try:
            hearing = asyncio.ensure_future(listener.hear(HERE, 1.0))
            await until(lambda: line._used)
            hearing.cancel()
            await asyncio.wait_for(listener.end(HERE), 5)
            if driver == "psycopg":
                assert not is_closed(connection)
        finally:
            postgres.resume()
        await asyncio.wait({hearing})
        await until(lambda: is_closed(connection))
        with pytest.raises(ConnectionError):
            await listener.hear(HERE, 0.1)
        # And nobody who begins anew minds.
        await listener.begin(HERE)
        assert not await listener.hear(HERE, 0.05)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_who_leaves_before_the_line_is_there_leaves_none(
    postgres: Postgres, driver: str
) -> None:
    async with on_postgres(postgres, driver) as (_, listener):
        await listener.end(HERE)
        postgres.suspend()
        try:
            beginning = asyncio.ensure_future(listener.begin(HERE))
            await until(lambda: listener._line._used)
            line = listener._line
            beginning.cancel()
            await asyncio.wait_for(listener.end(HERE), 5)
        finally:
            postgres.resume()
        await asyncio.wait({beginning})
        await until(lambda: not line._used)
        [[listening]] = postgres.run(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
        assert listening == 0 and line.connection is None


async def test_a_listener_takes_no_connection_from_the_pool(postgres: Postgres) -> None:
    engine = create_engine(postgres.url("psycopg"), pool_size=1, max_overflow=0, pool_timeout=1)
    store = SQLAlchemyStore(engine, create=True)
    listener = store.listener()
    assert listener is not None
    await listener.begin(HERE)
    await store.check(HERE)
    await store.add(HERE, session(1))
    await store.delete(HERE, session(1).id)
    assert await heard(listener) == [session(1).id]
    await listener.end(HERE)
    engine.dispose()


async def test_without_a_channel_nobody_tells_and_nobody_listens(postgres: Postgres) -> None:
    engine = create_engine(postgres.url("psycopg"))
    store = SQLAlchemyStore(engine, create=True, channel=False)
    assert store.listener() is None
    await store.check(HERE)
    await store.add(HERE, session(1))
    assert await store.delete(HERE, session(1).id) == session(1)
    engine.dispose()
    assert SQLAlchemyStore(create_engine("sqlite://")).listener() is None


# --- Redis ---------------------------------------------------------------------------------------


@asynccontextmanager
async def on_redis(url: str, is_async: bool) -> AsyncIterator[Any]:
    store = RedisStore.from_url(url, is_async=is_async, timeout=1.0)
    listener = store.listener()
    assert listener is not None
    try:
        await listener.begin(HERE)
        yield store, listener
    finally:
        await listener.end(HERE)
        await close(store)


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_line_to_redis_that_is_cut_is_noticed(
    redis_server: RedisServer, is_async: bool
) -> None:
    async with on_redis(redis_server.url, is_async) as (_, listener):
        redis_server.run("CLIENT", "KILL", "TYPE", "pubsub")
        try:
            said = await heard(listener)
        except Exception:
            await listener.begin(HERE)
        else:
            assert said is None  # redis-py has subscribed anew.
        redis_server.run("PUBLISH", "login:ended", "a b")
        assert await heard(listener) == ["a", "b"]


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_redis_that_is_silent_is_asked_for_a_sign_of_life(
    redis_server: RedisServer, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [1000.0]
    monkeypatch.setattr(_redis_listener, "monotonic", lambda: at[0])
    async with on_redis(redis_server.url, is_async) as (_, listener):
        for _ in range(3):  # It answers.
            at[0] += 6.0
            assert not await listener.hear(HERE, 1.0)
        redis_server.suspend()
        try:
            at[0] += 6.0
            assert not await listener.hear(HERE, 0.05)
            at[0] += 6.0
            with pytest.raises(redis.ConnectionError, match="does not answer"):
                await listener.hear(HERE, 0.05)
        finally:
            redis_server.resume()


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_server_that_does_not_subscribe_is_an_error(
    redis_server: RedisServer, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_redis_listener, "_ASK_AFTER", 0.05)
    proxy = Proxy(redis_server.port)
    store = RedisStore.from_url(
        f"redis://127.0.0.1:{proxy.port}", is_async=is_async, timeout=1.0, protocol=2
    )
    proxy.close()
    listener = store.listener()
    assert listener is not None
    with pytest.raises(Exception):  # noqa: B017  # whatever the driver raises
        await listener.begin(HERE)
    await listener.end(HERE)
    await close(store)


@pytest.mark.parametrize("is_async", [True, False])
async def test_junk_on_redis_names_nobody(redis_server: RedisServer, is_async: bool) -> None:
    async with on_redis(redis_server.url, is_async) as (_, listener):
        for junk in (b"", b"  ", b"\xff\xfe"):
            redis_server.run("PUBLISH", "login:ended", junk)
        redis_server.run("PUBLISH", "login:ended", "the last")
        said: list[str] = []
        while "last" not in said:
            said += await asyncio.wait_for(listener.hear(HERE, 1.0), 5)
        assert [one for one in said if one.isascii()] == ["the", "last"]
