"""Where does Flask keep the request at hand?

Flask's public proxies say it, too, but asking them costs as much as all the rest of this library
in a request.  This is the one place that knows the difference between Flask's releases.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Final, TypeAlias

from flask import ctx as flask_ctx
from flask import globals as flask_globals

#: What is in progress: the application, the request, and the session.  (A plain tuple: several are
#: made in each request.)
Here: TypeAlias = tuple[Any, Any, Any]

#: What was in progress when the response began whose streamed body runs here, and Flask's context
#: as the step of the body began: while that is the same, the body's own code runs.  (A server, a
#: test or a view that reads another response may have a request of its own.)  Set while one step of
#: the body runs, by `_streams` alone.
streamed: Final[ContextVar[tuple[Here, Any] | None]] = ContextVar(
    "flask_compat.streamed", default=None
)


if hasattr(flask_globals, "_cv_request"):  # Flask before 3.2
    _contexts: Any = flask_globals._cv_request

    def request_at_hand() -> Any:
        """Return the request at hand, or None."""
        context, step = _contexts.get(None), streamed.get()
        if step is not None and (context is None or step[1] is context):
            return step[0][1]
        return None if context is None else context.request

    #: Since 3.1.3 `session` notes that it was read; whoever reads for a view notes it anyhow.
    _NOTES: Final = isinstance(getattr(flask_ctx.RequestContext, "session", None), property)

    def here() -> Here | None:
        """Return the request at hand with its application and session, or None."""
        context, step = _contexts.get(None), streamed.get()
        if step is not None and (context is None or step[1] is context):
            return step[0]
        if context is None:
            return None
        return context.app, context.request, context._session if _NOTES else context.session

else:  # a request's context is the application's
    _contexts = flask_globals._cv_app

    def request_at_hand() -> Any:
        """Return the request at hand, or None."""
        context, step = _contexts.get(None), streamed.get()
        request = None if context is None else context._request
        if step is not None and (request is None or step[1] is context):
            return step[0][1]
        return request

    def here() -> Here | None:
        """Return the request at hand with its application and session, or None."""
        context, step = _contexts.get(None), streamed.get()
        request = None if context is None else context._request
        if step is not None and (request is None or step[1] is context):
            return step[0]
        if context is None or request is None:
            return None
        return context.app, request, context._session


def begin_step(place: Here) -> Token[tuple[Here, Any] | None]:
    """Let what was in progress at *place* be at hand for one step of a streamed body."""
    return streamed.set((place, _contexts.get(None)))


def keep_on_g(user: Any) -> None:
    """Write *user* where Flask-Login's dependants look.  Never read here: `g` may be shared."""
    flask_globals._cv_app.get().g._login_user = user
