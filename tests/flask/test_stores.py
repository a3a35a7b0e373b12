"""Which stores serve Flask?"""

from __future__ import annotations

import pytest
from flask import Flask

from flask_compat import ConfigurationError, LoginManager
from quart_login.stores.memory import MemoryStore


class Looping(MemoryStore):
    """A store whose driver needs an event loop."""

    is_async = True  # type: ignore[misc]


def make_app() -> Flask:
    app = Flask("app")
    app.config.update(SECRET_KEY="0123456789abcdef", TESTING=True)
    return app


def test_a_store_that_needs_an_event_loop_is_refused_at_set_up() -> None:
    with pytest.raises(ConfigurationError, match="needs an event loop, and Flask has none"):
        LoginManager(make_app(), sessions=Looping())


def test_one_that_comes_later_is_refused_at_the_first_request() -> None:
    app = make_app()
    manager = LoginManager(app)
    manager.sessions = Looping()
    with pytest.raises(ConfigurationError, match="needs an event loop"):
        app.test_client().get("/")
