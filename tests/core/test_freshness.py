"""How long ago was the password typed, and is that recent enough?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import DAY, NOW, about

from quart_login._core.freshness import is_fresh
from quart_login._core.settings import SessionKeys

KEYS = SessionKeys()


def typed(at: Any, **more: Any) -> dict[str, Any]:
    """Return the session of a login whose password was typed *at* that time."""
    return {"_user_id": 7, "_fresh": True, "_login_record": about(7, fresh_since=at), **more}


@pytest.mark.parametrize("mark", [False, None, 1, "True"])
def test_a_login_that_is_not_marked_fresh_is_stale(mark: Any) -> None:
    assert not is_fresh(typed(int(NOW), _fresh=mark), KEYS, 7, NOW, DAY)
    assert not is_fresh({}, KEYS, 7, NOW, DAY)


@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (DAY, True), (DAY + 1, False), (-60, True), (-61, False)]
)
def test_freshness_ends_with_its_age_and_the_clocks_tolerance(age: int, fresh: bool) -> None:
    assert is_fresh(typed(int(NOW) - age), KEYS, 7, NOW, DAY) is fresh


def test_without_a_limit_a_login_stays_fresh() -> None:
    assert is_fresh(typed(0), KEYS, 7, NOW, None)


@pytest.mark.parametrize(
    "text",
    [None, "text", [], {}, {"u": 7, "at": 0}, about(7), about(8, fresh_since=0), "x|||||7"],
)
def test_a_login_without_a_time_of_its_own_is_as_fresh_as_flask_login_says(text: Any) -> None:
    assert is_fresh(typed(0, _login_record=text), KEYS, 7, NOW, DAY)


def test_a_time_that_is_no_time_breaks_nothing() -> None:
    # Nobody without the key can write it; the rule is that no cookie is an error.
    for at in (10**400, -(10**400), 10**15):
        is_fresh(typed(at), KEYS, 7, NOW, DAY)


@pytest.mark.parametrize("user_id", [8, "alice", "None", ""])
def test_a_login_is_fresh_for_its_own_user_only(user_id: Any) -> None:
    assert is_fresh(typed(int(NOW)), KEYS, "7", NOW, DAY)
    assert not is_fresh(typed(int(NOW)), KEYS, user_id, NOW, DAY)
    assert not is_fresh({"_fresh": True}, KEYS, user_id, NOW, DAY)
    assert not is_fresh({"_fresh": True, "_user_id": None}, KEYS, user_id, NOW, None)


def test_a_user_without_a_session_is_fresh_if_the_record_says_so() -> None:
    session = {"_fresh": True, "_login_record": about(7, fresh_since=int(NOW) - DAY)}
    assert is_fresh(session, KEYS, 7, NOW, DAY)
    assert not is_fresh(session, KEYS, 7, NOW + 1, DAY)
    assert not is_fresh(session, KEYS, 8, NOW, DAY)


def test_the_keys_may_have_other_names() -> None:
    keys = SessionKeys(user_id="u", fresh="f", record="r")
    session = {"u": 1, "f": True, "r": about(1, fresh_since=int(NOW) - DAY)}
    assert is_fresh(session, keys, 1, NOW, DAY)
    assert not is_fresh(session, keys, 1, NOW + 1, DAY)


def test_who_names_an_age_does_not_take_a_login_without_a_time() -> None:
    session = typed(0, _login_record=about(7))
    assert is_fresh(session, KEYS, 7, NOW, 60)
    assert not is_fresh(session, KEYS, 7, NOW, 60, undated=False)
    assert not is_fresh(session, KEYS, 7, NOW, None, undated=False)
    assert is_fresh(typed(int(NOW)), KEYS, 7, NOW, 60, undated=False)
