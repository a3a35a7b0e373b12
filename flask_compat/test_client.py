"""Flask-Login's `flask_login.test_client`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flask.testing import FlaskClient

from quart_login._core.identity import Identity
from quart_login._core.opening import client_keys
from quart_login._core.users import unwrap

from ._exchange import FlaskExchange


class FlaskLoginClient(FlaskClient):
    """A test client that is logged in from the start.

        app.test_client_class = FlaskLoginClient
        client = app.test_client(user=alice)

    *user* is logged in without a password; *fresh_login* says whether freshly so.  As
    Flask-Login's own, it does not say which client the session belongs to, so session protection
    makes it stale; ``LOGIN_TEST_CLIENT_IDENTIFIED = True`` mends that.
    """

    def __init__(
        self, *args: Any, user: Any = None, fresh_login: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if user:
            with self.session_transaction() as session:
                session.update(self._login(session, unwrap(user), bool(fresh_login)))

    def _login(self, session: Any, user: Any, fresh: bool) -> dict[str, Any]:
        app: Any = self.application
        environ = self.environ_base
        client = SimpleNamespace(remote_addr=environ.get("REMOTE_ADDR"), environ=environ)
        here = FlaskExchange(app, app.login_manager, client, session, Identity())
        return client_keys(here, user, fresh)
