"""One contract, every store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from core.paper import Paper
from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine
from stores.postgres import Postgres

from quart_login.stores import Store
from quart_login.stores._contract_kit import Awaits, Steps
from quart_login.stores.contract import StoreContract
from quart_login.stores.memory import MemoryStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore


class OnPaper(StoreContract):
    """The contract, with an exchange of the core's tests for the stepped way."""

    def make_way(self, way: str) -> Steps | Awaits:
        return Steps(Paper()) if way == "stepped" else Awaits()


class TestMemory(OnPaper):
    shared = False

    async def open(self) -> Store:
        return MemoryStore()


class TestSQLite(OnPaper):
    @pytest.fixture(autouse=True)
    def _file(self, ram: Path) -> None:
        self.path = ram / "sessions.sqlite"

    async def open(self) -> Store:
        return SQLiteStore(self.path, timeout=5)

    async def close(self, store: Any) -> None:
        store.close()


class _SQLAlchemy(OnPaper):
    url: str

    def engine(self) -> Any:
        return create_engine(self.url, connect_args=self.args)

    args: dict[str, Any] = {}  # noqa: RUF012

    async def open(self) -> Store:
        self.engines = [*getattr(self, "engines", []), self.engine()]
        return SQLAlchemyStore(self.engines[-1], create=True)

    async def close(self, store: Any) -> None:
        disposed = self.engines.pop().dispose()
        if disposed is not None:
            await disposed


class _OnFile(_SQLAlchemy):
    @pytest.fixture(autouse=True)
    def _file(self, ram: Path) -> None:
        self.url = f"{self.driver}:///{ram / 'app.sqlite'}"

    driver = "sqlite"
    args = {"timeout": 5}  # noqa: RUF012


class TestSQLAlchemyOnSQLite(_OnFile):
    pass


class TestSQLAlchemyOnSQLiteThatBegins(_OnFile):
    """SQLAlchemy's own recipe for an application that wants its reads in transactions."""

    def engine(self) -> Any:
        engine = super().engine()

        @event.listens_for(engine, "connect")
        def _(connection: Any, record: Any) -> None:
            connection.isolation_level = None

        @event.listens_for(engine, "begin")
        def _(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN")

        return engine


class TestSQLAlchemyOnSQLiteAsync(_OnFile):
    ways = ("awaited",)
    driver = "sqlite+aiosqlite"

    def engine(self) -> Any:
        return create_async_engine(self.url, connect_args=self.args)


class _OnPostgres(_SQLAlchemy):
    @pytest.fixture(autouse=True)
    def _database(self, postgres: Postgres) -> None:
        self.url = postgres.url(self.driver)

    driver = "psycopg"


class TestSQLAlchemyOnPostgres(_OnPostgres):
    pass


class TestSQLAlchemyOnSerializablePostgres(_OnPostgres):
    """Whatever isolation the application has."""

    def engine(self) -> Any:
        return create_engine(self.url, isolation_level="SERIALIZABLE")


class TestSQLAlchemyWhereNothingReturnsWhatItDeletes(_OnPostgres):
    """As MySQL does not."""

    def engine(self) -> Any:
        engine = create_engine(self.url)
        engine.dialect.delete_returning = False
        return engine


class TestSQLAlchemyInTheApplicationsSchema(_OnPostgres):
    async def open(self) -> Store:
        engine = self.engine()
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS logins")
        self.engines = [*getattr(self, "engines", []), engine]
        convention = {"ix": "index_%(table_name)s_%(column_0_N_name)s", "pk": "key_%(table_name)s"}
        metadata = MetaData(naming_convention=convention)
        table = SQLAlchemyStore.table(metadata, "device", schema="logins")
        return SQLAlchemyStore(engine, table, create=True)

    @pytest.fixture(autouse=True)
    def _schema(self, postgres: Postgres, _database: None) -> Any:
        yield
        postgres.run("DROP SCHEMA IF EXISTS logins CASCADE")


class TestSQLAlchemyOnPostgresAsync(_OnPostgres):
    ways = ("awaited",)
    driver = "asyncpg"

    def engine(self) -> Any:
        return create_async_engine(self.url)


class TestSQLAlchemyOnPostgresByPsycopgAsync(TestSQLAlchemyOnPostgresAsync):
    driver = "psycopg"
