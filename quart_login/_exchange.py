"""How does the core wait in Quart?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable, signature
from types import CodeType
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

import quart
from blinker import Signal
from quart import has_request_context, has_websocket_context, request, session, websocket

from ._core.errors import OutOfPlace
from ._core.exchange import Exchange
from ._core.identity import Identity
from ._core.manager import BaseLoginManager
from ._core.public import publish

P = ParamSpec("P")
T = TypeVar("T")

#: Where on the request or websocket the identity is kept.
ATTRIBUTE = "_quart_login_identity"

_COROUTINE = 0x80  # inspect.CO_COROUTINE

#: Quart 0.23 hands its one context to `make_default_options_response`.
_OPTIONS_TAKES_CONTEXT = "ctx" in signature(quart.Quart.make_default_options_response).parameters


class QuartExchange(Exchange):
    """A request to a Quart application."""

    __slots__ = ()

    web: ClassVar[Any] = quart

    async def call(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        code: CodeType | None = getattr(fn, "__code__", None)
        if code is not None and code.co_flags & _COROUTINE:
            return await cast("Callable[..., Awaitable[T]]", fn)(*args)
        # A plain function may block, so Quart runs it in a thread; it may also return an awaitable.
        result: Any = await self.app.ensure_async(fn)(*args)
        return cast(T, await result if isawaitable(result) else result)

    async def notify(self, signal: Signal, **extra: Any) -> None:
        if signal.receivers:
            await signal.send_async(self.app, _sync_wrapper=self.app.ensure_async, **extra)

    async def options(self) -> Any:
        if _OPTIONS_TAKES_CONTEXT:
            context = quart.globals.app_ctx._get_current_object()
            return await self.app.make_default_options_response(context)
        return await self.app.make_default_options_response()


class WebsocketExchange(QuartExchange):
    """A websocket handshake of a Quart application."""

    __slots__ = ()

    is_websocket: ClassVar[bool] = True


def connection() -> Any:
    """Return the request or websocket at hand, or None."""
    if has_request_context():
        return request._get_current_object()  # type: ignore[attr-defined]
    if has_websocket_context():
        return websocket._get_current_object()  # type: ignore[attr-defined]
    return None


def identity_of(conn: Any) -> Identity | None:
    """Return what is known of who makes the request *conn*, if anything is."""
    return conn.__dict__.get(ATTRIBUTE)  # type: ignore[no-any-return]


def bind_identity(conn: Any) -> Identity:
    """Return what is known of who makes the request *conn*, which may be nothing yet."""
    identity = identity_of(conn)
    if identity is None:
        identity = conn.__dict__[ATTRIBUTE] = Identity()
    return identity


def manager_of(app: Any) -> BaseLoginManager[Any]:
    """Return the manager of *app*."""
    try:
        return app.login_manager  # type: ignore[no-any-return]
    except AttributeError:
        raise RuntimeError(
            "This application has no LoginManager. Create one: LoginManager(app)."
        ) from None


def exchange() -> QuartExchange:
    """Return the exchange of the request or websocket at hand."""
    conn = connection()
    if conn is None:
        raise OutOfPlace(
            "There is no request here, so nobody to log in or out. Call this in a view."
        )
    return exchange_for(conn, bind_identity(conn))


def exchange_for(conn: Any, identity: Identity) -> QuartExchange:
    """Return the exchange of the request or websocket *conn*."""
    app = quart.current_app._get_current_object()  # type: ignore[attr-defined]
    kind = QuartExchange if isinstance(conn, quart.Request) else WebsocketExchange
    return kind(app, manager_of(app), conn, session._get_current_object(), identity)  # type: ignore[attr-defined]


def awaited(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Give *fn* the current exchange, and await it."""

    async def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return await fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")


def decided(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides without waiting, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")


def on_the_web(fn: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give *fn*, which makes URLs, this framework's module."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(quart, *args, **kwargs)

    return publish(fn, bound, "quart_login")
