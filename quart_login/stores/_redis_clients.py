"""May the store trust this client of redis-py?

Not to repeat a command whose answer was lost, not to wait for seconds, and not to answer from where
an ended session may still be.  redis-py's own defaults (since 6.0) repeat ten times, and wait five
seconds each time (since 8.0; before, for ever).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import redis
from redis import asyncio as aioredis
from redis.asyncio.client import Pipeline as AsyncPipeline
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.cluster import ClusterPipeline
from redis.retry import Retry

from .._core.errors import ConfigurationError

#: A blocking client waits no longer, in seconds.
LONGEST: Final = 1.0

_ASYNC: Final = (aioredis.Redis, aioredis.RedisCluster)
_CLUSTERS: Final = (redis.RedisCluster, aioredis.RedisCluster)
_CLIENTS: Final = (redis.Redis, *_CLUSTERS, *_ASYNC)
_NOT_THESE: Final = (Pipeline, AsyncPipeline, ClusterPipeline)
_WAITING_POOLS: Final = (redis.BlockingConnectionPool,)
_TIMES: Final = ("socket_timeout", "socket_connect_timeout")

_DO: Final = "Let RedisStore.from_url() make the client, or make one of its own for the store with"


def is_asynchronous(client: Any) -> bool:
    """Does *client* need an event loop?"""
    return isinstance(client, _ASYNC)


def is_cluster(client: Any) -> bool:
    """Is *client* one of a cluster?"""
    return isinstance(client, _CLUSTERS)


def make_client(
    url: str, is_async: bool, cluster: bool, timeout: float, options: Mapping[str, Any]
) -> Any:
    """Return a client that fails within *timeout* seconds, and tries once."""
    kinds: Any = aioredis if is_async else redis
    kind = kinds.RedisCluster if cluster else kinds.Redis
    retry: Any = (AsyncRetry if is_async else Retry)(NoBackoff(), 0)
    times = dict.fromkeys(_TIMES, timeout)
    return kind.from_url(url, **{"retry": retry, **times, **options})


def check_client(client: Any) -> None:
    """Raise `ConfigurationError` unless the store may trust *client*."""
    if not isinstance(client, _CLIENTS) or isinstance(client, _NOT_THESE):
        raise ConfigurationError(
            "RedisStore needs a client of redis-py: redis.Redis, redis.RedisCluster, or one of"
            f" these from redis.asyncio, and not a {type(client).__name__}."
        )
    _check_source(client)
    retries = _retries_of(client)
    if retries != 0:
        raise ConfigurationError(
            f"This client repeats a failed command ({retries} times), so that a login or logout"
            f" may be done twice. {_DO} retry=Retry(NoBackoff(), 0)."
        )
    if not is_asynchronous(client):
        _check_times(client)


def _check_source(client: Any) -> None:
    """Is it the primary server that answers each command?"""
    pool = getattr(client, "connection_pool", None)
    if (
        getattr(client, "read_from_replicas", False)
        or getattr(client, "load_balancing_strategy", None)
        or not getattr(pool, "is_master", True)
    ):
        raise ConfigurationError(
            "This client reads from replicas, where a session that was ended may still be."
            f" {_DO}out read_from_replicas, load_balancing_strategy and slave_for()."
        )
    keeper = pool if pool is not None else getattr(client, "nodes_manager", None)
    if getattr(keeper, "cache", None) or getattr(keeper, "_cache", None):
        raise ConfigurationError(
            "This client answers from a cache of its own, where a session that was ended may"
            f" still be. {_DO}out cache and cache_config."
        )


def _retries_of(client: Any) -> int:
    """Return how often *client* repeats what failed; negative for without end."""
    if is_cluster(client):
        return int(client.retry.get_retries())
    options = client.get_connection_kwargs()
    retry = options.get("retry")
    if retry is None:  # as redis-py decides for each connection
        return 1 if options.get("retry_on_timeout") or options.get("retry_on_error") else 0
    return int(retry.get_retries())


def _check_times(client: Any) -> None:
    """Does *client*, which blocks, give up in time?  Nobody else can end its call."""
    if is_cluster(client):
        options = client.nodes_manager.connection_kwargs
    else:
        options = client.get_connection_kwargs()
        pool = client.connection_pool
        if isinstance(pool, _WAITING_POOLS):
            _check_time("timeout of the BlockingConnectionPool", pool.timeout)
    for name in _TIMES:
        if name != "socket_connect_timeout" or "path" not in options:  # a Unix socket is there
            _check_time(name, options.get(name))


def _check_time(name: str, value: float | None) -> None:
    if value is None or not 0 < value <= LONGEST:
        raise ConfigurationError(
            f"A request would wait for a server that does not answer: the {name} of this client"
            f" is {'not set' if value is None else f'{value:g} seconds'}. {_DO} at most"
            f" {LONGEST:g} second, 0.25 say."
        )
