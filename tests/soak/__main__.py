"""Does anything grow, fail or mix in an hour of mixed traffic?

    python -m soak --minutes 60 --store redis       (with tests/ on the path)
    python -m soak --minutes 60 --store sqlite

hypercorn, with two workers on Redis and one on SQLite, is visited by people who log in and out, end
their other logins, open live pages, send junk, and show copies of logins that are over.  Faults are
planned: Redis hangs, its lines are cut; SQLite is locked.  Printed every ten seconds: the memory of
each worker; at the end: what was done, and whatever was not planned.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import await_port, free_port
from stores.redis_server import RedisServer

from .visitor import Visitor, Weather

TESTS = Path(__file__).parent.parent

#: Seconds between two faults, for which one lasts, and after which all must be well.
FAULT_EVERY, FAULT_LASTS, CALM_AFTER = 90.0, 2.0, 4.0
SAMPLE_EVERY = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--store", choices=("redis", "sqlite"), default="redis")
    parser.add_argument("--visitors", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        make = on_redis if options.store == "redis" else on_sqlite
        with make(Path(directory)) as (place, workers, faults):
            return soak(options, Path(directory), place, workers, faults)


Faults = list[Callable[[bool], None]]


@contextmanager
def on_redis(directory: Path) -> Any:
    server = RedisServer()

    def hang(on: bool) -> None:
        server.suspend() if on else server.resume()

    def cut(on: bool) -> None:
        if on:
            server.run("CLIENT", "KILL", "TYPE", "normal")

    try:
        yield server.url, 2, [hang, cut]
    finally:
        server.remove()


@contextmanager
def on_sqlite(directory: Path) -> Any:
    path = directory / "sessions.db"
    held: list[sqlite3.Connection] = []

    def lock(on: bool) -> None:
        if on:
            held.append(sqlite3.connect(path, isolation_level=None, timeout=10))
            held[-1].execute("BEGIN EXCLUSIVE")
        else:
            held.pop().close()

    yield str(path), 1, [lock]


def soak(options: Any, directory: Path, place: str, workers: int, faults: Faults) -> int:
    port, log = free_port(), directory / "log"
    environ = {**os.environ, "SOAK_STORE": place, "SECRET_KEY": secrets.token_hex(32)}
    environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    command = [sys.executable, "-m", "hypercorn", "soak.app:create_app()", "--workers"]
    command += [str(workers), "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=environ, stdout=out, stderr=out, cwd=directory)
    try:
        await_port(server, port, log)
        weather, memory = asyncio.run(visited(options, port, server, faults))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return report(options, weather, memory, log)


async def visited(
    options: Any, port: int, server: Any, faults: Faults
) -> tuple[Weather, dict[int, list[float]]]:
    weather, until = Weather(), asyncio.get_running_loop().time() + options.minutes * 60
    memory: dict[int, list[float]] = {}
    async with asyncio.TaskGroup() as group:
        for number in range(options.visitors):
            group.create_task(Visitor(number, port, weather).visit(until))
        group.create_task(_let_it_rain(weather, faults, until))
        group.create_task(_sample(server.pid, memory, weather, until))
    return weather, memory


async def _let_it_rain(weather: Weather, faults: Faults, until: float) -> None:
    clock, number = asyncio.get_running_loop().time, 0
    while clock() + FAULT_EVERY + 30 < until:
        await asyncio.sleep(FAULT_EVERY)
        fault = faults[number % len(faults)]
        number += 1
        weather.bad, weather.changes = True, weather.changes + 1
        await asyncio.to_thread(fault, True)
        await asyncio.sleep(FAULT_LASTS)
        await asyncio.to_thread(fault, False)
        await asyncio.sleep(CALM_AFTER)
        weather.bad, weather.changes = False, weather.changes + 1
        weather.seen[f"fault: {fault.__name__}"] += 1


async def _sample(
    root: int, memory: dict[int, list[float]], weather: Weather, until: float
) -> None:
    clock, start = asyncio.get_running_loop().time, time.monotonic()
    while clock() < until:
        await asyncio.sleep(SAMPLE_EVERY)
        for pid in (root, *_children(root)):
            memory.setdefault(pid, []).append(_megabytes(pid))
        now = {pid: f"{sizes[-1]:.1f}" for pid, sizes in memory.items()}
        done = sum(weather.seen.values())
        print(
            f"{time.monotonic() - start:6.0f} s, {done} done, {len(weather.wrong)} wrong, MB:", now
        )
        sys.stdout.flush()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    found = [int(word) for word in text.split()]
    return found + [below for child in found for below in _children(child)]


def _megabytes(pid: int) -> float:
    """Return what *pid* alone holds in memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def report(options: Any, weather: Weather, memory: dict[int, list[float]], log: Path) -> int:
    print(f"\n{options.store}, {options.minutes:g} minutes, {options.visitors} visitors")
    for name, count in sorted(weather.seen.items()):
        print(f"  {name}: {count}")
    for pid, sizes in memory.items():
        quarter = max(len(sizes) // 4, 1)
        second, last = sizes[quarter : 2 * quarter] or sizes, sizes[-quarter:]
        print(
            f"  process {pid}: {sizes[0]:.1f} MB at first,"
            f" {statistics.median(second):.1f} in the second quarter,"
            f" {statistics.median(last):.1f} in the last, {max(sizes):.1f} at most"
        )
    text = log.read_text(errors="replace")
    raised = [line for line in text.splitlines() if line and not line[0].isspace()]
    kinds: dict[str, int] = {}
    for line in raised:
        if "Error" in line or "Exception" in line:
            kind = line.split(":")[0][-80:]
            kinds[kind] = kinds.get(kind, 0) + 1
    print("  in the server's log:", kinds or "no exception")
    for wrong in weather.wrong[:50]:
        print("  WRONG", wrong)
    return 1 if weather.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
