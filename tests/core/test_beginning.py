"""How does a test's browser begin as somebody, where login sessions are kept?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from core.paper import COOKIE, DAY, NOW, Browser, User
from core.test_sessions import KEYS, proof_in, series_in

from quart_login._core.beginning import begin, client_session
from quart_login._core.errors import LoginError, UnusableUser
from quart_login._core.step import step

ALICE = User(7)


def browser(**config: Any) -> Browser:
    return Browser(users={7: ALICE}, config=config)


def begins(it: Browser, user: Any = ALICE, **options: Any) -> Browser:
    options = {"fresh": True, "remembered": False, "age": 0, **options}
    opened = step(begin(it.request(), user, **options))
    it.session = dict(opened.session)
    if opened.token is not None:
        it.jar[COOKIE] = opened.token
    return it


def test_a_browser_begins_with_a_login_in_the_store() -> None:
    it = begins(browser())
    kept = it.store.one()
    assert (kept.id, kept.user_id, kept.method) == (proof_in(it).id, "#7", "password")
    assert (kept.created, kept.fresh_since) == (NOW, NOW)
    assert it.jar == {} and it.who() is ALICE


def test_one_that_is_not_fresh_and_an_hour_old() -> None:
    it = begins(browser(), fresh=False, age=timedelta(hours=1))
    kept = it.store.one()
    assert (kept.created, kept.seen, kept.fresh_since, kept.method) == (
        NOW - 3600,
        NOW - 3600,
        None,
        "",
    )
    assert kept.expires == NOW - 3600 + 30 * DAY
    assert it.who() is ALICE


def test_one_that_is_remembered() -> None:
    it = begins(browser(), remembered=True, age=60)
    assert series_in(it).ends == NOW - 60 + 365 * DAY
    it.close()
    assert it.who() is ALICE


def test_one_that_is_over() -> None:
    it = begins(browser(LOGIN_LIFETIME=100), age=101)
    assert it.visit().reasons() == ["expired"]


def test_it_leaves_what_it_held_before() -> None:
    it = begins(browser())
    first = it.store.one()
    begins(it)
    assert it.store.one().id != first.id


def test_a_user_has_as_many_as_may_be() -> None:
    it = browser(LOGIN_MAX_SESSIONS=1, LOGIN_MAX_SESSIONS_REACHED="refuse")
    begins(it.another())
    with pytest.raises(LoginError, match="LOGIN_MAX_SESSIONS"):
        begins(it)


def test_it_must_be_a_user() -> None:
    it = browser()
    with pytest.raises(UnusableUser):
        begins(it, User(None))
    assert it.store.all() == []


def test_without_a_store_it_is_the_kit_s() -> None:
    it = browser()
    it.it.manager.sessions = None
    begins(it, remembered=True)
    assert KEYS.proof not in it.session and it.jar.keys() == {COOKIE}
    assert KEYS.proof not in step(client_session(it.request(), ALICE, True))
    assert it.who() is ALICE


@pytest.mark.parametrize("fresh", [True, False])
def test_flask_login_s_test_client_begins_so_too(fresh: bool) -> None:
    it = browser()
    it.session = step(client_session(it.request(), ALICE, fresh))
    kept = it.store.one()
    assert (kept.fresh_since is not None) == fresh and it.session[KEYS.fresh] is fresh
    assert it.who() is ALICE
