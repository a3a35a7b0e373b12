"""What does an audit find?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from textwrap import wrap
from typing import Final

#: No line is made shorter than this, however narrow a terminal says it is.
_NARROWEST: Final = 50


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


# --- as they are read ----------------------------------------------------------------------------

#: The number of a requirement, what a finding says, and the rest.
_ROW: Final = "{:<6}  {:<7}  {}"
_HEAD: Final = _ROW.format("ASVS", "State", "What is set, and -> what to set")
_INDENT: Final = len(_ROW.format("", "", ""))


def report(findings: Iterable[Finding], width: int) -> str:
    """Return *findings* as a table whose lines have up to *width* characters; 0 cuts none.

    What to do stands below what is so.
    """
    room = max(width, _NARROWEST) - _INDENT if width else 0
    lines = [_HEAD, _ROW.format("-" * 6, "-" * 7, "-" * (room or len(_HEAD) - _INDENT))]
    for finding in findings:
        head, *rest = _lines(finding, room)
        lines.append(_ROW.format(finding.requirement or "-", finding.state, head))
        lines += [" " * _INDENT + line for line in rest]
    return "\n".join(lines)


def _lines(finding: Finding, room: int) -> Iterator[str]:
    found = finding.found if finding.realm is None else f"[{finding.realm}] {finding.found}"
    yield from _cut(found, room, "")
    if finding.advice:
        yield from _cut(finding.advice, room, "-> ")


def _cut(text: str, room: int, mark: str) -> list[str]:
    """Return *text* in lines of *room* characters, the first with *mark*, the others below it."""
    if not room:
        return [mark + text]
    below = " " * len(mark)
    return wrap(text, room, initial_indent=mark, subsequent_indent=below, break_on_hyphens=False)
