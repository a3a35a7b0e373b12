"""What does a look-up in Redis cost, beside the driver's own; and how many bytes has a session?

    python -m benchmarks.redis_store [sessions ...]      (with tests/ on the path; 1000 1000000)

Rounds of each are interleaved; the medians of their times are shown, in microseconds a call, and
the ratio's, with its 5th and 95th percentile.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from stores.redis_kinds import Kind, close
from stores.redis_server import RedisServer

from quart_login.stores import LoginSession
from quart_login.stores._redis_scripts import TOUCH
from quart_login.stores.contract import DAY, HOUR, NOW, Calls, Threads
from quart_login.stores.redis import RedisStore, _write

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0.0.0 Safari/537.36"
)
ROUNDS, CALLS = 40, 300


def realistic(store: RedisStore, number: int, a_user: int) -> LoginSession:
    user_id = str(10_000_000 + number // a_user)
    now = NOW + number * 0.123457
    return LoginSession(
        id=store.make_id(user_id),
        user_id=user_id,
        created=now,
        seen=now + 60.5,
        expires=now + 30 * DAY,
        digest=secrets.token_hex(32),
        fresh_since=now,
        method="password",
        agent=AGENT,
        address="203.0.113.77",
        idle=HOUR,
    )


def fill(server: RedisServer, count: int, a_user: int) -> tuple[list[str], float, int]:
    """Keep *count* sessions; return some ids, bytes a session, and bytes of the last key."""
    server.run("FLUSHALL", "SYNC")
    store = RedisStore.from_url(server.url, is_async=False)
    before, ids = server.run("INFO", "memory")["used_memory"], []
    with server.client() as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(count):
            one = realistic(store, number, a_user)
            record = _write(one)
            key = store._key(one.id)
            pipeline.hset(key, one.id, f"{record.version} {record.seen}{record.rest}")
            pipeline.pexpire(key, 31 * int(DAY) * 1000)
            if number % max(count // 1000, 1) == 0:
                ids.append(one.id)
            if number % 10_000 == 0:
                pipeline.execute()
        pipeline.execute()
        used = client.info("memory")["used_memory"] - before
        return ids, used / count, client.memory_usage(key, samples=0)


async def measure(
    ways: dict[str, Callable[[str], Awaitable[Any]]], ids: Sequence[str]
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    random = Random(7)
    for _ in range(ROUNDS):
        chosen = random.choices(ids, k=CALLS)
        for name, way in ways.items():
            start = perf_counter()
            for id in chosen:
                await way(id)
            times[name].append((perf_counter() - start) / CALLS * 1e6)
    return times


def show(times: dict[str, list[float]], of: str) -> None:
    for name, values in times.items():
        ratios = [mine / bare for mine, bare in zip(values, times[of], strict=True)]
        cuts = quantiles(ratios, n=20)
        print(
            f"  {name:34} {median(values):7.1f} us   x {median(ratios):.2f}"
            f" ({cuts[0]:.2f} to {cuts[-1]:.2f})"
        )


async def look_up(kind: Kind, ids: Sequence[str]) -> None:
    store = kind.open()
    exchange: Any = Threads() if kind.is_async else Calls()
    client: Any = store._client
    strings = [f"bare:{id}" for id in ids]
    record = "x" * 340

    async def bare(*command: Any) -> Any:
        found = client.execute_command(*command)
        return await found if kind.is_async else found

    for key in strings:
        await bare("SET", key, record)
    ways: dict[str, Callable[[str], Awaitable[Any]]] = {
        "the driver's GET of a string": lambda id: bare("GET", f"bare:{id}"),
        "the driver's HGET": lambda id: bare("HGET", store._key(id), id),
        "RedisStore.get": lambda id: store.get(exchange, id),
        "the driver's EVALSHA of a touch": lambda id: bare(
            "EVALSHA", TOUCH.sha, 1, store._key(id), id, "1.0"
        ),
        "RedisStore.touch": lambda id: store.touch(exchange, id, 1.0),
        "RedisStore.list": lambda id: store.list(exchange, "10000000"),
    }
    await store.touch(exchange, ids[0], 1.0)
    show(await measure(ways, ids), "the driver's HGET")
    for key in strings:
        await bare("DEL", key)
    await close(store)


def main(counts: Sequence[int]) -> None:
    server = RedisServer()
    try:
        version = server.run("INFO", "server")
        print(
            version.get("server_name", "redis"),
            version.get("valkey_version") or version["redis_version"],
        )
        for count in counts:
            for a_user in (3, 1):
                ids, each, key = fill(server, count, a_user)
                print(
                    f"{count:,} sessions, {a_user} a user: {each:.0f} bytes each;"
                    f" MEMORY USAGE of a user's key {key}"
                )
            for name in ("sync", "async"):
                print(f" {name}, {count:,} sessions")
                asyncio.run(look_up(Kind(name, server), ids))
    finally:
        server.remove()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1000, 1_000_000])
