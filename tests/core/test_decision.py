"""Why is this request anonymous, or how did its user come?"""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Paper, User
from itsdangerous import URLSafeTimedSerializer

from quart_login._core import load, login, opening
from quart_login._core.decision import SOURCES, LoginDecision
from quart_login._core.login import login_decision
from quart_login._core.reasons import Reason
from quart_login._core.step import step

ALICE = User(7)


def loaded(it: Paper) -> LoginDecision:
    step(load.load(it))
    return login_decision(it)


def session_of(user: User, **fields: Any) -> dict[str, Any]:
    return opening.login_keys(Paper(), user.id, user, **fields)


def test_a_request_that_brings_nothing() -> None:
    assert loaded(Paper(users={})) == LoginDecision(False, reason=Reason.NO_CREDENTIAL)


def test_it_loads_nobody_and_says_so() -> None:
    it = Paper(session_of(ALICE), users={7: ALICE})
    assert login_decision(it) == LoginDecision(False, reason=Reason.NOT_LOADED)
    assert not it.identity.loaded


def test_the_response_depends_on_it() -> None:
    it = Paper()
    login_decision(it)
    assert it.session.accessed  # type: ignore[attr-defined]


@pytest.mark.parametrize("fresh", [True, False])
def test_an_ordinary_session(fresh: bool) -> None:
    it = Paper(session_of(ALICE, fresh=fresh), users={7: ALICE})
    assert loaded(it) == LoginDecision(True, "session", fresh=fresh)
    assert "source" not in vars(it.identity) and "reason" not in vars(it.identity)


def test_a_remember_cookie() -> None:
    it = Paper(users={7: ALICE})
    it.request.cookies = it.token(7)
    assert loaded(it) == LoginDecision(True, "remember_cookie")


def test_a_request_loader() -> None:
    it = Paper()
    it.manager.request_loader(lambda request: ALICE)
    assert loaded(it) == LoginDecision(True, "request_loader")


def test_a_login_in_this_request_whatever_was_refused_before() -> None:
    it = Paper(cookies={"remember_token": "junk"}, users={7: ALICE})
    assert loaded(it).reason is Reason.MALFORMED
    step(login.login_user(it, ALICE))
    assert login_decision(it) == LoginDecision(True, "login", fresh=True)
    step(login.logout_user(it))
    assert login_decision(it) == LoginDecision(False, reason=Reason.LOGGED_OUT)


def test_of_two_refusals_the_session_s_is_told() -> None:
    it = Paper({"_user_id": 7, "_fresh": True}, config={"LOGIN_AUDIENCE": "shop"}, users={})
    it.request.cookies = {"remember_token": "junk"}
    assert loaded(it).reason is Reason.OTHER_AUDIENCE
    assert it.identity.news is not None and len(it.identity.news) == 2


def test_a_refused_cookie_beside_a_good_session_is_not_the_reason_of_anything() -> None:
    it = Paper(session_of(ALICE), cookies={"remember_token": "junk"}, users={7: ALICE})
    assert loaded(it) == LoginDecision(True, "session")


def test_a_receiver_that_raises_is_a_reason() -> None:
    it = Paper(users={7: ALICE})
    it.request.cookies = it.token(7)

    def raises(name: str) -> None:
        raise ValueError(name)

    it.hear = raises
    step(load.load(it))
    step(load.announce(it))
    assert login_decision(it) == LoginDecision(False, reason=Reason.RECEIVER_FAILED)


def test_nothing_of_the_user_shows() -> None:
    it = Paper(session_of(User("alice@example.org")), users=lambda key: User(key))
    assert repr(loaded(it)) == (
        "LoginDecision(authenticated=True, source='session', reason=None, fresh=False)"
    )
    with pytest.raises(AttributeError):
        login_decision(it).reason = None  # type: ignore[misc]


def test_these_are_the_sources() -> None:
    assert SOURCES == (
        "session",
        "remember_cookie",
        "request_loader",
        "token",
        "password",
        "login",
    )


# --- the session cookie that the framework ignored -----------------------------------------------


def serializer(key: str = "the key") -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="session")


def with_cookie(cookie: str, make: Any = lambda app: serializer()) -> LoginDecision:
    it = Paper(users={}, cookies={"session": cookie})
    it.app.session_interface = SimpleNamespace(get_signing_serializer=make)
    it.app.permanent_session_lifetime = timedelta(days=31)
    return loaded(it)


def test_a_session_cookie_under_another_key() -> None:
    cookie = serializer("another key").dumps({"_user_id": 7})
    assert with_cookie(cookie).reason is Reason.BAD_SIGNATURE


def test_a_session_cookie_that_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = serializer().dumps({"_user_id": 7})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 32 * 24 * 60 * 60)
    assert with_cookie(cookie).reason is Reason.EXPIRED


@pytest.mark.parametrize("cookie", ["junk", "a.b.c", "é"])
def test_a_session_cookie_that_is_none(cookie: str) -> None:
    assert with_cookie(cookie).reason in (Reason.MALFORMED, Reason.BAD_SIGNATURE)


def test_a_session_cookie_whose_contents_cannot_be_read() -> None:
    text = serializer().make_signer("session").sign(b"!").decode()
    assert with_cookie(text).reason is Reason.MALFORMED


def test_a_session_cookie_that_is_good_holds_no_login() -> None:
    assert with_cookie(serializer().dumps({"cart": 1})).reason is Reason.NO_CREDENTIAL


def test_sessions_of_another_kind_are_not_asked() -> None:
    assert with_cookie("an id", lambda app: None).reason is Reason.NO_CREDENTIAL


def test_without_a_session_cookie_nothing_is_said_of_one() -> None:
    it = Paper(users={})

    def never(app: Any) -> Any:
        raise AssertionError("There is nothing to read.")

    it.app.session_interface.get_signing_serializer = never
    it.who()
    assert login_decision(it).reason is Reason.NO_CREDENTIAL


def test_where_nobody_can_read_it_nothing_is_said_of_a_session_cookie() -> None:
    it = Paper(users={}, cookies={"session": "something"})
    it.who()
    assert login_decision(it).reason is Reason.NO_CREDENTIAL
