"""Where does Flask keep the request at hand?

Flask's public proxies say it, too, but asking them costs as much as all the rest of this library
in a request.  This is the one place that knows the difference between Flask's releases.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from flask import globals as flask_globals

#: What is in progress: the application, the request, and the session.  (A plain tuple: several are
#: made in each request.)
Here: TypeAlias = tuple[Any, Any, Any]

#: What was in progress when the response began whose streamed body runs here; set while one step
#: of the body runs, and by `_streams` alone.
streamed: Final[ContextVar[Here | None]] = ContextVar("flask_compat.streamed", default=None)


def _streamed_request() -> Any:
    place = streamed.get()
    return None if place is None else place[1]


#: Where a context keeps its request; since Flask 3.2 it is the application's context.
_REQUEST: Final = "request" if hasattr(flask_globals, "_cv_request") else "_request"


if hasattr(flask_globals, "_cv_request"):  # Flask before 3.2
    _contexts: Any = flask_globals._cv_request

    def request_at_hand() -> Any:
        """Return the request at hand, or None."""
        context = _contexts.get(None)
        return _streamed_request() if context is None else context.request

else:  # a request's context is the application's
    _contexts = flask_globals._cv_app

    def request_at_hand() -> Any:
        """Return the request at hand, or None."""
        context = _contexts.get(None)
        request = None if context is None else context._request
        return _streamed_request() if request is None else request


def here() -> Here | None:
    """Return the request at hand with its application and session, or None."""
    context = _contexts.get(None)
    request = None if context is None else getattr(context, _REQUEST)
    if context is None or request is None:
        return streamed.get()
    # Since 3.1.3 `session` notes that it was read; whoever reads for a view notes it anyhow.
    session = context._session if hasattr(context, "_session") else context.session
    return context.app, request, session


def keep_on_g(user: Any) -> None:
    """Write *user* where Flask-Login's dependants look.  Never read here: `g` may be shared."""
    flask_globals._cv_app.get().g._login_user = user
