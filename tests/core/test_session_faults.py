"""Is a change of a login session made whole or not at all, and at what cost?"""

from __future__ import annotations

from typing import Any

import pytest
from core.logins import ALICE, BOB, KEYS, browser, is_fresh, logged_in
from core.paper import COOKIE, KEY, NOW, OLD_KEY, Browser, User, failures

from quart_login._core import login, proofs
from quart_login._core.errors import StoreUnavailable
from quart_login._core.reasons import Reason
from quart_login._core.step import step

# --- p 14: whole or not at all -------------------------------------------------------------------


def check_nobody_is_unknown(it: Browser) -> None:
    """Whoever is logged in has a login in the store."""
    for copy in (it.copy(), it.copy(cookie=False), it.copy(session=False)):
        request = copy.visit()
        if request.identity.user is not None:
            assert request.identity.login_session is not None
            assert request.identity.login_session.id in {one.id for one in it.store.logins()}


@pytest.mark.parametrize("remember", [False, True])
def test_p_14_a_first_login(remember: bool) -> None:
    for it, error, how in failures(browser, lambda it: it.log_in(ALICE, remember)):
        assert error is not None, how
        assert it.holds() == ({}, {}), how
        assert it.who() is None
        kept = it.store.all()
        assert kept == [] or how == "add after lasting=True"  # which nobody can prove


@pytest.mark.parametrize("user", [ALICE, BOB])
def test_p_14_a_login_after_another(user: User) -> None:
    def make() -> Browser:
        return logged_in(remember=True)

    for it, error, how in failures(make, lambda it: it.log_in(user, True)):
        check_nobody_is_unknown(it)
        if how.startswith("get") and "lasting=False" in how:
            # The login before could not be read, so it ended unread.
            assert error is None and it.who() is user and len(it.store.all()) == 1
            continue
        assert error is not None, how
        if "lasting=False" in how:
            assert len(it.store.all()) == (0 if how.startswith("delete after") else 1), how
        # The login before is as it was, unless it has ended.
        there = not how.startswith("delete after")
        assert it.who() is (ALICE if there else None), how


def test_p_14_a_logout() -> None:
    for it, error, how in failures(lambda: logged_in(remember=True), Browser.log_out):
        assert it.jar == {} and KEYS.user_id not in it.session, how
        assert it.who() is None
        gone = it.store.all() == []
        assert error is not None or gone, how


def test_p_14_a_confirmation() -> None:
    def act(it: Browser) -> None:
        it.do(login.confirm_login)

    for remember in (False, True):
        for it, error, how in failures(lambda r=remember: logged_in(remember=r), act):
            check_nobody_is_unknown(it)
            swapped = how.startswith("swap after") and error is not None
            # What it was before is nothing any more, and nobody has got what it is now.
            assert it.who() is (ALICE if remember or not swapped else None), how


def test_p_14_a_confirmation_whose_session_gets_no_new_id_is_none() -> None:
    it = logged_in()
    request = it.request()

    def fail(session: Any) -> None:
        raise OSError

    request.app.session_interface.regenerate = fail
    with pytest.raises(OSError):
        step(login.confirm_login(request))
    del request.app.session_interface.regenerate
    it.take(request)
    assert it.who() is ALICE


def test_p_14_a_receiver_of_the_confirmation_that_raises() -> None:
    it = logged_in()
    it.log_in(ALICE, fresh=False)
    request = it.request()

    def fail(name: str) -> None:
        if name == "login-confirmed":
            raise OSError

    request.hear = fail
    with pytest.raises(OSError):
        step(login.confirm_login(request))
    it.take(request)
    assert request.identity.user is None
    assert it.who() is ALICE  # by the new proof
    assert not it.do(is_fresh)


def test_p_14_a_page() -> None:
    for closed in (False, True):

        def make(closed: bool = closed) -> Browser:
            it = logged_in(remember=True)
            it.clock.advance(minutes=2)
            if closed:
                it.close()
            return it

        for it, error, how in failures(make, Browser.visit):
            assert error is None, how  # It is kept with the request.
            check_nobody_is_unknown(it)
            it.clock.advance(minutes=2)
            assert it.who() is ALICE, how
            assert len(it.store.all()) == 1


def test_p_14_a_page_whose_store_fails_is_nobody_s() -> None:
    it = logged_in(remember=True)
    it.store.fail_at(0)
    held = it.holds()
    request = it.visit()
    assert request.identity.user is None
    assert request.identity.reason is Reason.STORE_FAILED
    assert it.holds() == held
    it.store.fail_at(None)
    assert it.who() is ALICE


@pytest.mark.parametrize("name", ["touch", "swap"])
def test_what_cannot_be_noted_ends_nobody_s_request(name: str, caplog: Any) -> None:
    it = logged_in(remember=True)
    if name == "swap":
        it.close()
        it.who()
    it.clock.advance(minutes=2)
    it.store.fail_at(1)
    assert it.who() is ALICE
    assert it.store.asked == ["get", name]
    [line] = [line for line in caplog.records if line.event == "store_failed"]
    assert line.levelname == "WARNING"


# --- p 24: the cost ------------------------------------------------------------------------------


def test_p_24_a_request_reads_once_and_writes_once_a_minute() -> None:
    it = logged_in()
    for second in range(300):
        it.clock.advance(seconds=1)
        assert it.who() is ALICE
        expected = {"get": 1, "touch": 1} if second % 60 == 59 else {"get": 1}
        assert it.store.counts() == expected


def test_p_24_that_its_cookie_was_seen_is_written_once() -> None:
    it = logged_in(remember=True)
    it.close()
    assert it.who() is ALICE
    assert it.store.counts() == {"get": 1, "swap": 1}
    assert it.who() is ALICE
    assert it.store.counts() == {"get": 1, "swap": 1}
    it.clock.advance(seconds=59)
    assert it.who() is ALICE
    assert it.store.counts() == {"get": 1}
    assert it.store.one().confirmed


def test_p_24_what_is_written_for_the_cookie_says_when_it_was_seen() -> None:
    it = logged_in(remember=True)
    it.close()
    it.who()
    it.clock.advance(minutes=5)
    assert it.who() is ALICE
    assert it.store.one().seen == NOW + 300


def test_what_cannot_be_taken_back_is_told(caplog: Any) -> None:
    it = browser()
    it.store.fail_at(0)
    with pytest.raises(StoreUnavailable):
        it.log_in(ALICE)
    assert [line.event for line in caplog.records] == ["store_failed"]


@pytest.mark.parametrize(
    ("session", "jar"),
    [
        ({}, {}),
        ({"cart": [1]}, {}),
        ({}, {COOKIE: "junk"}),
        ({}, {COOKIE: "7|" + "0" * 128}),
        ({}, {COOKIE: "0" * 22 + "." + "0" * 43}),
        ({KEYS.proof: proofs.EXAMPLE}, {}),
        ({KEYS.user_id: 7}, {}),
        ({KEYS.user_id: 7, KEYS.proof: "junk"}, {}),
        ({KEYS.user_id: 7, KEYS.proof: proofs.EXAMPLE + "0"}, {}),
        ({KEYS.user_id: 7, KEYS.proof: 7}, {}),
    ],
)
def test_p_24_for_nobody_and_for_junk_it_is_not_asked(session: Any, jar: Any) -> None:
    it = browser()
    it.session, it.jar = session, jar
    assert it.who() is None
    assert it.store.asked == []


def test_p_24_a_login_asks_once_or_thrice() -> None:
    it = browser()
    it.log_in(ALICE, remember=True)
    assert it.store.counts() == {"add": 1}
    it.log_in(ALICE, remember=True)
    assert it.store.counts() == {"get": 1, "add": 1, "delete": 1}
    it.log_out()
    assert it.store.counts()["delete"] == 1


def test_p_24_a_fallback_key_s_cookie_is_signed_anew_and_nothing_is_asked_for_it() -> None:
    it = logged_in(remember=True)
    it.who()
    old = dict(it.jar)
    it.config.update(SECRET_KEY=OLD_KEY, SECRET_KEY_FALLBACKS=[KEY])
    it.store.asked.clear()
    assert it.who() is ALICE and it.jar != old
    assert it.store.counts() == {"get": 1}
    it.config["SECRET_KEY_FALLBACKS"] = []
    it.close()
    assert it.who() is ALICE
