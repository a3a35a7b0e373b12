"""Is a session that was ended used by another process?  (promises.md, P5)

Three processes share a server.  One ends sessions and notes when each `delete` returned; two look
for all of them, again and again, and note when they began to look for what they found.  No look
that began after a session's end had returned may have found it.

``STORE_TRIALS=10000`` makes it 10,000 sessions for each kind of client.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from multiprocessing import get_context
from time import monotonic_ns
from typing import Any

import pytest
from stores.redis_kinds import ALL, Kind, close

from quart_login.stores._contract_kit import NOW, session
from quart_login.stores.redis import RedisStore

TRIALS = int(os.environ.get("STORE_TRIALS", "200"))
AT_A_TIME = 20


class There:
    """The server, as another process sees it."""

    def __init__(self, kind: Kind) -> None:
        self.url = kind.server.url


async def _look(store: RedisStore, exchange: Any, ids: Sequence[str], told: Any) -> dict[str, int]:
    """Look for sessions until `told`, and then once more; return when each was last seen."""
    found: dict[str, int] = {}
    last = False
    while not last:
        last = told.is_set()
        for number, id in enumerate(ids):
            began = monotonic_ns()
            if await store.get(exchange, id) is not None:
                found[id] = began
            if number % 7 == 0:
                await store.touch(exchange, id, NOW + number)
    return found


async def _end(store: RedisStore, exchange: Any, ids: Sequence[str], told: Any) -> dict[str, int]:
    """End the sessions; return when each was ended."""
    ended: dict[str, int] = {}
    for id in ids:
        assert await store.delete(exchange, id) is not None
        ended[id] = monotonic_ns()
    told.set()
    return ended


def work(
    name: str, there: Any, task: str, batches: Any, answers: Any, gate: Any, told: Any
) -> None:
    """Do *task* for one batch of ids after another, in this process."""
    kind = Kind(name, there)
    way = kind.way()

    async def run() -> None:
        store = kind.open(timeout=1.0)
        do = _end if task == "end" else _look
        while (ids := batches.get()) is not None:
            gate.wait(60)
            answers.put((task, await do(store, way.exchange, ids, told)))
        await close(store)

    way.run(run())


@pytest.mark.parametrize("name", ALL)
def test_no_process_uses_a_session_after_its_end(name: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("redis_cluster" if "cluster" in name else "redis_server")
    server.clear()
    kind = Kind(name, server)
    spawn = get_context("spawn")
    gate, told, answers = spawn.Barrier(3), spawn.Event(), spawn.Queue()
    batches = [spawn.Queue() for _ in range(3)]
    tasks = ("end", "look", "look")
    processes = [
        spawn.Process(target=work, args=(name, There(kind), task, queue, answers, gate, told))
        for task, queue in zip(tasks, batches, strict=True)
    ]
    for process in processes:
        process.start()
    ended_of_all = seen = 0
    try:
        for first in range(0, TRIALS, AT_A_TIME):
            ids: list[str] = []

            async def fill(first: int = first, ids: list[str] = ids) -> None:
                store, way = kind.open(), kind.way()
                for number in range(first, first + AT_A_TIME):
                    user_id = f"user {number % 50}"
                    ids.append(store.make_id(user_id))
                    await store.add(way.exchange, session(number, user_id, id=ids[-1]))
                await close(store)

            kind.way().run(fill())
            told.clear()
            for queue in batches:
                queue.put(ids)
            results = [answers.get(timeout=60) for _ in processes]
            [ended] = [times for task, times in results if task == "end"]
            for task, times in results:
                if task == "look":
                    assert all(began <= ended[id] for id, began in times.items())
                    seen += len(times)
            ended_of_all += len(ended)
    finally:
        for queue in batches:
            queue.put(None)
        for process in processes:
            process.join(30)
    assert ended_of_all >= TRIALS
    assert seen > 0
    assert [process.exitcode for process in processes] == [0, 0, 0]
