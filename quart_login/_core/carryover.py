"""Which of a session's data may the next user read?

Rule 1.  What was written under one user is never readable under the next.
Rule 2.  What an anonymous visitor wrote (a cart, say) is kept at login.
Rule 3.  At logout `quart_login` leaves nothing.  `flask_compat` leaves the data, as Flask-Login's
         suite asserts, with a mark of whose they are; the next user's login removes them.
Rule 4.  ``LOGIN_KEEP_SESSION_KEYS`` are the application's exceptions (a language, a theme).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from hashlib import sha256
from typing import Any, Final

from . import record
from .settings import SessionKeys
from .users import UserId, is_id

#: Flask's own mark of a permanent session; a view sets it before it logs a user in.
_PERMANENT: Final = "_permanent"


def mark(user_id: UserId) -> str:
    """Return what tells *user_id* from other users after logout, without naming them."""
    return sha256(f"quart-login.owner|{user_id}".encode()).hexdigest()[:32]


def owner(session: MutableMapping[str, Any], keys: SessionKeys) -> str | None:
    """Return the mark of the user whose data *session* holds, or None for a visitor's."""
    # A record without a login is what Flask-Login leaves when it logs out.
    user_id = session.get(keys.user_id, record.speaks_of(session, keys))
    return mark(user_id) if is_id(user_id) else record.left_by(session, keys)


def take_over(
    session: MutableMapping[str, Any],
    keys: SessionKeys,
    user_id: UserId,
    kept: Collection[str],
    others: Collection[SessionKeys] = (),
) -> None:
    """Remove from *session* whatever *user_id* must not read.

    *others* are the keys of the other realms: a user of theirs who is gone left data, too.  (One
    who is logged in shares this session with the user, as both use this browser.)
    """
    gone = [other for other in others if _is_left(session, other)]
    if gone:
        _remove(session, session.keys() - {_PERMANENT, keys.next, *kept, *keys.values()})
        _remove(session, [other.record for other in gone])
    if owner(session, keys) in (None, mark(user_id)):
        return
    # After a logout, the page to go to was asked for by whoever logs in now.
    arriving = () if keys.user_id in session else (keys.next,)
    _remove(session, session.keys() - {_PERMANENT, *arriving, *kept})


def sign(session: MutableMapping[str, Any], keys: SessionKeys, user_id: UserId) -> None:
    """Note that the data in *session*, which holds no login, are those of *user_id*."""
    if session.keys() - {_PERMANENT, keys.record} and owner(session, keys) != mark(user_id):
        _sign(session, keys, mark(user_id))


def _sign(session: MutableMapping[str, Any], keys: SessionKeys, whose: str) -> None:
    if session.get(keys.record) != record.farewell(whose):
        session[keys.record] = record.farewell(whose)


def leave(
    session: MutableMapping[str, Any], keys: SessionKeys, clear: bool, kept: Collection[str]
) -> None:
    """Take the login out of *session*, and the user's data as far as *clear* says."""
    whose = owner(session, keys)
    login = (
        keys.user_id,
        keys.fresh,
        keys.id,
        keys.remember,
        keys.remember_seconds,
        keys.next,
        keys.proof,
        keys.times,
    )
    _remove(session, login)
    if clear:
        _remove(session, {*(session.keys() - set(kept)), keys.record})
        return
    if whose:
        _sign(session, keys, whose)
    else:
        _remove(session, (keys.record,))
    forget(session, keys)


def forget(session: MutableMapping[str, Any], keys: SessionKeys) -> None:
    """Keep no mark of whose data there are where there are none."""
    if not session.keys() - {_PERMANENT, keys.record}:
        _remove(session, (keys.record,))


def _is_left(session: MutableMapping[str, Any], keys: SessionKeys) -> bool:
    return keys.user_id not in session and record.left_by(session, keys) is not None


def hide(
    session: MutableMapping[str, Any],
    keys: SessionKeys,
    whose: str | None,
    kept: Collection[str],
    others: Collection[SessionKeys] = (),
) -> dict[str, Any] | None:
    """Show none of another's data in *session* to the user of the mark *whose* (None for nobody),
    who came by no session.  Return what was hidden, for `put_back`; None if there is none.
    """
    is_anothers = owner(session, keys) not in (None, whose)
    if not is_anothers and not any(_is_left(session, other) for other in others):
        return None
    hidden = {name: session[name] for name in session.keys() - set(kept)}
    written = getattr(session, "modified", False)
    _remove(session, hidden)
    session.modified = written  # type: ignore[attr-defined]
    return hidden


def put_back(
    session: MutableMapping[str, Any],
    hidden: Mapping[str, Any],
    kept: Collection[str],
    before: Mapping[str, Any],
) -> None:
    """Let *session* hold what was *hidden* again, and nothing that was written meanwhile: it is
    another's, and stays in the browser as it is.  But what is *kept* may be other than it was
    *before*: another realm's login, say.
    """
    _remove(session, session.keys() - set(kept))
    session.update(hidden)
    session.modified = shown(session, kept) != before  # type: ignore[attr-defined]


def shown(session: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
    """Return what *session* holds that everybody sees."""
    return {name: session[name] for name in kept if name in session}


def _remove(session: MutableMapping[str, Any], names: Collection[str]) -> None:
    # A session without SECRET_KEY is always empty, and refuses even to be emptied.
    for name in [name for name in names if name in session]:
        del session[name]
