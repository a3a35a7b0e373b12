"""What does a login leave in the session?"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from . import carryover, lifetimes
from .exchange import Exchange
from .record import AS_SET, Record, digest, write
from .settings import SessionKeys
from .users import UserId, checked_id, epoch_of

if TYPE_CHECKING:
    from .sessions import Opened


def login_keys(
    exchange: Exchange,
    user_id: UserId,
    user: Any,
    *,
    fresh: bool = False,
    forced: bool = False,
    remembered: float | None = None,
    now: float | None = None,
) -> dict[str, Any]:
    """Return what the session keeps of the login of *user*, made at *now* or this moment."""
    manager, keys = exchange.manager, exchange.manager.keys
    audience = exchange.config.get("LOGIN_AUDIENCE")
    record = Record(
        int(manager.clock() if now is None else now) if fresh else None,
        forced,
        remembered,
        epoch_of(user),
        None if audience is None else digest(audience),
    )
    opened = {
        keys.user_id: user_id,
        keys.fresh: fresh,
        keys.id: manager.identifier(exchange),
        keys.record: write(record, user_id),
    }
    if manager.sessions is None and lifetimes.are_set(exchange.config):
        begun = manager.clock() if now is None else now
        opened[keys.times] = lifetimes.write(begun, begun)
    return opened


def close(session: MutableMapping[str, Any], keys: SessionKeys) -> None:
    """Take out of *session* what `login_keys` put there."""
    for key in (keys.user_id, keys.fresh, keys.id, keys.record, keys.proof, keys.times):
        session.pop(key, None)


def put_in(exchange: Exchange, opened: Opened, user: Any, user_id: UserId) -> None:
    """Let the browser have the login session that its remember cookie *opened*."""
    identity, session, keys = exchange.identity, exchange.session, exchange.manager.keys
    carryover.take_over(session, keys, user_id, exchange.kept_keys(), exchange.others())
    session.update(login_keys(exchange, user_id, user, remembered=AS_SET))
    session[keys.proof] = opened.proof
    identity.login_session = opened.login
    identity.remember = opened.change


def stand_beside(exchange: Exchange, whose: str | None) -> None:
    """Show this request none but the data of the mark *whose*, and let it write no login."""
    if exchange.is_websocket:
        return
    exchange.identity.beside = True
    hide(exchange, whose)


def hide(exchange: Exchange, whose: str | None) -> None:
    """Show this request none but the data of the mark *whose*, until the response."""
    identity, session, kept = exchange.identity, exchange.session, exchange.kept_keys()
    identity.shown = carryover.shown(session, kept)
    identity.hidden = carryover.hide(session, exchange.manager.keys, whose, kept, exchange.others())


def client_keys(exchange: Exchange, user: Any, fresh: bool) -> dict[str, Any]:
    """Return what the session of a test client that is logged in as *user* holds."""
    user_id = checked_id(user, exchange.manager.id_attribute)
    keys = exchange.manager.keys
    if not exchange.setting("LOGIN_TEST_CLIENT_IDENTIFIED"):
        return {keys.user_id: user_id, keys.fresh: fresh}
    return login_keys(exchange, user_id, user, fresh=fresh)
