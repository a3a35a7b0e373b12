"""What proves that a login session is this browser's?

A proof is a public id and a secret of 256 random bits.  The session holds one, the remember cookie
another; the store keeps digests of the secrets alone.

Rule 1.  A text that is no proof is refused by its shape, before anything is asked of a store.
Rule 2.  The remember cookie's is signed: only a secret that was ours tells of a theft, and nobody
         who learns an id can end the login with a made-up one.
Rule 3.  Digests are compared in constant time.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final, NamedTuple

from .store import SessionId
from .tokens import Keys, sign, unsign

#: The purpose that the remember cookie of a login session is signed for.
SERIES_SALT: Final = "quart-login.series.1"

_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Proof(NamedTuple):
    """What a browser holds of a login session."""

    id: SessionId
    secret: str

    def __repr__(self) -> str:
        return "<Proof>"


class Series(NamedTuple):
    """What a verified remember cookie says."""

    proof: Proof
    #: Until when it is good, in seconds since 1970.
    ends: int
    #: Did a fallback key verify it?
    by_fallback: bool = False

    def __repr__(self) -> str:
        return "<Series>"


#: A proof of nothing, as long as any.
EXAMPLE: Final = "0" * 22 + "." + "0" * 43


def new_secret() -> str:
    """Return a new secret: 43 characters of base64url (256 random bits)."""
    return token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what a store keeps of *secret*.

    A plain hash is enough for 256 random bits (ASVS 5.0, 6.5.2).
    """
    return sha256(secret.encode()).hexdigest()


def is_of(secret: str, kept: str | None) -> bool:
    """Is *kept* the digest of *secret*?"""
    return kept is not None and kept.isascii() and hmac.compare_digest(digest(secret), kept)


def is_name(text: object) -> bool:
    """Can *text*, which a visitor may have chosen, name a login session?"""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def write(proof: Proof) -> str:
    """Return *proof* as the session holds it."""
    return f"{proof.id}.{proof.secret}"


def read(text: object) -> Proof | None:
    """Return the proof that *text* is, or None."""
    if not isinstance(text, str) or len(text) != 66:
        return None
    return _proof(*text.split(".", 1)) if text[22] == "." else None


def _proof(id: str, secret: str) -> Proof | None:
    return Proof(id, secret) if _ID.fullmatch(id) and _SECRET.fullmatch(secret) else None


def series_salt(audience: str | None) -> str:
    """Return the salt of remember cookies that are good for *audience* alone."""
    return SERIES_SALT if audience is None else f"{SERIES_SALT}|{audience}"


def write_series(series: Series, keys: Keys, audience: str | None) -> str:
    """Return *series* as the remember cookie holds it."""
    return sign([*series.proof, series.ends], keys, series_salt(audience))


def read_series(text: str, keys: Keys, audience: str | None) -> Series | None:
    """Return what the remember cookie *text* says, or None if it is none of a login session."""
    found = unsign(text, keys, series_salt(audience))
    if found is None:
        return None
    match found[0]:
        case [str(id), str(secret), int(ends)]:
            proof = _proof(id, secret)
            return None if proof is None else Series(proof, ends, found[1])
    return None
