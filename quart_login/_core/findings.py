"""What does an audit find?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    """What a finding says."""

    OK = "ok"
    #: A setting mends it.
    WRONG = "wrong"
    #: No setting of this release mends it.
    UNMET = "not met"
    #: The configuration does not tell.
    UNSEEN = "check"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one requirement finds."""

    #: Its number in ASVS 5.0; empty for what that does not ask.
    requirement: str
    state: State
    #: What is set, or what is so.
    found: str
    #: What to set, or to do; empty where there is nothing to do.
    advice: str = ""
    #: The realm whose setting it is; None for the default one's.
    realm: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """Return the finding as JSON can hold it."""
        return {**asdict(self), "state": str(self.state)}


def either(requirement: str, good: object, found: str, advice: str) -> Finding:
    """Return a finding that is in order if *good*, and else to be mended as *advice* says."""
    if good:
        return Finding(requirement, State.OK, found)
    return Finding(requirement, State.WRONG, found, advice)


def within(duration: timedelta | None, limit: timedelta) -> bool:
    """Does *duration* end (None does not), and not after *limit*?"""
    return duration is not None and duration <= limit


def said(duration: timedelta | None) -> str:
    """Return *duration* in words."""
    if duration is None:
        return "without end"
    return str(duration).removesuffix(", 0:00:00")
