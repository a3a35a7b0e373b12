"""How long ago was the password typed, and is that recent enough?

Rule 1.  Only a login by password, or `confirm_login`, is fresh.  One that came back by a cookie, or
         from another client, is stale.
Rule 2.  Freshness has an age, ``LOGIN_FRESH_DURATION`` (a day: NIST SP 800-63B-4 asks for
         reauthentication within 24 hours at AAL2).
Rule 3.  A login that Flask-Login made carries no time; it is fresh as long as its session says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import record
from .settings import CLOCK_TOLERANCE, SessionKeys


def is_fresh(
    session: Mapping[str, Any], keys: SessionKeys, now: float, lifetime: float | None
) -> bool:
    """Is the login in *session* fresh at *now* (seconds since 1970)?"""
    if session.get(keys.fresh) is not True:
        return False
    since = record.read(session, keys).fresh_since
    if since is None or lifetime is None:
        return True
    return -CLOCK_TOLERANCE <= now - since <= lifetime
