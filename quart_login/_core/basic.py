"""Which username and password does a request bring, and are they the configured ones?

Rule 1.  They are UTF-8, as our challenge says (RFC 7617, section 2.1).  What is not, or has no
         colon, or control characters in it (section 2 forbids them, and databases and password
         hashes raise for a NUL), is malformed: nobody is asked whose password it is.
Rule 2.  Both are compared always, and in constant time: their digests are, so that not even the
         length of what is configured shows.
Rule 3.  A view behind a username that nobody configured serves nobody.
Rule 4.  What is sent to a view that is behind one names no user: nobody else is asked about it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from .authorization import parse
from .errors import ConfigurationError
from .marks import handlers
from .realms import managers_of

#: Where a view keeps the names of the settings that it is protected by.
MARK: Final = "_quart_login_basic"


class Pair(NamedTuple):
    """A username and a password."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "<Pair>"


class Names(NamedTuple):
    """The names of the settings that hold them."""

    username: str = "LOGIN_BASIC_USERNAME"
    password: str = "LOGIN_BASIC_PASSWORD"


def read(sent: str) -> Pair | None:
    """Return what the header *sent* brings, or None if it is malformed."""
    credentials = parse(sent)
    if credentials is None or credentials.scheme != "basic":
        return None
    try:
        raw = base64.b64decode(credentials.token, validate=True)
        username, colon, password = raw.decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Pair(username, password) if colon and not _has_controls(raw) else None


def _has_controls(raw: bytes) -> bool:
    return any(byte < 0x20 or byte == 0x7F for byte in raw)


# --- one user, from the configuration ------------------------------------------------------------


def configured(config: Mapping[str, Any], names: Names) -> Pair:
    """Return the username and password in *config*.  Raises `ConfigurationError`."""
    for name in names:
        _check(config.get(name), name)
    if ":" in config[names.username]:
        raise ConfigurationError(
            f"{names.username} holds a colon, and no client can send such a name (RFC 7617)."
        )
    return Pair(config[names.username], config[names.password])


def _check(value: object, name: str) -> None:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"@basic_auth_required lets in whoever knows {name}, and it is not set. Set"
            f" app.config[{name!r}] to a text that is not empty."
        )
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raw = b"\0"
    if _has_controls(raw):
        raise ConfigurationError(
            f"{name} holds what no client can send: control characters (a line's end?), or half a"
            " character (RFC 7617)."
        )


def matches(given: Pair, expected: Pair) -> bool:
    """Is *given* equal to *expected*?  (Always compares both parts, in constant time.)"""
    username = _equal(given.username, expected.username)
    password = _equal(given.password, expected.password)
    return username & password


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(sha256(one.encode()).digest(), sha256(other.encode()).digest())


# --- which views ---------------------------------------------------------------------------------


def mark(view: Any, names: Names, realm: str | None) -> None:
    """Note on *view* which settings of *realm* protect it."""
    setattr(view, MARK, (names, realm))


def is_for_the_view(app: Any, request: Any) -> bool:
    """Does the view that *request* is for ask for a username and password of its own?"""
    view = app.view_functions.get(request.endpoint)
    method = getattr(request, "method", None)
    return any(hasattr(part, MARK) for part in handlers(view, method))


def check_views(app: Any) -> None:
    """Raise `ConfigurationError` unless the settings that protect views of *app* are there."""
    managers = managers_of(app)
    for names, realm in _marks(app):
        manager = managers.get(realm)
        configured(app.config if manager is None else manager.config_of(app), names)


def _marks(app: Any) -> Iterator[tuple[Names, str | None]]:
    for view in app.view_functions.values():
        for method in getattr(view, "methods", None) or ("GET",):
            for part in handlers(view, method):
                if (found := getattr(part, MARK, None)) is not None:
                    yield found
