"""A store in Redis, with each kind of client, for tests to look at."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from inspect import isawaitable
from typing import Any, Final

import pytest
from stores.redis_server import RedisCluster, RedisServer

from quart_login.stores import LoginSession, Store
from quart_login.stores._contract_kit import Awaits, Kept, Steps, session
from quart_login.stores.redis import RedisStore

ALONE: Final = ("sync", "async")
CLUSTER: Final = ("sync cluster", "async cluster")
ALL: Final = (*ALONE, *CLUSTER)


@dataclass(frozen=True)
class Kind:
    """How a server is spoken to."""

    name: str
    server: RedisServer | RedisCluster

    @property
    def is_async(self) -> bool:
        return self.name.startswith("async")

    def way(self) -> Steps | Awaits:
        return Awaits() if self.is_async else Steps()

    def open(self, url: str | None = None, **options: Any) -> RedisStore:
        """Return a store; it takes its time, for tests may share a processor with others."""
        given = {"is_async": self.is_async, "cluster": "cluster" in self.name, "timeout": 1.0}
        return RedisStore.from_url(url or self.server.url, **{**given, **options})


async def close(store: Store) -> None:
    client: Any = store._client  # type: ignore[attr-defined]
    closed = client.aclose() if hasattr(client, "aclose") else client.close()
    if isawaitable(closed):
        await closed


@dataclass(frozen=True)
class RedisKept(Kept):
    """A store in Redis, and the server: ``await kept.get(id)``, ``kept.server.run("DBSIZE")``."""

    kind: Kind

    @property
    def server(self) -> Any:
        return self.kind.server

    def new(self, number: int = 0, user_id: str = "7", **fields: Any) -> LoginSession:
        """Return the login session *number*, with an id that the store made."""
        given = {"id": self.make_id(user_id), **fields}
        return session(number, user_id, **given)

    def make_id(self, user_id: str) -> str:
        store: Any = self.store
        return str(store.make_id(user_id))

    def key(self, id: str) -> str:
        return f"login:{{{id[:6]}}}"


def on(
    *kinds: str, **options: Any
) -> Callable[[Callable[[RedisKept], Coroutine[Any, Any, None]]], Any]:
    """Run a test on an empty server, with each kind of client in turn."""

    def decorate(test: Callable[[RedisKept], Coroutine[Any, Any, None]]) -> Any:
        @pytest.mark.parametrize("redis_kind", kinds)
        @wraps(test)
        def check(redis_kind: str, request: pytest.FixtureRequest) -> None:
            name = "redis_cluster" if "cluster" in redis_kind else "redis_server"
            kind = Kind(redis_kind, request.getfixturevalue(name))
            kind.server.clear()
            kind.way().run(_examine(kind, test, options))

        del check.__wrapped__  # type: ignore[attr-defined]
        return check

    return decorate


async def _examine(
    kind: Kind, test: Callable[[RedisKept], Coroutine[Any, Any, None]], options: dict[str, Any]
) -> None:
    store, other = kind.open(**options), kind.open(**options)
    try:
        await test(RedisKept(store, other, kind.way(), kind))
    finally:
        await close(store)
        await close(other)
