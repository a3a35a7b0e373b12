"""What does the store of login sessions say?

Nothing unknown is made up: a store that fails, or does not answer in time, is `StoreUnavailable`,
and nobody is logged in by that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .errors import ConfigurationError, StoreUnavailable
from .exchange import Exchange
from .lifetimes import Limits, limits_of
from .store import Store
from .subjects import spellings, subject
from .users import UserId

#: How often a change is tried anew where others change the same login at the same time.
ATTEMPTS: Final = 20


def store_of(exchange: Exchange) -> Store:
    """Return where login sessions are kept.  Raises `ConfigurationError` if they are not."""
    store = exchange.manager.sessions
    if store is None:
        raise ConfigurationError(
            "Login sessions can be listed and ended where they are kept: give the LoginManager a"
            " store, as in LoginManager(app, sessions=SQLiteStore('sessions.db'))."
        )
    return store


async def ask(exchange: Exchange, method: str, *args: Any, **options: Any) -> Any:
    """Return what the store says.  Raises `StoreUnavailable` if it fails, or takes too long."""
    call: Callable[..., Any] = getattr(store_of(exchange), method)
    try:
        return await exchange.ask(call, *args, **options)
    except Exception as error:
        raise StoreUnavailable from error


async def ask_long(exchange: Exchange, method: str, *args: Any) -> Any:
    """Return what the store says, however long that takes: for what no request waits for.

    Raises `StoreUnavailable` if it fails, and `ConfigurationError` if it never will work.
    """
    call: Callable[..., Any] = getattr(store_of(exchange), method)
    exchange = exchange.for_store()
    try:
        return await call(exchange, *args)
    except ConfigurationError:
        raise
    except Exception as error:
        raise StoreUnavailable from error


def limits(exchange: Exchange) -> Limits:
    """Return how long logins last."""
    return limits_of(exchange.setting, exchange.manager.sessions is not None)


def subject_of(exchange: Exchange, user_id: UserId) -> str:
    """Return by which name the store knows the user *user_id*."""
    return subject(user_id, exchange.manager.realm)


def subjects_of(exchange: Exchange, user_id: UserId) -> list[str]:
    """Return by which names the store may know the user *user_id*, the likeliest first."""
    return [subject(one, exchange.manager.realm) for one in spellings(user_id)]
