"""Flask-Login's `flask_login.test_client`, and more for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from flask import request_finished
from flask.testing import FlaskClient

from quart_login._core import kit
from quart_login._core.beginning import begin, client_session
from quart_login._core.identity import Identity
from quart_login._core.kit import ManualClock, assert_anonymous
from quart_login._core.login import login_decision
from quart_login._core.realms import manager_named
from quart_login._core.routes import assert_routes_guarded
from quart_login._core.step import step
from quart_login._core.users import unwrap

from ._exchange import FlaskExchange, default_manager, exchange


def _exchange(client: FlaskClient, session: Any, realm: str | None = None) -> FlaskExchange:
    app: Any = client.application
    environ = client.environ_base
    here = SimpleNamespace(remote_addr=environ.get("REMOTE_ADDR"), environ=environ, cookies={})
    manager = default_manager(app) if realm is None else manager_named(app, realm)
    return FlaskExchange(app, manager, here, session, Identity())


def _log_in(
    client: FlaskClient,
    user: Any,
    *,
    fresh: bool = True,
    remembered: bool = False,
    age: timedelta | float = 0,
    realm: str | None = None,
) -> None:
    with client.session_transaction() as session:
        here = _exchange(client, session, realm)
        opened = step(begin(here, user, fresh, remembered, age))
        kit.take_over(here, opened)
    name, path = here.setting("REMEMBER_COOKIE_NAME"), here.setting("REMEMBER_COOKIE_PATH") or "/"
    domain = (here.config.get("SERVER_NAME") or "localhost").partition(":")[0]
    client.delete_cookie(name, domain=domain, path=path)
    if opened.token is not None:
        # As a browser keeps it: beyond its end.
        life = timedelta(days=365)
        client.set_cookie(name, opened.token, domain=domain, path=path, max_age=life)


@contextmanager
def authenticated_client(
    client: FlaskClient, user: Any, *, realm: str | None = None
) -> Iterator[FlaskClient]:
    """Let *client*, any test client of Flask's, be logged in as *user* within the block.

        with authenticated_client(client, alice):
            client.get("/account")

    Afterwards its session is empty.
    """
    _log_in(client, user, realm=realm)
    try:
        yield client
    finally:
        with client.session_transaction() as session:
            session.clear()


class FlaskLoginClient(FlaskClient):
    """A test client that can be somebody.

        app.test_client_class = FlaskLoginClient
        client = app.test_client(user=alice)

    *user* is logged in without a password; *fresh_login* says whether freshly so.  As
    Flask-Login's own, it does not say which client the session belongs to, so session protection
    makes it stale; ``LOGIN_TEST_CLIENT_IDENTIFIED = True``, or `login_as`, mends that.  Its
    responses have the attribute ``login_decision``, a `LoginDecision`.
    """

    def __init__(
        self, *args: Any, user: Any = None, fresh_login: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        request_finished.connect(_note, sender=self.application)
        if user:
            with self.session_transaction() as session:
                here = _exchange(self, session)
                session.update(step(client_session(here, unwrap(user), bool(fresh_login))))

    def login_as(
        self,
        user: Any,
        *,
        fresh: bool = True,
        remembered: bool = False,
        age: timedelta | float = 0,
        realm: str | None = None,
    ) -> None:
        """Be *user* from now on, as if logged in *age* (a `timedelta` or seconds) ago.

        *fresh* says whether with the password, *remembered* whether a remember cookie was set.
        *realm* is the name of a manager, if the application has several.
        """
        _log_in(self, user, fresh=fresh, remembered=remembered, age=age, realm=realm)

    def close_browser(self) -> None:
        """Lose what a browser forgets when it is closed: cookies without an end."""
        jar = self._cookies or {}
        for key in [key for key, cookie in jar.items() if _ends_with_the_browser(cookie)]:
            del jar[key]

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; see `werkzeug.test.Client.open`."""
        with kit.deciding() as found:
            response = super().open(*args, **kwargs)
        kit.attach(response, found)
        return response


def _ends_with_the_browser(cookie: Any) -> bool:
    return cookie.expires is None and cookie.max_age is None


def _note(sender: Any, **extra: Any) -> None:
    if kit.decisions.get() is not None and hasattr(sender, "login_manager"):
        kit.note(login_decision(exchange()))


__all__ = [
    "FlaskLoginClient",
    "ManualClock",
    "assert_anonymous",
    "assert_routes_guarded",
    "authenticated_client",
]
