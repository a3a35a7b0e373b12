"""Where may a visitor be sent, and where not?

Rule 1.  To a path of this site, with its query: never to a scheme, a host or a user that somebody
         wrote into it.
Rule 2.  What is emitted is rebuilt from the parts that were understood, quoted anew, and looked at
         once more: one slash, and then neither a slash nor a backslash.
Rule 3.  What no browser would send is refused, not mended: control characters, backslashes, dot
         segments, a great length.
Rule 4.  A target that is refused is None.  Whatever it is, nothing is raised.

Browsers read a ``Location`` by the WHATWG's URL standard: a backslash is a slash, a tab or line
break is nothing, and two slashes begin a host (OWASP ASVS 5.0, requirement 3.7.2).
"""

from __future__ import annotations

import re
from typing import Any, Final, cast
from urllib.parse import quote, unquote

from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri

#: What Werkzeug leaves as it is in a request's path and query.
PATH: Final = "!$&'()*+,/:;=@%"
QUERY: Final = "!$&'()*+,/:;=?@%"

#: No target is longer, in characters, as it comes or as it is emitted.
MAX_LENGTH: Final = 2048

#: A URL that needs no quoting.
_PLAIN: Final = re.compile(r"[A-Za-z0-9/?&=%._~:+-]*")

#: Control characters of ASCII and Latin-1, and what no UTF-8 can say.
_CONTROL: Final = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")

#: A percent sign that quotes nothing.
_STRAY_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")

_ORIGIN: Final = re.compile("https?://([^/?#]*)", re.IGNORECASE)

_EMITTED: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def safe_path(target: object, host: str | None = None) -> str | None:
    """Return *target*, a path of this site, as it may stand in a ``Location``; None if it is not
    one.

    A whole URL is one, too, if its host and port are *host*; a fragment is dropped.
    """
    # isinstance() would ask the object itself, which may raise.
    if not issubclass(type(target), str):
        return None
    text = str.__str__(cast("str", target))
    if len(text) > MAX_LENGTH or "\\" in text or _CONTROL.search(text):
        return None
    own = _without_origin(text, host)
    if own is None:
        return None
    path, _, query = own.partition("#")[0].partition("?")
    path = _STRAY_PERCENT.sub("%25", path)
    return _rebuilt(path, query) if _leads_nowhere_else(path) else None


def _without_origin(text: str, host: str | None) -> str | None:
    """Return *text* without this site's scheme and host; None if it has another's."""
    named = _ORIGIN.match(text)
    if named is None:
        return text if text.startswith("/") else None
    if not host or named[1].lower() != host.lower():
        return None
    rest = text[named.end() :]
    return rest if rest.startswith("/") else f"/{rest}"


def _leads_nowhere_else(path: str) -> bool:
    """Would *path* stay what it is if somebody on its way unquoted and resolved it?"""
    plain = unquote(path)
    if plain[1:2] in ("/", "\\") or _CONTROL.search(plain):
        return False
    return not {".", ".."} & set(re.split(r"[/\\]", plain))


def _rebuilt(path: str, query: str) -> str | None:
    emitted = quote(path, safe=PATH)
    if query:
        emitted += "?" + quote(_STRAY_PERCENT.sub("%25", query), safe=QUERY)
    return emitted if len(emitted) <= MAX_LENGTH and _EMITTED.fullmatch(emitted) else None


def location(url: str) -> str:
    """Return *url* as a ``Location`` can say it.  (Flask would see to that; Quart sends it raw.)"""
    return url if _PLAIN.fullmatch(url) else iri_to_uri(url)


def host_of(request: Any) -> str | None:
    """Return the host and port that *request* was sent to, or None if they are not to be
    trusted."""
    try:
        return request.host or None
    except HTTPException:  # of Werkzeug, where the application says which hosts it trusts
        return None


def safe_next(web: Any, target: object, fallback: str = "/") -> str:
    """Return *target* if it is a path of this site, rebuilt and quoted, or *fallback* as it is.

    *target* may be anything; nothing is raised.  A URL with the host of the request at hand, if
    there is one, is reduced to its path and query.  Longer than 2048 characters is too long.
    """
    host = host_of(web.request) if web.has_request_context() else None
    path = safe_path(target, host)
    return fallback if path is None else path
