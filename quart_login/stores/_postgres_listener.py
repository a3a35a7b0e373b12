"""How does a process hear what PostgreSQL tells (NOTIFY)?

On a connection of its own, which the pool made and then forgot, by psycopg or asyncpg.

Rule 1.  A message is a JSON list of ids, or nothing for "look for yourselves".  What is neither
         counts as nothing.
Rule 2.  Every few seconds the connection is tried: a server, or what is between, may be gone
         without a word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
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


class _Listener:
    """Listens on a channel of PostgreSQL."""

    def __init__(self, engine: Any, channel: str) -> None:
        self._engine = engine
        self._listen = 'LISTEN "{}"'.format(channel.replace('"', '""'))
        self._channel = channel
        self._connection: Any = None
        self._tried = 0.0

    async def begin(self, exchange: Exchange) -> None:
        await self.end(exchange)
        await exchange.call(self._begin)
        self._tried = monotonic()

    async def hear(self, exchange: Exchange, seconds: float) -> Sequence[SessionId] | None:
        if monotonic() - self._tried > _TRY_AFTER:
            await exchange.call(self._try)
            self._tried = monotonic()
        messages: list[str] = await exchange.call(self._hear, seconds)
        found = [_ids(message) for message in messages]
        ids = [id for some in found if some is not None for id in some]
        return None if None in found else ids

    async def end(self, exchange: Exchange) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await exchange.call(self._close, connection)

    _begin: Callable[[], Any]
    _try: Callable[[], Any]
    _hear: Callable[[float], Any]
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

    def _begin(self) -> None:
        lent = self._engine.raw_connection()
        self._connection = lent.driver_connection
        lent.detach()
        self._connection.rollback()
        self._connection.autocommit = True
        self._connection.execute(self._listen)

    def _try(self) -> None:
        self._connection.execute("SELECT 1")

    def _hear(self, seconds: float) -> list[str]:
        heard = self._connection.notifies(timeout=seconds, stop_after=1)
        return [message.payload for message in heard]

    def _close(self, connection: Any) -> None:
        connection.close()


class _AsyncPsycopg(_Listener):
    """By psycopg, on asyncio."""

    async def _begin(self) -> None:
        lent = await self._engine.raw_connection()
        self._connection = lent.driver_connection
        lent.detach()
        await self._connection.rollback()
        await self._connection.set_autocommit(True)
        await self._connection.execute(self._listen)

    async def _try(self) -> None:
        await self._connection.execute("SELECT 1")

    async def _hear(self, seconds: float) -> list[str]:
        heard = self._connection.notifies(timeout=seconds, stop_after=1)
        return [message.payload async for message in heard]

    async def _close(self, connection: Any) -> None:
        await connection.close()


class _Asyncpg(_Listener):
    """By asyncpg."""

    _heard: list[str]
    _news: Event

    async def _begin(self) -> None:
        import asyncio

        self._heard, self._news = [], asyncio.Event()
        lent = await self._engine.raw_connection()
        self._connection = lent.driver_connection
        lent.detach()
        self._connection.add_termination_listener(lambda *_: self._news.set())
        await self._connection.add_listener(self._channel, self._note)

    def _note(self, connection: Any, process: int, channel: str, message: str) -> None:
        self._heard.append(message)
        self._news.set()

    async def _try(self) -> None:
        await self._connection.execute("SELECT 1", timeout=_TRY_AFTER)

    async def _hear(self, seconds: float) -> list[str]:
        import asyncio

        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return []
        if self._connection.is_closed():
            raise ConnectionError("PostgreSQL closed the connection that listens")
        self._news.clear()
        heard, self._heard = self._heard, []
        return heard

    async def _close(self, connection: Any) -> None:
        await connection.close(timeout=1)


_KINDS: Final[dict[tuple[str, bool], type[_Listener]]] = {
    ("psycopg", False): _Psycopg,
    ("psycopg", True): _AsyncPsycopg,
    ("asyncpg", True): _Asyncpg,
}
