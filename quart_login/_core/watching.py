"""How does a process hear of login sessions that another one ended?

A store that has nothing of this is asked, each second, for each login session that something is
open of: `Store.get`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .exchange import Exchange
from .held import due
from .store import Listener, LoginSession, SessionId, Store


async def lasting(
    exchange: Exchange, store: Store, ids: Collection[SessionId]
) -> Mapping[SessionId, float]:
    """Return which of *ids* there are, and until when; see `WatchedStore.alive`."""
    alive = getattr(store, "alive", None)
    if alive is not None:
        found: Mapping[SessionId, float] = await alive(exchange, ids)
        return found
    sessions: list[LoginSession | None] = [await store.get(exchange, id) for id in ids]
    return {one.id: due(one) for one in sessions if one is not None}


def listener_of(store: Store) -> Listener | None:
    """Return what hears of sessions that end, or None."""
    listener = getattr(store, "listener", None)
    found: Listener | None = None if listener is None else listener()
    return found
