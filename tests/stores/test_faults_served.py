"""What a site's visitors see while its store of login sessions is down, hangs, is cut off, full,
locked or damaged: section 3.J of the survey of attacks with real servers, under its rows' numbers.

The stores' own tests say what each of them raises; here it is what becomes of that: 503 on
protected views and within the deadline, public pages as ever, and never a login.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from registry import copy, logged_in, registered
from sites import SITES, Browser
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from stores.machine import locked, sql
from stores.postgres import Postgres
from stores.redis_server import Proxy, RedisServer

from quart_login._core import listing
from quart_login._exchange import anywhere
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore

#: The core's time limit for one call of a store, and what a busy machine may take besides.
DEADLINE, SLACK = 0.25, 2.0

#: What it is where nothing is out of order, in seconds.
PATIENCE = 20

REDIS = ["flask", "quart", "quart async"]
POSTGRES = ["flask psycopg", "quart psycopg", "quart psycopg async", "quart asyncpg async"]
BOTH = pytest.mark.parametrize("shell", ["flask", "quart"])


@contextmanager
def impatient(site: Any) -> Iterator[None]:
    """Let the core give up as it does by default.  (Else the tests let a busy machine take its
    time: to connect anew, say.)
    """
    site.app.config["LOGIN_STORE_TIMEOUT"] = DEADLINE
    try:
        yield
    finally:
        site.app.config["LOGIN_STORE_TIMEOUT"] = PATIENCE


@contextmanager
def within(calls: int) -> Iterator[None]:
    """Fail if it takes longer than so many calls of the store may."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < calls * DEADLINE + SLACK


async def fails_closed(browser: Browser, *, reads: bool = False) -> None:
    """Assert what *browser*, which is logged in, and strangers see of a store that is out of order;
    *reads* says whether it can yet be read.
    """
    with impatient(browser.site):
        await _fails_closed(browser, reads)


async def _fails_closed(browser: Browser, reads: bool) -> None:
    jar, site = dict(browser.jar), browser.site
    with within(2):
        answer = await browser.get("/private")
        if reads:
            assert answer == (200, "private of user 1")
        else:
            assert answer.status == 503 and "user 1" not in answer.text
    with within(2):
        assert await browser.get("/public") == (200, "public")
        assert await browser.get("/me") == (200, "user 1" if reads else "anonymous")
    assert browser.jar == jar  # Nobody is logged out by it.
    stranger = site.browser()
    with within(0):
        assert await stranger.get("/public") == (200, "public")
        assert await stranger.get("/me") == (200, "anonymous")
        assert (await stranger.get("/private")).status == 401
    with within(3):
        answer = await stranger.get("/in/1?remember=1")
        assert answer.status == 503 and answer.set_cookies == []  # row 123
    leaver = copy(browser)
    with within(3):
        answer = await leaver.get("/out")
        assert answer.status == 503  # row 122: the caller knows that the record may live,
        assert leaver.jar == {}  # and the browser is logged out.
    for path in ("/revoke-others", "/revoke-user/1"):
        with within(3):
            assert (await copy(browser).get(path)).status == 503


async def serves_again(browser: Browser, *, remembers: bool = True) -> None:
    """Assert that all is well again; *remembers* says whether the store kept what it had."""
    answer = await browser.get("/private")
    assert answer == (200, "private of user 1") if remembers else answer.status == 401
    fresh = await logged_in(browser.site, "/in/1?remember=1")
    assert await fresh.get("/very") == (200, "very private of user 1")
    assert await fresh.get("/out") == (200, "True")
    if remembers:
        assert await browser.get("/out") == (200, "True")


# --- Redis ---------------------------------------------------------------------------------------


@asynccontextmanager
async def on_redis(kind: str, url: str) -> AsyncIterator[Any]:
    shell, _, is_async = kind.partition(" ")
    store = RedisStore.from_url(url, is_async=bool(is_async), timeout=1)
    site = registered(SITES[shell], {"LOGIN_STORE_TIMEOUT": PATIENCE}, sessions=store)
    yield site
    client: Any = store._client
    closed = client.aclose() if hasattr(client, "aclose") else client.close()
    if isawaitable(closed):
        await closed


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.remove()


@pytest.mark.parametrize("kind", REDIS)
async def test_109_redis_is_down(redis: RedisServer, kind: str) -> None:
    async with on_redis(kind, redis.url) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        redis.stop()
        await fails_closed(browser)
        redis.start()  # empty
        await serves_again(browser, remembers=False)


@pytest.mark.parametrize("kind", REDIS)
async def test_110_redis_hangs(redis: RedisServer, kind: str) -> None:
    async with on_redis(kind, redis.url) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        redis.suspend()
        try:
            await fails_closed(browser)
            for _ in range(10):  # It does not get worse.
                with within(1), impatient(site):
                    assert (await browser.get("/private")).status == 503
        finally:
            redis.resume()
        # What was sent while it hung may happen now: a logout that may have failed. Nobody is in
        # who should not be.
        assert (await browser.get("/me")).text in ("user 1", "anonymous")
        await serves_again(await logged_in(site, "/in/1?remember=1"))


@pytest.mark.parametrize("kind", REDIS)
async def test_110_a_login_that_was_given_up_is_nobody_s(redis: RedisServer, kind: str) -> None:
    async with on_redis(kind, redis.url) as site:
        await logged_in(site, "/in/2")
        redis.suspend()
        browser = site.browser()
        try:
            with impatient(site):
                assert (await browser.get("/in/1?remember=1")).status == 503
        finally:
            redis.resume()
        assert browser.jar == {}
        assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("kind", REDIS)
@pytest.mark.parametrize("bytes_of_answer", [0, 1, 40])
async def test_111_the_line_to_redis_is_cut_in_the_middle(
    redis: RedisServer, kind: str, bytes_of_answer: int
) -> None:
    proxy = Proxy(redis.port)
    proxy.bytes_of_answer = bytes_of_answer
    try:
        async with on_redis(kind, f"redis://127.0.0.1:{proxy.port}") as site:
            browser = await logged_in(site, "/in/1?remember=1")
            await browser.get("/private")
            proxy.cuts = 1  # What only reads is asked once more.
            with within(1):
                assert await browser.get("/private") == (200, "private of user 1")
            assert proxy.cuts == 0
            proxy.cuts = 99
            await fails_closed(browser)
            proxy.cuts = 0
            stranger = site.browser()
            assert await stranger.get("/me") == (200, "anonymous")
            # The answer to the logout was lost, so it was done, or not; the other way is no login.
            assert (await browser.get("/me")).text in ("user 1", "anonymous")
            await serves_again(await logged_in(site, "/in/1?remember=1"))
    finally:
        proxy.close()


@pytest.mark.parametrize("kind", REDIS)
async def test_113_redis_evicts_and_is_emptied(redis: RedisServer, kind: str) -> None:
    async with on_redis(kind, redis.url) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        copies = [copy(browser, *names) for names in ((), ("session",), ("remember_token",))]
        redis.run("FLUSHALL")
        for one in copies:
            assert (await one.get("/private")).status == 401
        redis.restart()
        await serves_again(browser, remembers=False)


@pytest.mark.parametrize("kind", REDIS)
async def test_117_redis_is_full(redis: RedisServer, kind: str) -> None:
    """It lets nobody in, everybody out, and whoever is in goes on (row 124)."""
    async with on_redis(kind, redis.url) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        redis.run("CONFIG", "SET", "maxmemory", "1")
        site.clock.advance(seconds=61)
        assert await browser.get("/private") == (200, "private of user 1")
        stranger = site.browser()
        answer = await stranger.get("/in/1")
        assert answer.status == 503 and answer.set_cookies == []
        assert (await copy(browser, "remember_token").get("/private")).status == 503
        left = copy(browser)
        assert await browser.get("/out") == (200, "True")
        assert await left.get("/me") == (200, "anonymous")
        redis.run("CONFIG", "SET", "maxmemory", "0")
        await serves_again(browser, remembers=False)


@pytest.mark.parametrize("kind", REDIS)
@pytest.mark.parametrize("junk", [b"", b"junk", b"\xff\x00", b"[]", b'{"id": 1}', b"[1,2,3]"])
async def test_117_redis_holds_corrupt_bytes(redis: RedisServer, kind: str, junk: bytes) -> None:
    async with on_redis(kind, redis.url) as site:
        browser = await logged_in(site, "/in/1")
        id = browser.session()["_login_session"][:22]
        redis.run("HSET", f"login:{{{id[:6]}}}", id, junk)
        assert (await browser.get("/private")).status == 503
        assert await browser.get("/me") == (200, "anonymous")
        other = await logged_in(site, "/in/1")  # A login of the same user's, and another's
        assert await other.get("/private") == (200, "private of user 1")
        assert await (await logged_in(site, "/in/2")).get("/me") == (200, "user 2")
        await site.browser().get("/revoke-user/1")
        assert (await browser.get("/private")).status == 401


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres_alone() -> Iterator[Postgres]:
    """Return a server that no other test uses, as this one is killed."""
    server = Postgres()
    yield server
    server.remove()


@asynccontextmanager
async def on_postgres(kind: str, server: Postgres, **options: Any) -> AsyncIterator[Any]:
    shell, driver, *asynchronous = kind.split()
    server.run("DROP TABLE IF EXISTS login_session")
    make: Callable[..., Any] = create_async_engine if asynchronous else create_engine
    engine = make(server.url(driver), **options)
    store = SQLAlchemyStore(engine, create=True)
    site = registered(SITES[shell], {"LOGIN_STORE_TIMEOUT": PATIENCE}, sessions=store)
    site.engine = engine
    if shell == "quart":
        async with site.app.app_context():
            await listing.check_store(anywhere(site.manager))
    else:  # The first request makes the table.
        assert await site.browser().get("/public") == (200, "public")
    try:
        yield site
    finally:
        server.resume()
        await settled(engine)
        disposed = engine.dispose()
        if isawaitable(disposed):
            await disposed


async def settled(engine: Any) -> None:
    """Wait until what was given up has ended, and given back its connection."""
    pool = getattr(engine, "sync_engine", engine).pool
    for _ in range(1000):
        if pool.checkedout() == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a connection is not given back")


@pytest.mark.parametrize("kind", POSTGRES)
async def test_109_118_postgres_is_killed_and_comes_back(
    postgres_alone: Postgres, kind: str
) -> None:
    async with on_postgres(kind, postgres_alone) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        postgres_alone.stop()
        try:
            await fails_closed(browser)
        finally:
            postgres_alone.start()
        assert await browser.get("/private") == (200, "private of user 1")
        await serves_again(browser)


@pytest.mark.parametrize("kind", POSTGRES)
async def test_110_postgres_hangs(postgres_alone: Postgres, kind: str) -> None:
    async with on_postgres(kind, postgres_alone, pool_size=20) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        postgres_alone.suspend()
        try:
            await fails_closed(browser)
        finally:
            postgres_alone.resume()
        await settled(site.engine)
        assert (await browser.get("/me")).text in ("user 1", "anonymous")
        await serves_again(await logged_in(site, "/in/1?remember=1"))


@pytest.mark.parametrize("kind", POSTGRES)
async def test_118_the_connection_is_reset_in_the_middle_of_a_write(
    postgres_alone: Postgres, kind: str
) -> None:
    """A login is taken as failed; a revocation says that it failed, and is done when repeated."""
    async with on_postgres(kind, postgres_alone) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        # What writes waits for a lock until its time is over, and has done nothing.
        with postgres_alone.held("LOCK TABLE login_session IN SHARE ROW EXCLUSIVE MODE"):
            await fails_closed(browser, reads=True)
        await settled(site.engine)
        # Where a thread waited, what was given up is done now; nobody got a login of it.
        browser = await logged_in(site, "/in/1?remember=1")
        other = await logged_in(site, "/in/1")
        assert (await browser.get("/revoke-others")).text in ("1", "2")
        assert len((await browser.get("/sessions")).text.split()) == 1
        assert await other.get("/me") == (200, "anonymous")
        await serves_again(browser)


@pytest.mark.parametrize("kind", POSTGRES)
async def test_111_every_connection_was_cut_between_two_requests(
    postgres_alone: Postgres, kind: str
) -> None:
    async with on_postgres(kind, postgres_alone) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        for path in ("/private", "/sessions"):
            postgres_alone.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            answer = await browser.get(path)  # It only reads, so it is tried again.
            assert answer.status == 200
        await serves_again(browser)


@pytest.mark.parametrize("kind", POSTGRES)
async def test_119_the_pool_is_exhausted(postgres_alone: Postgres, kind: str) -> None:
    """Somebody holds the only connection, idle in a transaction."""
    options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 30}
    async with on_postgres(kind, postgres_alone, **options) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        connection = site.engine.connect()
        if isawaitable(connection):
            connection = await connection
        try:
            await fails_closed(browser)
        finally:
            closed = connection.close()
            if isawaitable(closed):
                await closed
        await settled(site.engine)
        assert (await browser.get("/me")).text in ("user 1", "anonymous")
        await serves_again(await logged_in(site, "/in/1?remember=1"))


@pytest.mark.parametrize("kind", POSTGRES)
async def test_125_the_schema_is_missing_or_older(postgres_alone: Postgres, kind: str) -> None:
    async with on_postgres(kind, postgres_alone) as site:
        browser = await logged_in(site, "/in/1")
        postgres_alone.run("ALTER TABLE login_session DROP COLUMN former")
        assert (await browser.get("/private")).status == 503
        assert await browser.get("/public") == (200, "public")
        postgres_alone.run("DROP TABLE login_session")
        assert (await browser.get("/private")).status == 503
        assert (await site.browser().get("/in/1")).status == 503


# --- SQLite --------------------------------------------------------------------------------------


@contextmanager
def on_sqlite(shell: str, path: Path) -> Iterator[Any]:
    store = SQLiteStore(path)
    try:
        yield registered(SITES[shell], {"LOGIN_STORE_TIMEOUT": PATIENCE}, sessions=store)
    finally:
        store.close()


@BOTH
async def test_115_another_process_holds_the_lock(shell: str, ram: Path) -> None:
    """Who reads does not wait; who writes gives up in time; who was seen is not noted (124)."""
    path = ram / "sessions.sqlite"
    with on_sqlite(shell, path) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        with locked(path):
            await fails_closed(browser, reads=True)
            site.clock.advance(seconds=61)
            with within(1):
                assert await browser.get("/private") == (200, "private of user 1")
            with within(2):
                assert (await copy(browser, "remember_token").get("/private")).status == 503
        await serves_again(browser)


@BOTH
async def test_116_no_login_fails_because_another_begins_at_the_same_time(
    shell: str, ram: Path
) -> None:
    """Two applications on one file: each write may write from its beginning."""
    path = ram / "sessions.sqlite"
    with on_sqlite(shell, path) as site, on_sqlite("flask", path) as other:
        other.clock = site.clock
        for _ in range(30):
            browser, there = await logged_in(site), await logged_in(other, "/in/2")
            assert await browser.get("/in/2") == (200, "True")
            assert await there.get("/out") == (200, "True")
        assert len(sql(path, "SELECT id FROM login_session")) == 30


@BOTH
@pytest.mark.parametrize("damage", ["seen = 'soon'", "digest = x'ff'", "expires = 9e999"])
async def test_117_corrupt_bytes_in_a_row(shell: str, ram: Path, damage: str) -> None:
    path = ram / "sessions.sqlite"
    with on_sqlite(shell, path) as site:
        browser, other = await logged_in(site), await logged_in(site, "/in/2")
        id = browser.session()["_login_session"][:22]
        sql(path, f"UPDATE login_session SET {damage} WHERE id = ?", id)
        assert (await browser.get("/private")).status == 503
        assert await browser.get("/me") == (200, "anonymous")
        assert await other.get("/me") == (200, "user 2")
        await site.browser().get("/revoke-user/1")
        assert (await browser.get("/private")).status == 401


@BOTH
async def test_117_the_disk_is_full(shell: str, ram: Path) -> None:
    path = ram / "sessions.sqlite"
    with on_sqlite(shell, path) as site:
        browser = await logged_in(site, "/in/1?remember=1")
        for connection in site.manager.sessions._all:
            [pages] = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        full = False
        for number in range(200):
            answer = await site.browser().get("/in/1", headers={"User-Agent": f"{number}" * 150})
            assert answer.status in (200, 503)
            assert answer.status == 200 or answer.set_cookies == []
            full = full or answer.status == 503
        assert full
        assert await browser.get("/private") == (200, "private of user 1")
        left = copy(browser)
        assert await browser.get("/out") == (200, "True")
        assert await left.get("/me") == (200, "anonymous")


@BOTH
async def test_117_the_file_is_gone_or_cut(shell: str, ram: Path) -> None:
    path = ram / "sessions.sqlite"
    with on_sqlite(shell, path) as site:
        browser = await logged_in(site)
    with path.open("r+b") as file:
        file.truncate(4096 + 100)
    with on_sqlite(shell, path) as site:
        again = site.browser()
        again.jar = dict(browser.jar)
        assert (await again.get("/private")).status >= 500
        if shell == "quart":  # Flask looks at the file before its first request, and refuses.
            assert await again.get("/public") == (200, "public")
            assert await again.get("/me") == (200, "anonymous")


@BOTH
async def test_120_what_lacks_its_half_is_no_login(shell: str, ram: Path) -> None:
    """A row without its user, and one without what it is due by."""
    path = ram / "sessions.sqlite"
    with on_sqlite(shell, path) as site:
        browser, other = await logged_in(site), await logged_in(site, "/in/1")
        id = browser.session()["_login_session"][:22]
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("UPDATE login_session SET user_id = '' WHERE id = ?", (id,))
        assert (await browser.get("/private")).status == 401
        assert await other.get("/private") == (200, "private of user 1")
