"""What if a response is late, kept back or lost, or a login ends while a request runs?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import COOKIE, Browser, User

from quart_login._core import listing, login
from quart_login._core.errors import StoreUnavailable, UnusableUser
from quart_login._core.reasons import Reason
from quart_login._core.remember import DELETE
from quart_login._core.series import LONGEST_WAIT
from quart_login._core.step import step
from quart_login._core.users import epoch_of

ALICE, BOB = User(7), User("bob")


def logged_in(remember: bool = True, **config: Any) -> Browser:
    it = Browser(users={7: ALICE, "bob": BOB}, config=config)
    assert it.log_in(ALICE, remember)
    it.clock.advance(seconds=300)
    return it


def thefts(request: Any) -> int:
    return request.names().count("remember-theft-detected")  # type: ignore[no-any-return]


# --- a thief who keeps the new cookie back -------------------------------------------------------


def test_p_10_a_thief_who_shows_the_session_alone_is_seen() -> None:
    it = logged_in()
    it.close()
    thief = it.copy()
    assert thief.who() is ALICE  # by the remember cookie, and has a new one and a session
    thief.jar.clear()
    it.clock.advance(seconds=300)
    assert thief.who() is ALICE
    request = it.visit()
    assert request.identity.user is None and thefts(request) == 1
    assert thief.who() is None


def test_but_one_who_never_used_the_session_lost_the_response() -> None:
    it = logged_in()
    it.close()
    it.copy().visit()
    it.clock.advance(seconds=300)
    request = it.visit()
    assert request.identity.user is ALICE and thefts(request) == 0


def test_who_lost_a_response_and_comes_back_after_a_day_is_no_thief() -> None:
    it = logged_in()
    it.close()
    it.copy().visit()
    it.clock.advance(seconds=LONGEST_WAIT + 1)
    request = it.visit()
    assert request.identity.user is None and thefts(request) == 0
    assert len(it.store.logins()) == 1


# --- a late response -----------------------------------------------------------------------------


def test_p_9_a_response_later_than_the_window_brings_no_cookie_that_another_replaced() -> None:
    it = logged_in()
    it.close()
    slow = it.request()
    assert slow.who() is ALICE
    it.clock.advance(seconds=61)
    assert it.who() is ALICE  # a second tab, which takes that response for lost
    held = it.jar[COOKIE]
    it.take(slow)
    assert it.jar[COOKIE] == held
    for _ in range(3):
        it.clock.advance(seconds=100)
        it.close()
        request = it.visit()
        assert request.identity.user is ALICE and thefts(request) == 0


def test_p_9_nor_where_there_is_no_second_tab() -> None:
    it = logged_in()
    it.close()
    slow = it.request()
    slow.who()
    it.clock.advance(seconds=61)
    it.take(slow)
    assert it.session == {}  # What came with the cookie is not there, either.
    request = it.visit()
    assert request.identity.user is ALICE and thefts(request) == 0


def test_a_login_in_a_slow_request_is_brought_however_late() -> None:
    it = logged_in()
    it.close()
    slow = it.request()
    slow.who()
    it.clock.advance(seconds=61)
    assert step(login.login_user(slow, ALICE, True))
    it.take(slow)
    assert it.who() is ALICE and len(it.store.logins()) == 1


def test_a_stream_whose_headers_are_gone_renews_nothing() -> None:
    it = logged_in()
    it.close()
    request, held = it.request(), it.store.one()
    request.identity.close()
    assert request.who() is ALICE and it.store.one() == held


# --- a login that ends while a request runs ------------------------------------------------------


@pytest.mark.parametrize("remember", [False, True])
def test_p_8_a_request_whose_login_was_revoked_does_not_bring_it_back(remember: bool) -> None:
    it = logged_in()
    other = it.copy()
    request = other.request()
    assert request.who() is ALICE
    assert it.do(listing.revoke_user, ALICE) == 1
    assert step(login.login_user(request, ALICE, remember)) is False
    assert request.identity.user is None and request.identity.reason is Reason.SESSION_ENDED
    other.take(request)
    assert it.store.logins() == [] and other.who() is None and it.who() is None


def test_but_another_user_s_login_stands() -> None:
    it = logged_in()
    request = it.request()
    request.who()
    step(listing.revoke_user(it.request(), ALICE))
    assert step(login.login_user(request, BOB)) is True
    it.take(request)
    assert it.who() is BOB


def test_what_is_refused_so_writes_nothing_over_another_response() -> None:
    it = logged_in(False)
    request = it.request()
    request.who()
    assert it.log_in(ALICE)  # another tab
    assert step(login.login_user(request, ALICE)) is False
    it.take(request)
    assert it.who() is ALICE and len(it.store.logins()) == 1


# --- what a login leaves behind ------------------------------------------------------------------


def test_a_remember_cookie_that_its_path_kept_from_here_is_removed() -> None:
    it = logged_in(REMEMBER_COOKIE_PATH="/app")
    elsewhere = it.copy(cookie=False)
    request = elsewhere.request()
    request.who()
    assert step(login.login_user(request, ALICE)) is True
    response = elsewhere.take(request)
    [line] = [line for line in response.headers.getlist("Set-Cookie") if line.startswith(COOKIE)]
    assert "Max-Age=0" in line and "Path=/app" in line


def test_a_record_that_cannot_be_read_does_not_keep_its_browser_out() -> None:
    it = logged_in()
    get = it.store.get

    async def corrupt(exchange: Any, id: str) -> Any:
        if it.store.logins()[0].agent == "paper" and id == first:
            raise ValueError("no record")
        return await get(exchange, id)

    first = it.store.one().id
    it.store.get = corrupt  # type: ignore[method-assign]
    assert it.log_in(ALICE) is True
    assert first not in {one.id for one in it.store.logins()} and it.who() is ALICE


def test_nor_does_one_that_is_named_by_the_cookie_alone() -> None:
    it = logged_in()
    it.close()
    it.store.fail_at(0, lasting=False)
    assert it.log_in(ALICE) is True and len(it.store.logins()) == 1


def test_a_store_that_is_down_does() -> None:
    it = logged_in()
    it.store.fail_at(0, lasting=True)
    with pytest.raises(StoreUnavailable):
        it.log_in(ALICE)


def test_a_logout_with_a_cookie_from_long_ago_is_a_theft_as_ever() -> None:
    it = logged_in()
    old = dict(it.jar)
    for _ in range(2):  # renewed twice
        it.close()
        it.clock.advance(seconds=100)
        it.who()
    other = it.another()
    other.jar = old
    request = other.request()
    step(login.logout_user(request))
    assert thefts(request) == 1 and it.store.logins() == []


def test_a_logout_ends_the_remember_cookie_s_login_too_where_that_is_another() -> None:
    it, other = logged_in(), logged_in()
    other.it = it.it
    assert other.log_in(BOB, True)
    mixed = it.copy(cookie=False)
    mixed.jar = dict(other.jar)
    mixed.log_out()
    assert it.store.logins() == []


def test_an_epoch_that_cannot_be_told_is_no_missing_one() -> None:
    class Member:
        @property
        def session_epoch(self) -> str:
            return self.profile.epoch  # type: ignore[attr-defined, no-any-return]

    with pytest.raises(UnusableUser, match="session_epoch"):
        epoch_of(Member())


def test_a_login_whose_own_login_was_ended_leaves_no_trace_in_the_request() -> None:
    it = logged_in()
    request = it.request()
    request.who()
    it.do(listing.revoke_user, 7)
    assert step(login.login_user(request, ALICE, True)) is False
    identity = request.identity
    assert identity.user is identity.login_session is identity.source is None
    assert identity.reason is Reason.SESSION_ENDED
    assert not login.login_remembered(request) or identity.remember is None
    assert not request.session


def test_a_login_after_one_that_was_not_remembered_deletes_no_cookie() -> None:
    it = logged_in(remember=False)
    request = it.request()
    assert step(login.login_user(request, BOB))
    assert request.identity.remember is None


def test_a_login_deletes_another_s_cookie_that_did_not_come_though_the_store_forgot_him() -> None:
    it = logged_in()
    step(it.store.delete(it.request(), it.store.one().id))
    request = it.copy(cookie=False).request()
    assert step(login.login_user(request, BOB))
    assert request.identity.remember is DELETE


def test_what_such_a_login_would_have_changed_is_as_it_was() -> None:
    it = logged_in()
    request = it.request()
    request.who()
    it.do(listing.revoke_user, 7)
    assert step(login.login_user(request, ALICE, True)) is False
    assert request.identity.remember is None
