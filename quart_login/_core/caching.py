"""May a cache show this response to somebody else?

Rule 1.  A response that depended on the user, or that brings a login to the browser, carries
         ``Vary: Cookie`` (RFC 9110, section 12.5.5).
Rule 2.  With ``LOGIN_CACHE_CONTROL_PRIVATE`` it carries ``Cache-Control: private``, too: a cache
         that serves several people keeps no copy (RFC 9111, section 5.2.2.7; ASVS 14.2.2).
Rule 3.  What the view said of caching stays, but for what lets such a cache keep it after all.
Rule 4.  Every other response is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from werkzeug.http import parse_list_header

from .identity import Identity
from .settings import SessionKeys

logger = logging.getLogger("quart_login")

#: What lets a shared cache keep a response, whatever else is said.
_FOR_ALL: Final = ("public", "s-maxage")

#: What keeps it out of shared caches, if no names of header fields follow.
_ENOUGH: Final = ("private", "no-store")


def depends(
    identity: Identity, session: Mapping[str, Any], keys: SessionKeys, config: Mapping[str, Any]
) -> bool:
    """Did the response depend on the user, or does it bring, or take, a login?"""
    if identity.seen:
        return True
    if keys.user_id not in session:  # as in most requests of strangers
        return identity.asked or identity.remember is not None
    return (
        identity.asked
        or identity.remember is not None
        or getattr(session, "modified", True)
        # In this order: Flask 3.0 notes it if somebody reads a session, but not a look at a key.
        or bool(
            "_permanent" in session
            and config.get("SESSION_REFRESH_EACH_REQUEST")
            and session["_permanent"]
        )
    )


def mark(response: Any, private: bool, debug: bool = False) -> None:
    """Let *response* say that it is for one person; *private* is whether Rule 2 holds."""
    taken = protect(response.headers, private)
    if taken is not None and debug:
        logger.warning(
            "A response that depended on the user had Cache-Control: %s, with which caches may show"
            " it to others. It was made private. Do not look at the user in what is for everybody.",
            taken,
        )


def mark_stream(response: Any, private: bool) -> None:
    """Let *response* say that what is yet to come of its body may be for one person."""
    protect(response.headers, private and "Cache-Control" not in response.headers)


def protect(headers: Any, private: bool) -> str | None:
    """Let *headers* say who may be shown this.  Return what had to be taken back, if anything."""
    vary = control = None
    # One look at each: Werkzeug's properties take three times as long.
    for name, value in headers:
        name = name.lower()
        if name == "vary":
            vary = value if vary is None else f"{vary}, {value}"
        elif name == "cache-control":
            control = value if control is None else f"{control}, {value}"
    if vary is None:
        headers.add("Vary", "Cookie")
    elif vary != "Cookie" and not vary.endswith(", Cookie"):
        _vary(headers, vary)
    if not private:
        return None
    if control is None:
        headers.add("Cache-Control", "private")
        return None
    return None if control == "private" else _make_private(headers, control)


def _vary(headers: Any, vary: str) -> None:
    """Add the cookie to what the response varies on."""
    if "*" in vary or "cookie" in vary.lower():  # or in a part of a name, perhaps
        names = [name.strip().lower() for name in vary.split(",")]
        if "*" in names or "cookie" in names:
            return
    headers["Vary"] = f"{vary}, Cookie" if vary.strip() else "Cookie"


def _make_private(headers: Any, control: str) -> str | None:
    """Keep shared caches from a response whose ``Cache-Control`` is *control*."""
    said = parse_list_header(control)
    taken = [word for word in said if word.partition("=")[0].strip().lower() in _FOR_ALL]
    kept = [word for word in said if word and word not in taken]
    if not any(word.lower() in _ENOUGH for word in kept):
        kept.append("private")
    if taken or kept != said:
        headers["Cache-Control"] = ", ".join(kept)
    return ", ".join(taken) or None
