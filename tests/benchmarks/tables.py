"""How do sessions get into a store by the million, and how many bytes has each there?"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine
from stores.postgres import Postgres
from stores.redis_server import RedisServer

from quart_login._core.step import step
from quart_login.stores import LoginSession
from quart_login.stores._contract_kit import Calls, session
from quart_login.stores._rows import COLUMNS, due, row_of
from quart_login.stores.memory import MemoryStore
from quart_login.stores.redis import RedisStore, _write
from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore

NAMES = ", ".join(COLUMNS)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
A_USER = 3  # sessions of a user
#: Sessions that are sent to Redis at once.
_AT_ONCE = 2_000

calls: Any = Calls()


def id_of(number: int) -> str:
    """Return an id that is nowhere near that of the next number."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:022d}"


def one(number: int, user_id: str, id: str) -> LoginSession:
    """Return a session as a browser makes it."""
    return session(
        number,
        user_id,
        id=id,
        digest=secrets.token_hex(32),
        method="password",
        agent=AGENT,
        address="203.0.113.77",
        idle=86400.0,
    )


def sessions(size: int) -> Iterator[LoginSession]:
    for number in range(size):
        yield one(number, f"user {number // A_USER}", id_of(number))


def rows(size: int) -> Iterator[tuple[Any, ...]]:
    return ((*row_of(each), due(each)) for each in sessions(size))


def fill_memory(size: int) -> MemoryStore:
    store = MemoryStore()
    for each in sessions(size):
        step(store.add(calls, each))
    return store


def fill_sqlite(path: Path, size: int) -> float:
    """Fill the file at *path*; return the bytes a session."""
    store = SQLiteStore(path)
    step(store.check(calls))
    [connection] = store._all
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO login_session ({NAMES}, due) VALUES ({marks})", rows(size))
    connection.execute("COMMIT")
    store.close()
    return path.stat().st_size / size


def address(server: Postgres, size: int, driver: str = "") -> str:
    """Return the address of the database with *size* sessions, by a driver or of SQLAlchemy."""
    url = server.url(driver or "psycopg", f"size_{size}")
    return url if driver else url.replace("+psycopg", "")


def fill_postgres(server: Postgres, size: int) -> float:
    """Fill a database of *server*; return the bytes a session."""
    server.run(f"CREATE DATABASE size_{size}")
    engine = create_engine(address(server, size, "psycopg"))
    step(SQLAlchemyStore(engine, create=True).check(calls))
    engine.dispose()
    with psycopg.connect(address(server, size), autocommit=True) as connection:
        with connection.cursor().copy(f"COPY login_session ({NAMES}, due) FROM STDIN") as copy:
            for row in rows(size):
                copy.write_row(row)
        connection.execute("VACUUM ANALYZE login_session")
        total = connection.execute("SELECT pg_total_relation_size('login_session')")
        return float(total.fetchone()[0]) / size


def fill_redis(server: RedisServer, size: int, a_user: int = A_USER) -> tuple[float, list[str]]:
    """Fill *server*, and nothing else; return the bytes a session, and some ids."""
    server.run("FLUSHALL", "SYNC")
    before, ids = server.run("INFO", "memory")["used_memory"], []
    store = RedisStore.from_url(server.url, is_async=False)
    with server.client(socket_timeout=60) as client:
        for start in range(0, size, _AT_ONCE):
            pipeline = client.pipeline(transaction=False)
            for number in range(start, min(start + _AT_ONCE, size)):
                user_id = f"user {number // a_user}"
                each = one(number, user_id, store.make_id(user_id))
                record, key = _write(each), store._key(each.id)
                pipeline.hset(key, each.id, f"{record.version} {record.seen}{record.rest}")
                pipeline.pexpire(key, 31 * 86_400_000)
                if number % max(size // 1000, 1) == 0:
                    ids.append(each.id)
            pipeline.execute()
    return (server.run("INFO", "memory")["used_memory"] - before) / size, ids
