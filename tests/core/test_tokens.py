"""Which words of a visitor did we say ourselves?"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any, NoReturn

import pytest
from core.paper import KEY, NOW, OLD_KEY
from itsdangerous import Signer
from itsdangerous.encoding import base64_encode

from quart_login._core import tokens
from quart_login._core.errors import ConfigurationError
from quart_login._core.tokens import (
    REMEMBER_SALT,
    Keys,
    Token,
    decode_legacy,
    encode_legacy,
    is_weak,
    key_bytes,
    keys_of,
    read_legacy,
    read_token,
    remember_salt,
    sign,
    unsign,
    write_token,
)

KEYS = Keys(KEY)
TOKEN = Token(7, issued=int(NOW), seconds=60, epoch="abc")

USER_IDS = [1, 0, -5, 2**200, "1", "zoë", "日本", "a|b", 'a"b;c,d\\', "a\nb\0c", " ", "." * 9]


def flask_login_digest(payload: str, key: bytes) -> str:
    return hmac.new(key, payload.encode(), "sha512").hexdigest()


def no_hashing(*args: object, **kwargs: object) -> NoReturn:
    raise AssertionError("this must be refused before any hashing")


def signed_bytes(body: bytes) -> str:
    """Return *body*, whatever it is, signed as a remember token is."""
    signer = Signer(KEY, salt=remember_salt(None), key_derivation="hmac", digest_method=sha256)
    return signer.sign(base64_encode(body)).decode()


# --- our own form --------------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", USER_IDS)
def test_a_token_says_what_was_written(user_id: Any) -> None:
    token = Token(user_id, issued=int(NOW), seconds=0.5, epoch="abc")
    read = read_token(write_token(token, KEYS, None), KEYS, None)
    assert read == token
    assert read is not None and type(read.user_id) is type(user_id)


def test_a_token_without_seconds_and_epoch_says_so() -> None:
    token = Token(7, issued=int(NOW))
    read = read_token(write_token(token, KEYS, None), KEYS, None)
    assert read is not None
    assert (read.seconds, read.epoch, read.by_fallback) == (None, None, False)


def test_a_token_is_written_in_letters_that_a_cookie_needs_not_quote() -> None:
    text = write_token(Token('zoë"; |', issued=1), KEYS, None)
    assert text.isascii() and not set(text) & set('"; ,|\\')


def test_a_token_is_signed_by_itsdangerous_under_a_salt_that_names_its_purpose() -> None:
    body = json.dumps([7, int(NOW), 60, "abc"], separators=(",", ":")).encode()
    assert write_token(TOKEN, KEYS, None) == signed_bytes(body)


def test_a_changed_token_is_refused_at_every_position() -> None:
    text = write_token(TOKEN, KEYS, None)
    for position, letter in enumerate(text[:-1]):
        other = "A" if letter != "A" else "B"
        changed = text[:position] + other + text[position + 1 :]
        assert read_token(changed, KEYS, None) is None, position


def test_a_truncated_or_prolonged_token_is_refused() -> None:
    text = write_token(TOKEN, KEYS, None)
    for length in range(len(text)):
        assert read_token(text[:length], KEYS, None) is None, length
    assert read_token(text + "AAAA", KEYS, None) is None
    assert read_token("A" + text, KEYS, None) is None


def test_another_key_verifies_nothing() -> None:
    assert read_token(write_token(TOKEN, Keys(OLD_KEY), None), KEYS, None) is None


@pytest.mark.parametrize(("made_for", "read_by"), [(None, "b"), ("a", None), ("a", "b")])
def test_a_token_for_another_audience_is_refused(made_for: str | None, read_by: str | None) -> None:
    text = write_token(TOKEN, KEYS, made_for)
    assert read_token(text, KEYS, read_by) is None
    assert read_token(text, KEYS, made_for) == TOKEN


def test_what_was_signed_for_another_purpose_is_no_token() -> None:
    text = sign([7, int(NOW), None, None], KEYS, "another purpose")
    assert unsign(text, KEYS, "another purpose") is not None
    assert read_token(text, KEYS, None) is None


def test_a_fallback_key_verifies_and_is_seen_to_have_been_needed() -> None:
    old = write_token(TOKEN, Keys(OLD_KEY), None)
    rotated = Keys(KEY, ("another", OLD_KEY))
    read = read_token(old, rotated, None)
    assert read is not None and read.user_id == 7 and read.by_fallback
    new = read_token(write_token(TOKEN, rotated, None), rotated, None)
    assert new is not None and not new.by_fallback


def test_new_tokens_are_signed_with_the_current_key_alone() -> None:
    text = write_token(TOKEN, Keys(KEY, (OLD_KEY,)), None)
    assert read_token(text, Keys(KEY), None) == TOKEN
    assert read_token(text, Keys(OLD_KEY), None) is None


@pytest.mark.parametrize("text", ["a" * 4097, "é.é", "a.\udc80"])
def test_what_is_long_or_not_ascii_is_refused_before_any_hashing(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_signer", no_hashing)
    assert unsign(text, KEYS, remember_salt(None)) is None


def test_a_text_as_long_as_a_cookie_may_be_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_signer", no_hashing)
    with pytest.raises(AssertionError, match="before any hashing"):
        unsign("a" * 4096, KEYS, remember_salt(None))


def test_a_long_token_is_read() -> None:
    payload = "x" * 2000
    while len(sign(payload, KEYS, "s")) < 4094:
        payload += "x"
    assert unsign(sign(payload, KEYS, "s"), KEYS, "s") == (payload, False)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        7,
        None,
        "7",
        float("nan"),
        [7],
        [7, 1, None],
        [7, 1, None, None, None],
        {"user_id": 7},
        [7, "1", None, None],
        [7, None, None, None],
        [7, 1.5, None, None],
        [7, 1, "60", None],
        [7, 1, None, 5],
        [None, 1, None, None],
        ["", 1, None, None],
        [True, 1, None, None],
        [1.0, 1, None, None],
        [[7], 1, None, None],
        [{"admin": 1}, 1, None, None],
        ["x" * 2049, 1, None, None],
        [2**1025, 1, None, None],
    ],
)
def test_a_payload_of_another_shape_is_no_token_though_it_is_signed(payload: Any) -> None:
    assert read_token(sign(payload, KEYS, remember_salt(None)), KEYS, None) is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 2000, b"[7,1,null,null]x", b"1" * 2900]
)
def test_a_payload_that_is_no_json_is_no_token_though_it_is_signed(body: bytes) -> None:
    text = signed_bytes(body)
    assert len(text) <= 4096
    assert read_token(text, KEYS, None) is None


# --- Flask-Login's form --------------------------------------------------------------------------


def test_the_legacy_form_is_flask_logins() -> None:
    assert encode_legacy("7", KEY) == "7|" + flask_login_digest("7", KEY.encode())


@pytest.mark.parametrize(
    ("key", "signs_with"),
    [("é-key", b"\xe9-key"), ("日本-key", "日本-key".encode()), (b"\xff\x00", b"\xff\x00")],
)
def test_a_key_signs_in_latin_1_or_else_in_utf_8(key: str | bytes, signs_with: bytes) -> None:
    assert key_bytes(key) == signs_with
    assert encode_legacy("7", key) == "7|" + flask_login_digest("7", signs_with)


@pytest.mark.parametrize("payload", ["7", "zoë", "a|b", "|", "", "a;b\n"])
def test_a_legacy_cookie_comes_back_equal(payload: str) -> None:
    assert decode_legacy(encode_legacy(payload, KEY), [KEY]) == (payload, False)


def test_a_changed_legacy_cookie_is_refused_at_every_position() -> None:
    text = encode_legacy("a|7", KEY)
    for position, letter in enumerate(text):
        other = "0" if letter != "0" else "1"
        assert decode_legacy(text[:position] + other + text[position + 1 :], [KEY]) is None
    for length in range(len(text)):
        assert decode_legacy(text[:length], [KEY]) is None
    assert decode_legacy("7|" + flask_login_digest("7", KEY.encode()).upper(), [KEY]) is None


@pytest.mark.parametrize(
    "cookie", ["", "|", "7", "|||||||||", "1|é", "1|\udce9", "é|é", "\udc80|00", "\0|\0"]
)
def test_no_legacy_cookie_of_whatever_letters_breaks_anything(cookie: str) -> None:
    assert decode_legacy(cookie, [KEY]) is None


@pytest.mark.parametrize("cookie", ["1" * 5000 + "|" + "0" * 128, "no bar", "1|é"])
def test_a_hopeless_legacy_cookie_is_refused_before_any_hashing(
    cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "legacy_digest", no_hashing)
    assert decode_legacy(cookie, [KEY]) is None


def test_a_legacy_cookie_as_long_as_a_cookie_may_be_is_read() -> None:
    payload = "1" * (4096 - 129)
    assert decode_legacy(encode_legacy(payload, KEY), [KEY]) == (payload, False)


def test_a_legacy_token_has_neither_time_nor_type() -> None:
    assert read_legacy(encode_legacy("7", KEY), KEYS) == Token("7")


def test_a_legacy_token_of_a_fallback_key_is_seen_to_have_needed_it() -> None:
    old = encode_legacy("7", OLD_KEY)
    assert read_legacy(old, KEYS) is None
    assert read_legacy(old, Keys(KEY, ("another", OLD_KEY))) == Token("7", by_fallback=True)
    assert read_legacy(encode_legacy("7", KEY), Keys(KEY, (OLD_KEY,))) == Token("7")


@pytest.mark.parametrize("user_id", ["", "x" * 2049])
def test_a_legacy_token_of_what_is_no_id_is_none(user_id: str) -> None:
    assert read_legacy(encode_legacy(user_id, KEY), KEYS) is None


# --- the keys themselves -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config", [{}, {"SECRET_KEY": None}, {"SECRET_KEY": ""}, {"SECRET_KEY": b""}]
)
def test_a_missing_or_empty_key_is_an_error_that_says_what_to_do(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"app\.config\['SECRET_KEY'\].*token_hex"):
        keys_of(config)


@pytest.mark.parametrize("fallbacks", [None, [], ()])
def test_no_fallbacks_are_no_fallbacks(fallbacks: Any) -> None:
    assert keys_of({"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": fallbacks}) == KEYS


@pytest.mark.parametrize("key", [123, ["a"], object()])
def test_a_key_that_is_no_text_is_refused(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY must be a str or bytes"):
        keys_of({"SECRET_KEY": key})


def test_fallbacks_are_read_from_the_config() -> None:
    keys = keys_of({"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": [OLD_KEY, b"older"]})
    assert keys == Keys(KEY, (OLD_KEY, b"older"))


def test_fallbacks_given_as_one_string_are_refused_whenever_keys_are_read() -> None:
    with pytest.raises(TypeError, match="Make it a list"):
        keys_of({"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": OLD_KEY})


@pytest.mark.parametrize(
    ("key", "weak"),
    [("x" * 15, True), ("x" * 16, False), (b"x" * 15, True), (b"x" * 16, False), ("é" * 8, False)],
)
def test_a_key_under_16_bytes_is_weak(key: str | bytes, weak: bool) -> None:
    assert is_weak(Keys(key, ("x",))) is weak


def test_keys_and_tokens_show_no_secret() -> None:
    assert repr(Keys(KEY, (OLD_KEY,))) == "<Keys 1+1>"
    assert repr(TOKEN) == "<Token>"


def test_a_signature_that_is_spelt_otherwise_is_refused() -> None:
    """The lowest bits of base64's last letter stand for nothing; a token has one spelling."""
    text = write_token(TOKEN, KEYS, None)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = text[:-1] + letters[letters.index(text[-1]) ^ 1]
    assert read_token(text, KEYS, None) == TOKEN
    for other in (respelt, text + "=", text + "!!"):
        assert read_token(other, KEYS, None) is None, other


def test_a_signature_counts_in_one_spelling() -> None:
    keys = Keys(KEY)
    token = sign(["7"], keys, REMEMBER_SALT)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    others = [token[:-1] + alphabet[last ^ bits] for bits in (1, 2, 3)]
    assert unsign(token, keys, REMEMBER_SALT) == (["7"], False)
    assert [unsign(one, keys, REMEMBER_SALT) for one in (*others, f"{token}=")] == [None] * 4


def test_a_pseudonym_is_of_one_realm() -> None:
    found = [tokens.pseudonym("7", KEY, realm) for realm in (None, "staff", "shop")]
    assert len(set(found)) == 3


def test_a_signer_verifies_what_it_signed_as_its_base_class_does() -> None:
    signer = tokens._signer(KEY, "salt")
    signed = signer.sign("said")
    assert signer.unsign(signed) == b"said" and not signer.validate(signed + b"A")


@pytest.mark.parametrize(
    ("text", "formed"),
    [
        ("payload." + "a" * 43, True),
        ("páyload." + "a" * 43, False),
        ("payload." + "á" * 43, False),
        ("two\nlines|" + "0" * 128, True),
        ("7|" + "\u0660" * 128, False),
    ],
)
def test_a_token_has_the_form_of_one_whatever_its_id(text: str, formed: bool) -> None:
    assert tokens.is_formed(text) is formed
