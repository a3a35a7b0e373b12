"""Will a browser keep the cookie that this login needs?

A browser ignores a cookie whose name and value take more than 4096 bytes (RFC 6265bis, ASVS 3.3.5):
the login would be lost without a word.  It is refused instead, where a developer sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.http import dump_cookie

from .errors import CookieTooLarge
from .settings import COOKIE_LIMIT

#: A session of fewer characters than this, written in ASCII, always fits; to measure is dearer.
_SMALL: Final = 1500


def check_remember_cookie(name: str, value: str) -> None:
    """Raise `CookieTooLarge` if a browser would ignore the remember cookie."""
    _check(len(dump_cookie(name, value, path=None, max_size=0)), "get_id() return a shorter id")


def check_session_cookie(app: Any, session: Mapping[str, Any]) -> None:
    """Raise `CookieTooLarge` if a browser would ignore a cookie that holds *session*."""
    serializer_for = getattr(app.session_interface, "get_signing_serializer", None)
    # Without a serializer the session is kept on the server, and its cookie is short.
    if serializer_for is None or len(ascii(session)) < _SMALL:
        return
    value = serializer_for(app).dumps(session)
    _check(len(app.config["SESSION_COOKIE_NAME"]) + 1 + len(value), "the session hold less")


def _check(size: int, cure: str) -> None:
    if size - 1 > COOKIE_LIMIT:  # the "=" does not count
        raise CookieTooLarge(
            f"This login needs a cookie of {size - 1} bytes, and browsers ignore cookies of more"
            f" than {COOKIE_LIMIT}: the user would not be logged in. Let {cure}."
        )
