"""What if Redis is down, hangs, is full or forgets, or the line is cut?  (attacks.md, 3.J)"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import redis
from redis.exceptions import RedisClusterException
from stores.redis_kinds import ALL, ALONE, CLUSTER, Kind, RedisKept, close, on
from stores.redis_server import Proxy, RedisServer

from quart_login.stores import LoginSession
from quart_login.stores._contract_kit import HOUR, NOW, after

#: What the driver raises where nobody answers.
NOBODY = (redis.ConnectionError, redis.TimeoutError, RedisClusterException)

QUICK = {"timeout": 0.25}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail if it takes longer."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


def uses(kept: RedisKept, one: LoginSession) -> list[Callable[[], Coroutine[Any, Any, Any]]]:
    """Return all that can be done with the session *one*."""
    return [
        partial(kept.get, one.id),
        partial(kept.add, kept.new(9)),
        partial(kept.add, kept.new(9), limit=1),
        partial(kept.swap, one, after(one)),
        partial(kept.touch, one.id, NOW + HOUR),
        partial(kept.delete, one.id),
        partial(kept.delete_user, "7"),
        partial(kept.list, "7"),
        partial(kept.purge, NOW),
        partial(kept.check),
    ]


@contextmanager
def a_server(**options: str) -> Iterator[RedisServer]:
    server = RedisServer(**options)
    try:
        yield server
    finally:
        server.remove()


def alone(
    name: str, server: RedisServer, test: Callable[[RedisKept], Coroutine[Any, Any, None]]
) -> None:
    """Run *test* on a server of its own."""

    async def run() -> None:
        kind = Kind(name, server)
        store = kind.open(**QUICK)
        try:
            await test(RedisKept(store, store, kind.way(), kind))
        finally:
            await close(store)

    Kind(name, server).way().run(run())


# --- nobody answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALONE)
def test_109_122_123_a_server_that_is_down_is_an_error_at_once(name: str) -> None:
    async def test(kept: RedisKept) -> None:
        one = kept.new()
        await kept.add(one)
        server.stop()
        for use in uses(kept, one):
            with within(0.5), pytest.raises(NOBODY):
                await use()

    with a_server() as server:
        alone(name, server, test)


@on(*ALL, timeout=0.1)
async def test_110_a_server_that_hangs_is_an_error_soon(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    patience = 0.1
    if kept.kind.name in CLUSTER:  # whose clients ask each of three nodes who is there
        patience *= 4
    kept.server.suspend()
    try:
        for use in uses(kept, one):
            with within(patience + 0.25), pytest.raises(NOBODY):
                await use()
    finally:
        kept.server.resume()


@on("async", "async cluster", timeout=5)
async def test_110_who_stops_waiting_spoils_no_connection(kept: RedisKept) -> None:
    """As the core does after 250 ms."""
    one, other = kept.new(1), kept.new(2, "8")
    await kept.add(one)
    await kept.add(other)
    kept.server.suspend()
    try:
        for look in (one, other, one):
            with within(0.3), pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await kept.get(look.id)
    finally:
        kept.server.resume()
    for _ in range(5):
        assert await kept.get(one.id) == one
        assert await kept.get(other.id) == other


@on(*CLUSTER, **QUICK)
async def test_a_node_that_hangs_is_the_trouble_of_its_own_users(kept: RedisKept) -> None:
    sessions = [kept.new(number, f"user {number}") for number in range(30)]
    for one in sessions:
        await kept.add(one)
    hanging = kept.server.nodes[1]
    there = set(hanging.run("KEYS", "*"))
    hanging.suspend()
    failed = 0
    try:
        for one in sessions:
            if kept.key(one.id).encode() not in there:
                assert await kept.get(one.id) == one
            elif failed < 2:
                failed += 1
                with within(1.25), pytest.raises(NOBODY):
                    await kept.get(one.id)
    finally:
        hanging.resume()
    assert failed == 2
    for one in sessions:
        assert await kept.get(one.id) == one


@pytest.mark.parametrize("name", ALONE)
def test_a_server_that_starts_again_is_empty_and_everybody_logged_out(name: str) -> None:
    async def test(kept: RedisKept) -> None:
        one = kept.new()
        for use in (partial(kept.get, one.id), partial(kept.list, "7")):
            await kept.add(one)
            server.restart()
            assert await use() in (None, [])
        assert await kept.swap(one, after(one)) is False
        await kept.touch(one.id, NOW + HOUR)
        assert await kept.get(one.id) is None
        assert await kept.add(one) == []
        assert await kept.get(one.id) == one

    with a_server() as server:
        alone(name, server, test)


# --- the line is cut -----------------------------------------------------------------------------


@contextmanager
def cut_off(kept: RedisKept, bytes_of_answer: int) -> Iterator[tuple[RedisKept, Proxy]]:
    """Return the same store, behind a line that can be cut."""
    proxy = Proxy(kept.server.port)
    proxy.bytes_of_answer = bytes_of_answer
    try:
        store = kept.kind.open(f"redis://127.0.0.1:{proxy.port}", **QUICK)
        yield replace(kept, store=store), proxy
    finally:
        proxy.close()


@pytest.mark.parametrize("bytes_of_answer", [0, 1])
@pytest.mark.parametrize("number", range(1, 7))
def test_111_a_write_whose_answer_is_lost_is_an_error_and_done_once(
    redis_server: RedisServer, number: int, bytes_of_answer: int
) -> None:
    for name in ALONE:
        redis_server.clear()
        kind = Kind(name, redis_server)
        kind.way().run(_lose_an_answer(kind, number, bytes_of_answer))


async def _lose_an_answer(kind: Kind, number: int, bytes_of_answer: int) -> None:
    here = kind.open()
    kept = RedisKept(here, here, kind.way(), kind)
    with cut_off(kept, bytes_of_answer) as (there, proxy):
        one = there.new()
        for use in uses(there, one):  # Let the server know the scripts, and the client the line.
            await use()
        await there.delete_user("7")
        await there.add(one)
        kind.server.run("CONFIG", "RESETSTAT")
        proxy.cuts = 1
        with pytest.raises(NOBODY):
            await uses(there, one)[number]()
        assert proxy.cuts == 0
        assert kind.server.calls("evalsha") == 1
        # It was done, and is seen on a new line, too.
        assert (await there.get(one.id) is None) is (number in (2, 5, 6))
        assert await there.get(one.id) == await kept.get(one.id)
        await close(there.store)
    await close(here)


@pytest.mark.parametrize("bytes_of_answer", [0, 1, 40])
def test_111_a_reading_whose_line_was_cut_is_tried_once_more(
    redis_server: RedisServer, bytes_of_answer: int
) -> None:
    async def test(kind: Kind) -> None:
        here = kind.open()
        kept = RedisKept(here, here, kind.way(), kind)
        one = kept.new()
        await kept.add(one)
        with cut_off(kept, bytes_of_answer) as (there, proxy):
            assert await there.get(one.id) == one
            looks = ((partial(there.get, one.id), "hget"), (partial(there.list, "7"), "hgetall"))
            for look, command in looks:
                before = kept.server.calls(command)
                proxy.cuts = 1
                assert await look() in (one, [one])
                assert (proxy.cuts, kept.server.calls(command) - before) == (0, 2)
            # Once more, and not twice.
            proxy.cuts = 9
            with pytest.raises(NOBODY):
                await there.get(one.id)
            assert proxy.cuts == 7
            proxy.cuts = 0
            assert await there.get(one.id) == one
            await close(there.store)
        await close(here)

    for name in ALONE:
        redis_server.clear()
        kind = Kind(name, redis_server)
        kind.way().run(test(kind))


# --- it is full ----------------------------------------------------------------------------------


@on(*ALL)
async def test_a_full_server_lets_nobody_in_and_everybody_out(kept: RedisKept) -> None:
    one, other, third = (kept.new(number) for number in (1, 2, 3))
    await kept.add(one)
    await kept.add(other)
    nodes = getattr(kept.server, "nodes", [kept.server])
    for node in nodes:
        node.run("CONFIG", "SET", "maxmemory", "1")  # and its policy is to evict nothing
    try:
        for write in (
            partial(kept.add, third),
            partial(kept.add, third, limit=1),
            partial(kept.swap, one, after(one)),
            partial(kept.touch, one.id, NOW + HOUR),
        ):
            with pytest.raises(redis.ResponseError, match="maxmemory"):
                await write()
        assert await kept.list("7") == [other, one]
        assert await kept.delete(one.id) == one
        assert await kept.purge(NOW) == 0
        assert await kept.delete_user("7") == [other]
        assert await kept.list("7") == []
    finally:
        for node in nodes:
            node.run("CONFIG", "SET", "maxmemory", "0")
    assert await kept.add(third) == []


@pytest.mark.parametrize("name", ALONE)
def test_113_what_is_evicted_is_logged_out_wholly(name: str) -> None:
    async def test(kept: RedisKept) -> None:
        users = {
            f"user {number}": [kept.new(n, f"user {number}") for n in range(3)]
            for number in range(3000)
        }
        for number, user_id in enumerate(users):
            if number == 1000:
                used = server.run("INFO", "memory")["used_memory"]
                server.run("CONFIG", "SET", "maxmemory", str(used))
            for one in users[user_id]:
                await kept.add(one, limit=9)
        assert server.run("INFO", "stats")["evicted_keys"] > 0
        alive = 0
        for user_id, sessions in users.items():
            listed = [one.id for one in await kept.list(user_id)]
            assert listed == [one.id for one in reversed(sessions) if await kept.get(one.id)]
            await kept.delete_user(user_id)
            alive += len(listed)
            assert [await kept.get(one.id) for one in sessions] == [None] * 3
        assert 0 < alive < 9000

    with a_server(maxmemory_policy="allkeys-lru") as server:
        alone(name, server, test)
