"""May a page of another site open a websocket here?

A browser sends this site's cookies with a handshake, whichever site the page is of that asks for
it, and no rule of CORS stops it.  All that tells is the ``Origin`` header, which a browser always
sends and no script can write (RFC 6455, sections 4.1 and 10.2).

Rule 1.  A page of the same origin may: scheme, host and port are those of the handshake (RFC 6454,
         section 5; a ``ws:`` URL belongs to ``http:`` pages, a ``wss:`` URL to ``https:`` pages).
Rule 2.  So may a page of an origin that the developer named.  ``"*"`` names every origin.
Rule 3.  A client that sends no origin is no browser: nobody else's cookies are in it.
Rule 4.  Whatever is not exactly one origin is refused: ``null``, two of them, or junk.
"""

from __future__ import annotations

import re
from collections.abc import Set
from ipaddress import IPv6Address
from typing import Final, TypeAlias

from .errors import ConfigurationError

#: Scheme, host and port, as two origins are compared.
Origin: TypeAlias = tuple[str, str, int | None]

#: Names every origin.
ANY: Final = "*"

_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)

#: The pages that a websocket's URL belongs to.
_PAGES: Final = {"ws": "http", "wss": "https"}

_PORTS: Final = {"http": 80, "https": 443}


def parse(text: str) -> Origin | None:
    """Return *text*, a serialized origin (RFC 6454, section 6.2), in parts; None if it is none."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return None
    scheme, host, port = found[1].lower(), _host(found[2].lower()), found[3]
    if host is None or int(port or 0) > 65535:
        return None
    return scheme, host, int(port) if port else _PORTS.get(scheme)


def _host(text: str) -> str | None:
    """Return *text* in the one spelling of its host; None if it is an address that is none."""
    if text[0] != "[":
        return text
    try:
        return IPv6Address(text[1:-1]).compressed
    except ValueError:
        return None


def named(origins: object, where: str = "LOGIN_WEBSOCKET_ORIGINS") -> Set[Origin | str]:
    """Return what *origins*, a list of origins or None, names.

    Raises `ConfigurationError`, which blames *where*, if it is another thing, such as one string.
    """
    if origins is None:
        return frozenset()
    if not isinstance(origins, (list, tuple, set, frozenset)):
        raise ConfigurationError(
            f"{where} must be a list of origins, such as ['https://app.example'], or None,"
            f" not {origins!r}."
        )
    return frozenset(_named(origin, where) for origin in origins)


def _named(origin: object, where: str) -> Origin | str:
    if origin == ANY:
        return ANY
    found = parse(origin) if isinstance(origin, str) else None
    if found is None:
        raise ConfigurationError(
            f"{where}: {origin!r} is no origin. Write scheme://host or scheme://host:port, without"
            " a path or a slash at the end: 'https://app.example'; or '*' for every origin."
        )
    return found


def is_allowed(origin: str | None, scheme: str, host: str, allowed: object = None) -> bool:
    """May a page of *origin* open the websocket at ``scheme://host``?

    *origin* is the ``Origin`` header as it was sent, or None if it was not; *host* is the ``Host``
    header, *scheme* ``"ws"`` or ``"wss"``.  *allowed* lists what other origins may.
    """
    if origin is None:
        return True
    listed = named(allowed)
    if ANY in listed:
        return True
    said = parse(origin)
    return said is not None and (said == own(scheme, host) or said in listed)


def own(scheme: str, host: str) -> Origin | None:
    """Return the origin of the pages that belong to a websocket at ``scheme://host``."""
    return parse(f"{_PAGES.get(scheme, scheme)}://{host}")
