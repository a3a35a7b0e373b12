"""What is a login session, and what is asked of whoever keeps it?

A login session is one login of one user on one device.  A store keeps a `LoginSession` for each; it
decides nothing: what a record means, and when one is over, is said by `lifetimes` and `series`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from .exchange import Exchange

#: The name of a login session: 22 characters of base64url (128 random bits).  It may be shown.
SessionId: TypeAlias = str


def new_id(user_id: str) -> SessionId:
    """Return a new id for a session of *user_id*.

    A store whose ids must tell it where to look has a method ``make_id`` that is asked instead; its
    ids look the same.
    """
    return token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One login of one user on one device.  Times are in seconds since 1970.

    Secrets are kept as digests alone: 64 hexadecimal characters (SHA-256 of 256 random bits, which
    needs no slower hash: ASVS 6.5.2).
    """

    id: SessionId
    #: The user's id, as text.
    user_id: str
    #: When the user logged in.
    created: float
    #: When a request was last seen (noted at most once a minute).
    seen: float
    #: The end of it, however active its user is.
    expires: float
    #: The digest of the secret in the browser's session.
    digest: str = field(repr=False)
    #: Counts the changes of anything but `seen`; see `Store.swap`.
    version: int = 0
    #: When the password was last typed; None if the login is not fresh.
    fresh_since: float | None = None
    #: How the login was made: ``"password"``, ``"passkey"`` or what the application says.
    method: str = ""
    #: What the browser calls itself, at most 512 characters.
    agent: str = ""
    #: The address of the connection that logged in.
    address: str = ""
    #: The session epoch of the user, as a digest.
    epoch: str | None = field(default=None, repr=False)
    #: After how many seconds without a request it ends; None for never.
    idle: float | None = None
    #: The digest of the secret in the remember cookie; None for a login that is not remembered.
    remember: str | None = field(default=None, repr=False)
    #: The digest of the secret before that one, which a response may not have replaced yet.
    former: str | None = field(default=None, repr=False)
    #: When the remember secret was last replaced.
    rotated: float | None = None
    #: Was the present remember secret seen in a request?
    confirmed: bool = True


@runtime_checkable
class Store(Protocol):
    """Keeps login sessions.

    Rule 1.  A method is a coroutine that waits for nothing but ``exchange.call(fn, *args)``, once
             for each statement: so one class serves Quart, which awaits it, and Flask, which runs
             it at once (see `quart_login._core.step`).
    Rule 2.  A method takes effect whole or not at all.  What it returned from has happened, for
             every process: a session that `delete` ended is in no later `get`.
    Rule 3.  What fails raises, whatever the driver raises; nothing is retried that is not
             idempotent, and nothing unknown is made up.  A record that cannot be read is an
             exception, too, never a session.  The core sets the time limit.
    Rule 4.  Ids and user ids are data: no text in them may mean anything else to the store.
    Rule 5.  The store never asks what time it is, but is told.  (A store that lets records expire
             by itself, as Redis does, may do so after `LoginSession.expires`.)
    Rule 6.  No secret in a ``repr``, a log or an error.

    A store may also tell what ended, for open sockets to be closed: see `WatchedStore`.  One whose
    own methods are what it gives to ``exchange.call`` may say by an attribute ``gives_up_after``
    for how many seconds these block at most: where that is within the time limit, Flask calls them
    itself, and not in a thread that it could leave.
    """

    async def get(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        """Return the session *id*, in one round trip; None if there is none."""
        ...

    async def add(
        self,
        exchange: Exchange,
        session: LoginSession,
        *,
        limit: int | None = None,
        evict: bool = True,
    ) -> Sequence[LoginSession] | None:
        """Keep *session*, whose id is new.

        With *limit*, the user has at most so many sessions that are not over at
        ``session.created``: either the longest unseen ones make room (*evict*), and are returned,
        or nothing is kept and None is returned.  Atomic, also against another `add`.
        """
        ...

    async def swap(self, exchange: Exchange, old: LoginSession, new: LoginSession) -> bool:
        """Put *new* into the place of *old*; return False if that is not what is there any more.

        Both have the same id and user id, and ``new.version`` is ``old.version + 1``.  One atomic
        comparison of `version`: of two that try at once, one succeeds.  A session that was deleted
        does not come back.  `LoginSession.seen` becomes the later one of *new* and what is there.
        """
        ...

    async def touch(self, exchange: Exchange, id: SessionId, seen: float) -> None:
        """Note that *id* was seen at *seen*, unless later is noted already, or it is gone."""
        ...

    async def delete(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        """End the session *id*; return what it was, or None if there is none."""
        ...

    async def delete_user(
        self, exchange: Exchange, user_id: str, *, but: SessionId | None = None
    ) -> Sequence[LoginSession]:
        """End all sessions of *user_id*, except that of the id *but*; return what they were."""
        ...

    async def list(self, exchange: Exchange, user_id: str) -> Sequence[LoginSession]:
        """Return the sessions of *user_id*, the last seen first, also those that are over."""
        ...

    async def purge(self, exchange: Exchange, now: float) -> int:
        """Remove what is over at *now*: past `expires`, or idle for too long.  Return how many."""
        ...

    async def check(self, exchange: Exchange) -> None:
        """Raise `ConfigurationError` if the store cannot work: no schema, or an older one.

        Called before the first request is served, where the framework says when that is.
        """
        ...


class Listener(Protocol):
    """Hears which login sessions end, in whichever process.

    Its methods wait for nothing but ``exchange.call``, raise what the driver raises, and are called
    one after the other; but `end`, which also comes when another takes too long and is left.  After
    it nobody uses this listener any more.
    """

    async def begin(self, exchange: Exchange) -> None:
        """Connect, anew if need be; what ends from now on will be heard."""
        ...

    async def hear(self, exchange: Exchange, seconds: float) -> Sequence[SessionId] | None:
        """Return what ended, when something did, or nothing after *seconds*.

        None says that messages may have been lost, or tell no ids: whoever listens looks himself.
        Raises if the connection is lost.
        """
        ...

    async def end(self, exchange: Exchange) -> None:
        """Close the connection, if there is one."""
        ...


@runtime_checkable
class WatchedStore(Store, Protocol):
    """A store that tells what ended, so that sockets and streams end with their login.

    A store need have neither method.
    """

    async def alive(
        self, exchange: Exchange, ids: Collection[SessionId]
    ) -> Mapping[SessionId, float]:
        """Return which of *ids* there are, in one round trip for some hundred, and for each the
        time before which it is not over: the earlier of `LoginSession.expires` and ``seen + idle``.

        Also those that are over by time; not those whose record cannot be read.
        """
        ...

    def listener(self) -> Listener | None:
        """Return what hears of the sessions that `delete`, `delete_user` and `add` end; None where
        nothing tells.
        """
        ...
