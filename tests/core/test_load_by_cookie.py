"""Who is it by the remember cookie alone, and what does the browser get for it?"""

from __future__ import annotations

from typing import Any

import pytest
from core.loading import ALICE, JUNK, paper, raises, session_of, token_in
from core.paper import COOKIE, DAY, KEY, NOW, OLD_KEY, User, about, value_of

from quart_login._core import claim
from quart_login._core.login import logout_user
from quart_login._core.protection import fingerprint
from quart_login._core.record import AS_SET
from quart_login._core.remember import DELETE
from quart_login._core.step import step
from quart_login._core.tokens import Token, encode_legacy
from quart_login._core.users import epoch_of

# --- the remember cookie -------------------------------------------------------------------------


def test_a_remembered_user_gets_a_stale_session_that_is_bound_to_the_client() -> None:
    it = paper()
    it.request.cookies = it.token(7, seconds=DAY)
    assert it.who() is ALICE
    assert it.identity.stale
    assert it.session == {
        "_user_id": 7,
        "_fresh": False,
        "_id": fingerprint(*it.client()),
        "_login_record": about(7, remembered=DAY),
    }
    assert it.again(cookies={}).who() is ALICE


def test_a_remembered_user_of_the_settings_duration_is_noted_so() -> None:
    it = paper()
    it.request.cookies = it.token(7)
    it.who()
    assert it.session["_login_record"] == about(7, remembered=AS_SET)


def test_a_remembered_user_keeps_the_visitors_data_and_not_another_users() -> None:
    for session, left in (({"cart": [1]}, True), ({"cart": [1], "_login_record": "was|x"}, False)):
        it = paper(session)
        it.request.cookies = it.token(7)
        it.who()
        assert ("cart" in it.session) is left


def test_the_applications_exceptions_stay_for_a_remembered_user() -> None:
    it = paper(
        {"cart": [1], "theme": "dark", "_login_record": "was|x"},
        config={"LOGIN_KEEP_SESSION_KEYS": ["theme"]},
    )
    it.request.cookies = it.token(7)
    it.who()
    assert it.session["theme"] == "dark" and "cart" not in it.session


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "malformed"),
        ({"issued": int(NOW) - 366 * DAY}, "expired"),
        ({"issued": int(NOW) + DAY}, "expired"),
    ],
)
def test_a_remember_cookie_that_does_not_count_is_removed(change: Any, reason: str) -> None:
    it = paper(users=raises(AssertionError("asked")))
    it.request.cookies = it.token(7, **change) if change else JUNK
    assert it.who() is None
    assert it.session == {}
    assert it.identity.remember is DELETE
    assert it.reasons() == [reason]


def test_a_remember_cookie_that_does_not_count_leaves_the_session_alone() -> None:
    it = paper(session_of(ALICE, cart=[1]), cookies=JUNK)
    assert it.who() is ALICE
    assert it.session == session_of(ALICE, cart=[1])
    assert it.identity.remember is DELETE
    assert it.reasons() == ["malformed"]


def test_session_and_cookie_that_name_two_users_count_neither() -> None:
    it = paper(session_of(ALICE, cart=[1]), users=raises(AssertionError("asked")))
    it.request.cookies = it.token(8)
    assert it.who() is None
    assert it.session == {}
    assert it.identity.remember is DELETE
    assert it.names() == ["accessed", "identity-mismatch", "credential-rejected"]
    assert it.reasons() == ["user_mismatch"]
    assert it.told[1][1] == {"reason": "user_mismatch"}


def test_session_and_cookie_that_name_one_user_count_as_the_session() -> None:
    it = paper(session_of(ALICE))
    it.request.cookies = {COOKIE: encode_legacy("7", KEY)}
    assert it.who() is ALICE
    assert it.session == session_of(ALICE)
    assert "loaded-from-cookie" not in it.names()


def test_a_cookie_that_the_session_says_was_cleared_does_not_count() -> None:
    it = paper({"_remember": "clear"})
    it.request.cookies = it.token(7)
    assert it.who() is None
    assert it.reasons() == []
    it.session["_remember"] = "set"
    assert claim.presented(it) is not None


def test_a_cookie_that_this_request_deletes_does_not_count() -> None:
    it = paper()
    it.request.cookies = it.token(7)
    assert claim.presented(it) == Token(7, int(NOW) - 60)
    it.identity.remember = DELETE
    assert claim.presented(it) is None


def test_fallbacks_that_are_no_list_log_nobody_in() -> None:
    it = paper(session_of(ALICE), config={"SECRET_KEY_FALLBACKS": OLD_KEY})
    assert it.who() is None
    assert isinstance(it.identity.error, TypeError)
    assert it.session == session_of(ALICE)


def test_a_claim_shows_no_secret() -> None:
    it = paper(session_of(User("alice")))
    assert repr(claim.claim(it)) == "<Claim>"


def test_without_a_key_no_cookie_counts_and_none_is_deleted() -> None:
    it = paper(cookies=JUNK, config={"SECRET_KEY": None})
    assert it.who() is None
    assert it.identity.error is None and it.identity.remember is None
    assert it.reasons() == []


# --- replacing it --------------------------------------------------------------------------------


def test_flask_logins_cookie_is_replaced_by_our_form_with_the_users_own_id() -> None:
    it = paper(cookies={COOKIE: encode_legacy("7", KEY)})
    assert it.who() is ALICE
    assert it.session["_user_id"] == 7
    assert token_in(it) == Token(7, int(NOW))


def test_a_cookie_of_a_fallback_key_is_replaced_and_lives_no_longer() -> None:
    before = paper(config={"SECRET_KEY": OLD_KEY})
    cookies = before.token(7, seconds=DAY)
    it = paper(cookies=cookies, config={"SECRET_KEY_FALLBACKS": [OLD_KEY]})
    assert it.who() is ALICE
    assert token_in(it) == Token(7, int(NOW) - 60, DAY)
    again = paper(cookies={COOKIE: value_of(it.identity.remember)})
    assert again.who() is ALICE and again.identity.remember is None


def test_a_cookie_that_needs_no_replacing_is_let_alone() -> None:
    it = paper()
    it.request.cookies = it.token(7)
    it.who()
    assert it.identity.remember is None


FORMER = {"REMEMBER_COOKIE_FORMER_NAME": "old"}


def test_a_cookie_of_the_former_name_is_read_and_replaced_and_lives_no_longer() -> None:
    value = paper().token(7, seconds=DAY)[COOKIE]
    it = paper(cookies={"old": value}, config=FORMER)
    assert it.who() is ALICE
    assert token_in(it) == Token(7, int(NOW) - 60, DAY)
    assert paper(cookies={"old": value}).who() is None


def test_a_cookie_of_the_name_that_is_wins_over_the_former_one() -> None:
    cookies = paper().token(7) | {"old": paper().token(8)[COOKIE]}
    it = paper(cookies=cookies, config=FORMER)
    assert it.who() is ALICE and it.identity.remember is None


def test_junk_under_the_former_name_is_removed() -> None:
    it = paper(cookies={"old": "1|é"}, config=FORMER)
    assert it.who() is None and it.identity.remember is DELETE
    now, former = it.answer().headers.getlist("Set-Cookie")
    assert now.startswith(f"{COOKIE}=;") and former.startswith("old=;")


def test_a_logout_removes_the_cookie_of_the_former_name_too() -> None:
    it = paper(cookies={"old": paper().token(7)[COOKIE]}, config=FORMER)
    step(logout_user(it))
    assert [line[:4] for line in it.answer().headers.getlist("Set-Cookie")][1:] == ["old="]
    assert it.identity.remember is DELETE


def test_a_replaced_cookie_carries_the_users_epoch() -> None:
    user = User(7, session_epoch=1)
    it = paper(cookies={COOKIE: encode_legacy("7", KEY)}, users=lambda key: user)
    assert it.who() is user
    assert token_in(it).epoch == epoch_of(user)


def test_a_user_is_not_lost_over_an_id_that_is_too_long_for_our_form() -> None:
    user = User('"' * 2000)
    it = paper(cookies={COOKIE: encode_legacy(user.id, KEY)}, users=lambda key: user)
    assert it.who() is user
    assert it.identity.remember is None
