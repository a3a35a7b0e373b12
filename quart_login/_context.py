"""Where does Quart keep the request at hand?

Quart's public proxies say it, too, but asking them costs as much as all the rest of this library
in a request.  This is the one place that knows the difference between Quart's releases.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from quart import globals as quart_globals

#: What is in progress: the application, the request or websocket, and the session.  (A plain
#: tuple: several are made in each request.)
Here: TypeAlias = tuple[Any, Any, Any]

#: What was in progress when the response began whose streamed body runs here; set while one step
#: of the body runs, and by `_streams` alone.
streamed: Final[ContextVar[Here | None]] = ContextVar("quart_login.streamed", default=None)


def _streamed_request() -> Any:
    place = streamed.get()
    return None if place is None else place[1]


if hasattr(quart_globals, "_cv_request"):  # Quart before 0.23: a context of each kind
    _requests: Any = quart_globals._cv_request
    _websockets: Any = getattr(quart_globals, "_cv_websocket")  # noqa: B009 (gone since 0.23)

    #: Where a websocket notes the request that it was opened in, by a client in this process.
    _OUTER: Final = "_quart_login_outer"

    def connection() -> Any:
        """Return the request or websocket at hand, or None."""
        context = _requests.get(None)
        if (socket := _websockets.get(None)) is not None:
            context = _inner(context, socket)
        return _streamed_request() if context is None else context.request_websocket

    def here() -> Here | None:
        """Return the request or websocket at hand with its application and session, or None."""
        context = _requests.get(None)
        if (socket := _websockets.get(None)) is not None:
            context = _inner(context, socket)
        if context is None:
            return streamed.get()
        return context.app, context.request_websocket, context.session

    def _inner(context: Any, socket: Any) -> Any:
        """Return which of the contexts of a request, if any, and a websocket is in the other."""
        outer = socket.request_websocket.__dict__.get(_OUTER)
        return socket if context is None or context.request_websocket is outer else context

    def begin_websocket() -> None:
        """Let the websocket whose handshake this is be at hand, not a request around it.

        Quart keeps the two apart, and does not tell which came later.
        """
        if (outer := _requests.get(None)) is not None:
            _websockets.get().request_websocket.__dict__[_OUTER] = outer.request_websocket

else:
    _contexts: Any = quart_globals._cv_app

    def connection() -> Any:
        """Return the request or websocket at hand, or None."""
        context = _contexts.get(None)
        at_hand = None if context is None else context._request or context._websocket
        return _streamed_request() if at_hand is None else at_hand

    def here() -> Here | None:
        """Return the request or websocket at hand with its application and session, or None."""
        context = _contexts.get(None)
        at_hand = None if context is None else context._request or context._websocket
        if context is None or at_hand is None:
            return streamed.get()
        return context.app, at_hand, context._session

    def begin_websocket() -> None:
        """Quart has one context now: that which came last."""
