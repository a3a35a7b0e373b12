"""Which settings are there, and what holds where an application says nothing?

The names and defaults are Flask-Login's; those that it does not have begin with ``LOGIN_``, or with
``REMEMBER_COOKIE_`` where they belong to its family.  A shell may state defaults of its own (`SAFE`
and `FLASK_LOGIN` below): where Flask-Login's own test suite asserts the less safe behaviour, the
drop-in keeps it and `quart_login` does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from . import cookies, site_data
from .errors import ConfigurationError
from .origins import named

#: The default name of the "remember me" cookie.
COOKIE_NAME = "remember_token"

#: The default time until the "remember me" cookie expires.
COOKIE_DURATION = timedelta(days=365)

#: Whether the "remember me" cookie is sent over HTTPS only, by default.
COOKIE_SECURE = False

#: Whether scripts in the page are kept from the "remember me" cookie, by default.
COOKIE_HTTPONLY = True

#: The default ``SameSite`` of the "remember me" cookie.
COOKIE_SAMESITE = None

#: The default message for visitors who must log in.
LOGIN_MESSAGE = "Please log in to access this page."

#: The category that `LOGIN_MESSAGE` is flashed with.
LOGIN_MESSAGE_CATEGORY = "message"

#: The default message for users who must type their password again.
REFRESH_MESSAGE = "Please reauthenticate to access this page."

#: The category that `REFRESH_MESSAGE` is flashed with.
REFRESH_MESSAGE_CATEGORY = "message"

#: The name of the method that returns a user's id.
ID_ATTRIBUTE = "get_id"

#: The header that a deprecated header loader reads.
AUTH_HEADER_NAME = "Authorization"

#: The keys that this library, like Flask-Login, keeps in the session.
SESSION_KEYS = {"_user_id", "_remember", "_remember_seconds", "_id", "_fresh", "next"}

#: HTTP methods that the view decorators let pass.  An anonymous OPTIONS request gets the automatic
#: answer, never the view's body.
EXEMPT_METHODS = {"OPTIONS"}

#: Whether the page to come back to is kept in the session rather than in the URL, by default.
USE_SESSION_FOR_NEXT = False

#: Seconds that two servers' clocks may differ.  Longer, and a credential "of the future" counts as
#: expired: a clock that jumped back must not give it a longer life.
CLOCK_TOLERANCE: Final = 60

#: Seconds that no credential lives.
LONGEST_LIFE: Final = 10**12

#: Seconds for which a remember cookie is good, at the least, after it was replaced.
SHORTEST_WINDOW: Final = 5

#: The largest cookie, name and value together, that browsers keep (RFC 6265bis, section 5.7).
COOKIE_LIMIT: Final = 4096

DEFAULTS: Final[Mapping[str, Any]] = {
    "REMEMBER_COOKIE_NAME": COOKIE_NAME,
    "REMEMBER_COOKIE_DURATION": COOKIE_DURATION,
    "REMEMBER_COOKIE_DOMAIN": None,
    "REMEMBER_COOKIE_PATH": "/",
    "REMEMBER_COOKIE_SECURE": COOKIE_SECURE,
    "REMEMBER_COOKIE_HTTPONLY": COOKIE_HTTPONLY,
    "REMEMBER_COOKIE_SAMESITE": COOKIE_SAMESITE,
    "REMEMBER_COOKIE_PARTITIONED": False,
    "REMEMBER_COOKIE_FORMER_NAME": None,
    "REMEMBER_COOKIE_REFRESH_EACH_REQUEST": False,
    "REMEMBER_COOKIE_FORMAT": "quart-login",
    "REMEMBER_COOKIE_LEGACY_UNTIL": None,
    "AUTH_HEADER_NAME": AUTH_HEADER_NAME,
    "FORCE_HOST_FOR_REDIRECTS": None,
    "LOGIN_DISABLED": False,
    "USE_SESSION_FOR_NEXT": USE_SESSION_FOR_NEXT,
    "LOGIN_ADOPT_REMEMBER_COOKIES": True,
    "LOGIN_ASSURANCE_LEVEL": None,
    "LOGIN_AUDIENCE": None,
    "LOGIN_BASIC_PASSWORD": None,
    "LOGIN_BASIC_USERNAME": None,
    "LOGIN_BEARER_TOKENS": True,
    "LOGIN_CLEAR_SITE_DATA": (),
    "LOGIN_FRESH_DURATION": timedelta(days=1),
    "LOGIN_IDLE_TIMEOUT": None,
    "LOGIN_KEEP_SESSION_KEYS": (),
    "LOGIN_LIFETIME": None,
    "LOGIN_LOAD_USER": "eager",
    "LOGIN_LOADER_TIMEOUT": None,
    "LOGIN_MAX_SESSIONS": None,
    "LOGIN_MAX_SESSIONS_REACHED": "end_oldest",
    "LOGIN_WEBSOCKET_CLOSE_CODE": 1008,
    "LOGIN_WEBSOCKET_ORIGINS": None,
    "LOGIN_NEGOTIATE": True,
    "LOGIN_REALM": None,
    "LOGIN_REMEMBER_WINDOW": 60,
    "LOGIN_STORE_TIMEOUT": 0.25,
    "LOGIN_TOKEN_LIFETIME": timedelta(hours=1),
    "LOGIN_SECURE_COOKIES": False,
    "LOGIN_LOG_USER_IDS": False,
}

#: What `quart_login` adds: the safe way.
SAFE: Final[Mapping[str, Any]] = {
    **DEFAULTS,
    "LOGIN_CACHE_CONTROL_PRIVATE": True,
    "LOGIN_CLEAR_SESSION_ON_LOGOUT": True,
    "LOGIN_STRONG_DROPS_PERMANENT": True,
    "LOGIN_FORCE_HOST_WITH_SCHEME": True,
    "LOGIN_TEST_CLIENT_IDENTIFIED": True,
}

#: What `flask_compat` adds: what Flask-Login's own suite asserts.
FLASK_LOGIN: Final[Mapping[str, Any]] = {
    **DEFAULTS,
    "LOGIN_CACHE_CONTROL_PRIVATE": False,
    "LOGIN_CLEAR_SESSION_ON_LOGOUT": False,
    "LOGIN_STRONG_DROPS_PERMANENT": False,
    "LOGIN_FORCE_HOST_WITH_SCHEME": False,
    "LOGIN_TEST_CLIENT_IDENTIFIED": False,
}

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "REMEMBER_COOKIE_FORMAT": ("quart-login", "flask-login"),
    "LOGIN_LOAD_USER": ("eager", "on_demand"),
    "LOGIN_MAX_SESSIONS_REACHED": ("end_oldest", "refuse"),
}

#: What NIST SP 800-63B-4 asks of sessions at its assurance levels (sections 2.1.3, 2.2.3, 2.3.3):
#: the absolute and the idle limit, and whether a login may outlive the browser.
PRESETS: Final[Mapping[str, tuple[float, float | None, bool]]] = {
    "aal1": (30 * 86_400, None, True),
    "aal2": (24 * 3600, 3600, False),
    "aal3": (12 * 3600, 15 * 60, False),
}


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """Where in the session a manager keeps what it knows."""

    user_id: str = "_user_id"
    fresh: str = "_fresh"
    id: str = "_id"
    remember: str = "_remember"
    remember_seconds: str = "_remember_seconds"
    next: str = "next"
    #: What Flask-Login does not keep; see `record`.
    record: str = "_login_record"
    #: Where there is a registry: what proves the login session; see `proofs`.
    proof: str = "_login_session"
    #: Where there is none, and logins have limits: when it was made and seen; see `lifetimes`.
    times: str = "_login_times"

    def values(self) -> tuple[str, ...]:
        """Return the keys themselves."""
        return tuple(getattr(self, name) for name in self.__slots__)


def check(config: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a setting that is there already and cannot work.

    A key list that is one string is a `TypeError`: each of its letters would be a key.
    """
    check_fallbacks(config)
    _check_cookie(config)
    _check_disabled(config.get("LOGIN_DISABLED"))
    named(config.get("LOGIN_WEBSOCKET_ORIGINS"))
    _check_close_code(config.get("LOGIN_WEBSOCKET_CLOSE_CODE", 1008))
    if isinstance(config.get("LOGIN_KEEP_SESSION_KEYS"), str):
        raise ConfigurationError("LOGIN_KEEP_SESSION_KEYS must be a list of keys, not one string.")
    for key in ("LOGIN_FRESH_DURATION", "LOGIN_LOADER_TIMEOUT", "LOGIN_STORE_TIMEOUT"):
        if config.get(key) is not None:
            seconds(config[key], key, float)
    _check_timeout(config.get("LOGIN_STORE_TIMEOUT"))
    _check_limits(config)
    for key, choices in _CHOICES.items():
        if config.get(key, choices[0]) not in choices:
            raise ConfigurationError(f"{key} must be one of {choices}, not {config[key]!r}.")
    if "REMEMBER_COOKIE_DURATION" in config:
        seconds(config["REMEMBER_COOKIE_DURATION"], "REMEMBER_COOKIE_DURATION")
    if "REMEMBER_COOKIE_LEGACY_UNTIL" in config:
        moment(config["REMEMBER_COOKIE_LEGACY_UNTIL"])
    token_lifetime(config.get("LOGIN_TOKEN_LIFETIME", timedelta(hours=1)))
    _check_realm(config.get("LOGIN_REALM"))


def _check_disabled(value: object) -> None:
    """Raise `ConfigurationError` for a text that says no and counts as yes: all would be open."""
    if isinstance(value, str) and value.strip().lower() in ("0", "false", "no", "off", "none"):
        raise ConfigurationError(
            f"LOGIN_DISABLED = {value!r} is a text, and any text counts as true: nobody would be"
            " refused. Make it False."
        )


def _check_close_code(code: object) -> None:
    """Raise `ConfigurationError` unless an application may close a websocket with *code*."""
    if type(code) is not int or not (code in (1000, 1008) or 3000 <= code <= 4999):
        raise ConfigurationError(
            "LOGIN_WEBSOCKET_CLOSE_CODE must be 1000, 1008, or from 3000 to 4999 (RFC 6455, 7.4),"
            f" not {code!r}."
        )


def _check_timeout(limit: Any) -> None:
    """Raise `ConfigurationError` for a time in which no store can answer."""
    if limit is not None and seconds(limit, "LOGIN_STORE_TIMEOUT", float) <= 0:
        raise ConfigurationError(f"LOGIN_STORE_TIMEOUT must be positive, or None, not {limit!r}.")


def _check_limits(config: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a limit of logins that cannot be kept."""
    level = config.get("LOGIN_ASSURANCE_LEVEL")
    if level is not None and level not in PRESETS:
        raise ConfigurationError(
            f"LOGIN_ASSURANCE_LEVEL must be one of {tuple(PRESETS)} or None, not {level!r}."
        )
    for key in ("LOGIN_LIFETIME", "LOGIN_IDLE_TIMEOUT"):
        given = config.get(key)
        if given is not None and not 0 < seconds(given, key, float) < LONGEST_LIFE:
            raise ConfigurationError(f"{key} must be positive, or None, not {given!r}.")
    window = seconds(config.get("LOGIN_REMEMBER_WINDOW", 60), "LOGIN_REMEMBER_WINDOW", float)
    if not SHORTEST_WINDOW <= window <= 86_400:
        raise ConfigurationError(
            f"LOGIN_REMEMBER_WINDOW must be from {SHORTEST_WINDOW} seconds to a day: browsers send"
            " several requests at once, and the later ones must not look like a theft."
        )
    most = config.get("LOGIN_MAX_SESSIONS")
    if most is not None and (type(most) is not int or most < 1):
        raise ConfigurationError(
            f"LOGIN_MAX_SESSIONS must be a whole number from 1, or None, not {most!r}."
        )


def _check_realm(text: object) -> None:
    """Raise `ConfigurationError` unless *text* can stand in a header."""
    if text is None or (isinstance(text, str) and text and text.isascii() and text.isprintable()):
        return
    raise ConfigurationError(
        "LOGIN_REALM is shown to clients in WWW-Authenticate, and must be printable ASCII, not"
        f" {text!r}."
    )


def _check_cookie(config: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a cookie that browsers, or we ourselves, refuse."""
    cookies.check(reader(config))
    site_data.check(config.get("LOGIN_CLEAR_SITE_DATA"))
    if config.get("REMEMBER_COOKIE_FORMAT") == "flask-login" and config.get("LOGIN_AUDIENCE"):
        raise ConfigurationError(
            "Flask-Login's form of the remember cookie names no audience, so with LOGIN_AUDIENCE"
            " it is refused: unset one of LOGIN_AUDIENCE and REMEMBER_COOKIE_FORMAT."
        )


def reader(config: Mapping[str, Any]) -> cookies.Setting:
    """Return what reads *config*, and `DEFAULTS` where that says nothing."""
    return lambda key: config.get(key, DEFAULTS.get(key))


def check_fallbacks(config: Mapping[str, Any]) -> None:
    """Raise `TypeError` unless ``SECRET_KEY_FALLBACKS`` is a list of non-empty keys."""
    fallbacks = config.get("SECRET_KEY_FALLBACKS")
    if not fallbacks:
        return
    if isinstance(fallbacks, (str, bytes)):
        raise TypeError(
            "SECRET_KEY_FALLBACKS is one string, and each of its letters would be a key that"
            " anybody can guess. Make it a list: SECRET_KEY_FALLBACKS = [old_key]."
        )
    if not all(isinstance(key, (str, bytes)) and key for key in fallbacks):
        raise TypeError("SECRET_KEY_FALLBACKS must be a list of non-empty keys (str or bytes).")


def unknown_protection(config: Mapping[str, Any]) -> str | None:
    """Return what is wrong with ``SESSION_PROTECTION``, if it is a word that says nothing."""
    mode = config.get("SESSION_PROTECTION")
    if not isinstance(mode, str) or mode in ("", "basic", "strong"):
        return None
    return f"SESSION_PROTECTION must be 'basic', 'strong' or None, not {mode!r}."


def seconds(duration: object, name: str, *kinds: type) -> float:
    """Return *duration*, a `timedelta` or an int (or another of *kinds*) of seconds, in seconds."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, (int, *kinds)) and not isinstance(duration, bool):
        return duration  # type: ignore[return-value]
    raise ConfigurationError(
        f"{name} must be a datetime.timedelta, instead got: {duration}. Write timedelta(days=30),"
        " say, or a number of seconds."
    )


def _parsed(text: str) -> object:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def token_lifetime(duration: object) -> float:
    """Return ``LOGIN_TOKEN_LIFETIME`` in seconds."""
    life = seconds(duration, "LOGIN_TOKEN_LIFETIME", float)
    if not 0 < life < LONGEST_LIFE:
        raise ConfigurationError(f"LOGIN_TOKEN_LIFETIME must be positive, not {duration!r}.")
    return life


def moment(until: object, name: str = "REMEMBER_COOKIE_LEGACY_UNTIL") -> float | None:
    """Return *until*, a date, a datetime or an ISO 8601 string, in seconds since 1970 (UTC)."""
    if until is None:
        return None
    if isinstance(until, str):
        until = _parsed(until)
    if isinstance(until, datetime):
        aware = until if until.tzinfo else until.replace(tzinfo=UTC)
        return aware.timestamp()
    if isinstance(until, date):
        return datetime(until.year, until.month, until.day, tzinfo=UTC).timestamp()
    raise ConfigurationError(
        f"{name} must be a date, a datetime, an ISO 8601 text or None, not {until!r}."
    )
