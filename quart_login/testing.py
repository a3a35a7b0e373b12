"""How does a test begin as somebody who is logged in?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from quart import Quart
from quart.testing import QuartClient

from ._core.identity import Identity
from ._core.opening import client_keys
from ._core.users import unwrap
from ._exchange import QuartExchange

#: How a test client appears to the application: its address and its name.
_CLIENT = SimpleNamespace(remote_addr="<local>", scope={"headers": [(b"user-agent", b"Quart")]})


class QuartLoginClient(QuartClient):
    """A test client that is logged in from the start.

        app.test_client_class = QuartLoginClient
        client = app.test_client(user=alice)

    *user* is logged in without a password; *fresh_login* says whether freshly so.  The session is
    bound to the client that the tests are, so it passes session protection.
    """

    def __init__(
        self, app: Quart, *args: Any, user: Any = None, fresh_login: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(app, *args, **kwargs)
        self._user = unwrap(user)
        self._fresh_login = fresh_login

    async def _log_in(self) -> None:
        """Put the login into the session: at the first request, as only then something can wait."""
        user, self._user = self._user, None
        if user is None:
            return
        async with self.session_transaction() as session:
            app: Any = self.app
            exchange = QuartExchange(app, app.login_manager, _CLIENT, session, Identity())
            session.update(client_keys(exchange, user, bool(self._fresh_login)))

    async def _make_request(self, *args: Any, **kwargs: Any) -> Any:
        await self._log_in()
        return await super()._make_request(*args, **kwargs)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Open a request that is sent and received piece by piece; see `QuartClient.request`."""
        return self._after_login(partial(super().request, *args, **kwargs))

    def websocket(self, *args: Any, **kwargs: Any) -> Any:
        """Open a websocket; see `QuartClient.websocket`."""
        return self._after_login(partial(super().websocket, *args, **kwargs))

    def _after_login(self, connect: Callable[[], Any]) -> Any:
        return connect() if self._user is None else _AfterLogin(self._log_in, connect)


class _AfterLogin:
    """A connection that is opened when its client is logged in."""

    def __init__(self, log_in: Callable[[], Any], connect: Callable[[], Any]) -> None:
        self._log_in = log_in
        self._connect = connect

    async def __aenter__(self) -> Any:
        await self._log_in()
        self._connection = self._connect()
        return await self._connection.__aenter__()

    async def __aexit__(self, *exc: Any) -> Any:
        return await self._connection.__aexit__(*exc)
