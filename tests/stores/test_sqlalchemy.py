"""SQLAlchemyStore: what the contract does not say."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, event
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable
from stores.machine import do, on
from stores.postgres import Postgres

from quart_login import ConfigurationError
from quart_login.stores._contract_kit import NOW, Awaits, Kept, after, session, whole
from quart_login.stores.sqlalchemy import SQLAlchemyStore


@pytest.fixture
def engine(ram: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{ram / 'app.sqlite'}")
    yield engine
    engine.dispose()


# --- how it is made ------------------------------------------------------------------------------


def test_a_store_needs_an_engine(engine: Engine) -> None:
    for wrong in ("sqlite://", None, Session(engine), engine.connect):
        with pytest.raises(ConfigurationError, match="create_engine"):
            SQLAlchemyStore(wrong)  # type: ignore[arg-type]


def test_an_asynchronous_driver_needs_an_asynchronous_engine() -> None:
    with pytest.raises(ConfigurationError, match="create_async_engine"):
        SQLAlchemyStore(create_engine("sqlite+aiosqlite://"))


def test_a_database_that_nobody_tried_is_refused(engine: Engine) -> None:
    engine.dialect.name = "mssql"
    with pytest.raises(ConfigurationError, match="not mssql"):
        SQLAlchemyStore(engine)


def test_a_shell_can_see_whether_it_needs_a_loop(engine: Engine) -> None:
    assert SQLAlchemyStore(engine).is_async is False
    assert SQLAlchemyStore(create_async_engine("sqlite+aiosqlite://")).is_async is True


def test_it_shows_no_password() -> None:
    engine = create_engine("postgresql+psycopg://alice:5ec4e7@db/app")
    assert repr(SQLAlchemyStore(engine)) == "<SQLAlchemyStore postgresql 'login_session'>"


# --- the table -----------------------------------------------------------------------------------


def test_the_table_lives_in_the_applications_metadata() -> None:
    metadata = MetaData(naming_convention={"ix": "index_%(column_0_label)s"})
    table = SQLAlchemyStore.table(metadata, "device", schema="logins")
    assert metadata.tables == {"logins.device": table}
    assert {index.name for index in table.indexes} == {
        "index_logins_device_user_id",
        "index_logins_device_due",
    }
    assert [column.name for column in table.primary_key] == ["id"]


@pytest.mark.parametrize(
    ("dialect", "parts"),
    [
        (postgresql.dialect(), ['VARCHAR(2048) COLLATE "C"', "DOUBLE PRECISION", "BOOLEAN"]),
        (mysql.dialect(), ["id VARBINARY(64)", "user_id VARBINARY(2048)", "DOUBLE"]),
        (sqlite.dialect(), ["VARCHAR(2048)", "DOUBLE"]),
    ],
)
def test_its_types_compare_byte_by_byte(dialect: Any, parts: list[str]) -> None:
    table = SQLAlchemyStore.table(MetaData())
    statement = str(CreateTable(table).compile(dialect=dialect))
    for part in parts:
        assert part in statement
    for index in table.indexes:
        assert str(CreateIndex(index).compile(dialect=dialect)).startswith("CREATE INDEX")


def test_mysql_takes_text_for_bytes() -> None:
    column = SQLAlchemyStore.table(MetaData()).c.user_id.type
    write = column.dialect_impl(mysql.dialect()).bind_processor(mysql.dialect())
    read = column.dialect_impl(mysql.dialect()).result_processor(mysql.dialect(), None)
    assert write is not None and read is not None
    assert write("é") == "é".encode() and write(None) is None
    assert read("é".encode()) == "é" and read(None) is None
    assert read(b"\xff") == b"\xff"  # which is no text, so no session


def test_every_statement_is_one_of_mysqls() -> None:
    statements = SQLAlchemyStore(create_engine("sqlite://"))._statements
    for name, statement in vars(statements).items():
        if name != "columns":
            assert str(statement.compile(dialect=mysql.dialect())).split()[0] in {
                "SELECT",
                "INSERT",
                "UPDATE",
                "DELETE",
            }


def test_125_a_missing_table_is_a_mistake(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match=r"no table 'login_session'.*create_all"):
        do(on(SQLAlchemyStore(engine)).check())


def test_125_a_table_of_an_older_version_is_a_mistake(engine: Engine) -> None:
    old = Table("login_session", MetaData())
    for column in SQLAlchemyStore.table(MetaData()).columns:
        if column.name not in ("due", "epoch"):
            old.append_column(column._copy())
    old.create(engine)
    for create in (False, True):
        with pytest.raises(ConfigurationError, match="no due, epoch"):
            do(on(SQLAlchemyStore(engine, create=create)).check())


def test_125_a_table_that_keeps_an_id_twice_is_a_mistake(engine: Engine) -> None:
    old = Table("login_session", MetaData(), Column("number", Integer, primary_key=True))
    for column in SQLAlchemyStore.table(MetaData()).columns:
        old.append_column(Column(column.name, column.type, nullable=column.nullable))
    old.create(engine)
    with pytest.raises(ConfigurationError, match="no primary key id"):
        do(on(SQLAlchemyStore(engine)).check())


def test_a_database_that_is_not_there_is_no_mistake_of_the_developer(ram: Path) -> None:
    store = SQLAlchemyStore(create_engine(f"sqlite:///{ram / 'no' / 'app.sqlite'}"))
    with pytest.raises(OperationalError):
        do(on(store).check())


def test_stores_that_begin_together_make_one_table(postgres: Postgres) -> None:
    gate, failed = threading.Barrier(6), []

    def begin() -> None:
        engine = create_engine(postgres.url("psycopg"))
        gate.wait()
        try:
            do(on(SQLAlchemyStore(engine, create=True)).check())
        except Exception as error:
            failed.append(error)
        engine.dispose()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


# --- what it sends -------------------------------------------------------------------------------


def statements_of(engine: Any) -> list[str]:
    """Return the list of what *engine* will send."""
    sent: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    return sent


def test_116_every_write_to_sqlite_may_write_from_its_beginning(engine: Engine) -> None:
    kept = on(SQLAlchemyStore(engine, create=True))
    do(kept.check())
    sent = statements_of(engine)
    one = session(1)
    for write in (
        lambda: kept.add(one),
        lambda: kept.add(session(2), limit=1),
        lambda: kept.swap(one, after(one)),
        lambda: kept.touch(one.id, NOW + 9),
        lambda: kept.delete(one.id),
        lambda: kept.delete_user("7"),
        lambda: kept.purge(NOW),
        kept.check,
    ):
        sent.clear()
        do(write())
        assert (sent[0], sent[-1]) == ("BEGIN IMMEDIATE", "COMMIT"), sent


def asked(postgres: Postgres) -> list[str]:
    """Return what PostgreSQL was asked to run so far: the first word of each statement."""
    return re.findall(r"LOG:  (?:statement|execute [^:]*): *(\w*)", postgres.log())


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_what_is_one_statement_is_one_round_trip_to_postgres(
    postgres: Postgres, driver: str
) -> None:
    if driver == "psycopg":
        engine: Any = create_engine(postgres.url(driver))
    else:
        engine = create_async_engine(postgres.url(driver))

    async def use(kept: Kept) -> None:
        await kept.check()
        one = session(1)
        await kept.add(one)
        uses: dict[str, Any] = {
            "SELECT": lambda: kept.get(one.id),
            "UPDATE": lambda: kept.swap(one, after(one)),
            "WITH": lambda: kept.delete(one.id),  # a DELETE, and a message that tells of it
            "INSERT": lambda: kept.add(one),
        }
        for name, call in uses.items():
            before = len(asked(postgres))
            await call()
            assert asked(postgres)[before:] == [name]
        disposed = engine.dispose()
        if disposed is not None:
            await disposed

    store = SQLAlchemyStore(engine, create=True)
    asyncio.run(use(Kept(store, store, Awaits())))


def test_a_purge_looks_at_an_active_session_once_an_idle_time(engine: Engine) -> None:
    store = SQLAlchemyStore(engine, create=True)
    kept = on(store)
    do(kept.check())
    for one in (session(0, idle=100.0), session(1, idle=100.0, expires=NOW + 150)):
        do(kept.add(one))
        do(kept.touch(one.id, NOW + 90))
    assert do(kept.purge(NOW + 102)) == 0
    with engine.connect() as connection:
        due = connection.execute(store._table.select().order_by("id")).scalars("due").all()
    assert due == [NOW + 190, NOW + 150]


def test_no_digest_is_logged_or_told(ram: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine(f"sqlite:///{ram / 'app.sqlite'}", echo=True)
    kept = on(SQLAlchemyStore(engine, create=True))
    one = session(1, digest="5ec4e7" * 10, remember="5ec4e7" * 10)
    with caplog.at_level(logging.INFO):
        do(kept.check())
        do(kept.add(one))
        with pytest.raises(IntegrityError) as caught:
            do(kept.add(one))
    assert "INSERT" in caplog.text and "INSERT" in str(caught.value)
    assert "5ec4e7" not in caplog.text + str(caught.value) + repr(caught.value)
    engine.dispose()


def test_the_applications_own_statements_are_logged_as_before(engine: Engine) -> None:
    SQLAlchemyStore(engine)
    assert engine.hide_parameters is False


def test_the_applications_own_connections_are_as_before(postgres: Postgres) -> None:
    engine = create_engine(postgres.url("psycopg"), pool_size=1, isolation_level="SERIALIZABLE")
    kept = on(SQLAlchemyStore(engine, create=True))
    do(kept.check())
    do(kept.add(session(1), limit=1))
    do(kept.get(session(1).id))
    with engine.begin() as connection:
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar()
    assert level == "serializable"
    engine.dispose()


@pytest.mark.parametrize(
    "damage", ["expires = 'NaN'", "seen = 'Infinity'", "idle = 'NaN'", "rotated = '-Infinity'"]
)
def test_117_a_row_with_wrong_values_is_no_session_and_can_be_ended(
    postgres: Postgres, damage: str
) -> None:
    engine = create_engine(postgres.url("psycopg"))
    kept = on(SQLAlchemyStore(engine, create=True))
    do(kept.check())
    for one in (whole(1), session(2)):
        do(kept.add(one))
    postgres.run(f"UPDATE login_session SET {damage} WHERE id = %s", whole(1).id)
    with pytest.raises(ValueError, match="cannot be read"):
        do(kept.get(whole(1).id))
    assert do(kept.delete_user("7")) == [session(2)]
    assert postgres.run("SELECT * FROM login_session") == []
    engine.dispose()


def test_nothing_reads_the_whole_table(postgres: Postgres) -> None:
    engine = create_engine(postgres.url("psycopg"))
    do(on(SQLAlchemyStore(engine, create=True)).check())
    engine.dispose()
    for statement, index in {
        "SELECT * FROM login_session WHERE id = ''": "login_session_pkey",
        "SELECT * FROM login_session WHERE user_id = ''": "ix_login_session_user_id",
        "SELECT id FROM login_session WHERE due < 1 ORDER BY due LIMIT 9": "ix_login_session_due",
    }.items():
        plan = postgres.run(f"SET enable_seqscan = off; EXPLAIN {statement}")
        assert index in str(plan)
