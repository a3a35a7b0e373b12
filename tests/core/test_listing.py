"""Which logins has a user, and how does one end them?"""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import pytest
from core.paper import COOKIE, DAY, NOW, Browser, Paper, User, failures
from core.test_sessions import KEYS, proof_in, series_in

from quart_login._core import listing, login
from quart_login._core.acting import ActingAs
from quart_login._core.errors import ConfigurationError, OutOfPlace, StoreUnavailable, UnusableUser
from quart_login._core.listing import ListedSession
from quart_login._core.reasons import Reason
from quart_login._core.step import step
from quart_login.stores.memory import MemoryStore

ALICE, BOB = User(7), User("bob")
USERS = {7: ALICE, "7": User("7"), "bob": BOB}


def logged_in(user: User = ALICE, remember: bool = False, **config: Any) -> Browser:
    it = Browser(users=USERS, config=config)
    assert it.log_in(user, remember)
    return it


def another(it: Browser, user: User = ALICE, **options: Any) -> Browser:
    other = it.another()
    assert other.log_in(user, **options)
    return other


def listed(it: Browser, *args: Any) -> list[ListedSession]:
    return it.do(listing.list_sessions, *args)  # type: ignore[no-any-return]


def id_of(it: Browser) -> str:
    return proof_in(it).id


def nobody(it: Browser) -> Paper:
    """Return the exchange of a job, which has no request."""
    here = it.request()
    here.request = None
    here.identity.loaded = True
    return here


# --- the list ------------------------------------------------------------------------------------


def test_a_user_sees_their_logins_the_last_used_first() -> None:
    it = logged_in(remember=True)
    it.clock.advance(minutes=5)
    other = another(it, method="passkey")
    another(it, BOB)
    it.clock.advance(minutes=5)
    assert it.who() is ALICE
    first, second = listed(it)
    assert first == ListedSession(
        id=id_of(it),
        created=NOW,
        seen=NOW + 600,
        expires=NOW + 365 * DAY,
        fresh_since=NOW,
        method="password",
        agent="paper",
        address="127.0.0.1",
        remembered=True,
        current=True,
    )
    assert (second.id, second.method) == (id_of(other), "passkey")
    assert not second.remembered and not second.current
    assert [one.id for one in listed(other) if one.current] == [id_of(other)]


def test_what_is_over_is_not_listed() -> None:
    it = logged_in(LOGIN_LIFETIME=100, LOGIN_IDLE_TIMEOUT=50)
    it.clock.advance(seconds=10)
    another(it)
    another(it, remember=True)
    it.config["LOGIN_LIFETIME"] = 5  # less than when they were made
    assert len(step(listing.list_sessions(nobody(it), 7))) == 2
    it.clock.advance(seconds=51)
    assert len(step(listing.list_sessions(nobody(it), 7))) == 1
    it.clock.advance(days=366)
    assert step(listing.list_sessions(nobody(it), 7)) == []


def test_rule_3_what_is_listed_authenticates_nobody() -> None:
    it = logged_in(remember=True)
    [one] = listed(it)
    secrets = {proof_in(it).secret, series_in(it).proof.secret, it.jar[COOKIE]}
    kept = it.store.one()
    secrets |= {kept.digest, kept.remember or ""}
    assert not secrets & {str(value) for value in astuple(one)}
    assert not any(secret in repr(one) for secret in secrets)


def test_it_takes_one_read_for_each_spelling_of_the_id() -> None:
    it = logged_in()
    it.store.asked.clear()
    listed(it)
    assert it.store.counts() == {"get": 1, "list": 2}  # of 7, and of "7"


# --- rule 1: whose -------------------------------------------------------------------------------


def test_rule_1_an_id_is_looked_for_among_the_user_s_own() -> None:
    it, other = logged_in(), None
    other = another(it, BOB)
    for id in (id_of(other), "0" * 22):
        assert it.do(listing.revoke_session, id) is False
    assert other.who() is BOB
    assert it.do(listing.revoke_session, id_of(other), BOB) is True
    assert other.who() is None and it.who() is ALICE


@pytest.mark.parametrize("id", ["", "0" * 21, "0" * 23, "é" * 22, "." * 22, None, 7, b"0" * 22])
def test_rule_1_junk_is_none_and_is_not_asked_for(id: Any) -> None:
    it = logged_in()
    it.store.asked.clear()
    assert it.do(listing.revoke_session, id) is False
    assert it.store.asked == ["get"]  # who asks


def test_rule_1_a_note_cannot_be_ended_by_its_id() -> None:
    it = logged_in()
    it.do(listing.revoke_other_sessions)
    [note] = [one for one in it.store.all() if one.user_id.startswith("!")]
    assert it.do(listing.revoke_session, note.id) is False
    assert note in it.store.all()


FUNCTIONS = [
    (listing.list_sessions, ()),
    (listing.revoke_session, ("0" * 22,)),
    (listing.revoke_other_sessions, ()),
]


@pytest.mark.parametrize(("fn", "args"), FUNCTIONS)
def test_rule_1_who_is_nobody_must_say_whose(fn: Any, args: Any) -> None:
    it = logged_in()
    for here in (nobody(it), it.another().request()):
        with pytest.raises(OutOfPlace, match="Say whose login sessions are meant"):
            step(fn(here, *args))


@pytest.mark.parametrize(("fn", "args"), FUNCTIONS)
def test_rule_1_so_must_who_acts_as_another(fn: Any, args: Any) -> None:
    it = logged_in()
    request = it.request()
    with (
        ActingAs(BOB, None, lambda: request.request),
        pytest.raises(OutOfPlace, match="Say whose login sessions are meant"),
    ):
        step(fn(request, *args))


@pytest.mark.parametrize("user", [object(), None, "", 1.5, True])
def test_rule_1_a_user_must_be_one(user: Any) -> None:
    with pytest.raises(UnusableUser, match="no user, and no user's id"):
        step(listing.revoke_user(nobody(logged_in()), user))


@pytest.mark.parametrize("who", [7, "7", ALICE, User("7")])
def test_an_id_and_its_text_are_one_user(who: Any) -> None:
    """As they are to who logs them in: an id from a URL must not end nothing."""
    it = logged_in()
    another(it, User("7"))
    stranger = another(it, BOB)
    assert len(step(listing.list_sessions(nobody(it), who))) == 2
    assert step(listing.revoke_session(nobody(it), id_of(it), who)) is True
    assert step(listing.revoke_user(nobody(it), who)) == 1
    assert it.who() is None and stranger.who() is BOB


@pytest.mark.parametrize(
    ("fn", "args"),
    [
        *FUNCTIONS,
        (listing.list_sessions, (7,)),
        (listing.revoke_user, (7,)),
        (listing.purge_sessions, ()),
    ],
)
def test_without_a_store_it_is_a_clear_error(fn: Any, args: Any) -> None:
    for session in ({"_user_id": 7}, {}):
        with pytest.raises(ConfigurationError, match="sessions="):
            step(fn(Paper(session, users=USERS), *args))


# --- rule 2: what has returned has happened ------------------------------------------------------


def test_rule_2_revoking_one() -> None:
    it = logged_in()
    other = another(it, remember=True)
    request, id = it.request(), id_of(other)
    assert step(listing.revoke_session(request, id)) is True
    assert other.who() is None and it.who() is ALICE
    assert request.ended_ids == [id]
    ended = {"session_id": id, "user_id": 7, "reason": Reason.REVOKED}
    assert request.told == [("accessed", {}), ("login-session-ended", ended)]


def test_rule_2_revoking_the_others() -> None:
    it = logged_in(remember=True)
    others = [another(it, remember=True) for _ in range(3)]
    stranger = another(it, BOB)
    assert it.do(listing.revoke_other_sessions) == 3
    assert [other.who() for other in others] == [None] * 3
    assert it.who() is ALICE and stranger.who() is BOB


def test_who_came_by_no_login_session_revokes_them_all() -> None:
    it = logged_in()
    it.it.manager.request_loader(lambda request: ALICE)
    request = it.another().request()
    assert step(listing.revoke_other_sessions(request)) == 1
    assert it.store.logins() == []


def test_rule_2_revoking_a_user() -> None:
    it = logged_in(remember=True)
    others, stranger = [another(it) for _ in range(2)], another(it, BOB)
    here = nobody(it)
    assert step(listing.revoke_user(here, ALICE)) == 3
    assert len(here.ended_ids) == 3
    assert here.names() == ["login-session-ended"] * 3
    assert [one.who() for one in (it, *others)] == [None] * 3
    assert stranger.who() is BOB
    assert step(listing.revoke_user(here, ALICE)) == 0


def test_what_is_told_is_told_where_nobody_has_looked_yet() -> None:
    it = logged_in()
    request = it.another().request()  # a page where a password is set anew, say
    assert step(listing.revoke_user(request, ALICE)) == 1
    assert request.names() == ["login-session-ended"]


@pytest.mark.parametrize("by", ["one", "user"])
def test_who_ends_the_login_at_hand_is_logged_out(by: str) -> None:
    it = logged_in(remember=True)
    it.session["note"] = "of alice"
    copy, request = it.copy(), it.request()
    request.who()
    if by == "one":
        assert step(listing.revoke_session(request, id_of(it))) is True
    else:
        assert step(listing.revoke_user(request, ALICE)) == 1
    assert request.identity.user is request.identity.login_session is None
    assert request.identity.reason is Reason.LOGGED_OUT
    assert not login.login_fresh(request) and not login.login_remembered(request)
    it.take(request)
    assert it.holds() == ({}, {})
    assert it.who() is copy.who() is None


def test_a_websocket_that_ends_its_own_login_changes_nothing_in_the_browser() -> None:
    it = logged_in(remember=True)
    held, request = it.holds(), it.request(websocket=True)
    request.who()
    step(listing.revoke_session(request, id_of(it)))
    assert request.identity.user is None and request.identity.remember is None
    it.take(request)
    assert it.holds() == held


def test_who_ends_another_s_login_stays() -> None:
    it = logged_in()
    other = another(it, BOB)
    request = it.request()
    request.who()
    step(listing.revoke_user(request, BOB))
    assert request.identity.user is ALICE and other.who() is None


def test_what_does_not_end_for_the_store_raises() -> None:
    def act(it: Browser) -> None:
        step(listing.revoke_session(it.request(), id_of(it), 7))

    for it, error, how in failures(logged_in, act):
        assert error is not None, how
        assert it.who() is (None if how.startswith("delete after") else ALICE)


def test_p_14_revoking_the_others() -> None:
    def make() -> Browser:
        it = logged_in()
        another(it)
        return it

    for it, error, how in failures(make, lambda it: it.do(listing.revoke_other_sessions)):
        if how.startswith("get before"):
            continue  # Nobody was logged in there.
        assert isinstance(error, StoreUnavailable), how
        assert it.who() is ALICE and len(it.store.logins()) in (1, 2)


# --- the store -----------------------------------------------------------------------------------


def test_what_is_over_is_removed_and_nobody_is_logged_out() -> None:
    it = logged_in(LOGIN_LIFETIME=100)
    it.clock.advance(seconds=90)
    other = another(it)
    it.clock.advance(seconds=11)
    assert step(listing.purge_sessions(nobody(it))) == 1
    assert other.who() is ALICE


def test_a_store_gets_the_exchange_to_wait_with() -> None:
    it = logged_in()
    waits_with = []

    class Curious(MemoryStore):
        async def purge(self, exchange: Any, now: float) -> int:
            waits_with.append(exchange)
            return 0

    paper = nobody(it)
    paper.manager.sessions = Curious()
    step(listing.purge_sessions(paper))
    assert waits_with == [paper]


def test_a_store_is_asked_whether_it_can_serve() -> None:
    it = logged_in()
    it.store.asked.clear()
    step(listing.check_store(nobody(it)))
    assert it.store.asked == ["check"]
    it.it.manager.sessions = None
    step(listing.check_store(nobody(it)))


def test_at_the_first_request_a_store_that_is_down_is_no_mistake(caplog: Any) -> None:
    it = logged_in()
    here = nobody(it)
    step(listing.check_at_request(here))
    it.store.fail_at(0)
    step(listing.check_at_request(here))
    assert [line.event for line in caplog.records if line.levelname == "WARNING"] == [
        "store_failed"
    ]
    with pytest.raises(StoreUnavailable):
        step(listing.check_store(here))

    async def no_schema(exchange: Any) -> None:
        raise ConfigurationError("no schema")

    it.store.check = no_schema  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match="no schema"):
        step(listing.check_at_request(here))
    it.it.manager.sessions = None
    step(listing.check_at_request(here))


def test_flask_login_s_form_of_the_cookie_names_no_login() -> None:
    it = logged_in(REMEMBER_COOKIE_FORMAT="flask-login")
    with pytest.raises(ConfigurationError, match="REMEMBER_COOKIE_FORMAT"):
        step(listing.check_store(nobody(it)))
    it.it.manager.sessions = None
    step(listing.check_store(nobody(it)))


def test_the_session_of_a_revoked_login_holds_nothing_of_it() -> None:
    it = logged_in()
    it.do(listing.revoke_session, id_of(it))
    assert not it.session.keys() & {KEYS.user_id, KEYS.proof, KEYS.record}


def test_outside_of_requests_it_must_be_said_whose() -> None:
    it = logged_in().request()
    it.request, it.session = None, {}
    it.identity.loaded = True
    with pytest.raises(OutOfPlace, match="Say whose"):
        step(listing.list_sessions(it))


def test_where_nobody_is_logged_in_no_login_is_the_current_one() -> None:
    it = logged_in()
    request = it.request()
    request.who()
    assert [one.current for one in step(listing.list_sessions(request))] == [True]
    request.bind(None)
    assert [one.current for one in step(listing.list_sessions(request, 7))] == [False]


def test_who_revokes_the_own_login_has_logged_out() -> None:
    it = logged_in()
    request = it.request()
    assert step(listing.revoke_session(request, id_of(it), 7)) is True
    request = (it := logged_in()).request()
    request.who()
    assert step(listing.revoke_session(request, id_of(it)))
    assert request.identity.logged_out and not request.identity.user
