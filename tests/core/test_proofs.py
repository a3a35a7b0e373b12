"""What proves that a login session is this browser's?"""

from __future__ import annotations

import re
from typing import Any

import pytest
from core.paper import KEY, OLD_KEY
from hypothesis import assume, given
from hypothesis import strategies as st

from quart_login._core import proofs
from quart_login._core.proofs import EXAMPLE, Proof, Series
from quart_login._core.store import new_id
from quart_login._core.tokens import Keys, Token, read_token, sign, write_token

KEYS = Keys(KEY)

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
PROOFS = st.builds(
    Proof,
    st.text(LETTERS, min_size=22, max_size=22),
    st.text(LETTERS, min_size=43, max_size=43),
)
SERIES = st.builds(Series, PROOFS, st.integers(0, 10**11), st.just(False))


def real() -> Proof:
    return Proof(new_id("7"), proofs.new_secret())


@st.composite
def mutations(draw: Any, text: str) -> str:
    """Return *text* with a letter changed, dropped or put in, or a part of it doubled or cut."""
    place = draw(st.integers(0, len(text)))
    kind = draw(st.sampled_from(["change", "drop", "insert", "cut", "double", "case"]))
    letter = draw(st.one_of(st.sampled_from(LETTERS + ".=+/ \n\0"), st.characters()))
    before, after = text[:place], text[place:]
    return {
        "change": before + letter + after[1:],
        "drop": before + after[1:],
        "insert": before + letter + after,
        "cut": before,
        "double": before + after + after,
        "case": before + after.swapcase(),
    }[kind]


# --- the session's -------------------------------------------------------------------------------


@given(PROOFS)
def test_every_proof_comes_back(proof: Proof) -> None:
    text = proofs.write(proof)
    assert proofs.read(text) == proof
    assert len(text) == len(EXAMPLE) and proofs.read(EXAMPLE) is not None


@given(st.one_of(st.text(), st.none(), st.integers(), st.binary(), st.lists(st.text())))
def test_rule_1_whatever_else_is_none(text: Any) -> None:
    assert proofs.read(text) is None


@given(st.data())
def test_rule_1_what_is_read_has_the_shape_of_a_proof_and_is_as_it_stood(data: Any) -> None:
    text = data.draw(mutations(proofs.write(real())))
    proof = proofs.read(text)
    assert proof is None or proofs.write(proof) == text
    assert (proof is None) == (re.fullmatch(r"[\w-]{22}\.[\w-]{43}", text, re.ASCII) is None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "." * 66,
        EXAMPLE + "\n",
        EXAMPLE[:-1] + "\n",
        EXAMPLE[:-1],
        EXAMPLE[:22] + "-" + EXAMPLE[23:],
        EXAMPLE[:21] + "." + EXAMPLE[22:],
        EXAMPLE[:21] + "é" + EXAMPLE[22:],
        EXAMPLE[:-1] + "٣",  # a digit, and not of ASCII
        EXAMPLE[:-1] + ".",
    ],
)
def test_rule_1_near_misses_are_none(text: str) -> None:
    assert proofs.read(text) is None


def test_secrets_are_random_and_256_bits_long() -> None:
    found = {proofs.new_secret() for _ in range(100)}
    assert len(found) == 100
    assert all(re.fullmatch(r"[\w-]{43}", secret, re.ASCII) for secret in found)


# --- the digest ----------------------------------------------------------------------------------


def test_a_digest_tells_its_secret_from_any_other() -> None:
    one, other = proofs.new_secret(), proofs.new_secret()
    kept = proofs.digest(one)
    assert re.fullmatch("[0-9a-f]{64}", kept)
    assert proofs.is_of(one, kept)
    assert not proofs.is_of(other, kept)
    assert not proofs.is_of(one, None)
    assert not proofs.is_of(kept, kept)
    assert not proofs.is_of(one, "")
    assert not proofs.is_of(one, "é" * 64)


def test_rule_3_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(proofs.hmac, "compare_digest", compare)
    assert not proofs.is_of("secret", "kept")
    assert compared == [(proofs.digest("secret"), "kept")]


@given(st.one_of(st.text(), st.none(), st.integers()))
def test_an_id_is_known_by_its_shape(text: Any) -> None:
    shaped = isinstance(text, str) and re.fullmatch(r"[\w-]{22}", text, re.ASCII)
    assert proofs.is_name(text) == bool(shaped)
    assert proofs.is_name(new_id("7"))
    assert not proofs.is_name(new_id("7") + "\n")


# --- the remember cookie's -----------------------------------------------------------------------


@given(SERIES, st.sampled_from([None, "", "shop"]))
def test_every_series_comes_back(series: Series, audience: str | None) -> None:
    text = proofs.write_series(series, KEYS, audience)
    assert proofs.read_series(text, KEYS, audience) == series


@given(st.text())
def test_rule_2_no_text_is_a_series_that_we_did_not_sign(text: str) -> None:
    assert proofs.read_series(text, KEYS, None) is None


@given(st.data())
def test_rule_2_a_series_that_was_changed_is_none(data: Any) -> None:
    text = proofs.write_series(Series(real(), 1), KEYS, None)
    other = data.draw(mutations(text))
    assume(other != text)
    assert proofs.read_series(other, KEYS, None) is None


@given(st.integers(0, 400), st.integers(0, 400))
def test_rule_2_two_series_make_no_third(one: int, other: int) -> None:
    first, second = [proofs.write_series(Series(real(), 1), KEYS, None) for _ in range(2)]
    spliced = first[:one] + second[other:]
    assume(spliced not in (first, second))
    assert proofs.read_series(spliced, KEYS, None) is None


def test_rule_2_a_series_is_signed_for_its_purpose_its_audience_and_by_a_key() -> None:
    series = Series(real(), 1)
    text = proofs.write_series(series, KEYS, "shop")
    for keys, audience in [(KEYS, None), (KEYS, "blog"), (Keys(OLD_KEY), "shop")]:
        assert proofs.read_series(text, keys, audience) is None
    assert read_token(proofs.write_series(series, KEYS, None), KEYS, None) is None
    assert proofs.read_series(write_token(Token("7", 1), KEYS, None), KEYS, None) is None
    # The session's proof proves nothing as a cookie.
    assert proofs.read_series(proofs.write(series.proof), KEYS, None) is None


def test_a_fallback_key_is_seen_to_have_been_needed() -> None:
    series = Series(real(), 1)
    text = proofs.write_series(series, Keys(OLD_KEY), None)
    found = proofs.read_series(text, Keys(KEY, (OLD_KEY,)), None)
    assert found == series._replace(by_fallback=True)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {"id": 1},
        ["0" * 22, "0" * 43],
        ["0" * 22, "0" * 43, None],
        ["0" * 22, "0" * 43, 1.5],
        ["0" * 22, "0" * 43, "1"],
        ["0" * 22, "0" * 43, 1, 1],
        [7, "0" * 43, 1],
        ["0" * 22, None, 1],
        ["0" * 21, "0" * 43, 1],
        ["0" * 22, "0" * 44, 1],
        ["é" * 22, "0" * 43, 1],
    ],
)
def test_what_is_signed_and_no_series_is_none(payload: Any) -> None:
    text = sign(payload, KEYS, proofs.SERIES_SALT)
    assert proofs.read_series(text, KEYS, None) is None


def test_a_series_is_not_shown() -> None:
    assert repr(Proof("0" * 22, "s" * 43)) == "<Proof>"
    assert repr(Series(Proof("0" * 22, "s" * 43), 7)) == "<Series>"
