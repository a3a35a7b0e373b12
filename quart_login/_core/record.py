"""What does a session tell of its login beyond Flask-Login's keys?

One short text, since every request reads the session: the time the login is fresh since, for how
long the user wants to be remembered, whether an inactive user was forced in, digests of the user's
session epoch and of the audience, and last the user's id.  It counts only while that is the
session's user: Flask-Login, sharing the session, may log another one in and leaves the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from typing import Any, Final, NamedTuple

from .settings import SessionKeys
from .users import UserId

#: In place of seconds: as long as the settings say.
AS_SET: Final = -1

#: A time of more digits is none.
_DIGITS: Final = 15

#: Begins the record that a logout leaves: whose data are still in the session.
_WAS: Final = "was|"


class Record(NamedTuple):
    """What a session tells of its login."""

    #: Since when the login is fresh, in seconds since 1970; None if it is not.
    fresh_since: int | None = None
    #: Was an inactive user logged in by force?
    forced: bool = False
    #: For how many seconds the user wants to be remembered, or `AS_SET`; None if not at all.
    remembered: float | None = None
    #: The digest of the user's session epoch.
    epoch: str | None = None
    #: The digest of the audience that the login was made for.
    audience: str | None = None

    def __repr__(self) -> str:
        return "<Record>"


NOTHING: Final = Record()


@lru_cache(maxsize=64)
def digest(text: str) -> str:
    """Return 128 bits that stand for *text*."""
    return sha256(f"quart-login.record|{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def from_token(seconds: float | None) -> float:
    """Return the record's word for the *seconds* of a remember token."""
    return AS_SET if seconds is None else seconds


def for_token(remembered: float) -> float | None:
    """Return the seconds that a remember token names where the record says *remembered*."""
    return None if remembered < 0 else remembered


def write(record: Record, user_id: UserId) -> str:
    """Return *record* of the login of *user_id* as text."""
    fields = (
        record.fresh_since,
        record.remembered,
        "f" if record.forced else None,
        record.epoch,
        record.audience,
        user_id,
    )
    return "|".join(["" if field is None else str(field) for field in fields])


def read(session: Mapping[str, Any], keys: SessionKeys, user_id: UserId) -> Record:
    """Return what *session* tells of the login of *user_id*; nothing if it speaks of another."""
    fields = _fields(session, keys)
    if fields is None or fields[5] != str(user_id):
        return NOTHING
    since, remembered, forced, epoch, audience, _ = fields
    try:
        return Record(
            _whole(since) if since else None,
            forced == "f",
            _finite(remembered) if remembered else None,
            epoch or None,
            audience or None,
        )
    except ValueError:  # an application's own value under this key
        return NOTHING


def says_more(session: Mapping[str, Any], keys: SessionKeys, user_id: UserId) -> bool:
    """Does the record tell more than two times: since when the login is fresh, and for how long it
    is remembered?  (Mostly it does not, and every request asks.)
    """
    text = session.get(keys.record)
    return isinstance(text, str) and text.split("|", 2)[-1] != f"|||{user_id}"


def _fields(session: Mapping[str, Any], keys: SessionKeys) -> list[str] | None:
    text = session.get(keys.record)
    if not isinstance(text, str):
        return None
    fields = text.split("|", 5)
    return fields if len(fields) == 6 else None


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(text)
    return int(text)


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(text)
    return number


def speaks_of(session: Mapping[str, Any], keys: SessionKeys) -> str | None:
    """Return the id, as text, of the user whom the record in *session* names."""
    fields = _fields(session, keys)
    return None if fields is None else fields[5]


def farewell(mark: str) -> str:
    """Return the record that a logout leaves with the data of the user of *mark*."""
    return _WAS + mark


def left_by(session: Mapping[str, Any], keys: SessionKeys) -> str | None:
    """Return the mark of the user whose data a logout left in *session*."""
    text = session.get(keys.record)
    return text[len(_WAS) :] if isinstance(text, str) and text.startswith(_WAS) else None
