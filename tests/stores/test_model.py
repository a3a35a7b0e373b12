"""Whatever is done, in whatever order, each store answers as the one in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from stores.machine import do, on
from stores.postgres import Postgres

from quart_login.stores import LoginSession, Store
from quart_login.stores._contract_kit import NOW, session
from quart_login.stores.memory import MemoryStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore

# Few of each, so that they meet.
IDS = st.sampled_from([session(number).id for number in range(6)])
USERS = st.sampled_from(["7", "7 ", "%"])
TIMES = st.sampled_from([NOW + number for number in range(6)]) | st.floats(NOW, NOW + 6)
IDLES = st.sampled_from([None, 0.0, 0.1, 1.0, 3.0])

SESSIONS = st.builds(
    LoginSession,
    id=IDS,
    user_id=USERS,
    created=TIMES,
    seen=TIMES,
    expires=TIMES,
    digest=st.just("d" * 64),
    idle=IDLES,
)
LIMITS = st.sampled_from([None, None, 1, 2, 3])
OPERATIONS = st.one_of(
    st.tuples(st.just("add"), SESSIONS, LIMITS, st.booleans()),
    st.tuples(st.just("swap"), IDS, st.integers(-1, 1), TIMES, TIMES, IDLES),
    st.tuples(st.just("touch"), IDS, TIMES),
    st.tuples(st.just("delete"), IDS),
    st.tuples(st.just("delete_user"), USERS, st.none() | IDS),
    st.tuples(st.just("purge"), TIMES),
    st.tuples(st.just("get"), IDS),
)


def answer(kept: Any, operation: tuple[Any, ...]) -> Any:
    """Do *operation*; return what came of it, and what is there now."""
    name, *args = operation
    result: Any
    if name == "add":
        one, limit, evict = args
        if do(kept.get(one.id)) is not None:
            return "taken"
        result = do(kept.add(one, limit=limit, evict=evict))
    elif name == "swap":
        id, behind, seen, expires, idle = args
        present = do(kept.get(id))
        if present is None:
            return "nothing to swap"
        old = replace(present, version=present.version + behind)
        new = replace(old, version=old.version + 1, seen=seen, expires=expires, idle=idle)
        result = do(kept.swap(old, new))
    elif name == "delete_user":
        result = do(kept.delete_user(args[0], but=args[1]))
    else:
        result = do(getattr(kept, name)(*args))
    if isinstance(result, list):
        result = sorted(result, key=lambda one: one.id)
    return result, [do(kept.list(user_id)) for user_id in ("7", "7 ", "%")]


@contextmanager
def sqlite_store(ram: Path) -> Iterator[Store]:
    store = SQLiteStore(ram / "sessions.sqlite")
    yield store
    store.close()


@contextmanager
def sqlalchemy_store(url: str) -> Iterator[Store]:
    engine = create_engine(url)
    store = SQLAlchemyStore(engine, create=True)
    do(on(store).check())
    yield store
    engine.dispose()


@pytest.fixture(params=["sqlite", "sqlalchemy", "postgres"])
def store(request: pytest.FixtureRequest, ram: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened = sqlite_store(ram)
    elif request.param == "sqlalchemy":
        opened = sqlalchemy_store(f"sqlite:///{ram / 'app.sqlite'}")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        opened = sqlalchemy_store(postgres.url("psycopg"))
    with opened as store:
        yield store


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(operations=st.lists(OPERATIONS, min_size=8, max_size=40))
def test_every_store_answers_as_the_one_in_memory(
    store: Store, operations: list[tuple[Any, ...]]
) -> None:
    kept, model = on(store), on(MemoryStore())
    for user_id in ("7", "7 ", "%"):
        do(kept.delete_user(user_id))
    for operation in operations:
        assert answer(kept, operation) == answer(model, operation), operation
