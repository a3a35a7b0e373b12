"""What does a request cost whose login session is kept in a store?

    python -m benchmarks.registry [--rounds 60] [--requests 40]     (with tests/ on the path)

In one process, in interleaved rounds of random order, by the wall clock: the floor (the framework's
session and a dict, by hand), the same with one GET of Redis, and this library with each store.
Redis is brought by the script.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from stores.redis_server import RedisServer

sys.path.insert(0, str(Path(__file__).parent))

import flask_apps
import quart_apps
import redis
import redis.asyncio
from contenders import USERS, Contender
from flask import session as flask_session
from quart import session as quart_session

from quart_login.stores.memory import MemoryStore
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlite import SQLiteStore

ROWS = {
    "protected": "protected, session cookie",
    "public_in": "public, logged in, user not asked for",
    "public": "public, anonymous",
    "login": "the request that logs in",
}


def quart_one_get(url: str):
    app, client = quart_apps.floor(), redis.asyncio.Redis.from_url(url)

    async def private():
        quart_session.accessed = True
        await client.execute_command("GET", "a session")
        return USERS[quart_session["_user_id"]].name

    app.view_functions["private"] = private
    return app


def flask_one_get(url: str):
    app, client = flask_apps.floor(), redis.Redis.from_url(url)

    def private():
        client.execute_command("GET", "a session")
        return USERS[flask_session["_user_id"]].name

    app.view_functions["private"] = private
    return app


def with_store(app, store):
    app.login_manager.sessions = store
    return app


def quart(url: str, folder: str, loop) -> dict[str, Contender]:
    apps = {
        "floor": quart_apps.floor(),
        "floor with one GET": quart_one_get(url),
        "stateless": quart_apps.ours(),
        "memory": with_store(quart_apps.ours(), MemoryStore()),
        "SQLite": with_store(quart_apps.ours(), SQLiteStore(f"{folder}/quart.db")),
        "Redis": with_store(quart_apps.ours(), RedisStore.from_url(url, is_async=True)),
        "Redis, on demand": with_store(
            quart_apps.ours(LOGIN_LOAD_USER="on_demand"), RedisStore.from_url(url, is_async=True)
        ),
    }
    made = {name: Contender(quart_apps.sender(app, loop)) for name, app in apps.items()}
    return {name: one.prepare(ROWS) for name, one in made.items()}


def flask(url: str, folder: str) -> dict[str, Contender]:
    import flask_compat

    apps = {
        "floor": flask_apps.floor(),
        "floor with one GET": flask_one_get(url),
        "stateless": flask_apps.with_library(flask_compat),
        "memory": with_store(flask_apps.with_library(flask_compat), MemoryStore()),
        "SQLite": with_store(
            flask_apps.with_library(flask_compat), SQLiteStore(f"{folder}/flask.db")
        ),
        "Redis": with_store(
            flask_apps.with_library(flask_compat), RedisStore.from_url(url, is_async=False)
        ),
    }
    made = {name: Contender(flask_apps.sender(app)) for name, app in apps.items()}
    return {name: one.prepare(ROWS) for name, one in made.items()}


def measure(apps: dict[str, Contender], rounds: int, requests: int):
    cells = [(row, name) for row in ROWS for name in apps]
    times = {cell: [] for cell in cells}
    for number in range(-3, rounds):
        random.shuffle(cells)
        for row, name in cells:
            spent = apps[name].time(row, requests, time.perf_counter)
            if number >= 0:
                times[row, name].append(spent)
        print(f"\r{max(number + 1, 0)}/{rounds} rounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times


def report(title: str, apps, times) -> None:
    names = [name for name in apps if name != "floor"]
    print(f"\n### {title}\n\n| row | floor, us | {' | '.join(names)} |")
    print("| --- | --- |" + " --- |" * len(names))
    for row, said in ROWS.items():
        floor = times[row, "floor"]
        cells = []
        for name in names:
            pairs = list(zip(times[row, name], floor, strict=True))
            ratio = statistics.median(t / f for t, f in pairs)
            cells.append(f"{ratio:.2f} ({statistics.median(t - f for t, f in pairs):+.0f})")
        print(f"| {said} | {statistics.median(floor):.0f} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    server = RedisServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            loop = asyncio.new_event_loop()
            apps = quart(server.url, folder, loop)
            report("Quart", apps, measure(apps, options.rounds, options.requests))
            apps = flask(server.url, folder)
            report("Flask", apps, measure(apps, options.rounds, options.requests))
    finally:
        server.remove()


if __name__ == "__main__":
    main()
