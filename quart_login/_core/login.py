"""How does somebody log in, log out, and confirm who they are?

The order is: decide, wait, then write.  Whatever may fail comes before the first change of the
session, so that a failure leaves no half of a login.  Receivers come last, as they are told what
has happened; if one raises, a login is taken back, and a logout stands.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import (
    brought,
    carryover,
    cookies,
    ending,
    moving,
    proofs,
    record,
    remember,
    report,
    sessions,
)
from .acting import acted, innermost
from .claim import leave, presented, refuse, refuse_all, remembers, sent_as
from .decision import LoginDecision, source_of, why
from .errors import ConfigurationError, OutOfPlace, StoreUnavailable
from .events import logger
from .exchange import Exchange
from .freshness import is_fresh
from .limits import check_session_cookie
from .load import authenticated, known, mark_owner, touch
from .opening import login_keys, stand_beside
from .reasons import Reason
from .remember import DELETE
from .settings import reader, seconds
from .signals import user_logged_in, user_logged_out, user_login_confirmed
from .tokens import Keys, Token, is_weak, keys_of
from .users import UserId, checked_activity, checked_id, epoch_of, id_of, same_id, unwrap


async def login_user(
    exchange: Exchange,
    user: Any,
    remember: bool = False,
    duration: timedelta | None = None,
    force: bool = False,
    fresh: bool = True,
) -> bool:
    """Log *user* in.  Return True, or False if the user is not active.

    *remember* also sets the remember cookie, which brings the user back after the browser was
    closed, for *duration* or else ``REMEMBER_COOKIE_DURATION``.  *force* logs in a user who is not
    active.  *fresh* says whether the password was typed just now.

    Where there is a store of login sessions, the login is kept there, and the one that the browser
    had before ends.  It is False, too, if the user has ``LOGIN_MAX_SESSIONS`` and may not have
    another, or if this request came by a login of the same user that was ended while it ran.

    What another user left in the session is removed first; what an anonymous visitor put there
    stays.  A session kept on the server gets a new id, if its interface has ``regenerate``.

    Raises `UnusableUser` (a `ValueError`) if the user's id cannot be kept, `CookieTooLarge` (a
    `ValueError`) if a browser would ignore a cookie, `ConfigurationError` without ``SECRET_KEY``,
    `StoreUnavailable` (status 503) if the login cannot be kept, and `OutOfPlace` (a
    `RuntimeError`) in a websocket or after the response.
    """
    return await log_in(exchange, user, remember, duration, force, fresh)


async def log_in(
    exchange: Exchange,
    user: Any,
    remember: bool = False,
    duration: timedelta | None = None,
    force: bool = False,
    fresh: bool = True,
    method: str | None = None,
) -> bool:
    """Log *user* in, as `login_user` does; *method* says how they proved who they are."""
    _require_response(exchange, "login_user")
    user = unwrap(user)
    check_keys(exchange.app, exchange.manager)
    _check_cookies(exchange)
    active = checked_activity(user)
    if not force and not active:
        return False
    user_id = checked_id(user, exchange.manager.id_attribute)
    remember = bool(remember) and remembers(exchange)
    life = _seconds(duration) if remember else None
    login = login_keys(
        exchange, user_id, user, fresh=bool(fresh), forced=not active, remembered=life
    )
    registered, opened = exchange.manager.sessions is not None, None
    own = exchange.identity.login_session
    if registered:
        login[exchange.manager.keys.proof] = proofs.EXAMPLE  # as long as the one that it will be
    mark_owner(exchange)
    planned = _planned(exchange, user_id, login)
    if not registered:
        change = _remember(exchange, user_id, user, life)
    else:
        how = ("password" if fresh else "") if method is None else method
        opened = await sessions.open_session(
            exchange, user, user_id, fresh=bool(fresh), remembered=life, method=how
        )
        if opened is None:
            exchange.identity.reason = Reason.TOO_MANY_SESSIONS
            return False
        planned[exchange.manager.keys.proof] = opened.proof
        left = opened.former is not None and opened.former.remember is not None
        change = opened.change or (DELETE if left else _forget(exchange, user_id))

    # Flask-Login's own mark, for dependants; gone before the response.
    planned.pop(exchange.manager.keys.remember, None)
    if remember:
        planned[exchange.manager.keys.remember] = "set"

    gone = exchange.session.keys() - planned.keys()
    before = _Before(exchange)
    try:
        await _renew(exchange)
        for key in gone:
            del exchange.session[key]
        exchange.session.update(planned)
        identity = exchange.identity
        identity.remember = change
        identity.stale, identity.by_request, identity.error = False, False, None
        identity.by_header = identity.beside = False
        identity.source, identity.reason = "login", None
        identity.login_session = None if opened is None else opened.login
        exchange.bind(user, forced=not active)
        await report.tell(exchange, user_logged_in, user=user)
        if opened is not None and not await sessions.leave_former(exchange, opened, own):
            await _undo(exchange, before, opened)
            return False
    except BaseException:
        before.bring_back(exchange)
        if opened is not None:
            await ending.take_back(exchange, opened.login.id)
        raise
    identity.logged_out = False
    return True


async def _undo(exchange: Exchange, before: _Before, opened: sessions.Opened) -> None:
    """Take the login *opened* back, as the one that it was made by was ended meanwhile."""
    before.bring_back(exchange)
    await ending.end(exchange, opened.login.id, Reason.SESSION_ENDED)
    exchange.identity.login_session = exchange.identity.source = None
    exchange.bind(None)
    exchange.identity.reason = Reason.SESSION_ENDED
    stand_beside(exchange, None)  # Another response may bring the browser a login.


async def logout_user(exchange: Exchange) -> bool:
    """Log the current user out, here and out of the remember cookie.  Return True.

    For a user who came by a token or a password in the header it is the same: whatever login the
    browser's cookies hold ends.  The token stays good; change the user's ``session_epoch`` to end
    that.

    Raises `StoreUnavailable` (status 503) if the store of login sessions does not say that this one
    has ended: the cookies are gone from the browser then, and a copy of them may still be good.
    Raises `OutOfPlace` (a `RuntimeError`) in a websocket or after the response.
    """
    _require_response(exchange, "logout_user")
    await known(exchange)
    failure = await _end_session(exchange)
    identity, keys = exchange.identity, exchange.manager.keys
    user = identity.user if identity.user is not None else exchange.manager.anonymous_user()
    # The cookie's path may keep it from this request, and from no other.
    held = exchange.session.get(keys.user_id, "")
    asked = record.read(exchange.session, keys, held).remembered is not None
    if identity.hidden is not None:
        exchange.session.modified = True  # type: ignore[attr-defined]  # It ends, too.
    mark_owner(exchange)
    leave(exchange)
    # Kept with the request, not in the session alone: a view may clear that next.
    identity.remember, identity.logged_out = None, True
    if asked or sent_as(exchange) is not None or exchange.manager.adopted is not None:
        exchange.session[keys.remember] = "clear"
        identity.remember = DELETE
    try:
        if exchange.session or not identity.by_header or identity.hidden is not None:
            await _renew(exchange)
        await report.tell(exchange, user_logged_out, user=user)
    finally:
        exchange.bind(None)
        identity.reason = Reason.LOGGED_OUT
    if failure is not None:
        raise failure
    return True


async def confirm_login(exchange: Exchange) -> None:
    """Make the current login fresh: its user has just typed the password again.

    Where there is a store of login sessions, what proved the login before is nothing any more.
    Raises `StoreUnavailable` (status 503) if it cannot be kept.
    """
    _require_response(exchange, "confirm_login")
    await known(exchange)
    if isinstance(exchange.identity.error, StoreUnavailable):
        raise exchange.identity.error  # Nobody could be found, so nobody was made fresh.
    proof = None
    if authenticated(exchange) and not _is_beside_a_login(exchange):
        await _renew(exchange)
        proof = await _renewed_proof(exchange)
    before = _Before(exchange)
    try:
        if authenticated(exchange) and not _is_beside_a_login(exchange):
            _freshen(exchange)
            if proof is not None:
                exchange.session[exchange.manager.keys.proof] = proof
        await report.tell(exchange, user_login_confirmed)
    except BaseException:
        before.bring_back(exchange)
        if proof is not None:  # The one before is nothing any more.
            exchange.session[exchange.manager.keys.proof] = proof
        raise


def login_fresh(exchange: Exchange) -> bool:
    """Return whether the current login is fresh: the password was typed in it, not long ago."""
    return is_login_fresh(exchange)


def is_login_fresh(exchange: Exchange, max_age: float | None = None) -> bool:
    """Is the current login fresh, and not longer than for *max_age* seconds, if that is given?"""
    if acted(exchange.manager.realm, exchange.request) is not None:
        return False
    if exchange.identity.stale or not authenticated(exchange) or _is_beside_a_login(exchange):
        return False
    lifetime = exchange.setting("LOGIN_FRESH_DURATION") if max_age is None else max_age
    return is_fresh(
        exchange.session,
        exchange.manager.keys,
        id_of(exchange.identity.user, exchange.manager.id_attribute),
        exchange.manager.clock(),
        None if lifetime is None else seconds(lifetime, "LOGIN_FRESH_DURATION", float),
        undated=max_age is None,
    )


def login_decision(exchange: Exchange) -> LoginDecision:
    """Return why the current request is anonymous, or how its user came.

    In Quart it loads nobody: before the user is loaded, the reason is ``Reason.NOT_LOADED``.
    Raises `OutOfPlace` (a `RuntimeError`) outside a request.
    """
    exchange.identity.asked = True
    touch(exchange.session)
    if not authenticated(exchange):
        return LoginDecision(False, reason=why(exchange))
    return LoginDecision(True, source_of(exchange.identity), fresh=login_fresh(exchange))


def _is_beside_a_login(exchange: Exchange) -> bool:
    """Did the request's user come by something else than the login that the session may hold?

    (A token or a password in the header is never fresh, nor is it made so.)
    """
    identity = exchange.identity
    if identity.by_header or identity.beside:
        return True
    return identity.by_request and exchange.manager.keys.user_id in exchange.session


def login_remembered(exchange: Exchange) -> bool:
    """Return whether the request carries a remember cookie that would log its user in again."""
    touch(exchange.session)
    exchange.identity.asked = True
    if exchange.manager.sessions is not None and (series := brought.series_of(exchange)):
        return _is_good(exchange, series)
    token = presented(exchange)
    if token is None:
        return False
    held = exchange.session.get(exchange.manager.keys.user_id)
    return held is None or same_id(held, token.user_id)


def _is_good(exchange: Exchange, series: proofs.Series) -> bool:
    """Would the remember cookie *series* log its user in again, as far as is known here?"""
    identity, proof = exchange.identity, brought.proof_of(exchange)
    if exchange.manager.clock() > series.ends or identity.remember is DELETE:
        return False
    if identity.loaded:
        return identity.login_session is not None and (identity.login_session.id == series.proof.id)
    return proof is None or proof.id == series.proof.id


def check_keys(app: Any, manager: Any) -> Keys:
    """Return the keys of *app*, with a warning, once, of one that can be guessed.

    Raises `ConfigurationError` where there is none, and `TypeError` where they are no keys.
    """
    keys = keys_of(manager.config_of(app))
    if is_weak(keys) and not (app.debug or app.testing or manager.warned_of_weak_key):
        manager.warned_of_weak_key = True
        logger.warning(
            "SECRET_KEY is shorter than 16 bytes and can be guessed, and with it every login."
            ' Make one: python -c "import secrets; print(secrets.token_hex(32))"'
        )
    return keys


async def _end_session(exchange: Exchange) -> StoreUnavailable | None:
    """End the browser's login session in the store; return what kept that from being done."""
    if exchange.manager.sessions is None:
        return None
    try:
        logins = await brought.all_held(exchange)
        exchange.identity.login_session = None
        for login in logins:
            await ending.end(exchange, login.id, Reason.LOGGED_OUT)
        token = presented(exchange)
        if token is not None:
            await moving.retire(exchange, token)
    except StoreUnavailable as error:
        return error
    return None


async def _renewed_proof(exchange: Exchange) -> str | None:
    """Let the login session be fresh in the store; return what proves it now.

    If it has ended meanwhile, or was renewed by another request, nobody is logged in.
    """
    if exchange.manager.sessions is None or exchange.identity.login_session is None:
        return None  # The request loader's user, say, has none.
    proof = await sessions.renew(exchange)
    if proof is not None:
        return proof
    if exchange.identity.login_session is None:
        refuse_all(exchange, Reason.SESSION_ENDED)
    else:  # The browser gets what proves it now from the other, and must not lose that here.
        refuse(exchange, Reason.SESSION_ENDED)
        stand_beside(exchange, None)
    exchange.bind(None)
    return None


# --- the steps -----------------------------------------------------------------------------------


def _require_response(exchange: Exchange, name: str) -> None:
    """Raise `OutOfPlace` where no response can carry what *name* decides to the browser."""
    if innermost.get() and acted(exchange.manager.realm, exchange.request) is not None:
        raise OutOfPlace(
            f"{name}() was called within acting_as(), which logs nobody in or out. Call it in a"
            " view, outside of the block."
        )
    if exchange.is_websocket:
        raise OutOfPlace(
            f"{name}() was called in a websocket, which has no response to set cookies with."
            " Call it in a route that the page requests before it opens the socket."
        )
    if exchange.identity.closed:
        raise OutOfPlace(
            f"{name}() was called after the response was sent, so it would change nothing in the"
            " browser. Call it in the view, not in a task or a stream that outlives it."
        )


def _check_cookies(exchange: Exchange) -> None:
    """Warn, once, where a browser will ignore the cookies of this login.

    Raises `ConfigurationError` where LOGIN_SECURE_COOKIES could not be heeded.
    """
    config, manager = exchange.config, exchange.manager
    if config.get("LOGIN_SECURE_COOKIES") and cookies.is_late(reader(config)):
        raise ConfigurationError(
            "LOGIN_SECURE_COOKIES was set after LoginManager(app) or init_app(app), when the"
            " cookies had their names. Set it before."
        )
    if manager.warned_of_http or not cookies.is_lost(config.get, exchange.request):
        return
    if not exchange.app.testing:
        manager.warned_of_http = True
        logger.warning(
            "A user logged in without HTTPS, and browsers ignore a cookie with Secure there: nobody"
            " stays logged in. Serve this over HTTPS; behind a proxy that does, set up a ProxyFix"
            " or its like. (For development, http://localhost will do.)"
        )


def _seconds(duration: object) -> float:
    """Return *duration* in seconds, or `record.AS_SET` if it is None."""
    if duration is None:
        return record.AS_SET
    if isinstance(duration, timedelta):
        return max(duration.total_seconds(), 0)
    raise TypeError(f"duration must be a datetime.timedelta, instead got: {duration}")


def _remember(
    exchange: Exchange, user_id: UserId, user: Any, life: float | None
) -> remember.Change | None:
    """Decide what this login does to the remember cookie; *life* is None if it sets none."""
    if life is not None:
        token = Token(user_id, seconds=record.for_token(life), epoch=epoch_of(user))
        keys = keys_of(exchange.config)
        return remember.issue(token, keys, exchange.setting, exchange.manager.clock())
    decided = exchange.identity.remember
    if decided is not None and (decided is DELETE or same_id(decided.user_id, user_id)):
        return decided
    if sent_as(exchange) is None:
        leaves = exchange.session and _leaves_a_cookie(exchange, user_id)
        return DELETE if leaves else None
    # A cookie of another user would bring that one back when this session ends.
    sent = presented(exchange)
    mine = sent is not None and not sent.foreign and same_id(sent.user_id, user_id)
    return None if mine else DELETE


def _forget(exchange: Exchange, user_id: UserId) -> remember.Change | None:
    """Decide what a login that is not remembered does to the remember cookie."""
    token = presented(exchange)
    if token is not None and not token.foreign and same_id(token.user_id, user_id):
        return None  # The user's own, from before there was a store: it moves when it is needed.
    sent = sent_as(exchange) is not None or exchange.identity.remember is DELETE
    return DELETE if sent or _leaves_a_cookie(exchange, user_id) else None


def _leaves_a_cookie(exchange: Exchange, user_id: UserId) -> bool:
    """Does *user_id* follow another user with a remember cookie, which its path kept from here?"""
    session, keys = exchange.session, exchange.manager.keys
    held = session.get(keys.user_id)
    if held is None or same_id(held, user_id):
        return False
    return record.read(session, keys, held).remembered is not None


def _planned(exchange: Exchange, user_id: UserId, login: dict[str, Any]) -> dict[str, Any]:
    """Return the session as it will be.  Raises `CookieTooLarge`."""
    planned = dict(exchange.session)
    if planned:  # At most logins there is no session yet.
        kept = exchange.kept_keys()
        carryover.take_over(planned, exchange.manager.keys, user_id, kept, exchange.others())
    planned.update(login)
    check_session_cookie(exchange.app, planned)
    return planned


def _freshen(exchange: Exchange) -> None:
    """Make the login in the session fresh from now on."""
    manager, session = exchange.manager, exchange.session
    user_id = id_of(exchange.identity.user, manager.id_attribute)
    about = record.read(session, manager.keys, user_id)
    session[manager.keys.fresh] = True
    session[manager.keys.id] = manager.identifier(exchange)
    session[manager.keys.record] = record.write(
        about._replace(fresh_since=int(manager.clock())), user_id
    )
    exchange.identity.stale = False


class _Before:
    """What a login or its confirmation changes, as it was."""

    __slots__ = ("remember", "session", "stale")

    def __init__(self, exchange: Exchange) -> None:
        self.session = dict(exchange.session)
        self.remember, self.stale = exchange.identity.remember, exchange.identity.stale

    def bring_back(self, exchange: Exchange) -> None:
        """Let session and remember cookie be what they were, and nobody logged in."""
        session, identity = exchange.session, exchange.identity
        if session != self.session:
            session.clear()
            session.update(self.session)
        exchange.bind(None)
        identity.login_session = None
        identity.remember, identity.stale = self.remember, self.stale
        identity.reason = Reason.RECEIVER_FAILED


async def _renew(exchange: Exchange) -> None:
    """Give a session that is kept on the server a new id (OWASP: after any change of privilege)."""
    regenerate = getattr(exchange.app.session_interface, "regenerate", None)
    if regenerate is not None:
        await exchange.call(regenerate, exchange.session)
