"""What is known of who makes this request, and why?

One `Identity` per request and manager, bound to the request object itself: not to ``g``, which
an outer application context shares between requests, and not to a context variable of our own,
which a server's worker carries into the next request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from blinker import Signal

from .remember import Change
from .users import UserId


class Record(TypedDict, total=False):
    """What a session tells of its login beyond Flask-Login's keys.

    It counts only while ``u`` is the session's user: Flask-Login, sharing the session, may log
    another one in and leaves the record.
    """

    u: UserId  # the user it speaks of
    at: int  # since when the login is fresh, in seconds since 1970
    f: int  # 1 if an inactive user was logged in by force
    e: str  # digest of the user's session epoch
    r: float  # the user wants to be remembered: for so many seconds, or 0 as the settings say
    a: str  # the audience the login was made for
    was: str  # digest of the user whose data is still in the session


class Identity:
    """Who makes one request, as one manager sees it."""

    __slots__ = (
        "closed",
        "error",
        "forced",
        "late",
        "loaded",
        "news",
        "remember",
        "seen",
        "stale",
        "strict",
        "user",
    )

    def __init__(self) -> None:
        #: The user, or None for the anonymous one that nobody has asked for yet.
        self.user: Any = None
        #: Has it been found out who this is?
        self.loaded = False
        #: May nobody look before that?  (On demand, a look without loading is a mistake.)
        self.strict = False
        #: Has anybody looked?
        self.seen = False
        #: Is this an inactive user, logged in by force?
        self.forced = False
        #: Is the login stale, whatever the session says?
        self.stale = False
        #: Has the response gone out, so that a login could no longer reach the browser?
        self.closed = False
        #: What a loader raised.
        self.error: Exception | None = None
        #: What the response must do to the remember cookie.
        self.remember: Change | None = None
        #: What loading found out, to be told once `user` is bound.
        self.news: list[tuple[Signal, dict[str, Any]]] = []
        #: Coroutine receivers of a signal that was sent where nothing could wait.
        self.late: list[Callable[[], Any]] = []

    def __repr__(self) -> str:
        return f"<Identity {'loaded' if self.loaded else 'not loaded'}>"

    def bind(self, user: Any, *, forced: bool = False) -> None:
        """Let *user* be who makes this request; None is the anonymous user."""
        self.user, self.forced, self.loaded = user, forced, True

    def tell(self, signal: Signal, **extra: Any) -> None:
        """Keep *signal* until the user is bound, so that its receivers see `current_user`."""
        self.news.append((signal, extra))
