"""The machine of ``registry_machine`` on the stores that are servers: PostgreSQL, and Redis.

``MACHINE_STEPS=100000`` makes it so many steps for each application and store.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from registry_machine import FlaskSite, Place, QuartSite, run
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from stores.machine import do, on
from stores.postgres import Postgres
from stores.redis_server import RedisServer

from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore

STEPS = int(os.environ.get("MACHINE_STEPS", "600"))

BOTH = pytest.mark.parametrize("site", [FlaskSite, QuartSite], ids=["flask", "quart"])


@BOTH
def test_whoever_does_what_in_redis(site: Any, redis_server: RedisServer) -> None:
    is_async = site is QuartSite

    def open_store() -> Any:
        return RedisStore.from_url(redis_server.url, is_async=is_async, timeout=1.0)

    def close(store: Any) -> Any:
        return store._client.aclose() if is_async else store._client.close()

    assert run(site, Place(open_store, redis_server.clear, close), STEPS).steps >= STEPS


@BOTH
def test_whoever_does_what_in_postgresql(site: Any, postgres: Postgres) -> None:
    engines = []
    first = create_engine(postgres.url("psycopg"))
    do(on(SQLAlchemyStore(first, create=True)).check())
    first.dispose()

    def open_store() -> Any:
        if site is QuartSite:
            engines.append(create_async_engine(postgres.url("asyncpg")))
        else:
            engines.append(create_engine(postgres.url("psycopg")))
        return SQLAlchemyStore(engines[-1])

    def clear() -> None:
        postgres.run("TRUNCATE login_session")

    def close(store: Any) -> Any:
        return engines.pop().dispose()

    assert run(site, Place(open_store, clear, close), STEPS).steps >= STEPS
