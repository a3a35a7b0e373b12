"""How is a login session opened, renewed and ended?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from core.logins import (
    ALICE,
    BOB,
    KEYS,
    LOCKED,
    browser,
    is_fresh,
    keys_of,
    logged_in,
    proof_in,
    series_in,
)
from core.paper import COOKIE, DAY, NOW, Browser, Kept, Paper, Unreachable, User

from quart_login._core import asking, brought, ending, login, proofs, sessions
from quart_login._core.errors import (
    ConfigurationError,
    CookieTooLarge,
    StoreUnavailable,
    UnusableUser,
)
from quart_login._core.lifetimes import FOR_EVER
from quart_login._core.reasons import Reason
from quart_login._core.step import step
from quart_login._core.store import Store

# --- what is kept --------------------------------------------------------------------------------


def test_the_store_is_one() -> None:
    assert isinstance(Kept(), Store)


def test_a_login_is_kept() -> None:
    it = logged_in()
    kept = it.store.one()
    assert kept.user_id == "#7" and kept.id == proof_in(it).id
    assert (kept.created, kept.seen, kept.fresh_since) == (NOW, NOW, NOW)
    assert (kept.expires, kept.idle) == (NOW + 30 * DAY, None)
    assert (kept.method, kept.agent, kept.address) == ("password", "paper", "127.0.0.1")
    assert (kept.remember, kept.former, kept.rotated, kept.confirmed) == (None, None, None, True)
    assert it.jar == {}


@pytest.mark.parametrize(
    ("fresh", "method", "expected"),
    [(True, None, "password"), (False, None, ""), (True, "passkey", "passkey")],
)
def test_how_it_was_made_is_kept(fresh: bool, method: str | None, expected: str) -> None:
    it = browser()
    it.log_in(ALICE, fresh=fresh, method=method)
    assert it.store.one().method == expected
    assert (it.store.one().fresh_since is None) == (not fresh)


def test_what_a_visitor_chose_is_cut_and_can_be_shown() -> None:
    it = browser()
    agent = "a\n\x1b[31m\0b\x85" + "c" * 600  # ten characters, and more than are kept
    request = it.request(headers={"User-Agent": agent}, remote_addr="1" * 300)
    step(login.log_in(request, ALICE, method="m" * 300))
    kept = it.store.one()
    assert kept.agent == "a[31mb" + "c" * 502
    assert kept.address == "1" * 255
    assert kept.method == "m" * 255


def test_what_a_visitor_does_not_say_is_empty() -> None:
    it = browser()
    step(login.log_in(it.request(headers={}, remote_addr=None), ALICE))
    assert (it.store.one().agent, it.store.one().address) == ("", "")


@pytest.mark.parametrize(
    ("config", "expires", "idle"),
    [
        ({"LOGIN_LIFETIME": 100}, NOW + 100, None),
        ({"LOGIN_IDLE_TIMEOUT": 50}, NOW + 30 * DAY, 50),
        ({"LOGIN_ASSURANCE_LEVEL": "aal3"}, NOW + DAY / 2, 900),
    ],
)
def test_the_store_knows_when_it_ends(config: Any, expires: float, idle: Any) -> None:
    kept = logged_in(**config).store.one()
    assert (kept.expires, kept.idle) == (expires, idle)


def test_a_login_without_a_limit_ends_in_a_thousand_years(monkeypatch: Any) -> None:
    monkeypatch.setattr(sessions, "limits", lambda exchange: sessions.Limits())
    assert logged_in().store.one().expires == NOW + FOR_EVER


def test_a_login_that_is_remembered_lasts_as_long_as_its_cookie() -> None:
    it = logged_in(remember=True, LOGIN_IDLE_TIMEOUT=50)
    kept, series = it.store.one(), series_in(it)
    assert kept.remember == proofs.digest(series.proof.secret) and series.proof.id == kept.id
    assert kept.expires == series.ends == NOW + 365 * DAY
    assert kept.idle is None  # the cookie outlives that


def test_but_not_less_long_than_its_session() -> None:
    it = logged_in(remember=True, REMEMBER_COOKIE_DURATION=60)
    assert series_in(it).ends == NOW + 60
    assert it.store.one().expires == NOW + 30 * DAY


def test_where_no_login_outlives_the_browser_none_is_remembered() -> None:
    it = logged_in(remember=True, LOGIN_ASSURANCE_LEVEL="aal2")
    assert it.jar == {} and it.store.one().remember is None


def test_a_cookie_s_date_is_one_that_can_be_written() -> None:
    it = logged_in(remember=True, REMEMBER_COOKIE_DURATION=10**12)
    assert series_in(it).ends == NOW + 10**12
    assert it.who() is ALICE


def test_the_session_epoch_is_kept_as_a_digest() -> None:
    user = User(7, session_epoch="hash of a password")
    it = Browser(users={7: user})
    it.log_in(user)
    assert it.store.one().epoch not in (None, "hash of a password")


def test_a_store_may_make_the_ids() -> None:
    it = browser()
    it.store.make_id = lambda name: f"made-for-{name}".ljust(22, "_")  # type: ignore[attr-defined]
    it.log_in(BOB)
    assert it.store.one().id == "made-for-bob__________"


def test_without_a_store_it_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="sessions=SQLiteStore"):
        asking.store_of(Paper())


def test_nothing_here_shows_a_secret() -> None:
    it = logged_in(remember=True)
    opened = sessions.Opened(it.store.one(), it.session[KEYS.proof], None)
    shown = repr(opened) + repr(proof_in(it)) + repr(series_in(it)) + repr(it.store.one())
    shown += f"{opened}{proof_in(it)!s}{series_in(it)}{it.store}"
    kept = it.store.one()
    for secret in (
        proof_in(it).secret,
        series_in(it).proof.secret,
        kept.digest,
        kept.remember,
    ):
        assert secret is not None and secret not in shown


def test_p_21_nothing_that_is_kept_logs_anybody_in() -> None:
    it = logged_in(remember=True)
    kept = it.store.one()
    words = [word for word in vars_of(kept) if isinstance(word, str)]
    for word in words:
        for other in words:
            thief = it.copy(cookie=False)
            thief.session[KEYS.proof] = f"{other}.{word}"[:66]
            assert thief.who() is None
            thief = it.another()
            thief.jar[COOKIE] = f"{other}.{word}"
            assert thief.who() is None


def vars_of(kept: Any) -> list[Any]:
    return [getattr(kept, name) for name in kept.__slots__]


# --- rule 1: nothing unknown is made up ----------------------------------------------------------


def test_rule_1_a_store_that_fails_is_unavailable() -> None:
    it = browser()
    it.store.fail_at(0)
    with pytest.raises(StoreUnavailable) as caught:
        it.log_in(ALICE)
    assert isinstance(caught.value.__cause__, Unreachable)
    assert caught.value.code == 503
    assert it.holds() == ({}, {}) and it.store.all() == []


@pytest.mark.parametrize("error", [TimeoutError(), ValueError("corrupt"), OSError()])
def test_rule_1_however_it_fails(error: Exception) -> None:
    it = logged_in()

    def fail(name: str) -> None:
        raise error

    it.store.meanwhile = fail
    request = it.visit()
    assert request.identity.user is None
    assert isinstance(request.identity.error, StoreUnavailable)
    assert request.reasons() == ["store_failed"]


def test_rule_1_what_is_no_request_s_may_take_long_and_fails_as_well() -> None:
    it = browser()
    it.store.fail_at(0)
    with pytest.raises(StoreUnavailable):
        it.do(asking.ask_long, "check")

    async def no_schema(exchange: Any) -> None:
        raise ConfigurationError("no schema")

    it.store.fail_at(None)
    it.store.check = no_schema  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match="no schema"):
        it.do(asking.ask_long, "check")


# --- rule 2: what proves a login is new ----------------------------------------------------------


def test_rule_2_each_login_has_an_id_and_secrets_of_its_own() -> None:
    it, seen = browser(), set()
    for _ in range(10):
        it.log_in(ALICE, remember=True)
        seen |= {*proof_in(it), series_in(it).proof.secret}
    assert len(seen) == 30


def test_rule_2_confirming_makes_the_proof_new_and_keeps_the_id() -> None:
    it = logged_in(remember=True)
    old, kept = it.copy(), it.store.one()
    it.clock.advance(seconds=5)
    it.do(login.confirm_login)
    now = it.store.one()
    assert (now.id, now.version) == (kept.id, kept.version + 1)
    assert (now.fresh_since, now.seen) == (NOW + 5, NOW + 5)
    assert now.remember == kept.remember
    assert it.who() is ALICE and it.do(is_fresh)
    old.jar = {}
    assert old.who() is None


def test_rule_2_a_login_is_confirmed_though_another_request_changed_it() -> None:
    it = logged_in(remember=True)
    changes = iter(range(3))

    def change(name: str) -> None:
        if name == "swap" and next(changes, None) is not None:
            kept = it.store.one()
            it.store.put(replace(kept, version=kept.version + 1))

    request = it.request()
    request.who()
    it.store.meanwhile = change
    step(login.confirm_login(request))
    it.take(request)
    assert it.store.one().version == 3 + 1
    assert request.identity.login_session == it.store.one()
    assert it.who() is ALICE


def test_rule_2_but_not_for_ever() -> None:
    it = logged_in()
    request = it.request()
    request.who()

    def change(name: str) -> None:
        if name == "swap":
            kept = it.store.one()
            it.store.put(replace(kept, version=kept.version + 1))

    it.store.meanwhile = change
    with pytest.raises(StoreUnavailable):
        step(login.confirm_login(request))
    assert it.store.counts()["swap"] == asking.ATTEMPTS
    it.store.meanwhile = lambda name: None
    assert it.who() is ALICE


def test_rule_2_two_that_confirm_at_once_are_one() -> None:
    it = logged_in()
    other = it.copy()
    first, second = it.request(), other.request()
    first.who(), second.who()
    step(login.confirm_login(first))
    step(login.confirm_login(second))
    it.take(first), other.take(second)
    assert second.identity.user is None and second.identity.reason is Reason.SESSION_ENDED
    assert it.who() is ALICE and other.who() is None


def test_rule_2_who_confirms_second_takes_nothing_from_the_browser() -> None:
    """Its answer may come last, and the first one's holds what proves the login now."""
    it = logged_in(remember=True)
    first, second = it.request(), it.request()
    first.who(), second.who()
    step(login.confirm_login(first))
    step(login.confirm_login(second))
    second.session["cart"] = "of nobody"
    it.take(first)
    held = it.holds()
    it.take(second)
    assert second.identity.user is None and not login.login_fresh(second)
    assert it.holds() == held
    assert it.who() is ALICE and it.do(is_fresh)


def test_rule_2_a_login_that_ended_is_not_confirmed() -> None:
    it = logged_in()
    request = it.request()
    request.who()
    it.copy().log_out()
    step(login.confirm_login(request))
    assert request.identity.user is None
    assert KEYS.proof not in request.session and KEYS.user_id not in request.session
    assert it.store.all() == []


def test_a_request_that_came_beside_its_login_confirms_nothing() -> None:
    it = logged_in(remember=True)
    it.close()
    other = it.copy()
    it.who()
    kept = it.store.one()
    other.do(login.confirm_login)
    assert it.store.one() == kept
    assert it.who() is ALICE


# --- rule 3: the login that is left --------------------------------------------------------------


@pytest.mark.parametrize("user", [ALICE, BOB])
def test_rule_3_the_login_that_is_left_ends(user: User) -> None:
    it = logged_in(remember=True)
    old, former = it.copy(), it.store.one()
    request = it.request()
    step(login.log_in(request, user))
    it.take(request)
    assert it.store.one().id != former.id
    assert request.ended_ids == [former.id]
    ended = [extra for name, extra in request.told if name == "login-session-ended"]
    assert ended == [{"session_id": former.id, "user_id": 7, "reason": Reason.LOGGED_OUT}]
    assert old.who() is None and it.who() is user


def test_rule_3_when_the_new_one_stands_and_not_before() -> None:
    it = logged_in()
    kept, request = it.store.one(), it.request()
    order: list[str] = []
    request.hear = lambda name: order.append(name)
    it.store.meanwhile = order.append
    step(login.log_in(request, BOB))
    assert order == ["get", "add", "logged-in", "delete", "login-session-ended"]
    assert kept not in it.store.all()


def test_rule_3_it_ends_whichever_way_the_browser_proves_it() -> None:
    for parts in ({"session": False}, {"cookie": False}):
        it = logged_in(remember=True)
        other = it.copy(**parts)
        other.log_in(BOB)
        assert it.store.one().user_id == "bob"


def test_rule_3_nor_is_it_kept_by_a_confirmation_on_its_way() -> None:
    it = logged_in()
    old = it.copy()
    it.do(login.confirm_login)
    old.log_in(BOB)
    assert it.store.one().user_id == "bob" and it.who() is None


def test_rule_3_a_cookie_that_was_replaced_long_ago_leaves_nothing() -> None:
    it = logged_in(remember=True)
    old = it.copy(session=False)
    for _ in range(2):
        it.close()
        assert it.who() is ALICE
    old.log_in(BOB)
    assert it.who() is ALICE and old.who() is BOB


def test_rule_3_a_cookie_proves_its_own_login_alone() -> None:
    one = logged_in(remember=True)
    other = one.another()
    other.log_in(BOB, remember=True)
    shown = series_in(other).proof
    one.jar[COOKIE] = proofs.write_series(
        proofs.Series(shown._replace(id=proof_in(one).id), int(NOW) + 9), keys_of(one), None
    )
    one.close()
    assert step(brought.held(one.request())) is None


def test_the_secret_before_leaves_its_login_too() -> None:
    it = logged_in(remember=True)
    it.close()
    old = it.copy()
    it.who()
    old.log_in(BOB)
    assert it.store.one().user_id == "bob"


@pytest.mark.parametrize("n", [1, 2])
def test_rule_3_a_login_that_fails_leaves_what_was(n: int) -> None:
    it = logged_in()
    held, kept, request = it.holds(), it.store.all(), it.request()

    def fail(name: str) -> None:
        raise ValueError(name)

    if n == 1:
        request.hear = fail
    else:
        request.app.session_interface.regenerate = fail
    with pytest.raises(ValueError):
        step(login.log_in(request, BOB, True))
    it.take(request)
    if n == 2:
        del request.app.session_interface.regenerate
    assert it.holds() == held and it.store.all() == kept
    assert request.identity.user is request.identity.login_session is None
    assert it.who() is ALICE


def test_nothing_is_asked_where_the_login_cannot_be() -> None:
    it = browser()
    it.session = {"much": "x" * 5000}
    it.it.app.session_interface.get_signing_serializer = lambda app: json
    with pytest.raises(CookieTooLarge):
        it.log_in(ALICE)
    assert not it.log_in(LOCKED)
    assert it.store.asked == []


def test_a_session_that_is_kept_fits_with_its_proof() -> None:
    sizes = []
    for filler in range(3700, 4100, 20):
        it = browser()
        it.session = {"much": "x" * filler}
        it.it.app.session_interface.get_signing_serializer = lambda app: json
        try:
            it.log_in(ALICE)
        except CookieTooLarge:
            assert it.store.all() == []
        else:
            sizes.append(len("session") + len(json.dumps(it.session)))
    assert 4096 - 40 < max(sizes) <= 4096


def test_a_user_whose_name_no_store_can_keep_is_refused() -> None:
    it = browser()
    with pytest.raises(UnusableUser, match="too long for a store") as caught:
        it.log_in(User("=" + "x" * 2047))
    assert "xxx" not in str(caught.value)
    assert it.store.asked == [] and it.holds() == ({}, {})


def test_a_remember_cookie_that_browsers_ignore_is_seen_before_anything_is_kept() -> None:
    it = browser(REMEMBER_COOKIE_NAME="n" * 4000)
    with pytest.raises(CookieTooLarge):
        it.log_in(ALICE, remember=True)
    assert it.store.all() == [] and it.holds() == ({}, {})


def test_without_a_key_nobody_proves_anything() -> None:
    it = logged_in(remember=True)
    it.config["SECRET_KEY"] = None
    other = it.copy(session=False)
    assert other.request() and brought.series_of(other.request()) is None


# --- to stay remembered --------------------------------------------------------------------------


def test_the_same_user_who_logs_in_again_stays_remembered() -> None:
    it = logged_in(remember=True)
    ends, old = series_in(it).ends, it.copy()
    it.clock.advance(days=1)
    it.log_in(ALICE)
    assert series_in(it).ends == ends  # and not for longer
    it.close()
    assert it.who() is ALICE and old.who() is None


def test_another_user_does_not() -> None:
    it = logged_in(remember=True)
    it.log_in(BOB)
    assert it.jar == {} and it.store.one().remember is None


def test_nor_one_whose_cookie_is_none_of_the_login_s() -> None:
    it = logged_in()
    other = it.another()
    other.log_in(ALICE, remember=True)
    it.jar = dict(other.jar)
    it.log_in(ALICE)
    assert it.jar == {}


def test_nor_one_whose_cookie_s_secret_is_not_the_login_s() -> None:
    it = logged_in(remember=True)
    kept = it.store.one()
    series = proofs.Series(proofs.Proof(kept.id, proofs.new_secret()), int(NOW) + 9)
    it.jar[COOKIE] = proofs.write_series(series, keys_of(it), None)
    it.log_in(ALICE)
    assert it.jar == {}


def test_nor_where_no_login_outlives_the_browser_any_more() -> None:
    it = logged_in(remember=True)
    it.config["LOGIN_ASSURANCE_LEVEL"] = "aal2"
    it.log_in(ALICE)
    assert it.jar == {} and it.store.one().remember is None


# --- rule 4: what ends ---------------------------------------------------------------------------


def test_rule_4_it_ends_in_the_store_first(caplog: Any) -> None:
    it = logged_in()
    caplog.set_level("INFO", "quart_login")
    request = it.request()
    request.who()
    there: list[Any] = []

    async def ended(ids: Any) -> None:
        there.append((list(ids), it.store.all()))

    request.ended = ended  # type: ignore[method-assign]
    kept = it.store.one()
    request.hear = lambda name: there.append(name)
    step(login.logout_user(request))
    assert there == [([kept.id], []), "login-session-ended", "logged-out"]
    assert request.identity.user is request.identity.login_session is None
    assert request.identity.reason is Reason.LOGGED_OUT
    told = [(line.event, line.reason) for line in caplog.records]
    assert told == [("login_session_ended", "logged_out"), ("user_logged_out", None)]


def test_what_is_gone_already_is_closed_here_too() -> None:
    it = logged_in()
    request, kept = it.request(), it.store.one()
    assert step(ending.end(request, kept.id, Reason.REVOKED)) is True
    assert step(ending.end(request, kept.id, Reason.REVOKED)) is False
    assert request.ended_ids == [kept.id, kept.id]
    request.who()
    assert request.names().count("login-session-ended") == 1


def test_it_has_ended_whatever_a_receiver_thinks(caplog: Any) -> None:
    it = logged_in()
    request = it.request()
    request.who()

    def fail(name: str) -> None:
        if name == "login-session-ended":
            raise OSError(name)

    request.hear = fail
    assert step(login.logout_user(request)) is True
    assert it.store.all() == []
    assert [line.event for line in caplog.records if line.levelname == "ERROR"] == [
        "receiver_failed"
    ]


def test_a_logout_ends_the_browser_s_login_for_all_who_have_a_copy() -> None:
    it = logged_in(remember=True)
    copies = [it.copy(), it.copy(cookie=False), it.copy(session=False)]
    it.log_out()
    assert it.store.all() == [] and it.jar == {}
    assert [copy.who() for copy in copies] == [None, None, None]


def test_a_logout_that_the_store_does_not_hear_is_one_in_the_browser() -> None:
    it = logged_in(remember=True)
    kept, copy = it.store.one(), it.copy()
    it.store.fail_at(1)  # The login could be read.
    with pytest.raises(StoreUnavailable):
        it.log_out()
    it.store.fail_at(None)
    assert it.jar == {} and it.who() is None
    assert it.store.one().id == kept.id and copy.who() is ALICE  # as the error says


def test_p_8_a_request_in_flight_brings_no_login_back() -> None:
    # At whatever call of the slow request the other one logs out.
    for closed in (False, True):
        for at in range(4):
            it = logged_in(remember=True)
            if closed:
                it.close()
            it.clock.advance(minutes=2)
            other, calls = it.copy(), iter(range(9))

            def log_out(name: str, calls: Any = calls, other: Any = other, at: int = at) -> None:
                if next(calls) == at:
                    other.it.manager.sessions.meanwhile = lambda name: None
                    other.log_out()

            it.store.meanwhile = log_out
            it.visit()
            it.store.meanwhile = lambda name: None
            if it.store.all():  # It was made of fewer calls.
                other.log_out()
            assert it.store.all() == []
            assert it.who() is other.who() is None


# --- for how long a login is remembered that takes another's place -------------------------------


def test_a_new_time_counts_where_one_is_asked_for() -> None:
    it = logged_in(remember=True)
    it.log_in(ALICE, True, duration=timedelta(days=1))
    assert series_in(it).ends == NOW + DAY


def test_who_logs_in_again_where_the_cookie_does_not_come_is_not_remembered_by_it() -> None:
    it = logged_in(remember=True)
    jar = it.jar.pop(COOKIE)
    assert jar and it.log_in(ALICE)
    assert it.store.one().remember is None


def test_who_logs_in_again_where_the_cookie_was_refused_is_not_remembered_by_it() -> None:
    it = logged_in(remember=True)
    it.jar[COOKIE] = "junk"
    request = it.request()
    request.who()
    assert step(login.login_user(request, ALICE))
    assert it.store.one().remember is None


def test_what_is_over_takes_no_room() -> None:
    it = logged_in(LOGIN_MAX_SESSIONS=2)
    mine = it.store.one()
    over = replace(mine, id="over", created=NOW - 100, expires=NOW - 50)
    alive = replace(mine, id="alive", created=NOW - 10)
    it.store.put(over)
    it.store.put(alive)
    step(sessions._give_room_back(it.request(), mine))
    assert {one.id for one in it.store.all()} == {mine.id, "over", "alive"}
    it.store.put(replace(mine, id="another", created=NOW - 5))
    step(sessions._give_room_back(it.request(), mine))
    assert {one.id for one in it.store.all()} == {mine.id, "over", "alive"}


def test_with_a_store_the_session_holds_no_times() -> None:
    it = logged_in(LOGIN_IDLE_TIMEOUT=600)
    assert KEYS.times not in it.session and KEYS.proof in it.session


def test_a_logout_ends_nothing_by_a_cookie_that_was_replaced_long_ago() -> None:
    it = logged_in(remember=True)
    old = dict(it.jar)
    for _ in range(2):
        it.close()
        it.visit()
        it.visit()
        it.clock.advance(seconds=3600)
    other = it.another()
    other.log_in(BOB)
    other.jar = old
    other.log_out()
    assert [one.user_id for one in it.store.logins()] == ["#7"]


def test_what_was_opened_is_not_shown() -> None:
    opened = step(sessions.open_session(browser().request(), ALICE, 7))
    assert opened is not None and repr(opened) == "<Opened>"


def test_a_name_may_be_as_long_as_a_store_keeps_it() -> None:
    assert sessions._checked_name(browser().request(), "x" * 2047) == "x" * 2047
    with pytest.raises(UnusableUser):
        sessions._checked_name(browser().request(), "x" * 2048)


def test_rule_2_what_proved_a_login_that_ended_leaves_the_browser_that_would_confirm_it() -> None:
    it = logged_in(remember=True)
    request = it.request()
    request.who()
    it.copy().log_out()
    step(login.confirm_login(request))
    it.take(request)
    assert request.identity.login_session is None and it.holds() == ({}, {})
