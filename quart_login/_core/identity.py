"""What is known of who makes this request?

One `Identity` per request and manager, bound to the request object itself: not to ``g``, which
an outer application context shares between requests, and not to a context variable of our own,
which a server's worker carries into the next request.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Literal

from blinker import Signal

from .reasons import Reason
from .remember import Change
from .store import LoginSession

#: Where on a request the default manager's identity is kept.
ATTRIBUTE: Final = "_quart_login_identity"


class Identity:
    """Who makes one request, as one manager sees it."""

    # Most requests change two or three of these, so the class holds how each begins.

    #: The user, or None for the anonymous one that nobody has asked for yet.
    user: Any = None
    #: Has it been found out who this is?
    loaded = False
    #: Has somebody asked whether a remember cookie came?
    asked = False
    #: Was somebody logged out, and nobody in again?
    logged_out = False
    #: May nobody look before that?  (On demand, a look without loading is a mistake.)
    strict = False
    #: Must a refusal not tell which URLs there are?
    discreet = False
    #: Has anybody looked?
    seen = False
    #: Is this an inactive user, logged in by force?
    forced = False
    #: Was it the request loader that named the user, and no login of this library's?
    by_request = False
    #: Did the ``Authorization`` header decide who this is, or that it is nobody?
    by_header = False
    #: What the session holds of another user, and this one does not see.
    hidden: dict[str, Any] | None = None
    #: What the session held then that everybody sees.
    shown: dict[str, Any] | None = None
    #: What proved the login that was taken out of the session, good or not.
    left: Any = None
    #: In which scheme a credential came in that header, ``"bearer"`` or ``"basic"``.
    scheme: str | None = None
    #: Why that credential was refused.
    refused: Reason | None = None
    #: Is the login stale, whatever the session says?
    stale = False
    #: Has the response gone out, so that a login could no longer reach the browser?
    closed = False
    #: What brought the user, where it was no session; see `decision.SOURCES`.
    source: Literal["remember_cookie", "token", "password", "login"] | None = None
    #: Why nobody is logged in, where something was refused, ended or failed.
    reason: Reason | None = None
    #: What a loader raised.
    error: BaseException | None = None
    #: The login session that brought the user, where these are registered.
    login_session: LoginSession | None = None
    #: Does the browser get its login from another response, so that this one must bring none?
    beside: bool = False
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


#: Whose user is being loaded here: a loader that looks at the user must not wait for itself.
being_loaded: Final[ContextVar[Identity | None]] = ContextVar("quart_login.loading", default=None)


def is_loading(identity: Identity) -> bool:
    """Is this code called by the loader that finds out whose *identity* it is?"""
    return being_loaded.get() is identity
