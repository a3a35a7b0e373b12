"""Is what a browser shows of its login session good?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from core.paper import DAY, NOW
from hypothesis import given
from hypothesis import strategies as st

from quart_login._core.lifetimes import ENDLESS, Limits
from quart_login._core.proofs import digest
from quart_login._core.series import LONGEST_WAIT, Standing, begun, judge
from quart_login._core.settings import CLOCK_TOLERANCE
from quart_login._core.store import LoginSession

WINDOW = 60.0

GOOD, RENEWS, BESIDE = Standing.GOOD, Standing.RENEWS, Standing.BESIDE
REPLACED, OVER, FUTURE, STOLEN = (
    Standing.REPLACED,
    Standing.OVER,
    Standing.FUTURE,
    Standing.STOLEN,
)


def login(**fields: Any) -> LoginSession:
    """Return a login of a minute ago that is not remembered."""
    return LoginSession(
        **{
            "id": "id",
            "user_id": "7",
            "created": NOW - 60,
            "seen": NOW,
            "expires": NOW + DAY,
            "digest": digest("secret"),
            **fields,
        }
    )


def remembered(**fields: Any) -> LoginSession:
    """Return one that is, and whose remember cookie was replaced 10 seconds ago."""
    return login(
        **{
            "remember": digest("shown"),
            "former": digest("before"),
            "rotated": NOW - 10,
            "confirmed": False,
            **fields,
        }
    )


def stands(
    it: LoginSession,
    held: str | None = None,
    shown: str | None = None,
    *,
    now: float = NOW,
    limits: Limits = ENDLESS,
    window: float = WINDOW,
) -> Standing:
    return judge(it, held, shown, now, limits, window)


# --- the session ---------------------------------------------------------------------------------


def test_rule_1_the_session_s_secret_logs_in() -> None:
    assert stands(login(), "secret") is GOOD
    assert stands(login(), "another") is REPLACED
    assert stands(login()) is REPLACED
    assert stands(login(), digest("secret")) is REPLACED


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_rule_1_while_the_login_is_not_over(off: int) -> None:
    expected = OVER if off > 0 else GOOD
    assert stands(login(), "secret", now=NOW + DAY + off) is expected
    assert stands(login(), "secret", limits=Limits(60), now=NOW + off) is expected
    assert stands(login(), "secret", limits=Limits(None, 60), now=NOW + 60 + off) is expected


@pytest.mark.parametrize("name", ["created", "seen", "rotated"])
@pytest.mark.parametrize("off", [0, 1])
def test_a_login_of_the_future_is_none(name: str, off: int) -> None:
    it = remembered(**{name: NOW + CLOCK_TOLERANCE + off})
    assert stands(it, "secret") is (FUTURE if off else GOOD)
    assert (stands(it, "secret", "older") is FUTURE) == bool(off)  # nor is it a theft


# --- the remember cookie -------------------------------------------------------------------------


def test_rule_2_the_remember_cookie_begins_a_session() -> None:
    assert stands(remembered(), None, "shown") is RENEWS
    assert stands(remembered(), "another", "shown") is RENEWS


def test_rule_2_and_nothing_while_the_session_is_good() -> None:
    assert stands(remembered(), "secret", "shown") is GOOD
    assert stands(remembered(), "secret", "before") is GOOD


def test_rule_2_a_login_that_is_not_remembered_has_no_cookie() -> None:
    assert stands(login(), None, "shown") is REPLACED
    assert stands(login(), "secret", "shown") is GOOD


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize(
    ("age", "expected"), [(-CLOCK_TOLERANCE, BESIDE), (0, BESIDE), (WINDOW, BESIDE)]
)
def test_rule_3_the_secret_before_is_good_for_a_window(
    age: float, confirmed: bool, expected: Standing
) -> None:
    it = remembered(rotated=NOW - age, confirmed=confirmed)
    assert stands(it, None, "before") is expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(WINDOW + 1, RENEWS), (DAY, RENEWS), (DAY + 1, REPLACED)],
)
def test_rule_3_and_for_a_day_while_nobody_has_seen_its_successor(
    age: float, expected: Standing
) -> None:
    it = remembered(created=NOW - 3 * DAY, rotated=NOW - age)
    assert stands(it, None, "before") is expected
    assert stands(replace(it, confirmed=True), None, "before") is STOLEN


def test_rule_4_any_other_secret_that_was_its_own_is_a_theft() -> None:
    assert stands(remembered(), None, "older") is STOLEN
    assert stands(remembered(), "secret", "older") is STOLEN
    assert stands(remembered(former=None), "secret", "before") is STOLEN
    assert stands(remembered(rotated=None), None, "before") is STOLEN


def test_rule_5_its_cookie_outlives_the_limits_of_a_session() -> None:
    limits = Limits(5, 5)
    assert stands(remembered(), "secret", "shown", limits=limits) is RENEWS
    assert stands(remembered(), "secret", limits=limits) is REPLACED
    assert stands(login(), "secret", limits=limits) is OVER


def test_rule_5_but_not_where_no_login_outlives_the_browser() -> None:
    limits = Limits(None, None, remembers=False)
    assert stands(remembered(), None, "shown", limits=limits) is REPLACED
    assert stands(remembered(), "secret", "shown", limits=limits) is GOOD
    assert stands(remembered(), None, "older", limits=limits) is STOLEN


def test_a_session_begins_with_the_login_or_by_the_cookie() -> None:
    assert begun(login()) == NOW - 60
    assert begun(remembered()) == NOW - 10
    limits = Limits(30)
    assert stands(remembered(), "secret", limits=limits) is GOOD


# --- over random histories -----------------------------------------------------------------------


class History:
    """A login, and all secrets that were ever its own."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.now = limits, NOW
        self.secrets, self.cookies = ["s0"], ["c0"]
        self.it = login(
            created=NOW, digest=digest("s0"), remember=digest("c0"), expires=NOW + 10 * DAY
        )

    def stands(self, held: str | None, shown: str | None) -> Standing:
        return stands(self.it, held, shown, now=self.now, limits=self.limits)

    def renew(self, shown: str) -> None:
        number = len(self.cookies)
        self.secrets.append(f"s{number}")
        self.cookies.append(f"c{number}")
        self.it = replace(
            self.it,
            digest=digest(self.secrets[-1]),
            remember=digest(self.cookies[-1]),
            former=digest(shown),
            rotated=self.now,
            seen=max(self.now, self.it.seen),
            confirmed=False,
        )

    def use(self, held: str | None, shown: str | None) -> Standing:
        standing = self.stands(held, shown)
        if standing is RENEWS:
            assert shown is not None
            self.renew(shown)
        elif standing is GOOD:
            seen = max(self.now, self.it.seen)
            confirmed = self.it.confirmed or shown == self.cookies[-1]
            self.it = replace(self.it, seen=seen, confirmed=confirmed)
        return standing


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 59, 61, 3600, DAY, DAY + 1, -30, -61, -DAY]),
        st.integers(-1, 3),
        st.integers(-1, 3),
    ),
    max_size=12,
)
LIMITS = st.builds(
    Limits,
    st.sampled_from([None, 60, 3600, 3 * DAY]),
    st.sampled_from([None, 60, 3600]),
    st.booleans(),
)


def one_of(secrets: list[str], back: int) -> str | None:
    return None if back < 0 else secrets[max(len(secrets) - 1 - back, 0)]


def each_of(steps: Any, limits: Limits) -> Iterator[Any]:
    """Show at each of *steps* the last, the one before... of the secrets; -1 is none."""
    history = History(limits)
    for wait, held, shown in steps:
        history.now += wait
        before, secrets, cookies = history.it, list(history.secrets), list(history.cookies)
        the_held, the_shown = one_of(secrets, held), one_of(cookies, shown)
        standing = history.use(the_held, the_shown)
        yield before, history.now, (the_held, secrets), (the_shown, cookies), standing


@given(STEPS, LIMITS)
def test_p_11_nothing_is_good_past_an_end_or_before_a_beginning(steps: Any, limits: Limits) -> None:
    for it, now, _, _, standing in each_of(steps, limits):
        latest = max(it.created, it.seen, it.rotated or 0)
        if standing in (GOOD, RENEWS, BESIDE):
            assert now <= it.expires and latest - now <= CLOCK_TOLERANCE
        if standing is GOOD:
            assert limits.lifetime is None or now - begun(it) <= limits.lifetime
            assert limits.idle is None or now - it.seen <= limits.idle
        if standing in (RENEWS, BESIDE):
            assert limits.remembers


@given(STEPS, LIMITS)
def test_p_6_only_the_last_secret_of_the_session_is_good(steps: Any, limits: Limits) -> None:
    for _, _, (held, secrets), _, standing in each_of(steps, limits):
        if standing is GOOD:
            assert held == secrets[-1]


@given(STEPS, LIMITS)
def test_p_10_a_theft_is_what_shows_an_older_cookie_and_nothing_else(
    steps: Any, limits: Limits
) -> None:
    for it, now, _, (shown, cookies), standing in each_of(steps, limits):
        if standing is STOLEN:
            assert shown is not None and shown != cookies[-1]
        if standing is FUTURE or now > it.expires or shown is None:
            continue
        if it.former != digest(shown) and shown != cookies[-1]:
            assert standing is STOLEN
        if it.former == digest(shown):
            waited = now - (it.rotated or 0)
            assert (standing is STOLEN) == (it.confirmed and waited > WINDOW)
            if waited > LONGEST_WAIT:
                assert standing not in (RENEWS, BESIDE)


@given(STEPS)
def test_p_9_one_who_always_shows_the_last_cookie_is_never_a_thief(steps: Any) -> None:
    history = History(ENDLESS)
    for wait, held, _ in steps:
        history.now += abs(wait)
        if history.now > history.it.expires:
            break
        session = history.secrets[-1] if held == 0 else None
        assert history.use(session, history.cookies[-1]) in (GOOD, RENEWS)


@given(st.lists(st.tuples(st.sampled_from([0, 30, 61, 3600]), st.booleans()), max_size=12))
def test_p_9_nor_is_one_whose_responses_are_lost(steps: Any) -> None:
    history, mine = History(ENDLESS), "c0"
    for wait, lost in steps:
        history.now += wait
        standing = history.use(None, mine)
        assert standing in (RENEWS, BESIDE)
        if standing is RENEWS and not lost:
            mine = history.cookies[-1]
