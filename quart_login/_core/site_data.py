"""What must the browser forget of this site when somebody logs out?

``LOGIN_CLEAR_SITE_DATA`` lists it; the response of the request that logged out says so in
``Clear-Site-Data`` (W3C; ASVS 14.3.1).  Browsers heed that over HTTPS alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .errors import ConfigurationError

#: What the header can name.
KINDS: Final = (
    "cache",
    "cookies",
    "storage",
    "executionContexts",
    "clientHints",
    "prefetchCache",
    "prerenderCache",
    "*",
)


def check(kinds: object) -> None:
    """Raise `ConfigurationError` unless *kinds*, if there are any, can be sent."""
    is_list = isinstance(kinds, Iterable) and not isinstance(kinds, (str, bytes))
    if kinds is None or (is_list and all(kind in KINDS for kind in kinds)):  # type: ignore[attr-defined]
        return
    raise ConfigurationError(
        f"LOGIN_CLEAR_SITE_DATA must be a list of some of {', '.join(KINDS)}, not {kinds!r}."
    )


def clear(response: Any, kinds: Iterable[str] | None, request: Any) -> None:
    """Let *response* tell the browser of *request* to forget *kinds*."""
    if not kinds or request.scheme != "https" or "Clear-Site-Data" in response.headers:
        return
    # The quotes are part of each (they are quoted strings).
    response.headers["Clear-Site-Data"] = ", ".join(f'"{kind}"' for kind in kinds)
