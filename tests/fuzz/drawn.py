"""What may a hostile client send?  Any bytes in any header, and above all: nearly what is good.

A request is drawn by a `random.Random` alone, so its number tells all of it.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

#: The most that all headers of a request hold, as servers let through.
MOST: Final = 64 * 1024

#: What parsers trip over.
HINTS: Final = [
    b"",
    b";",
    b"=",
    b"|",
    b".",
    b",",
    b'"',
    b"'",
    b"\\",
    b"\\351",
    b"%",
    b"%ff",
    b"\0",
    b"\r\n",
    b"\t",
    b"\xff",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"eyJ",
    b"e30",
    b"null",
    b"NaN",
    b"1e999",
    b"-1",
    b"0" * 5000,
    b"[" * 2000,
    b"{" * 2000,
    b"//",
    b"http://[",
    b"http://evil.example\\@localhost/",
    b":99999",
    b"@",
    b"*/*;q=",
    b"q=1e9",
    b"bytes=0-",
    b"{} ${7*7} %s %n",
]

PAGES: Final = [
    ("/me", "GET"),
    ("/me", "GET"),
    ("/me", "GET"),
    ("/private", "GET"),
    ("/private", "HEAD"),
    ("/private", "OPTIONS"),
    ("/private", "POST"),
    ("/very", "GET"),
    ("/out", "GET"),
    ("/confirm", "GET"),
    ("/is-remembered", "GET"),
    ("/next", "GET"),
    ("/go", "GET"),
    ("/nowhere", "GET"),
]

#: Headers that somebody here, or in a framework, reads.
NAMES: Final = [
    b"Accept",
    b"Accept-Encoding",
    b"Accept-Language",
    b"Content-Length",
    b"Content-Type",
    b"Expect",
    b"Forwarded",
    b"Host",
    b"HX-Boosted",
    b"HX-Current-URL",
    b"HX-Request",
    b"If-Modified-Since",
    b"If-None-Match",
    b"Origin",
    b"Range",
    b"Referer",
    b"Sec-Fetch-Dest",
    b"Sec-Fetch-Mode",
    b"Sec-Fetch-Site",
    b"Sec-WebSocket-Protocol",
    b"Transfer-Encoding",
    b"Turbo-Frame",
    b"Upgrade",
    b"User-Agent",
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"X-Forwarded-Proto",
    b"X-HTTP-Method-Override",
    b"X-Requested-With",
]

#: What is good in some header, so that what follows it is read.
WORDS: Final = [
    b"text/html",
    b"application/json",
    b"*/*",
    b"true",
    b"XMLHttpRequest",
    b"same-origin",
    b"cross-site",
    b"navigate",
    b"cors",
    b"document",
    b"null",
    b"http://localhost",
    b"http://evil.example",
    b"localhost",
    b"127.0.0.1",
    b"websocket",
    b"100-continue",
    b"chunked",
    b"12",
]

SCHEMES: Final = [b"Bearer ", b"Basic ", b"bearer\t", b"BASIC  ", b"Digest ", b"Negotiate ", b""]


class Credential(NamedTuple):
    """Something that logs a user in, as it was issued."""

    #: The cookie's name, or a scheme of ``Authorization``.
    place: str
    text: str
    user: str

    def __repr__(self) -> str:
        return f"<Credential {self.place} of {self.user}>"


class Request(NamedTuple):
    path: str
    method: str
    query: bytes
    headers: list[tuple[bytes, bytes]]


class Draw:
    """Draws requests to a site that issued *credentials*."""

    def __init__(self, seed: str, credentials: Sequence[Credential]) -> None:
        self._dice, self._credentials = random.Random(seed), credentials
        self._names = sorted({one.place.encode() for one in credentials if one.place != "Bearer"})

    def request(self) -> Request:
        dice = self._dice
        path, method = dice.choice(PAGES)
        headers = [self._header() for _ in range(dice.randrange(6))]
        query = b"next=" + self._text() if dice.random() < 0.3 else b""
        if dice.random() < 0.02:
            query += self._noise() * self._any([1, 1000])
        if dice.random() < 0.05:
            headers = self._inflated(headers)
        dice.shuffle(headers)
        return Request(path, method, query, _cut(headers))

    def _header(self) -> tuple[bytes, bytes]:
        dice = self._dice.random()
        if dice < 0.5:
            return b"Cookie", self._cookies()
        if dice < 0.7:
            return b"Authorization", self._authorization()
        if dice < 0.95:
            return self._dice.choice(NAMES), self._text()
        return self._noise() or b"X", self._noise()

    def _cookies(self) -> bytes:
        separator = self._any([b"; ", b"; ", b"; ", b";", b",", b" ; ", b"\0"])
        return separator.join(self._cookie() for _ in range(self._dice.randrange(1, 4)))

    def _cookie(self) -> bytes:
        name = self._any([*self._names * 4, b"", b"Session", b"session ", b"__Host-session"])
        return name + self._any([b"=", b"=", b"=", b"==", b" = ", b'="', b""]) + self._value()

    def _authorization(self) -> bytes:
        if self._dice.random() < 0.3:
            return self._any(SCHEMES) + b64encode(self._value() + b":" + self._value())
        return self._any(SCHEMES) + self._value()

    def _value(self) -> bytes:
        """Draw what is good, nearly good, or junk."""
        if not self._credentials or self._dice.random() < 0.2:
            return self._text()
        good = self._dice.choice(self._credentials).text.encode("latin1")
        return good if self._dice.random() < 0.25 else self._mutated(good)

    def _mutated(self, good: bytes) -> bytes:
        dice, other = self._dice, self._dice.choice(self._credentials).text.encode("latin1")
        at, rest = dice.randrange(len(good) + 1), dice.randrange(len(other) + 1)
        flipped = bytes([good[at % len(good)] ^ (1 << dice.randrange(8))])
        return self._any(
            [
                good[:at],
                good[at:],
                good[:at] + flipped + good[at + 1 :],
                good[:at] + self._noise() + good[at:],
                good[:at] + self._any(HINTS) + good[at:],
                good[:at] + other[rest:],
                good.swapcase(),
                good + good,
                good + b"=",
                b" " + good,
                b'"' + good + b'"',
                b".".join(reversed(good.split(b"."))),
                b".".join([*good.split(b".")[:-1], other.split(b".")[-1]]),
                b".".join([other.split(b".")[0], *good.split(b".")[1:]]),
            ]
        )

    def _text(self) -> bytes:
        parts = [self._any([*HINTS, *WORDS * 2]) for _ in range(self._dice.randrange(4))]
        return b"".join([*parts, self._noise()] if self._dice.random() < 0.3 else parts)

    def _noise(self) -> bytes:
        return self._dice.randbytes(self._dice.choice([0, 1, 2, 8, 60]))

    def _inflated(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return *headers* with as much in them as a server lets through."""
        dice = self._dice.random()
        if dice < 0.3:  # in one value
            unit = self._value() or b"a"
            return [*headers, (b"Cookie", b"remember_token=" + unit * (MOST // len(unit)))]
        if dice < 0.6:  # in many cookies
            return [*headers, (b"Cookie", b"; ".join([self._cookie()[:400]] * 2000))]
        if dice < 0.8:  # in many headers
            return [*headers, *([self._header()] * 200)]
        unit = self._text() or b","
        return [*headers, (self._any(NAMES), unit * (MOST // len(unit)))]

    def _any(self, things: Sequence[Any]) -> Any:
        return self._dice.choice(things)


def _cut(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return as many of *headers* as there is room for."""
    room, found = MOST, []
    for name, value in headers:
        found.append((_line(name)[:200], _line(value)[:room]))
        room -= len(found[-1][1])
    return found


def _line(text: bytes) -> bytes:
    """Return *text* without what ends a header's line: that is one byte no server lets through."""
    return text.translate(None, b"\r\n")
