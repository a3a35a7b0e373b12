"""How does a process hear what PostgreSQL tells (NOTIFY)?

On a connection of its own, which the pool made and then forgot, by psycopg or asyncpg.

Rule 1.  A message is a JSON list of ids, or nothing for "look for yourselves".  What is neither
         counts as nothing.
Rule 2.  Every few seconds the connection is tried: a server, or what is between, may be gone
         without a word.
Rule 3.  A connection is closed by who uses it last.  Whoever waits for one that hangs may leave it,
         and what hangs there still has it: a thread, or psycopg, which asks the server before it
         lets itself be cancelled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from . import Listener, SessionId

if TYPE_CHECKING:
    from asyncio import Event

    from .._core.exchange import Exchange

#: Seconds between two trials of the connection.
_TRY_AFTER: Final = 5.0


def listener_on(engine: Any, channel: str) -> Listener | None:
    """Return what hears of *channel* by the driver of *engine*; None if that is no such driver."""
    kind = _KINDS.get((engine.dialect.driver, engine.dialect.is_async))
    return None if kind is None else kind(engine, channel)


class _Line:
    """A connection, which one at a time uses."""

    def __init__(self) -> None:
        self.connection: Any = None
        self._lock = Lock()
        self._used = self._over = False

    def take(self) -> None:
        """Use it.  Raises `ConnectionError` if it is over."""
        with self._lock:
            if self._over:
                raise ConnectionError("nobody listens any more")
            self._used = True

    def give_back(self) -> Any:
        """Use it no longer.  Return what is to be closed, if anything is."""
        with self._lock:
            self._used = False
            return self._left()

    def finish(self) -> Any:
        """Let it be over.  Return what is to be closed, if anything is."""
        with self._lock:
            self._over = True
            return self._left()

    def _left(self) -> Any:
        if self._used or not self._over:
            return None
        connection, self.connection = self.connection, None
        return connection


class _Listener:
    """Listens on a channel of PostgreSQL."""

    def __init__(self, engine: Any, channel: str) -> None:
        self._engine = engine
        self._listen = 'LISTEN "{}"'.format(channel.replace('"', '""'))
        self._channel = channel
        self._line = _Line()
        self._tried = 0.0

    async def begin(self, exchange: Exchange) -> None:
        await self.end(exchange)
        self._line = _Line()
        await exchange.call(self._use, self._line, self._begin)
        self._tried = monotonic()

    async def hear(self, exchange: Exchange, seconds: float) -> Sequence[SessionId] | None:
        if monotonic() - self._tried > _TRY_AFTER:
            await exchange.call(self._use, self._line, self._try)
            self._tried = monotonic()
        messages: list[str] = await exchange.call(self._use, self._line, self._hear, seconds)
        found = [_ids(message) for message in messages]
        ids = [id for some in found if some is not None for id in some]
        return None if None in found else ids

    async def end(self, exchange: Exchange) -> None:
        connection = self._line.finish()
        if connection is not None:
            await exchange.call(self._close, connection)

    _use: Callable[..., Any]
    _begin: Callable[[_Line], Any]
    _try: Callable[[_Line], Any]
    _hear: Callable[[_Line, float], Any]
    _close: Callable[[Any], Any]


def _ids(message: str) -> Sequence[SessionId] | None:
    """Return the ids that *message* tells, or None if it tells none."""
    try:
        ids = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return ids if isinstance(ids, list) and all(isinstance(id, str) for id in ids) else None


class _Psycopg(_Listener):
    """By psycopg, in a thread."""

    def _use(self, line: _Line, work: Callable[..., Any], *args: Any) -> Any:
        line.take()
        try:
            return work(line, *args)
        finally:
            connection = line.give_back()
            if connection is not None:
                self._close(connection)

    def _begin(self, line: _Line) -> None:
        lent = self._engine.raw_connection()
        line.connection = lent.driver_connection
        lent.detach()
        line.connection.rollback()
        line.connection.autocommit = True
        line.connection.execute(self._listen)

    def _try(self, line: _Line) -> None:
        line.connection.execute("SELECT 1")

    def _hear(self, line: _Line, seconds: float) -> list[str]:
        heard = line.connection.notifies(timeout=seconds, stop_after=1)
        return [message.payload for message in heard]

    def _close(self, connection: Any) -> None:
        connection.close()


class _OnLoop(_Listener):
    """By a driver that waits, on asyncio."""

    async def _use(self, line: _Line, work: Callable[..., Any], *args: Any) -> Any:
        line.take()
        try:
            return await work(line, *args)
        finally:
            connection = line.give_back()
            if connection is not None:
                await self._close(connection)


class _AsyncPsycopg(_OnLoop):
    """By psycopg."""

    async def _begin(self, line: _Line) -> None:
        lent = await self._engine.raw_connection()
        line.connection = lent.driver_connection
        lent.detach()
        await line.connection.rollback()
        await line.connection.set_autocommit(True)
        await line.connection.execute(self._listen)

    async def _try(self, line: _Line) -> None:
        await line.connection.execute("SELECT 1")

    async def _hear(self, line: _Line, seconds: float) -> list[str]:
        heard = line.connection.notifies(timeout=seconds, stop_after=1)
        return [message.payload async for message in heard]

    async def _close(self, connection: Any) -> None:
        await connection.close()


class _Asyncpg(_OnLoop):
    """By asyncpg."""

    _heard: list[str]
    _news: Event

    async def _begin(self, line: _Line) -> None:
        import asyncio

        self._heard, self._news = [], asyncio.Event()
        lent = await self._engine.raw_connection()
        line.connection = lent.driver_connection
        lent.detach()
        line.connection.add_termination_listener(lambda *_: self._news.set())
        await line.connection.add_listener(self._channel, self._note)

    def _note(self, connection: Any, process: int, channel: str, message: str) -> None:
        self._heard.append(message)
        self._news.set()

    async def _try(self, line: _Line) -> None:
        await line.connection.execute("SELECT 1", timeout=_TRY_AFTER)

    async def _hear(self, line: _Line, seconds: float) -> list[str]:
        import asyncio

        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return []
        if line.connection.is_closed():
            raise ConnectionError("PostgreSQL closed the connection that listens")
        self._news.clear()
        heard, self._heard = self._heard, []
        return heard

    async def _close(self, connection: Any) -> None:
        import asyncio

        # Its own time limit is none where a statement was cancelled.  It aborts if it is cancelled.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await connection.close()


_KINDS: Final[dict[tuple[str, bool], type[_Listener]]] = {
    ("psycopg", False): _Psycopg,
    ("psycopg", True): _AsyncPsycopg,
    ("asyncpg", True): _Asyncpg,
}
