"""How does a process hear what Redis publishes?

Rule 1.  redis-py subscribes anew by itself when a connection was lost, and says so by one more
         message "subscribe": what was published in between is lost, so whoever listens looks.
Rule 2.  Every few seconds the server is asked for a sign of life: what is between may drop a
         connection without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ConnectionError

from . import Listener, SessionId
from ._redis_clients import is_asynchronous, is_cluster

if TYPE_CHECKING:
    from .._core.exchange import Exchange

#: Seconds between two signs of life, and for an answer to a subscription.
_ASK_AFTER: Final = 5.0


def listener_on(client: Any, channel: str) -> Listener | None:
    """Return what hears of *channel*; None if *client* cannot subscribe, as redis-py's asynchronous
    client of a cluster could not at first.
    """
    if not hasattr(client, "pubsub"):
        return None
    return (_Async if is_asynchronous(client) else _Blocking)(client, channel)


class _Listener:
    """Listens on a channel of Redis."""

    def __init__(self, client: Any, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._pubsub: Any = None
        self._asked: float | None = None
        self._heard = 0.0

    async def begin(self, exchange: Exchange) -> None:
        await self.end(exchange)
        self._pubsub = self._client.pubsub()
        await exchange.call(self._subscribe)
        message = await exchange.call(self._next, _ASK_AFTER)
        if message is None or message["type"] != "subscribe":
            raise ConnectionError("Redis does not answer a subscription")
        self._asked, self._heard = None, monotonic()

    async def hear(self, exchange: Exchange, seconds: float) -> Sequence[SessionId] | None:
        await self._ask_for_life(exchange)
        message = await exchange.call(self._next, seconds)
        if message is None:
            return ()
        self._asked, self._heard = None, monotonic()
        if message["type"] == "subscribe":
            return None
        return _text(message["data"]).split() if message["type"] == "message" else ()

    async def _ask_for_life(self, exchange: Exchange) -> None:
        now = monotonic()
        if self._asked is not None and now - self._asked > _ASK_AFTER:
            raise ConnectionError("Redis does not answer who listens")
        if self._asked is None and now - self._heard > _ASK_AFTER:
            self._asked = now
            await exchange.call(self._ping)

    async def end(self, exchange: Exchange) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            await exchange.call(self._close, pubsub)

    _subscribe: Callable[[], Any]
    _next: Callable[[float], Any]
    _ping: Callable[[], Any]
    _close: Callable[[Any], Any]


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("ascii", "replace")


class _Blocking(_Listener):
    """By a client that blocks, in a thread."""

    def _subscribe(self) -> None:
        self._pubsub.subscribe(self._channel)

    def _next(self, seconds: float) -> Any:
        return self._pubsub.get_message(timeout=seconds)

    def _ping(self) -> None:
        self._pubsub.ping()

    def _close(self, pubsub: Any) -> None:
        pubsub.close()


class _Async(_Listener):
    """By a client that waits, on asyncio."""

    async def _subscribe(self) -> None:
        if is_cluster(self._client):
            await self._client.initialize()
        await self._pubsub.subscribe(self._channel)

    async def _next(self, seconds: float) -> Any:
        return await self._pubsub.get_message(timeout=seconds)

    async def _ping(self) -> None:
        await self._pubsub.ping()

    async def _close(self, pubsub: Any) -> None:
        await pubsub.aclose()
