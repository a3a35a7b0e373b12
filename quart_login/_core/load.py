"""Who is making this request?

Rule 1.  The session's login is asked first, then the remember cookie, then the request loader.  At
         most one user is loaded by id, once.
Rule 2.  Whatever a loader does wrong, nobody is logged in: not if it raises, nor if it returns
         another user, an inactive one, or no user at all.
Rule 3.  Receivers are told when the user is bound, so that `current_user` works in them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import carryover, remember
from .claim import Claim, claim, logger, refuse, refuse_all
from .errors import LoginError, UnusableUser
from .exchange import Exchange
from .opening import login_keys
from .reasons import Reason
from .signals import user_accessed, user_loaded_from_cookie
from .tokens import Token, keys_of
from .users import checked_id, epoch_of, flag, id_of, same_id


async def load(exchange: Exchange) -> None:
    """Find out who makes this request, unless that is known.  Loaders' exceptions are kept."""
    identity = exchange.identity
    if identity.loaded:
        return
    manager = exchange.manager
    manager.require_loader()
    try:
        found = None if manager.user_callback is None else claim(exchange)
        if found is None or not await _by_claim(exchange, found):
            await _by_request(exchange)
    except Exception as error:
        identity.error = error
        exchange.bind(None)
        refuse(exchange, Reason.LOADER_FAILED)
        logger.error("The user could not be loaded; nobody is logged in.", exc_info=error)


async def announce(exchange: Exchange) -> None:
    """Tell the receivers of the signals what loading found out."""
    while exchange.identity.news:
        signal, extra = exchange.identity.news.pop(0)
        await exchange.notify(signal, **extra)


async def see(exchange: Exchange) -> None:
    """Note that somebody looks at the user: the response depends on it now."""
    if not exchange.identity.seen:
        exchange.identity.seen = True
        touch(exchange.session)
        await exchange.notify(user_accessed)


async def known(exchange: Exchange) -> None:
    """Load the user as one who looks does."""
    if not exchange.identity.loaded:
        await exchange.load_user()
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


# --- who that is ---------------------------------------------------------------------------------


async def _by_claim(exchange: Exchange, said: Claim) -> bool:
    """Load the user whom *said* names; is it one who may be logged in?"""
    callback: Any = exchange.manager.user_callback
    user: Any = await exchange.call(callback, said.user_id)
    reason = _objection(user, said, exchange.manager.id_attribute)
    if reason is not None:
        refuse_all(exchange, reason)
        return False
    if said.by_cookie:
        _restore(exchange, said, user)
    if said.token is not None and remember.outdated(said.token, exchange.setting):
        _replace_cookie(exchange, said.token, user)
    exchange.bind(user, forced=said.forced)
    return True


def _objection(user: Any, said: Claim | None, id_attribute: str) -> Reason | None:
    """Return why *user* may not be the one whom *said*, if anything, names; or None."""
    if user is None or getattr(user, "is_anonymous", False) is True:
        return Reason.USER_GONE
    try:
        active, found = flag(user.is_active), id_of(user, id_attribute)
        flag(user.is_authenticated)
    except (AttributeError, TypeError, NotImplementedError, UnusableUser):
        return Reason.NOT_A_USER
    if said is None:
        return None if active else Reason.USER_INACTIVE
    if not same_id(found, said.user_id):
        return Reason.USER_MISMATCH
    if not active and not said.forced:
        return Reason.USER_INACTIVE
    if said.epoch is not None and said.epoch != epoch_of(user):
        return Reason.EPOCH_CHANGED
    return None


def _restore(exchange: Exchange, said: Claim, user: Any) -> None:
    """Begin a session for a user who came by the remember cookie: stale, and bound like any."""
    manager, session = exchange.manager, exchange.session
    exchange.identity.stale = True
    exchange.identity.tell(user_loaded_from_cookie, user=user)
    if exchange.is_websocket:
        return
    user_id = checked_id(user, manager.id_attribute)
    carryover.take_over(session, manager.keys, user_id, exchange.setting("LOGIN_KEEP_SESSION_KEYS"))
    seconds = said.token.seconds if said.token is not None else None
    session.update(login_keys(exchange, user_id, user, remembered=seconds or 0))


def _replace_cookie(exchange: Exchange, token: Token, user: Any) -> None:
    """Give the browser *token* anew, under the current key and in our form."""
    try:
        user_id = checked_id(user, exchange.manager.id_attribute)
        renewed = replace(token, user_id=user_id, epoch=epoch_of(user))
        exchange.identity.remember = remember.issue(
            renewed, keys_of(exchange.config), exchange.setting, exchange.manager.clock()
        )
    except LoginError:
        pass  # The old cookie is still good; a user is not lost over a long id.


async def _by_request(exchange: Exchange) -> None:
    if exchange.manager.asks_requests:
        for callback, argument, signal in exchange.manager.request_loaders(exchange):
            user: Any = await exchange.call(callback, argument)
            reason = _objection(user, None, exchange.manager.id_attribute)
            if reason is None:
                exchange.identity.tell(signal, user=user)
                return exchange.bind(user)
            if reason is not Reason.USER_GONE:
                refuse(exchange, reason)
    exchange.bind(None)
