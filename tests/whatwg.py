"""Where does a browser go, that is told a ``Location``?

A small model of the WHATWG's URL standard (sections 4.1 and 4.4): enough of it to say which origin
a reference leads to from a page of ``http://localhost``.
"""

from __future__ import annotations

import re

#: C0 controls and space, which are cut off at both ends.
_ENDS = "".join(map(chr, range(0x21)))

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")

#: The schemes in which a backslash is a slash, and any number of slashes begins a host.
_SPECIAL = {"http", "https", "ws", "wss", "ftp", "file"}

HERE = ("http", "localhost")


def origin(reference: str) -> tuple[str, str]:
    """Return scheme and host of where *reference* leads from ``http://localhost/a/b``."""
    text = re.sub("[\t\r\n]", "", reference.strip(_ENDS))
    named = _SCHEME.match(text)
    scheme = named[1].lower() if named else "http"
    if scheme not in _SPECIAL:
        return scheme, ""
    rest = (text[named.end() :] if named else text).replace("\\", "/")
    if named and scheme == "http" and not rest.startswith("//"):
        return HERE  # "http:path" is relative to a page of the same scheme.
    if not named and not rest.startswith("//"):
        return HERE
    authority = re.split("[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    return scheme, authority.rpartition("@")[2].lower()


def path(reference: str) -> list[str]:
    """Return the segments of the path of *reference*, which begins with one slash."""
    text = re.sub("[\t\r\n]", "", reference.strip(_ENDS)).replace("\\", "/")
    segments: list[str] = []
    for segment in re.split("[?#]", text, maxsplit=1)[0].split("/")[1:]:
        plain = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if plain == "..":
            del segments[-1:]
        elif plain != ".":
            segments.append(segment)
    return segments
