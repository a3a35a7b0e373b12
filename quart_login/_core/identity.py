"""What is known of who makes this request?

One `Identity` per request and manager, bound to the request object itself: not to ``g``, which
an outer application context shares between requests, and not to a context variable of our own,
which a server's worker carries into the next request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blinker import Signal

from .remember import Change


class Identity:
    """Who makes one request, as one manager sees it."""

    # Most requests change two or three of these, so the class holds how each begins.

    #: The user, or None for the anonymous one that nobody has asked for yet.
    user: Any = None
    #: Has it been found out who this is?
    loaded = False
    #: May nobody look before that?  (On demand, a look without loading is a mistake.)
    strict = False
    #: Has anybody looked?
    seen = False
    #: Is this an inactive user, logged in by force?
    forced = False
    #: Was it the request loader that named the user, and no login of this library's?
    by_request = False
    #: Is the login stale, whatever the session says?
    stale = False
    #: Has the response gone out, so that a login could no longer reach the browser?
    closed = False
    #: What a loader raised.
    error: Exception | None = None
    #: What the response must do to the remember cookie.
    remember: Change | None = None
    #: What loading found out, to be told once `user` is bound.
    news: list[tuple[Signal, dict[str, Any]]] | None = None
    #: Coroutine receivers of a signal that was sent where nothing could wait.
    late: list[Callable[[], Any]] | None = None

    def __repr__(self) -> str:
        return f"<Identity {'loaded' if self.loaded else 'not loaded'}>"

    def close(self) -> None:
        """The response goes out: nothing can be changed any more."""
        self.closed = True
        # Its traceback holds the request, which would hold it in turn.
        self.error = None

    def tell(self, signal: Signal, **extra: Any) -> None:
        """Keep *signal* until the user is bound, so that its receivers see `current_user`."""
        if self.news is None:
            self.news = []
        self.news.append((signal, extra))
