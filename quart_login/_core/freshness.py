"""How long ago was the password typed, and is that recent enough?

Rule 1.  Only a login by password, or `confirm_login`, is fresh, and only for its own user.  One
         that came back by a cookie, or from another client, is stale.
Rule 2.  Freshness has an age, ``LOGIN_FRESH_DURATION`` (a day: NIST SP 800-63B-4 asks for
         reauthentication within 24 hours at AAL2).
Rule 3.  A login that Flask-Login made carries no time; it is fresh as long as its session says so,
         but for a view that names an age of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import record
from .settings import CLOCK_TOLERANCE, SessionKeys
from .users import UserId, same_id


def is_fresh(
    session: Mapping[str, Any],
    keys: SessionKeys,
    user_id: UserId,
    now: float,
    lifetime: float | None,
    *,
    undated: bool = True,
) -> bool:
    """Is the login of *user_id* in *session* fresh at *now* (seconds since 1970)?

    *undated* says whether it may be one that carries no time.
    """
    named = session.get(keys.user_id, record.speaks_of(session, keys))
    if session.get(keys.fresh) is not True or named is None or not same_id(named, user_id):
        return False
    since = record.read(session, keys, user_id).fresh_since
    if since is None:
        return undated
    if lifetime is None:
        return True
    return -CLOCK_TOLERANCE <= now - since <= lifetime
