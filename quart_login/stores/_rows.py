"""How is a login session written as a row, and what do all stores decide alike?

Rule 1.  A row is read exactly or not at all: what has a wrong type, or a time that is no number, is
         `UnreadableRecord`.
Rule 2.  A session is over *past* `LoginSession.expires`, or *past* ``seen + idle``; at that very
         time it is not.  Each store adds and compares in this way, so that rounding is the same.
Rule 3.  A row has one column more, ``due``: the session is not over before that time.  `touch`
         leaves it alone; `purge` looks only at rows that are due, and sets it anew for those that
         are not over yet.  So no request pays for an index, and no purge reads the whole table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import product
from math import isfinite
from operator import itemgetter
from typing import Any, Final

from .._core.held import due
from . import LoginSession

#: The columns of a row, in the order of `LoginSession`.
COLUMNS: Final = tuple(field.name for field in fields(LoginSession))

#: How many sessions `purge` removes at a time, so that nobody waits for it longer than the core
#: waits for a store.
AT_A_TIME: Final = 500

#: What a row may have in a field of a type.
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "SessionId": (str,),
    "str": (str,),
    "str | None": (str, type(None)),
    "float": (float,),
    "float | None": (float, type(None)),
    "int": (int,),
    "bool": (bool, int),
}

#: What the types of a row may be.
_SHAPES: Final = frozenset(product(*(_TYPES[str(item.type)] for item in fields(LoginSession))))
_times_of: Final = itemgetter(
    *(number for number, item in enumerate(fields(LoginSession)) if "float" in str(item.type))
)
_BOOLEANS: Final = {0: False, 1: True}
#: What the types may be of the columns that say when a session is over.
_ENDS: Final = {(str, float, float, kind) for kind in (float, type(None))}

#: These columns.
ENDS: Final = ("id", "expires", "seen", "idle")


class UnreadableRecord(ValueError):
    """What a store keeps under this id is no login session."""


def row_of(session: LoginSession) -> tuple[Any, ...]:
    """Return *session* as a row, without ``due``."""
    row = tuple(getattr(session, name) for name in COLUMNS)
    if not _are_numbers(row):
        raise ValueError("a login session has a time that is no finite number")
    return row


def read(row: Sequence[Any]) -> LoginSession:
    """Return the session that *row* is.  Raises `UnreadableRecord`, which names no value of it."""
    if tuple(map(type, row)) not in _SHAPES or not _are_numbers(row) or row[-1] not in _BOOLEANS:
        raise UnreadableRecord("the store holds a login session that cannot be read")
    values: Any = (*row[:-1], _BOOLEANS[row[-1]])
    return LoginSession(*values)


def readable(rows: Iterable[Sequence[Any]]) -> list[LoginSession]:
    """Return the sessions that *rows* are, the last seen first, without what cannot be read.

    For those who end sessions, or count them: what nobody can read logs nobody in, and must not
    keep the others of its user alive.
    """
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UnreadableRecord:
            continue
    return last_seen_first(found)


def _are_numbers(row: Sequence[Any]) -> bool:
    # Nothing is later than NaN, so a session that ends then would not end.  A sum with one is one.
    return isfinite(sum(filter(None, _times_of(row))))


def last_seen_first(sessions: Iterable[LoginSession]) -> list[LoginSession]:
    """Return *sessions* in the order of `Store.list`."""
    return sorted(sessions, key=lambda one: (one.seen, one.created, one.id), reverse=True)


def lasting(rows: Iterable[Sequence[Any]]) -> dict[str, float]:
    """Return until when the sessions last of whose rows there are ``id, expires, seen, idle``;
    those alone that can be read.
    """
    found = {}
    for id, expires, seen, idle in rows:
        kinds = (type(id), type(expires), type(seen), type(idle))
        if kinds in _ENDS and isfinite(expires + seen + (idle or 0)):
            found[id] = expires if idle is None else min(expires, seen + idle)
    return found


def is_over(session: LoginSession, now: float) -> bool:
    """Is *session* past its end, or was it idle for too long?"""
    return now > due(session)


def make_room(
    sessions: Iterable[LoginSession], now: float, limit: int, evict: bool
) -> list[LoginSession] | None:
    """Return which of a user's *sessions*, the last seen first, make room for one more.

    None if there is no room, and none of them may be ended.
    """
    if limit < 1:
        raise ValueError("limit must be 1 or more: the new session counts, too")
    alive = [one for one in sessions if not is_over(one, now)]
    if len(alive) >= limit and not evict:
        return None
    return alive[limit - 1 :]


def parts(ids: Iterable[Any]) -> Iterator[Sequence[Any]]:
    """Return *ids* in parts that one statement has room for."""
    all_ids = list(ids)
    for start in range(0, len(all_ids), AT_A_TIME):
        yield all_ids[start : start + AT_A_TIME]


def check_succession(old: LoginSession, new: LoginSession) -> None:
    """Raise `ValueError` unless *new* may take the place of *old*."""
    if (new.id, new.user_id, new.version) != (old.id, old.user_id, old.version + 1):
        raise ValueError("a swap keeps the id and the user id, and adds 1 to the version")
