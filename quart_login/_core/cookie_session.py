"""How is the frameworks' session cookie read and written without making their signer each time?

Rule 1.  What is quick says yes, or nothing.  A cookie that is not plainly good is judged by
         itsdangerous, as ever; so no cookie is good here that is not good there, and none is bad.
Rule 2.  A serializer is kept for as long as all that it was made of is the same.  A key that was
         changed is the key of the next request.
Rule 3.  What is written can be read by the framework: only never compressed where it is short.

``serializer`` is the framework's tagged JSON; `LeanCookieSessionInterface`, of either shell, hands
it in.
"""

from __future__ import annotations

import hmac
import json
import zlib
from binascii import a2b_base64
from functools import cached_property
from math import inf
from types import NoneType
from typing import Any, Final, TypeAlias

from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode, want_bytes

#: The bytes of JSON from which on a session is compressed, unless the interface says otherwise.
#: Below it, that takes longer than all the rest, and saves some fifty bytes.
COMPRESS_FROM: Final = 512

#: Of these types is what JSON holds by itself, and no tag is for.
_UNTAGGED: Final = frozenset({str, int, float, bool, NoneType})

#: What base64 for URLs spells otherwise.
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")

#: Reads JSON as `json.loads` does, and is asked without its ado.
_DECODER: Final = json.JSONDecoder()

#: What a serializer is made of.
Parts: TypeAlias = tuple[Any, ...]


def parts_of(interface: Any, app: Any) -> Parts:
    """Return all that the serializer of *app* depends on.

    (Compared with ``==``, keys among it: by the application alone, with its own former ones.)
    """
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS")
    return (
        app.secret_key,
        tuple(fallbacks) if fallbacks else None,
        interface.salt,
        interface.key_derivation,
        interface.digest_method,
        interface.compress_from,
        tuple(interface.serializer.tags),
    )


def keep(made: URLSafeTimedSerializer | None, compress_from: int) -> URLSafeTimedSerializer | None:
    """Return a serializer to keep in place of *made*, which the framework made; or *made* itself,
    where it is none of itsdangerous's own.
    """
    return KeptSerializer(made, compress_from) if type(made) is URLSafeTimedSerializer else made


class KeptSerializer(URLSafeTimedSerializer):
    """Does what *like* does, many times."""

    def __init__(self, like: URLSafeTimedSerializer, compress_from: int) -> None:
        super().__init__(
            like.secret_keys,
            salt=like.salt,
            serializer=like.serializer,
            signer_kwargs=like.signer_kwargs,
        )
        tagged: Any = like.serializer
        self._tagged = tagged
        self._untagged = type(tagged)()
        self._untagged.order.clear()
        self._compress_from = compress_from
        # A tag is the only key of an object.  Those of the frameworks begin with a space.
        self._tags_show = all(tag.startswith(" ") for tag in tagged.tags)

    @cached_property
    def _signer(self) -> TimestampSigner:
        """The signer, whose keys are derived once.  (Not before there is something to sign: a
        build of Python may lack the digest, and an application the need for it.)
        """
        signer = super().make_signer()
        keys = [signer.derive_key(key) for key in signer.secret_keys]
        return TimestampSigner(
            keys, salt=signer.salt, key_derivation="none", digest_method=signer.digest_method
        )

    @cached_property
    def _digest(self) -> Any:
        return _quick(self._signer.digest_method)

    def make_signer(self, salt: str | bytes | None = None) -> TimestampSigner:
        """Return the signer that is kept, or make one for another *salt*."""
        if salt is None or salt == self.salt:
            return self._signer
        made: Any = super().make_signer(salt)
        return made  # type: ignore[no-any-return]

    # --- reading ---------------------------------------------------------------------------------

    def loads(  # type: ignore[override]
        self,
        s: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
        salt: str | bytes | None = None,
    ) -> Any:
        """Return what was signed as *s*, at most *max_age* seconds ago, as itsdangerous does."""
        if max_age is not None and salt is None and not return_timestamp:
            payload = self._plainly_good(want_bytes(s), max_age)
            if payload is not None:
                return self.load_payload(payload)
        return super().loads(s, max_age, return_timestamp, salt)

    def _plainly_good(self, signed: bytes, max_age: int) -> bytes | None:
        """Return the payload of *signed* if it is plain that it is good."""
        value, _, signature = signed.rpartition(b".")
        signer, digest = self._signer, self._digest
        for key in reversed(signer.secret_keys):  # the newest first
            # As texts: base64 can be spelt in several ways, and the others are not plain.
            made = base64_encode(hmac.digest(key, value, digest))
            if hmac.compare_digest(made, signature):
                payload, dot, stamp = value.rpartition(b".")
                age = signer.get_timestamp() - _time(stamp)
                return payload if dot and 0 <= age <= max_age else None
        return None

    def load_payload(self, payload: bytes, *args: Any, **kwargs: Any) -> Any:
        """Return what *payload* says; raise `BadPayload` if it is no JSON."""
        try:
            text = _unpacked(payload).decode()
            if self._tags_show and '" ' not in text and "\\u0020" not in text:
                said, end = _DECODER.raw_decode(text)
                if end == len(text):
                    return said
        except Exception:  # zlib's, base64's, JSON's, too deep: itsdangerous says which
            pass
        return super().load_payload(payload, *args, **kwargs)

    # --- writing ---------------------------------------------------------------------------------

    def dump_payload(self, obj: Any) -> bytes:
        """Return *obj* as text that can be signed."""
        writer = self._untagged if self._needs_no_tags(obj) else self._tagged
        return _packed(want_bytes(writer.dumps(obj)), self._compress_from)

    def _needs_no_tags(self, obj: Any) -> bool:
        """Would the tagged JSON leave *obj* as it is?  (An application may have tags of its own,
        for anything.)
        """
        return (
            type(obj) is dict
            and (len(obj) != 1 or next(iter(obj)) not in self._tagged.tags)
            and all(type(value) in _UNTAGGED for value in obj.values())
            and [type(tag) for tag in self._tagged.order] == self._tagged.default_tags
        )


def _quick(method: Any) -> Any:
    """Return the name of the digest that *method* makes, by which OpenSSL does it at one call; or
    *method*, where that is none of OpenSSL's.
    """
    probe = bytes(range(256))
    try:
        name = method().name
        same = hmac.digest(probe, probe, name) == hmac.new(probe, probe, method).digest()
    except (AttributeError, TypeError, ValueError):
        return method
    return name if same else method


def _decoded(text: bytes) -> bytes:
    """Return what *text* is in base64, as itsdangerous decodes it, in fewer steps."""
    return a2b_base64((text + b"=" * (-len(text) % 4)).translate(_URL_SAFE))


def _time(stamp: bytes) -> float:
    """Return the second that *stamp* says; infinity, which is never, where it says none."""
    try:
        said = _decoded(stamp)
    except ValueError:
        return inf
    return int.from_bytes(said, "big") if len(said) <= 8 else inf


def _unpacked(payload: bytes) -> bytes:
    if payload.startswith(b"."):
        return zlib.decompress(_decoded(payload[1:]))
    return _decoded(payload)


def _packed(data: bytes, compress_from: int) -> bytes:
    if len(data) >= compress_from:
        packed = zlib.compress(data)
        if len(packed) < len(data) - 1:
            return b"." + base64_encode(packed)
    return base64_encode(data)
