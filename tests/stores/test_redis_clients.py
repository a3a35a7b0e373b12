"""Which clients of redis-py does the store trust?  None of these speaks to a server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import redis
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel
from stores.redis_server import RedisCluster

from quart_login._core.errors import ConfigurationError
from quart_login.stores.redis import RedisStore

ONCE: Any = Retry(NoBackoff(), 0)
ASYNC_ONCE: Any = AsyncRetry(NoBackoff(), 0)
QUICK: dict[str, Any] = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
URL = "redis://127.0.0.1:1"


def alone(**options: Any) -> redis.Redis:
    return redis.Redis(**{"retry": ONCE, **QUICK, **options})


def test_a_client_that_tries_once_and_is_quick_is_trusted() -> None:
    for client in (
        alone(),
        alone(decode_responses=True, protocol=3),
        alone(socket_timeout=1),
        redis.Redis(connection_pool=redis.ConnectionPool(**QUICK)),
        redis.Redis.from_url(URL, **QUICK),
        redis.Redis.from_url(f"{URL}?socket_timeout=0.1&socket_connect_timeout=0.1", retry=ONCE),
        alone(unix_socket_path="/run/redis.sock"),
    ):
        assert RedisStore(client).is_async is False


def test_an_asyncio_client_needs_no_times_for_the_core_ends_its_calls() -> None:
    for client in (
        aioredis.Redis(retry=ASYNC_ONCE),
        aioredis.Redis(retry=ASYNC_ONCE, socket_timeout=None),
        aioredis.RedisCluster("127.0.0.1", 1, retry=ASYNC_ONCE),
    ):
        assert RedisStore(client).is_async is True


@pytest.mark.parametrize(
    "make",
    [
        lambda: redis.Redis(),
        lambda: redis.Redis(**QUICK),
        lambda: alone(retry=Retry(NoBackoff(), 1)),
        lambda: alone(retry=Retry(NoBackoff(), -1)),
        lambda: aioredis.Redis(),
        lambda: aioredis.Redis(retry=AsyncRetry(NoBackoff(), 3)),
        lambda: aioredis.RedisCluster("127.0.0.1", 1),
        lambda: redis.Redis(
            connection_pool=redis.ConnectionPool(**QUICK, retry_on_error=[redis.TimeoutError])
        ),
        lambda: redis.Redis(connection_pool=redis.ConnectionPool(**QUICK, retry_on_timeout=True)),
    ],
)
def test_111_a_client_that_repeats_commands_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"repeats a failed command .*from_url"):
        RedisStore(make())


def waiting_pool(timeout: float | None) -> redis.Redis:
    return redis.Redis(connection_pool=redis.BlockingConnectionPool(timeout=timeout, **QUICK))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: redis.Redis(retry=ONCE), "socket_timeout"),
        (lambda: alone(socket_timeout=None), "socket_timeout of this client is not set"),
        (lambda: alone(socket_timeout=5), "socket_timeout of this client is 5 seconds"),
        (lambda: alone(socket_timeout=0), "socket_timeout"),
        (lambda: alone(socket_connect_timeout=None), "socket_connect_timeout"),
        (lambda: alone(socket_connect_timeout=30), "socket_connect_timeout"),
        (lambda: redis.Redis(connection_pool=redis.ConnectionPool()), "socket_timeout"),
        (lambda: waiting_pool(20), "timeout of the BlockingConnectionPool"),
        (lambda: waiting_pool(None), "timeout of the BlockingConnectionPool"),
    ],
)
def test_110_a_blocking_client_that_waits_for_long_is_refused(
    make: Callable[[], Any], name: str
) -> None:
    with pytest.raises(ConfigurationError, match=name):
        RedisStore(make())


def test_119_a_pool_that_waits_for_a_little_while_is_trusted() -> None:
    assert RedisStore(waiting_pool(0.2))


def test_114_a_client_that_reads_from_replicas_is_refused() -> None:
    sentinel = Sentinel([("127.0.0.1", 1)], **QUICK)
    balanced: Any = aioredis.cluster.LoadBalancingStrategy.ROUND_ROBIN
    for client in (
        sentinel.slave_for("mymaster", retry=ONCE, **QUICK),
        aioredis.RedisCluster("127.0.0.1", 1, retry=ASYNC_ONCE, load_balancing_strategy=balanced),
    ):
        with pytest.raises(ConfigurationError, match="reads from replicas"):
            RedisStore(client)
    assert RedisStore(sentinel.master_for("mymaster", retry=ONCE, **QUICK))


def test_a_client_that_answers_from_its_memory_is_refused() -> None:
    from redis.cache import CacheConfig

    with pytest.raises(ConfigurationError, match="cache"):
        RedisStore(alone(protocol=3, cache_config=CacheConfig()))


def test_what_is_no_client_is_refused() -> None:
    for thing in (None, URL, object(), alone().pipeline(), redis.ConnectionPool(), redis.Redis):
        with pytest.raises(ConfigurationError, match="needs a client of redis-py"):
            RedisStore(thing)


def test_a_blocking_cluster_is_judged_alike(redis_cluster: RedisCluster) -> None:
    where = {"host": "127.0.0.1", "port": redis_cluster.port}
    balanced: Any = aioredis.cluster.LoadBalancingStrategy.ROUND_ROBIN
    with redis.RedisCluster(**where, **QUICK) as client:
        with pytest.raises(ConfigurationError, match="repeats a failed command"):
            RedisStore(client)
        with pytest.raises(ConfigurationError, match="needs a client"):
            RedisStore(client.pipeline())
    with (
        redis.RedisCluster(**where, retry=ONCE) as client,
        pytest.raises(ConfigurationError, match="socket_timeout"),
    ):
        RedisStore(client)
    with (
        redis.RedisCluster(
            **where, retry=ONCE, load_balancing_strategy=balanced, **QUICK
        ) as client,
        pytest.raises(ConfigurationError, match="replicas"),
    ):
        RedisStore(client)
    with redis.RedisCluster(**where, retry=ONCE, **QUICK) as client:
        assert RedisStore(client).is_async is False


def test_from_url_makes_clients_that_are_trusted(redis_cluster: RedisCluster) -> None:
    for is_async in (False, True):
        assert RedisStore.from_url(URL, is_async=is_async).is_async is is_async
        store = RedisStore.from_url(redis_cluster.url, is_async=is_async, cluster=True)
        assert store.is_async is is_async
        if not is_async:
            client: Any = store._client
            client.close()


def test_a_url_that_asks_for_more_patience_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="socket_timeout"):
        RedisStore.from_url(f"{URL}?socket_timeout=30", is_async=False)
    with pytest.raises(ConfigurationError, match="socket_timeout"):
        RedisStore.from_url(URL, is_async=False, timeout=30)


@pytest.mark.parametrize("prefix", ["", "{7}", "a b", "login*", "é", "a\n", "[a]"])
def test_a_prefix_that_could_mean_something_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix"):
        RedisStore(alone(), prefix)


def test_a_tag_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="tag_key"):
        RedisStore(alone(), tag_key=b"short")


def test_no_driver_is_imported_before_the_stores_module() -> None:
    script = "import sys, quart_login.stores; print('redis' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
