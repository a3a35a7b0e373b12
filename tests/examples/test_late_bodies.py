"""A login that has ended does nothing any more, though its request began before: over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType

import pytest
import uvicorn
from browser.served import Server
from held_back import Client, HeldBack
from recipes.conftest import cook  # noqa: F401
from servers import free_port

OLD, NEW, BAD = "follow the white rabbit", "follow the blue rabbit", "the thief's rabbit hole"


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Server("notes", tmp_path_factory.mktemp("notes"))
    yield server.url
    server.stop()


def register(url: str, name: str) -> tuple[Client, Client]:
    """Return the browsers of the new user *name* and of a thief who knows the password."""
    user, thief = Client(url), Client(url)
    assert user.ask("/register", {"name": name, "password": OLD, "again": OLD})[0] == 303
    assert thief.ask("/login", {"name": name, "password": OLD})[0] == 303
    return user, thief


def knows(url: str, name: str, password: str) -> bool:
    return Client(url).ask("/login", {"name": name, "password": password})[0] == 303


def change_password(user: Client) -> None:
    assert user.ask("/password", {"password": NEW, "again": NEW})[0] == 303


def log_out_others(user: Client) -> None:
    assert user.ask("/devices/end-others", {})[0] == 303


@pytest.mark.parametrize(("ends", "password"), [(change_password, NEW), (log_out_others, OLD)])
def test_notes_take_no_late_password(
    notes: str, ends: Callable[[Client], None], password: str
) -> None:
    name = ends.__name__
    user, thief = register(notes, name)
    late = HeldBack(notes, "/password", thief.cookie, {"password": BAD, "again": BAD})
    ends(user)
    response = late.finish()
    thief.take(response)
    assert (response.status, thief.ask("/notes/")[0]) == (302, 302)
    assert response.headers["Location"].startswith("/login")
    assert user.ask("/notes/")[0] == 200
    assert knows(notes, name, password) and not knows(notes, name, BAD)


@pytest.fixture
def serve(cook: Callable[[str], ModuleType]) -> Iterator[Callable[[str], tuple[ModuleType, str]]]:  # noqa: F811
    """Return a function that serves a recipe, and returns it and its URL."""
    with ExitStack() as stack:

        def serve(name: str) -> tuple[ModuleType, str]:
            page, port = cook(name), free_port()
            config = uvicorn.Config(page.app, "127.0.0.1", port, log_level="error", ws="none")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run)
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            while not server.started and thread.is_alive():
                thread.join(0.01)
            return page, f"http://127.0.0.1:{port}"

        yield serve


def test_the_recipe_takes_no_late_password(serve: Callable[[str], tuple[ModuleType, str]]) -> None:
    _, recipe = serve("sqlalchemy")
    user, thief = register(recipe, "alice")
    late = HeldBack(recipe, "/password", thief.cookie, {"password": BAD})
    change_password(user)
    response = late.finish()
    assert response.status == 302
    assert response.headers["Location"].startswith("/login")
    assert user.ask("/")[0] == 200
    assert knows(recipe, "alice", NEW) and not knows(recipe, "alice", BAD)


def test_who_is_gone_gets_no_late_token(serve: Callable[[str], tuple[ModuleType, str]]) -> None:
    page, url = serve("api-tokens")
    thief = Client(url)
    assert thief.ask("/login", {"name": "alice", "password": OLD})[0] == 303
    late = HeldBack(url, "/tokens", thief.cookie, {"name": "late"})
    assert thief.ask("/tokens")[0] == 200
    del page.users["alice"]
    response = late.finish()
    assert response.status == 302
    assert response.headers["Location"].startswith("/login")
