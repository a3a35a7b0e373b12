"""How long do logins last, and what ends them: what does ASVS 5.0 say to that, in V7?

Rule 1.  Where a store keeps the login sessions, what the library does is said to be so, and what is
         left to the application is for the reader to check.
Rule 2.  Where none does, what needs one is said to be not met: no setting mends that, but a store.
Rule 3.  Limits stand beside those of NIST SP 800-63B-4, to which ASVS refers (7.1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from .cookies import Setting
from .errors import ConfigurationError
from .findings import Finding, State, either, said, within
from .lifetimes import Limits, limits_of
from .settings import PRESETS

#: The longest that NIST SP 800-63B-4 (section 2.1.3, AAL1) would have a login last unasked.
LONGEST: Final = timedelta(days=30)

#: The longest that a login should count as fresh (NIST SP 800-63B-4, section 2.2.3, AAL2).
FRESHEST: Final = timedelta(days=1)

_NIST: Final = (
    "NIST SP 800-63B-4 has 30 days (AAL1); 24 hours, and 1 hour idle (AAL2); 12 hours, and 15"
    " minutes idle (AAL3); and no remember-me above AAL1"
)

_STORE: Final = "Keep login sessions in a store: LoginManager(app, sessions=...)."


def login_findings(app: Any, manager: Any, setting: Setting) -> Iterator[Finding]:
    """Return what V7 finds of *app* as *manager* sees it."""
    registered = manager.sessions is not None
    try:
        limits = limits_of(setting, registered)
    except (ConfigurationError, KeyError):
        return  # A setting cannot work; that is said already.
    yield from _limit_findings(setting, limits, registered)
    yield Finding("7.2.1", State.OK, "sessions are checked on the server")
    if registered:
        yield from _registered(manager, setting)
    else:
        yield from _unregistered(app, limits)
    advice = "Show a way to log out on every page that needs a login."
    yield Finding("7.4.4", State.UNSEEN, "logging out is a view of yours", advice)
    advice = "Ask for a second factor before what is highly sensitive."
    yield Finding("7.5.3", State.UNMET, "this library knows no factors", advice)
    advice = "Log in where the user acts; do not let a page load do it."
    yield Finding("7.6.2", State.UNSEEN, "a session starts where you call login_user", advice)


# --- limits --------------------------------------------------------------------------------------


def _limit_findings(setting: Setting, limits: Limits, registered: bool) -> Iterator[Finding]:
    yield _documented(setting, limits, registered)
    yield _idle(setting, limits, registered)
    if limits.lifetime is not None:
        lifetime = _duration(limits.lifetime)
        yield either(
            "7.3.2",
            within(lifetime, LONGEST),
            f"logins end after {said(lifetime)}, used or not",
            f"LOGIN_LIFETIME = timedelta(days={LONGEST.days}) or less",
        )
    yield from _remembered(setting, limits, registered)
    fresh = _duration(setting("LOGIN_FRESH_DURATION"))
    yield either(
        "7.5.1",
        within(fresh, FRESHEST),
        f"LOGIN_FRESH_DURATION = {said(fresh)}",
        "LOGIN_FRESH_DURATION = timedelta(days=1) or less",
    )


def _documented(setting: Setting, limits: Limits, registered: bool) -> Finding:
    """Return which limits are in force."""
    session = _duration(setting("PERMANENT_SESSION_LIFETIME"))
    fresh = said(_duration(setting("LOGIN_FRESH_DURATION")))
    remembered = _duration(setting("REMEMBER_COOKIE_DURATION"))
    parts = [f"remembered {said(remembered) if limits.remembers else 'never'}", f"fresh {fresh}"]
    if limits.idle is not None or registered:
        parts.insert(0, f"idle {said(_duration(limits.idle))}")
    if limits.lifetime is not None:
        parts.insert(0, f"login {said(_duration(limits.lifetime))}")
    if not registered:
        parts.insert(0, f"session {said(session)}")
    level = _level(limits, remembered)
    fits = f"They fit {level.upper()}. " if level else ""
    advice = f"{fits}Write down why they fit you. {_NIST}."
    return Finding("7.1.1", State.UNSEEN, f"limits: {', '.join(parts)}", advice)


def _level(limits: Limits, remembered: timedelta | None) -> str | None:
    """Return the highest assurance level whose limits *limits* keep, and remember cookies, too."""
    if limits.remembers and not within(remembered, LONGEST):
        return None
    return next((name for name in reversed(list(PRESETS)) if _keeps(limits, *PRESETS[name])), None)


def _keeps(limits: Limits, lifetime: float, idle: float | None, remembers: bool) -> bool:
    if limits.lifetime is None or limits.lifetime > lifetime:
        return False
    if idle is not None and (limits.idle is None or limits.idle > idle):
        return False
    return remembers or not limits.remembers


def _idle(setting: Setting, limits: Limits, registered: bool) -> Finding:
    if limits.idle is None and not registered:
        # The framework's session is what has such a limit.
        session = _duration(setting("PERMANENT_SESSION_LIFETIME"))
        return either(
            "7.3.1",
            within(session, LONGEST),
            f"PERMANENT_SESSION_LIFETIME = {said(session)}",
            f"PERMANENT_SESSION_LIFETIME = timedelta(days={LONGEST.days}) or less",
        )
    idle = _duration(limits.idle)
    found = "LOGIN_IDLE_TIMEOUT = None" if idle is None else f"logins end after {said(idle)} unused"
    advice = "LOGIN_IDLE_TIMEOUT = timedelta(hours=1), as NIST has it at AAL2, or what fits you"
    return either("7.3.1", within(idle, LONGEST), found, advice)


def _remembered(setting: Setting, limits: Limits, registered: bool) -> Iterator[Finding]:
    if not limits.remembers:
        level = setting("LOGIN_ASSURANCE_LEVEL")
        yield Finding("7.3.2", State.OK, f"nobody is remembered: LOGIN_ASSURANCE_LEVEL = {level!r}")
        return
    remembered = _duration(setting("REMEMBER_COOKIE_DURATION"))
    yield either(
        "7.3.2",
        within(remembered, LONGEST),
        f"REMEMBER_COOKIE_DURATION = {said(remembered)}",
        f"REMEMBER_COOKIE_DURATION = timedelta(days={LONGEST.days}) or less",
    )
    if registered:
        return  # There, no request makes it longer.
    each = bool(setting("REMEMBER_COOKIE_REFRESH_EACH_REQUEST"))
    yield either(
        "7.3.2",
        not each,
        f"REMEMBER_COOKIE_REFRESH_EACH_REQUEST = {each}",
        "REMEMBER_COOKIE_REFRESH_EACH_REQUEST = False: with it a remembered login has no last day.",
    )


def _duration(value: Any) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(seconds=min(value, timedelta.max.total_seconds()))


# --- with a store --------------------------------------------------------------------------------


def _registered(manager: Any, setting: Setting) -> Iterator[Finding]:
    yield _parallel(setting)
    kept = f"in {type(manager.sessions).__name__}"
    yield Finding("7.2.2", State.OK, f"each login has a token of its own, and a record {kept}")
    yield Finding("7.2.3", State.OK, "tokens are 256 bits of the system's random generator")
    yield Finding("7.2.4", State.OK, "a login, or its confirmation, ends the token before it")
    yield Finding("7.4.1", State.OK, "a logout ends the record: a copied cookie is nothing")
    yield Finding(
        "7.4.2",
        State.UNSEEN,
        "a user whom the loader does not return, or whose is_active is false, loses all logins",
        "Let the loader ask for the account as it is now; or call revoke_user.",
    )
    yield Finding(
        "7.4.3",
        State.UNSEEN,
        "revoke_other_sessions() ends a user's other logins",
        "Call it, or offer it, where a password or another factor is changed.",
    )
    yield Finding("7.4.5", State.OK, "`login revoke`, or revoke_user(), ends a user's logins")
    yield Finding(
        "7.5.2",
        State.UNSEEN,
        "list_sessions() and revoke_session() are for a page of yours",
        "Show users their logins, behind fresh_login_required.",
    )


def _parallel(setting: Setting) -> Finding:
    most, reached = setting("LOGIN_MAX_SESSIONS"), setting("LOGIN_MAX_SESSIONS_REACHED")
    if most is None:
        advice = "Set how many logins a user may have, or write down why there is no limit."
        return Finding("7.1.2", State.UNSEEN, "LOGIN_MAX_SESSIONS = None", advice)
    found = f"LOGIN_MAX_SESSIONS = {most}, LOGIN_MAX_SESSIONS_REACHED = {reached!r}"
    return Finding("7.1.2", State.OK, found)


# --- without one ---------------------------------------------------------------------------------

#: What a session that lives in a signed cookie, whole, cannot do.
_STATELESS: Final = (
    ("7.1.2", "parallel sessions are neither counted nor limited", ""),
    ("7.2.2", "a session's cookie is signed, not a random token of its own", ""),
    ("7.2.4", "at a new login the cookie changes, and the old one stays good", ""),
    ("7.4.1", "after logout a copy of the cookie stays good until it expires", ""),
    (
        "7.4.3",
        "other sessions of a user end all at once or not at all",
        "Give users a session_epoch that changes with the password, and with any other factor.",
    ),
    (
        "7.4.5",
        "sessions cannot be ended one by one",
        "All of a user's: change the session_epoch. Everybody's: change SECRET_KEY.",
    ),
    ("7.5.2", "users cannot see and end their sessions", ""),
)


def _unregistered(app: Any, limits: Limits) -> Iterator[Finding]:
    yield Finding(
        "7.4.2",
        State.UNSEEN,
        "a user whom the loader does not return, or whose is_active is false, is logged out",
        "Let the loader ask for the account as it is now.",
    )
    if not hasattr(app.session_interface, "get_signing_serializer"):
        advice = (
            "See what it does at login and logout: 7.1.2, 7.2.2, 7.2.3, 7.2.4, 7.3.2, 7.4, 7.5.2."
        )
        kind = type(app.session_interface).__name__
        yield Finding("7.4.1", State.UNSEEN, f"sessions are kept by {kind}", advice)
        return
    for requirement, found, todo in _STATELESS:
        yield Finding(requirement, State.UNMET, f"stateless: {found}", todo or _STORE)
    if limits.lifetime is None:
        found = "stateless: a session that is used goes on without a last day"
        advice = "LOGIN_LIFETIME = timedelta(days=30) or less"
        yield Finding("7.3.2", State.WRONG, found, advice)
