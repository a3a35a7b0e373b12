"""What does a test need to begin as somebody, to move the time, and to see who it was?"""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import NOW, Paper, User

from quart_login._core import kit, login, record
from quart_login._core.decision import LoginDecision
from quart_login._core.errors import ConfigurationError, UnusableUser
from quart_login._core.reasons import Reason
from quart_login._core.tokens import keys_of, read_token

ALICE = User(7)

SOMEBODY = LoginDecision(True, "session")
NOBODY = LoginDecision(False, reason=Reason.EXPIRED)


def opened(user: Any = ALICE, **options: Any) -> tuple[Paper, kit.Opened]:
    it = Paper(users={7: ALICE})
    given = {"fresh": True, "remembered": False, "age": 0, **options}
    found = kit.opened(it, user, **given)
    it.session.update(found.session)
    return it, found


@pytest.mark.parametrize("fresh", [True, False])
def test_a_session_is_that_of_a_login(fresh: bool) -> None:
    it, found = opened(fresh=fresh)
    assert it.who() is ALICE and login.login_fresh(it) is fresh
    assert found.token is None


@pytest.mark.parametrize("age", [100, 100.0, timedelta(seconds=100)])
def test_a_login_is_as_old_as_is_said(age: Any) -> None:
    it, found = opened(age=age, remembered=True)
    about = record.read(it.session, it.manager.keys, 7)
    assert about.fresh_since == NOW - 100 and about.remembered == record.AS_SET
    assert found.token is not None
    token = read_token(found.token, keys_of(it.config), None)
    assert token is not None and (token.user_id, token.issued) == (7, NOW - 100)


def test_a_login_takes_the_place_of_another() -> None:
    it = Paper({**opened(User(8))[1].session, "secret": "of 8"}, users={7: ALICE})
    kit.take_over(it, opened()[1])
    assert it.who() is ALICE and "secret" not in it.session


def test_what_is_no_user_or_no_age_is_refused() -> None:
    with pytest.raises(UnusableUser):
        opened(User(None))
    with pytest.raises(ConfigurationError, match="age"):
        opened(age="old")


def test_what_a_browser_holds_is_not_shown() -> None:
    assert repr(opened(remembered=True)[1]) == "<Opened>"


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = kit.ManualClock(100)
    assert clock() == clock() == 100
    clock.advance(1, hours=1)
    assert clock() == 100 + 86400 + 3600
    assert repr(clock) == "<ManualClock 90100>"
    assert abs(kit.ManualClock()() - time.time()) < 60


def test_the_last_decision_of_a_request_is_attached() -> None:
    response, silent = SimpleNamespace(), SimpleNamespace()
    kit.note(SOMEBODY)  # nobody listens
    with kit.deciding() as found:
        kit.attach(silent, found)
        kit.note(SOMEBODY)
        kit.note(NOBODY)
    kit.attach(response, found)
    assert response.login_decision is NOBODY and not vars(silent)
    assert kit.decisions.get() is None


def test_nobody_is_told_from_somebody() -> None:
    kit.assert_anonymous(SimpleNamespace(login_decision=NOBODY))
    kit.assert_anonymous(SimpleNamespace(login_decision=NOBODY), "expired")
    with pytest.raises(AssertionError, match="by session"):
        kit.assert_anonymous(SimpleNamespace(login_decision=SOMEBODY))
    with pytest.raises(AssertionError, match="not for user_gone but for expired"):
        kit.assert_anonymous(SimpleNamespace(login_decision=NOBODY), Reason.USER_GONE)
    with pytest.raises(TypeError, match="login client"):
        kit.assert_anonymous(SimpleNamespace())


def test_nobody_is_no_user_of_a_browser() -> None:
    for what in (None, object()):
        with pytest.raises(UnusableUser):
            opened(what)


def test_the_decision_is_that_of_the_last_of_many() -> None:
    decisions = [LoginDecision(False), LoginDecision(True, "session"), LoginDecision(True, "token")]
    response = SimpleNamespace()
    kit.attach(response, decisions)
    assert getattr(response, kit.ATTRIBUTE) is decisions[-1]


def test_who_says_nothing_of_being_active_is_no_user() -> None:
    with pytest.raises(UnusableUser):
        opened(SimpleNamespace(get_id=lambda: 7))
