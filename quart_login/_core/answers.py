"""What does an application's answer tell, and of whom?

Rule 1.  A stranger was refused if the library said so, or the answer does: status 401 or 403, or a
         redirect that is not what a user gets.
Rule 2.  A page depends on its visitor if something is in both answers to one, and in no answer to
         another.  What changes at each visit, as a time or a nonce does, tells nothing; nor does
         what is said to caches, and to the connection.
Rule 3.  What depends on its visitor, and what brings a login, says so to caches; see `caching`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from werkzeug.http import parse_list_header

from .set_cookies import parse
from .signals import user_accessed, user_logged_in, user_unauthorized

#: What an answer tells of that happened meanwhile.
REFUSED: Final = "refused"
LOGGED_IN: Final = "logged in"
LOOKED: Final = "looked at the user"

#: The signals that tell it.
HEARD: Final = (
    (user_unauthorized, REFUSED),
    (user_logged_in, LOGGED_IN),
    (user_accessed, LOOKED),
)

#: Headers that are not what a cache keeps for others, but what it is told, or what comes anew.
_NOT_SHOWN: Final = frozenset(
    {
        "age",
        "cache-control",
        "cdn-cache-control",
        "clear-site-data",
        "connection",
        "date",
        "expires",
        "keep-alive",
        "pragma",
        "set-cookie",
        "surrogate-control",
        "transfer-encoding",
        "vary",
    }
)

_WORDS: Final = re.compile(rb"\w+|[^\w\s]")


class NoAnswer(Exception):
    """No answer came in time; the message says in which."""


@dataclass(frozen=True)
class Sent:
    """A request, or a handshake."""

    method: str
    path: str
    #: None for the usual one.
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    #: None for what is yet to be made while it is sent, perhaps without end.
    body: bytes | None = b""
    #: What happened meanwhile: `REFUSED`, `LOGGED_IN`, `LOOKED`.
    told: frozenset[str] = frozenset()
    #: What was raised in place of an answer.
    error: BaseException | None = field(default=None, repr=False)
    #: Why nobody was logged in, if somebody looked; empty if somebody was.
    anonymous: str | None = None

    @property
    def is_failure(self) -> bool:
        return self.error is not None or self.status >= 500

    @property
    def is_limited(self) -> bool:
        """Was it said that too much was asked (RFC 6585, section 4)?"""
        return self.status == 429

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status < 400 and bool(self.all("Location"))

    def all(self, name: str) -> list[str]:
        """Return the values of the header *name*."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def listed(self, name: str) -> set[str]:
        """Return what the header *name* lists, in lower case."""
        return {item.lower() for value in self.all(name) for item in parse_list_header(value)}

    def __str__(self) -> str:
        if self.error is not None:
            return type(self.error).__name__
        return " ".join([f"status {self.status}", *(f"to {url}" for url in self.all("Location"))])


# --- Rule 1 --------------------------------------------------------------------------------------


def is_refusal(answer: Answer) -> bool:
    """Does *answer*, to a stranger, plainly refuse?"""
    return answer.error is None and (REFUSED in answer.told or answer.status in (401, 403))


def shows_the_same(answer: Answer, user: Answer | None) -> bool:
    """Does *answer*, to a stranger, bring what a *user* gets, whatever was told meanwhile?"""
    if user is None or not 200 <= answer.status < 300 or answer.status != user.status:
        return False
    return bool(answer.body) and answer.body == user.body


def sends_away(answer: Answer, user: Answer | None) -> bool:
    """Does *answer*, to a stranger, lead elsewhere than that to a *user*, if there is one?"""
    if answer.error is not None or not answer.is_redirect:
        return False
    return user is None or _outline(user) != _outline(answer)


# --- Rule 2 --------------------------------------------------------------------------------------


def tells_apart(some: Sequence[Answer], others: Sequence[Answer]) -> bool:
    """Do answers to one visitor, *some*, differ from *others*, to another, each time?"""
    ours, theirs = [_traits(one) for one in some], [_traits(one) for one in others]
    return bool(
        frozenset.intersection(*ours) - frozenset.union(*theirs)
        or frozenset.intersection(*theirs) - frozenset.union(*ours)
    )


def _outline(answer: Answer) -> tuple[object, ...]:
    return answer.status, tuple(answer.all("Location"))


def _traits(answer: Answer) -> frozenset[object]:
    """Return all by which *answer* may be told from another: each word with its neighbour, too."""
    words = [b"", *_WORDS.findall(answer.body or b""), b""]
    said = ((name.lower(), value) for name, value in answer.headers)
    shown = (header for header in said if header[0] not in _NOT_SHOWN)
    return frozenset([_outline(answer), *shown, *words, *pairwise(words)])


# --- Rule 3 --------------------------------------------------------------------------------------


def unmarked(answer: Answer, private: bool) -> str | None:
    """Return which marks *answer* lacks that keep caches from showing it to others; None for none.

    *private* says whether it must stay out of caches that serve several people.
    """
    missing = []
    if not answer.listed("Vary") & {"cookie", "*"}:
        missing.append("Vary: Cookie")
    if private and not keeps_out(answer):
        missing.append("Cache-Control: private")
    return " and ".join(missing) or None


def keeps_out(answer: Answer) -> bool:
    """Does *answer* keep caches out that serve several people?"""
    said = answer.listed("Cache-Control")
    if any(word.partition("=")[0] in ("public", "s-maxage") for word in said):
        return "no-store" in said
    return bool(said & {"private", "no-store"})


def brings_login(answer: Answer, login_cookies: Container[str], user: bool) -> bool:
    """Does *answer* set one of the *login_cookies*, with a login in it?  *user* says whether it is
    to somebody who is logged in.
    """
    if not user and LOGGED_IN not in answer.told:
        return False  # It may be a session, but nobody's.
    sent = map(parse, answer.all("Set-Cookie"))
    return any(one.name in login_cookies and not one.is_deletion for one in sent)
