"""Where does Quart keep the request at hand?

Quart's public proxies say it, too, but asking them costs as much as all the rest of this library
in a request.  This is the one place that knows the difference between Quart's releases.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Final, TypeAlias

from quart import globals as quart_globals

#: What is in progress: the application, the request or websocket, and the session.  (A plain
#: tuple: several are made in each request.)
Here: TypeAlias = tuple[Any, Any, Any]

#: What was in progress when the response began whose streamed body runs here, and Quart's contexts
#: as the step of the body began: while they are the same, the body's own code runs.  (A server, a
#: test or a view that reads another response may have a request of its own.)  Set while one step of
#: the body runs, by `_streams` alone.
streamed: Final[ContextVar[tuple[Here, Any, Any] | None]] = ContextVar(
    "quart_login.streamed", default=None
)


def _streamed_place() -> Here | None:
    step = streamed.get()
    return None if step is None else step[0]


if hasattr(quart_globals, "_cv_request"):  # Quart before 0.23: a context of each kind
    _requests: Any = quart_globals._cv_request
    _websockets: Any = getattr(quart_globals, "_cv_websocket")  # noqa: B009 (gone since 0.23)

    #: Where a websocket notes the request that it was opened in, by a client in this process.
    _OUTER: Final = "_quart_login_outer"

    def connection() -> Any:
        """Return the request or websocket at hand, or None."""
        context, socket, step = _requests.get(None), _websockets.get(None), streamed.get()
        if step is not None and step[1] is context and step[2] is socket:
            return step[0][1]
        if socket is not None:
            context = _inner(context, socket)
        if context is None:
            return None if step is None else step[0][1]
        return context.request_websocket

    def here() -> Here | None:
        """Return the request or websocket at hand with its application and session, or None."""
        context, socket, step = _requests.get(None), _websockets.get(None), streamed.get()
        if step is not None and step[1] is context and step[2] is socket:
            return step[0]
        if socket is not None:
            context = _inner(context, socket)
        if context is None:
            return _streamed_place()
        return context.app, context.request_websocket, context.session

    def begin_step(place: Here) -> Token[tuple[Here, Any, Any] | None]:
        """Let what was in progress at *place* be at hand for one step of a streamed body."""
        return streamed.set((place, _requests.get(None), _websockets.get(None)))

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
        context, step = _contexts.get(None), streamed.get()
        if step is not None and step[1] is context:
            return step[0][1]
        at_hand = None if context is None else context._request or context._websocket
        if at_hand is None:
            return None if step is None else step[0][1]
        return at_hand

    def here() -> Here | None:
        """Return the request or websocket at hand with its application and session, or None."""
        context, step = _contexts.get(None), streamed.get()
        if step is not None and step[1] is context:
            return step[0]
        at_hand = None if context is None else context._request or context._websocket
        if context is None or at_hand is None:
            return _streamed_place()
        return context.app, at_hand, context._session

    def begin_step(place: Here) -> Token[tuple[Here, Any, Any] | None]:
        """Let what was in progress at *place* be at hand for one step of a streamed body."""
        return streamed.set((place, _contexts.get(None), None))

    def begin_websocket() -> None:
        """Quart has one context now: that which came last."""
