"""What does a request's ``Authorization`` header say?

Rule 1.  One header, one scheme, one token68 (RFC 9110, section 11.4).  Repeated headers, and lists,
         are malformed: two readers of the same request must never see two users in it.
Rule 2.  A scheme is read in any case, the rest as it stands.
Rule 3.  What is too long is malformed before anything else looks at it.
Rule 4.  A header that is not for us is not judged: another part of the application may read it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: The longest header, in characters.  (Servers commonly take lines of 8 KiB.)
LIMIT: Final = 8192

#: What every token of ours begins with, so that it is known by sight: by us, who leave other
#: tokens alone, and by those who look for secrets in logs and repositories.
PREFIX: Final = "qlt_"

#: 1*SP stands between the scheme and the token; both are ASCII, and hold no comma.
_CREDENTIALS: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([A-Za-z0-9._~+/-]+=*)", re.ASCII)

# These look for what is meant, however badly it is written, also as the second of a list.
_BEARER: Final = re.compile(r"(?:^|,)[ \t]*(?i:bearer)(?:[ \t,]|$)", re.ASCII)
_TOKEN: Final = re.compile(rf"(?:^|,)[ \t]*(?i:bearer)[ \t]+{PREFIX}", re.ASCII)
_BASIC: Final = re.compile(r"(?:^|,)[ \t]*(?i:basic)(?:[ \t,]|$)", re.ASCII)


class Credentials(NamedTuple):
    """A well-formed header."""

    #: In lower case.
    scheme: str
    token: str

    def __repr__(self) -> str:
        return "<Credentials>"


def parse(sent: str) -> Credentials | None:
    """Return what the header *sent* says, or None if it is malformed."""
    if len(sent) > LIMIT:
        return None
    found = _CREDENTIALS.fullmatch(sent.strip(" \t"))
    return None if found is None else Credentials(found[1].lower(), found[2])


def is_token(sent: str) -> bool:
    """Is *sent* meant to be a bearer token of ours?"""
    return PREFIX in sent and _TOKEN.search(sent) is not None


def is_bearer(sent: str) -> bool:
    """Is *sent* meant to be any bearer token?"""
    return _BEARER.search(sent) is not None


def is_basic(sent: str) -> bool:
    """Is *sent* meant to be a username and a password?"""
    return _BASIC.search(sent) is not None
