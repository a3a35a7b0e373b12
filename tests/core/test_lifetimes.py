"""How long does a login last?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from core.paper import DAY, NOW, Browser, Paper, User
from hypothesis import assume, example, given
from hypothesis import strategies as st

from quart_login._core import lifetimes
from quart_login._core.lifetimes import ENDLESS, TOUCH_AFTER, Limits, is_due, is_future, is_over
from quart_login._core.settings import CLOCK_TOLERANCE, SessionKeys

KEYS = SessionKeys()
USERS = {7: User(7), 8: User(8)}

TIMES = st.floats(0, 10**6)
LIMITS = st.one_of(st.none(), st.floats(1, 10**6))


def limits_of(registered: bool, **config: Any) -> Limits:
    return lifetimes.limits_of(Paper(config=config).setting, registered)


# --- the settings --------------------------------------------------------------------------------


def test_without_a_registry_nothing_ends_that_nobody_limits() -> None:
    assert limits_of(False) == ENDLESS == (None, None, True)


def test_with_one_logins_last_for_thirty_days() -> None:
    assert limits_of(True) == (30 * DAY, None, True)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("aal1", (30 * DAY, None, True)),
        ("aal2", (DAY, 3600, False)),
        ("aal3", (DAY / 2, 900, False)),
    ],
)
def test_the_presets_are_nist_s(level: str, expected: Any, registered: bool) -> None:
    assert limits_of(registered, LOGIN_ASSURANCE_LEVEL=level) == expected


def test_a_limit_goes_before_the_preset_s() -> None:
    assert limits_of(False, LOGIN_LIFETIME=timedelta(hours=1)) == (3600, None, True)
    assert limits_of(False, LOGIN_IDLE_TIMEOUT=90.5) == (None, 90.5, True)
    assert limits_of(True, LOGIN_IDLE_TIMEOUT=90) == (30 * DAY, 90, True)
    both = {"LOGIN_LIFETIME": 5, "LOGIN_ASSURANCE_LEVEL": "aal2"}
    assert limits_of(True, **both) == (5, 3600, False)
    both = {"LOGIN_IDLE_TIMEOUT": 5, "LOGIN_ASSURANCE_LEVEL": "aal3"}
    assert limits_of(True, **both) == (DAY / 2, 5, False)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, False),
        ({"LOGIN_LIFETIME": None, "LOGIN_IDLE_TIMEOUT": None}, False),
        ({"LOGIN_LIFETIME": 5}, True),
        ({"LOGIN_IDLE_TIMEOUT": 5}, True),
        ({"LOGIN_ASSURANCE_LEVEL": "aal1"}, True),
    ],
)
def test_that_there_are_limits_is_seen_quickly(config: dict[str, Any], expected: bool) -> None:
    assert lifetimes.are_set(config) is expected


# --- the rules -----------------------------------------------------------------------------------


@given(TIMES, TIMES, TIMES, LIMITS, LIMITS)
def test_rule_1_both_limits_are_kept(
    begun: float, seen: float, now: float, lifetime: float | None, idle: float | None
) -> None:
    past = lifetime is not None and now - begun > lifetime
    unseen = idle is not None and now - seen > idle
    early = max(begun, seen) - now > CLOCK_TOLERANCE
    assert is_over(begun, seen, now, Limits(lifetime, idle)) == (past or unseen or early)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_rule_1_a_login_is_good_at_the_very_end(off: int) -> None:
    assert is_over(0, 0, 100 + off, Limits(100)) == (off > 0)
    assert is_over(0, 0, 100 + off, Limits(None, 100)) == (off > 0)
    assert is_over(0, 0, -CLOCK_TOLERANCE - off, Limits()) == (off > 0)
    assert is_future(CLOCK_TOLERANCE + off, 0) == (off > 0)


@given(TIMES, st.lists(TIMES), TIMES)
def test_rule_1_no_activity_extends_the_absolute_limit(
    lifetime: float, seen: list[float], now: float
) -> None:
    assume(now > lifetime)
    assert all(is_over(0, moment, now, Limits(lifetime)) for moment in seen)


def used(readings: list[float], limits: Limits) -> Iterator[tuple[float, float, bool]]:
    """Use a login, made at 0, at *readings* of a clock.  Say at each when it was seen, and whether
    it is good.
    """
    seen = 0.0
    for now in readings:
        good = not is_over(0, seen, now, limits)
        yield now, seen, good
        if good and is_due(seen, now, limits.idle):
            seen = now


#: What a clock reads, to the microsecond.  (Beside 60, a float of 1e-57 is nothing.)
READINGS = st.integers(-(10**11), 10**11).map(lambda microseconds: microseconds / 10**6)


@given(st.lists(READINGS), st.floats(1, 10**5), st.floats(1, 10**5))
def test_p_11_whatever_the_clock_does_no_login_is_good_past_its_limits(
    readings: list[float], lifetime: float, idle: float
) -> None:
    latest = 0.0
    for now, seen, good in used(readings, Limits(lifetime, idle)):
        assert seen >= latest  # what was seen is not forgotten
        latest = seen
        if good:
            assert now <= lifetime and now - seen <= idle
            # A clock that jumps back makes no time: what was noted bounds it.
            assert seen - now <= CLOCK_TOLERANCE


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(2, 10**5), st.floats(10, 10**5))
def test_p_12_a_login_in_use_lasts_to_its_end_though_servers_differ(
    steps: list[float], idle: float, lifetime: float
) -> None:
    # Two servers, one of which is behind by as much as is borne, in turn.
    now, readings = 0.0, []
    behind = min(CLOCK_TOLERANCE, idle / 8)
    for number, step in enumerate(steps):
        now += step * idle / 4
        readings.append(now - behind * (number % 2))
    for moment, _, good in used(readings, Limits(lifetime, idle)):
        assert good or moment > lifetime


@given(st.floats(0, 10**5), st.floats(0.001, 10**5))
def test_p_12_a_clock_that_jumps_back_ends_a_login_that_was_seen(seen: float, back: float) -> None:
    gone = is_over(0, seen, seen - CLOCK_TOLERANCE - back, ENDLESS)
    assert gone or back < 1e-6  # too little for a float to tell


@pytest.mark.parametrize(
    ("idle", "after"), [(None, TOUCH_AFTER), (3600, TOUCH_AFTER), (100, 50), (10, 5)]
)
def test_that_a_login_was_seen_is_noted_once_a_minute(idle: float | None, after: float) -> None:
    assert not is_due(0, after - 1, idle)
    assert is_due(0, after, idle)
    assert not is_due(100, 0, idle)


# --- without a registry --------------------------------------------------------------------------


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
@example(10**12 - 1, 10**12 - 1)
def test_the_times_come_back(begun: int, seen: int) -> None:
    session = {KEYS.times: lifetimes.write(begun + 0.9, seen + 0.9)}
    assert lifetimes.read(session, KEYS) == (begun, seen)


@given(st.one_of(st.text(), st.text("0123456789|-²٣ ."), st.none(), st.integers(), st.lists(TIMES)))
def test_whatever_else_is_there_is_none(value: Any) -> None:
    times = lifetimes.read({KEYS.times: value}, KEYS)
    assert times is None or all(0 <= moment < 10**12 for moment in times)
    assert lifetimes.read({}, KEYS) is None


@pytest.mark.parametrize(
    "text", ["", "|", "1|", "|1", "1", "1|1|1", "-1|1", "1|²", "1|" + "1" * 13, "1.5|1", " 1|1"]
)
def test_near_misses_are_none(text: str) -> None:
    assert lifetimes.read({KEYS.times: text}, KEYS) is None


def stateless(**config: Any) -> Browser:
    browser = Browser(users=USERS, config=config)
    browser.it.manager.sessions = None
    return browser


def test_without_limits_the_session_has_no_times() -> None:
    browser = stateless()
    browser.log_in(USERS[7])
    assert KEYS.times not in browser.session


def test_rule_4_the_times_are_in_the_session_where_limits_are_set() -> None:
    browser = stateless(LOGIN_LIFETIME=100, LOGIN_IDLE_TIMEOUT=50)
    browser.log_in(USERS[7])
    assert browser.session[KEYS.times] == f"{NOW:.0f}|{NOW:.0f}"


def test_rule_4_a_session_without_times_is_over() -> None:
    browser = stateless()
    browser.log_in(USERS[7])
    browser.session["cart"] = [1]
    browser.config["LOGIN_LIFETIME"] = 100
    it = browser.visit()
    assert it.identity.user is None and it.reasons() == ["expired"]
    assert KEYS.user_id not in browser.session


def test_the_absolute_limit_ends_a_login_in_use() -> None:
    browser = stateless(LOGIN_LIFETIME=3600)
    browser.log_in(USERS[7])
    for _ in range(60):
        browser.clock.advance(minutes=1)
        assert browser.who() is USERS[7]
    browser.clock.advance(seconds=1)
    assert browser.visit().reasons() == ["expired"]


def test_the_idle_limit_ends_a_login_that_is_not_used_and_no_other() -> None:
    browser = stateless(LOGIN_IDLE_TIMEOUT=100)
    browser.log_in(USERS[7])
    for _ in range(50):
        browser.clock.advance(seconds=49)
        assert browser.who() is USERS[7]
        assert browser.session[KEYS.times].startswith(f"{NOW:.0f}|")
    browser.clock.advance(seconds=102)
    assert browser.visit().reasons() == ["expired"]


def test_that_a_login_was_seen_is_written_seldom_and_in_no_websocket() -> None:
    browser = stateless(LOGIN_IDLE_TIMEOUT=3600)
    browser.log_in(USERS[7])
    browser.clock.advance(seconds=59)
    assert not browser.visit().session.modified
    browser.clock.advance(seconds=1)
    assert not browser.visit(websocket=True).session.modified
    assert browser.visit().session.modified


def test_a_websocket_refuses_what_is_over_and_removes_nothing() -> None:
    browser = stateless(LOGIN_LIFETIME=100)
    browser.log_in(USERS[7])
    browser.clock.advance(seconds=101)
    held = browser.holds()
    it = browser.visit(websocket=True)
    assert it.identity.user is None and it.reasons() == ["expired"]
    assert browser.holds() == held


def test_a_clock_that_jumped_back_logs_out() -> None:
    browser = stateless(LOGIN_LIFETIME=100)
    browser.log_in(USERS[7])
    browser.clock.advance(seconds=-CLOCK_TOLERANCE)
    assert browser.who() is USERS[7]
    browser.clock.advance(seconds=-1)
    assert browser.who() is None


def test_the_remember_cookie_begins_the_times_anew() -> None:
    browser = stateless(LOGIN_LIFETIME=100)
    browser.log_in(USERS[7], remember=True)
    browser.clock.advance(seconds=101)
    assert browser.who() is USERS[7]
    assert browser.session[KEYS.times] == f"{NOW + 101:.0f}|{NOW + 101:.0f}"


@pytest.mark.parametrize("level", ["aal2", "aal3"])
def test_where_logins_end_with_the_browser_none_is_remembered(level: str) -> None:
    browser = stateless()
    browser.log_in(USERS[7], remember=True)
    browser.config["LOGIN_ASSURANCE_LEVEL"] = level
    browser.close()
    it = browser.visit()
    assert it.identity.user is None and it.reasons() == ["expired"]
    assert browser.jar == {}
    browser.log_in(USERS[7], remember=True)
    assert browser.jar == {} and browser.who() is USERS[7]


def test_the_first_level_lets_logins_be_remembered() -> None:
    browser = stateless(LOGIN_ASSURANCE_LEVEL="aal1")
    browser.log_in(USERS[7], remember=True)
    browser.close()
    assert browser.who() is USERS[7]
