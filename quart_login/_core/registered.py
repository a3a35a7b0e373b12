"""Whose login session is it that a request shows?

Rule 1.  Junk is refused by its shape or its signature.  Then the store is asked, once.
Rule 2.  Session and remember cookie must show the same login; else neither counts.
Rule 3.  A user who is gone, or may not log in, loses all logins the first time that one is seen; a
         login from before the session epoch changed ends as it is seen.
Rule 4.  A proof that was replaced a moment ago changes nothing in the browser: the response that
         carries its successor may be on the way.  Later it is removed: that response was lost, and
         a browser that could never write its session could not log in again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from . import asking, brought, carryover, ending, events, proofs, sessions
from .claim import Claim, held_claim, leave, presented, refuse, refuse_all, refuse_cookie, sent_as
from .exchange import Exchange
from .moving import end_user, move
from .opening import put_in, stand_beside
from .proofs import Proof, Series
from .reasons import Reason
from .remember import DELETE
from .series import Standing, judge
from .settings import seconds
from .signals import remember_theft_detected, user_loaded_from_cookie
from .store import LoginSession
from .subjects import user_id_of
from .tokens import Token
from .users import UserId, checked_id, epoch_of, objection, same_id

#: Why a login that does not stand is refused.
_REFUSED: Final = {
    Standing.REPLACED: Reason.SESSION_ENDED,
    Standing.OVER: Reason.EXPIRED,
    Standing.FUTURE: Reason.EXPIRED,
    Standing.STOLEN: Reason.REMEMBER_THEFT,
}


class Shown(NamedTuple):
    """What a request shows of a login session, before the store is asked."""

    #: What the session holds, if it holds one.
    held: Proof | None
    #: What the session says of its login.
    said: Claim | None
    #: What the remember cookie says, if one came.
    series: Series | None

    def __repr__(self) -> str:
        return "<Shown>"


async def by_session(exchange: Exchange, loader: Callable[[Any], Any]) -> bool:
    """Bind the user of the login session that the request shows; could that be done?"""
    held, said = _held(exchange)
    cookie = _cookie(exchange)
    if isinstance(cookie, Token):
        if said is None:
            return await move(exchange, loader, cookie)
        if not same_id(said.user_id, cookie.user_id):
            refuse_all(exchange, Reason.USER_MISMATCH)
            return False
        cookie = None  # It moves over when it is needed.
    proof = held or (cookie and cookie.proof)
    if proof is None:
        return False
    if held is not None and cookie is not None and held.id != cookie.proof.id:
        refuse_all(exchange, Reason.USER_MISMATCH)
        return False
    return await _by_proof(exchange, loader, proof, Shown(held, said, cookie))


async def _by_proof(
    exchange: Exchange, loader: Callable[[Any], Any], proof: Proof, shown: Shown
) -> bool:
    login: LoginSession | None = await asking.ask(exchange, "get", proof.id)
    if exchange.identity.loaded:
        return True  # Meanwhile another task of this request logged somebody in: that stands.
    if login is None:
        refuse_all(exchange, Reason.SESSION_ENDED)
        return False
    standing = _judge(exchange, shown, login)
    if standing in _REFUSED:
        await _turn_away(exchange, login, standing)
        return False
    user_id = user_id_of(login.user_id, exchange.manager.realm)
    said = None if shown.said is None else shown.said.user_id
    if user_id is None or not (said is None or same_id(said, user_id)):
        refuse_all(exchange, Reason.USER_MISMATCH)
        return False
    user = await exchange.call_loader(loader, user_id)
    # As above.
    return exchange.identity.loaded or await _is_the_one(
        exchange, shown, login, standing, user, user_id
    )


async def _is_the_one(
    exchange: Exchange,
    shown: Shown,
    login: LoginSession,
    standing: Standing,
    user: Any,
    user_id: UserId,
) -> bool:
    """Bind *user* if it is the one of *login* and may be logged in; end the login else."""
    reason = objection(user, exchange.manager.id_attribute, user_id)
    forced = reason is Reason.USER_INACTIVE and shown.said is not None and shown.said.about.forced
    if (reason is None or forced) and login.epoch not in (None, epoch_of(user)):
        reason, forced = Reason.EPOCH_CHANGED, False
    if reason is not None and not forced:
        await _end_for(exchange, login, user_id, reason)
        refuse_all(exchange, reason, user_id)
        return False
    exchange.identity.login_session = login
    if standing is Standing.GOOD or shown.series is None:
        await _go_on(exchange, login, shown.series, user_id)
    else:
        await _begin(exchange, login, shown.series, user, standing)
    if not exchange.identity.loaded:
        exchange.bind(user, forced=forced)
    return True


# --- what the request shows ----------------------------------------------------------------------


def _held(exchange: Exchange) -> tuple[Proof | None, Claim | None]:
    """Return what the session proves, and what it says of its login, if that can count."""
    said = held_claim(exchange)
    if said is None:
        return None, None
    proof = brought.proof_of(exchange)
    if proof is not None:
        return proof, said
    # Made where there was no registry, or before it: nobody could end it.
    refuse(exchange, Reason.NOT_REGISTERED, said.user_id)
    if not exchange.is_websocket:
        leave(exchange)
    return None, None


def _cookie(exchange: Exchange) -> Series | Token | None:
    """Return what the remember cookie says, in whichever form, if that can count."""
    series = brought.series_of(exchange)
    if series is None:
        return presented(exchange, refuse_cookie)
    if exchange.identity.remember is DELETE:
        return None
    if exchange.session.get(exchange.manager.keys.remember) == "clear":
        return None
    if exchange.manager.clock() > series.ends or not asking.limits(exchange).remembers:
        refuse_cookie(exchange, Reason.EXPIRED)
        return None
    return series


def _window(exchange: Exchange) -> float:
    return seconds(exchange.setting("LOGIN_REMEMBER_WINDOW"), "LOGIN_REMEMBER_WINDOW", float)


def _judge(exchange: Exchange, shown: Shown, login: LoginSession) -> Standing:
    return judge(
        login,
        None if shown.held is None else shown.held.secret,
        None if shown.series is None else shown.series.proof.secret,
        exchange.manager.clock(),
        asking.limits(exchange),
        _window(exchange),
    )


# --- what becomes of the login -------------------------------------------------------------------


async def _turn_away(exchange: Exchange, login: LoginSession, standing: Standing) -> None:
    """Refuse what the request shows of *login*, and end it where it is over or was stolen."""
    reason = _REFUSED[standing]
    user_id = user_id_of(login.user_id, exchange.manager.realm)
    if standing is Standing.STOLEN:
        told = {"session_id": login.id, "user_id": user_id}
        events.note(exchange, remember_theft_detected, user_id=user_id)
        exchange.identity.tell(remember_theft_detected, **told)
    if standing in (Standing.STOLEN, Standing.OVER):
        await ending.end(exchange, login.id, reason)
        refuse_all(exchange, reason, user_id)
        return
    if standing is Standing.REPLACED and not _is_recent(exchange, login):
        refuse_all(exchange, reason, user_id)
        return
    refuse(exchange, reason, user_id)
    stand_beside(exchange, None)


def _is_recent(exchange: Exchange, login: LoginSession) -> bool:
    """Was what proves *login* replaced a moment ago?"""
    replaced = max(login.fresh_since or 0, login.rotated or 0)
    return exchange.manager.clock() - replaced <= _window(exchange)


async def _end_for(
    exchange: Exchange, login: LoginSession, user_id: UserId, reason: Reason
) -> None:
    """End what a login's user loses for *reason*.  (Nothing, if it is the loader that is wrong.)"""
    if reason in (Reason.USER_GONE, Reason.USER_INACTIVE):
        await end_user(exchange, user_id, reason)
    elif reason is Reason.EPOCH_CHANGED:
        await ending.end(exchange, login.id, reason)


def is_late(exchange: Exchange) -> bool:
    """Does the response bring a renewed login so late that another request may have renewed it?

    (That one took this one's response for lost.  What it brings would look like a theft.)
    """
    identity, login = exchange.identity, exchange.identity.login_session
    if identity.source != "remember_cookie" or login is None or login.rotated is None:
        return False
    brings = identity.remember is not None and identity.remember is not DELETE
    return brings and exchange.manager.clock() - login.rotated > _window(exchange)


async def _go_on(
    exchange: Exchange, login: LoginSession, series: Series | None, user_id: UserId
) -> None:
    """Note that *login* was seen, and with which remember cookie."""
    confirmed = series is not None and proofs.is_of(series.proof.secret, login.remember)
    if series is not None and confirmed and not exchange.is_websocket:
        name = exchange.setting("REMEMBER_COOKIE_NAME")
        if series.by_fallback or sent_as(exchange) != name:
            exchange.identity.remember = sessions.series_change(exchange, series, user_id)
    # The session came in one response with the present remember cookie, shown or not: a thief
    # could keep that back, and the owner's copy would pass for one whose successor was lost.
    await sessions.note_seen(exchange, login, confirmed=True)


async def _begin(
    exchange: Exchange, login: LoginSession, series: Series, user: Any, standing: Standing
) -> None:
    """Begin a session by the remember cookie, unless another request does."""
    identity = exchange.identity
    user_id = checked_id(user, exchange.manager.id_attribute)
    opened = None
    # A stream whose headers are gone could bring the browser nothing, either.
    if standing is Standing.RENEWS and not exchange.is_websocket and not identity.closed:
        opened = await sessions.renew_series(exchange, login, series, user_id)
        if identity.loaded:
            return
    identity.stale, identity.source = True, "remember_cookie"
    events.keep(exchange, user_loaded_from_cookie, user=user)
    if opened is None:
        stand_beside(exchange, carryover.mark(user_id))
        return
    put_in(exchange, opened, user, user_id)
