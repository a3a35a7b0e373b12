"""The contract, on Redis: each kind of client, one server and three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from stores.redis_kinds import Kind, close
from stores.redis_server import RedisCluster, RedisServer

from quart_login.stores import LoginSession, Store
from quart_login.stores.contract import StoreContract
from quart_login.stores.redis import RedisStore


class _Named:
    """A store that takes any id, before one that takes those it made.

    The contract makes up ids; this gives each one of the store's own, for the user who comes first.
    """

    def __init__(self, store: RedisStore, names: dict[str, str]) -> None:
        self._store = store
        self._names = names

    def __repr__(self) -> str:
        return repr(self._store)

    def _there(self, id: str, user_id: str | None = None) -> str:
        if user_id is None:
            return self._names.get(id, id)
        # In order of being new, as the contract's own ids are.
        made = self._store.make_id(user_id)[:6] + f"{len(self._names):016d}"
        return self._names.setdefault(id, made)

    def _to(self, session: LoginSession) -> LoginSession:
        return replace(session, id=self._there(session.id, session.user_id))

    def _back(self, sessions: Sequence[LoginSession]) -> list[LoginSession]:
        ids = {there: here for here, there in self._names.items()}
        return [replace(session, id=ids[session.id]) for session in sessions]

    async def get(self, exchange: Any, id: str) -> LoginSession | None:
        found = await self._store.get(exchange, self._there(id))
        return None if found is None else self._back([found])[0]

    async def add(
        self, exchange: Any, session: LoginSession, *, limit: int | None = None, evict: bool = True
    ) -> Sequence[LoginSession] | None:
        there = self._to(session)
        gone = await self._store.add(exchange, there, limit=limit, evict=evict)
        return None if gone is None else self._back(gone)

    async def swap(self, exchange: Any, old: LoginSession, new: LoginSession) -> bool:
        return await self._store.swap(exchange, self._to(old), self._to(new))

    async def touch(self, exchange: Any, id: str, seen: float) -> None:
        await self._store.touch(exchange, self._there(id), seen)

    async def delete(self, exchange: Any, id: str) -> LoginSession | None:
        found = await self._store.delete(exchange, self._there(id))
        return None if found is None else self._back([found])[0]

    async def delete_user(
        self, exchange: Any, user_id: str, *, but: str | None = None
    ) -> Sequence[LoginSession]:
        kept = None if but is None else self._there(but)
        return self._back(await self._store.delete_user(exchange, user_id, but=kept))

    async def list(self, exchange: Any, user_id: str) -> Sequence[LoginSession]:
        return self._back(await self._store.list(exchange, user_id))

    async def purge(self, exchange: Any, now: float) -> int:
        return await self._store.purge(exchange, now)

    async def check(self, exchange: Any) -> None:
        await self._store.check(exchange)

    async def alive(self, exchange: Any, ids: Any) -> dict[str, float]:
        found = await self._store.alive(exchange, [self._there(id) for id in ids])
        here = {there: here for here, there in self._names.items()}
        return {here[there]: end for there, end in found.items()}

    def listener(self) -> Any:
        return _NamedListener(self._store.listener(), self._names)


class _NamedListener:
    """What such a store hears."""

    def __init__(self, listener: Any, names: dict[str, str]) -> None:
        self._listener = listener
        self._names = names

    async def begin(self, exchange: Any) -> None:
        await self._listener.begin(exchange)

    async def hear(self, exchange: Any, seconds: float) -> list[str] | None:
        ids = {there: here for here, there in self._names.items()}
        heard = await self._listener.hear(exchange, seconds)
        return None if heard is None else [ids[there] for there in heard]

    async def end(self, exchange: Any) -> None:
        await self._listener.end(exchange)


class _OnRedis(StoreContract):
    kind: str
    options: dict[str, Any] = {}  # noqa: RUF012

    server: RedisServer | RedisCluster

    @pytest.fixture(autouse=True)
    def _names(self) -> None:
        self.names: dict[str, str] = {}

    async def open(self) -> Store:
        return _Named(Kind(self.kind, self.server).open(**self.options), self.names)

    async def close(self, store: Any) -> None:
        await close(store._store)


class _Alone(_OnRedis):
    @pytest.fixture(autouse=True)
    def _server(self, redis_server: RedisServer) -> None:
        redis_server.clear()
        self.server = redis_server


class _OnCluster(_OnRedis):
    @pytest.fixture(autouse=True)
    def _cluster(self, redis_cluster: RedisCluster) -> None:
        redis_cluster.clear()
        self.server = redis_cluster


class TestRedis(_Alone):
    kind = "sync"


class TestRedisAsync(_Alone):
    kind = "async"
    ways = ("awaited",)


class TestRedisThatDecodes(_Alone):
    """A client that the application made for texts, and for RESP3."""

    kind = "sync"
    options = {"decode_responses": True, "protocol": 3, "channel": "ended"}  # noqa: RUF012


class TestRedisAsyncThatDecodes(TestRedisAsync):
    options = {"decode_responses": True, "protocol": 3, "tag_key": b"k" * 16}  # noqa: RUF012


class TestRedisCluster(_OnCluster):
    kind = "sync cluster"


class TestRedisClusterAsync(_OnCluster):
    kind = "async cluster"
    ways = ("awaited",)
