"""What does a session tell of its login beyond Flask-Login's keys?"""

from __future__ import annotations

from typing import Any

import pytest

from quart_login._core.record import (
    AS_SET,
    NOTHING,
    Record,
    digest,
    farewell,
    for_token,
    from_token,
    left_by,
    read,
    says_more,
    speaks_of,
    write,
)
from quart_login._core.settings import SessionKeys

KEYS = SessionKeys()

FULL = Record(fresh_since=5, forced=True, remembered=0.5, epoch="e" * 32, audience="a" * 32)


def session_of(text: Any) -> dict[str, Any]:
    return {"_login_record": text}


@pytest.mark.parametrize("user_id", [7, "7", "zoë", "a|b|||||", "|", -1])
@pytest.mark.parametrize(
    "about", [FULL, NOTHING, Record(remembered=0), Record(remembered=AS_SET), Record(fresh_since=0)]
)
def test_what_was_written_is_read(about: Record, user_id: Any) -> None:
    session = session_of(write(about, user_id))
    assert read(session, KEYS, user_id) == about
    assert speaks_of(session, KEYS) == str(user_id)


def test_a_record_is_one_short_text() -> None:
    assert write(Record(fresh_since=1800000000, remembered=AS_SET), 7) == "1800000000|-1||||7"


@pytest.mark.parametrize("user_id", [8, "77", None, "", "7|"])
def test_a_record_of_another_login_tells_nothing(user_id: Any) -> None:
    session = session_of(write(FULL, 7))
    assert read(session, KEYS, user_id) == NOTHING
    assert read(session, KEYS, "7") == FULL  # Flask-Login's cookie makes a str of an int
    assert speaks_of(session, KEYS) == "7"


@pytest.mark.parametrize(
    "text", [None, 5, [], {}, b"", "", "7", "||||7", "x|||||7", "|x||||7", "was|" + "7" * 32]
)
def test_what_is_no_record_tells_nothing(text: Any) -> None:
    assert read(session_of(text), KEYS, 7) == NOTHING
    assert read({}, KEYS, 7) == NOTHING


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_a_number_that_nothing_can_be_reckoned_with_tells_nothing(number: str) -> None:
    assert read(session_of(f"5|{number}||||7"), KEYS, 7) == NOTHING


@pytest.mark.parametrize(("digits", "since"), [(15, 10**14), (16, None), (400, None), (5000, None)])
def test_a_time_of_many_digits_is_none(digits: int, since: int | None) -> None:
    text = "1" + "0" * (digits - 1)
    assert read(session_of(f"{text}||||{'a' * 32}|7"), KEYS, 7) == (
        NOTHING if since is None else Record(fresh_since=since, audience="a" * 32)
    )


@pytest.mark.parametrize("text", [None, 5, {}, "", "7", "||||7", "was|x"])
def test_what_is_no_record_speaks_of_nobody(text: Any) -> None:
    assert speaks_of(session_of(text), KEYS) is None
    assert speaks_of({}, KEYS) is None


def test_a_record_that_tells_nothing_still_speaks_of_its_user() -> None:
    assert read(session_of("|||||7"), KEYS, 7) == NOTHING
    assert speaks_of(session_of("|||||7"), KEYS) == "7"


def test_only_the_mark_of_force_is_one() -> None:
    assert not read(session_of("||x|||7"), KEYS, 7).forced
    assert not read(session_of("||1|||7"), KEYS, 7).forced


@pytest.mark.parametrize("user_id", [7, "7", "a|b|||||", "|", "||||", ""])
@pytest.mark.parametrize("about", [NOTHING, Record(fresh_since=5, remembered=AS_SET), Record(0, 0)])
@pytest.mark.parametrize("more", [{}, {"forced": True}, {"epoch": "e"}, {"audience": "a"}])
def test_a_record_says_whether_it_holds_more_than_times(
    about: Record, more: dict[str, Any], user_id: Any
) -> None:
    session = session_of(write(about._replace(**more), user_id))
    assert says_more(session, KEYS, user_id) is bool(more)


@pytest.mark.parametrize("text", ["", "7", "||||7", "||||||7", "5|||||8", "was|x"])
def test_a_record_that_is_not_plain_is_read_in_full(text: str) -> None:
    assert says_more(session_of(text), KEYS, 7)


@pytest.mark.parametrize("session", [{}, session_of(None), session_of(5), session_of([])])
def test_no_record_says_no_more(session: Any) -> None:
    assert not says_more(session, KEYS, 7)


@pytest.mark.parametrize(("seconds", "word"), [(None, AS_SET), (0, 0), (60, 60), (0.5, 0.5)])
def test_a_record_has_a_word_for_as_long_as_the_settings_say(
    seconds: float | None, word: float
) -> None:
    assert from_token(seconds) == word
    assert for_token(word) == seconds


def test_a_farewell_says_whose_data_were_left_and_nothing_else() -> None:
    session = session_of(farewell("mark"))
    assert left_by(session, KEYS) == "mark"
    assert speaks_of(session, KEYS) is None
    assert read(session, KEYS, "mark") == NOTHING


@pytest.mark.parametrize("text", [None, 5, {}, "", "mark", write(FULL, 7), "xwas|mark"])
def test_what_is_no_farewell_left_nothing(text: Any) -> None:
    assert left_by(session_of(text), KEYS) is None
    assert left_by({}, KEYS) is None


def test_a_digest_stands_for_its_text_alone() -> None:
    assert len(digest("shop")) == 32
    assert digest("shop") == digest("shop") != digest("blog")
    assert digest("\udc80") != digest("\udc81")


def test_the_key_may_have_another_name() -> None:
    keys = SessionKeys(record="r")
    assert read({"r": write(FULL, 7)}, keys, 7) == FULL
    assert speaks_of({"r": write(FULL, 7)}, keys) == "7"
    assert left_by({"r": farewell("mark")}, keys) == "mark"


def test_a_record_shows_no_secret() -> None:
    assert repr(FULL) == "<Record>"
