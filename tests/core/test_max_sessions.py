"""How many logins may a user have?"""

from __future__ import annotations

import pytest
from core.logins import ALICE, BOB, browser, logged_in
from core.paper import Browser, User

from quart_login._core import login
from quart_login._core.reasons import Reason
from quart_login._core.step import step


def others(it: Browser, number: int, user: User = ALICE) -> list[Browser]:
    found = [it.another() for _ in range(number)]
    for one in found:
        it.clock.advance(seconds=1)
        assert one.log_in(user)
    return found


def test_the_longest_unseen_makes_room() -> None:
    it = browser(LOGIN_MAX_SESSIONS=2)
    first, second = others(it, 2)
    it.clock.advance(minutes=5)
    assert first.who() is ALICE
    request = it.request()
    step(login.log_in(request, ALICE))
    it.take(request)
    assert [browser.who() for browser in (first, second, it)] == [ALICE, None, ALICE]
    assert [name for name, _ in request.told] == ["login-session-ended", "logged-in"]
    assert request.told[0][1]["reason"] is Reason.TOO_MANY_SESSIONS
    assert len(request.ended_ids) == 1


def test_or_nobody_does() -> None:
    it = browser(LOGIN_MAX_SESSIONS=2, LOGIN_MAX_SESSIONS_REACHED="refuse")
    first, second = others(it, 2)
    request = it.request()
    assert step(login.log_in(request, ALICE, True)) is False
    it.take(request)
    assert request.identity.reason is Reason.TOO_MANY_SESSIONS
    assert request.told == [] and it.holds() == ({}, {})
    assert [first.who(), second.who(), it.who()] == [ALICE, ALICE, None]
    assert others(it, 2, BOB)  # it is each user's own limit


@pytest.mark.parametrize("reached", ["end_oldest", "refuse"])
def test_the_login_that_is_left_makes_room(reached: str) -> None:
    it = browser(LOGIN_MAX_SESSIONS=2, LOGIN_MAX_SESSIONS_REACHED=reached)
    first, second = others(it, 2)
    assert first.log_in(ALICE)
    assert [first.who(), second.who()] == [ALICE, ALICE]
    assert len(it.store.all()) == 2


def test_but_not_another_user_s() -> None:
    it = browser(LOGIN_MAX_SESSIONS=1, LOGIN_MAX_SESSIONS_REACHED="refuse")
    others(it, 1)
    assert it.log_in(BOB) and not it.log_in(ALICE)
    assert it.who() is BOB


@pytest.mark.parametrize("reached", ["end_oldest", "refuse"])
@pytest.mark.parametrize("most", [1, 2])
def test_two_logins_at_once_of_one_browser_take_its_room_once(most: int, reached: str) -> None:
    it = browser(LOGIN_MAX_SESSIONS=most, LOGIN_MAX_SESSIONS_REACHED=reached)
    found = others(it, most)
    old = found[-1]
    first, second = old.request(), old.request()

    def meanwhile(name: str) -> None:
        if name == "add":
            it.store.meanwhile = lambda name: None
            assert step(login.log_in(first, ALICE))

    it.store.meanwhile = meanwhile
    step(login.log_in(second, ALICE))
    assert len(it.store.all()) <= most
    old.take(second)
    assert old.who() is ALICE


def test_no_room_is_given_back_of_another_user_s() -> None:
    it = logged_in(LOGIN_MAX_SESSIONS=1)
    first, second = it.request(), it.request()

    def meanwhile(name: str) -> None:
        if name == "add":
            it.store.meanwhile = lambda name: None
            step(login.log_in(first, ALICE))

    it.store.meanwhile = meanwhile
    step(login.log_in(second, BOB))
    assert sorted(one.user_id for one in it.store.all()) == ["#7", "bob"]


def test_no_room_is_given_back_where_there_is_room_for_all() -> None:
    it = logged_in()
    first, second = it.request(), it.request()

    def meanwhile(name: str) -> None:
        if name == "add":
            it.store.meanwhile = lambda name: None
            step(login.log_in(first, ALICE))

    it.store.meanwhile = meanwhile
    step(login.log_in(second, ALICE))
    assert len(it.store.all()) == 2


def test_nor_one_that_is_over() -> None:
    it = browser(LOGIN_MAX_SESSIONS=1, LOGIN_LIFETIME=100, LOGIN_MAX_SESSIONS_REACHED="refuse")
    [old] = others(it, 1)
    it.clock.advance(seconds=101)
    others(it, 1)
    assert not old.log_in(ALICE)
    assert len([one for one in it.store.all() if one.expires > it.clock()]) == 1
