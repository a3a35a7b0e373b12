"""How does an audit visit a Quart application?"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from inspect import isawaitable
from typing import Any, Final, TypeVar, cast

from quart import Quart
from quart.signals import request_started

from ._core.answers import HEARD, Answer, NoAnswer, Sent
from ._core.kit import ATTRIBUTE
from ._core.origins import is_allowed
from ._given_up import GivenUp, given_up_after
from ._loops import in_time, is_trio, run, sleep
from ._origins import view_allows
from .testing import QuartLoginClient

R = TypeVar("R")

#: Seconds for which an answer is waited for.
PATIENCE: Final = 5.0

#: Seconds for which a websocket is waited for, and after which it is looked at again.
_SOON: Final = 2.0
_AGAIN: Final = 0.05


class Visitor:
    """Visits *app* as whoever *manager* knows."""

    def __init__(self, app: Quart, manager: Any) -> None:
        self._app = app
        self._manager = manager
        #: An event loop of asyncio that stands still, if it is to be that.
        self.loop: Any = None

    @property
    def runs_on_asyncio(self) -> bool:
        return not is_trio(self._app)

    def run(self, work: Callable[..., Coroutine[Any, Any, R]], *args: Any) -> R:
        """Return what ``work(*args)`` does, on the loop, or on one of its own."""
        if self.loop is None:
            return run(self._app, work, *args)
        found: R = self.loop.run_until_complete(work(*args))
        return found

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Let the application be started up."""
        async with self._app.test_app():
            yield

    async def call(self, method: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Return what *method* of the manager does outside of requests."""
        async with self._app.app_context():
            return await method(*args)

    async def log_in(self, user: Any) -> str:
        """Return the ``Cookie`` header of a browser where *user* has just logged in."""
        client = QuartLoginClient(self._app)
        await client.login_as(user, realm=self._manager.name)
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookie_jar or ())

    def load(self) -> Any:
        """Load the user of the request at hand, when that is awaited."""
        return self._manager.load_user()

    async def send(
        self, sent: Sent, first: Callable[[], Any] | None = None, whole: bool = True
    ) -> Answer:
        """Return what *sent* brings; *first* is called when the request begins.

        *whole* says whether the body is wanted, too.  Raises `NoAnswer`.
        """
        told: set[str] = set()
        with ExitStack() as hearing:
            for signal, name in HEARD:
                hearing.enter_context(signal.connected_to(_noting(told, name), sender=self._app))
            if first is not None:
                begin = _beginning(first)
                hearing.enter_context(request_started.connected_to(begin, sender=self._app))
            return await self._answer(sent, told, _Begun(self._app, whole))

    async def _answer(self, sent: Sent, told: set[str], begun: _Begun) -> Answer:
        try:
            response = await self._response(sent, begun)
            if begun.whole:
                return await _whole(response, told)
        except GivenUp:
            if begun.status is None:
                raise NoAnswer(f"within {PATIENCE:g} seconds") from None
        except Exception as error:  # A view's, which the application lets pass in tests.
            if begun.whole or begun.status is None:
                return Answer(500, told=frozenset(told), error=error)
        return Answer(begun.status, begun.headers, None, frozenset(told))

    async def _response(self, sent: Sent, begun: _Begun) -> Any:
        client = QuartLoginClient(self._app, use_cookies=False)
        connecting, own = cast(Any, client), client.http_connection_class
        connecting.http_connection_class = partial(begun.connected, own)
        send = partial(
            client.open, sent.path, method=sent.method, headers=_headers(sent), scheme="https"
        )
        if is_trio(self._app):  # Its client cannot be left.
            return await send()
        return await given_up_after(PATIENCE, send, begun.leave)

    # --- websockets ------------------------------------------------------------------------------

    def lets_in(self, endpoint: str, origin: str) -> bool:
        """Does the application say that pages of *origin* may open the websocket at *endpoint*?"""
        allowed = self._app.config.get("LOGIN_WEBSOCKET_ORIGINS")
        return is_allowed(origin, "", "", allowed) or view_allows(self._app, endpoint, origin)

    @asynccontextmanager
    async def socket(self, sent: Sent) -> AsyncIterator[Socket]:
        """Open a websocket in an ``async with`` block."""
        client = QuartLoginClient(self._app, use_cookies=False)
        heard, own = _Heard(self._app), client.websocket_connection_class
        connecting: Any = client
        connecting.websocket_connection_class = lambda app, scope: own(cast(Quart, heard), scope)
        connection = client.websocket(sent.path, headers=_headers(sent), scheme="wss")
        await connection.__aenter__()
        try:
            yield Socket(connection, heard)
        finally:
            # The view's exceptions are not what was asked for.
            with suppress(Exception):
                await self._close(partial(connection.__aexit__, None, None, None))

    async def _close(self, close: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        if is_trio(self._app):
            await close()
        else:
            await given_up_after(_SOON, close)


async def _whole(response: Any, told: set[str]) -> Answer:
    body = await response.get_data(as_text=False)
    decision = getattr(response, ATTRIBUTE, None)
    anonymous = None if decision is None else str(decision.reason or "")
    headers = list(response.headers)
    return Answer(response.status_code, headers, body, frozenset(told), anonymous=anonymous)


class _Begun:
    """An application, and how its one answer begins; without the rest, unless it is wanted."""

    def __init__(self, app: Quart, whole: bool) -> None:
        self._app = app
        self.response_class = app.response_class
        self.whole = whole
        #: None as long as there is none.
        self.status: Any = None
        self.headers: list[tuple[str, str]] = []
        self._connection: Any = None

    def connected(self, kind: Any, app: Quart, *args: Any, **kwargs: Any) -> Any:
        """Return a connection of that *kind* to the application, by this."""
        self._connection = kind(self, *args, **kwargs)
        return self._connection

    async def leave(self) -> None:
        """Be gone, as a browser that is closed: its handler is cancelled, and not it alone."""
        if self._connection is not None:
            await self._connection.disconnect()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def hear(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = [
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message["headers"]
                ]
            await send(message)
            if not self.whole and self.status is not None:
                raise OSError("Nobody reads on.")  # as servers say it
            await sleep(0)  # Other tasks run, too, if it has no end.

        await self._app(scope, receive, hear)


class _Heard:
    """An application, and what it says to the one websocket that is opened by this.

    (The test clients of Quart's releases tell of a websocket's end each in another way, or not.)
    """

    def __init__(self, app: Quart) -> None:
        self._app = app
        self.response_class = app.response_class
        self.accepted = False
        #: With what it was refused, if it was so by a response.
        self.status: int | None = None
        self.is_over = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def hear(message: Any) -> None:
            kind = message["type"]
            self.accepted = self.accepted or kind == "websocket.accept"
            self.is_over = self.is_over or kind not in ("websocket.accept", "websocket.send")
            self.status = message.get("status", self.status)
            await send(message)

        try:
            await self._app(scope, receive, hear)
        finally:
            self.is_over = True


class Socket:
    """One websocket, as its client sees it."""

    def __init__(self, connection: Any, heard: _Heard) -> None:
        self._connection = connection
        self._heard = heard

    @property
    def accepted(self) -> bool:
        return self._heard.accepted

    @property
    def is_over(self) -> bool:
        return self._heard.is_over

    @property
    def status(self) -> int | None:
        """With what it was refused, if it was so by a response."""
        return self._heard.status

    async def opens(self) -> bool:
        """Is it accepted?"""
        await self._look(lambda: self.accepted or self.is_over)
        return self.accepted and not self.is_over

    async def ends(self) -> bool:
        """Is it closed before long?"""
        await self._look(lambda: self.is_over)
        return self.is_over

    async def _look(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + _SOON
        while time.monotonic() < until and not done():
            # What comes is of no interest, but that it comes.
            with suppress(Exception):
                await in_time(_AGAIN, self._connection.receive)


def _headers(sent: Sent) -> dict[str, str]:
    return {**({} if sent.host is None else {"Host": sent.host}), **dict(sent.headers)}


def _noting(told: set[str], name: str) -> Callable[..., Awaitable[None]]:
    async def note(sender: Any, **extra: Any) -> None:
        told.add(name)

    return note


def _beginning(first: Callable[[], Any]) -> Callable[..., Awaitable[None]]:
    async def begin(sender: Any, **extra: Any) -> None:
        done = first()
        if isawaitable(done):
            await done

    return begin
