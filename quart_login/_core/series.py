"""Is what a browser shows of its login session good?

Rule 1.  The session's secret logs in while the login is not over.
Rule 2.  The remember cookie's secret is replaced whenever it begins a session, and by nothing else.
         Of several requests that show it at once, one replaces it; the others are logged in too,
         and change nothing in the browser.
Rule 3.  The secret before is good for a window after it was replaced, as its response may be on the
         way, or lost; and until its successor is seen, or the session that came with it, for a day
         at most.  If neither is seen within the window, that response was lost: the secret before
         is replaced once more.
Rule 4.  Any other secret that was this login's has been copied: somebody else uses the login, or
         did, and it ends.
Rule 5.  A login that is remembered outlives the limits of a session, by its cookie alone.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from .lifetimes import Limits, is_future, is_over
from .proofs import is_of
from .store import LoginSession

#: Seconds for which the secret before is good though nobody has seen its successor.
LONGEST_WAIT: Final = 24 * 60 * 60


class Standing(Enum):
    """How a login session stands, by what a request shows of it."""

    #: The session is this login's.
    GOOD = auto()
    #: The remember cookie is, and begins a session with new secrets.
    RENEWS = auto()
    #: The remember cookie was replaced a moment ago, by another request.
    BESIDE = auto()
    #: Neither is, or not any more.
    REPLACED = auto()
    #: The login is past its end.
    OVER = auto()
    #: A clock is wrong: the login is of the future.
    FUTURE = auto()
    #: The remember cookie was copied.
    STOLEN = auto()


def judge(
    login: LoginSession,
    held: str | None,
    shown: str | None,
    now: float,
    limits: Limits,
    window: float,
) -> Standing:
    """Say how *login* stands where the session holds the secret *held*, and the remember cookie
    shows *shown* (None where there is none).
    """
    if is_future(max(login.created, login.seen, login.rotated or 0), now):
        return Standing.FUTURE
    if now > login.expires:
        return Standing.OVER
    by_cookie = None
    if shown is not None and login.remember is not None:
        by_cookie = _by_cookie(login, shown, now, window)
        if by_cookie is Standing.STOLEN:
            return by_cookie
    idle = is_over(begun(login), login.seen, now, limits)
    if held is not None and not idle and is_of(held, login.digest):
        return Standing.GOOD
    if by_cookie is not None and limits.remembers:
        return by_cookie
    return Standing.OVER if idle and login.remember is None else Standing.REPLACED


def begun(login: LoginSession) -> float:
    """Return when the session of *login* began: with it, or when its cookie last began one."""
    return login.created if login.rotated is None else login.rotated


def _by_cookie(login: LoginSession, shown: str, now: float, window: float) -> Standing:
    if is_of(shown, login.remember):
        return Standing.RENEWS
    if not is_of(shown, login.former) or login.rotated is None:
        return Standing.STOLEN
    age = now - login.rotated
    if age <= window:
        return Standing.BESIDE
    if login.confirmed:
        return Standing.STOLEN
    return Standing.REPLACED if age > LONGEST_WAIT else Standing.RENEWS
