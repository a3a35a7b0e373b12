"""How does somebody log in, log out, and confirm who they are?"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import (
    COOKIE,
    DAY,
    KEY,
    NOW,
    OLD_KEY,
    Browser,
    Paper,
    User,
    about,
    cookie_in,
    set_cookies,
    value_of,
)
from werkzeug.local import LocalProxy

from quart_login._core import login, record
from quart_login._core.carryover import mark
from quart_login._core.errors import (
    ConfigurationError,
    CookieTooLarge,
    OutOfPlace,
    StoreUnavailable,
    UnusableUser,
)
from quart_login._core.load import authenticated
from quart_login._core.protection import fingerprint
from quart_login._core.record import AS_SET
from quart_login._core.remember import DELETE, read
from quart_login._core.settings import FLASK_LOGIN
from quart_login._core.step import step
from quart_login._core.tokens import Token, encode_legacy, keys_of
from quart_login._core.users import epoch_of

ALICE, BOB, LOCKED = User(7), User(8), User(9, active=False)

USERS = {user.id: user for user in (ALICE, BOB, LOCKED)} | {"7": ALICE}

CLIENT = fingerprint("127.0.0.1", "paper")


def paper(session: Any = None, **options: Any) -> Paper:
    return Paper(session, **{"users": USERS, **options})


def log_in(it: Paper, user: Any, **options: Any) -> bool:
    return step(login.login_user(it, user, **options))


def log_out(it: Paper) -> bool:
    return step(login.logout_user(it))


def logged_in(user: Any = ALICE, **options: Any) -> Paper:
    """Return the next request of a browser in which *user* logged in."""
    before = paper()
    log_in(before, user, **options)
    cookies = {COOKIE: cookie_in(before.answer())} if options.get("remember") else {}
    return before.again(cookies)


def token_in(it: Paper) -> Token:
    found = read(value_of(it.identity.remember), keys_of(it.config), it.setting, NOW)
    assert isinstance(found, Token)
    return found


# --- logging in ----------------------------------------------------------------------------------


def test_a_login_binds_the_user_and_writes_the_session() -> None:
    it = paper()
    assert log_in(it, ALICE) is True
    assert it.identity.user is ALICE and it.identity.loaded and authenticated(it)
    assert it.session == {
        "_user_id": 7,
        "_fresh": True,
        "_id": CLIENT,
        "_login_record": about(7, fresh_since=int(NOW)),
    }
    assert it.told == [("logged-in", {"user": ALICE})]
    assert it.identity.remember is None
    assert it.again().who() is ALICE


def test_a_login_needs_no_loader() -> None:
    it = Paper()
    assert log_in(it, ALICE)


def test_receivers_see_the_user_who_logged_in() -> None:
    it = paper()
    seen: list[Any] = []
    it.hear = lambda name: seen.append((name, it.identity.user, it.session.get("_user_id")))
    log_in(it, ALICE)
    assert seen == [("logged-in", ALICE, 7)]


def test_a_proxy_of_the_user_is_unwrapped() -> None:
    it = paper()
    log_in(it, LocalProxy(lambda: ALICE))
    assert type(it.identity.user) is User


@pytest.mark.parametrize("fresh", [True, False])
def test_a_login_is_as_fresh_as_its_caller_says(fresh: bool) -> None:
    it = paper()
    log_in(it, ALICE, fresh=fresh)
    assert it.session["_fresh"] is fresh
    assert login.login_fresh(it) is fresh
    assert login.login_fresh(it.again()) is False  # nobody is known before loading
    later = it.again()
    later.who()
    assert login.login_fresh(later) is fresh


def test_a_truthy_freshness_is_written_as_a_plain_value() -> None:
    it = paper()
    log_in(it, ALICE, fresh="yes")
    assert it.session["_fresh"] is True


def test_an_inactive_user_is_not_logged_in_and_nothing_is_changed() -> None:
    it = paper({"cart": [1]})
    assert log_in(it, LOCKED, remember=True) is False
    assert it.session == {"cart": [1]} and not it.session.modified
    assert it.identity.user is it.identity.remember is None
    assert it.told == []


def test_an_inactive_user_who_is_forced_in_stays_in() -> None:
    it = paper()
    assert log_in(it, LOCKED, force=True) is True
    assert it.identity.forced and authenticated(it)
    later = it.again()
    assert later.who() is LOCKED and authenticated(later)


def test_an_active_user_who_is_forced_in_is_out_when_inactive() -> None:
    user = User(5)
    it = paper(users=lambda key: user)
    log_in(it, user, force=True)
    assert not it.identity.forced
    user.active = False
    assert it.again().who() is None


def test_a_login_ends_a_stale_or_failed_one() -> None:
    it = paper()
    it.identity.stale, it.identity.error = True, ValueError("the loader failed")
    log_in(it, ALICE)
    assert it.identity.error is None
    assert login.login_fresh(it)


def test_a_login_under_another_user_removes_what_that_one_left() -> None:
    it = logged_in(ALICE)
    it.session.update(cart=[1], theme="dark", _permanent=True)
    it.config["LOGIN_KEEP_SESSION_KEYS"] = ["theme"]
    log_in(it, BOB)
    assert it.session.keys() == {
        "_user_id",
        "_fresh",
        "_id",
        "_login_record",
        "theme",
        "_permanent",
    }
    assert it.again().who() is BOB


def named_by_the_request(user: User = ALICE) -> Paper:
    """Return a request whose user the session does not name, who has written into it."""
    it = paper()
    it.bind(user)
    it.identity.by_request = True
    it.session["draft"] = "hers"
    return it


def test_a_login_removes_what_another_wrote_in_the_same_request() -> None:
    it = named_by_the_request()
    assert log_in(it, BOB)
    assert "draft" not in it.session and it.session["_user_id"] == 8


def test_a_login_keeps_what_its_user_wrote_in_the_same_request() -> None:
    it = named_by_the_request()
    assert log_in(it, ALICE)
    assert it.session["draft"] == "hers"


def test_a_login_keeps_what_a_visitor_wrote_in_the_same_request() -> None:
    it = paper()
    it.bind(None)
    it.session["draft"] = "a visitor's"
    assert log_in(it, BOB)
    assert it.session["draft"] == "a visitor's"


def test_a_login_keeps_what_the_session_held_where_nothing_was_written() -> None:
    it = paper({"cart": [1]})
    it.bind(ALICE)
    it.identity.by_request = True
    assert log_in(it, BOB)
    assert it.session["cart"] == [1]


def test_a_logout_notes_whose_it_is_that_was_written_in_the_same_request() -> None:
    it = named_by_the_request()
    it.app.config["LOGIN_CLEAR_SESSION_ON_LOGOUT"] = False
    log_out(it)
    assert it.session == {"draft": "hers", "_login_record": record.farewell(mark(7))}


def test_what_a_user_without_an_id_wrote_is_nobodys() -> None:
    it = named_by_the_request(User(None))
    it.app.config["LOGIN_CLEAR_SESSION_ON_LOGOUT"] = False
    log_out(it)
    assert it.session == {"draft": "hers"}


def test_a_login_keeps_what_a_visitor_put_into_the_session() -> None:
    it = paper({"cart": [1]})
    log_in(it, ALICE)
    assert it.session["cart"] == [1]


def test_a_login_after_a_logout_in_flask_logins_way_removes_the_other_users_data() -> None:
    it = logged_in(ALICE)
    it.manager.defaults = FLASK_LOGIN
    it.session["cart"] = [1]
    log_out(it)
    assert it.session == {"cart": [1], "_login_record": "was|" + mark(7)}
    for user, left in ((ALICE, True), (BOB, False)):
        later = Paper(dict(it.session), users=USERS)
        log_in(later, user)
        assert ("cart" in later.session) is left


# --- remembering ---------------------------------------------------------------------------------


def test_a_remembered_login_gives_the_cookie_of_the_settings_duration() -> None:
    it = paper()
    log_in(it, ALICE, remember=True)
    assert token_in(it) == Token(7, int(NOW))
    assert it.session["_login_record"] == about(7, fresh_since=int(NOW), remembered=AS_SET)
    assert it.session["_remember"] == "set"  # for Flask-Login's dependants
    assert it.identity.remember is not None
    assert it.identity.remember.expires == datetime.fromtimestamp(NOW, UTC) + timedelta(days=365)


def test_a_remembered_login_may_have_a_duration_of_its_own() -> None:
    it = paper()
    log_in(it, ALICE, remember=True, duration=timedelta(days=1))
    assert token_in(it) == Token(7, int(NOW), DAY)
    assert it.session["_login_record"] == about(7, fresh_since=int(NOW), remembered=float(DAY))


def test_a_login_that_does_not_remember_takes_the_mark_for_dependants_away() -> None:
    it = paper({"_remember": "set"})
    log_in(it, ALICE)
    assert "_remember" not in it.session


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1)])
def test_a_duration_of_no_time_is_no_year(duration: timedelta) -> None:
    it = paper()
    log_in(it, ALICE, remember=True, duration=duration)
    assert it.identity.remember is not None and it.identity.remember.expires is not None
    assert it.identity.remember.expires <= datetime.fromtimestamp(NOW, UTC)


def test_a_remembered_login_carries_the_epoch() -> None:
    user = User(7, session_epoch=1)
    it = paper()
    log_in(it, user, remember=True)
    assert token_in(it).epoch == epoch_of(user)
    assert it.session["_login_record"] == about(
        7, fresh_since=int(NOW), remembered=AS_SET, epoch=epoch_of(user)
    )


@pytest.mark.parametrize("duration", [60, 1.5, "60"])
def test_a_duration_that_is_none_is_refused_before_anything_is_changed(duration: Any) -> None:
    it = paper()
    with pytest.raises(TypeError, match=r"duration must be a datetime\.timedelta, instead got"):
        log_in(it, ALICE, remember=True, duration=duration)
    assert not it.session.modified and it.identity.user is None


def test_a_duration_without_remember_is_not_looked_at() -> None:
    it = paper()
    assert log_in(it, ALICE, duration="60")
    assert it.identity.remember is None


def test_a_login_that_does_not_remember_removes_another_users_cookie() -> None:
    it = paper()
    it.request.cookies = it.token(8)
    log_in(it, ALICE)
    assert it.identity.remember is DELETE


@pytest.mark.parametrize("junk", ["1|é", "x.y", ""])
def test_a_login_that_does_not_remember_removes_junk(junk: str) -> None:
    it = paper(cookies={COOKIE: junk})
    log_in(it, ALICE)
    assert it.identity.remember is DELETE


@pytest.mark.parametrize("legacy", [True, False])
def test_a_login_that_does_not_remember_leaves_ones_own_cookie_alone(legacy: bool) -> None:
    it = paper()
    it.request.cookies = {COOKIE: encode_legacy("7", KEY)} if legacy else it.token(7)
    log_in(it, ALICE)
    assert it.identity.remember is None


def test_a_login_does_not_forget_what_the_request_decided_before() -> None:
    it = logged_in(ALICE, remember=True)
    log_out(it)
    log_in(it, ALICE)
    assert it.identity.remember is DELETE
    again = logged_in(ALICE, remember=True)
    log_out(again)
    log_in(again, ALICE, remember=True)
    assert token_in(again).user_id == 7


@pytest.mark.parametrize("sent", [True, False])
def test_a_second_login_of_the_same_user_keeps_the_cookie_that_the_first_is_to_set(
    sent: bool,
) -> None:
    it = paper()
    it.request.cookies = it.token(7) if sent else {}
    log_in(it, ALICE, remember=True)
    log_in(it, ALICE)
    assert token_in(it).user_id == 7


@pytest.mark.parametrize("sent", [True, False])
def test_a_login_of_another_user_takes_back_the_cookie_that_the_first_was_to_set(
    sent: bool,
) -> None:
    it = paper()
    it.request.cookies = it.token(7) if sent else {}
    log_in(it, ALICE, remember=True)
    log_in(it, BOB)
    assert it.identity.remember is DELETE
    assert "_remember" not in it.session


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", [None, "", True, 1.5, b"7", "x" * 2049])
def test_a_user_whose_id_cannot_be_kept_is_a_developers_error(user_id: Any) -> None:
    it = paper()
    with pytest.raises(UnusableUser):
        log_in(it, User(user_id))
    assert not it.session.modified and it.told == []


def test_a_user_whose_flag_is_a_method_is_a_developers_error() -> None:
    it = paper()
    with pytest.raises(UnusableUser, match="make them properties"):
        log_in(it, User(7, active=lambda: True), force=True)
    assert not it.session.modified


def test_a_user_whose_authentication_is_a_method_is_a_developers_error() -> None:
    class Careless(User):
        def is_authenticated(self) -> bool:  # type: ignore[override]
            return False

    it = paper()
    with pytest.raises(UnusableUser, match="make them properties"):
        log_in(it, Careless(7))
    assert not it.session.modified


def test_a_manager_may_name_another_method_of_the_id() -> None:
    it = paper()
    it.manager.id_attribute = "get_name"
    user: Any = User(7)
    user.get_name = lambda: "alice"
    log_in(it, user)
    assert it.session["_user_id"] == "alice"


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_a_login_is_an_error_that_says_what_to_do(key: Any) -> None:
    it = paper(config={"SECRET_KEY": key})
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        log_in(it, ALICE)
    assert not it.session.modified


def test_fallbacks_given_as_one_string_are_an_error_at_login() -> None:
    it = paper(config={"SECRET_KEY_FALLBACKS": OLD_KEY})
    with pytest.raises(TypeError, match="Make it a list"):
        log_in(it, ALICE)


def test_a_login_whose_remember_cookie_is_too_large_changes_nothing() -> None:
    it = paper({"cart": [1]})
    with pytest.raises(CookieTooLarge):
        log_in(it, User("\1" * 1000), remember=True)
    assert it.session == {"cart": [1]} and it.identity.user is None


def serialized(it: Paper, size: int) -> list[Any]:
    """Let the session cookie's value have *size* bytes; return the sessions it is asked for."""
    asked: list[Any] = []

    def dumps(session: Any) -> str:
        asked.append(dict(session))
        return "x" * size

    it.app.session_interface.get_signing_serializer = lambda app: SimpleNamespace(dumps=dumps)
    return asked


def test_a_login_whose_session_cookie_is_too_large_changes_nothing() -> None:
    it = paper({"cart": "x" * 2000})
    asked = serialized(it, 5000)
    with pytest.raises(CookieTooLarge):
        log_in(it, ALICE)
    assert it.session == {"cart": "x" * 2000} and it.identity.user is None
    # Measured as it would be, with the login in it.
    assert asked[0]["_user_id"] == 7 and asked[0]["cart"]


def test_the_mark_for_dependants_is_not_measured() -> None:
    it = paper({"cart": "x" * 2000})
    asked = serialized(it, 4000)
    log_in(it, ALICE, remember=True)
    assert "_remember" not in asked[0]


@pytest.mark.parametrize("act", ["login_user", "logout_user", "confirm_login"])
def test_in_a_websocket_nobody_logs_in_or_out(act: str) -> None:
    it = paper(websocket=True)
    with pytest.raises(OutOfPlace, match=rf"^{act}\(\) was called in a websocket"):
        step(getattr(login, act)(it, *([ALICE] if act == "login_user" else [])))
    assert not it.session.modified and it.told == []


@pytest.mark.parametrize("act", ["login_user", "logout_user", "confirm_login"])
def test_after_the_response_nobody_logs_in_or_out(act: str) -> None:
    it = logged_in(ALICE)
    it.identity.closed = True
    before = dict(it.session)
    with pytest.raises(OutOfPlace, match=rf"^{act}\(\) was called after the response"):
        step(getattr(login, act)(it, *([BOB] if act == "login_user" else [])))
    assert it.session == before and it.told == []


# --- keys that can be guessed --------------------------------------------------------------------


def test_a_short_key_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    it = paper(config={"SECRET_KEY": "dev"})
    log_in(it, ALICE)
    log_in(it, ALICE)
    [entry] = caplog.records
    assert (entry.name, entry.levelno) == ("quart_login", logging.WARNING)
    assert "shorter than 16 bytes" in entry.message and "dev" not in entry.message


@pytest.mark.parametrize("mode", ["debug", "testing", None])
def test_a_short_key_is_not_warned_of_while_developing_nor_a_good_one(
    mode: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    it = paper(config={"SECRET_KEY": KEY if mode is None else "dev"})
    if mode is not None:
        setattr(it.app, mode, True)
    log_in(it, ALICE)
    assert caplog.records == [] and not it.manager.warned_of_weak_key


def test_the_keys_that_were_checked_are_returned() -> None:
    it = paper(config={"SECRET_KEY_FALLBACKS": [OLD_KEY]})
    assert login.check_keys(it.app, it.manager) == keys_of(it.config)


# --- logging out ---------------------------------------------------------------------------------


def test_a_logout_takes_the_login_out_of_the_session() -> None:
    it = logged_in(ALICE)
    assert log_out(it) is True
    assert it.session == {}
    assert it.identity.user is None and it.identity.loaded
    assert it.told == [("accessed", {}), ("logged-out", {"user": ALICE})]
    assert it.identity.remember is None
    assert it.again().who() is None


def test_a_logout_leaves_nothing_but_the_applications_exceptions() -> None:
    it = logged_in(ALICE)
    it.session.update(cart=[1], theme="dark")
    it.config["LOGIN_KEEP_SESSION_KEYS"] = ["theme"]
    log_out(it)
    assert it.session == {"theme": "dark"}


def test_receivers_of_a_logout_still_see_the_user() -> None:
    it = logged_in(ALICE)
    seen: list[Any] = []
    it.hear = lambda name: seen.append((name, it.identity.user))
    log_out(it)
    assert seen[-1] == ("logged-out", ALICE)


def test_a_receiver_that_fails_does_not_keep_the_user_in() -> None:
    it = logged_in(ALICE, remember=True)

    def fail(name: str) -> None:
        if name == "logged-out":
            raise ValueError("a receiver's own")

    it.hear = fail
    with pytest.raises(ValueError, match="a receiver's own"):
        log_out(it)
    assert it.identity.user is None
    assert "_user_id" not in it.session
    assert it.identity.remember is DELETE


def test_a_visitor_may_log_out_as_well() -> None:
    it = paper()
    nobody = User(None, active=False)
    it.manager.anonymous_user = lambda: nobody
    assert log_out(it) is True
    assert it.told[-1] == ("logged-out", {"user": nobody})


def test_a_logout_deletes_the_remember_cookie_that_came_with_the_request() -> None:
    it = logged_in(ALICE, remember=True)
    log_out(it)
    assert it.identity.remember is DELETE
    assert it.session == {"_remember": "clear"}  # for Flask-Login's dependants
    later = it.again()
    assert later.who() is None and later.reasons() == []


def test_a_session_that_is_cleared_after_the_logout_is_still_logged_out() -> None:
    it = logged_in(ALICE, remember=True)
    log_out(it)
    it.session.clear()
    [line] = set_cookies(it.answer())
    assert "Max-Age=0" in line


def test_a_login_that_is_taken_back_in_the_same_request_sets_no_cookie() -> None:
    it = paper()
    log_in(it, ALICE, remember=True)
    log_out(it)
    [line] = set_cookies(it.answer())
    assert "Max-Age=0" in line


def test_a_logout_deletes_a_remember_cookie_whose_path_kept_it_from_this_request() -> None:
    it = logged_in(ALICE, remember=True).again({})
    log_out(it)
    assert it.identity.remember is DELETE


@pytest.mark.parametrize("session", [{}, {"_user_id": 7, "_fresh": True, "_id": CLIENT}])
@pytest.mark.parametrize("cookie", ["1|é", encode_legacy("7", KEY)])
def test_a_logout_deletes_a_cookie_that_no_login_of_ours_asked_for(
    session: Any, cookie: str
) -> None:
    it = paper(session, cookies={COOKIE: cookie})
    log_out(it)
    assert it.identity.remember is DELETE


def test_a_logout_takes_the_cookie_of_a_login_back_whose_session_was_cleared() -> None:
    it = paper()
    log_in(it, ALICE, remember=True)
    it.session.clear()
    log_out(it)
    assert it.identity.remember is None
    assert set_cookies(it.answer()) == []


@pytest.mark.parametrize("user", [ALICE, BOB])
def test_a_login_after_it_does_not_keep_that_cookie(user: User) -> None:
    it = logged_in(ALICE, remember=True).again({})
    log_out(it)
    log_in(it, user)
    assert it.identity.remember is DELETE
    assert "_remember" not in it.session


# --- a session that is kept on the server --------------------------------------------------------


def renewing(it: Paper) -> list[Any]:
    """Let the session be kept on the server; return what is in it at each renewal of its id."""
    renewed: list[Any] = []

    async def regenerate(session: Any) -> None:
        renewed.append(dict(session))

    it.app.session_interface.regenerate = regenerate
    return renewed


def test_a_session_with_something_in_it_gets_a_new_id_at_login() -> None:
    it = paper({"cart": [1]})
    renewed = renewing(it)
    log_in(it, ALICE)
    assert renewed == [{"cart": [1]}]


def test_an_empty_session_gets_a_new_id_as_well() -> None:
    # It may have an id that somebody planted.
    it = paper()
    renewed = renewing(it)
    log_in(it, ALICE)
    assert renewed == [{}]


def test_a_session_gets_a_new_id_when_the_login_is_confirmed() -> None:
    it = logged_in(ALICE)
    renewed = renewing(it)
    step(login.confirm_login(it))
    assert len(renewed) == 1 and renewed[0]["_user_id"] == 7


def test_a_session_that_keeps_something_gets_a_new_id_at_logout() -> None:
    it = logged_in(ALICE)
    it.session["theme"] = "dark"
    it.config["LOGIN_KEEP_SESSION_KEYS"] = ["theme"]
    renewed = renewing(it)
    log_out(it)
    assert renewed == [{"theme": "dark"}]


def test_a_login_whose_new_id_cannot_be_had_leaves_no_half_of_itself() -> None:
    it = paper({"cart": [1]})

    def regenerate(session: Any) -> None:
        raise ConnectionError("the store is down")

    it.app.session_interface.regenerate = regenerate
    with pytest.raises(ConnectionError):
        log_in(it, ALICE, remember=True)
    assert it.session == {"cart": [1]}
    assert it.identity.user is it.identity.remember is None
    assert it.told == []


def test_a_logout_whose_new_id_cannot_be_had_is_a_logout() -> None:
    it = logged_in(ALICE)
    it.session["theme"] = "dark"
    it.config["LOGIN_KEEP_SESSION_KEYS"] = ["theme"]

    def regenerate(session: Any) -> None:
        raise ConnectionError("the store is down")

    it.app.session_interface.regenerate = regenerate
    with pytest.raises(ConnectionError):
        log_out(it)
    assert it.session == {"theme": "dark"} and it.identity.user is None


# --- confirming ----------------------------------------------------------------------------------


def test_a_login_that_is_confirmed_is_fresh_from_now_on() -> None:
    it = logged_in(ALICE, fresh=False)
    it.who()
    assert not login.login_fresh(it)
    step(login.confirm_login(it))
    assert login.login_fresh(it)
    assert it.session["_login_record"] == about(7, fresh_since=int(NOW))
    assert it.names()[-1] == "login-confirmed"
    later = it.again()
    later.manager.clock = lambda: NOW + DAY
    later.who()
    assert login.login_fresh(later)
    later.manager.clock = lambda: NOW + DAY + 1
    assert not login.login_fresh(later)


def test_a_login_that_came_from_another_client_is_bound_to_this_one_when_confirmed() -> None:
    it = logged_in(ALICE).again(remote_addr="9.9.9.9")
    it.who()
    assert it.identity.stale
    step(login.confirm_login(it))
    assert not it.identity.stale
    assert it.session["_id"] == fingerprint("9.9.9.9", "paper")
    later = it.again(remote_addr="9.9.9.9")
    assert later.who() is ALICE and login.login_fresh(later)
    assert "session-protected" not in later.names()


def test_a_confirmation_keeps_what_else_the_login_is() -> None:
    user = User(9, active=False, session_epoch=1)
    it = paper(users=lambda key: user)
    log_in(it, user, remember=True, force=True, fresh=False)
    later = it.again({})
    step(login.confirm_login(later))
    assert record.read(later.session, later.manager.keys, 9) == record.Record(
        fresh_since=int(NOW), forced=True, remembered=AS_SET, epoch=epoch_of(user)
    )


def test_a_confirmation_does_not_inherit_another_logins_record() -> None:
    # Flask-Login, sharing the session, logged Bob in and left Alice's record.
    left = about(7, forced=True, epoch="x", remembered=60)
    it = paper({"_user_id": 8, "_fresh": False, "_id": CLIENT, "_login_record": left})
    step(login.confirm_login(it))
    assert it.session["_login_record"] == about(8, fresh_since=int(NOW))
    assert it.again().who() is BOB


def test_a_visitor_has_nothing_to_confirm() -> None:
    it = paper({"cart": [1]})
    step(login.confirm_login(it))
    assert it.session == {"cart": [1]}
    assert it.names() == ["accessed", "login-confirmed"]


def test_a_user_of_the_request_alone_is_confirmed_alone() -> None:
    it = paper()
    it.manager.request_loader(lambda request: ALICE)
    step(login.confirm_login(it))
    assert login.login_fresh(it)
    assert it.session == {
        "_fresh": True,
        "_id": CLIENT,
        "_login_record": about(7, fresh_since=int(NOW)),
    }
    later = it.again()
    later.manager.request_loader(lambda request: BOB)
    assert later.who() is BOB and not login.login_fresh(later)


# --- asking --------------------------------------------------------------------------------------


def test_nobody_is_fresh() -> None:
    it = paper({"_fresh": True})
    it.who()
    assert login.login_fresh(it) is False


def test_a_stale_login_is_not_fresh_though_a_websockets_session_still_says_so() -> None:
    it = logged_in(ALICE).again(websocket=True, remote_addr="9.9.9.9")
    assert it.who() is ALICE
    assert it.session["_fresh"] is True
    assert login.login_fresh(it) is False


@pytest.mark.parametrize(
    ("lifetime", "age", "fresh"),
    [
        (timedelta(minutes=5), 300, True),
        (timedelta(minutes=5), 301, False),
        (60, 61, False),
        (0.5, 1, False),
        (60, 60, True),
        (None, 1000 * DAY, True),
    ],
)
def test_freshness_has_the_age_that_the_settings_say(lifetime: Any, age: int, fresh: bool) -> None:
    it = logged_in(ALICE)
    it.config["LOGIN_FRESH_DURATION"] = lifetime
    it.who()
    it.manager.clock = lambda: NOW + age
    assert login.login_fresh(it) is fresh


def test_a_freshness_that_is_no_duration_is_a_developers_error() -> None:
    it = logged_in(ALICE)
    it.who()
    it.config["LOGIN_FRESH_DURATION"] = "day"
    with pytest.raises(ConfigurationError, match="LOGIN_FRESH_DURATION must be"):
        login.login_fresh(it)


@pytest.mark.parametrize("session_of", [None, 7, "7", 8])
@pytest.mark.parametrize("cookie_of", [None, 7])
def test_a_login_is_remembered_if_its_cookie_would_bring_it_back(
    session_of: Any, cookie_of: Any
) -> None:
    it = paper({} if session_of is None else {"_user_id": session_of})
    it.request.cookies = {} if cookie_of is None else it.token(cookie_of)
    assert login.login_remembered(it) is (cookie_of is not None and session_of != 8)
    assert it.session.accessed  # the answer depends on it


def test_junk_remembers_nobody_and_is_not_judged_by_the_question() -> None:
    it = paper(cookies={COOKIE: "1|é"})
    assert login.login_remembered(it) is False
    assert it.identity.remember is None and it.identity.news is None


def test_after_a_logout_nobody_is_remembered() -> None:
    it = logged_in(ALICE, remember=True)
    assert login.login_remembered(it)
    log_out(it)
    assert not login.login_remembered(it)


# --- what is left of a login before --------------------------------------------------------------


def test_who_logs_in_again_keeps_the_own_cookie_that_did_not_come() -> None:
    """The cookie's path may keep it from the page of the login."""
    again, other = logged_in(ALICE, remember=True), logged_in(ALICE, remember=True)
    again.request.cookies.clear()
    log_in(again, ALICE)
    assert again.identity.remember is None
    other.request.cookies.clear()
    log_in(other, BOB)
    assert other.identity.remember is DELETE


def test_a_stranger_who_confirms_gets_no_new_session() -> None:
    it = paper({"cart": [1]})
    renewed = renewing(it)
    step(login.confirm_login(it))
    assert renewed == [] and it.session == {"cart": [1]}


@pytest.mark.parametrize(("session", "renews"), [({}, 0), ({"cart": [1]}, 1)])
def test_a_logout_beside_a_header_renews_what_there_is(session: Any, renews: int) -> None:
    it = paper(session, config={"LOGIN_KEEP_SESSION_KEYS": ["cart"]})
    renewed = renewing(it)
    it.bind(ALICE)
    it.identity.by_header = it.identity.by_request = True
    log_out(it)
    assert len(renewed) == renews


def test_a_logout_of_nobody_renews_the_session_all_the_same() -> None:
    it = paper()
    renewed = renewing(it)
    log_out(it)
    assert renewed == [{}]


def test_a_cookie_of_a_login_session_is_nothing_where_these_are_not_kept() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE, remember=True)
    it.it.manager.sessions = None
    assert not login.login_remembered(it.request())


def test_a_confirmation_says_that_the_store_failed() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE)
    it.store.fail_at(0)
    with pytest.raises(StoreUnavailable):
        it.do(login.confirm_login)


def test_a_logout_ends_the_login_of_the_same_request() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE)
    request = it.request()
    request.who()
    log_in(request, BOB)
    assert request.identity.login_session == it.store.one()
    log_out(request)
    assert it.store.logins() == []


def test_with_a_store_a_login_deletes_the_cookie_that_a_logout_deleted() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE, remember=True)
    request = it.request()
    request.request.cookies.clear()
    log_out(request)
    assert request.identity.remember is DELETE
    log_in(request, ALICE)
    assert request.identity.remember is DELETE


def test_with_a_store_a_login_deletes_another_s_cookie_that_did_not_come() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE, remember=True)
    request = it.request()
    request.request.cookies.clear()
    log_in(request, BOB)
    assert request.identity.remember is DELETE
    stranger = it.another().request()
    log_in(stranger, BOB)
    assert stranger.identity.remember is None


def test_who_asks_why_has_asked() -> None:
    it = paper()
    login.login_decision(it)
    assert it.identity.asked


def test_a_logout_renews_a_session_that_another_s_login_is_hidden_in() -> None:
    it = paper()
    renewed = renewing(it)
    it.bind(ALICE)
    it.identity.by_header = it.identity.by_request = True
    it.identity.hidden = {"_user_id": 8}
    log_out(it)
    assert renewed == [{}]


def test_who_came_by_the_request_is_not_fresh_by_the_session() -> None:
    it = logged_in(ALICE)
    it.bind(ALICE)
    assert login.login_fresh(it)
    it.identity.by_request = True
    assert not login.login_fresh(it)


def test_who_came_by_the_request_may_confirm_where_there_is_a_store() -> None:
    it = Browser(users=USERS)
    it.it.manager.request_loader(lambda request: ALICE)
    request = it.request()
    step(login.confirm_login(request))
    assert request.identity.user is ALICE and request.reasons() == []


def test_a_remember_cookie_is_good_for_the_login_that_it_is_of() -> None:
    it = Browser(users=USERS)
    it.log_in(ALICE, remember=True)
    other = it.another()
    other.log_in(ALICE, remember=True)
    assert login.login_remembered(it.request())
    it.close()
    unseen = it.request()
    assert login.login_remembered(unseen)
    loaded = it.request()
    loaded.who()
    assert login.login_remembered(loaded)
    loaded.identity.login_session = None
    assert not login.login_remembered(loaded)
    [mine] = [one for one in it.store.logins() if one.id not in str(other.session)]
    [others] = [one for one in it.store.logins() if one.id in str(other.session)]
    loaded.identity.login_session = mine
    assert login.login_remembered(loaded)
    loaded.identity.login_session = others
    assert not login.login_remembered(loaded)
