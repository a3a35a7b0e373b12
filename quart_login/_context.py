"""Where does Quart keep the request at hand?

Quart's public proxies say it, too, but asking them costs as much as all the rest of this library
in a request.  This is the one place that knows the difference between Quart's releases.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from quart import globals as quart_globals

#: What is in progress: the application, the request or websocket, and the session.  (A plain
#: tuple: several are made in each request.)
Here: TypeAlias = tuple[Any, Any, Any]


if hasattr(quart_globals, "_cv_request"):  # Quart before 0.23: a context of each kind
    _requests: Any = quart_globals._cv_request
    _websockets: Any = getattr(quart_globals, "_cv_websocket")  # noqa: B009 (gone since 0.23)

    def connection() -> Any:
        """Return the request or websocket at hand, or None."""
        context = _requests.get(None) or _websockets.get(None)
        return None if context is None else context.request_websocket

    def here() -> Here | None:
        """Return the request or websocket at hand with its application and session, or None."""
        context = _requests.get(None) or _websockets.get(None)
        if context is None:
            return None
        return context.app, context.request_websocket, context.session

else:
    _contexts: Any = quart_globals._cv_app

    def connection() -> Any:
        """Return the request or websocket at hand, or None."""
        context = _contexts.get(None)
        return None if context is None else context._request or context._websocket

    def here() -> Here | None:
        """Return the request or websocket at hand with its application and session, or None."""
        context = _contexts.get(None)
        if context is None:
            return None
        at_hand = context._request or context._websocket
        return None if at_hand is None else (context.app, at_hand, context._session)
