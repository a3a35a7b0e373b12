"""What is done from a terminal, outside of requests, for a user who was named there?

Rule 1.  To see and end login sessions, the user need not exist any more: nobody asks the loader.
Rule 2.  What visitors chose, a browser's name above all, reaches no terminal with its control
         characters, nor with those that turn the direction of writing.
Rule 3.  An operator waits longer for a store than a visitor does.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from .errors import ConfigurationError
from .exchange import Exchange
from .listing import ListedSession, revoke_session
from .store import SessionId
from .users import UserId

T = TypeVar("T")

#: Seconds for which the store is waited for.
PATIENCE: Final = 10.0

#: The heads of the columns of `row`.
HEAD: Final = ("Id", "Created", "Last seen", "Expires", "Method", "Address", "Agent", "Remembered")

#: As many characters of a browser's name are in the table; all are in the JSON.
_AGENT: Final = 60

#: The last second that a date can name: the end of the year 9999.
_LAST: Final = 253402300799


async def find_user(exchange: Exchange, ids: Sequence[UserId]) -> Any:
    """Return the first user whom the user loader returns for one of *ids*, or None."""
    loader = exchange.manager.user_callback
    if loader is None:
        raise ConfigurationError("There is no user_loader to ask for a user.")
    for id in ids:
        user = await exchange.call(loader, id)
        if user is not None:
            return user
    return None


async def patiently(
    exchange: Exchange, work: Callable[..., Coroutine[Any, Any, T]], *args: Any
) -> T:
    """Return what ``work(exchange, *args)`` does, with more time for the store (Rule 3)."""
    config: Any = exchange.config  # which nobody writes to
    exchange.config = ChainMap({"LOGIN_STORE_TIMEOUT": PATIENCE}, config)
    return await work(exchange, *args)


async def end(exchange: Exchange, user: UserId, ids: Sequence[SessionId]) -> list[SessionId]:
    """End the login sessions *ids* of *user*; return those of *ids* that the user has not."""
    return [id for id in ids if not await revoke_session(exchange, id, user)]


def row(one: ListedSession) -> tuple[str, ...]:
    """Return what the table says of the login session *one*."""
    cells = (
        one.id,
        *(_moment(time) for time in (one.created, one.seen, one.expires)),
        one.method,
        one.address,
        _cut(one.agent),
        "yes" if one.remembered else "no",
    )
    return tuple(map(shown, cells))


def as_dict(one: ListedSession) -> dict[str, Any]:
    """Return *one* as JSON can hold it, with times in seconds since 1970."""
    fields = asdict(one)
    del fields["current"]  # A terminal came by none of them.
    return fields


def shown(text: str) -> str:
    """Return *text* in a form that does nothing to a terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _moment(time: float) -> str:
    """Return *time* as a date (UTC)."""
    return datetime.fromtimestamp(min(max(time, 0), _LAST), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cut(text: str) -> str:
    return text if len(text) <= _AGENT else text[: _AGENT - 3] + "..."
