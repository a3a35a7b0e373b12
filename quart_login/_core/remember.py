"""Which remember cookie must the response set or delete, and does the request's count?

Rule 1.  The deletion carries every attribute of the cookie that it deletes, or a browser keeps
         the latter (a cookie named ``__Host-`` or ``__Secure-`` above all).
Rule 2.  The server ends a token; the browser's ``Expires`` is a courtesy (NIST SP 800-63B-4).
Rule 3.  Replacing a token never makes it live longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from .limits import check_remember_cookie
from .reasons import Reason
from .settings import CLOCK_TOLERANCE, moment, seconds
from .tokens import Keys, Token, encode_legacy, is_formed, read_legacy, read_token, write_token
from .users import UserId, epoch_of

#: Reads one setting of the application at hand.
Setting = Callable[[str], Any]

#: The last second that a cookie's date can name: the end of the year 9999.
_LAST: Final = 253402300799


@dataclass(frozen=True, slots=True)
class Change:
    """What a response does to the remember cookie: set it to *value*, or delete it (None)."""

    value: str | None = None
    expires: datetime | None = None
    #: Whom the cookie is to bring back.
    user_id: UserId | None = None

    def __repr__(self) -> str:
        return "<Change: delete>" if self.value is None else "<Change: set>"


DELETE: Final = Change()


def issue(token: Token, keys: Keys, setting: Setting, now: float) -> Change:
    """Return the change that gives the browser *token*, in the form that the settings name.

    Raises `CookieTooLarge` if browsers would ignore the cookie.
    """
    issued = int(now) if token.issued is None else token.issued
    token = replace(token, issued=issued)
    if setting("REMEMBER_COOKIE_FORMAT") == "flask-login":
        value = encode_legacy(str(token.user_id), keys.current)
    else:
        value = write_token(token, keys, setting("LOGIN_AUDIENCE"))
    check_remember_cookie(setting("REMEMBER_COOKIE_NAME"), value)
    ends = min(max(issued + lifetime(token, setting), 0), _LAST)
    return Change(value, datetime.fromtimestamp(ends, UTC), token.user_id)


def lifetime(token: Token, setting: Setting) -> float:
    """Return for how many seconds *token* lives."""
    if token.seconds is not None:
        return token.seconds
    return seconds(setting("REMEMBER_COOKIE_DURATION"), "REMEMBER_COOKIE_DURATION")


def left(token: Token, setting: Setting, now: float) -> float:
    """Return for how many seconds more *token* lives."""
    return lifetime(token, setting) + (0 if token.issued is None else token.issued - now)


def outdated(token: Token, setting: Setting) -> bool:
    """Must the browser get *token* anew?"""
    legacy = token.issued is None and setting("REMEMBER_COOKIE_FORMAT") != "flask-login"
    return legacy or token.by_fallback


def superseded(token: Token, user: Any) -> bool:
    """Was *token* issued in an earlier session epoch of *user*?"""
    return token.epoch is not None and token.epoch != epoch_of(user)


def read(text: str, keys: Keys, setting: Setting, now: float) -> Token | Reason:
    """Return the token that the cookie *text* is at *now*, or why it is none."""
    audience = setting("LOGIN_AUDIENCE")
    if "|" not in text:
        token = read_token(text, keys, audience)
    else:
        # Flask-Login's form names no audience, so it is good for none in particular.
        token = read_legacy(text, keys) if audience is None else None
    if token is None:
        return Reason.BAD_SIGNATURE if is_formed(text) else Reason.MALFORMED
    return _ended(token, setting, now) or token


def _ended(token: Token, setting: Setting, now: float) -> Reason | None:
    """Return why *token* is past its end, or "of the future", at *now*; or None."""
    if token.issued is None:
        until = moment(setting("REMEMBER_COOKIE_LEGACY_UNTIL"))
        return Reason.LEGACY_ENDED if until is not None and now >= until else None
    alive = -CLOCK_TOLERANCE <= now - token.issued <= lifetime(token, setting)
    return None if alive else Reason.EXPIRED


def apply(change: Change, response: Any, setting: Setting) -> None:
    """Let *response* carry *change*."""
    attributes = {
        name: setting(f"REMEMBER_COOKIE_{name.upper()}")
        for name in ("domain", "path", "secure", "httponly", "samesite", "partitioned")
    }
    if not attributes["partitioned"]:
        del attributes["partitioned"]  # Werkzeug before 3.1 does not know it.
    name, former = setting("REMEMBER_COOKIE_NAME"), setting("REMEMBER_COOKIE_FORMER_NAME")
    if change.value is None:
        response.delete_cookie(name, **attributes)
    else:
        response.set_cookie(name, change.value, expires=change.expires, **attributes)
    if former is not None:
        response.delete_cookie(former, **attributes)
    response.vary.add("Cookie")
