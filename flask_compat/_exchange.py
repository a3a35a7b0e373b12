"""How does the core wait in Flask?  It does not: it calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

import flask
from blinker import Signal
from flask import current_app, has_request_context, request, session

from quart_login._core.errors import OutOfPlace
from quart_login._core.exchange import Exchange
from quart_login._core.identity import Identity
from quart_login._core.public import publish
from quart_login._core.step import step

P = ParamSpec("P")
T = TypeVar("T")

#: Where on the request the identity is kept.
ATTRIBUTE = "_quart_login_identity"


class FlaskExchange(Exchange):
    """A request to a Flask application."""

    __slots__ = ()

    web: ClassVar[Any] = flask

    async def call(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        result: Any = self.app.ensure_sync(fn)(*args)
        # A plain function may return an awaitable; Flask knows how to run one.
        settled = self.app.ensure_sync(_result_of)(result) if isawaitable(result) else result
        return cast(T, settled)

    async def notify(self, signal: Signal, **extra: Any) -> None:
        if signal.receivers:
            signal.send(self.app, _async_wrapper=self.app.ensure_sync, **extra)

    async def options(self) -> Any:
        return self.app.make_default_options_response()


async def _result_of(awaitable: Awaitable[T]) -> T:
    return await awaitable


def identity_of(req: Any) -> Identity | None:
    """Return what is known of who makes the request *req*, if anything is."""
    return req.__dict__.get(ATTRIBUTE)  # type: ignore[no-any-return]


def exchange() -> FlaskExchange:
    """Return the exchange of the request at hand."""
    if not has_request_context():
        raise OutOfPlace(
            "There is no request here, so nobody to log in or out. Call this in a view."
        )
    req = request._get_current_object()  # type: ignore[attr-defined]
    identity = identity_of(req)
    if identity is None:
        identity = req.__dict__[ATTRIBUTE] = Identity()
    return exchange_for(req, identity)


def exchange_for(req: Any, identity: Identity) -> FlaskExchange:
    """Return the exchange of the request *req*."""
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        manager = app.login_manager
    except AttributeError:
        raise RuntimeError(
            "This application has no LoginManager. Create one: LoginManager(app)."
        ) from None
    return FlaskExchange(app, manager, req, session._get_current_object(), identity)  # type: ignore[attr-defined]


def stepped(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[P, T]:
    """Give *fn* the current exchange, and run it to its end."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return step(fn(exchange(), *args, **kwargs))

    return publish(fn, bound, "flask_compat")


def decided(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides without waiting, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "flask_compat")


def on_the_web(fn: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give *fn*, which makes URLs or cookies, this framework's module."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(flask, *args, **kwargs)

    return publish(fn, bound, "flask_compat")
