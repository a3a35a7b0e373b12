from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from browser.chromium import Browser, find
from browser.served import Server
from stores.postgres import Postgres
from stores.redis_server import RedisServer

PASSWORD = "follow the white rabbit"


@pytest.fixture(scope="session")
def browser_is_there() -> None:
    """Say that there is no browser before a server is started."""
    find()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Return a function that serves an example until the tests end."""
    with ExitStack() as stack:

        def serve(name: str, *options: str) -> Server:
            server = Server(name, tmp_path_factory.mktemp(name), *options)
            stack.callback(server.stop)
            return server

        yield serve


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    server = RedisServer()
    yield f"redis://127.0.0.1:{server.port}"
    server.remove()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    server = Postgres()
    yield f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
    server.remove()


@pytest.fixture(scope="session")
def notes(browser_is_there: None, serve: Callable[..., Server]) -> Server:
    """Serve the notes, by one process, with all it keeps in SQLite."""
    return serve("notes")


@pytest.fixture(scope="session")
def notes_of_two(browser_is_there: None, redis_url: str, serve: Callable[..., Server]) -> Server:
    """Serve the notes, by two processes, with the login sessions in Redis."""
    return serve("notes", "--redis", redis_url)


@pytest.fixture(scope="session")
def side_by_side(browser_is_there: None, serve: Callable[..., Server]) -> Server:
    return serve("side_by_side")


@pytest.fixture
def open_browser(browser_is_there: None) -> Iterator[Callable[..., Browser]]:
    """Return a function that opens another browser, ``open_browser(server, profile=None)``."""
    with ExitStack() as stack:

        def open_browser(server: Server, profile: Path | None = None) -> Browser:
            browser = Browser(server.url, profile)
            stack.callback(browser.quit)
            return browser

        yield open_browser


_numbers = count(1)


@pytest.fixture
def name() -> str:
    """Return the name of a user whom there was not yet."""
    return f"user {next(_numbers)}"
