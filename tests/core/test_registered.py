"""Whose login session is it that a request shows?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core.paper import COOKIE, DAY, KEY, NOW, OLD_KEY, Browser, User, about, failures
from core.test_sessions import KEYS, proof_in, series_in

from quart_login._core import carryover, login, proofs, record, registered
from quart_login._core.load import load
from quart_login._core.proofs import Proof, Series
from quart_login._core.reasons import Reason
from quart_login._core.remember import DELETE, Change
from quart_login._core.step import step
from quart_login._core.tokens import Keys, encode_legacy


def users() -> dict[Any, User]:
    return {7: User(7), "bob": User("bob"), 9: User(9, active=False)}


def logged_in(user_id: Any = 7, remember: bool = False, **config: Any) -> Browser:
    found = config.pop("users", users())
    it = Browser(users=found, config=config)
    it.users = found  # type: ignore[attr-defined]
    assert it.log_in(found[user_id], remember, force=True)
    it.store.asked.clear()
    return it


def told(request: Any, name: str) -> list[dict[str, Any]]:
    return [extra for heard, extra in request.told if heard == name]


# --- rule 1: the store is asked once -------------------------------------------------------------


def test_rule_1_the_session_shows_its_login() -> None:
    it = logged_in()
    request = it.visit()
    assert request.identity.user.id == 7
    assert request.identity.login_session == it.store.one()
    assert it.store.asked == ["get"]
    assert not request.session.modified and request.names() == ["accessed"]


def test_rule_1_so_does_the_remember_cookie() -> None:
    it = logged_in(remember=True)
    before, cookie = it.store.one(), it.jar[COOKIE]
    it.close()
    it.clock.advance(seconds=5)
    request = it.visit()
    assert request.identity.user.id == 7
    assert request.identity.stale and request.identity.source == "remember_cookie"
    assert request.names() == ["accessed", "loaded-from-cookie"]
    now = it.store.one()
    assert request.identity.login_session == now
    assert (now.id, now.version, now.expires) == (before.id, 1, before.expires)
    assert (now.rotated, now.seen, now.fresh_since) == (NOW + 5, NOW + 5, None)
    assert (now.former, now.confirmed) == (before.remember, False)
    assert now.digest not in (before.digest, now.remember) and now.remember != before.remember
    assert it.jar[COOKIE] != cookie and series_in(it).ends == NOW + 365 * DAY
    assert it.session[KEYS.user_id] == 7 and it.session[KEYS.fresh] is False
    assert it.session[KEYS.record] == about(7, remembered=-1)
    assert proof_in(it).id == now.id
    assert it.who().id == 7


def test_rule_1_a_login_that_is_not_there_is_over_in_the_browser() -> None:
    it = logged_in(remember=True)
    step(it.store.delete(it.request(), it.store.one().id))
    request = it.visit()
    assert request.identity.user is None
    assert request.reasons() == ["session_ended"]
    assert it.holds() == ({}, {})


def test_rule_1_a_session_from_before_the_registry_is_none() -> None:
    it = logged_in()
    del it.session[KEYS.proof]
    held = dict(it.session)
    request = it.visit(websocket=True)
    assert request.reasons() == ["not_registered"] and it.session == held
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["not_registered"]
    assert it.session == {} and it.store.asked == []


def test_rule_1_a_proof_without_a_login_is_none() -> None:
    it = logged_in()
    it.session = {KEYS.proof: it.session[KEYS.proof]}
    assert it.who() is None and it.store.asked == []


def test_rule_1_session_protection_is_asked_first() -> None:
    it = logged_in(SESSION_PROTECTION="strong")
    request = it.visit(remote_addr="192.0.2.1")
    assert request.reasons() == ["protected"] and it.store.asked == []


def test_another_task_s_login_stands_while_the_store_is_asked() -> None:
    for at in ("get", "loader"):
        it = logged_in()
        request, users = it.request(), it.users  # type: ignore[attr-defined]

        def bind(name: Any, request: Any = request, users: Any = users) -> Any:
            request.bind(users["bob"])
            return users[7]

        if at == "get":
            it.store.meanwhile = bind
        else:
            it.it.manager.user_loader(bind)
        step(load(request))
        assert request.identity.user.id == "bob" and not request.session.modified


def test_another_task_s_login_stands_while_the_cookie_s_is_renewed() -> None:
    it = logged_in(remember=True)
    it.close()
    request, users = it.request(), it.users  # type: ignore[attr-defined]
    it.store.meanwhile = lambda name: request.bind(users["bob"]) if name == "swap" else None
    step(load(request))
    assert request.identity.user.id == "bob" and request.session == {}
    assert request.identity.remember is None


# --- rule 2: both show the same login ------------------------------------------------------------


def test_rule_2_session_and_cookie_of_two_logins_are_none() -> None:
    it, other = logged_in(remember=True), logged_in(remember=True)
    it.jar = dict(other.jar)
    request = it.visit()
    assert request.identity.user is None
    assert request.reasons() == ["user_mismatch"] and it.store.asked == []
    assert "identity-mismatch" in request.names()
    assert it.holds() == ({}, {})


def test_rule_2_also_two_of_one_user() -> None:
    it = logged_in(remember=True)
    other = it.another()
    other.log_in(it.users[7], remember=True)  # type: ignore[attr-defined]
    it.jar = dict(other.jar)
    assert it.visit().reasons() == ["user_mismatch"]
    assert len(it.store.all()) == 2


def test_rule_2_a_session_that_names_another_than_its_login_is_none() -> None:
    it = logged_in()
    it.session[KEYS.user_id] = "bob"
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["user_mismatch"]
    assert it.session == {} and len(it.store.all()) == 1


@pytest.mark.parametrize("name", ["~staff~#7", "#007", "", "#" + "9" * 400])
def test_rule_2_a_login_that_is_no_user_s_here_is_none(name: str) -> None:
    it = logged_in(remember=True)
    kept = it.store.one()
    step(it.store.delete(it.request(), kept.id))
    it.store.put(replace(kept, user_id=name))
    assert it.visit().reasons() == ["user_mismatch"]


def test_rule_2_a_text_for_an_int_is_the_same_user() -> None:
    it = logged_in()
    it.session[KEYS.user_id] = "7"
    it.session[KEYS.record] = about("7")
    assert it.who().id == 7  # as the store has it


def test_a_user_whom_the_loader_confuses_ends_nothing() -> None:
    it = logged_in()
    it.users[7] = it.users["bob"]  # type: ignore[attr-defined]
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["user_mismatch"]
    assert len(it.store.all()) == 1
    assert it.session == {}


# --- rule 3: users who are gone ------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.USER_GONE, Reason.USER_INACTIVE])
def test_rule_3_a_user_who_may_not_log_in_loses_all_logins(reason: Reason) -> None:
    it = logged_in(remember=True)
    others = [it.another() for _ in range(2)]
    for other in others:
        other.log_in(it.users[7])  # type: ignore[attr-defined]
    stranger = it.another()
    stranger.log_in(it.users["bob"])  # type: ignore[attr-defined]
    user = it.users.pop(7)  # type: ignore[attr-defined]
    if reason is Reason.USER_INACTIVE:
        it.users[7] = User(7, active=False)  # type: ignore[attr-defined]
    request = it.visit()
    assert request.identity.user is None and request.reasons() == [reason]
    assert len(told(request, "login-session-ended")) == 3
    assert {extra["reason"] for extra in told(request, "login-session-ended")} == {reason}
    assert [one.user_id for one in it.store.logins()] == ["bob"]
    assert len(request.ended_ids) == 3
    assert it.holds() == ({}, {})
    it.users[7] = user  # type: ignore[attr-defined]  # is there again
    assert [other.who() for other in others] == [None, None]
    assert stranger.who().id == "bob"


def test_rule_3_a_login_from_before_the_epoch_changed_ends() -> None:
    found = {7: User(7, session_epoch=1)}
    it = logged_in(users=found, remember=True)
    other = it.another()
    found[7].session_epoch = 2
    other.log_in(found[7])
    request = it.visit()
    assert request.reasons() == ["epoch_changed"] and it.holds() == ({}, {})
    assert [extra["reason"] for extra in told(request, "login-session-ended")] == ["epoch_changed"]
    assert len(it.store.all()) == 1 and other.who() is found[7]


def test_rule_3_an_epoch_that_is_offered_only_now_ends_nothing() -> None:
    it = logged_in()
    it.users[7].session_epoch = 1  # type: ignore[attr-defined]
    assert it.who().id == 7


def test_rule_3_an_epoch_that_is_offered_no_more_ends_the_login() -> None:
    found = {7: User(7, session_epoch=1)}
    it = logged_in(users=found)
    found[7] = User(7)
    assert it.visit().reasons() == ["epoch_changed"]


def test_a_login_by_force_is_good_for_who_is_inactive() -> None:
    it = logged_in(9)
    request = it.visit()
    assert request.identity.user.id == 9 and request.identity.forced
    it = logged_in(9, remember=True)
    it.close()
    assert it.visit().reasons() == ["user_inactive"]  # the cookie forces nothing


def test_a_login_by_force_ends_with_the_epoch_too() -> None:
    found = {9: User(9, active=False, session_epoch=1)}
    it = logged_in(9, users=found)
    found[9].session_epoch = 2
    assert it.visit().reasons() == ["epoch_changed"]


def test_p_13_whatever_the_loader_raises_nobody_is_logged_in_and_nothing_ends() -> None:
    it = logged_in(remember=True)
    held = it.holds()

    def fail(user_id: Any) -> Any:
        raise OSError

    it.it.manager.user_loader(fail)
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["loader_failed"]
    assert it.holds() == held and len(it.store.all()) == 1


def test_p_14_a_user_who_is_gone_where_the_store_fails() -> None:
    def make() -> Browser:
        it = logged_in(remember=True)
        del it.users[7]  # type: ignore[attr-defined]
        return it

    for it, _, how in failures(make, Browser.visit):
        assert it.who() is None, how
        it.users[7] = User(7)  # type: ignore[attr-defined]
        assert it.who() is None and it.store.logins() == [], how


# --- rule 4: what was replaced -------------------------------------------------------------------


def test_rule_4_a_proof_that_was_replaced_just_now_changes_nothing() -> None:
    it = logged_in()
    old = it.copy()
    it.do(login.confirm_login)
    held = old.holds()
    it.clock.advance(seconds=60)
    request = old.visit()
    assert request.identity.user is None and request.reasons() == ["session_ended"]
    assert request.identity.beside
    assert old.holds() == held and it.who().id == 7


def test_rule_4_nor_shows_it_what_the_session_holds() -> None:
    it = logged_in()
    it.session["note"] = "of user 7"
    old = it.copy()
    it.do(login.confirm_login)
    request = old.request()
    request.who()
    assert request.session == {}
    request.session["note"] = "written by nobody"
    old.take(request)
    assert old.session["note"] == "of user 7"


def test_rule_4_a_logout_removes_it_and_ends_the_login() -> None:
    it = logged_in()
    old = it.copy()
    it.do(login.confirm_login)
    old.log_out()
    assert old.session == {} and it.store.all() == []


def test_rule_4_later_it_is_removed() -> None:
    for replaced in ("by a confirmation", "by the cookie"):
        it = logged_in(remember=True)
        old = it.copy(cookie=False)
        if replaced == "by the cookie":
            it.close()
            it.who()
        else:
            it.do(login.confirm_login)
        assert old.who() is None and old.session
        it.clock.advance(seconds=61)
        assert old.visit().reasons() == ["session_ended"]
        assert old.session == {} and it.who().id == 7


def test_rule_4_requests_that_show_one_cookie_at_once_are_all_logged_in() -> None:
    it = logged_in(remember=True)
    it.close()
    requests = [it.copy() for _ in range(5)]
    responses = []
    for one in requests:
        request = one.request()
        assert request.who().id == 7
        assert request.identity.login_session is not None
        responses.append(one.take(request).headers.getlist("Set-Cookie"))
    assert [len(lines) for lines in responses] == [1, 0, 0, 0, 0]
    assert [one.session == {} for one in requests] == [False, True, True, True, True]
    assert len(it.store.all()) == 1


def test_rule_4_also_where_the_other_is_quicker() -> None:
    it = logged_in(remember=True)
    it.close()
    other = it.copy()

    def quicker(name: str) -> None:
        if name == "swap":
            it.store.meanwhile = lambda name: None
            other.who()

    it.store.meanwhile = quicker
    request = it.visit()
    assert request.identity.user.id == 7 and request.identity.beside
    assert request.identity.source == "remember_cookie" and request.identity.stale
    assert request.names() == ["accessed", "loaded-from-cookie"]
    assert it.session == {} and request.identity.remember is None
    it.jar = dict(other.jar)  # as the browser has it
    assert it.who().id == 7


def test_rule_4_a_request_beside_its_login_sees_its_own_data_and_no_others() -> None:
    it = logged_in(remember=True)
    it.session = {"cart": [1]}  # of a visitor
    old = it.copy()
    it.who()
    request = old.request()
    request.who()
    assert request.session == {"cart": [1]}
    old.jar = dict(it.jar)
    # What another user left is hidden, and stays in the browser as it is.
    old = it.copy()
    it.close()
    it.who()
    old.session = {"note": "of bob", KEYS.record: record.farewell(carryover.mark("bob"))}
    held = old.holds()
    request = old.request()
    assert request.who().id == 7 and request.session == {}
    old.take(request)
    assert old.holds() == held
    old.log_out()  # That ends it, too.
    assert "note" not in old.session and KEYS.record not in old.session


@pytest.mark.parametrize("clears", [False, True])
def test_p_7_what_a_late_answer_brought_is_not_for_a_stranger(clears: bool) -> None:
    """It wrote the user's data beside the login, and came after the logout."""
    it = logged_in(
        remember=True, LOGIN_CLEAR_SESSION_ON_LOGOUT=clears, LOGIN_KEEP_SESSION_KEYS={"theme"}
    )
    it.close()
    late = it.request()
    it.visit()
    assert late.who().id == 7
    late.session.update(note="of 7", theme="dark")
    it.log_out()
    it.take(late)
    assert it.session["note"] == "of 7"
    socket = it.request(websocket=True)
    assert socket.who() is None and not socket.session.modified
    assert it.who() is None
    assert it.session == {"theme": "dark"} if clears else it.session["note"] == "of 7"


def test_a_lost_response_heals() -> None:
    it = logged_in(remember=True)
    it.close()
    lost = it.copy()
    lost.who()
    assert it.who().id == 7 and it.session == {}  # beside
    it.clock.advance(seconds=61)
    assert it.who().id == 7
    assert it.session[KEYS.user_id] == 7 and it.who().id == 7
    assert it.store.one().version == 3


def test_a_receiver_that_raises_leaves_no_half_of_a_login() -> None:
    it = logged_in(remember=True)
    it.close()
    request = it.request()

    def fail(name: str) -> None:
        if name == "loaded-from-cookie":
            raise OSError

    request.hear = fail
    assert request.who() is None
    it.take(request)
    assert it.session == {}
    assert it.who().id == 7  # by the cookie that came with that response


@pytest.mark.parametrize("how", ["ended", "replaced", "mismatch", "gone", "cookies"])
def test_the_request_loader_is_asked_where_a_login_is_refused(how: str) -> None:
    it = logged_in(remember=True)
    users = it.users  # type: ignore[attr-defined]
    it.it.manager.request_loader(lambda request: users["bob"])
    if how == "ended":
        it.copy().log_out()
    elif how == "replaced":
        old = it.copy(cookie=False)
        it.do(login.confirm_login)
        it = old
    elif how == "mismatch":
        it.session[KEYS.user_id] = "bob"
    elif how == "gone":
        del users[7]
    else:
        other = it.another()
        other.log_in(users[7], remember=True)
        it.jar = dict(other.jar)
    request = it.visit()
    assert request.identity.user.id == "bob" and request.identity.by_request


def test_p_7_the_cookie_s_user_reads_nothing_that_another_left() -> None:
    it = logged_in(remember=True)
    it.close()
    it.session = {"note": "of bob", KEYS.record: record.farewell(carryover.mark("bob"))}
    request = it.visit()
    assert request.identity.user.id == 7 and not request.identity.beside
    assert "note" not in it.session
    it.close()
    it.session = {"note": "of user 7", KEYS.record: record.farewell(carryover.mark(7))}
    assert it.who().id == 7 and it.session["note"] == "of user 7"


def test_a_theft_ends_the_login_and_is_told() -> None:
    it = logged_in(remember=True)
    thief = it.copy(session=False)
    it.close()
    it.who()
    it.who()  # The new cookie was seen.
    it.clock.advance(seconds=61)
    kept, request = it.store.one(), thief.visit()
    assert request.identity.user is None
    assert request.reasons() == ["remember_theft"]
    assert told(request, "remember-theft-detected") == [{"session_id": kept.id, "user_id": 7}]
    [ended] = told(request, "login-session-ended")
    assert ended == {"session_id": kept.id, "user_id": 7, "reason": Reason.REMEMBER_THEFT}
    assert request.ended_ids == [kept.id] and it.store.all() == []
    assert thief.jar == {} and it.who() is None


def test_an_unknown_cookie_has_no_effect_on_anybody() -> None:
    it = logged_in(remember=True)
    kept = it.store.one()
    thief = it.another()
    for proof in (Proof("0" * 22, proofs.new_secret()), Proof(kept.id, proofs.new_secret())):
        text = proofs.write_series(Series(proof, int(NOW) + 9), Keys(OLD_KEY), None)
        thief.jar[COOKIE] = text
        assert thief.visit().reasons() == ["bad_signature"]
    assert it.store.asked == [] and it.who().id == 7


def test_a_theft_that_cannot_be_ended_logs_nobody_in() -> None:
    def make() -> Browser:
        it = logged_in(remember=True)
        thief = it.copy(session=False)
        for _ in range(2):
            it.close()
            it.who()
        thief.users = it.users  # type: ignore[attr-defined]
        return thief

    for thief, _, how in failures(make, Browser.visit):
        assert thief.who() is None, how
        assert thief.store.all() == [] or how.startswith("get"), how


# --- what is over --------------------------------------------------------------------------------


def test_a_login_past_its_end_ends_in_the_store_too() -> None:
    it = logged_in(LOGIN_LIFETIME=100)
    it.clock.advance(seconds=101)
    kept, request = it.store.one(), it.visit()
    assert request.reasons() == ["expired"] and it.session == {}
    assert [extra["reason"] for extra in told(request, "login-session-ended")] == ["expired"]
    assert request.ended_ids == [kept.id] and it.store.all() == []


def test_a_clock_that_jumped_ends_nothing() -> None:
    it = logged_in(remember=True)
    held = it.holds()
    it.clock.advance(days=-1)
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["expired"]
    it.clock.advance(days=1)
    assert it.holds() == held and it.who().id == 7


def test_a_remembered_login_outlives_its_session_by_its_cookie_alone() -> None:
    it = logged_in(remember=True, LOGIN_IDLE_TIMEOUT=100)
    copy = it.copy(cookie=False)
    it.clock.advance(seconds=101)
    assert copy.who() is None
    assert it.who().id == 7 and len(it.store.all()) == 1


def test_a_remember_cookie_past_its_end_is_removed() -> None:
    it = logged_in(remember=True, REMEMBER_COOKIE_DURATION=100)
    it.clock.advance(seconds=100)
    copy = it.copy(session=False)
    assert copy.copy().who().id == 7
    it.clock.advance(seconds=1)
    request = copy.visit()
    assert request.identity.user is None and request.reasons() == ["expired"]
    assert copy.jar == {} and len(it.store.all()) == 1


def test_a_good_session_stays_when_its_cookie_is_removed() -> None:
    it = logged_in(remember=True)
    it.config["LOGIN_ASSURANCE_LEVEL"] = "aal2"
    request = it.visit()
    assert request.identity.user.id == 7 and request.reasons() == ["expired"]
    assert it.jar == {} and it.who().id == 7


def test_a_cookie_that_this_request_deleted_or_refused_counts_no_more() -> None:
    it = logged_in(remember=True)
    it.close()
    request = it.request()
    request.identity.remember = DELETE
    assert request.who() is None and it.store.asked == []
    request = it.request()
    request.session[KEYS.remember] = "clear"
    assert request.who() is None and it.store.asked == []


# --- the present cookie --------------------------------------------------------------------------


def test_a_fallback_key_s_cookie_is_signed_anew() -> None:
    it = logged_in(remember=True)
    series = series_in(it)
    it.config.update(SECRET_KEY=OLD_KEY, SECRET_KEY_FALLBACKS=[KEY])
    assert it.visit(websocket=True).identity.remember is None
    assert it.who().id == 7
    assert series_in(it) == series


def test_a_cookie_of_the_former_name_gets_the_new_one() -> None:
    it = logged_in(remember=True)
    it.config.update(REMEMBER_COOKIE_NAME="new", REMEMBER_COOKIE_FORMER_NAME=COOKIE)
    assert it.who().id == 7
    assert it.jar.keys() == {"new"}
    it.close()
    assert it.who().id == 7


def test_the_cookie_before_is_not_signed_anew() -> None:
    it = logged_in(remember=True)
    old = dict(it.jar)
    it.close()
    it.who()
    it.jar = old
    it.config.update(SECRET_KEY=OLD_KEY, SECRET_KEY_FALLBACKS=[KEY])
    request = it.visit()
    assert request.identity.user.id == 7 and request.identity.remember is None


def test_a_websocket_changes_nothing_in_the_browser() -> None:
    it = logged_in(remember=True)
    it.close()
    held = it.holds()
    request = it.visit(websocket=True)
    assert request.identity.user.id == 7 and request.identity.remember is None
    assert request.identity.login_session == it.store.one()
    assert it.store.one().version == 0 and it.holds() == held
    assert not request.identity.beside


def test_the_cookie_names_its_audience() -> None:
    it = logged_in(remember=True, LOGIN_AUDIENCE="shop")
    it.close()
    it.config["LOGIN_AUDIENCE"] = "blog"
    assert it.copy().who() is None
    it.config["LOGIN_AUDIENCE"] = "shop"
    assert it.who().id == 7


def test_what_is_shown_shows_no_secret() -> None:
    it = logged_in(remember=True)
    shown = registered.Shown(proof_in(it), None, series_in(it))
    assert repr(shown) == f"{shown}" == "<Shown>"


def test_a_remember_cookie_is_said_to_be_there_if_it_is_good() -> None:
    it = logged_in(remember=True)
    request = it.request()
    assert login.login_remembered(request)  # nobody is loaded yet
    assert request.identity.asked
    request.who()
    assert login.login_remembered(request)
    it.take(request)
    it.clock.advance(days=366)
    assert not login.login_remembered(it.request())
    it.clock.advance(days=-366)
    request = it.request()
    request.identity.remember = DELETE
    assert not login.login_remembered(request)
    other = it.another()
    other.log_in(it.users[7])  # type: ignore[attr-defined]
    other.jar = dict(it.jar)
    assert not login.login_remembered(other.request())
    assert not login.login_remembered(other.visit())
    assert not login.login_remembered(it.another().visit())


def test_a_logout_by_an_ended_login_s_cookie_is_no_error() -> None:
    it = logged_in(remember=True)
    step(it.store.delete(it.request(), it.store.one().id))
    it.close()
    it.log_out()
    assert it.jar == {}


def test_a_logout_ends_the_login_whose_proof_was_refused_in_the_same_request() -> None:
    it = logged_in()
    late = it.copy()
    it.do(login.confirm_login)
    it.clock.advance(seconds=61)
    request = late.request()
    assert request.who() is None and KEYS.proof not in request.session
    step(login.logout_user(request))
    assert it.store.logins() == []


def test_a_login_while_the_user_is_loaded_stands() -> None:
    it = logged_in()

    async def loader(key: Any) -> Any:
        await login.login_user(request, User("bob"))
        return User(7)

    it.it.manager.user_loader(loader)
    request = it.request()
    assert request.who().id == "bob" and request.session[KEYS.user_id] == "bob"


def test_a_cookie_of_another_realm_s_login_loads_nobody() -> None:
    it = logged_in(remember=True)
    it.store.put(replace(it.store.one(), user_id="#seven"))
    it.close()
    asked: list[Any] = []
    it.it.manager.user_loader(asked.append)
    assert it.who() is None and asked == [] and it.jar == {}


def test_a_user_who_is_gone_loses_all_logins_also_those_of_an_epoch() -> None:
    user = User(7, session_epoch=1)
    it = logged_in(users={7: user})
    it.another().log_in(user)
    it.it.manager.user_loader(lambda key: None)
    assert it.who() is None and it.store.logins() == []


def test_a_theft_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    it = logged_in(remember=True)
    thief = it.copy(session=False)
    it.close()
    it.visit()
    it.visit()
    it.clock.advance(seconds=3600)
    assert thief.who() is None
    lines = [line for line in caplog.records if line.event == "remember_theft_detected"]  # type: ignore[attr-defined]
    assert len(lines) == 1 and lines[0].levelname == "WARNING"


def test_the_login_of_who_logged_in_meanwhile_is_the_request_s() -> None:
    it = logged_in()

    async def loader(key: Any) -> Any:
        await login.login_user(request, User("bob"))
        return User(7)

    it.it.manager.user_loader(loader)
    request = it.request()
    request.who()
    now = request.identity.login_session
    assert now is not None and now.user_id == "bob" and request.identity.source == "login"


def test_who_was_forced_in_and_is_active_now_needs_no_force() -> None:
    it = logged_in(9)
    assert it.visit().identity.forced
    it.users[9].active = True  # type: ignore[attr-defined]
    request = it.visit()
    assert request.identity.user.id == 9 and not request.identity.forced


def test_two_logins_at_once_leave_the_request_to_its_loader() -> None:
    it, named = logged_in(), User("bob")
    it.jar[COOKIE] = "qlt"
    other = it.another()
    other.log_in(User(7), True)
    it.jar = dict(other.jar)
    it.it.manager.request_loader(lambda request: named)
    request = it.request()
    assert request.who() is named and request.reasons()[0] == "user_mismatch"


@pytest.mark.parametrize(
    ("source", "rotated", "change", "age", "late"),
    [
        ("remember_cookie", True, "set", 61, True),
        ("remember_cookie", True, "set", 60, False),
        ("remember_cookie", True, "deleted", 61, False),
        ("remember_cookie", True, None, 61, False),
        ("remember_cookie", False, "set", 61, False),
        ("login", True, "set", 61, False),
        (None, True, "set", 61, False),
    ],
)
def test_what_is_late(source: Any, rotated: bool, change: Any, age: int, late: bool) -> None:
    it = logged_in()
    request = it.request()
    identity = request.identity
    identity.source = source
    identity.login_session = replace(it.store.one(), rotated=NOW if rotated else None)
    identity.remember = {"set": Change("x"), "deleted": DELETE, None: None}[change]
    it.clock.advance(seconds=age)
    assert registered.is_late(request) is late


def test_an_old_cookie_of_another_user_leaves_the_request_to_its_loader() -> None:
    it, named = logged_in(), User("bob")
    it.jar[COOKIE] = encode_legacy("bob", KEY)
    it.it.manager.request_loader(lambda request: named)
    request = it.request()
    assert request.who() is named and request.reasons()[0] == "user_mismatch"
    assert request.identity.by_request


def test_a_clock_that_was_wrong_for_a_while_takes_no_login_from_the_browser() -> None:
    it = logged_in()
    it.store.put(replace(it.store.one(), fresh_since=None))
    it.clock.advance(seconds=-3600)
    assert it.who() is None and KEYS.proof in it.session
    it.clock.advance(seconds=3600)
    assert it.who().id == 7
