"""What does this process hold open, of which login sessions, and when is a look at those due?

A websocket and a streamed response outlive the check that let them in.  They are held here by their
login session, until they end or that does.

Rule 1.  Nothing is kept alive by being held: there are weak references alone, for an event loop
         that stops tells nobody which of its sockets are gone.
Rule 2.  A login session is looked for when something of it is new here, as it may have ended while
         the request was let in; past its end; and again and again: after `EVERY` seconds where
         nobody tells what ended elsewhere, after `SLOWLY` where somebody does, for messages may be
         lost.
Rule 3.  A store that fails ends nothing for `GRACE` seconds.  Then what is open is closed, since
         nobody knows whose it is.
Rule 4.  Nothing makes `LoginSession.expires` later, so what is past that is closed without a look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from errno import ECONNRESET
from math import inf
from typing import Any, Final, TypeAlias
from weakref import ref

from .store import LoginSession, SessionId

#: Seconds between two looks at all that is open: less than one, which is what is promised.
EVERY: Final = 0.8
#: The same where messages tell what ended.
SLOWLY: Final = 15.0
#: Seconds without a good answer from the store after which everything is closed.
GRACE: Final = 60.0


class LoginEnded(ConnectionResetError):
    """The login has ended that this websocket, or streamed response, is of.

    To a server it is what it would be if the client had cut the line.
    """

    def __init__(self) -> None:
        super().__init__(ECONNRESET, "the login has ended that this connection is of")


def due(session: LoginSession) -> float:
    """Return the time before which *session* is not over (seconds since 1970)."""
    if session.idle is None:
        return session.expires
    return min(session.expires, session.seen + session.idle)


#: Says good-bye to a client, with a code for closing a websocket, and ends the handler.
Farewell: TypeAlias = Callable[[int], Coroutine[Any, Any, None]]


class Held(ref[Any]):
    """Something that is open, for as long as *owner* is there."""

    __slots__ = ("ends", "expires", "id")

    #: Whose login session it is of.
    id: SessionId
    #: Until when that may last at most.
    expires: float
    #: Until when that lasts, unless a request is seen.
    ends: float

    def shut(self) -> Farewell | None:
        """Let nothing pass any more.  Return what says good-bye, if anything is to be said."""

    # As itself, not as what it refers to.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Holding:
    """What this process holds open, and when to look for which login sessions.

    A *moment* is a time of a clock that is never set, and *now* one of the manager's; in seconds.
    """

    def __init__(self) -> None:
        # Nearly always one is all there is of a login session.
        self._open: dict[SessionId, Held | set[Held]] = {}
        self._new: set[SessionId] = set()
        self._earliest = inf
        self._looked = -inf
        self._failing: float | None = None
        self._asked_for_all = False
        #: What a `Held` tells when what it refers to is gone.
        self.forget = self.leave

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, held: Held, session: LoginSession) -> None:
        """Hold *held*, which is open for *session*."""
        held.id, held.ends, held.expires = session.id, due(session), session.expires
        there = self._open.get(held.id)
        if there is None:
            self._open[held.id] = held
        elif isinstance(there, set):
            there.add(held)
        else:
            self._open[held.id] = {there, held}
        self._new.add(held.id)
        self._earliest = min(self._earliest, held.ends)

    def leave(self, held: Held) -> None:
        """Hold *held* no longer; it ended."""
        there = self._open.get(held.id)
        if isinstance(there, set):
            there.discard(held)
        if there is held or there == set():
            del self._open[held.id]

    def take(self, ids: Iterable[SessionId]) -> list[Held]:
        """Return all that is open of *ids*, and hold it no longer."""
        found = [self._open.pop(id, ()) for id in ids]
        return [one for some in found for one in _each(some)]

    def ids(self) -> list[SessionId]:
        """Return the login sessions that anything is open of."""
        return list(self._open)

    def past(self, now: float) -> set[SessionId]:
        """Return the login sessions that are over at *now*, whatever the store says."""
        if now <= self._earliest:
            return set()
        return {one.id for one in self._all() if now > one.expires}

    # --- looks -----------------------------------------------------------------------------------

    def whom(self, moment: float, now: float, *, told: bool) -> Collection[SessionId]:
        """Return the login sessions to look for; *told* says that messages tell what ended."""
        # What comes in from now on is new to the next look.
        new, self._new = self._new, set()
        waited = moment - self._looked
        self._asked_for_all = self._failing is not None or waited >= (SLOWLY if told else EVERY)
        if self._asked_for_all:
            return self.ids()
        wanted = {id for id in new if id in self._open}
        if now > self._earliest:
            wanted |= {one.id for one in self._all() if now > one.ends}
        return wanted

    def look_at_all(self) -> None:
        """Let the next look be at all: messages may have been lost."""
        self._looked = -inf

    def saw(
        self,
        ids: Collection[SessionId],
        lasting: Mapping[SessionId, float],
        moment: float,
        now: float,
    ) -> list[SessionId]:
        """Note that of *ids* there are those *lasting*, until the times given; return which of them
        are over.
        """
        self._failing = None
        if self._asked_for_all:
            self._looked = moment
        over = [id for id in ids if now > lasting.get(id, -inf)]
        for one in self._all():
            one.ends = lasting.get(one.id, one.ends)
        self._earliest = min((one.ends for one in self._all()), default=inf)
        return over

    def failed(self, moment: float) -> bool:
        """Note that the store failed.  Is it for the first time?"""
        first = self._failing is None
        if first:
            self._failing = moment
        return first

    def has_failed_for_long(self, moment: float) -> bool:
        """Is it time to close everything?"""
        return self._failing is not None and moment - self._failing > GRACE

    def _all(self) -> list[Held]:
        # A list, for what is open may be collected, and leave, at any time.
        return [one for some in list(self._open.values()) for one in _each(some)]


def _each(some: Held | Collection[Held]) -> list[Held]:
    return [some] if isinstance(some, Held) else list(some)
