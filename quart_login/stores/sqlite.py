"""Where are login sessions kept on one machine?

In one file, by Python's own `sqlite3`.

Rule 1.  Every write begins with ``BEGIN IMMEDIATE``: a transaction that reads first and writes
         later fails at once where another has written, however long it would wait.
Rule 2.  A write waits for another's for `SQLiteStore.timeout`, which is shorter than the core waits
         for a store.  A read waits for nobody (WAL).
Rule 3.  A commit is on the disk when it returns (``synchronous = FULL``): a revoked session is not
         back after a power failure.
Rule 4.  A connection serves one thread at a time, and none that has failed serves again.
Rule 5.  No connection is open while the process forks, for a child that inherits one would share
         its locks without holding them (sqlite.org/howtocorrupt.html, 2.6).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Final, ParamSpec, TypeVar, cast
from weakref import WeakSet, finalize

from .._core.errors import ConfigurationError
from .._core.held import due
from . import LoginSession, SessionId
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
    from .._core.exchange import Exchange

P = ParamSpec("P")
T = TypeVar("T")

#: How many connections are kept for the next request.
_KEPT: Final = 16

#: For so many locks the first call on a connection waits, at most: to read what the file is, to
#: switch to WAL, to make the schema, and its own.
_LOCKS: Final = 4

#: Says in a file's header that it is a store's: "qlog".
_APPLICATION: Final = 0x716C6F67
#: The version of the schema below.
_SCHEMA: Final = 1

_CREATE: Final = (
    """
    CREATE TABLE login_session (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL,
        created REAL NOT NULL,
        seen REAL NOT NULL,
        expires REAL NOT NULL,
        digest TEXT NOT NULL,
        version INTEGER NOT NULL,
        fresh_since REAL,
        method TEXT NOT NULL,
        agent TEXT NOT NULL,
        address TEXT NOT NULL,
        epoch TEXT,
        idle REAL,
        remember TEXT,
        former TEXT,
        rotated REAL,
        confirmed INTEGER NOT NULL,
        due REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX login_session_user_id ON login_session (user_id)",
    "CREATE INDEX login_session_due ON login_session (due)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_SCHEMA}",
)

_NAMES: Final = ", ".join(COLUMNS)
_GET: Final = f"SELECT {_NAMES} FROM login_session WHERE id = ?"
_LIST: Final = f"SELECT {_NAMES} FROM login_session WHERE user_id = ?"
_ALIVE: Final = f"SELECT {', '.join(ENDS)} FROM login_session WHERE id IN"
_CHANGES: Final = [name for name in COLUMNS if name != "seen"]
_ADD: Final = (
    f"INSERT INTO login_session ({_NAMES}, due) VALUES ({', '.join('?' * len(COLUMNS))}, ?)"
)
_SWAP: Final = (
    f"UPDATE login_session SET {', '.join(f'{name} = :{name}' for name in _CHANGES)}"
    ", seen = max(seen, :seen), due = :due WHERE id = :id AND version = :version - 1"
)
_TOUCH: Final = "UPDATE login_session SET seen = :seen WHERE id = :id AND seen < :seen"
_DELETE: Final = "DELETE FROM login_session WHERE id = ?"
_DELETE_USER: Final = "DELETE FROM login_session WHERE user_id = ? AND id <> ?"
_DUE: Final = f"SELECT id FROM login_session WHERE due < ? ORDER BY due LIMIT {AT_A_TIME}"
_PURGE: Final = (
    "DELETE FROM login_session WHERE id = :id AND (expires < :now OR seen + idle < :now)"
)
_POSTPONE: Final = (
    "UPDATE login_session SET due = min(expires, coalesce(seen + idle, expires)) WHERE id = :id"
)

#: What is wrong with a file for good, by the primary result codes of sqlite.org/rescode.html.
_HOPELESS: Final = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


class SQLiteStore:
    """Keeps login sessions in the file at *path*, which is made, readable for its owner alone.

    *timeout* is for how many seconds a write waits for another; keep it below the core's time limit
    for a store.  Threads and processes may share the file, on a local disk.  It is the store's
    alone: give the application's tables another.

    Raises `ConfigurationError` if *path* is no path of a file, or *timeout* is not above zero; what
    `sqlite3` raises when a statement fails; and `RuntimeError` after `close`.
    """

    #: Does it need an event loop?
    is_async: ClassVar[bool] = False

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 0.2) -> None:
        name = os.fspath(path)
        if not name or name.startswith((":memory:", "file:")):
            raise ConfigurationError(
                "SQLiteStore needs the path of a file. Use MemoryStore to keep sessions in memory."
            )
        if not timeout > 0:
            raise ConfigurationError("SQLiteStore needs a timeout above 0 seconds.")
        self.path = os.path.abspath(name)
        self.timeout = timeout
        self._idle: list[sqlite3.Connection] = []
        self._all: set[sqlite3.Connection] = set()
        # Held while a connection is opened, and while the process forks.
        self._opening = Lock()
        self._pid = os.getpid()
        self._closed = False
        self._close_idle = finalize(self, _close_all, self._idle)
        _stores.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path!r}>"

    @property
    def gives_up_after(self) -> float:
        """For how many seconds a call that begins now may wait, but for the disk; see `Store`."""
        return self.timeout if self._idle else _LOCKS * self.timeout

    async def get(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        return cast("LoginSession | None", await exchange.call(self._do, _get, id))

    async def add(
        self,
        exchange: Exchange,
        session: LoginSession,
        *,
        limit: int | None = None,
        evict: bool = True,
    ) -> Sequence[LoginSession] | None:
        return await self._call(exchange, self._write, _add, session, limit, evict)

    async def swap(self, exchange: Exchange, old: LoginSession, new: LoginSession) -> bool:
        check_succession(old, new)
        return await self._call(exchange, self._write, _swap, new)

    async def touch(self, exchange: Exchange, id: SessionId, seen: float) -> None:
        await self._call(exchange, self._write, _touch, id, seen)

    async def delete(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        return await self._call(exchange, self._write, _delete, id)

    async def delete_user(
        self, exchange: Exchange, user_id: str, *, but: SessionId | None = None
    ) -> Sequence[LoginSession]:
        return await self._call(exchange, self._write, _delete_user, user_id, but)

    async def list(self, exchange: Exchange, user_id: str) -> Sequence[LoginSession]:
        return await self._call(exchange, self._do, _list, user_id)

    async def alive(
        self, exchange: Exchange, ids: Collection[SessionId]
    ) -> Mapping[SessionId, float]:
        return await self._call(exchange, self._do, _alive, ids)

    async def purge(self, exchange: Exchange, now: float) -> int:
        removed, more = 0, True
        while more:
            count, more = await self._call(exchange, self._write, _purge, now)
            removed += count
        return removed

    async def check(self, exchange: Exchange) -> None:
        await exchange.call(self._check)

    def close(self) -> None:
        """Close the connections; the store is of no use any more."""
        with self._opening:
            self._closed = True
        self._close_idle()

    # --- how a statement is run ------------------------------------------------------------------

    async def _call(
        self,
        exchange: Exchange,
        how: Callable[..., Any],
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return cast(T, await exchange.call(how, work, *args))

    def _write(self, work: Callable[..., Any], *args: Any) -> Any:
        return self._do(_in_one_piece, work, *args)

    def _do(self, work: Callable[..., Any], *args: Any) -> Any:
        connection = self._take()
        try:
            result = work(connection, *args)
        except BaseException:
            # Closing undoes what was begun.
            self._drop(connection)
            raise
        self._give_back(connection)
        return result

    def _take(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            self._inherited()
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= _KEPT:
            self._drop(connection)
        else:
            self._idle.append(connection)

    def _drop(self, connection: sqlite3.Connection) -> None:
        connection.close()
        self._all.discard(connection)

    def _open(self) -> sqlite3.Connection:
        with self._opening:
            if self._closed:
                raise RuntimeError(f"{self!r} is closed")
            _make_file(self.path)
            connection = sqlite3.connect(
                self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._all.add(connection)
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        new = self._is_new(connection)
        self._use_wal(connection)
        if new:
            _in_one_piece(connection, self._create)

    def _is_new(self, connection: sqlite3.Connection) -> bool:
        """Has the file no schema yet?  Raises `ConfigurationError` if it has another."""
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if (application, version) == (_APPLICATION, _SCHEMA):
            return False
        [objects] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (application, version, objects) == (0, 0, 0):
            return True
        if application == _APPLICATION:
            raise ConfigurationError(
                f"{self.path} has version {version} of the schema of login sessions, and this"
                f" library knows version {_SCHEMA}. Remove the file, which ends all logins, or use"
                " the library's version that made it."
            )
        raise ConfigurationError(
            f"{self.path} is not a file of login sessions. Give SQLiteStore a file of its own."
        )

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait for the lock that the first switch needs.
        until = time.monotonic() + self.timeout
        while True:
            try:
                [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.005)
        if mode != "wal":
            raise ConfigurationError(
                f"SQLite cannot use a write-ahead log at {self.path}. Put the file on a local disk."
            )

    def _create(self, connection: sqlite3.Connection) -> None:
        if self._is_new(connection):  # Another process may have been quicker.
            for statement in _CREATE:
                connection.execute(statement)

    def _check(self) -> None:
        try:
            self._write(_nothing)
        except OSError as error:
            raise ConfigurationError(f"SQLiteStore cannot make {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            if _code(error) not in _HOPELESS:
                raise
            raise ConfigurationError(f"SQLiteStore cannot use {self.path}: {error}") from error

    # --- forks -----------------------------------------------------------------------------------

    def _before_fork(self) -> None:
        """Close every connection, and let none be opened."""
        self._opening.acquire()
        until = time.monotonic() + 2 * self.timeout
        while self._all and time.monotonic() < until:
            try:
                self._drop(self._idle.pop())
            except IndexError:
                time.sleep(0.001)  # A thread has it, and gives it back.

    def _after_fork(self) -> None:
        self._opening.release()

    def _inherited(self) -> None:
        """Refuse to work, in a process that its parent forked with open connections."""
        if self._all:
            raise RuntimeError(
                f"{self!r} was in use when this process forked, so its file cannot be locked here."
                " Let the server load the application in each worker."
            )
        self._pid = os.getpid()


#: The stores of this process.
_stores: WeakSet[SQLiteStore] = WeakSet()
#: Those whose locks a fork holds.
_held: list[SQLiteStore] = []


def _before_fork() -> None:
    for store in list(_stores):
        store._before_fork()
        _held.append(store)


def _after_fork() -> None:
    while _held:
        _held.pop()._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _make_file(path: str) -> None:
    """Make the file at *path*, for its owner alone; SQLite gives its other files the same mode."""
    # Only if there is none: to close a file is to give up all locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code of *error*."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


# --- the statements ------------------------------------------------------------------------------


def _in_one_piece(connection: sqlite3.Connection, work: Callable[..., Any], *args: Any) -> Any:
    connection.execute("BEGIN IMMEDIATE")
    result = work(connection, *args)
    connection.execute("COMMIT")
    return result


def _nothing(connection: sqlite3.Connection) -> None:
    """Write nothing, which fails where nothing can be written (as ``BEGIN`` alone does not)."""
    connection.execute(_DELETE, ("",))


def _get(connection: sqlite3.Connection, id: SessionId) -> LoginSession | None:
    row = connection.execute(_GET, (id,)).fetchone()
    return None if row is None else read(row)


def _raw(connection: sqlite3.Connection, statement: str, *of: str) -> list[Any]:
    """Return the rows of *statement*, also those with text that is no text."""
    connection.text_factory = _text
    rows = connection.execute(statement, of).fetchall()
    connection.text_factory = str
    return rows


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _list(connection: sqlite3.Connection, user_id: str) -> list[LoginSession]:
    return last_seen_first(map(read, connection.execute(_LIST, (user_id,)).fetchall()))


def _alive(connection: sqlite3.Connection, ids: Collection[SessionId]) -> dict[SessionId, float]:
    found = {}
    for some in parts(ids):
        found.update(lasting(_raw(connection, f"{_ALIVE} ({', '.join('?' * len(some))})", *some)))
    return found


def _add(
    connection: sqlite3.Connection, session: LoginSession, limit: int | None, evict: bool
) -> list[LoginSession] | None:
    gone: list[LoginSession] | None = []
    if limit is not None:
        kept = readable(_raw(connection, _LIST, session.user_id))
        gone = make_room(kept, session.created, limit, evict)
    if gone is None:
        return None
    connection.executemany(_DELETE, [(one.id,) for one in gone])
    connection.execute(_ADD, (*row_of(session), due(session)))
    return gone


def _swap(connection: sqlite3.Connection, new: LoginSession) -> bool:
    values: dict[str, Any] = dict(zip(COLUMNS, row_of(new), strict=True))
    return connection.execute(_SWAP, {**values, "due": due(new)}).rowcount == 1


def _touch(connection: sqlite3.Connection, id: SessionId, seen: float) -> None:
    connection.execute(_TOUCH, {"id": id, "seen": seen})


def _delete(connection: sqlite3.Connection, id: SessionId) -> LoginSession | None:
    gone = readable(_raw(connection, _GET, id))
    connection.execute(_DELETE, (id,))
    return gone[0] if gone else None


def _delete_user(
    connection: sqlite3.Connection, user_id: str, but: SessionId | None
) -> list[LoginSession]:
    rows = _raw(connection, _LIST, user_id)
    connection.execute(_DELETE_USER, (user_id, but or ""))
    return readable(row for row in rows if row[0] != but)


def _purge(connection: sqlite3.Connection, now: float) -> tuple[int, bool]:
    """Remove some of what is over.  Return how many, and whether there may be more."""
    ids = [{"id": id, "now": now} for (id,) in connection.execute(_DUE, (now,)).fetchall()]
    removed = connection.executemany(_PURGE, ids).rowcount if ids else 0
    connection.executemany(_POSTPONE, ids)
    return removed, len(ids) == AT_A_TIME


__all__ = ["SQLiteStore"]
