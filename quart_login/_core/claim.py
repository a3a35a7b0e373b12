"""What does a request say of its user, and does that count?

Rule 1.  Session and remember cookie must name the same user; else neither counts.
Rule 2.  A credential that is refused is removed from the browser, and the reason is told.
Rule 3.  Another application's login (``LOGIN_AUDIENCE``) is neither used nor removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import carryover, events, lifetimes, record, remember
from .errors import ConfigurationError
from .exchange import Exchange
from .protection import Verdict, fingerprint, judge
from .reasons import Reason
from .record import NOTHING, Record
from .settings import COOKIE_NAME, check_fallbacks
from .signals import credential_rejected, identity_mismatch, session_protected
from .tokens import Keys, Token, keys_of
from .users import UserId, is_id, same_id

if TYPE_CHECKING:
    from .quart_auth import QuartAuthCookie

#: Settings that have a say in whether a session's login counts, where they are there at all.
_HAVE_A_SAY: Final = {*lifetimes.KEYS, "LOGIN_AUDIENCE", "REMEMBER_COOKIE_FORMER_NAME"}


class Claim(NamedTuple):
    """What a request says of its user, before the user is loaded."""

    user_id: UserId
    #: What the session tells of its login, but for how fresh it is.
    about: Record = NOTHING
    #: The remember cookie, if it was sent.
    token: Token | None = None
    #: Is it the cookie that speaks, because the session holds no login?
    by_cookie: bool = False

    def __repr__(self) -> str:
        return "<Claim>"


def may_be_somebody(exchange: Exchange) -> bool:
    """Does the request carry anything that could name a user?"""
    return (
        may_name_somebody(exchange.manager, exchange.config, exchange.request, exchange.session)
        or exchange.authorization() is not None
    )


def may_name_somebody(
    manager: Any, config: Mapping[str, Any], request: Any, session: Mapping[str, Any]
) -> bool:
    """Does the request carry anything that could name a user, but for ``Authorization``?  (Asked
    without an exchange: mostly it does not.)
    """
    cookies = request.cookies
    return (
        manager.keys.user_id in session
        or (cookies and _sent_as(cookies, config, manager.adopted) is not None)
        or manager.asks_requests
    )


def plainly(exchange: Exchange) -> UserId | None:
    """Return whom the session names, if it is plain that this counts and that nothing else in the
    request has a say: what `claim` would find out in more steps.  (It is so with most requests, and
    what is called here is called in each: so little is.)
    """
    session, config, manager = exchange.session, exchange.config, exchange.manager
    user_id = session.get(manager.keys.user_id)
    if not user_id or (type(user_id) is not str and not is_id(user_id)):
        return None
    if manager.sessions is not None or manager.own_identifier is not None:
        return None
    if type(config).get is not dict.get:  # one that answers for what is not there
        return None
    if config.get("SECRET_KEY_FALLBACKS") or not config.keys().isdisjoint(_HAVE_A_SAY):
        return None
    cookies, adopted = exchange.request.cookies, manager.adopted
    if config.get("REMEMBER_COOKIE_NAME", COOKIE_NAME) in cookies:
        return None
    if adopted is not None and adopted.name in cookies:
        return None
    if record.says_more(session, manager.keys, user_id):
        return None
    address, agent, authorizes = exchange.look()
    if authorizes or session.get(manager.keys.id) != fingerprint(address, agent):
        return None
    return user_id  # type: ignore[no-any-return]


def claim(exchange: Exchange) -> Claim | None:
    """Return what session and remember cookie say of the user, if that can count."""
    if exchange.config.get("SECRET_KEY_FALLBACKS"):
        check_fallbacks(exchange.config)
    held = held_claim(exchange)
    if held is not None and lifetimes.are_set(exchange.config):
        held = _lasting(exchange, held)
    if sent_as(exchange) is None:
        return held
    token = presented(exchange, refuse_cookie)
    if token is None:
        return held
    if held is None:
        return Claim(token.user_id, NOTHING, token, True)
    if not same_id(held.user_id, token.user_id):
        refuse_all(exchange, Reason.USER_MISMATCH)
        return None
    return held._replace(token=token)


def held_claim(exchange: Exchange) -> Claim | None:
    """Return what the session says of the user."""
    session, keys = exchange.session, exchange.manager.keys
    user_id = session.get(keys.user_id)
    if user_id is None:
        return None
    if not _is_held(user_id):
        refuse_all(exchange, Reason.NOT_A_USER)
        return None
    about, audience = NOTHING, exchange.config.get("LOGIN_AUDIENCE")
    if audience is not None or record.says_more(session, keys, user_id):
        about = record.read(session, keys, user_id)
        if about.audience != (None if audience is None else record.digest(audience)):
            refuse(exchange, Reason.OTHER_AUDIENCE)
            return None
    if not exchange.manager.is_same_client(exchange) and not _protect(exchange):
        return None
    return Claim(user_id, about)


def _lasting(exchange: Exchange, held: Claim) -> Claim | None:
    """Return *held* unless that login is past its limits; note in the session that it was seen."""
    session, keys, now = exchange.session, exchange.manager.keys, exchange.manager.clock()
    limits = lifetimes.limits_of(exchange.setting, False)
    times = lifetimes.read(session, keys)
    if times is None or lifetimes.is_over(*times, now, limits):
        refuse(exchange, Reason.EXPIRED, held.user_id)
        if not exchange.is_websocket:
            leave(exchange)
        return None
    if lifetimes.is_due(times[1], now, limits.idle) and not exchange.is_websocket:
        session[keys.times] = lifetimes.write(times[0], now)
    return held


def _is_held(user_id: object) -> bool:
    """Can *user_id* be that of a session?  (A text of any length: Flask-Login takes it, too.)"""
    return user_id != "" if type(user_id) is str else is_id(user_id)


def _protect(exchange: Exchange) -> bool:
    """Let session protection judge a login from another client; is it still one?"""
    session, keys = exchange.session, exchange.manager.keys
    mode = exchange.manager.protection_mode(exchange.app)
    verdict = judge(session, mode, exchange.setting("LOGIN_STRONG_DROPS_PERMANENT"))
    if verdict is Verdict.KEEP:
        return True
    user_id = session.get(keys.user_id)
    events.keep(exchange, session_protected, user_id)
    if verdict is Verdict.DROP:
        refuse_all(exchange, Reason.PROTECTED, user_id)
        return False
    exchange.identity.stale = True
    if session.get(keys.fresh) is not False and not exchange.is_websocket:
        session[keys.fresh] = False
    return True


def sent_as(exchange: Exchange) -> str | None:
    """Return the name that the request's remember cookie has: its own, its former one, that of
    another library, or None.
    """
    # A websocket cannot put ours in the place of another library's.
    adopted = None if exchange.is_websocket else exchange.manager.adopted
    return _sent_as(exchange.request.cookies, exchange.config, adopted)


def _sent_as(
    cookies: Mapping[str, str], config: Mapping[str, Any], adopted: QuartAuthCookie | None
) -> str | None:
    name = config.get("REMEMBER_COOKIE_NAME", COOKIE_NAME)
    if name in cookies:
        return name  # type: ignore[no-any-return]
    former = config.get("REMEMBER_COOKIE_FORMER_NAME")
    if former in cookies:
        return former
    return adopted.name if adopted is not None and adopted.name in cookies else None


def presented(
    exchange: Exchange, refuse: Callable[[Exchange, Reason], Any] | None = None
) -> Token | None:
    """Return the request's remember token, if it counts; else *refuse* it, if there is one."""
    name = sent_as(exchange)
    if name is None or exchange.identity.remember is remember.DELETE:
        return None
    if exchange.session.get(exchange.manager.keys.remember) == "clear":
        return None
    try:
        keys = keys_of(exchange.config)
    except ConfigurationError:
        return None  # No key, no credential. Logging in says what is missing.
    found = _read(exchange, name, keys)
    if isinstance(found, Token):
        if remembers(exchange):
            return found
        found = Reason.EXPIRED
    if refuse is not None:
        refuse(exchange, found)
    return None


def _read(exchange: Exchange, name: str, keys: Keys) -> Token | Reason:
    """Return the token that the cookie *name* is, or why it is none."""
    text, now = exchange.request.cookies[name], exchange.manager.clock()
    adopted = exchange.manager.adopted
    if adopted is not None and name == adopted.name:
        return adopted.read(text, keys, now)
    return remember.read(text, keys, exchange.setting, now)


def outlives(exchange: Exchange, token: Token) -> bool:
    """May the login that *token* brings outlive the browser, as *token* itself perhaps did?"""
    adopted = exchange.manager.adopted
    return not token.foreign or (adopted is not None and adopted.remember)


def remembers(exchange: Exchange) -> bool:
    """Do the settings let a login outlive the browser?"""
    if exchange.config.get("LOGIN_ASSURANCE_LEVEL") is None:
        return True
    return lifetimes.limits_of(exchange.setting, exchange.manager.sessions is not None).remembers


# --- refusals ------------------------------------------------------------------------------------


def refuse(exchange: Exchange, reason: Reason, user_id: Any = None) -> None:
    """Tell that a credential was refused; *user_id* is whose it was, if that is proven."""
    if exchange.identity.reason is None:  # the first is that of the credential that is asked first
        exchange.identity.reason = reason
    if reason is Reason.USER_MISMATCH:
        events.keep(exchange, identity_mismatch, user_id, reason=reason)
    events.keep(exchange, credential_rejected, user_id, reason=reason)


def refuse_cookie(exchange: Exchange, reason: Reason, user_id: Any = None) -> None:
    """Refuse the remember cookie, and remove it from the browser."""
    exchange.identity.remember = remember.DELETE
    refuse(exchange, reason, user_id)


def refuse_all(exchange: Exchange, reason: Reason, user_id: Any = None) -> None:
    """Refuse whatever the request brought, and remove it from the browser."""
    if sent_as(exchange) is not None:
        exchange.identity.remember = remember.DELETE
    if not exchange.is_websocket:
        leave(exchange)
    refuse(exchange, reason, user_id)


def leave(exchange: Exchange) -> None:
    """Take the login out of the session, and the user's data as far as the settings say."""
    identity, key = exchange.identity, exchange.manager.keys.proof
    identity.asked = True  # The response takes the login from the browser.
    identity.left = exchange.session.get(key, identity.left)
    carryover.leave(
        exchange.session,
        exchange.manager.keys,
        exchange.setting("LOGIN_CLEAR_SESSION_ON_LOGOUT"),
        exchange.kept_keys(),
    )
