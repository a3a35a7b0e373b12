"""How does a remember cookie from before the registry become a login session?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core.paper import COOKIE, DAY, KEY, NOW, Browser, User, failures, value_of
from core.test_sessions import KEYS, series_in

from quart_login._core import listing, login, moving
from quart_login._core.errors import StoreUnavailable
from quart_login._core.lifetimes import FOR_EVER
from quart_login._core.load import known, load
from quart_login._core.reasons import Reason
from quart_login._core.remember import issue
from quart_login._core.step import step
from quart_login._core.tokens import Token, encode_legacy, keys_of
from quart_login._core.users import epoch_of


def old_browser(user_id: Any = 7, legacy: bool = False, **config: Any) -> Browser:
    """Return a browser with a remember cookie of an hour ago, from before there was a store."""
    users = {7: User(7), "7": User("7"), "bob": User("bob")}
    it = Browser(users=users.get, config=config)
    it.users = users  # type: ignore[attr-defined]
    it.jar[COOKIE] = encode_legacy(str(user_id), KEY) if legacy else old_token(it, user_id)
    return it


def old_token(it: Browser, user_id: Any, **fields: Any) -> str:
    token = Token(user_id, **{"issued": int(NOW) - 3600, **fields})
    return value_of(issue(token, keys_of(it.config), it.it.setting, NOW))


def user_of(it: Browser, user_id: Any = 7) -> User:
    return it.users[user_id]  # type: ignore[attr-defined, no-any-return]


def notes(it: Browser) -> list[str]:
    return [one.method for one in it.store.all() if one.user_id.startswith("!")]


# --- rule 1: once --------------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [False, True])
def test_rule_1_the_browser_gets_a_login_for_it(legacy: bool) -> None:
    it = old_browser("7", legacy)
    request = it.visit()
    assert request.identity.user.id == "7"
    assert request.identity.source == "remember_cookie" and request.identity.stale
    assert request.names() == ["accessed", "loaded-from-cookie"]
    kept = it.store.one()
    assert request.identity.login_session == kept
    assert (kept.user_id, kept.method, kept.fresh_since) == ("7", "remember_cookie", None)
    assert series_in(it).proof.id == kept.id and it.session[KEYS.fresh] is False
    it.close()
    assert it.who().id == "7"


def test_rule_1_with_no_more_time_than_the_old_one_had() -> None:
    it = old_browser()
    it.who()
    assert series_in(it).ends == NOW - 3600 + 365 * DAY
    it = old_browser()
    it.jar[COOKIE] = old_token(it, 7, seconds=7200)
    it.who()
    assert series_in(it).ends == NOW + 3600


@pytest.mark.parametrize("legacy", [False, True])
def test_rule_1_the_old_one_is_nothing_afterwards(legacy: bool) -> None:
    it = old_browser("7", legacy)
    copy = it.copy()
    it.who()
    it.clock.advance(seconds=61)
    request = copy.visit()
    assert request.identity.user is None and request.reasons() == ["session_ended"]
    assert copy.jar == {} and it.who().id == "7"


@pytest.mark.parametrize("end", ["logout", "revoke"])
@pytest.mark.parametrize("legacy", [False, True])
def test_rule_1_a_copy_does_not_outlive_the_logout(legacy: bool, end: str) -> None:
    it = old_browser("7", legacy)
    copy = it.copy()
    it.who()
    assert copy.copy().who().id == "7"
    if end == "logout":
        it.log_out()
    else:
        it.do(listing.revoke_session, it.store.one().id)
    it.clock.advance(seconds=10)  # well within the window
    assert copy.visit().reasons() == ["session_ended"]
    it.clock.advance(days=4000)
    assert copy.copy().who() is None


def test_a_legacy_cookie_that_moved_is_nothing_for_ever() -> None:
    it = old_browser("7", legacy=True)
    copy = it.copy()
    it.who()
    it.clock.advance(days=10_000)
    step(it.store.purge(it.request(), it.clock()))
    assert copy.who() is None


def test_a_note_goes_when_its_cookie_would_have_ended() -> None:
    it = old_browser()
    it.who()
    it.clock.advance(days=366)
    copy = it.copy()
    copy.session, copy.jar = {}, old_browser().jar
    assert copy.visit().reasons() == ["expired"]
    step(it.store.purge(it.request(), it.clock()))
    assert notes(it) == []


def test_the_old_one_comes_with_a_session_and_moves_when_it_is_needed() -> None:
    it = old_browser()
    cookie = dict(it.jar)
    it.log_in(user_of(it))
    assert it.jar == cookie
    it.store.asked.clear()
    assert it.who().id == 7 and it.store.asked == ["get"]
    it.close()
    assert it.who().id == 7 and it.jar != cookie


@pytest.mark.parametrize("user_id", [7, "bob"])
def test_a_login_in_the_request_in_which_it_moves_keeps_its_own_user_remembered(
    user_id: Any,
) -> None:
    it = old_browser()
    request = it.request()
    request.who()
    step(login.log_in(request, user_of(it, user_id)))
    it.take(request)
    assert it.store.one().user_id == ("#7" if user_id == 7 else "bob")
    assert it.jar.keys() == ({COOKIE} if user_id == 7 else set())
    assert it.who() is user_of(it, user_id)
    if user_id == 7:
        assert series_in(it).ends == NOW - 3600 + 365 * DAY
        it.close()
        assert it.who().id == 7


def test_it_must_be_of_the_same_user() -> None:
    it = old_browser()
    it.log_in(user_of(it, "bob"))
    assert it.jar == {}
    it.jar = old_browser().jar
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["user_mismatch"]
    assert it.holds() == ({}, {})


def test_a_logout_before_it_was_ever_used_ends_it() -> None:
    it = old_browser()
    it.log_in(user_of(it))
    copy = it.copy(session=False)
    it.log_out()
    assert notes(it) == ["retired"] and it.jar == {}
    assert copy.visit().reasons() == ["session_ended"]
    copy = old_browser_with(it)
    copy.log_out()  # a second time
    assert notes(it) == ["retired"]


def test_nor_is_there_more_to_be_noted_where_all_were_revoked() -> None:
    it = old_browser()
    it.log_in(user_of(it))
    it.do(listing.revoke_other_sessions)
    it.log_out()
    assert notes(it) == ["revoked"]
    assert old_browser_with(it).who() is None


def test_a_logout_is_heard_though_something_else_was_noted_meanwhile() -> None:
    it = old_browser()
    it.log_in(user_of(it))
    other = it.another()
    other.jar[COOKIE] = old_token(it, 7, issued=int(NOW) - 9)

    def meanwhile(name: str) -> None:
        if name == "add":
            it.store.meanwhile = lambda name: None
            other.who()

    it.store.meanwhile = meanwhile
    it.log_out()
    assert sorted(notes(it)) == ["moved", "retired"]
    assert old_browser_with(it).who() is None and other.who().id == 7


def test_a_logout_that_is_never_heard_says_so() -> None:
    it = old_browser()
    it.who()
    [note] = [one for one in it.store.all() if one.user_id.startswith("!")]
    versions = iter(range(note.version + 1, 999))

    def change(name: str) -> None:
        if name == "swap":
            it.store.put(replace(note, version=next(versions)))

    it.store.meanwhile = change
    other = old_browser_with(it)
    with pytest.raises(StoreUnavailable):
        other.log_out()
    assert other.holds() == ({}, {})


def test_a_logout_ends_what_the_cookie_becomes_at_that_moment() -> None:
    it = old_browser()
    it.who()
    login_there = it.store.one()
    [note] = [one for one in it.store.all() if one.user_id.startswith("!")]
    it.store.put(replace(note, agent=""))  # It is about to be said which login it became.

    def meanwhile(name: str) -> None:
        if name == "swap":
            it.store.meanwhile = lambda name: None
            it.store.put(replace(note, version=note.version + 1))

    it.store.meanwhile = meanwhile
    assert note.agent == login_there.id
    old_browser_with(it).log_out()
    assert it.store.logins() == [] and notes(it) == ["retired"]


def old_browser_with(it: Browser) -> Browser:
    other = it.another()
    other.jar = old_browser().jar
    return other


def test_a_logout_with_the_old_one_ends_what_it_became() -> None:
    it = old_browser()
    lost = it.copy()
    it.who()
    lost.log_out()
    assert it.store.logins() == [] and it.who() is None
    assert lost.jar == {} and old_browser_with(it).who() is None


def test_p_8_a_logout_with_the_old_one_while_it_moves() -> None:
    # Whenever the other request logs out, nothing is left when both are through.
    for at in range(7):
        it = old_browser()
        other = it.copy()
        calls = iter(range(99))

        def log_out(name: str, calls: Any = calls, other: Any = other, at: int = at) -> None:
            if next(calls) == at:
                other.store.meanwhile = lambda name: None
                other.log_out()

        it.store.meanwhile = log_out
        it.visit()
        it.store.meanwhile = lambda name: None
        assert it.store.logins() == [] or at >= 5, at  # it had moved, and logged out before
        assert old_browser_with(it).who() is None or at >= 5
        if at < 5:
            assert it.who() is None


def test_p_8_a_move_while_the_logout_waits() -> None:
    for at in range(6):
        it = old_browser()
        other, calls = it.copy(), iter(range(99))

        def move(name: str, calls: Any = calls, other: Any = other, at: int = at) -> None:
            if next(calls) == at:
                other.store.meanwhile = lambda name: None
                other.who()

        request = it.request()
        request.bind(user_of(it))
        it.store.meanwhile = move
        step(login.logout_user(request))
        it.take(request)
        it.store.meanwhile = lambda name: None
        assert it.store.logins() == [], at
        assert other.who() is None and old_browser_with(it).who() is None


# --- rule 2: at once -----------------------------------------------------------------------------


def test_rule_2_requests_that_show_it_at_once_are_all_logged_in() -> None:
    it = old_browser()
    copies = [it.copy() for _ in range(5)]
    lines = []
    for copy in copies:
        request = copy.request()
        assert request.who().id == 7
        lines.append(len(copy.take(request).headers.getlist("Set-Cookie")))
    assert lines == [1, 0, 0, 0, 0]
    assert len(it.store.logins()) == 1 and notes(it) == ["moved"]


def test_rule_2_also_while_the_login_is_being_opened() -> None:
    for name in ("add", "list", "swap"):
        it = old_browser()
        other, found = it.copy(), []

        def meanwhile(asked: str, name: str = name, found: Any = found, other: Any = other) -> None:
            if asked == name and notes(other):
                other.store.meanwhile = lambda name: None
                found.append(other.who())

        it.store.meanwhile = meanwhile
        assert it.who().id == 7 and found[0].id == 7
        assert other.session == {} and len(it.store.logins()) == 1


def test_rule_2_of_two_that_note_at_once_one_does() -> None:
    it = old_browser()
    other = it.copy()

    def quicker(name: str) -> None:
        if name == "add":
            it.store.meanwhile = lambda name: None
            other.who()

    it.store.meanwhile = quicker
    request = it.visit()
    assert request.identity.user.id == 7 and request.identity.beside
    assert it.session == {} and other.session != {}
    assert len(it.store.logins()) == 1


@pytest.mark.parametrize("seconds", [-60, 60, 61, -61])
def test_rule_2_for_a_window(seconds: float) -> None:
    it = old_browser()
    copy = it.copy()
    it.who()
    it.clock.advance(seconds=seconds)
    assert (copy.who() is not None) == (abs(seconds) == 60)


def test_a_websocket_moves_nothing_and_is_nobody_s() -> None:
    """It would outlive whatever ends the login, as no login session would be its own."""
    it = old_browser()
    request = it.visit(websocket=True)
    assert request.identity.user is None and it.store.all() == []
    assert not request.identity.beside and request.identity.remember is None
    assert it.visit().identity.user.id == 7


def test_nor_does_a_stream_whose_headers_are_gone() -> None:
    it = old_browser()
    request = it.request()
    request.identity.close()
    assert request.who() is None and it.store.all() == [] and request.reasons() == []


@pytest.mark.parametrize("websocket", [False, True])
def test_rule_2_what_stays_open_of_the_others_ends_with_the_login(websocket: bool) -> None:
    it = old_browser()
    copy = it.copy()
    it.visit()
    request = copy.visit(websocket=websocket)
    [login] = it.store.logins()
    assert request.identity.user.id == 7 and request.identity.login_session.id == login.id


# --- rule 3: revocation --------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("by", ["id", "user"])
def test_rule_3_revoking_a_user_ends_the_old_ones_too(legacy: bool, by: str) -> None:
    it = old_browser("7", legacy)
    step(listing.revoke_user(it.request(), "7" if by == "id" else user_of(it, "7")))
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["session_ended"]
    it = old_browser("7", legacy)
    step(listing.revoke_user(it.request(), "bob"))
    assert it.who().id == "7"


def test_rule_3_so_does_a_user_who_is_gone() -> None:
    for active in (None, False):
        it = old_browser()
        copy, user = it.copy(), user_of(it)
        del it.users[7]  # type: ignore[attr-defined]
        if active is False:
            it.users[7] = User(7, active=False)  # type: ignore[attr-defined]
        reason = "user_gone" if active is None else "user_inactive"
        assert it.visit().reasons() == [reason] and it.jar == {}
        it.users[7] = user  # type: ignore[attr-defined]
        assert copy.visit().reasons() == ["session_ended"]


def test_rule_3_what_was_issued_later_is_good() -> None:
    it = old_browser()
    step(listing.revoke_user(it.request(), 7))
    it.clock.advance(seconds=1)
    it.jar[COOKIE] = old_token(it, 7, issued=int(NOW))
    assert it.copy().who() is None
    it.jar[COOKIE] = old_token(it, 7, issued=int(NOW) + 1)
    assert it.who().id == 7


def test_rule_3_for_ever_in_one_note() -> None:
    it = old_browser("7", legacy=True)
    for _ in range(5):
        step(listing.revoke_user(it.request(), "7"))
    assert notes(it) == ["revoked"]
    [note] = it.store.all()
    assert note.expires == NOW + FOR_EVER
    it.clock.advance(days=10_000)
    step(it.store.purge(it.request(), it.clock()))
    assert it.who() is None


def test_rule_3_a_note_is_nobody_s_login() -> None:
    it = old_browser("7", legacy=True)
    it.who()
    step(listing.revoke_user(it.request(), "7"))
    bang = it.another()
    bang.log_in(User("!7"))
    assert [one.user_id for one in it.store.logins()] == ["=!7"]
    step(listing.revoke_user(it.request(), "!7"))
    assert notes(it) == ["revoked", "revoked"]


def test_p_5_whenever_a_user_is_revoked_while_a_cookie_moves() -> None:
    for used_before in (False, True):
        for at in range(7):
            it = old_browser()
            if used_before:  # another cookie of the user's, whose note goes with the revocation
                other = it.another()
                other.jar[COOKIE] = old_token(it, 7, issued=int(NOW) - 9)
                other.who()
            calls = iter(range(99))

            def revoke(name: str, calls: Any = calls, it: Any = it, at: int = at) -> None:
                if next(calls) == at:
                    it.store.meanwhile = lambda name: None
                    step(listing.revoke_user(it.another().request(), 7))

            it.store.meanwhile = revoke
            it.visit()
            it.store.meanwhile = lambda name: None
            if next(calls) <= at:  # It was made of fewer calls.
                continue
            assert it.store.logins() == [], at
            assert it.who() is None and old_browser_with(it).who() is None


def test_p_5_who_is_revoked_while_the_login_is_opened_is_nobody() -> None:
    it = old_browser()

    def revoke(name: str) -> None:
        if name == "swap":
            it.store.meanwhile = lambda name: None
            step(listing.revoke_user(it.another().request(), 7))

    it.store.meanwhile = revoke
    request = it.visit()
    assert request.identity.user is None and request.reasons() == ["session_ended"]
    assert it.holds() == ({}, {})


def test_rule_3_an_epoch_that_changed_ends_it() -> None:
    it = old_browser()
    user = it.users[7] = User(7, session_epoch=1)  # type: ignore[attr-defined]
    it.jar[COOKIE] = old_token(it, 7, epoch=epoch_of(user))
    copy = it.copy()
    user.session_epoch = 2
    assert it.visit().reasons() == ["epoch_changed"] and it.jar == {}
    assert it.store.all() == []
    user.session_epoch = 1
    assert copy.who() is user


def test_a_loader_that_confuses_users_ends_nothing() -> None:
    it = old_browser()
    it.users[7] = User(8)  # type: ignore[attr-defined]
    assert it.visit().reasons() == ["user_mismatch"]
    assert it.store.all() == []


# --- rule 4: the end of the move -----------------------------------------------------------------


def test_rule_4_old_ones_are_nothing_when_the_move_has_ended() -> None:
    it = old_browser(LOGIN_ADOPT_REMEMBER_COOKIES=False)
    it.it.manager.request_loader(lambda request: user_of(it, "bob"))
    request = it.visit()
    assert request.identity.user.id == "bob" and request.reasons() == ["not_registered"]
    assert it.jar == {} and it.store.asked == []
    step(listing.revoke_user(it.request(), 7))
    assert it.store.asked == ["delete_user", "delete_user"]  # of 7, and of "7"


# --- as many as may be ---------------------------------------------------------------------------


def test_where_there_is_no_room_the_cookie_waits() -> None:
    it = old_browser(LOGIN_MAX_SESSIONS=1, LOGIN_MAX_SESSIONS_REACHED="refuse")
    other = it.another()
    other.log_in(user_of(it))
    cookie = dict(it.jar)
    request = it.visit()
    assert request.identity.user is None
    assert request.identity.reason is Reason.TOO_MANY_SESSIONS
    assert it.jar == cookie and notes(it) == []
    other.log_out()
    assert it.who().id == 7 and it.who().id == 7


def test_or_the_longest_unseen_ends() -> None:
    it = old_browser(LOGIN_MAX_SESSIONS=1)
    other = it.another()
    other.log_in(user_of(it))
    request = it.visit()
    assert request.identity.user.id == 7 and other.who() is None
    assert request.names() == ["accessed", "login-session-ended", "loaded-from-cookie"]


# --- failures ------------------------------------------------------------------------------------


def test_p_14_a_move() -> None:
    for it, error, how in failures(old_browser, Browser.visit):
        assert error is None
        once = "lasting=False" in how
        assert len(it.store.logins()) in ((0, 1) if not once else (0,)), how
        cookie = dict(it.jar)
        request = it.visit()
        if once:
            assert request.identity.user.id == 7 and it.jar != cookie, how
            assert it.who().id == 7 and len(it.store.logins()) == 1
        elif request.identity.user is not None and not request.identity.beside:
            assert request.identity.login_session in it.store.logins()


def test_p_14_a_logout_with_an_old_cookie() -> None:
    def make() -> Browser:
        it = old_browser()
        it.log_in(user_of(it))
        return it

    for it, error, how in failures(make, Browser.log_out):
        assert error is not None or it.store.logins() == [], how
        assert it.holds() == ({}, {}) and it.who() is None


def test_p_14_a_revocation() -> None:
    def make() -> Browser:
        it = old_browser("7", legacy=True)
        it.another().log_in(user_of(it, "7"))
        return it

    def act(it: Browser) -> None:
        step(listing.revoke_user(it.another().request(), "7"))

    for it, error, how in failures(make, act):
        assert error is not None, how  # and then some may live
        act(it)
        assert it.who() is None and it.store.logins() == []


def test_p_24_a_move_is_of_a_few_calls_and_what_comes_after_of_one() -> None:
    it = old_browser()
    it.who()
    assert it.store.counts() == {"list": 2, "add": 2, "swap": 1}
    it.who()
    assert it.store.counts() == {"get": 1}


def test_another_task_s_login_stands() -> None:
    for at in ("loader", "add", "swap"):
        it = old_browser()
        request = it.request()

        def bind(name: Any, request: Any = request, it: Any = it, at: str = at) -> Any:
            if name in (7, at):
                request.bind(user_of(it, "bob"))
            return user_of(it)

        if at == "loader":
            it.it.manager.user_loader(bind)
        else:
            it.store.meanwhile = bind
        step(load(request))
        assert request.identity.user.id == "bob"
        assert it.store.logins() == [] and request.session == {}
        assert notes(it) == ([] if at == "loader" else ["moved"])
        assert request.identity.remember is None


def test_it_stands_where_the_cookie_moves_in_another_request() -> None:
    it = old_browser()
    request, other = it.request(), it.copy()

    def meanwhile(name: str) -> None:
        if name == "add":
            it.store.meanwhile = lambda name: None
            other.who()
            request.bind(user_of(it, "bob"))

    it.store.meanwhile = meanwhile
    step(load(request))
    assert request.identity.user.id == "bob" and not request.identity.beside
    assert other.who().id == 7


def test_a_cookie_that_names_nobody_in_the_store_is_digested_all_the_same() -> None:
    it = old_browser()
    it.jar = {}
    assert moving._digest(it.request()) == moving._digest(it.request())


def test_nothing_is_noted_where_nobody_is_known() -> None:
    it = old_browser()
    it.jar = {}
    it.do(known)
    it.log_out()
    assert it.store.all() == []


@pytest.mark.parametrize("why", ["revoked", "retired", "gone"])
def test_an_old_cookie_that_is_refused_leaves_the_request_to_its_loader(why: str) -> None:
    it, named = old_browser(), User("bob")
    if why == "revoked":
        it.do(listing.revoke_user, 7)
    elif why == "retired":
        it.copy().log_out()
    else:
        del it.users[7]  # type: ignore[attr-defined]
    it.it.manager.request_loader(lambda request: named)
    request = it.request()
    assert request.who() is named and request.identity.by_request


def test_what_was_retired_is_retired_once() -> None:
    it = old_browser()
    copy, late = it.copy(), it.copy()
    copy.log_out()
    kept = it.store.all()
    late.log_out()
    assert it.store.all() == kept


def test_a_user_who_is_gone_is_ended_also_where_the_cookie_is_of_an_epoch() -> None:
    it = old_browser()
    it.jar[COOKIE] = old_token(it, 7, epoch="of before")
    del it.users[7]  # type: ignore[attr-defined]
    request = it.visit()
    assert request.reasons() == ["user_gone"] and notes(it) == ["revoked"]


def test_in_a_websocket_an_old_cookie_leaves_the_request_to_its_loader() -> None:
    it, named = old_browser(), User("bob")
    it.it.manager.request_loader(lambda request: named)
    request = it.request(websocket=True)
    assert request.who() is named and it.store.logins() == []


def test_who_logs_in_while_an_old_cookie_finds_no_room_is_logged_in() -> None:
    it = old_browser(LOGIN_MAX_SESSIONS=1, LOGIN_MAX_SESSIONS_REACHED="refuse")
    it.another().log_in(user_of(it))
    request = it.request()

    def meanwhile(name: str) -> None:
        if name == "add" and notes(it) == ["moved"]:
            it.store.meanwhile = lambda name: None
            step(login.login_user(request, user_of(it, "bob")))

    it.store.meanwhile = meanwhile
    assert request.who() is user_of(it, "bob")


def test_to_retire_what_is_retired_writes_nothing() -> None:
    it = old_browser()
    token = Token(7, issued=int(NOW) - 3600)
    step(moving.retire(it.request(), token))
    kept = it.store.all()
    step(moving.retire(it.request(), token))
    assert it.store.all() == kept and notes(it) == ["retired"]


@pytest.mark.parametrize("moved", [False, True])
def test_p_24_a_logout_with_an_old_cookie_looks_once_at_what_is_noted(moved: bool) -> None:
    it = old_browser()
    copy = it.copy()
    if moved:
        it.who()
    request = copy.request()
    it.store.counts()
    step(moving.retire(request, Token(7, issued=int(NOW) - 3600)))
    assert it.store.counts()["list"] == 1
    assert notes(it) == ["retired"] and it.store.logins() == []
