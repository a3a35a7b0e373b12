"""Who is making this request?

Rule 1.  A header that is for us decides alone (see `header`).  Else the session's login is asked
         first, then the remember cookie, then the request loader.  At most one user is loaded by
         id, once.
Rule 2.  Whatever a loader does wrong, nobody is logged in: not if it raises, nor if it returns
         another user, an inactive one, or no user at all.
Rule 3.  Receivers are told when the user is bound, so that `current_user` works in them.  One that
         raises is a loader that raised: nobody is logged in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import carryover, events, record, remember
from .claim import (
    Claim,
    claim,
    outlives,
    plainly,
    refuse,
    refuse_all,
    refuse_cookie,
    sent_as,
)
from .errors import LoginError, StoreUnavailable
from .exchange import Exchange
from .header import by_header, turn_away
from .identity import being_loaded
from .identity import is_loading as is_loading
from .opening import close, login_keys, stand_beside
from .reasons import Reason
from .record import NOTHING
from .registered import by_session
from .signals import credential_rejected, user_accessed, user_loaded_from_cookie
from .tokens import Token, keys_of
from .users import checked_id, epoch_of, flag, id_of, is_id, objection


async def load(exchange: Exchange) -> None:
    """Find out who makes this request, unless that is known.  Loaders' exceptions are kept."""
    identity = exchange.identity
    if identity.loaded or being_loaded.get() is identity:
        return
    loader = exchange.manager._user_callback
    if loader is None:
        exchange.manager.require_loader()
    token = being_loaded.set(identity)
    try:
        user_id = None if loader is None else plainly(exchange)
        if loader is None or user_id is None:
            await _find_out(exchange, loader)
            return
        user: Any = await exchange.call_loader(loader, user_id)
        if identity.loaded:
            pass
        elif (reason := objection(user, exchange.manager.id_attribute, user_id)) is None:
            exchange.bind(user)
        else:
            refuse_all(exchange, reason, user_id)
            await _by_request(exchange, None)
    except Exception as error:
        if not identity.loaded:
            _fail(exchange, error)
    finally:
        being_loaded.reset(token)


async def _find_out(exchange: Exchange, loader: Callable[[Any], Any] | None) -> None:
    sent = exchange.authorization()
    if sent is not None and await by_header(exchange, sent):
        return  # It decides alone, whatever cookies came with it.
    if loader is None or not await _by_id(exchange, loader):
        await _by_request(exchange, sent)


async def _by_id(exchange: Exchange, loader: Callable[[Any], Any]) -> bool:
    """Bind the user whom session or remember cookie name; could that be done?"""
    if exchange.manager.sessions is not None:
        return await by_session(exchange, loader)
    said = claim(exchange)
    if said is None:
        return False
    user = await exchange.call_loader(loader, said.user_id)
    # Meanwhile another task of this request may have logged somebody in: that stands.
    return exchange.identity.loaded or _is_the_one(exchange, said, user)


def _fail(exchange: Exchange, error: Exception) -> None:
    """Let nobody be logged in, because of *error*."""
    exchange.bind(None)
    reason = Reason.LOADER_FAILED
    if isinstance(error, StoreUnavailable):
        reason = Reason.STORE_FAILED
    identity = exchange.identity
    identity.error, identity.reason = error, reason
    if exchange.manager.sessions is not None and not identity.by_header:
        stand_beside(exchange, None)  # Has that login ended? Nobody knows, so nobody reads it.
    events.note(exchange, credential_rejected, reason=reason, error=error)
    identity.tell(credential_rejected, reason=reason)


async def announce(exchange: Exchange) -> None:
    """Tell the receivers of the signals what loading found out."""
    while exchange.identity.news:
        signal, extra = exchange.identity.news.pop(0)
        try:
            await exchange.notify(signal, **extra)
        except Exception as error:
            _distrust(exchange, error)
            events.note_receiver(exchange, signal, error)
        except BaseException as error:  # a cancelled task, a timeout of gevent's
            _distrust(exchange, error)
            raise


def _distrust(exchange: Exchange, error: BaseException) -> None:
    """Let nobody be logged in, because a receiver raised *error*."""
    identity = exchange.identity
    if identity.source == "remember_cookie" and not exchange.is_websocket:
        close(exchange.session, exchange.manager.keys)  # The cookie is asked again next time.
    exchange.bind(None)
    identity.error, identity.reason = error, Reason.RECEIVER_FAILED


async def known(exchange: Exchange) -> None:
    """Load the user as one who looks does."""
    identity = exchange.identity
    if not identity.loaded:
        await exchange.load_user()
    if not identity.seen:
        identity.seen = True
        touch(exchange.session)
        if user_accessed.receivers:
            await exchange.notify(user_accessed)
    if identity.news:
        await announce(exchange)


def touch(session: Any) -> None:
    """Make the framework send ``Vary: Cookie``.  (Quart before 0.23 does not notice a read.)"""
    session.accessed = True


def authenticated(exchange: Exchange) -> bool:
    """Is the user that is bound logged in?"""
    user = exchange.identity.user
    if user is None or exchange.identity.forced:
        return user is not None
    said = user.is_authenticated
    return said is True or flag(said)


# --- who that is ---------------------------------------------------------------------------------


def _is_the_one(exchange: Exchange, said: Claim, user: Any) -> bool:
    """Bind *user* if it is the one whom *said* names and may be logged in; refuse it else."""
    reason = objection(user, exchange.manager.id_attribute, said.user_id)
    forced = False
    if said.about is not NOTHING or said.by_cookie:
        reason, forced = _check_login(said, user, reason)
    if reason is not None:
        refuse_all(exchange, reason, said.user_id)
        return False
    if said.token is not None:
        if said.by_cookie:
            _restore(exchange, said.token, user)
        if remember.superseded(said.token, user):
            refuse_cookie(exchange, Reason.EPOCH_CHANGED, said.user_id)
        elif _is_outdated(exchange, said.token):
            _replace_cookie(exchange, said.token, user)
    exchange.bind(user, forced=forced)
    return True


def _check_login(said: Claim, user: Any, reason: Reason | None) -> tuple[Reason | None, bool]:
    """Return why this login of *user* is over, if it is, and whether it was forced."""
    if reason is not None and reason is not Reason.USER_INACTIVE:
        return reason, False
    made_in = said.token.epoch if said.by_cookie and said.token is not None else said.about.epoch
    if made_in is not None and made_in != epoch_of(user):
        return Reason.EPOCH_CHANGED, False
    forced = reason is not None and said.about.forced
    return (None if forced else reason), forced


def _restore(exchange: Exchange, token: Token, user: Any) -> None:
    """Begin a session for a user who came by the remember cookie: stale, and bound like any."""
    manager, session = exchange.manager, exchange.session
    user_id = checked_id(user, manager.id_attribute)
    exchange.identity.stale = True
    exchange.identity.source = "remember_cookie"
    events.keep(exchange, user_loaded_from_cookie, user=user)
    if exchange.is_websocket:
        return
    if session:  # Mostly there is none yet.
        kept, others = exchange.kept_keys(), exchange.others()
        carryover.take_over(session, manager.keys, user_id, kept, others)
    life = record.from_token(token.seconds) if outlives(exchange, token) else None
    session.update(login_keys(exchange, user_id, user, remembered=life))


def _is_outdated(exchange: Exchange, token: Token) -> bool:
    """Must the browser get *token* anew: in another form, under another key, or by another name?"""
    name = exchange.setting("REMEMBER_COOKIE_NAME")
    return remember.outdated(token, exchange.setting) or sent_as(exchange) != name


def _replace_cookie(exchange: Exchange, token: Token, user: Any) -> None:
    """Give the browser *token* anew, under the current key and in our form."""
    if not outlives(exchange, token):
        exchange.identity.remember = remember.DELETE
        return
    try:
        user_id = checked_id(user, exchange.manager.id_attribute)
        renewed = replace(token, user_id=user_id, epoch=epoch_of(user))
        exchange.identity.remember = remember.issue(
            renewed, keys_of(exchange.config), exchange.setting, exchange.manager.clock()
        )
    except LoginError:
        pass  # The old cookie is still good; a user is not lost over a long id.


def mark_owner(exchange: Exchange) -> None:
    """Note whose data a view put into the session, where no login in it names the user."""
    session, keys = exchange.session, exchange.manager.keys
    if keys.user_id in session or not getattr(session, "modified", True):
        return
    if authenticated(exchange):
        user_id = id_of(exchange.identity.user, exchange.manager.id_attribute)
        if is_id(user_id):
            carryover.sign(session, keys, user_id)


def _clear_for(exchange: Exchange, user: Any) -> None:
    """Remove what a logout left of another user's data from the session."""
    session, keys = exchange.session, exchange.manager.keys
    user_id = id_of(user, exchange.manager.id_attribute)
    if keys.user_id in session or exchange.is_websocket or not is_id(user_id):
        return
    carryover.take_over(session, keys, user_id, exchange.kept_keys(), exchange.others())


def _clear_for_nobody(exchange: Exchange) -> None:
    """Remove the data of a user that the session holds without a login, where a logout does.

    (An answer that came beside the one with the login may have come last, after the logout.)
    """
    manager, session = exchange.manager, exchange.session
    if manager.sessions is None or exchange.is_websocket or manager.keys.user_id in session:
        return
    if carryover.owner(session, manager.keys) is not None:
        clear = exchange.setting("LOGIN_CLEAR_SESSION_ON_LOGOUT")
        carryover.leave(session, manager.keys, clear, exchange.kept_keys())


async def _by_request(exchange: Exchange, sent: str | None) -> None:
    if exchange.manager.asks_requests:
        for callback, argument, signal in exchange.manager.request_loaders(exchange):
            user: Any = await exchange.call_loader(callback, argument)
            if exchange.identity.loaded:
                return
            reason = objection(user, exchange.manager.id_attribute)
            if reason is None:
                events.keep(exchange, signal, user=user)
                exchange.identity.by_request = True
                _clear_for(exchange, user)
                exchange.bind(user)
                return
            if reason is not Reason.USER_GONE:
                refuse(exchange, reason)
    elif sent is not None:
        turn_away(exchange, sent)
    _clear_for_nobody(exchange)
    exchange.bind(None)
