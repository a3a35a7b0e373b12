"""Who is making this request?"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from core.loading import (
    ALICE,
    BOB,
    JUNK,
    LOCKED,
    USERS,
    asked_by_request,
    paper,
    raises,
    session_of,
    token_in,
)
from core.paper import COOKIE, DAY, NOW, OLD_KEY, Browser, Paper, User, about

from quart_login._core import claim, lifetimes, load, opening, signals
from quart_login._core.carryover import mark
from quart_login._core.errors import LoginError, MissingLoader, UnusableUser
from quart_login._core.login import login_user
from quart_login._core.protection import fingerprint
from quart_login._core.record import AS_SET, digest
from quart_login._core.remember import DELETE
from quart_login._core.settings import FLASK_LOGIN
from quart_login._core.step import step
from quart_login._core.users import epoch_of

# --- the order -----------------------------------------------------------------------------------


def test_the_session_names_the_user() -> None:
    it = paper(session_of(ALICE))
    assert it.who() is ALICE
    assert it.names() == ["accessed"]
    assert it.identity.remember is None
    assert not it.identity.forced and not it.identity.stale


def test_a_request_that_names_nobody_is_nobodys() -> None:
    it = paper({"cart": [1]}, users=raises(AssertionError("asked")))
    assert it.who() is None
    assert it.identity.loaded
    assert it.session == {"cart": [1]}
    assert it.names() == ["accessed"]


def test_the_remember_cookie_is_asked_where_the_session_names_nobody() -> None:
    it = paper()
    it.request.cookies = it.token(7)
    assert it.who() is ALICE
    assert it.told == [("accessed", {}), ("loaded-from-cookie", {"user": ALICE})]


def test_the_request_loader_is_asked_where_neither_names_anybody() -> None:
    it = paper()
    asked = asked_by_request(it, ALICE)
    assert it.who() is ALICE
    assert asked == [it.request]
    assert it.told == [("accessed", {}), ("loaded-from-request", {"user": ALICE})]
    assert it.session == {}


def test_the_request_loader_is_not_asked_where_the_session_names_a_user() -> None:
    it = paper(session_of(ALICE))
    asked = asked_by_request(it, BOB)
    assert it.who() is ALICE
    assert asked == []


def test_a_request_loader_alone_is_enough() -> None:
    it = Paper(session_of(ALICE), cookies=JUNK)
    asked_by_request(it, BOB)
    assert it.who() is BOB
    assert it.session["_user_id"] == 7  # not ours to judge without a user loader
    assert it.identity.remember is None


def test_a_user_is_loaded_once() -> None:
    asked: list[Any] = []
    it = paper(session_of(ALICE), users=lambda key: asked.append(key) or ALICE)
    it.request.cookies = it.token(7)
    it.who()
    it.who()
    step(load.load(it))
    assert asked == [7]
    assert it.names() == ["accessed"]


def test_a_coroutine_function_may_be_the_loader() -> None:
    async def find(key: Any) -> Any:
        return USERS.get(key)

    it = paper(session_of(ALICE), users=find)
    assert it.who() is ALICE


def test_without_any_loader_it_is_an_error_and_nobody_is_known() -> None:
    it = Paper(session_of(ALICE))
    with pytest.raises(MissingLoader):
        it.who()
    assert not it.identity.loaded


def test_an_invalid_remember_cookie_does_not_block_the_request_loader() -> None:
    it = paper(cookies=JUNK)
    asked_by_request(it, ALICE)
    assert it.who() is ALICE
    assert it.identity.remember is DELETE


# --- what a request carries ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "cookies", "somebody"),
    [
        ({}, {}, False),
        ({"cart": 1, "_fresh": True}, {"session": "x"}, False),
        ({"_user_id": 7}, {}, True),
        ({"_user_id": None}, {}, True),
        ({}, {COOKIE: ""}, True),
    ],
)
def test_a_request_without_a_credential_is_nobodys(
    session: Any, cookies: Any, somebody: bool
) -> None:
    it = paper(session, cookies=cookies)
    assert claim.may_be_somebody(it) is somebody
    it.manager.request_loader(lambda request: None)
    assert claim.may_be_somebody(it)


def test_the_cookie_of_another_name_is_no_credential() -> None:
    it = paper(cookies={COOKIE: "x"}, config={"REMEMBER_COOKIE_NAME": "me"})
    assert not claim.may_be_somebody(it)


ODD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"_user_id": None}, {}),
    ({"_user_id": "", "_login_record": None}, {}),
    ({"_user_id": 7.0, "_login_record": None}, {}),
    ({"_user_id": ["7"], "_login_record": None}, {}),
    ({"_user_id": 2**2000, "_login_record": None}, {}),
    ({"_id": None}, {}),
    ({"_id": "of another client"}, {}),
    ({"_login_record": about(7, forced=True)}, {}),
    ({"_login_record": about(7, epoch="x")}, {}),
    ({"_login_record": about(7, audience="x")}, {}),
    ({}, {"config": {"LOGIN_AUDIENCE": "here"}}),
    ({}, {"config": {"SECRET_KEY_FALLBACKS": [OLD_KEY]}}),
    ({}, {"config": {"SECRET_KEY_FALLBACKS": OLD_KEY}}),
    ({}, {"cookies": {COOKIE: "x"}}),
    ({}, {"cookies": {"old": "x"}, "config": {"REMEMBER_COOKIE_FORMER_NAME": "old"}}),
    ({}, {"headers": {"User-Agent": "paper", "Authorization": "Bearer x"}}),
    ({}, {"headers": {"User-Agent": "another"}}),
    ({}, {"headers": {}}),
]

ORDINARY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"_user_id": "7", "_login_record": about("7")}, {}),
    ({"_user_id": "7", "_login_record": 5}, {}),
    ({"_fresh": False, "_login_record": about(7, fresh_since=5, remembered=AS_SET)}, {}),
    ({"_login_record": None, "cart": [1]}, {"cookies": {"session": "x"}}),
    ({"_login_record": 5}, {"config": {"SECRET_KEY_FALLBACKS": []}}),
]


@pytest.mark.parametrize(("more", "options"), ODD)
def test_nothing_out_of_the_ordinary_is_plain(more: Any, options: Any) -> None:
    assert claim.plainly(paper(session_of(ALICE, **more), **options)) is None


def test_what_a_session_is_bound_to_is_not_plain_where_the_application_says_what() -> None:
    it = paper(session_of(ALICE))
    it.manager.own_identifier = lambda: "a device"
    assert claim.plainly(it) is None
    it.session["_id"] = "a device"
    assert it.manager.is_same_client(it) and it.who() is ALICE


@pytest.mark.parametrize(("more", "options"), ORDINARY)
def test_what_is_plain_is_what_is_found_out_in_more_steps(more: Any, options: Any) -> None:
    it = paper(session_of(ALICE, **more), **options)
    before = dict(it.session)
    said = claim.plainly(it)
    assert said is not None and claim.Claim(said) == claim.claim(it)
    assert it.identity.reason is None and not it.identity.stale and it.identity.news is None
    assert it.session == before and it.who() is ALICE


@pytest.mark.parametrize("user", [LOCKED, None, User(8), object()])
def test_whoever_is_not_the_one_is_refused_though_all_is_plain(user: Any) -> None:
    it = paper(session_of(ALICE), users=lambda key: user)
    assert claim.plainly(it) == 7


def test_it_is_not_plain_where_the_configuration_answers_for_what_it_does_not_hold() -> None:
    class Defaults(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            return super().get(key, 60 if key == "LOGIN_LIFETIME" else default)

    it = paper(session_of(ALICE))
    it.config = Defaults(it.config)
    assert claim.plainly(it) is None
    assert it.who() is None and len(it.reasons()) == 1


def test_a_login_meanwhile_stands_though_all_is_plain() -> None:
    async def loader(key: Any) -> Any:
        await login_user(it, BOB)
        return ALICE

    it = paper(session_of(ALICE), users=loader)
    assert it.who() is BOB


def test_looking_is_told_once_and_noted_in_the_session() -> None:
    it = paper()
    it.who()
    assert it.session.accessed and it.identity.seen
    it.session.accessed = False
    it.who()
    assert not it.session.accessed
    assert it.names() == ["accessed"]


def test_looking_is_not_told_where_nobody_listens() -> None:
    it = paper()
    with signals.user_accessed.muted():
        it.hear = lambda name: pytest.fail(f"{name} was sent")
    for receiver in list(signals.user_accessed.receivers_for(it.app)):
        signals.user_accessed.disconnect(receiver)
    it.who()
    assert it.told == [] and it.identity.seen and it.session.accessed


@pytest.mark.parametrize(
    ("user", "forced", "is_in"),
    [
        (None, False, False),
        (None, True, False),
        (ALICE, False, True),
        (LOCKED, False, False),
        (LOCKED, True, True),
    ],
)
def test_a_bound_user_who_is_active_or_forced_is_logged_in(
    user: Any, forced: bool, is_in: bool
) -> None:
    it = paper()
    it.bind(user, forced=forced)
    assert load.authenticated(it) is is_in


def test_a_method_never_authenticates_anybody() -> None:
    it = paper()
    it.bind(User(7, active=lambda: True))
    with pytest.raises(UnusableUser):
        load.authenticated(it)


# --- receivers -----------------------------------------------------------------------------------


def test_receivers_are_told_when_the_user_is_bound() -> None:
    it = paper(config={"SESSION_PROTECTION": "basic"})
    it.request.cookies = it.token(7)
    bound: list[Any] = []
    it.hear = lambda name: bound.append((name, it.identity.user))
    it.who()
    assert bound == [("accessed", ALICE), ("loaded-from-cookie", ALICE)]


def test_loading_tells_nobody_before_it_is_announced() -> None:
    it = paper(cookies=JUNK)
    step(load.load(it))
    assert it.told == []
    step(load.announce(it))
    assert it.reasons() == ["malformed"]
    step(load.announce(it))
    assert len(it.told) == 1


# --- what the session says -----------------------------------------------------------------------


@pytest.mark.parametrize("user_id", ["", [], {"admin": 1}, True, 1.5, float("nan"), 2**2000])
def test_a_session_that_names_no_id_is_refused_before_the_loader_sees_it(user_id: Any) -> None:
    it = paper(session_of(ALICE, _user_id=user_id), users=raises(AssertionError("asked")))
    assert it.who() is None
    assert it.reasons() == ["not_a_user"]
    assert it.session == {}


def test_the_loader_gets_the_id_with_its_type() -> None:
    asked: list[Any] = []
    for user_id in (7, "7"):
        user = User(user_id)
        it = paper(session_of(user), users=lambda key, user=user: asked.append(key) or user)
        assert it.who() is user
        it = paper(users=lambda key, user=user: asked.append(key) or user)
        it.request.cookies = it.token(user_id)
        assert it.who() is user
    assert asked == [7, 7, "7", "7"]
    assert [type(key) for key in asked] == [int, int, str, str]


@pytest.mark.parametrize(
    ("text", "counts"),
    [(about(7, epoch="x"), True), (about(8, epoch="x"), False), ("text", False), (None, False)],
)
def test_a_record_counts_only_while_it_speaks_of_the_sessions_user(text: Any, counts: bool) -> None:
    user = User(7, session_epoch=1)
    it = paper(session_of(user, _login_record=text), users=lambda key: user)
    assert (it.who() is None) is counts  # the epoch "x" is not the user's


def test_a_stale_id_is_purged_with_the_cookie_and_the_data() -> None:
    it = paper(session_of(User(99), cart=[1], theme="dark"), cookies={COOKIE: "x"})
    it.app.config["LOGIN_KEEP_SESSION_KEYS"] = ["theme"]
    it.request.cookies = it.token(99)
    assert it.who() is None
    assert it.session == {"theme": "dark"}
    assert it.identity.remember is DELETE
    assert it.reasons() == ["user_gone"]


def test_in_flask_logins_way_a_stale_id_leaves_the_data_and_their_mark() -> None:
    it = paper(session_of(User(99), cart=[1]))
    it.manager.defaults = FLASK_LOGIN
    assert it.who() is None
    assert it.session == {"cart": [1], "_login_record": "was|" + mark(99)}


def test_a_request_without_the_cookie_needs_none_deleted() -> None:
    it = paper(session_of(User(99)))
    assert it.who() is None
    assert it.identity.remember is None


# --- audiences -----------------------------------------------------------------------------------


@pytest.mark.parametrize("made_for", ["blog", None])
def test_another_audiences_login_is_refused_and_not_removed(made_for: str | None) -> None:
    audience = None if made_for is None else digest(made_for)
    session = session_of(ALICE, _login_record=about(7, audience=audience))
    it = paper(session, config={"LOGIN_AUDIENCE": "shop"})
    assert it.who() is None
    assert it.reasons() == ["other_audience"]
    assert it.session == session


def test_a_login_for_this_audience_counts() -> None:
    session = session_of(ALICE, _login_record=about(7, audience=digest("shop")))
    assert paper(session, config={"LOGIN_AUDIENCE": "shop"}).who() is ALICE


def test_an_application_that_names_no_audience_takes_no_login_that_was_made_for_one() -> None:
    session = session_of(ALICE, _login_record=about(7, audience=digest("shop")))
    it = paper(session)
    assert it.who() is None
    assert it.reasons() == ["other_audience"]
    assert it.session == session


# --- session protection --------------------------------------------------------------------------


def moved(**options: Any) -> Paper:
    """Return a request of another client with the session of Alice."""
    more = options.pop("session", {})
    return paper(session_of(ALICE, cart=[1], **more), remote_addr="9.9.9.9", **options)


def test_a_moved_session_is_made_stale_in_basic_mode() -> None:
    it = moved()
    assert it.who() is ALICE
    assert it.identity.stale
    assert it.session["_fresh"] is False and it.session["cart"] == [1]
    assert it.names() == ["accessed", "session-protected"]


def test_a_moved_session_that_is_stale_already_is_not_written() -> None:
    it = moved(session={"_fresh": False})
    assert it.who() is ALICE
    assert not it.session.modified
    assert it.names() == ["accessed", "session-protected"]


def test_a_moved_session_is_dropped_in_strong_mode() -> None:
    it = moved(config={"SESSION_PROTECTION": "strong"}, users=raises(AssertionError("asked")))
    it.request.cookies = it.token(7)
    assert it.who() is None
    assert it.session == {}
    assert it.identity.remember is DELETE
    assert it.names() == ["accessed", "session-protected", "credential-rejected"]
    assert it.reasons() == ["protected"]


def test_a_moved_session_that_is_dropped_leaves_the_request_loader_to_be_asked() -> None:
    it = moved(config={"SESSION_PROTECTION": "strong"})
    asked_by_request(it, BOB)
    assert it.who() is BOB


def test_a_moved_permanent_session_is_dropped_unless_flask_login_has_its_way() -> None:
    options: Any = {"session": {"_permanent": True}, "config": {"SESSION_PROTECTION": "strong"}}
    assert moved(**options).who() is None
    it = moved(**options)
    it.manager.defaults = FLASK_LOGIN
    assert it.who() is ALICE
    assert it.identity.stale


def test_without_protection_a_moved_session_is_kept() -> None:
    it = moved(config={"SESSION_PROTECTION": None})
    assert it.who() is ALICE
    assert it.session["_fresh"] is True and not it.identity.stale
    assert it.names() == ["accessed"]


def test_an_anonymous_visitors_session_is_not_protected() -> None:
    it = paper({"cart": [1], "_id": "other"}, config={"SESSION_PROTECTION": "strong"})
    assert it.who() is None
    assert it.session == {"cart": [1], "_id": "other"}
    assert it.names() == ["accessed"]


# --- websockets ----------------------------------------------------------------------------------


def test_a_websocket_knows_its_user_by_every_credential() -> None:
    assert paper(session_of(ALICE), websocket=True).who() is ALICE
    it = paper(websocket=True)
    it.request.cookies = it.token(7)
    assert it.who() is ALICE
    assert it.names() == ["accessed", "loaded-from-cookie"]


@pytest.mark.parametrize("mode", ["basic", "strong"])
@pytest.mark.parametrize("user", [ALICE, User(99), User("")])
def test_a_websocket_never_writes_the_session(user: Any, mode: str) -> None:
    it = paper(
        session_of(user), websocket=True, remote_addr="9.9.9.9", config={"SESSION_PROTECTION": mode}
    )
    it.request.cookies = it.token(8)
    it.who()
    assert not it.session.modified


def test_a_websockets_remembered_login_is_stale_and_writes_nothing() -> None:
    it = paper(websocket=True)
    it.request.cookies = it.token(7)
    it.who()
    assert it.identity.stale and not it.session.modified


def test_a_websockets_moved_session_is_stale() -> None:
    it = paper(session_of(ALICE), websocket=True, remote_addr="9.9.9.9")
    assert it.who() is ALICE
    assert it.identity.stale


# --- the session of a login ----------------------------------------------------------------------


def test_the_session_keeps_of_a_login_what_is_needed_to_judge_it() -> None:
    user = User(7, session_epoch=1)
    it = paper(config={"LOGIN_AUDIENCE": "shop"})
    assert opening.login_keys(it, 7, user, fresh=True, forced=True, remembered=60) == {
        "_user_id": 7,
        "_fresh": True,
        "_id": fingerprint(*it.client()),
        "_login_record": about(
            7,
            fresh_since=int(NOW),
            forced=True,
            remembered=60,
            epoch=epoch_of(user),
            audience=digest("shop"),
        ),
    }


def test_the_session_keeps_of_a_plain_login_no_more_than_that() -> None:
    it = paper()
    assert opening.login_keys(it, 7, ALICE) == {
        "_user_id": 7,
        "_fresh": False,
        "_id": fingerprint(*it.client()),
        "_login_record": about(7),
    }


@pytest.mark.parametrize("fresh", [True, False])
def test_a_test_client_is_identified_unless_flask_login_has_its_way(fresh: bool) -> None:
    it = paper()
    assert opening.client_keys(it, ALICE, fresh) == opening.login_keys(it, 7, ALICE, fresh=fresh)
    it.manager.defaults = FLASK_LOGIN
    assert opening.client_keys(it, ALICE, fresh) == {"_user_id": 7, "_fresh": fresh}


def test_a_test_client_of_an_unusable_user_is_a_developers_error() -> None:
    with pytest.raises(LoginError):
        opening.client_keys(paper(), User(None), True)


def test_no_log_tells_whose_login_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quart_login")
    user = User("alice@example.org")
    it = paper(session_of(user), users={})
    it.request.cookies = it.token(user.id)
    it.who()
    [record] = caplog.records
    assert record.event == "credential_rejected"  # type: ignore[attr-defined]
    assert record.reason == "user_gone"  # type: ignore[attr-defined]
    assert user.id not in caplog.text


# --- what is not there ---------------------------------------------------------------------------


def test_a_login_that_is_used_has_no_last_day_where_only_idleness_ends_it() -> None:
    it = paper(session_of(ALICE), config={"LOGIN_IDLE_TIMEOUT": 3600})
    it.session["_login_times"] = lifetimes.write(NOW - 90 * DAY, NOW - 60)
    assert it.who() is ALICE


def test_whoever_is_refused_is_somebody_s_business() -> None:
    it = paper(session_of(ALICE, _id="another"), config={"SESSION_PROTECTION": "strong"})
    step(load.load(it))
    assert it.identity.asked and it.identity.user is None


def test_a_header_may_be_somebody() -> None:
    assert not claim.may_be_somebody(paper())
    assert claim.may_be_somebody(paper(headers={"Authorization": "Bearer x"}))


def test_a_remember_cookie_of_another_name_has_a_say_too() -> None:
    config = {"REMEMBER_COOKIE_NAME": "other"}
    it = paper(session_of(ALICE), config=config)
    cookies = it.token(8)
    assert set(cookies) == {"other"}
    it = it.again(cookies)
    assert it.who() is None and it.reasons() == ["user_mismatch"]


def test_who_cannot_be_kept_in_a_session_is_let_in_by_the_request_alone() -> None:
    odd = User(7.5)
    it = paper({"cart": 1, "_login_record": f"was|{mark(8)}"}, users={})
    it.manager.request_loader(lambda request: odd)
    assert it.who() is odd and it.session["cart"] == 1


def test_what_another_left_is_not_of_whom_the_request_names() -> None:
    it = paper({"secret": 1, "_login_record": f"was|{mark(8)}"})
    it.manager.request_loader(lambda request: ALICE)
    assert it.who() is ALICE and "secret" not in it.session


def test_a_socket_s_session_is_left_as_it_is_for_whom_the_request_names() -> None:
    it = paper({"secret": 1, "_login_record": f"was|{mark(8)}"}, websocket=True)
    it.manager.request_loader(lambda request: ALICE)
    assert it.who() is ALICE and not it.session.modified


def test_a_superseded_cookie_beside_a_good_session_is_told_of_and_removed() -> None:
    user = User(7, session_epoch=2)
    it = paper(users={7: user})
    step(login_user(it, user))
    it = it.again(it.token(7, epoch=epoch_of(User(7, session_epoch=1))))
    assert it.who() is user
    assert it.reasons() == ["epoch_changed"] and it.identity.remember is DELETE


def test_a_cookie_that_is_given_anew_is_ours() -> None:
    it = paper()
    it = it.again(it.token(7), headers={"User-Agent": "paper"})
    it.app.config["SECRET_KEY_FALLBACKS"] = [it.app.config["SECRET_KEY"]]
    it.app.config["SECRET_KEY"] = OLD_KEY
    assert it.who() is ALICE
    assert not token_in(it).foreign


def test_a_login_while_the_remembered_user_is_loaded_stands() -> None:
    async def loader(key: Any) -> Any:
        await login_user(it, BOB)
        return ALICE

    it = paper(users=loader)
    it = it.again(it.token(7))
    it.manager.user_loader(loader)
    assert it.who() is BOB and it.session["_user_id"] == 8


def test_who_is_active_was_not_forced_in() -> None:
    legacy = {"_user_id": 7, "_fresh": True, "_id": fingerprint(*Paper().client())}
    for it in (paper(legacy), paper(session_of(ALICE, _login_record=about(7, epoch="x")))):
        it.config["SESSION_PROTECTION"] = None
        it.who()
        assert it.identity.forced is False


def test_where_the_store_fails_nobody_s_data_are_shown() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE)
    it.session["secret"] = 1
    it.store.fail_at(0)
    request = it.request()
    assert request.who() is None and request.identity.beside
    assert "secret" not in request.session


def test_a_receiver_that_fails_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(name: str) -> None:
        if name == "loaded-from-cookie":
            raise LookupError

    it = paper()
    it = it.again(it.token(7))
    it.hear = fail
    assert it.who() is None
    assert "receiver_failed" in [line.event for line in caplog.records]  # type: ignore[attr-defined]


def test_who_is_active_was_not_forced_in_by_the_longer_way_either() -> None:
    legacy = {"_user_id": 7, "_fresh": True, "_id": fingerprint(*Paper().client())}
    it = paper(legacy, config={"SECRET_KEY_FALLBACKS": [OLD_KEY]})
    assert it.who() is ALICE and it.identity.forced is False


def test_who_is_refused_by_the_longer_way_may_be_known_by_the_request() -> None:
    session = session_of(User(70))
    it = paper(session, config={"SECRET_KEY_FALLBACKS": [OLD_KEY]})
    it.manager.request_loader(lambda request: ALICE)
    assert it.who() is ALICE and it.reasons() == ["user_gone"] and it.identity.by_request


def test_without_a_registry_what_a_logout_left_waits_for_its_user() -> None:
    """Whether a logout clears the session is decided at the logout, and not at a later visit."""
    left = {"cart": [1], "_login_record": "was|" + mark(7)}
    it = paper(left)
    assert it.who() is None and it.session == left and not it.session.modified


def test_a_login_of_another_application_stays_in_a_session_that_a_logout_here_left() -> None:
    it = Browser(users=USERS, config={"LOGIN_AUDIENCE": "shop"})
    it.session = {"_user_id": 8, "cart": [1], "_login_record": "was|" + mark(7)}
    held = it.holds()
    assert it.who() is None and it.holds() == held
