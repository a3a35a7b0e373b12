"""How does somebody log in, log out, and confirm who they are?

The order is: decide, wait, then write.  Whatever may fail comes before the first change of the
session, so that a failure leaves no half of a login.  Receivers come last, as they are told what
has happened; if one raises, a login is taken back, and a logout stands.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import carryover, cookies, record, remember, report
from .acting import acted
from .claim import leave, presented, sent_as
from .decision import LoginDecision, source_of, why
from .errors import ConfigurationError, OutOfPlace
from .events import logger
from .exchange import Exchange
from .freshness import is_fresh
from .limits import check_session_cookie
from .load import authenticated, known, touch
from .opening import login_keys
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

    What another user left in the session is removed first; what an anonymous visitor put there
    stays.  A session kept on the server gets a new id, if its interface has ``regenerate``.

    Raises `UnusableUser` (a `ValueError`) if the user's id cannot be kept, `CookieTooLarge` (a
    `ValueError`) if a browser would ignore a cookie, `ConfigurationError` without ``SECRET_KEY``,
    and `OutOfPlace` (a `RuntimeError`) in a websocket or after the response.
    """
    _require_response(exchange, "login_user")
    user = unwrap(user)
    check_keys(exchange.app, exchange.manager)
    _check_cookies(exchange)
    active = checked_activity(user)
    if not force and not active:
        return False
    user_id = checked_id(user, exchange.manager.id_attribute)
    life = _seconds(duration) if remember else None
    change = _remember(exchange, user_id, user, life)
    planned = _planned(
        exchange,
        user_id,
        login_keys(exchange, user_id, user, fresh=bool(fresh), forced=not active, remembered=life),
    )

    # Flask-Login's own mark, for dependants; gone before the response.
    planned.pop(exchange.manager.keys.remember, None)
    if remember:
        planned[exchange.manager.keys.remember] = "set"

    gone = exchange.session.keys() - planned.keys()
    await _renew(exchange)

    before = _Before(exchange)
    try:
        for key in gone:
            del exchange.session[key]
        exchange.session.update(planned)
        identity = exchange.identity
        identity.remember = change
        identity.stale, identity.by_request, identity.error = False, False, None
        identity.by_header = False
        identity.source, identity.reason = "login", None
        exchange.bind(user, forced=not active)
        await report.tell(exchange, user_logged_in, user=user)
    except BaseException:
        before.bring_back(exchange)
        raise
    identity.logged_out = False
    return True


async def logout_user(exchange: Exchange) -> bool:
    """Log the current user out, here and out of the remember cookie.  Return True.

    For a user who came by a token or a password in the header it is the same: whatever login the
    browser's cookies hold ends.  The token stays good; change the user's ``session_epoch`` to end
    that.

    Raises `OutOfPlace` (a `RuntimeError`) in a websocket or after the response.
    """
    _require_response(exchange, "logout_user")
    await known(exchange)
    identity, keys = exchange.identity, exchange.manager.keys
    user = identity.user if identity.user is not None else exchange.manager.anonymous_user()
    # The cookie's path may keep it from this request, and from no other.
    held = exchange.session.get(keys.user_id, "")
    asked = record.read(exchange.session, keys, held).remembered is not None
    if identity.hidden is not None:
        exchange.session.modified = True  # type: ignore[attr-defined]  # It ends, too.
    leave(exchange)
    # Kept with the request, not in the session alone: a view may clear that next.
    identity.remember, identity.logged_out = None, True
    if asked or sent_as(exchange) is not None:
        exchange.session[keys.remember] = "clear"
        identity.remember = DELETE
    try:
        if exchange.session or not identity.by_header or identity.hidden is not None:
            await _renew(exchange)
        await report.tell(exchange, user_logged_out, user=user)
    finally:
        exchange.bind(None)
        identity.reason = Reason.LOGGED_OUT
    return True


async def confirm_login(exchange: Exchange) -> None:
    """Make the current login fresh: its user has just typed the password again."""
    _require_response(exchange, "confirm_login")
    await known(exchange)
    if authenticated(exchange) and not _is_beside_a_login(exchange):
        await _renew(exchange)
    before = _Before(exchange)
    try:
        if authenticated(exchange) and not _is_beside_a_login(exchange):
            _freshen(exchange)
        await report.tell(exchange, user_login_confirmed)
    except BaseException:
        before.bring_back(exchange)
        raise


def login_fresh(exchange: Exchange) -> bool:
    """Return whether the current login is fresh: the password was typed in it, not long ago."""
    if acted(exchange.manager.realm, exchange.request) is not None:
        return False
    if exchange.identity.stale or not authenticated(exchange) or _is_beside_a_login(exchange):
        return False
    lifetime = exchange.setting("LOGIN_FRESH_DURATION")
    return is_fresh(
        exchange.session,
        exchange.manager.keys,
        id_of(exchange.identity.user, exchange.manager.id_attribute),
        exchange.manager.clock(),
        None if lifetime is None else seconds(lifetime, "LOGIN_FRESH_DURATION", float),
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
    if identity.by_header:
        return True
    return identity.by_request and exchange.manager.keys.user_id in exchange.session


def login_remembered(exchange: Exchange) -> bool:
    """Return whether the request carries a remember cookie that would log its user in again."""
    touch(exchange.session)
    exchange.identity.asked = True
    token = presented(exchange)
    if token is None:
        return False
    held = exchange.session.get(exchange.manager.keys.user_id)
    return held is None or same_id(held, token.user_id)


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


# --- the steps -----------------------------------------------------------------------------------


def _require_response(exchange: Exchange, name: str) -> None:
    """Raise `OutOfPlace` where no response can carry what *name* decides to the browser."""
    if acted(exchange.manager.realm, exchange.request) is not None:
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
    setting, manager = reader(exchange.config), exchange.manager
    if exchange.setting("LOGIN_SECURE_COOKIES") and cookies.is_late(setting):
        raise ConfigurationError(
            "LOGIN_SECURE_COOKIES was set after LoginManager(app) or init_app(app), when the"
            " cookies had their names. Set it before."
        )
    told = manager.warned_of_http or exchange.app.testing
    if not told and cookies.is_lost(setting, exchange.request):
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
        return DELETE if _leaves_a_cookie(exchange, user_id) else None
    # A cookie of another user would bring that one back when this session ends.
    sent = presented(exchange)
    mine = sent is not None and same_id(sent.user_id, user_id)
    return None if mine else DELETE


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
        identity.remember, identity.stale = self.remember, self.stale
        identity.reason = Reason.RECEIVER_FAILED


async def _renew(exchange: Exchange) -> None:
    """Give a session that is kept on the server a new id (OWASP: after any change of privilege)."""
    regenerate = getattr(exchange.app.session_interface, "regenerate", None)
    if regenerate is not None:
        await exchange.call(regenerate, exchange.session)
