"""Who is making this request?

Rule 1.  The session's login is asked first, then the remember cookie, then the request loader.  At
         most one user is loaded, once.
Rule 2.  Session and remember cookie must name the same user; else neither counts.
Rule 3.  A credential that is refused is removed from the browser, and the reason is told.
Rule 4.  Whatever a loader does wrong, nobody is logged in: not if it raises, nor if it returns
         another user, an inactive one, or no user at all.
Rule 5.  Receivers are told when the user is bound, so that `current_user` works in them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from . import carryover, remember
from .errors import ConfigurationError, LoginError, UnusableUser
from .exchange import Exchange
from .protection import Verdict, judge
from .reasons import Reason
from .signals import (
    credential_rejected,
    identity_mismatch,
    session_protected,
    user_accessed,
    user_loaded_from_cookie,
)
from .tokens import Token, keys_of
from .users import UserId, checked_id, epoch_of, flag, id_of, is_id, same_id

logger = logging.getLogger("quart_login")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its user, before the user is loaded."""

    user_id: UserId
    epoch: str | None = None
    forced: bool = False
    #: The remember cookie, if it was sent.
    token: Token | None = None
    #: Is it the cookie that speaks, because the session holds no login?
    by_cookie: bool = False


# --- for the shells ------------------------------------------------------------------------------


def may_be_somebody(exchange: Exchange) -> bool:
    """Does the request carry anything that could name a user?"""
    return (
        exchange.manager._request_callback is not None
        or exchange.manager.keys.user_id in exchange.session
        or exchange.setting("REMEMBER_COOKIE_NAME") in exchange.request.cookies
    )


async def load(exchange: Exchange) -> None:
    """Find out who makes this request, unless that is known.  Loaders' exceptions are kept."""
    identity = exchange.identity
    if identity.loaded:
        return
    exchange.manager.require_loader()
    try:
        await _find(exchange)
    except Exception as error:
        identity.error = error
        identity.bind(None)
        _refuse(exchange, Reason.LOADER_FAILED)
        logger.error("The user could not be loaded; nobody is logged in.", exc_info=error)


async def announce(exchange: Exchange) -> None:
    """Tell the receivers of the signals what loading found out."""
    identity = exchange.identity
    while identity.news:
        signal, extra = identity.news.pop(0)
        await exchange.notify(signal, **extra)


async def see(exchange: Exchange) -> None:
    """Note that somebody looks at the user: the response depends on it now."""
    if not exchange.identity.seen:
        exchange.identity.seen = True
        touch(exchange.session)
        await exchange.notify(user_accessed)


async def known(exchange: Exchange) -> None:
    """Load the user as one who looks does."""
    await load(exchange)
    await see(exchange)
    await announce(exchange)


def touch(session: Any) -> None:
    """Make the framework send ``Vary: Cookie``.  (Quart before 0.23 does not notice a read.)"""
    session.accessed = True


def authenticated(exchange: Exchange) -> bool:
    """Is the user that is bound logged in?"""
    identity = exchange.identity
    if identity.user is None:
        return False
    return identity.forced or flag(identity.user.is_authenticated)


# --- what the request says -----------------------------------------------------------------------


async def _find(exchange: Exchange) -> None:
    claim = _claim(exchange)
    if claim is None or not await _by_claim(exchange, claim):
        await _by_request(exchange)


def _claim(exchange: Exchange) -> Claim | None:
    """Return what session and remember cookie say of the user, if that can count."""
    if exchange.manager._user_callback is None:
        return None
    held = _held(exchange)
    token = presented(exchange, lambda reason: _refuse_cookie(exchange, reason))
    if held is None:
        return None if token is None else Claim(token.user_id, token.epoch, False, token, True)
    if token is not None and not same_id(held.user_id, token.user_id):
        _refuse_both(exchange, Reason.USER_MISMATCH)
        return None
    return held if token is None else replace(held, token=token)


def _held(exchange: Exchange) -> Claim | None:
    """Return what the session says of the user."""
    session, keys = exchange.session, exchange.manager.keys
    user_id = session.get(keys.user_id)
    if user_id is None:
        return None
    if not is_id(user_id):
        _refuse_both(exchange, Reason.NOT_A_USER)
        return None
    record = record_of(exchange)
    if record.get("a") != (audience := exchange.setting("LOGIN_AUDIENCE")) and audience is not None:
        # Another application's login: not ours to use, nor to remove.
        _refuse(exchange, Reason.OTHER_AUDIENCE)
        return None
    if not _protect(exchange):
        return None
    return Claim(user_id, record.get("e"), record.get("f") == 1)


def record_of(exchange: Exchange) -> dict[str, Any]:
    """Return what the session tells of its login beyond Flask-Login's keys; see `Record`."""
    keys = exchange.manager.keys
    record = exchange.session.get(keys.record)
    if isinstance(record, dict) and record.get("u") == exchange.session.get(keys.user_id):
        return record
    return {}


def _protect(exchange: Exchange) -> bool:
    """Let session protection judge; is there still a login?"""
    manager, session, identity = exchange.manager, exchange.session, exchange.identity
    mode = manager.protection_mode(exchange.app)
    verdict = judge(
        session,
        mode,
        manager.is_same_client(session, exchange.request),
        exchange.setting("LOGIN_STRONG_DROPS_PERMANENT"),
    )
    if verdict is Verdict.KEEP:
        return True
    identity.tell(session_protected)
    if verdict is Verdict.DROP:
        _refuse_both(exchange, Reason.PROTECTED)
        return False
    identity.stale = True
    if session.get(manager.keys.fresh) is not False and not exchange.is_websocket:
        session[manager.keys.fresh] = False
    return True


def presented(
    exchange: Exchange, refuse: Callable[[Reason], None] = lambda reason: None
) -> Token | None:
    """Return the request's remember token, if it counts; else *refuse* it, if there is one."""
    text = exchange.request.cookies.get(exchange.setting("REMEMBER_COOKIE_NAME"))
    cleared = exchange.session.get(exchange.manager.keys.remember) == "clear"
    if text is None or cleared or exchange.identity.remember is remember.DELETE:
        return None
    try:
        keys = keys_of(exchange.app.config)
    except ConfigurationError:
        return None  # No key, no credential. Logging in says what is missing.
    found = remember.read(text, keys, exchange.setting, exchange.manager.clock())
    if isinstance(found, Token):
        return found
    refuse(found)
    return None


# --- who that is ---------------------------------------------------------------------------------


async def _by_claim(exchange: Exchange, claim: Claim) -> bool:
    """Load the user that *claim* names; is it one who may be logged in?"""
    callback = exchange.manager._user_callback
    assert callback is not None
    user: Any = await exchange.call(callback, claim.user_id)
    reason = _objection(user, claim, exchange.manager.id_attribute)
    if reason is not None:
        _refuse_both(exchange, reason)
        return False
    if claim.by_cookie:
        _restore(exchange, claim, user)
    if claim.token is not None and remember.outdated(claim.token, exchange.setting):
        _replace_cookie(exchange, claim.token, user)
    exchange.identity.bind(user, forced=claim.forced)
    return True


def _objection(user: Any, claim: Claim | None, id_attribute: str) -> Reason | None:
    """Return why *user* may not be the one whom *claim*, if any, names; or None."""
    if user is None or getattr(user, "is_anonymous", False) is True:
        return Reason.USER_GONE
    try:
        active, found = flag(user.is_active), id_of(user, id_attribute)
        flag(user.is_authenticated)
    except (AttributeError, TypeError, NotImplementedError, UnusableUser):
        return Reason.NOT_A_USER
    if claim is not None and not same_id(found, claim.user_id):
        return Reason.USER_MISMATCH
    if not active and not (claim is not None and claim.forced):
        return Reason.USER_INACTIVE
    if claim is not None and claim.epoch is not None and claim.epoch != epoch_of(user):
        return Reason.EPOCH_CHANGED
    return None


def _restore(exchange: Exchange, claim: Claim, user: Any) -> None:
    """Begin a session for a user who came by the remember cookie: stale, and bound like any."""
    manager, session = exchange.manager, exchange.session
    exchange.identity.stale = True
    exchange.identity.tell(user_loaded_from_cookie, user=user)
    if exchange.is_websocket:
        return
    user_id = checked_id(user, manager.id_attribute)
    carryover.take_over(session, manager.keys, user_id, exchange.setting("LOGIN_KEEP_SESSION_KEYS"))
    seconds = claim.token.seconds if claim.token is not None else None
    session.update(login_keys(exchange, user_id, user, remembered=seconds or 0))


def login_keys(
    exchange: Exchange,
    user_id: UserId,
    user: Any,
    *,
    fresh: bool = False,
    forced: bool = False,
    remembered: float | None = None,
) -> dict[str, Any]:
    """Return what the session keeps of a login."""
    keys = exchange.manager.keys
    record: dict[str, Any] = {"u": user_id}
    if remembered is not None:
        record["r"] = remembered
    if fresh:
        record["at"] = int(exchange.manager.clock())
    if forced:
        record["f"] = 1
    if (epoch := epoch_of(user)) is not None:
        record["e"] = epoch
    if (audience := exchange.setting("LOGIN_AUDIENCE")) is not None:
        record["a"] = audience
    return {
        keys.user_id: user_id,
        keys.fresh: fresh,
        keys.id: exchange.manager.identifier(exchange.request),
        keys.record: record,
    }


def client_keys(exchange: Exchange, user: Any, fresh: bool) -> dict[str, Any]:
    """Return what the session of a test client that is logged in as *user* holds."""
    user_id = checked_id(user, exchange.manager.id_attribute)
    keys = exchange.manager.keys
    if not exchange.setting("LOGIN_TEST_CLIENT_IDENTIFIED"):
        return {keys.user_id: user_id, keys.fresh: fresh}
    return login_keys(exchange, user_id, user, fresh=fresh)


def _replace_cookie(exchange: Exchange, token: Token, user: Any) -> None:
    """Give the browser *token* anew, under the current key and in our form."""
    try:
        user_id = checked_id(user, exchange.manager.id_attribute)
        renewed = replace(token, user_id=user_id, epoch=epoch_of(user))
        exchange.identity.remember = remember.issue(
            renewed, keys_of(exchange.app.config), exchange.setting, exchange.manager.clock()
        )
    except LoginError:
        pass  # The old cookie is still good; a user is not lost over a long id.


async def _by_request(exchange: Exchange) -> None:
    for callback, argument, signal in exchange.manager.request_loaders(exchange.request):
        user: Any = await exchange.call(callback, argument)
        reason = _objection(user, None, exchange.manager.id_attribute)
        if reason is None:
            exchange.identity.tell(signal, user=user)
            return exchange.identity.bind(user)
        if reason is not Reason.USER_GONE:
            _refuse(exchange, reason)
    exchange.identity.bind(None)


# --- refusals ------------------------------------------------------------------------------------


def _refuse(exchange: Exchange, reason: Reason) -> None:
    """Tell that a credential was refused."""
    if reason is Reason.USER_MISMATCH:
        exchange.identity.tell(identity_mismatch, reason=reason)
    exchange.identity.tell(credential_rejected, reason=reason)
    logger.info("A credential was rejected: %s", reason, extra={"reason": str(reason)})


def _refuse_cookie(exchange: Exchange, reason: Reason) -> None:
    """Refuse the remember cookie, and remove it from the browser."""
    exchange.identity.remember = remember.DELETE
    _refuse(exchange, reason)


def _refuse_both(exchange: Exchange, reason: Reason) -> None:
    """Refuse whatever the request brought, and remove it from the browser."""
    if exchange.setting("REMEMBER_COOKIE_NAME") in exchange.request.cookies:
        exchange.identity.remember = remember.DELETE
    if not exchange.is_websocket:
        carryover.leave(
            exchange.session,
            exchange.manager.keys,
            exchange.setting("LOGIN_CLEAR_SESSION_ON_LOGOUT"),
            exchange.setting("LOGIN_KEEP_SESSION_KEYS"),
        )
    _refuse(exchange, reason)
