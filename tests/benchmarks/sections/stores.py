"""What does one look-up of a login session cost, beside the driver's own bare call?

Among a thousand sessions (few) and a million (many), one after the other.  The bare call is the
same statement on an open connection of the same driver, in the same thread.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import redis
import redis.asyncio
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from stores.postgres import Postgres
from stores.redis_server import RedisServer

from benchmarks import tables
from benchmarks.figures import Line, Value
from benchmarks.progress import Progress
from benchmarks.rounds import interleave, middle, ratio
from benchmarks.sections import Options
from benchmarks.tables import NAMES, address
from quart_login._core.step import step
from quart_login.stores import Store
from quart_login.stores._contract_kit import Calls, Threads
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore

ROUNDS, CALLS = 40, 300
GET = f"SELECT {NAMES} FROM login_session WHERE id = "

#: How a session is looked up by its id: at once, or awaited.
Call = Callable[[str], Any]


def sizes(options: Options) -> dict[str, int]:
    return {"few": 1_000, "many": options.size(1_000_000, 20_000)}


def how(options: Options) -> str:
    few, many = sizes(options).values()
    return (
        f"{options.rounds} rounds of {CALLS} look-ups each; few: {few:,} sessions, many: {many:,}"
    )


@dataclass
class Way:
    """How sessions are looked up, among few and among many."""

    group: str
    name: str
    calls: dict[str, Call]
    ids: dict[str, Callable[[], str]]  # one of those that are there, by chance
    waits: bool = False
    beside: str = ""  # the driver's own


@dataclass
class World:
    """Where the sessions are."""

    folder: Path
    postgres: Postgres
    redis: dict[str, RedisServer]
    sizes: dict[str, int]
    loop: asyncio.AbstractEventLoop

    def each(self, make: Callable[[str], Any]) -> dict[str, Any]:
        return {size: make(size) for size in self.sizes}

    def file(self, size: str) -> Path:
        return self.folder / f"{size}.sqlite"

    def address(self, size: str, driver: str = "") -> str:
        return address(self.postgres, self.sizes[size], driver)

    def waited(self, awaitable: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(awaitable)

    def ids(self) -> dict[str, Callable[[], str]]:
        return self.each(lambda size: lambda: tables.id_of(random.randrange(self.sizes[size])))


def measure(options: Options, progress: Progress) -> list[Line]:
    with world(options) as here:
        gc.disable()
        ways, lines = fill(here, progress)
        gc.enable()
        gc.freeze()  # A million sessions in memory are no business of each measurement.
        progress.title = "stores, look-ups"
        cells = [(number, size) for number in range(len(ways)) for size in here.sizes]
        times = interleave(
            cells,
            options.rounds,
            lambda cell: look_up(ways[cell[0]], cell[1], here),
            progress,
            warm=1,
        )
        return [*look_ups(ways, times), *lines, *versions(here)]


@contextmanager
def world(options: Options) -> Iterator[World]:
    postgres = Postgres(log_statement="none", shared_buffers="1GB")
    servers = {size: RedisServer() for size in sizes(options)}
    try:
        with tempfile.TemporaryDirectory() as folder:
            loop = asyncio.new_event_loop()
            yield World(Path(folder), postgres, servers, sizes(options), loop)
    finally:
        for server in (postgres, *servers.values()):
            server.remove()


def fill(here: World, progress: Progress) -> tuple[list[Way], list[Line]]:
    """Return the ways to what is kept by then, and how many bytes each session has there."""

    def filled(where: str, make: Callable[[str], Any]) -> dict[str, Any]:
        progress.title = f"stores, filling {where}"
        progress.tell("begins")
        found = here.each(make)
        progress.done()
        return found

    memory = filled("memory", lambda size: tables.fill_memory(here.sizes[size]))
    sqlite = filled("SQLite", lambda size: tables.fill_sqlite(here.file(size), here.sizes[size]))
    postgres = filled(
        "PostgreSQL", lambda size: tables.fill_postgres(here.postgres, here.sizes[size])
    )
    single = {"few": tables.fill_redis(here.redis["few"], here.sizes["few"], 1)[0]}
    kept = filled("Redis", lambda size: tables.fill_redis(here.redis[size], here.sizes[size]))
    in_redis, ids = here.each(lambda size: kept[size][0]), here.each(lambda size: kept[size][1])
    ways = [*memory_ways(here, memory), *sqlite_ways(here), *postgres_ways(here)]
    bytes_of = {
        ("SQLite", "the file, with both indices"): sqlite,
        ("PostgreSQL", "the table, with its three indices"): postgres,
        ("Redis", f"used_memory, {tables.A_USER} logins a user"): in_redis,
        ("Redis", "used_memory, one login a user"): single,
    }
    lines = [Line(group, "bytes", what, found) for (group, what), found in bytes_of.items()]
    return [*ways, *redis_ways(here, ids)], lines


def versions(here: World) -> list[Line]:
    """Return what the servers are."""
    with psycopg.connect(here.address("few")) as connection:
        postgres = connection.info.parameter_status("server_version") or ""
    info = here.redis["few"].run("INFO", "server")
    # Valkey says which Redis it is like, too.
    kind = "Valkey" if "valkey_version" in info else "Redis"
    found = {
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": postgres.partition(" ")[0],
        kind: info[f"{kind.lower()}_version"],
    }
    return [Line(group, "version", version, {}) for group, version in found.items()]


def look_up(way: Way, size: str, here: World) -> float:
    """Return the microseconds of a look-up."""
    call, ids = way.calls[size], [way.ids[size]() for _ in range(CALLS)]

    async def all_awaited() -> None:
        for id in ids:
            await call(id)

    begun = time.perf_counter()
    if way.waits:
        here.waited(all_awaited())
    else:
        for id in ids:
            call(id)
    return (time.perf_counter() - begun) / CALLS * 1e6


def look_ups(ways: list[Way], times: Any) -> list[Line]:
    number_of = {way.name: number for number, way in enumerate(ways)}
    lines = []
    for number, way in enumerate(ways):
        few, many = (times[number, size] for size in ("few", "many"))
        figures: dict[str, Value] = {"growth": ratio(many, few), "beside": way.beside}
        for size, mine in (("few", few), ("many", many)):
            figures.update(middle(mine, size))
            for other in {way.beside, "aiosqlite"} & set(number_of):
                if way.group == ways[number_of[other]].group and other != way.name:
                    figures[f"{size} of {other}"] = ratio(mine, times[number_of[other], size])
        lines.append(Line(way.group, "look-up", way.name, figures))
    return lines


def found(session: Any) -> Any:
    assert session is not None, "The session is there, and was not found."
    return session


def stepped(store: Store) -> Call:
    calls: Any = Calls()
    return lambda id: found(step(store.get(calls, id)))


def awaited(store: Store) -> Call:
    threads: Any = Threads()

    async def get(id: str) -> Any:
        return found(await store.get(threads, id))

    return get


# --- the ways ------------------------------------------------------------------------------------


def memory_ways(here: World, stores: dict[str, Any]) -> list[Way]:
    calls = here.each(lambda size: stepped(stores[size]))
    return [Way("memory", "MemoryStore", calls, here.ids())]


def sqlite_ways(here: World) -> list[Way]:
    def bare(size: str) -> Call:
        connection = sqlite3.connect(here.file(size), isolation_level=None, check_same_thread=False)
        return lambda id: connection.execute(f"{GET}?", (id,)).fetchone()

    def threaded(size: str) -> Call:
        get = bare(size)
        return lambda id: asyncio.to_thread(get, id)

    def in_aiosqlite(size: str) -> Call:
        connection = here.waited(aiosqlite.connect(here.file(size), isolation_level=None))

        async def get(id: str) -> Any:
            async with connection.execute(f"{GET}?", (id,)) as cursor:
                return await cursor.fetchone()

        return get

    stores = here.each(lambda size: SQLiteStore(here.file(size)))
    engines = here.each(lambda size: create_engine(f"sqlite:///{here.file(size)}"))

    def way(name: str, make: Callable[[str], Call], **how: Any) -> Way:
        return Way("SQLite", name, here.each(make), here.ids(), **how)

    return [
        way("sqlite3", bare),
        way("SQLiteStore, Flask", lambda size: stepped(stores[size]), beside="sqlite3"),
        way("sqlite3 in a thread", threaded, waits=True),
        way("aiosqlite", in_aiosqlite, waits=True),
        way(
            "SQLiteStore, Quart",
            lambda size: awaited(stores[size]),
            waits=True,
            beside="sqlite3 in a thread",
        ),
        way(
            "SQLAlchemyStore on SQLite, Flask",
            lambda size: stepped(SQLAlchemyStore(engines[size])),
            beside="sqlite3",
        ),
    ]


def postgres_ways(here: World) -> list[Way]:
    def bare(size: str) -> Call:
        connection = psycopg.connect(here.address(size), autocommit=True)
        return lambda id: connection.execute(f"{GET}%s", (id,)).fetchone()

    def bare_asyncpg(size: str) -> Call:
        connection = here.waited(asyncpg.connect(here.address(size)))
        return lambda id: connection.fetchrow(f"{GET}$1", id)

    engines = here.each(lambda size: create_engine(here.address(size, "psycopg")))
    on_loop = here.each(lambda size: create_async_engine(here.address(size, "asyncpg")))

    def bare_sqlalchemy(size: str) -> Call:
        engine, statement = engines[size], text(f"{GET}:id")

        def get(id: str) -> Any:
            with engine.connect() as connection:
                return connection.execute(statement, {"id": id}).first()

        return get

    def way(name: str, make: Callable[[str], Call], **how: Any) -> Way:
        return Way("PostgreSQL", name, here.each(make), here.ids(), **how)

    return [
        way("psycopg", bare),
        way("SQLAlchemy itself on psycopg", bare_sqlalchemy, beside="psycopg"),
        way(
            "SQLAlchemyStore on psycopg, Flask",
            lambda size: stepped(SQLAlchemyStore(engines[size])),
            beside="psycopg",
        ),
        way("asyncpg", bare_asyncpg, waits=True),
        way(
            "SQLAlchemyStore on asyncpg, Quart",
            lambda size: awaited(SQLAlchemyStore(on_loop[size])),
            waits=True,
            beside="asyncpg",
        ),
    ]


def redis_ways(here: World, ids: dict[str, list[str]]) -> list[Way]:
    chosen = here.each(lambda size: lambda: random.choice(ids[size]))

    def store(size: str, is_async: bool) -> RedisStore:
        return RedisStore.from_url(here.redis[size].url, is_async=is_async, timeout=1.0)

    keys = store("few", False)

    def bare(kind: Any) -> Callable[[str], Call]:
        def make(size: str) -> Call:
            client = kind.from_url(here.redis[size].url)
            return lambda id: client.execute_command("HGET", keys._key(id), id)

        return make

    def way(name: str, make: Callable[[str], Call], **how: Any) -> Way:
        return Way("Redis", name, here.each(make), chosen, **how)

    return [
        way("redis, HGET", bare(redis.Redis)),
        way("RedisStore, Flask", lambda size: stepped(store(size, False)), beside="redis, HGET"),
        way("redis.asyncio, HGET", bare(redis.asyncio.Redis), waits=True),
        way(
            "RedisStore, Quart",
            lambda size: awaited(store(size, True)),
            waits=True,
            beside="redis.asyncio, HGET",
        ),
    ]
