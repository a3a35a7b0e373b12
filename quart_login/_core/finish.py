"""What must the response carry to the browser?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import remember
from .exchange import Exchange
from .load import authenticated, presented, record_of, touch
from .remember import DELETE, Change
from .tokens import Token, keys_of
from .users import is_id, same_id


async def finish(exchange: Exchange, response: Any) -> None:
    """Let *response* carry what this request decided."""
    identity = exchange.identity
    while identity.late:
        await exchange.call(identity.late.pop(0))
    change = _change(exchange)
    if change is not None:
        touch(exchange.session)
        remember.apply(change, response, exchange.setting)
    identity.closed = True


def _change(exchange: Exchange) -> Change | None:
    """Decide what the response does to the remember cookie."""
    session, keys = exchange.session, exchange.manager.keys
    # Flask-Login's dependants wish through the session; ours is with the request.
    wish = session.pop(keys.remember) if keys.remember in session else None
    if exchange.identity.remember is not None:
        return exchange.identity.remember
    if wish == "clear":
        return DELETE
    if wish == "set":
        return _issue(exchange, Token(session.get(keys.user_id, "")))
    if exchange.setting("REMEMBER_COOKIE_REFRESH_EACH_REQUEST"):
        return _refresh(exchange)
    return None


def _refresh(exchange: Exchange) -> Change | None:
    """Begin the remember cookie's time anew, for a user who is logged in and asked for one.

    Flask-Login 0.6.3 gives one to everybody who is logged in, asked for or not.
    """
    if not authenticated(exchange):
        return None
    user_id = exchange.session.get(exchange.manager.keys.user_id, "")
    token = presented(exchange)
    if token is not None and same_id(token.user_id, user_id):
        return _issue(exchange, replace(token, issued=None))
    record = record_of(exchange)
    if "r" not in record:
        return None
    # The cookie's path or domain may keep it from this request.
    return _issue(exchange, Token(user_id, seconds=record["r"] or None, epoch=record.get("e")))


def _issue(exchange: Exchange, token: Token) -> Change | None:
    if not is_id(token.user_id):
        return None
    keys = keys_of(exchange.app.config)
    return remember.issue(token, keys, exchange.setting, exchange.manager.clock())
