"""Where are login sessions kept by an application that has a database?

In a table of it, by SQLAlchemy 2: PostgreSQL, MySQL or MariaDB, and SQLite.

Rule 1.  What is one statement is sent alone, in autocommit: one round trip.
Rule 2.  What is several is one transaction, READ COMMITTED, in which a lock of the user's id keeps
         others out who add (PostgreSQL: ``pg_advisory_xact_lock``, which pgbouncer passes on;
         MySQL: ``GET_LOCK``; SQLite: ``BEGIN IMMEDIATE``, as for every write).
Rule 3.  The same plain functions run on an `Engine`, in a thread of Quart's, and on an
         `AsyncEngine`, which lends them a connection by `AsyncConnection.run_sync`.
Rule 4.  Ids are compared byte by byte: the columns are binary where a database's text is not
         (MySQL ignores case, accents and spaces at the end, unless told otherwise).
Rule 5.  On PostgreSQL, the statement that ends sessions tells their ids (NOTIFY), so that they are
         told when they have ended, and not if they have not.
Rule 6.  Whoever stops waiting has stopped: the drivers, told to cancel, would first talk to a
         server that may be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from re import ASCII, sub
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    cast,
)

try:
    from sqlalchemy import (
        BigInteger,
        Boolean,
        Column,
        ColumnElement,
        Connection,
        Dialect,
        Double,
        Engine,
        Label,
        MetaData,
        Row,
        Select,
        String,
        Table,
        Text,
        TypeDecorator,
        Update,
        bindparam,
        case,
        func,
        inspect,
        or_,
        select,
        text,
    )
    from sqlalchemy import cast as cast_to
    from sqlalchemy.dialects.mysql import VARBINARY
    from sqlalchemy.exc import DBAPIError, NoSuchTableError
    from sqlalchemy.types import TypeEngine
except ImportError as error:
    raise ImportError(
        "SQLAlchemyStore needs SQLAlchemy 2: pip install 'sqlalchemy[asyncio]'"
    ) from error

from .._core.errors import ConfigurationError
from .._core.held import due
from . import Listener, LoginSession, SessionId
from ._postgres_listener import listener_on
from ._rows import (
    AT_A_TIME,
    COLUMNS,
    ENDS,
    check_succession,
    last_seen_first,
    lasting,
    make_room,
    parts,
    read,
    readable,
    row_of,
)

if TYPE_CHECKING:
    from asyncio import Future

    from sqlalchemy.ext.asyncio import AsyncEngine

    from .._core.exchange import Exchange

P = ParamSpec("P")
T = TypeVar("T")
Isolation: TypeAlias = Literal["AUTOCOMMIT", "READ COMMITTED"]

_MYSQL: Final = ("mysql", "mariadb")
_DIALECTS: Final = ("postgresql", "sqlite", *_MYSQL)

_PG_LOCK: Final = text("SELECT pg_advisory_xact_lock(:key)").bindparams(
    bindparam("key", type_=BigInteger)
)
#: PostgreSQL passes on no message of 8,000 bytes; one that would be longer names nobody.
_LONGEST_MESSAGE: Final = 7000
#: It waits for a second: MySQL counts no less.
_GET_LOCK: Final = text("SELECT GET_LOCK(:name, 1)")
_RELEASE_LOCK: Final = text("SELECT RELEASE_LOCK(:name)")


class _Exactly(TypeDecorator[str]):
    """Text of at most *length* bytes that equals nothing but itself."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in _MYSQL:
            return dialect.type_descriptor(VARBINARY(self._length))
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(self._length, collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return value.encode() if value is not None and dialect.name in _MYSQL else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if not isinstance(value, bytes):
            return value
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value  # which `read` refuses

    @property
    def _length(self) -> int:
        length = getattr(self.impl, "length", None)
        assert length is not None
        return int(length)


def _make_table(metadata: MetaData, name: str, schema: str | None) -> Table:
    return Table(
        name,
        metadata,
        Column("id", _Exactly(64), primary_key=True),
        # What a user's id may be (`_core.users`), and an index of PostgreSQL (2,704 bytes) holds.
        Column("user_id", _Exactly(2048), nullable=False, index=True),
        Column("created", Double, nullable=False),
        Column("seen", Double, nullable=False),
        Column("expires", Double, nullable=False),
        Column("digest", _Exactly(64), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("fresh_since", Double),
        Column("method", _Exactly(255), nullable=False),
        Column("agent", _Exactly(2048), nullable=False),
        Column("address", _Exactly(255), nullable=False),
        Column("epoch", _Exactly(255)),
        Column("idle", Double),
        Column("remember", _Exactly(64)),
        Column("former", _Exactly(64)),
        Column("rotated", Double),
        Column("confirmed", Boolean, nullable=False),
        Column("due", Double, nullable=False, index=True),
        schema=schema,
    )


class SQLAlchemyStore:
    """Keeps login sessions in a table of the database of *engine*.

    *engine* is an `Engine`, or an `AsyncEngine`, which needs asyncio and the package greenlet, and
    does not serve Flask.  *table* is one that `SQLAlchemyStore.table` made in the application's own
    metadata, so that its migrations see it; without it, the store has ``login_session`` in metadata
    of its own.  `check` makes the table if *create* is true.

    On PostgreSQL, the ids of sessions that end are told on a *channel* (NOTIFY), named after the
    table unless you name another; who listens has a connection of his own, outside the pool, by
    psycopg or asyncpg.  Behind a pgbouncer that pools transactions nobody can listen: give False
    there, and processes with open sockets ask each second, as they do on MySQL and SQLite.

    The engine's pool and time limits are the application's, and so is what happens to it in a
    process that forks.  For SQLite give the engine ``connect_args={"timeout": 0.2}`` (seconds), so
    that a write does not wait longer than the core does, and switch the file to WAL.

    Raises `ConfigurationError` if *engine* is none, or of another database; and what SQLAlchemy
    raises when a statement fails, without the statement's parameters.
    """

    def __init__(
        self,
        engine: Engine | AsyncEngine,
        table: Table | None = None,
        *,
        create: bool = False,
        channel: str | bool = True,
    ) -> None:
        plain = _plain(engine)
        #: Does it need an event loop?
        self.is_async = plain is not engine
        self._dialect = plain.dialect
        self._table = self.table(MetaData()) if table is None else table
        self._create = create
        #: Where it is told which sessions ended, if anywhere.
        self.channel = _channel(channel, self._table) if _tells(plain) else None
        self._statements = _Statements(self._table)
        self._alone = self._engine(plain, "AUTOCOMMIT")
        self._together = self._engine(
            plain, "AUTOCOMMIT" if self._dialect.name == "sqlite" else "READ COMMITTED"
        )
        self._run: Callable[..., Any] = self._wait if self.is_async else self._block
        # What nobody waits for any more; a loop alone would not keep it.
        self._given_up: set[Future[Any]] = set()

    @staticmethod
    def table(
        metadata: MetaData, name: str = "login_session", *, schema: str | None = None
    ) -> Table:
        """Return the table of login sessions, which is made in *metadata*."""
        return _make_table(metadata, name, schema)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._dialect.name} {self._table.fullname!r}>"

    async def get(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        return await self._read(exchange, self._get, id)

    async def add(
        self,
        exchange: Exchange,
        session: LoginSession,
        *,
        limit: int | None = None,
        evict: bool = True,
    ) -> Sequence[LoginSession] | None:
        if limit is None:
            return await self._write(exchange, self._insert, session)
        key = f"user {session.user_id}"
        return await self._write_several(exchange, key, self._add, session, limit, evict)

    async def swap(self, exchange: Exchange, old: LoginSession, new: LoginSession) -> bool:
        check_succession(old, new)
        return await self._write(exchange, self._swap, new)

    async def touch(self, exchange: Exchange, id: SessionId, seen: float) -> None:
        await self._write(exchange, self._touch, id, seen)

    async def delete(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        gone = await self._end(exchange, self._table.c.id == id)
        return gone[0] if gone else None

    async def delete_user(
        self, exchange: Exchange, user_id: str, *, but: SessionId | None = None
    ) -> Sequence[LoginSession]:
        of_user = self._table.c.user_id == user_id
        return await self._end(
            exchange, of_user if but is None else of_user & (self._table.c.id != but)
        )

    async def list(self, exchange: Exchange, user_id: str) -> Sequence[LoginSession]:
        return await self._read(exchange, self._list, user_id)

    async def alive(
        self, exchange: Exchange, ids: Collection[SessionId]
    ) -> Mapping[SessionId, float]:
        return await self._read(exchange, self._alive, ids)

    def listener(self) -> Listener | None:
        """Return what hears of sessions that end, on PostgreSQL."""
        return None if self.channel is None else listener_on(self._alone, self.channel)

    async def purge(self, exchange: Exchange, now: float) -> int:
        removed, more = 0, True
        while more:
            count, more = await self._write_several(exchange, "purge", self._purge, now)
            removed += count
        return removed

    async def check(self, exchange: Exchange) -> None:
        await self._write_several(exchange, "check", self._check)

    # --- how statements are run ------------------------------------------------------------------

    def _engine(self, plain: Engine, isolation: Isolation) -> Any:
        """Return an engine on the pool of *plain* that shows parameters in no log or error."""
        engine = plain.execution_options(isolation_level=isolation)
        engine.hide_parameters = True
        if not self.is_async:
            return engine
        from sqlalchemy.ext.asyncio import AsyncEngine

        return AsyncEngine(engine)

    async def _read(
        self,
        exchange: Exchange,
        work: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        try:
            return cast(T, await exchange.call(self._run, self._alone, work, *args))
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The server was restarted, say: that pool is new now.
        return cast(T, await exchange.call(self._run, self._alone, work, *args))

    async def _write(
        self,
        exchange: Exchange,
        work: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self._dialect.name == "sqlite":
            return await self._write_several(exchange, "", work, *args, **kwargs)
        return cast(T, await exchange.call(self._run, self._alone, work, *args))

    async def _write_several(
        self,
        exchange: Exchange,
        key: str,
        work: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        found = await exchange.call(self._run, self._together, self._locked, key, work, *args)
        return cast(T, found)

    async def _end(self, exchange: Exchange, which: ColumnElement[bool]) -> Sequence[LoginSession]:
        if self._returns():
            return readable(await self._write(exchange, self._remove, which))
        return readable(await self._write_several(exchange, "", self._remove, which))

    def _block(self, engine: Engine, work: Callable[..., T], *args: Any) -> T:
        with engine.connect() as connection:
            result = work(connection, *args)
            connection.commit()
            return result

    async def _wait(self, engine: AsyncEngine, work: Callable[..., T], *args: Any) -> T:
        import asyncio

        doing = asyncio.ensure_future(self._borrow(engine, work, *args))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            # Rule 6: let it end by itself.
            self._given_up.add(doing)
            doing.add_done_callback(self._forget)
            doing.cancel()
            raise

    async def _borrow(self, engine: AsyncEngine, work: Callable[..., T], *args: Any) -> T:
        async with engine.connect() as connection:
            result = await connection.run_sync(work, *args)
            await connection.commit()
            return result

    def _forget(self, done: Future[Any]) -> None:
        self._given_up.discard(done)
        if not done.cancelled():
            done.exception()  # so that the loop does not report it

    def _locked(self, connection: Connection, key: str, work: Callable[..., T], *args: Any) -> T:
        """Do *work* in one transaction; nobody else does work of the same *key* meanwhile.

        Without a key, nobody is kept out (but on SQLite).
        """
        if self._dialect.name == "sqlite":
            return _immediately(connection, work, *args)
        digest = sha256(f"{self._table.fullname} {key}".encode()).digest()
        if key and self._dialect.name == "postgresql":
            number = int.from_bytes(digest[:8], signed=True)
            connection.execute(_PG_LOCK, {"key": number})
        elif key:
            return _with_named_lock(connection, f"login {digest.hex()[:32]}", work, *args)
        return work(connection, *args)

    # --- the statements --------------------------------------------------------------------------

    def _get(self, connection: Connection, id: SessionId) -> LoginSession | None:
        row = connection.execute(self._statements.get, {"the_id": id}).first()
        return None if row is None else read(row)

    def _list(self, connection: Connection, user_id: str) -> Sequence[LoginSession]:
        return last_seen_first(map(read, self._rows_of(connection, user_id)))

    def _rows_of(self, connection: Connection, user_id: str) -> Sequence[Row[Any]]:
        return connection.execute(self._statements.list, {"the_user": user_id}).all()

    def _alive(self, connection: Connection, ids: Collection[SessionId]) -> dict[str, float]:
        found = {}
        for some in parts(ids):
            rows = connection.execute(self._statements.alive, {"ids": some}).all()
            found.update(lasting(rows))
        return found

    def _insert(self, connection: Connection, session: LoginSession) -> Sequence[LoginSession]:
        connection.execute(self._statements.add, _values(session))
        return []

    def _add(
        self, connection: Connection, session: LoginSession, limit: int, evict: bool
    ) -> Sequence[LoginSession] | None:
        kept = readable(self._rows_of(connection, session.user_id))
        surplus = make_room(kept, session.created, limit, evict)
        if surplus is None:
            return None
        gone: Sequence[Sequence[Any]] = ()
        for some in parts([one.id for one in surplus]):
            gone = [*gone, *self._remove(connection, self._table.c.id.in_(some))]
        self._insert(connection, session)
        return readable(gone)

    def _swap(self, connection: Connection, new: LoginSession) -> bool:
        values = {f"new_{name}": value for name, value in _values(new).items()}
        return connection.execute(self._statements.swap, values).rowcount == 1

    def _touch(self, connection: Connection, id: SessionId, seen: float) -> None:
        connection.execute(self._statements.touch, {"the_id": id, "at": seen})

    def _returns(self) -> bool:
        """Can the database remove rows and return them, in one statement?"""
        return self._dialect.name not in _MYSQL and self._dialect.delete_returning

    def _remove(
        self, connection: Connection, which: ColumnElement[bool]
    ) -> Sequence[Sequence[Any]]:
        """Remove the rows *which*; return what they were."""
        if self.channel is not None:
            rows = connection.execute(self._statements.remove_and_tell(which, self.channel)).all()
            return [row[:-1] for row in rows]
        if self._returns():
            delete = self._table.delete().where(which).returning(*self._statements.columns)
            return connection.execute(delete).all()
        found = select(*self._statements.columns).where(which).with_for_update()
        rows = connection.execute(found).all()
        # These alone, for there may be others by now, which nobody has seen.
        for some in parts([row[0] for row in rows]):
            connection.execute(self._table.delete().where(self._table.c.id.in_(some)))
        return rows

    def _purge(self, connection: Connection, now: float) -> tuple[int, bool]:
        """Remove some of what is over.  Return how many, and whether there may be more."""
        ids = connection.execute(self._statements.due, {"now": now}).scalars().all()
        values = {"now": now, "ids": ids}
        removed = connection.execute(self._statements.purge, values).rowcount if ids else 0
        if removed < len(ids):
            connection.execute(self._statements.postpone, {"ids": ids})
        return removed, len(ids) == AT_A_TIME

    def _check(self, connection: Connection) -> None:
        if self._create:
            self._table.create(connection, checkfirst=True)
        name = self._table.fullname
        inspector = inspect(connection)
        try:
            there = inspector.get_columns(self._table.name, schema=self._table.schema)
        except NoSuchTableError:
            raise ConfigurationError(
                f"The database has no table {name!r} for login sessions. Make it with a migration,"
                " with MetaData.create_all(), or with SQLAlchemyStore(..., create=True)."
            ) from None
        key = inspector.get_pk_constraint(self._table.name, schema=self._table.schema)
        missing = {column.name for column in self._table.columns} - {item["name"] for item in there}
        if missing or key["constrained_columns"] != ["id"]:
            raise ConfigurationError(
                f"The table {name!r} is none of this version of the library: it has no"
                f" {', '.join(sorted(missing)) or 'primary key id'}. Migrate it to the columns of"
                " SQLAlchemyStore.table()."
            )


class _Statements:
    """The statements on *table*, made once so that SQLAlchemy compiles them once."""

    def __init__(self, table: Table) -> None:
        column = table.c
        this = column.id == bindparam("the_id")
        seen, end = bindparam("at", type_=Double), column.seen + column.idle
        self.columns = [column[name] for name in COLUMNS]
        self.get = select(*self.columns).where(this)
        self.list = select(*self.columns).where(column.user_id == bindparam("the_user"))
        self.add = table.insert()
        self.touch = table.update().where(this, column.seen < seen).values(seen=seen)
        self.swap = self._swap(table)
        self.due = select(column.id).where(column.due < bindparam("now"))
        self.due = self.due.order_by(column.due).limit(AT_A_TIME)
        these = column.id.in_(bindparam("ids", expanding=True))
        self.alive = select(*(column[name] for name in ENDS)).where(these)
        over = or_(column.expires < bindparam("now"), end < bindparam("now"))
        self.purge = table.delete().where(these, over)
        # An idle of None makes `end` none, which is less than nothing.
        later = case((end < column.expires, end), else_=column.expires)
        self.postpone = table.update().where(these).values(due=later)

    def remove_and_tell(self, which: ColumnElement[bool], channel: str) -> Select[Any]:
        """Return what removes the rows *which*, returns them, and tells their ids on *channel*.

        Its last column is the message, which is sent for the first row: where none is removed,
        nothing is told.
        """
        table: Any = self.columns[0].table
        gone = table.delete().where(which).returning(*self.columns).cte("gone")
        names = cast_to(func.json_agg(gone.c.id), Text)
        short = case((func.octet_length(names) < _LONGEST_MESSAGE, names), else_="")
        told: Label[Any] = (
            select(cast_to(func.pg_notify(channel, short), Text)).select_from(gone).label("told")
        )
        return select(gone, told)

    def _swap(self, table: Table) -> Update:
        values: dict[str, Any] = {
            name: bindparam(f"new_{name}", type_=table.c[name].type) for name in (*COLUMNS, "due")
        }
        unchanged = table.c.version == values["version"] - 1
        statement = table.update().where(table.c.id == values["id"], unchanged)
        values["seen"] = case((table.c.seen > values["seen"], table.c.seen), else_=values["seen"])
        return statement.values(values)


def _values(session: LoginSession) -> dict[str, Any]:
    return {**dict(zip(COLUMNS, row_of(session), strict=True)), "due": due(session)}


def _tells(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _channel(given: str | bool | None, table: Table) -> str | None:
    """Return the name of the channel that was *given*, or one made of the name of *table*."""
    if given is not True:
        return given or None
    # PostgreSQL's names have 63 bytes.
    return sub(r"\W", "_", table.fullname, flags=ASCII)[:50] + "_ended"


def _plain(engine: Any) -> Engine:
    """Return the `Engine` that *engine* is, or has."""
    plain = engine if isinstance(engine, Engine) else getattr(engine, "sync_engine", None)
    if not isinstance(plain, Engine):
        raise ConfigurationError(
            "SQLAlchemyStore needs an engine, as create_engine() or create_async_engine() returns."
        )
    if plain is engine and plain.dialect.is_async:
        raise ConfigurationError(
            f"The driver {plain.dialect.driver} is asynchronous. Use create_async_engine()."
        )
    if plain.dialect.name not in _DIALECTS:
        raise ConfigurationError(
            f"SQLAlchemyStore knows {', '.join(_DIALECTS)}, not {plain.dialect.name}."
        )
    return plain


def _immediately(connection: Connection, work: Callable[..., T], *args: Any) -> T:
    """Do *work* in a transaction of SQLite that may write from its beginning."""
    connection.begin()
    # Here an application may have made SQLAlchemy begin one, which begins by reading.
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        connection.exec_driver_sql("ROLLBACK")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        result = work(connection, *args)
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        # A full disk has undone it already.
        if driver.in_transaction:
            connection.exec_driver_sql("ROLLBACK")
        raise
    return result


def _with_named_lock(connection: Connection, name: str, work: Callable[..., T], *args: Any) -> T:
    """Do *work*, and commit it, while no other connection to MySQL has the lock *name*."""
    if connection.execute(_GET_LOCK, {"name": name}).scalar() != 1:
        raise TimeoutError("another login of this user takes too long")
    try:
        result = work(connection, *args)
        connection.commit()
        return result
    finally:
        connection.rollback()
        connection.execute(_RELEASE_LOCK, {"name": name})


__all__ = ["SQLAlchemyStore"]
