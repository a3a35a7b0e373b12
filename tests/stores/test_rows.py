"""What all stores decide alike, on paper."""

from __future__ import annotations

from dataclasses import fields
from math import inf, nan, nextafter
from typing import Any

import pytest

from quart_login.stores import LoginSession
from quart_login.stores._contract_kit import DAY, HOUR, NOW, after, session, whole
from quart_login.stores._rows import (
    COLUMNS,
    UnreadableRecord,
    check_succession,
    due,
    is_over,
    lasting,
    make_room,
    read,
    readable,
    row_of,
)


def changed(**values: Any) -> list[Any]:
    """Return the row of a session with every field, with other *values* in it."""
    row = dict(zip(COLUMNS, row_of(whole(1)), strict=True))
    return list({**row, **values}.values())


def test_a_row_has_a_column_for_each_field() -> None:
    assert [field.name for field in fields(LoginSession)] == list(COLUMNS)


def test_what_was_written_is_read() -> None:
    for one in (session(1), whole(1)):
        assert read(row_of(one)) == one


@pytest.mark.parametrize("number", [0, 1])
def test_a_database_may_write_a_truth_as_a_number(number: int) -> None:
    assert read(changed(confirmed=number)).confirmed is bool(number)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("value", [b"7", [], 7j])
def test_a_column_of_another_type_cannot_be_read(name: str, value: Any) -> None:
    with pytest.raises(UnreadableRecord):
        read(changed(**{name: value}))


@pytest.mark.parametrize(
    "name", ["id", "user_id", "created", "seen", "expires", "digest", "version", "confirmed"]
)
def test_what_must_be_there_must_be_there(name: str) -> None:
    with pytest.raises(UnreadableRecord):
        read(changed(**{name: None}))


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("name", ["created", "seen", "expires", "fresh_since", "idle", "rotated"])
def test_a_time_that_is_no_number_is_neither_read_nor_written(name: str, value: float) -> None:
    """A session that ends at NaN would never end: nothing is later than NaN."""
    with pytest.raises(UnreadableRecord):
        read(changed(**{name: value}))
    with pytest.raises(ValueError, match="finite"):
        row_of(session(1, **{name: value}))


@pytest.mark.parametrize("value", [2, -1])
def test_a_truth_is_one_of_two(value: int) -> None:
    with pytest.raises(UnreadableRecord):
        read(changed(confirmed=value))


def test_too_few_columns_cannot_be_read() -> None:
    with pytest.raises(UnreadableRecord):
        read(row_of(whole(1))[:-1])


def test_the_error_says_nothing_of_the_row() -> None:
    with pytest.raises(UnreadableRecord) as caught:
        read(changed(created="5ec4e7"))
    assert "5ec4e7" not in str(caught.value) and "d" * 64 not in str(caught.value)


def test_what_cannot_be_read_is_left_out_where_sessions_end() -> None:
    assert readable([row_of(session(1)), changed(seen=None), row_of(session(2))]) == [
        session(2),
        session(1),
    ]


def test_a_session_is_over_after_its_end_and_not_at_it() -> None:
    assert not is_over(session(1, expires=NOW), NOW)
    assert is_over(session(1, expires=NOW), nextafter(NOW, inf))


def test_a_session_is_over_when_it_was_idle_for_longer_than_it_may() -> None:
    one = session(0, idle=HOUR)
    assert not is_over(one, NOW + HOUR)
    assert is_over(one, nextafter(NOW + HOUR, inf))


def test_a_session_is_due_when_it_is_over_at_the_earliest() -> None:
    assert due(session(0, expires=NOW + DAY)) == NOW + DAY
    assert due(session(0, expires=NOW + DAY, idle=HOUR)) == NOW + HOUR
    assert due(session(0, expires=NOW + 1, idle=HOUR)) == NOW + 1


def test_a_limit_below_one_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        make_room([], NOW, 0, True)


@pytest.mark.parametrize("changes", [{"id": "other"}, {"user_id": "8"}, {"version": 5}])
def test_a_successor_has_the_same_ids_and_the_next_version(changes: dict[str, Any]) -> None:
    old = session(1)
    check_succession(old, after(old))
    successor = {name: getattr(after(old), name) for name in COLUMNS}
    with pytest.raises(ValueError, match="swap"):
        check_succession(old, LoginSession(**{**successor, **changes}))


@pytest.mark.parametrize(
    "row",
    [
        ("2", "never", NOW, None),
        ("2", NOW, None, 1.0),
        ("2", NOW, NOW, "x"),
        (2, NOW, NOW, None),
        ("2", NOW, NOW, nan),
        ("2", inf, NOW, None),
        ("2", NOW, nan, None),
    ],
)
def test_an_end_that_cannot_be_read_is_no_end(row: Any) -> None:
    good = [("1", NOW + DAY, NOW, HOUR), ("3", NOW + 1, NOW, None)]
    assert lasting([good[0], row, good[1]]) == {"1": NOW + HOUR, "3": NOW + 1}
