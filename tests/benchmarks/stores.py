"""What does one look-up of a login session cost, beside the driver's own bare call?

``python tests/benchmarks/stores.py [ROUNDS]`` prints microseconds: the median of the rounds, and 5
to 95 %, among a thousand and among a million sessions, interleaved.  The bare call is the same
statement on an open connection of the same driver, in the same thread.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from quart_login._core.step import step
from quart_login.stores import LoginSession, Store
from quart_login.stores._rows import COLUMNS, due, row_of
from quart_login.stores.contract import Calls, Threads, session
from quart_login.stores.memory import MemoryStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore

sys.path[0] = str(Path(__file__).parents[1])  # where there is another `stores`
from stores.postgres import Postgres  # noqa: E402

SIZES = (1_000, 1_000_000)
CALLS = 300
NAMES = ", ".join(COLUMNS)
GET = f"SELECT {NAMES} FROM login_session WHERE id = "
USERS = 3  # sessions of a user

#: The ids that a table of any size has, spread over it.
Ids = list[str]


def one(number: int) -> LoginSession:
    """Return a session as a browser makes it, with an id that is nowhere near its neighbour's."""
    id = f"{number * 0x9E3779B97F4A7C15 % 2**64:022d}"
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    return session(
        number, f"user {number // USERS}", id=id, agent=agent, address="203.0.113.7", idle=86400.0
    )


def rows(size: int) -> Any:
    return ((*row_of(each), due(each)) for each in map(one, range(size)))


def fill_sqlite(path: Path, size: int) -> None:
    store = SQLiteStore(path)
    step(store.check(Calls()))  # type: ignore[arg-type]
    [connection] = store._all
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO login_session ({NAMES}, due) VALUES ({marks})", rows(size))
    connection.execute("COMMIT")
    store.close()


def fill_postgres(server: Postgres, size: int) -> None:
    server.run(f"CREATE DATABASE size_{size}")
    engine = create_engine(server.url("psycopg", f"size_{size}"))
    store = SQLAlchemyStore(engine, create=True)
    step(store.check(Calls()))  # type: ignore[arg-type]
    with engine.begin() as connection:
        cursor: Any = connection.connection.cursor()
        with cursor.copy(f"COPY login_session ({NAMES}, due) FROM STDIN") as copy:
            for row in rows(size):
                copy.write_row(row)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE login_session")
    engine.dispose()


def fill_memory(size: int) -> MemoryStore:
    store = MemoryStore()
    for number in range(size):
        step(store.add(None, one(number)))  # type: ignore[arg-type]
    return store


class Contender:
    """A way to look a session up, in one table of each size."""

    def __init__(self, name: str, calls: dict[int, Callable[[str], Any]], *, waits: bool) -> None:
        self.name = name
        self.calls = calls
        self.waits = waits
        self.times: dict[int, list[float]] = {size: [] for size in SIZES}

    async def measure(self, size: int) -> None:
        call = self.calls[size]
        ids = [one(random.randrange(size)).id for _ in range(CALLS)]
        begun = time.perf_counter()
        if self.waits:
            for id in ids:
                await call(id)
        else:
            for id in ids:
                call(id)
        self.times[size].append((time.perf_counter() - begun) / CALLS * 1e6)

    def line(self) -> str:
        parts = [f"{self.name:44}"]
        for size in SIZES:
            times = sorted(self.times[size])
            low, high = times[len(times) // 20], times[-1 - len(times) // 20]
            parts.append(f"{statistics.median(times):8.1f} ({low:6.1f} to {high:6.1f})")
        small, large = (statistics.median(self.times[size]) for size in SIZES)
        return "  ".join([*parts, f"{large / small:5.2f}"])


def stepped(store: Store) -> Callable[[str], Any]:
    calls: Any = Calls()
    return lambda id: step(store.get(calls, id))


def awaited(store: Store) -> Callable[[str], Any]:
    threads: Any = Threads()
    return lambda id: store.get(threads, id)


async def contenders(directory: Path, server: Postgres) -> list[Contender]:
    paths = {size: directory / f"{size}.sqlite" for size in SIZES}
    memory = {size: fill_memory(size) for size in SIZES}
    for size in SIZES:
        fill_sqlite(paths[size], size)
        fill_postgres(server, size)
        print(
            f"{size:>9,} sessions: SQLite {paths[size].stat().st_size / size:.0f} bytes each, "
            f"PostgreSQL {bytes_of(server, size) / size:.0f}"
        )

    def of(make: Callable[[int], Callable[[str], Any]]) -> dict[int, Callable[[str], Any]]:
        return {size: make(size) for size in SIZES}

    def bare_sqlite(size: int) -> Callable[[str], Any]:
        connection = sqlite3.connect(paths[size], isolation_level=None, check_same_thread=False)
        return lambda id: connection.execute(f"{GET}?", (id,)).fetchone()

    def threaded_sqlite(size: int) -> Callable[[str], Any]:
        bare = bare_sqlite(size)
        return lambda id: asyncio.to_thread(bare, id)

    async def bare_aiosqlite(size: int) -> Callable[[str], Any]:
        connection = await aiosqlite.connect(paths[size], isolation_level=None)

        async def get(id: str) -> Any:
            async with connection.execute(f"{GET}?", (id,)) as cursor:
                return await cursor.fetchone()

        return get

    def bare_psycopg(size: int) -> Callable[[str], Any]:
        url = server.url("psycopg", f"size_{size}").replace("+psycopg", "")
        connection = psycopg.connect(url, autocommit=True)
        return lambda id: connection.execute(f"{GET}%s", (id,)).fetchone()

    def bare_sqlalchemy(size: int) -> Callable[[str], Any]:
        engine, statement = plain[size], text(f"{GET}:id")

        def get(id: str) -> Any:
            with engine.connect() as connection:  # type: ignore[attr-defined]
                return connection.execute(statement, {"id": id}).first()

        return get

    async def bare_asyncpg(size: int) -> Callable[[str], Any]:
        url = server.url("psycopg", f"size_{size}").replace("+psycopg", "")
        connection = await asyncpg.connect(url)
        return lambda id: connection.fetchrow(f"{GET}$1", id)

    sqlite = {size: SQLiteStore(paths[size]) for size in SIZES}
    plain = of(lambda size: create_engine(server.url("psycopg", f"size_{size}")))  # type: ignore[arg-type, return-value]
    loop = of(lambda size: create_async_engine(server.url("asyncpg", f"size_{size}")))  # type: ignore[arg-type, return-value]
    file = of(lambda size: create_engine(f"sqlite:///{paths[size]}"))  # type: ignore[arg-type, return-value]
    return [
        Contender("memory: MemoryStore", of(lambda n: stepped(memory[n])), waits=False),
        Contender("sqlite3", of(bare_sqlite), waits=False),
        Contender("SQLiteStore, Flask", of(lambda n: stepped(sqlite[n])), waits=False),
        Contender("sqlite3 in a thread", of(threaded_sqlite), waits=True),
        Contender("SQLiteStore, Quart", of(lambda n: awaited(sqlite[n])), waits=True),
        Contender("aiosqlite", {n: await bare_aiosqlite(n) for n in SIZES}, waits=True),
        Contender(
            "SQLAlchemyStore on SQLite, Flask",
            of(lambda n: stepped(SQLAlchemyStore(file[n]))),  # type: ignore[arg-type]
            waits=False,
        ),
        Contender("psycopg", of(bare_psycopg), waits=False),
        Contender(
            "SQLAlchemyStore on psycopg, Flask",
            of(lambda n: stepped(SQLAlchemyStore(plain[n]))),  # type: ignore[arg-type]
            waits=False,
        ),
        Contender("SQLAlchemy itself on psycopg", of(bare_sqlalchemy), waits=False),
        Contender("asyncpg", {n: await bare_asyncpg(n) for n in SIZES}, waits=True),
        Contender(
            "SQLAlchemyStore on asyncpg, Quart",
            of(lambda n: awaited(SQLAlchemyStore(loop[n]))),  # type: ignore[arg-type]
            waits=True,
        ),
    ]


def bytes_of(server: Postgres, size: int) -> float:
    url = server.url("psycopg", f"size_{size}").replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        [found] = connection.execute(
            "SELECT pg_total_relation_size('login_session')"
        ).fetchone() or [0]
    return float(found)


async def main(rounds: int) -> None:
    server = Postgres(log_statement="none", shared_buffers="1GB")
    with tempfile.TemporaryDirectory() as directory:
        try:
            field = await contenders(Path(directory), server)
            for number in range(rounds + 1):
                order = [(each, size) for each in field for size in SIZES]
                random.shuffle(order)
                for each, size in order:
                    await each.measure(size)
                if number == 0:  # to warm up
                    for each in field:
                        each.times = {size: [] for size in SIZES}
            print(f"{'one look-up, us':44}  {'1,000':>26}  {'1,000,000':>26}  ratio")
            for each in field:
                print(each.line())
        finally:
            server.remove()
            sys.stdout.flush()
            os._exit(0)  # Nobody closes the drivers' threads.


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 40))
