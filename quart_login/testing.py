"""How does a test begin as somebody, and see who it was?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from quart import Quart
from quart.signals import request_finished
from quart.testing import QuartClient

from ._core import kit
from ._core.beginning import begin, client_session
from ._core.identity import Identity
from ._core.kit import ManualClock, assert_anonymous
from ._core.login import login_decision
from ._core.realms import manager_named
from ._core.routes import assert_routes_guarded
from ._core.users import unwrap
from ._exchange import QuartExchange, default_manager, exchange

#: How a test client appears to the application: its address and its name.
_CLIENT = SimpleNamespace(
    remote_addr="<local>", scope={"headers": [(b"user-agent", b"Quart")]}, cookies={}
)


def _exchange(app: Any, session: Any, realm: str | None = None) -> QuartExchange:
    manager = default_manager(app) if realm is None else manager_named(app, realm)
    return QuartExchange(app, manager, _CLIENT, session, Identity())


async def _log_in(
    client: QuartClient,
    user: Any,
    *,
    fresh: bool = True,
    remembered: bool = False,
    age: timedelta | float = 0,
    realm: str | None = None,
) -> None:
    async with client.session_transaction() as session:
        here = _exchange(client.app, session, realm)
        opened = await begin(here, user, fresh, remembered, age)
        kit.take_over(here, opened)
    name, path = here.setting("REMEMBER_COOKIE_NAME"), here.setting("REMEMBER_COOKIE_PATH") or "/"
    client.delete_cookie("localhost", name, path)
    if opened.token is not None:
        # As a browser keeps it: beyond its end.
        client.set_cookie("localhost", name, opened.token, timedelta(days=365), path=path)


@asynccontextmanager
async def authenticated_client(
    client: QuartClient, user: Any, *, realm: str | None = None
) -> AsyncIterator[QuartClient]:
    """Let *client*, any test client of Quart's, be logged in as *user* within the block.

        async with authenticated_client(client, alice):
            await client.get("/account")

    Afterwards its session is empty.
    """
    await _log_in(client, user, realm=realm)
    try:
        yield client
    finally:
        async with client.session_transaction() as session:
            session.clear()


class QuartLoginClient(QuartClient):
    """A test client that can be somebody.

        app.test_client_class = QuartLoginClient
        client = app.test_client(user=alice)

    *user* is logged in without a password; *fresh_login* says whether freshly so.  The session is
    bound to the client that the tests are, so it passes session protection.  Its responses have
    the attribute ``login_decision``, a `LoginDecision`.
    """

    def __init__(
        self, app: Quart, *args: Any, user: Any = None, fresh_login: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(app, *args, **kwargs)
        own = _client_of(app)
        self.http_connection_class = own.http_connection_class
        self.websocket_connection_class = own.websocket_connection_class
        self._user = unwrap(user)
        self._fresh_login = fresh_login

    async def login_as(
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
        await self._log_in()
        await _log_in(self, user, fresh=fresh, remembered=remembered, age=age, realm=realm)

    def close_browser(self) -> None:
        """Lose what a browser forgets when it is closed: cookies without an end."""
        self._user = None
        if self.cookie_jar is not None:
            self.cookie_jar.clear_session_cookies()

    async def _log_in(self) -> None:
        """Put the login into the session: at the first request, as only then something can wait."""
        user, self._user = self._user, None
        if user is None:
            return
        async with self.session_transaction() as session:
            here = _exchange(self.app, session)
            session.update(await client_session(here, user, bool(self._fresh_login)))

    async def _make_request(self, *args: Any, **kwargs: Any) -> Any:
        await self._log_in()
        return await _deciding(self.app, partial(super()._make_request, *args, **kwargs))

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Open a request that is sent and received piece by piece; see `QuartClient.request`."""
        return self._after_login(partial(super().request, *args, **kwargs))

    def websocket(self, *args: Any, **kwargs: Any) -> Any:
        """Open a websocket; see `QuartClient.websocket`."""
        return self._after_login(partial(super().websocket, *args, **kwargs))

    def _after_login(self, connect: Callable[[], Any]) -> Any:
        return connect() if self._user is None else _AfterLogin(self._log_in, connect)


def _client_of(app: Quart) -> type[QuartClient]:
    """Return the test client that the class of *app* brings: Quart-Trio's connects on trio."""
    kinds = (vars(kind).get("test_client_class") for kind in type(app).__mro__)
    own = (kind for kind in kinds if kind and not issubclass(kind, QuartLoginClient))
    return next((kind for kind in own if issubclass(kind, QuartClient)), QuartClient)


async def _deciding(app: Any, send: Callable[[], Awaitable[Any]]) -> Any:
    """Return the response that *send* brings, with what was decided about its user."""
    request_finished.connect(_note, sender=app)
    with kit.deciding() as found:
        response = await send()
    kit.attach(response, found)
    return response


async def _note(sender: Any, **extra: Any) -> None:
    if kit.decisions.get() is not None and hasattr(sender, "login_manager"):
        kit.note(login_decision(exchange()))


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


__all__ = [
    "ManualClock",
    "QuartLoginClient",
    "assert_anonymous",
    "assert_routes_guarded",
    "authenticated_client",
]
