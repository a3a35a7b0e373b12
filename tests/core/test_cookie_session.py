"""How is the frameworks' session cookie read and written without making their signer each time?"""

from __future__ import annotations

import hashlib
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from core.paper import KEY, NOW, OLD_KEY
from flask.json.tag import JSONTag, TaggedJSONSerializer
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from quart_login._core.cookie_session import COMPRESS_FROM, KeptSerializer, keep, parts_of

MONTH = 31 * 24 * 60 * 60

#: A session as a login leaves it.
LOGIN = {"_user_id": "7", "_fresh": True, "_id": "0123456789abcdef" * 8}

SESSIONS: list[Any] = [
    {},
    LOGIN,
    {"_permanent": True, "count": 3, "share": 0.5, "nothing": None},
    {"_flashes": [("message", "Please log in.")]},
    {"basket": {"apples": 3}, "seen": [1, 2]},
    {"raw": b"\x00\xff"},
    {" t": [1]},
    {" t": "text"},
    {" di": {" t": [1]}, "other": 1},
    {"one": {" b": "text"}},
    {"said": 'a " quote', "path": "\\u0020t"},
    {"é": "ñ\x00", "": ""},
    {"long": "ab" * COMPRESS_FROM},
    {"long": LOGIN["_id"] * 5, "flash": ("x",)},
]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return the time that cookies are signed at, which a test may set."""
    clock = SimpleNamespace(now=int(NOW))
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: clock.now)
    return clock


def theirs(
    *keys: str, serializer: Any = None, digest: Any = hashlib.sha1, salt: str = "cookie-session"
) -> URLSafeTimedSerializer:
    """Return a serializer as the frameworks make it, with *keys*, the current one last."""
    return URLSafeTimedSerializer(
        list(keys or [KEY]),
        salt=salt,
        serializer=serializer or TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": "hmac", "digest_method": digest},
    )


def ours(*keys: str, compress_from: int = COMPRESS_FROM, **options: Any) -> KeptSerializer:
    return KeptSerializer(theirs(*keys, **options), compress_from)


def verdict(serializer: URLSafeTimedSerializer, cookie: str, **options: Any) -> str:
    """Return what *serializer* says of *cookie*, or how it objects."""
    try:
        return repr(serializer.loads(cookie, **{"max_age": MONTH, **options}))
    except Exception as error:  # of a date that is none, itsdangerous raises a ValueError
        return type(error).__name__


#: The time, as a cookie says it.
STAMP = base64_encode(int(NOW).to_bytes(4, "big"))


def sealed(payload: bytes, stamp: bytes = STAMP) -> str:
    """Return *payload* signed under the key, with *stamp* for its time, or none."""
    value = payload + b"." + stamp if stamp else payload
    return (value + b"." + theirs().make_signer().get_signature(value)).decode()


# --- both directions -----------------------------------------------------------------------------


@pytest.mark.parametrize("session", SESSIONS, ids=repr)
def test_each_reads_what_the_other_wrote(session: Any) -> None:
    for writer, reader in ((theirs(), ours()), (ours(), theirs()), (ours(), ours())):
        assert reader.loads(writer.dumps(session), max_age=MONTH) == session


@pytest.mark.parametrize("session", SESSIONS, ids=repr)
def test_where_everything_is_compressed_the_bytes_are_the_same(session: Any) -> None:
    assert ours(compress_from=0).dumps(session) == theirs().dumps(session)


def test_a_short_session_is_not_compressed_and_a_long_one_is() -> None:
    assert not ours().dumps(LOGIN).startswith(".")
    assert ours().dumps({"long": "ab" * COMPRESS_FROM}).startswith(".")
    assert not ours(compress_from=0).dumps({"short": 1}).startswith(".")  # It would grow.


def test_the_fallback_keys_are_read_and_the_current_one_is_written() -> None:
    both = ours(OLD_KEY, KEY)
    assert both.loads(theirs(OLD_KEY).dumps(LOGIN), max_age=MONTH) == LOGIN
    assert both.loads(theirs(KEY).dumps(LOGIN), max_age=MONTH) == LOGIN
    assert theirs(KEY).loads(both.dumps(LOGIN)) == LOGIN
    assert verdict(theirs(OLD_KEY), both.dumps(LOGIN)) == "BadTimeSignature"
    assert verdict(ours(KEY), theirs(OLD_KEY).dumps(LOGIN)) == "BadTimeSignature"


def test_another_salt_is_another_purpose() -> None:
    mine = ours()
    for salt in ("other", b"other"):
        assert theirs(salt="other").loads(mine.dumps(LOGIN, salt)) == LOGIN
        assert mine.loads(theirs(salt="other").dumps(LOGIN), MONTH, salt=salt) == LOGIN
    assert verdict(mine, theirs(salt="other").dumps(LOGIN)) == "BadTimeSignature"


def test_what_no_interface_asks_is_answered_as_well(now: Any) -> None:
    cookie = theirs().dumps(LOGIN)
    assert ours().loads(cookie.encode()) == LOGIN
    assert ours().loads(cookie, MONTH, True) == theirs().loads(cookie, MONTH, True)
    assert ours().loads_unsafe(cookie) == (True, LOGIN)


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise AssertionError("this is the slow way")


def test_a_login_is_read_and_written_on_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    tagged = TaggedJSONSerializer()
    mine = ours(OLD_KEY, KEY, serializer=tagged)
    cookies = [theirs(OLD_KEY).dumps(LOGIN), theirs(KEY).dumps(LOGIN)]
    for place, name in (
        (URLSafeTimedSerializer, "loads"),
        (URLSafeTimedSerializer, "load_payload"),
        (URLSafeTimedSerializer, "dump_payload"),
        (TaggedJSONSerializer, "loads"),
        (JSONTag, "check"),
    ):
        monkeypatch.setattr(place, name, refuse)
    for cookie in [*cookies, mine.dumps(LOGIN)]:
        assert mine.loads(cookie, max_age=MONTH) == LOGIN


def test_the_key_is_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ours()
    cookie = mine.dumps(LOGIN)
    mine.loads(cookie, max_age=MONTH)
    monkeypatch.setattr("itsdangerous.signer.hmac.new", refuse)
    assert mine.loads(cookie, max_age=MONTH) == LOGIN


# --- the same verdict ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ".",
        "..",
        "junk",
        "é.é.é",
        "\x00" * 9,
        sealed(b"e30", b"") + "x",
        sealed(b"e30", b""),  # no time
        sealed(STAMP, b""),
        sealed(b"", b""),
        sealed(b""),
        sealed(b"."),
        sealed(b".e30"),  # said to be compressed
        sealed(b"e"),  # no base64
        sealed(b"e!3!0"),  # with more than base64
        sealed(b"e30=="),
        sealed(b"e30", b"!"),  # no time
        sealed(b"e30", b"a"),
        sealed(b"e30", base64_encode(b"\0" * 4 + int(NOW).to_bytes(4, "big"))),
        sealed(b"e30", base64_encode(b"\0" * 5 + int(NOW).to_bytes(4, "big"))),
        sealed(b"e30", base64_encode(b"\xff" * 6)),  # not of this world
        sealed(base64_encode(b"{} ")),
        sealed(base64_encode(b" {}")),
        sealed(base64_encode(b"{}{}")),
        sealed(base64_encode(b"\xff")),
        sealed(base64_encode(b"\xef\xbb\xbf{}")),
        sealed(base64_encode(b"[" * 100_000)),
        sealed(base64_encode(b'{"a":' + b"1" * 5000 + b"}")),
        sealed(base64_encode(b'{"\\u0020t":[1]}')),  # a tag, spelt otherwise
        sealed(base64_encode(b'{ " t" : [1] }')),
        sealed(base64_encode(b'{" u":"no uuid"}')),
        sealed(base64_encode(b'{"a":1,"a":2}')),
        sealed(base64_encode(b"NaN")),
    ],
)
def test_whatever_comes_is_judged_alike(cookie: str) -> None:
    assert verdict(ours(), cookie) == verdict(theirs(), cookie)


def test_a_signature_that_is_spelt_otherwise_is_judged_alike() -> None:
    """Twenty bytes leave two bits of the last letter to chance."""
    cookie = theirs().dumps(LOGIN)
    good = 0
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=!":
        other = cookie[:-1] + letter
        assert verdict(ours(), other) == verdict(theirs(), other)
        good += verdict(ours(), other) == repr(LOGIN)
    assert good == 4


@pytest.mark.parametrize("age", [-1, 0, 1, MONTH - 1, MONTH, MONTH + 1])
def test_an_age_is_judged_alike(now: Any, age: int) -> None:
    cookie = ours().dumps(LOGIN)
    now.now += age
    good = 0 <= age <= MONTH
    assert (verdict(ours(), cookie) == repr(LOGIN)) is good
    assert verdict(ours(), cookie) == verdict(theirs(), cookie)
    assert verdict(ours(), cookie, max_age=None) == verdict(theirs(), cookie, max_age=None)


# --- what an application may change --------------------------------------------------------------


class Reversed(JSONTag):
    """Writes texts backwards."""

    key = "!r"

    def check(self, value: Any) -> bool:
        return isinstance(value, str)

    def to_json(self, value: Any) -> Any:
        return value[::-1]

    def to_python(self, value: Any) -> Any:
        return value[::-1]


def test_an_application_s_own_tag_is_read_and_written() -> None:
    tagged = TaggedJSONSerializer()
    tagged.register(Reversed)
    cookie = theirs(serializer=tagged).dumps(LOGIN)
    assert ours(serializer=tagged, compress_from=0).dumps(LOGIN) == cookie
    assert ours(serializer=tagged).loads(cookie, max_age=MONTH) == LOGIN


def test_a_tag_that_comes_later_is_written_at_once() -> None:
    tagged = TaggedJSONSerializer()
    mine = ours(serializer=tagged, compress_from=0)
    mine.dumps(LOGIN)
    tagged.register(Reversed)
    assert mine.dumps(LOGIN) == theirs(serializer=tagged).dumps(LOGIN)


@pytest.mark.parametrize(
    "digest",
    [
        hashlib.sha1,
        hashlib.sha256,
        lambda data=b"": hashlib.sha512(data),
        hashlib.blake2b,
        partial(hashlib.blake2b, digest_size=20),  # by its name, another
        lambda data=b"": SimpleNamespaceDigest(data),  # without a name
    ],
)
def test_any_digest_is_that_digest(digest: Any) -> None:
    cookie = theirs(digest=digest).dumps(LOGIN)
    assert ours(digest=digest, compress_from=0).dumps(LOGIN) == cookie
    # Not by way of itsdangerous: it is plain that this is good.
    assert ours(digest=digest)._plainly_good(cookie.encode(), MONTH) is not None


class SimpleNamespaceDigest:
    """The digest of somebody who wrote their own."""

    digest_size, block_size = 32, 64

    def __init__(self, data: bytes) -> None:
        self._held = hashlib.sha256(data)

    def update(self, data: bytes) -> None:
        self._held.update(data)

    def digest(self) -> bytes:
        return self._held.digest()

    def copy(self) -> SimpleNamespaceDigest:
        other = SimpleNamespaceDigest(b"")
        other._held = self._held.copy()
        return other


def test_a_digest_is_not_asked_for_before_something_is_signed() -> None:
    def missing(data: bytes = b"") -> NoReturn:
        raise ValueError("this build has none")

    mine = ours(digest=missing)
    with pytest.raises(ValueError, match="this build has none"):
        mine.loads("a.b.c", max_age=MONTH)


def test_only_what_is_itsdangerous_s_own_is_replaced() -> None:
    class Other(URLSafeTimedSerializer):
        pass

    other = Other(KEY)
    assert keep(other, 0) is other
    assert keep(None, 0) is None
    assert type(keep(theirs(), 0)) is KeptSerializer


def parts(secret_key: Any = KEY, **changed: Any) -> Any:
    config = {"SECRET_KEY_FALLBACKS": changed.pop("fallbacks", None)}
    said = {
        "salt": "cookie-session",
        "key_derivation": "hmac",
        "digest_method": hashlib.sha1,
        "compress_from": COMPRESS_FROM,
        "serializer": TaggedJSONSerializer(),
        **changed,
    }
    return parts_of(SimpleNamespace(**said), SimpleNamespace(secret_key=secret_key, config=config))


def with_a_tag() -> TaggedJSONSerializer:
    tagged = TaggedJSONSerializer()
    tagged.register(Reversed)
    return tagged


@pytest.mark.parametrize(
    "changed",
    [
        {"secret_key": OLD_KEY},
        {"secret_key": KEY.encode()},
        {"fallbacks": [OLD_KEY]},
        {"salt": "other"},
        {"key_derivation": "concat"},
        {"digest_method": hashlib.sha256},
        {"compress_from": 0},
        {"serializer": with_a_tag()},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_serializer_is_made_anew_where_anything_changed(changed: Any) -> None:
    assert parts() == parts()
    assert parts(**changed) == parts(**changed)
    assert parts(**changed) != parts()


def test_a_list_that_grows_in_place_has_changed() -> None:
    fallbacks = [OLD_KEY]
    before = parts(fallbacks=fallbacks)
    fallbacks.append("another")
    assert parts(fallbacks=fallbacks) != before


def test_no_key_is_seen_in_what_is_kept() -> None:
    assert KEY not in repr(ours())
    assert KEY not in repr(ours().make_signer())
