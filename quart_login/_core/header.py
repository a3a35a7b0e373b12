"""Whom does the ``Authorization`` header name?

Rule 1.  A header that is for us decides alone, whatever cookies came with it: a bearer token of our
         own shape, and any username and password where `LoginManager.verify_password` is used, but
         for those of a view with `basic_auth_required`: that asks for its own.  If it is refused,
         the request is nobody's.
Rule 2.  A header that is not for us is left to the request loader.  Where there is none, and
         nobody is logged in by cookies, a bearer token is a rejected credential.
Rule 3.  One user is loaded, by one call: of the user loader, or of what verifies the password.  The
         user passes the same tests as any.
Rule 4.  Nothing is written for the browser: no session, no cookie.  A session that came along and
         holds another user's data is not shown to the view, and stays in the browser as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from . import authorization, basic, bearer, carryover, events
from .claim import refuse
from .errors import ConfigurationError
from .exchange import Exchange
from .opening import hide
from .realms import managers_of
from .reasons import Reason
from .signals import user_loaded_from_request
from .tokens import keys_of
from .users import id_of, is_id, objection

#: How a header finds out who made the request.
Way = Callable[[Exchange, str], Coroutine[Any, Any, None]]


async def by_header(exchange: Exchange, sent: str) -> bool:
    """Bind the user whom the header *sent* names, or nobody.  Return False if it is not for us."""
    way = _way(exchange, sent)
    if way is None:
        return False
    exchange.identity.by_header = True
    try:
        await way(exchange, sent)
    finally:
        _hide_session(exchange)
    return True


def _way(exchange: Exchange, sent: str) -> Way | None:
    """Return who answers for the header *sent*, and note in which scheme it came."""
    manager, identity = exchange.manager, exchange.identity
    if manager.verify_callback is not None and authorization.is_basic(sent):
        if basic.is_for_the_view(exchange.app, exchange.request):
            return None
        identity.scheme = "basic"
        return _by_password
    if not authorization.is_token(sent) or not exchange.setting("LOGIN_BEARER_TOKENS"):
        return None
    if manager.user_callback is None or _is_of_another_realm(exchange, sent):
        return None
    identity.scheme = "bearer"
    return _by_token


async def _by_token(exchange: Exchange, sent: str) -> None:
    """Bind the user of the token, or nobody."""
    token = _read(exchange, sent)
    if isinstance(token, Reason):
        _decide(exchange, None, token)
        return
    loader = exchange.manager.user_callback
    assert loader is not None
    user: Any = await exchange.call_loader(loader, token.user_id)
    reason = objection(user, exchange.manager.id_attribute, token.user_id)
    if reason is None and bearer.superseded(token, user):
        reason = Reason.EPOCH_CHANGED
    _decide(exchange, user, reason, token.user_id)


async def _by_password(exchange: Exchange, sent: str) -> None:
    """Bind the user whose password was sent, or nobody."""
    pair = basic.read(sent)
    if pair is None:
        _decide(exchange, None, Reason.MALFORMED)
        return
    verify = exchange.manager.verify_callback
    assert verify is not None
    user: Any = await exchange.call_loader(verify, pair.username, pair.password)
    reason = Reason.WRONG_PASSWORD if user is None else None
    id_attribute = exchange.manager.id_attribute
    reason = reason or objection(user, id_attribute)
    if reason is None and not is_id(id_of(user, id_attribute)):
        reason = Reason.NOT_A_USER
    _decide(exchange, user, reason)


def _decide(exchange: Exchange, user: Any, reason: Reason | None, user_id: Any = None) -> None:
    """Bind *user*, or nobody for *reason*; *user_id* is whose the credential is proven to be."""
    identity = exchange.identity
    if identity.loaded:
        return  # Meanwhile another task of this request logged somebody in: that stands.
    if reason is None:
        identity.by_request = True
        identity.source = "token" if identity.scheme == "bearer" else "password"
        events.keep(exchange, user_loaded_from_request, user=user)
    else:
        identity.refused = reason
        refuse(exchange, reason, user_id)
    exchange.bind(user if reason is None else None)


def _read(exchange: Exchange, sent: str) -> bearer.Bearer | Reason:
    """Return the token that was *sent*, or why it is none."""
    credentials = authorization.parse(sent)
    if credentials is None:
        return Reason.MALFORMED
    try:
        keys = keys_of(exchange.config)
    except ConfigurationError:
        return Reason.BAD_SIGNATURE  # No key, no credential.  Issuing one says what is missing.
    audience, now = exchange.setting("LOGIN_AUDIENCE"), exchange.manager.clock()
    return bearer.read(credentials.token, keys, audience, now)


def _is_of_another_realm(exchange: Exchange, sent: str) -> bool:
    """Was the token issued by another manager of this application?"""
    managers = managers_of(exchange.app)
    credentials = authorization.parse(sent) if len(managers) > 1 else None
    if credentials is None or not exchange.config.get("SECRET_KEY"):
        return False
    return any(
        bearer.is_issued_by(manager, exchange.app, credentials.token)
        for manager in managers.values()
        if manager is not exchange.manager
    )


def _hide_session(exchange: Exchange) -> None:
    """Keep what another user left in the session from who looks at it in this request."""
    identity = exchange.identity
    if not identity.by_header:
        return  # Meanwhile somebody logged in.
    whose = None
    if identity.by_request:
        user_id = id_of(identity.user, exchange.manager.id_attribute)
        whose = carryover.mark(user_id) if is_id(user_id) else None
    hide(exchange, whose)


def turn_away(exchange: Exchange, sent: str) -> None:
    """Refuse the header *sent* if it is a bearer token: nobody here knows whose it is."""
    if not exchange.setting("LOGIN_BEARER_TOKENS") or not authorization.is_bearer(sent):
        return
    well_formed = authorization.parse(sent) is not None
    reason = Reason.BAD_SIGNATURE if well_formed else Reason.MALFORMED
    if "text/html" not in exchange.request.headers.get("Accept", "").lower():
        # (A browser's token is its proxy's, and whoever sits there wants the login page.)
        exchange.identity.scheme, exchange.identity.refused = "bearer", reason
    if not _is_of_another_realm(exchange, sent):  # that is nothing here, and good elsewhere
        refuse(exchange, reason)
