"""Which logins has a user, and how does one end them?

Rule 1.  In a request a user sees and ends logins of their own alone: an id from a form is looked
         for among these, and nowhere else.  Whoever acts for another names the user.
Rule 2.  What has returned has happened, for every process: no later request is logged in by it.
Rule 3.  What is listed holds nothing that authenticates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from . import asking, ending, events
from .acting import acted
from .claim import leave
from .errors import ConfigurationError, OutOfPlace, StoreUnavailable, UnusableUser
from .exchange import Exchange
from .lifetimes import is_over
from .load import authenticated, known
from .moving import end_user
from .proofs import is_name
from .reasons import Reason
from .remember import DELETE
from .series import begun
from .store import LoginSession, SessionId
from .users import UserId, checked_id, is_id, unwrap


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One login of a user on one device, as it may be shown.  Times are in seconds since 1970."""

    #: Its name, 22 characters; it proves nothing.
    id: SessionId
    #: When the user logged in.
    created: float
    #: When it was last used, to a minute or so.
    seen: float
    #: The end of it, however active its user is.
    expires: float
    #: When the password was last typed; None if the login is not fresh.
    fresh_since: float | None
    #: How the login was made, as `login_user` was told.
    method: str
    #: What the browser calls itself.  A visitor chose it.
    agent: str
    #: The address of the connection that logged in.
    address: str
    #: Does it come back after the browser was closed?
    remembered: bool
    #: Is it the one that this request came by?
    current: bool


async def list_sessions(exchange: Exchange, user: Any = None) -> list[ListedSession]:
    """Return the logins of the current user, or of *user* (a user or an id), the last used first.

    Raises `StoreUnavailable`, and `ConfigurationError` where there is no store.
    """
    found: list[LoginSession] = []
    for name in asking.subjects_of(exchange, await _whose(exchange, user)):
        found += await asking.ask(exchange, "list", name)
    current = _current(exchange)
    listed = [_listed(login, current) for login in found if not _is_over(exchange, login)]
    return sorted(listed, key=attrgetter("seen"), reverse=True)


async def revoke_session(exchange: Exchange, id: SessionId, user: Any = None) -> bool:
    """End the login session *id* of the current user, or of *user* (a user or an id).

    Return False if that user has none by that id.  If it is the one of this request, its user is
    logged out.  Raises `StoreUnavailable`: then it may live.
    """
    names = asking.subjects_of(exchange, await _whose(exchange, user))
    found: LoginSession | None = await asking.ask(exchange, "get", id) if is_name(id) else None
    if found is None or found.user_id not in names:
        return False
    await ending.end(exchange, id, Reason.REVOKED)
    _log_out_if(exchange, (id,))
    return True


async def revoke_other_sessions(exchange: Exchange) -> int:
    """End all logins of the current user but this one; return how many.

    For the page where a password was changed (ASVS 5.0, 7.4.3).  Raises `StoreUnavailable`: then
    some may live.
    """
    user_id, current = await _whose(exchange, None), _current(exchange)
    gone = await end_user(exchange, user_id, Reason.REVOKED, but=current)
    return len(gone)


async def revoke_user(exchange: Exchange, user: Any) -> int:
    """End all logins of *user* (a user or an id), everywhere; return how many there were.

    Remember cookies from before there was a store end, too.  If it is the current user, this
    request's login ends with the others.  Raises `StoreUnavailable`: then some may live.
    """
    user_id = _id_of(exchange, user)
    gone = await end_user(exchange, user_id, Reason.REVOKED)
    _log_out_if(exchange, [login.id for login in gone])
    return len(gone)


async def purge_sessions(exchange: Exchange) -> int:
    """Remove what is over from the store; return how many.  Nobody is logged out by it.

    Raises `StoreUnavailable`: then some were removed, perhaps.
    """
    removed: int = await asking.ask_long(exchange, "purge", exchange.manager.clock())
    return removed


async def check_store(exchange: Exchange) -> None:
    """Raise `ConfigurationError` unless the store, where there is one, can serve; and
    `StoreUnavailable` if it fails now.
    """
    if _is_kept(exchange):
        await asking.ask_long(exchange, "check")


async def check_at_request(exchange: Exchange) -> None:
    """As `check_store`, for the first request to a server that does not tell when it starts.

    A store that is down is no mistake, and no public page needs it: so much is logged.
    """
    try:
        if _is_kept(exchange):
            await asking.ask(exchange, "check")
    except StoreUnavailable as error:
        if isinstance(error.__cause__, ConfigurationError):
            raise error.__cause__ from None
        events.note_store(exchange, error)


def _is_kept(exchange: Exchange) -> bool:
    """Are login sessions kept?  Raises `ConfigurationError` if they cannot be."""
    if exchange.manager.sessions is None:
        return False
    if exchange.config.get("REMEMBER_COOKIE_FORMAT") == "flask-login":
        raise ConfigurationError(
            "Flask-Login's form of the remember cookie names no login session, so it cannot be used"
            " with a store of these: unset REMEMBER_COOKIE_FORMAT, or sessions=..."
        )
    return True


# --- whose ---------------------------------------------------------------------------------------


async def _whose(exchange: Exchange, user: Any) -> UserId:
    """Return the id of *user*, or of the current user.  Raises `OutOfPlace` if there is none."""
    asking.store_of(exchange)
    if user is not None:
        return _id_of(exchange, user)
    manager, request = exchange.manager, exchange.request
    if request is not None and acted(manager.realm, request) is None:
        await known(exchange)
        if isinstance(exchange.identity.error, StoreUnavailable):
            raise exchange.identity.error
        if authenticated(exchange):
            return checked_id(unwrap(exchange.identity.user), manager.id_attribute)
    raise OutOfPlace("Nobody is logged in here. Say whose login sessions are meant: user=...")


def _id_of(exchange: Exchange, user: Any) -> UserId:
    """Return the id of *user*, which may be one.  Raises `UnusableUser`."""
    user, attribute = unwrap(user), exchange.manager.id_attribute
    if is_id(user):
        return user  # type: ignore[no-any-return]
    if not hasattr(user, attribute):
        raise UnusableUser("Whose login sessions are meant? This is no user, and no user's id.")
    return checked_id(user, attribute)


def _current(exchange: Exchange) -> SessionId | None:
    """Return the id of the login session that this request came by."""
    login = exchange.identity.login_session
    return None if login is None or not authenticated(exchange) else login.id


def _is_over(exchange: Exchange, login: LoginSession) -> bool:
    now, limits = exchange.manager.clock(), asking.limits(exchange)
    if login.remember is None and is_over(begun(login), login.seen, now, limits):
        return True
    return now > login.expires


def _listed(login: LoginSession, current: SessionId | None) -> ListedSession:
    return ListedSession(
        id=login.id,
        created=login.created,
        seen=login.seen,
        expires=login.expires,
        fresh_since=login.fresh_since,
        method=login.method,
        agent=login.agent,
        address=login.address,
        remembered=login.remember is not None,
        current=login.id == current,
    )


def _log_out_if(exchange: Exchange, ended: Sequence[SessionId]) -> None:
    """Let the request's user be logged out if the login that brought them is among *ended*."""
    login = exchange.identity.login_session
    if login is None or login.id not in ended:
        return
    exchange.identity.login_session = None
    if not exchange.is_websocket:
        leave(exchange)
        exchange.identity.remember, exchange.identity.logged_out = DELETE, True
    exchange.bind(None)
    exchange.identity.reason = Reason.LOGGED_OUT
