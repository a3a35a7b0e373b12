"""How does a test's browser begin as somebody, where login sessions are kept?

As in `kit`; with a login session in the store, since without one nobody is logged in there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import sessions
from .errors import LoginError
from .exchange import Exchange
from .kit import Opened, opened
from .opening import client_keys
from .record import AS_SET
from .settings import seconds
from .users import checked_id, unwrap


async def begin(
    exchange: Exchange, user: Any, fresh: bool, remembered: bool, age: timedelta | float
) -> Opened:
    """Return what a browser holds that logged in as *user*, *age* (a `timedelta` or seconds) ago.

    Raises `UnusableUser` if *user* has no id that can be kept, and `LoginError` if the user has as
    many logins as may be.
    """
    held = opened(exchange, user, fresh, remembered, age)
    if exchange.manager.sessions is None:
        return held
    then = exchange.manager.clock() - seconds(age, "age", float)
    life = AS_SET if remembered else None
    found = await _open(exchange, unwrap(user), fresh, life, then)
    token = None if found.change is None else found.change.value
    return Opened({**held.session, exchange.manager.keys.proof: found.proof}, token)


async def client_session(exchange: Exchange, user: Any, fresh: bool) -> dict[str, Any]:
    """Return what the session of a test client that is logged in as *user* holds."""
    held = client_keys(exchange, user, fresh)
    if exchange.manager.sessions is None:
        return held
    found = await _open(exchange, user, fresh, None, exchange.manager.clock())
    return {**held, exchange.manager.keys.proof: found.proof}


async def _open(
    exchange: Exchange, user: Any, fresh: bool, remembered: float | None, then: float
) -> sessions.Opened:
    user_id = checked_id(user, exchange.manager.id_attribute)
    method = "password" if fresh else ""
    found = await sessions.open_session(
        exchange, user, user_id, fresh=fresh, remembered=remembered, method=method, now=then
    )
    if found is None:
        raise LoginError("This user has LOGIN_MAX_SESSIONS logins already.")
    await sessions.leave_former(exchange, found)
    return found
