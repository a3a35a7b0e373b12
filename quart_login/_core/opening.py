"""What does a login leave in the session?"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from .exchange import Exchange
from .record import Record, digest, write
from .settings import SessionKeys
from .users import UserId, checked_id, epoch_of


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
    audience = exchange.setting("LOGIN_AUDIENCE")
    record = Record(
        int(manager.clock() if now is None else now) if fresh else None,
        forced,
        remembered,
        epoch_of(user),
        None if audience is None else digest(audience),
    )
    return {
        keys.user_id: user_id,
        keys.fresh: fresh,
        keys.id: manager.identifier(exchange),
        keys.record: write(record, user_id),
    }


def close(session: MutableMapping[str, Any], keys: SessionKeys) -> None:
    """Take out of *session* what `login_keys` put there."""
    for key in (keys.user_id, keys.fresh, keys.id, keys.record):
        session.pop(key, None)


def client_keys(exchange: Exchange, user: Any, fresh: bool) -> dict[str, Any]:
    """Return what the session of a test client that is logged in as *user* holds."""
    user_id = checked_id(user, exchange.manager.id_attribute)
    keys = exchange.manager.keys
    if not exchange.setting("LOGIN_TEST_CLIENT_IDENTIFIED"):
        return {keys.user_id: user_id, keys.fresh: fresh}
    return login_keys(exchange, user_id, user, fresh=fresh)
