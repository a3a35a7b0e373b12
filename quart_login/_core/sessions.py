"""How is a login session opened and renewed?

Rule 1.  What proves a login is new after each login and each confirmation; what proved it before is
         nothing any more (OWASP Session Management; ASVS 5.0, 7.2.4).
Rule 2.  A login that a browser leaves for another ends when the new one stands, and not before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

from . import brought, events, lifetimes, proofs
from .asking import ATTEMPTS, ask, limits, store_of, subject_of
from .ending import end, take_back, tell_ended
from .errors import StoreUnavailable, UnusableUser
from .exchange import Exchange
from .held import due
from .lifetimes import Limits
from .limits import check_remember_cookie
from .proofs import Proof, Series
from .reasons import Reason
from .record import for_token
from .remember import Change
from .settings import seconds
from .store import LoginSession, SessionId, new_id
from .tokens import keys_of
from .users import UserId, epoch_of

#: The last second that a cookie's date can name: the end of the year 9999.
_LAST: Final = 253402300799

#: What is kept of a browser's name, and of an address.
_AGENT, _ADDRESS = 512, 255

#: No store keeps a longer name of a user, in bytes; that of notes about one has a letter more.
_NAME: Final = 2047


class Opened(NamedTuple):
    """A login session that was just made, or renewed, and what the browser gets of it."""

    login: LoginSession
    #: For the session.
    proof: str
    #: For the remember cookie, if the login is remembered.
    change: Change | None
    #: What the browser leaves for it.
    former: LoginSession | None = None

    def __repr__(self) -> str:
        return "<Opened>"


# --- to open one ---------------------------------------------------------------------------------


async def open_session(
    exchange: Exchange,
    user: Any,
    user_id: UserId,
    *,
    fresh: bool = False,
    remembered: float | None = None,
    method: str = "",
    now: float | None = None,
) -> Opened | None:
    """Keep a login session for *user*, and return it; None if the user has as many as may be.

    It was made at *now*, in seconds since 1970, or this moment.  *remembered* is for how many
    seconds, or `record.AS_SET`; None for not at all.  Raises `StoreUnavailable`, and
    `CookieTooLarge`.
    """
    former = await _left(exchange)
    now = exchange.manager.clock() if now is None else now
    allowed, name = limits(exchange), _checked_name(exchange, user_id)
    ends = _ends(exchange, name, now, remembered, former) if allowed.remembers else None
    proof = Proof(new_id_of(exchange, name), proofs.new_secret())
    series = None if ends is None else Series(Proof(proof.id, proofs.new_secret()), ends)
    login = LoginSession(
        id=proof.id,
        user_id=name,
        created=now,
        seen=now,
        expires=_expires(now, allowed, ends),
        digest=proofs.digest(proof.secret),
        fresh_since=now if fresh else None,
        method=method[:_ADDRESS],
        agent=_printable(exchange.client()[1], _AGENT),
        address=_printable(exchange.client()[0], _ADDRESS),
        epoch=epoch_of(user),
        idle=allowed.idle if series is None else None,
        remember=None if series is None else proofs.digest(series.proof.secret),
    )
    change = None if series is None else series_change(exchange, series, user_id)
    try:
        if not await _add(exchange, login, former):
            return None
    except BaseException:  # It may have been kept, and nobody would ever end it.
        await take_back(exchange, login.id)
        raise
    return Opened(login, proofs.write(proof), change, former)


async def _left(exchange: Exchange) -> LoginSession | None:
    """Return the login session that the browser leaves."""
    try:
        return await brought.held(exchange)
    except StoreUnavailable:
        # A record that nobody can read would keep its browser from ever logging in again.
        await brought.drop(exchange)
        return None


def _checked_name(exchange: Exchange, user_id: UserId) -> str:
    """Return the name of the user *user_id*.  Raises `UnusableUser` for one that is too long."""
    name = subject_of(exchange, user_id)
    if len(name.encode()) > _NAME:
        raise UnusableUser(
            f"The user's id is too long for a store of login sessions, which keeps {_NAME} bytes of"
            " it and of what is added to it (a mark, the realm's name)."
        )
    return name


async def _add(exchange: Exchange, login: LoginSession, former: LoginSession | None) -> bool:
    """Keep *login*, if its user may have one more where *former* will end for it."""
    most = exchange.setting("LOGIN_MAX_SESSIONS")
    limit = None if most is None else most + _makes_room(former, login)
    evict = exchange.setting("LOGIN_MAX_SESSIONS_REACHED") != "refuse"
    gone = await ask(exchange, "add", login, limit=limit, evict=evict)
    if gone:
        await tell_ended(exchange, gone, Reason.TOO_MANY_SESSIONS)
    return gone is not None


def _makes_room(former: LoginSession | None, login: LoginSession) -> bool:
    """Will the user of *login* have one less when *former* ends?"""
    if former is None or former.user_id != login.user_id:
        return False
    return login.created <= due(former)


def new_id_of(exchange: Exchange, name: str) -> SessionId:
    """Return a new id for a login session of the user *name*."""
    make: Callable[[str], SessionId] = getattr(store_of(exchange), "make_id", new_id)
    return make(name)


def _ends(
    exchange: Exchange, name: str, now: float, life: float | None, former: LoginSession | None
) -> int | None:
    """Return until when a login of the user *name* is remembered, for *life* or as before; None if
    it is not.
    """
    ends = _remembered_until(exchange, now, life)
    if ends is None and former is not None and former.user_id == name:
        return _kept_until(exchange, former)
    return ends


def _remembered_until(exchange: Exchange, now: float, life: float | None) -> int | None:
    """Return until when the remember cookie of a login at *now* is good."""
    if life is None:
        return None
    key = "REMEMBER_COOKIE_DURATION"
    given = for_token(life)
    return int(now + (seconds(exchange.setting(key), key) if given is None else given))


def _kept_until(exchange: Exchange, former: LoginSession) -> int | None:
    """Return until when the same user is remembered by the cookie that came."""
    series, change = brought.series_of(exchange), exchange.identity.remember
    if former.remember is None:
        return None
    if (
        series is not None
        and series.proof.id == former.id
        and brought.is_shown(series.proof, former)
    ):
        return series.ends
    if former is exchange.identity.login_session and change is not None and change.expires:
        return int(change.expires.timestamp())  # A cookie from before it began it in this request.
    return None


def _expires(now: float, allowed: Limits, ends: int | None) -> float:
    session_ends = now + (lifetimes.FOR_EVER if allowed.lifetime is None else allowed.lifetime)
    return float(session_ends if ends is None else max(session_ends, ends))


def _printable(text: str | None, longest: int) -> str:
    """Return *text*, which a visitor chose, without what no store and no page can show."""
    return "".join(letter for letter in (text or "")[:longest] if letter.isprintable())


def series_change(exchange: Exchange, series: Series, user_id: UserId) -> Change:
    """Return the change that gives the browser *series*.

    Raises `CookieTooLarge` if browsers would ignore the cookie.
    """
    keys = keys_of(exchange.config)
    value = proofs.write_series(series, keys, exchange.setting("LOGIN_AUDIENCE"))
    check_remember_cookie(exchange.setting("REMEMBER_COOKIE_NAME"), value)
    ends = datetime.fromtimestamp(min(max(series.ends, 0), _LAST), UTC)
    return Change(value, ends, user_id)


async def leave_former(exchange: Exchange, opened: Opened, own: LoginSession | None = None) -> bool:
    """End the login session that the browser leaves for the one that was *opened*.

    Return False if that was *own*, which had brought the same user to this request, and had been
    ended meanwhile: what it opened would bring it back.
    """
    former, login = opened.former, opened.login
    if former is None or await end(exchange, former.id, Reason.LOGGED_OUT):
        return True
    if former.user_id == login.user_id:
        if own is not None and own.id == former.id:
            return False
        await _give_room_back(exchange, login)
    return True


async def _give_room_back(exchange: Exchange, login: LoginSession) -> None:
    """Keep to LOGIN_MAX_SESSIONS where another request of the browser had left its former login
    already, and had taken the room of that for itself.
    """
    most, now = exchange.setting("LOGIN_MAX_SESSIONS"), exchange.manager.clock()
    if most is None:
        return
    found = await ask(exchange, "list", login.user_id)
    others = [one for one in found if one.id != login.id and now <= due(one)]
    for one in sorted(others, key=attrgetter("created"))[most - 1 :]:
        await end(exchange, one.id, Reason.TOO_MANY_SESSIONS)


# --- to renew one --------------------------------------------------------------------------------


async def renew(exchange: Exchange) -> str | None:
    """Let the request's login session be fresh, with a new secret.  Return what proves it from now
    on, for the session; None if it has ended meanwhile, or another request was quicker.
    """
    login = first = exchange.identity.login_session
    for _ in range(ATTEMPTS):
        if login is None or login.digest != first.digest:  # type: ignore[union-attr]
            exchange.identity.login_session = login
            return None
        now, secret = exchange.manager.clock(), proofs.new_secret()
        new = replace(
            login,
            version=login.version + 1,
            seen=max(now, login.seen),
            fresh_since=now,
            digest=proofs.digest(secret),
        )
        if await ask(exchange, "swap", login, new):
            exchange.identity.login_session = new
            return proofs.write(Proof(new.id, secret))
        login = await ask(exchange, "get", login.id)  # Another request renewed its cookie, say.
    raise StoreUnavailable


async def renew_series(
    exchange: Exchange, login: LoginSession, series: Series, user_id: UserId
) -> Opened | None:
    """Begin a session by the remember cookie *series* of *login*, with new secrets.

    None if another request was quicker, or the login has ended meanwhile.
    """
    now, secret, shown = exchange.manager.clock(), proofs.new_secret(), proofs.new_secret()
    new = replace(
        login,
        version=login.version + 1,
        seen=max(now, login.seen),
        fresh_since=None,
        digest=proofs.digest(secret),
        remember=proofs.digest(shown),
        former=proofs.digest(series.proof.secret),
        rotated=now,
        confirmed=False,
    )
    if not await ask(exchange, "swap", login, new):
        return None
    change = series_change(exchange, series._replace(proof=Proof(login.id, shown)), user_id)
    return Opened(new, proofs.write(Proof(login.id, secret)), change)


async def note_seen(exchange: Exchange, login: LoginSession, *, confirmed: bool) -> None:
    """Note that *login* was seen, if it is time; *confirmed* says that the browser has its present
    remember cookie.  What cannot be noted ends nobody's request, and lengthens no login.
    """
    now = exchange.manager.clock()
    try:
        if confirmed and login.former is not None and not login.confirmed:
            seen = max(now, login.seen)
            new = replace(login, version=login.version + 1, seen=seen, confirmed=True)
            await ask(exchange, "swap", login, new)
        elif lifetimes.is_due(login.seen, now, limits(exchange).idle):
            await ask(exchange, "touch", login.id, now)
    except StoreUnavailable as error:
        events.note_store(exchange, error)
