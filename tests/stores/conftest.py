from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores.postgres import Postgres
from stores.redis_server import RedisCluster, RedisServer


@pytest.fixture
def ram() -> Iterator[Path]:
    """Return a directory in memory, where there is such a thing: a commit waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Return a server of PostgreSQL for all tests."""
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """Return a server of PostgreSQL whose database is empty."""
    yield postgres_server
    postgres_server.run("DROP SCHEMA public CASCADE")
    postgres_server.run("CREATE SCHEMA public")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Return a Redis for all tests."""
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """Return a Redis Cluster of three for all tests."""
    cluster = RedisCluster()
    yield cluster
    cluster.remove()
