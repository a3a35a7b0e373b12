"""What does a request cost whose login session is kept in a store?

By the wall clock, for a server is waited for: on a machine that does nothing else.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import Any

import redis
import redis.asyncio
from flask import session as flask_session
from quart import session as quart_session
from stores.redis_server import RedisServer

from benchmarks import field, flask_apps, quart_apps
from benchmarks.contenders import USERS, Contender, of_wall
from benchmarks.figures import Line
from benchmarks.progress import Progress
from benchmarks.race import race
from benchmarks.sections import Options
from quart_login.stores.memory import MemoryStore
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlite import SQLiteStore

ROUNDS, REQUESTS = 60, 40
ROWS = ("protected", "public_in", "public", "login")


def how(options: Options) -> str:
    return f"{options.rounds} rounds of {REQUESTS} requests each, wall clock"


def measure(options: Options, progress: Progress) -> list[Line]:
    lines, server, loop = [], RedisServer(), asyncio.new_event_loop()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for framework, makers in (
                ("Quart", quart_makers(server.url, folder)),
                ("Flask", flask_makers(server.url, folder)),
            ):
                progress.title = f"registry, {framework}"
                contenders = prepare(field.frameworks()[framework], makers, loop, server)
                lines += race(framework, contenders, options.rounds, REQUESTS, of_wall, progress)
    finally:
        server.remove()
    return lines


def prepare(
    apps: Any, makers: dict[str, Callable[[], Any]], loop: Any, server: RedisServer
) -> dict[str, Contender]:
    client = server.client(socket_timeout=60)  # one that has said its name already

    def commands() -> int:
        return int(client.info("stats")["total_commands_processed"])

    commands()

    prepared = {}
    for name, make in makers.items():
        app = make()
        app.config["LOGIN_STORE_TIMEOUT"] = 20  # A busy machine is waited for.
        prepared[name] = apps.contend(app, loop, rows=ROWS, commands=commands).prepare()
    return prepared


def quart_makers(url: str, folder: str) -> dict[str, Callable[[], Any]]:
    def in_redis(**config: Any) -> Any:
        store = RedisStore.from_url(url, is_async=True, timeout=1.0)
        return quart_apps.ours(sessions=store, **config)

    return {
        "floor": quart_apps.floor,
        "floor with one GET": lambda: quart_one_get(url),
        "without a store": quart_apps.ours,
        "memory": lambda: quart_apps.ours(sessions=MemoryStore()),
        "SQLite": lambda: quart_apps.ours(sessions=SQLiteStore(f"{folder}/quart.db")),
        "Redis": in_redis,
        "Redis, on demand": lambda: in_redis(LOGIN_LOAD_USER="on_demand"),
    }


def flask_makers(url: str, folder: str) -> dict[str, Callable[[], Any]]:
    def ours(store: Any = None) -> Any:
        return flask_apps.with_library("flask_compat", sessions=store)

    return {
        "floor": flask_apps.floor,
        "floor with one GET": lambda: flask_one_get(url),
        "without a store": ours,
        "memory": lambda: ours(MemoryStore()),
        "SQLite": lambda: ours(SQLiteStore(f"{folder}/flask.db")),
        "Redis": lambda: ours(RedisStore.from_url(url, is_async=False, timeout=1.0)),
    }


def quart_one_get(url: str) -> Any:
    app, client = quart_apps.floor(), redis.asyncio.Redis.from_url(url)

    async def private() -> str:
        quart_session.accessed = True
        await client.execute_command("GET", "a session")
        return USERS[quart_session["_user_id"]].name

    app.view_functions["private"] = private
    return app


def flask_one_get(url: str) -> Any:
    app, client = flask_apps.floor(), redis.Redis.from_url(url)

    def private() -> str:
        client.execute_command("GET", "a session")
        return USERS[flask_session["_user_id"]].name

    app.view_functions["private"] = private
    return app
