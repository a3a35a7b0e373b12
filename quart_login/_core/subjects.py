"""By which name does a store know a user?

Rule 1.  By the user's id, as text; most are just that.  Two ids that differ have two names, also
         ``7`` and ``"7"``, and the id comes back with its value and type.  Those two are one user,
         though: who looks for logins, or ends them, means both names.
Rule 2.  The users of another realm are other users: their names begin with it.
Rule 3.  A name has no NUL, which PostgreSQL cannot keep, and begins with no ``!``: such names are
         of notes about users (see `moving`).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

from .users import UserId, is_id

#: Begins the name of a user of a realm, whose own name follows, and the same once more.
_REALM: Final = "~"
#: Begins the name of a user whose id is an int.
_INT: Final = "#"
#: Begins the name of a user whose id begins like one of these, or with a note's mark.
_PLAIN: Final = "="
#: Begins the name of a user whose id has a NUL.
_QUOTED: Final = "%"

#: Begins what is no user's name: that of the notes about one.
NOTES: Final = "!"

_MARKS: Final = (_REALM, _INT, _PLAIN, _QUOTED, NOTES)

#: The longest int that `is_id` admits, and its sign.
_INT_LENGTH: Final = 310

_DIGITS: Final = re.compile(r"-?[0-9]+", re.ASCII)


def subject(user_id: UserId, realm: str | None = None) -> str:
    """Return the name of the user *user_id* of *realm*."""
    return _name(user_id) if realm is None else f"{_REALM}{realm}{_REALM}{_name(user_id)}"


def _name(user_id: UserId) -> str:
    if isinstance(user_id, int):
        return f"{_INT}{user_id}"
    if "\0" in user_id:
        return _QUOTED + quote(user_id, safe="")
    return _PLAIN + user_id if user_id.startswith(_MARKS) else user_id


def spellings(user_id: UserId) -> tuple[UserId, ...]:
    """Return the ids that are this user's: ``7`` and ``"7"`` are one user to who logs them in."""
    if isinstance(user_id, int):
        return user_id, str(user_id)
    if len(user_id) <= _INT_LENGTH and _DIGITS.fullmatch(user_id) and str(int(user_id)) == user_id:
        return user_id, int(user_id)
    return (user_id,)


def user_id_of(name: str, realm: str | None = None) -> UserId | None:
    """Return the id of the user *name* of *realm*, or None if it names none of these."""
    if realm is not None:
        begin = f"{_REALM}{realm}{_REALM}"
        if not name.startswith(begin):
            return None
        name = name[len(begin) :]
    found = _id(name)
    return found if is_id(found) and _name(found) == name else None


def _id(name: str) -> UserId:
    if name.startswith(_INT):
        text = name[1:]
        return int(text) if len(text) <= _INT_LENGTH and _DIGITS.fullmatch(text) else ""
    if name.startswith(_QUOTED):
        return unquote(name[1:], errors="replace")
    return name[1:] if name.startswith(_PLAIN) else name
