"""By which name does a store know a user?"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quart_login._core.subjects import NOTES, spellings, subject, user_id_of
from quart_login._core.users import MAX_ID_BITS, UserId, is_id

MARKS = "~#=%!"
#: Texts that begin like the names of others are tried often.
TEXTS = st.one_of(
    st.text(min_size=1, max_size=200),
    st.text(MARKS + "0719a\0-", min_size=1, max_size=8),
)
INTS = st.integers(-(2**MAX_ID_BITS) + 1, 2**MAX_ID_BITS - 1)
IDS = st.one_of(TEXTS, INTS).filter(is_id)
REALMS = st.sampled_from([None, "staff", "a", "a_b"])


@given(IDS, REALMS)
@example(2**MAX_ID_BITS - 1, None)
@example(-(2**MAX_ID_BITS) + 1, None)
@example("\0", None)
@example("é\0%00", "staff")
def test_rule_1_every_id_comes_back_with_its_value_and_type(
    user_id: UserId, realm: str | None
) -> None:
    found = user_id_of(subject(user_id, realm), realm)
    assert found == user_id and type(found) is type(user_id)


@given(IDS, REALMS, IDS, REALMS)
@example(7, None, "7", None)
@example("x", "a", "~a~x", None)
@example("%00", None, "\0", None)
@example("#7", None, 7, None)
@example("=#7", None, "#7", None)
def test_rules_1_and_2_two_users_never_have_one_name(
    one: UserId, realm: str | None, other: UserId, its_realm: str | None
) -> None:
    same = (type(one), one, realm) == (type(other), other, its_realm)
    assert (subject(one, realm) == subject(other, its_realm)) == same


def test_rule_1_most_names_are_the_id_itself() -> None:
    assert subject("alice") == "alice"
    assert subject("7") == "7"
    assert subject(7) == "#7"
    assert subject(-7, "staff") == "~staff~#-7"


@given(IDS, REALMS, REALMS)
def test_rule_2_a_name_of_another_realm_names_nobody(
    user_id: UserId, realm: str | None, other: str | None
) -> None:
    if realm != other:
        assert user_id_of(subject(user_id, realm), other) is None


@given(IDS, REALMS)
def test_rule_3_a_name_has_no_nul_and_is_no_note_s(user_id: UserId, realm: str | None) -> None:
    name = subject(user_id, realm)
    assert "\0" not in name and not name.startswith(NOTES)
    name.encode()  # can be written


@given(st.one_of(TEXTS, st.text(MARKS + "0123456789²٣_- +a", max_size=6)), REALMS)
@example("#", None)
@example("#²", None)
@example("#007", None)
@example("#-0", None)
@example("#1_000", None)
@example("#" + "9" * 5000, None)
@example("=alice", None)
@example("%41", None)
@example("%ff%00", None)
@example("", None)
@example("~staff~", "staff")
def test_every_name_names_one_user_or_none(name: str, realm: str | None) -> None:
    found = user_id_of(name, realm)
    assert found is None or subject(found, realm) == name


@pytest.mark.parametrize("name", ["#7", "7", "=#7", "%7%00"])
def test_a_name_without_a_realm_names_nobody_in_one(name: str) -> None:
    assert user_id_of(name) is not None
    assert user_id_of(name, "staff") is None


def test_no_name_is_nobody_s() -> None:
    assert user_id_of("") is None and user_id_of("~staff~", "staff") is None


def test_an_id_is_spelt_as_a_number_where_it_is_that_number() -> None:
    assert set(spellings("7")) == {"7", 7} == set(spellings(7))
    for odd in ("007", "+7", "7 ", "٣", "1" * 5000, "-0"):
        assert list(spellings(odd)) == [odd]


def test_what_is_quoted_wrongly_is_nobody_s() -> None:
    assert user_id_of("%%FF%00") is None
