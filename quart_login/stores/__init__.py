"""Where are login sessions kept?

A login session is one login of one user on one device.  A store keeps a `LoginSession` for each; it
decides nothing: what a record means, and when one is over, is the core's.  Whoever writes a store
follows the rules of `Store`, and runs `quart_login.stores.contract` on it.
"""

from .._core.store import Listener, LoginSession, SessionId, Store, WatchedStore, new_id

__all__ = ["Listener", "LoginSession", "SessionId", "Store", "WatchedStore", "new_id"]
