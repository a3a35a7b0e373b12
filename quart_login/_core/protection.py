"""Does this session still belong to the client that it was made for?

Rule 1.  Only a login is protected.  An anonymous visitor's session (a cart, say) is let alone.
Rule 2.  The fingerprint covers the address of the connection and the browser's name.
         ``X-Forwarded-For`` is never read: any client can send it.  Behind a proxy, use ProxyFix.
Rule 3.  It is written in Flask-Login 0.6.3's form, and read in that of its unreleased main, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from hashlib import sha512
from typing import Any, Final

MODES: Final = ("basic", "strong")

#: A longer browser name is not kept: visitors choose it, and the memory is ours.
_KEPT_AGENT: Final = 512


class Verdict(Enum):
    """What becomes of a login whose session came from another client."""

    KEEP = auto()
    STALE = auto()
    DROP = auto()


def _fingerprint(address: str | None, agent: str | None) -> str:
    """Hash as Flask-Login 0.6.3 does: the Python text of two byte strings, or of None."""
    text = "|".join(str(part if part is None else part.encode()) for part in (address, agent))
    return sha512(text.encode()).hexdigest()


_kept_fingerprint = lru_cache(maxsize=1024)(_fingerprint)


def fingerprint(address: str | None, agent: str | None) -> str:
    """Return the fingerprint of the client at *address* that calls itself *agent*."""
    if agent is not None and len(agent) > _KEPT_AGENT:
        return _fingerprint(address, agent)
    return _kept_fingerprint(address, agent)


def later_fingerprint(address: str | None, agent: str | None) -> str:
    """Return the fingerprint in the form of Flask-Login's unreleased main."""
    return sha512(f"{address}|{agent or ''}".encode()).hexdigest()


def judge(session: Mapping[str, Any], mode: str | None, drops_permanent: bool) -> Verdict:
    """Decide what becomes of the login in *session*, which was made for another client."""
    if mode not in MODES:
        return Verdict.KEEP
    spared = session.get("_permanent", False) and not drops_permanent
    return Verdict.STALE if mode == "basic" or spared else Verdict.DROP
