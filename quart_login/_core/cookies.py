"""Will browsers keep the cookies that logins live in, and send them to nobody else?

Rule 1.  A name that begins with ``__Secure-`` or ``__Host-`` is a promise: a browser ignores the
         cookie whose attributes break it (RFC 6265bis, section 4.1.3), and its login with it.
Rule 2.  ``SameSite=None`` needs ``Secure``, or browsers ignore the cookie, too.
Rule 3.  ``LOGIN_SECURE_COOKIES`` gives the remember cookie and the framework's session cookie such
         a name and the attributes that it promises (ASVS 3.3.1 to 3.3.4).  It fills in what the
         application leaves open; what contradicts it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, Final

from werkzeug.http import dump_cookie

from .errors import ConfigurationError

#: Reads one setting of the application at hand.
Setting = Callable[[str], Any]

REMEMBER: Final = "REMEMBER_COOKIE"
SESSION: Final = "SESSION_COOKIE"

#: What a name promises that begins so, in lower case: browsers compare prefixes without case.  (The
#: last two are in the draft that follows RFC 6265bis.)
_PROMISES: Final[Mapping[str, frozenset[str]]] = {
    "__secure-": frozenset({"SECURE"}),
    "__host-": frozenset({"SECURE", "HOST"}),
    "__http-": frozenset({"SECURE", "HTTPONLY"}),
    "__host-http-": frozenset({"SECURE", "HOST", "HTTPONLY"}),
}

#: What a cookie can be called, wherever it has to be written and read again; and what an attribute
#: of it can hold.  (RFC 6265, section 4.1.1, allows fewer names, and browsers more.)
_is_name: Final = re.compile(r"[!#-+\-.-:<>-~]+").fullmatch
_is_value: Final = re.compile(r"[ -:<-~]*").fullmatch

#: Werkzeug before 3.1 can set no partitioned cookie.
_CAN_PARTITION: Final = "partitioned" in signature(dump_cookie).parameters

#: Where browsers keep a ``Secure`` cookie without HTTPS.
_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")


#: What makes a cookie ``Secure``: Werkzeug sends a partitioned one so whatever else is said.
_SECURING: Final = ("SECURE", "PARTITIONED")
_SECURING_EITHER: Final = [
    f"{family}_{word}" for family in (REMEMBER, SESSION) for word in _SECURING
]


@dataclass(frozen=True, slots=True)
class Cookie:
    """What one cookie is called, and where a browser sends it."""

    #: How its settings begin: ``REMEMBER_COOKIE`` or ``SESSION_COOKIE``.
    family: str
    name: str
    domain: str | None
    #: None where it has none, so that a browser takes the directory of the page.
    path: str | None
    secure: bool
    httponly: bool
    samesite: str | None
    partitioned: bool

    @property
    def prefix(self) -> str:
        """The prefix of the name that browsers know, in lower case; the longest, or none."""
        return _prefix(self.name)

    @property
    def of_one_host(self) -> bool:
        """Does a browser send it to the host that set it alone, and to the whole of that?"""
        return not self.domain and self.path == "/"


def promises(name: str) -> frozenset[str]:
    """Return what *name* promises: ``"SECURE"``, ``"HTTPONLY"``, and ``"HOST"`` for one alone."""
    return _PROMISES.get(_prefix(name), frozenset())


def _prefix(name: str) -> str:
    name = name.lower()
    return max((known for known in _PROMISES if name.startswith(known)), key=len, default="")


def cookie(family: str, setting: Setting) -> Cookie:
    """Return what *setting* says of the cookie of *family*."""
    name, path = setting(f"{family}_NAME"), setting(f"{family}_PATH")
    if family == SESSION:
        path = path or setting("APPLICATION_ROOT") or "/"
    partitioned = bool(setting(f"{family}_PARTITIONED"))
    httponly = setting(f"{family}_HTTPONLY")
    return Cookie(
        family,
        "session" if name is None else str(name),
        setting(f"{family}_DOMAIN") or None,
        path,
        any(bool(setting(f"{family}_{word}")) for word in _SECURING),
        httponly is None or bool(httponly),
        setting(f"{family}_SAMESITE"),
        partitioned,
    )


def check(setting: Setting) -> None:
    """Raise `ConfigurationError` for a cookie that browsers would ignore."""
    for family in (REMEMBER, SESSION):
        wrong = objection(cookie(family, setting))
        if wrong is not None:
            raise ConfigurationError(wrong)
    _check_former(setting)


def _check_former(setting: Setting) -> None:
    """Raise `ConfigurationError` for a former name whose cookie could not be deleted."""
    former, now = setting(f"{REMEMBER}_FORMER_NAME"), cookie(REMEMBER, setting)
    if former is None:
        return
    wrong = objection(replace(now, name=former))
    if former == now.name:
        wrong = "It is what the cookie was called before, and that is its name now."
    if wrong is not None:
        raise ConfigurationError(f"{REMEMBER}_FORMER_NAME cannot be {former!r}. {wrong}")


def objection(cookie: Cookie) -> str | None:
    """Return why browsers would ignore *cookie*, and what to do; or None."""
    wrong = _broken_words(cookie) or _broken_promise(cookie) or _odd_samesite(cookie)
    if wrong is None and cookie.partitioned and not _CAN_PARTITION:
        return f"{cookie.family}_PARTITIONED needs Werkzeug 3.1 or newer."
    return wrong


def _broken_words(cookie: Cookie) -> str | None:
    if not _is_name(cookie.name):
        return (
            f"{cookie.family}_NAME = {cookie.name!r} is no name of a cookie: use letters, digits"
            " and '_', '-' or '.' (RFC 6265, section 4.1.1)."
        )
    for word, value in (("PATH", cookie.path), ("DOMAIN", cookie.domain)):
        if isinstance(value, str) and not _is_value(value):
            return f"{cookie.family}_{word} = {value!r} has a character that ends it, or a line."
    return None


def _broken_promise(cookie: Cookie) -> str | None:
    promised = promises(cookie.name)
    kept = (
        ("SECURE" not in promised or cookie.secure)
        and ("HTTPONLY" not in promised or cookie.httponly)
        and ("HOST" not in promised or cookie.of_one_host)
    )
    if kept:
        return None
    needs = [
        f"{cookie.family}_{word} = True" for word in ("SECURE", "HTTPONLY") if word in promised
    ]
    if "HOST" in promised:
        needs += [f"{cookie.family}_PATH = '/'", f"no {cookie.family}_DOMAIN"]
    spelt = "-".join(part.capitalize() for part in cookie.prefix.strip("_-").split("-"))
    return (
        f"A cookie named __{spelt}-... needs {', '.join(needs)}, or browsers ignore it (RFC"
        f" 6265bis). This one is {cookie.name!r}."
    )


def _odd_samesite(cookie: Cookie) -> str | None:
    said = cookie.samesite
    if said is None:
        return None
    if not isinstance(said, str) or said.lower() not in ("lax", "strict", "none"):
        return f"{cookie.family}_SAMESITE must be 'Lax', 'Strict', 'None' or None, not {said!r}."
    if said.lower() == "none" and not cookie.secure:
        return (
            f"{cookie.family}_SAMESITE = 'None' needs {cookie.family}_SECURE = True, or browsers"
            " ignore the cookie (RFC 6265bis). For a cookie without SameSite, say None."
        )
    return None


# --- LOGIN_SECURE_COOKIES ------------------------------------------------------------------------


def secure(config: MutableMapping[str, Any], setting: Setting, realm: str | None = None) -> None:
    """Turn ``LOGIN_SECURE_COOKIES`` on in *config*, which *setting* reads for *realm*.

    Raises `ConfigurationError` where the application says the contrary.
    """
    if not setting("LOGIN_SECURE_COOKIES"):
        return
    for family, own in ((REMEMBER, "" if realm is None else f"{realm.upper()}_"), (SESSION, "")):
        now = cookie(family, setting)
        for word in _contradictions(config, now, own):
            raise ConfigurationError(
                f"LOGIN_SECURE_COOKIES is on, and {own}{family}_{word} is off: drop one of them."
            )
        changed = {"NAME": secure_name(now), "SECURE": True, "SAMESITE": now.samesite or "Lax"}
        for word, value in changed.items():
            config[f"{own}{family}_{word}"] = value


def _contradictions(config: Mapping[str, Any], now: Cookie, own: str) -> list[str]:
    """Return what the application says against safe cookies, as far as that can be told."""
    wrong = [] if now.httponly else ["HTTPONLY"]
    # The frameworks say SESSION_COOKIE_SECURE = False themselves.
    if now.family == REMEMBER and config.get(f"{own}{REMEMBER}_SECURE", True) is False:
        wrong.append("SECURE")
    return wrong


def secure_name(cookie: Cookie) -> str:
    """Return *cookie*'s name with the prefix that says most, unless it has one."""
    if cookie.prefix:
        return cookie.name
    return f"{'__Host-' if cookie.of_one_host else '__Secure-'}{cookie.name}"


def is_late(setting: Setting) -> bool:
    """Was ``LOGIN_SECURE_COOKIES``, which is on, set when it was too late?"""
    return not all(cookie(family, setting).prefix for family in (REMEMBER, SESSION))


# --- at a login ----------------------------------------------------------------------------------


def is_lost(setting: Setting, request: Any) -> bool:
    """Will a browser ignore the cookies of a login, because *request* came without HTTPS?"""
    if not any(map(setting, _SECURING_EITHER)) or request.scheme in ("https", "wss"):
        return False
    return not is_local(request.host)


def is_local(host: str) -> bool:
    """Does *host* name the machine that the browser runs on?"""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower() in _LOCAL or name.lower().endswith(".localhost")
