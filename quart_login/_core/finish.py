"""What must the response carry to the browser?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import carryover, record, remember, site_data
from .claim import leave, presented
from .exchange import Exchange
from .identity import Identity
from .load import authenticated, mark_owner, touch
from .registered import is_late
from .remember import DELETE, Change
from .settings import SessionKeys
from .tokens import Token, keys_of
from .users import UserId, epoch_of, id_of, is_id, same_id


def is_due(
    identity: Identity, session: Mapping[str, Any], keys: SessionKeys, config: Mapping[str, Any]
) -> bool:
    """Has the response anything to carry, or could it have?  (Asked without an exchange: mostly
    it has not.)
    """
    return (
        identity.remember is not None
        or identity.late is not None
        or identity.by_request
        or identity.by_header
        or identity.beside
        or identity.logged_out
        or keys.remember in session
        or bool(config.get("REMEMBER_COOKIE_REFRESH_EACH_REQUEST"))
    )


async def finish(exchange: Exchange, response: Any) -> None:
    """Let *response* carry what this request decided."""
    await tell_late(exchange)
    identity = exchange.identity
    if (identity.by_header or identity.beside) and not identity.logged_out:
        _leave_session_alone(exchange)
    if is_late(exchange):
        leave(exchange)
        identity.remember = None
    # (What was hidden is in the session again by now, and is another's.)
    if (identity.by_request or identity.beside) and identity.hidden is None:
        mark_owner(exchange)
    change = _change(exchange)
    if change is not None:
        # Not with each cookie that is only refreshed: one that did not come is most likely gone.
        decided = identity.remember is not None or change is DELETE
        exchange.identity.remember = change
        touch(exchange.session)
        remember.apply(change, response, exchange.setting)
        adopted = exchange.manager.adopted
        if adopted is not None and (decided or adopted.name in exchange.request.cookies):
            adopted.remove(response)
    if exchange.identity.logged_out:
        # Another's hook, which ran before this one, may have removed what the logout left.
        carryover.forget(exchange.session, exchange.manager.keys)
        site_data.clear(response, exchange.setting("LOGIN_CLEAR_SITE_DATA"), exchange.request)


def _leave_session_alone(exchange: Exchange) -> None:
    """Let the framework write no session that came beside a header which named the user."""
    session, hidden = exchange.session, exchange.identity.hidden
    if hidden is not None:
        carryover.put_back(session, hidden, exchange.kept_keys(), exchange.identity.shown or {})
    if not getattr(session, "modified", True) and "_permanent" in session:
        # The framework would renew a permanent session with each request.
        del session["_permanent"]
        session.modified = False  # type: ignore[attr-defined]


async def tell_late(exchange: Exchange) -> None:
    """Call the coroutine receivers of a signal that was sent where nothing could wait."""
    while exchange.identity.late:
        await exchange.call(exchange.identity.late.pop(0))


def _change(exchange: Exchange) -> Change | None:
    """Decide what the response does to the remember cookie."""
    session, keys = exchange.session, exchange.manager.keys
    if exchange.identity.by_header and exchange.identity.remember is None:
        return None  # Whatever cookies came along were not looked at.
    # Flask-Login's dependants wish through the session; ours is with the request.
    wish = session.pop(keys.remember) if keys.remember in session else None
    decided = exchange.identity.remember
    if decided is not None:
        # A view that clears the session after a login takes the login back.
        held = session.get(keys.user_id)
        taken_back = decided is not DELETE and not same_id(decided.user_id, held)
        return None if taken_back else decided
    if wish == "clear":
        return DELETE
    if exchange.manager.sessions is not None:
        return None  # There, the login alone sets it: what it holds is known to the store.
    if wish == "set":
        return _issue(exchange, _user_id(exchange), record.AS_SET)
    if exchange.setting("REMEMBER_COOKIE_REFRESH_EACH_REQUEST"):
        return _refresh(exchange)
    return None


def _user_id(exchange: Exchange) -> UserId | None:
    """Return the id of the user, if it is the session's login that brought them here."""
    if not authenticated(exchange) or exchange.identity.by_request:
        return None
    held = exchange.session.get(exchange.manager.keys.user_id)
    user_id = id_of(exchange.identity.user, exchange.manager.id_attribute)
    return user_id if same_id(held, user_id) else None


def _refresh(exchange: Exchange) -> Change | None:
    """Begin the remember cookie's time anew, for a user who is logged in and asked for one.

    Flask-Login 0.6.3 gives one to everybody who is logged in, asked for or not.
    """
    user_id = _user_id(exchange)
    if user_id is None:
        return None
    about = record.read(exchange.session, exchange.manager.keys, user_id)
    token = presented(exchange)
    if token is not None and same_id(token.user_id, user_id):
        if remember.superseded(token, exchange.identity.user):
            return DELETE
        said = record.from_token(token.seconds)
        return _issue(exchange, user_id, said if about.remembered is None else about.remembered)
    # The cookie's path or domain may keep it from this request.
    return _issue(exchange, user_id, about.remembered)


def _issue(exchange: Exchange, user_id: UserId | None, remembered: float | None) -> Change | None:
    if user_id is None or remembered is None or not is_id(user_id):
        return None
    seconds = record.for_token(remembered)
    token = Token(user_id, seconds=seconds, epoch=epoch_of(exchange.identity.user))
    keys = keys_of(exchange.config)
    return remember.issue(token, keys, exchange.setting, exchange.manager.clock())
