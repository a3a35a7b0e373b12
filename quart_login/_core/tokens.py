"""Which words of a visitor did we say ourselves?

Two forms of the remember token are read:

*   Ours, ``payload.signature``: base64 of a JSON list, signed by itsdangerous under a salt that
    names the purpose (ASVS 9.2: a token is good for one use), with the time of issue inside, so
    that the server ends it.  ``SECRET_KEY_FALLBACKS`` are honoured, and seen to have been needed.
*   Flask-Login's, ``id|hmac``: without time or purpose; see ``REMEMBER_COOKIE_LEGACY_UNTIL``.

Whatever else arrives is None, after a look at its length and before any hashing.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256, sha512
from typing import Any, Final, TypeAlias

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode, want_bytes

from .errors import ConfigurationError
from .settings import COOKIE_LIMIT, check_fallbacks
from .users import UserId, is_id

Key: TypeAlias = str | bytes

#: Seconds that no clock shows and no token lives.
_AGES: Final = 10**15

#: The purpose that remember tokens are signed for.  A new form takes a new number.
REMEMBER_SALT: Final = "quart-login.remember-token.1"

#: The purpose that digests in the log are made for.
LOG_SALT: Final = "quart-login.log.1"

#: A payload and the signature of either form.
_FORM: Final = re.compile(r"[\w-]+\.[\w-]{43}|.+\|[0-9a-f]{128}", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an application: *current* signs, all verify."""

    current: Key
    fallbacks: tuple[Key, ...] = ()

    def __repr__(self) -> str:
        return f"<Keys 1+{len(self.fallbacks)}>"


@dataclass(frozen=True, slots=True)
class Token:
    """What a verified remember token says."""

    user_id: UserId
    #: When it was issued, in seconds since 1970; None in Flask-Login's form.
    issued: int | None = None
    #: For how many seconds it was issued; None means as long as the settings say.
    seconds: float | None = None
    #: The digest of the user's session epoch.
    epoch: str | None = None
    #: Did a fallback key verify it?
    by_fallback: bool = False
    #: Is it another library's, so that it must leave the browser?
    foreign: bool = False

    def __repr__(self) -> str:
        return "<Token>"


def keys_of(config: Mapping[str, Any]) -> Keys:
    """Return the keys in *config*.  Raises `ConfigurationError` where there is none."""
    current = config.get("SECRET_KEY")
    if not current:
        raise ConfigurationError(
            "Logins are signed with SECRET_KEY, and it is not set. Set"
            " app.config['SECRET_KEY'] to the output of:"
            ' python -c "import secrets; print(secrets.token_hex(32))"'
        )
    if not isinstance(current, (str, bytes)):
        raise ConfigurationError(
            f"SECRET_KEY must be a str or bytes, not {type(current).__name__}. Older keys belong"
            " into SECRET_KEY_FALLBACKS, a list."
        )
    fallbacks = config.get("SECRET_KEY_FALLBACKS")
    if not fallbacks:
        return _alone(current)
    check_fallbacks(config)
    return Keys(current, tuple(fallbacks))


@lru_cache(maxsize=32)
def _alone(key: Key) -> Keys:
    return Keys(key)


# --- our own form --------------------------------------------------------------------------------


class _Signer(Signer):
    """Signs as its base class does, with the key derived once and the digest made at one call."""

    def get_signature(self, value: str | bytes) -> bytes:
        return base64_encode(hmac.digest(self.secret_keys[-1], want_bytes(value), "sha256"))


@lru_cache(maxsize=32)
def _signer(key: Key, salt: str) -> Signer:
    """Return the signer of *key*, whose derived key is made once."""
    derived = Signer(key, salt=salt, key_derivation="hmac", digest_method=sha256).derive_key()
    return _Signer(derived, salt=salt, key_derivation="none", digest_method=sha256)


def sign(payload: object, keys: Keys, salt: str) -> str:
    """Return *payload*, something that JSON can hold, signed with the current key."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return _signer(keys.current, salt).sign(base64_encode(body)).decode()


def unsign(token: str, keys: Keys, salt: str) -> tuple[Any, bool] | None:
    """Return what was signed as *token*, and whether a fallback key did it; or None."""
    if len(token) > COOKIE_LIMIT or not token.isascii():
        return None
    value, _, signature = token.encode().rpartition(b".")
    for number, key in enumerate((keys.current, *reversed(keys.fallbacks))):
        # As texts: base64 can be spelt in several ways, and ours is the one that counts.
        if hmac.compare_digest(_signer(key, salt).get_signature(value), signature):
            try:
                return json.loads(base64_decode(value)), number > 0
            except (BadData, ValueError, RecursionError):
                return None
    return None


def remember_salt(audience: str | None) -> str:
    """Return the salt of remember tokens that are good for *audience* alone."""
    return REMEMBER_SALT if audience is None else f"{REMEMBER_SALT}|{audience}"


def write_token(token: Token, keys: Keys, audience: str | None) -> str:
    """Return *token* in our own form."""
    payload = [token.user_id, token.issued, token.seconds, token.epoch]
    return sign(payload, keys, remember_salt(audience))


def read_token(text: str, keys: Keys, audience: str | None) -> Token | None:
    """Return the token that *text* is in our own form, or None."""
    found = unsign(text, keys, remember_salt(audience))
    if found is None:
        return None
    payload, by_fallback = found
    match payload:
        case [user_id, int(issued), None | int() | float() as seconds, None | str() as epoch]:
            if is_id(user_id) and _is_time(issued) and _is_time(seconds or 0):
                return Token(user_id, issued, seconds, epoch, by_fallback)
    return None


def _is_time(seconds: float) -> bool:
    """Can *seconds* be reckoned with?"""
    return -_AGES < seconds < _AGES


def pseudonym(text: str, key: Key, realm: str | None) -> str:
    """Return 96 bits that stand for *text* in the log of *realm*, and tell it to nobody without
    *key*.
    """
    salt = LOG_SALT if realm is None else f"{LOG_SALT}|{realm}"
    return _signer(key, salt).get_signature(text.encode("utf-8", "surrogatepass")).decode()[:16]


def is_formed(text: str) -> bool:
    """Is *text* built as a remember token of either form is, whoever signed it?"""
    return len(text) <= COOKIE_LIMIT and _FORM.fullmatch(text) is not None


# --- Flask-Login's form --------------------------------------------------------------------------


def key_bytes(key: Key) -> bytes:
    """Return *key* as Flask-Login signs with it: in Latin-1, or UTF-8 where that cannot be."""
    if isinstance(key, bytes):
        return key
    try:
        return key.encode("latin1")
    except UnicodeEncodeError:
        return key.encode()


def legacy_digest(payload: str, key: Key) -> str:
    """Return the signature that Flask-Login puts behind *payload*."""
    return hmac.new(key_bytes(key), payload.encode("utf-8", "surrogatepass"), sha512).hexdigest()


def encode_legacy(payload: str, key: Key) -> str:
    """Return *payload* in Flask-Login's form, signed with *key*."""
    return f"{payload}|{legacy_digest(payload, key)}"


def decode_legacy(cookie: str, keys: Sequence[Key]) -> tuple[str, bool] | None:
    """Return what was encoded as *cookie*, and if another key than the first did it; or None."""
    payload, bar, digest = cookie.rpartition("|")
    # compare_digest raises for text that is not ASCII: any visitor can send that.
    if not bar or len(cookie) > COOKIE_LIMIT or not digest.isascii():
        return None
    for number, key in enumerate(keys):
        if hmac.compare_digest(legacy_digest(payload, key), digest):
            return payload, number > 0
    return None


def read_legacy(cookie: str, keys: Keys) -> Token | None:
    """Return the token that *cookie* is in Flask-Login's form, or None."""
    found = decode_legacy(cookie, (keys.current, *reversed(keys.fallbacks)))
    if found is None or not is_id(found[0]):
        return None
    return Token(found[0], by_fallback=found[1])


# --- the keys themselves -------------------------------------------------------------------------

#: A shorter key can be guessed (NIST SP 800-107: at least 112 bits; 16 bytes are 128).
MIN_KEY_BYTES: Final = 16


def is_weak(keys: Keys) -> bool:
    """Is the key that signs short enough to be guessed?"""
    return len(keys.current if isinstance(keys.current, bytes) else keys.current.encode()) < (
        MIN_KEY_BYTES
    )
