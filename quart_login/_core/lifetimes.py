"""How long does a login last?

Rule 1.  An absolute limit, since the login, and an idle limit, since a request was last seen (ASVS
         5.0, 7.3.1 and 7.3.2).  Activity never extends the absolute one.
Rule 2.  The server's clock decides, on a time that the server noted: never a cookie's date.
Rule 3.  A time that lies in the future is a clock that went wrong, and no login: else a clock that
         jumps back would give it a longer life.  (Servers may differ by `CLOCK_TOLERANCE`.)
Rule 4.  Without a registry the times are in the signed session, where limits are set: ``begun`` and
         ``seen``.  A session without them is over, since nobody can tell how old it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from .settings import CLOCK_TOLERANCE, PRESETS, SessionKeys, seconds

#: Seconds between two notes of when a login was last seen.
TOUCH_AFTER: Final = 60

#: The seconds of a clock have no more digits.
_DIGITS: Final = 12


class Limits(NamedTuple):
    """How long logins last, in seconds; None is for ever."""

    lifetime: float | None = None
    idle: float | None = None
    #: Does a login outlive the browser, for who asks for that?
    remembers: bool = True


#: In place of a limit, where something must have an end: a thousand years.
FOR_EVER: Final = 1000 * 366 * 86_400

ENDLESS: Final = Limits()


def limits_of(setting: Callable[[str], Any], registered: bool) -> Limits:
    """Return the limits that the settings name; *registered* says that there is a registry."""
    preset = setting("LOGIN_ASSURANCE_LEVEL")
    if preset is None and not registered:
        base = ENDLESS
    else:
        base = Limits(*PRESETS["aal1" if preset is None else preset])
    lifetime, idle = setting("LOGIN_LIFETIME"), setting("LOGIN_IDLE_TIMEOUT")
    if lifetime is None and idle is None:
        return base
    return base._replace(
        lifetime=base.lifetime if lifetime is None else seconds(lifetime, "LOGIN_LIFETIME", float),
        idle=base.idle if idle is None else seconds(idle, "LOGIN_IDLE_TIMEOUT", float),
    )


#: The settings that limit how long a login lasts.
KEYS: Final = ("LOGIN_IDLE_TIMEOUT", "LOGIN_LIFETIME", "LOGIN_ASSURANCE_LEVEL")


def are_set(config: Mapping[str, Any]) -> bool:
    """Do the settings limit how long a login lasts?  (Asked at each request, mostly for no.)"""
    idle, lifetime, level = KEYS
    return not (config.get(idle) is config.get(lifetime) is config.get(level) is None)


def is_future(moment: float, now: float) -> bool:
    """Is *moment*, which was noted, later than any clock of ours can be?"""
    return moment - now > CLOCK_TOLERANCE


def is_over(begun: float, seen: float, now: float, limits: Limits) -> bool:
    """Is a login over that was made at *begun* and last used at *seen* (seconds since 1970)?"""
    if is_future(begun, now) or is_future(seen, now):
        return True
    if limits.lifetime is not None and now - begun > limits.lifetime:
        return True
    return limits.idle is not None and now - seen > limits.idle


def is_due(seen: float, now: float, idle: float | None) -> bool:
    """Is it time to note that a login was seen?  (At most once a minute; but an idle limit that
    is shorter than two would end a login in use.)
    """
    return now - seen >= (TOUCH_AFTER if idle is None else min(TOUCH_AFTER, idle / 2))


# --- without a registry --------------------------------------------------------------------------


def write(begun: float, seen: float) -> str:
    """Return the times of a login as the session keeps them."""
    return f"{int(begun)}|{int(seen)}"


def read(session: Mapping[str, Any], keys: SessionKeys) -> tuple[int, int] | None:
    """Return when the login in *session* was made and last seen, or None if it does not say."""
    text = session.get(keys.times)
    begun, _, seen = text.partition("|") if isinstance(text, str) else ("", "", "")
    if not (_is_time(begun) and _is_time(seen)):
        return None
    return int(begun), int(seen)


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
