"""What do loaders decide, and what do those that fail?"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from core.loading import ALICE, BOB, LOCKED, asked_by_request, paper, raises, session_of
from core.paper import COOKIE, KEY, Manager, Paper, User, about

from quart_login._core import load, signals
from quart_login._core.login import login_user
from quart_login._core.remember import DELETE
from quart_login._core.step import step
from quart_login._core.tokens import encode_legacy
from quart_login._core.users import epoch_of

# --- what the loader does ------------------------------------------------------------------------


@pytest.mark.parametrize("by_cookie", [False, True])
@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "user_gone"),
        (User(7, is_anonymous=True), "user_gone"),
        (BOB, "user_mismatch"),
        (User(7, active=False), "user_inactive"),
        (User(7, active=lambda: True), "not_a_user"),
        (User(None), "user_mismatch"),
        (7, "not_a_user"),
        ("alice", "not_a_user"),
        ({"id": 7}, "not_a_user"),
        (object(), "not_a_user"),
    ],
)
def test_whoever_else_the_loader_returns_is_nobody(
    found: Any, reason: str, by_cookie: bool
) -> None:
    it = paper({} if by_cookie else session_of(ALICE), users=lambda key: found)
    it.request.cookies = it.token(7)
    assert it.who() is None
    assert it.identity.error is None
    assert it.session == {}
    assert it.identity.remember is DELETE
    assert it.reasons() == [reason]
    assert ("identity-mismatch" in it.names()) is (reason == "user_mismatch")
    assert "loaded-from-cookie" not in it.names()


class Broken(User):
    """A user whose *part* raises or is no flag."""

    def __init__(self, part: str) -> None:
        super().__init__(7)
        self.part = part

    @property
    def is_authenticated(self) -> Any:
        return (lambda: True) if self.part == "is_authenticated" else True

    def get_id(self) -> Any:
        if self.part == "get_id":
            raise NotImplementedError
        return 7


@pytest.mark.parametrize("part", ["get_id", "is_authenticated"])
def test_a_user_of_whom_a_part_is_missing_is_none(part: str) -> None:
    it = paper(session_of(ALICE), users=lambda key: Broken(part))
    assert it.who() is None
    assert it.reasons() == ["not_a_user"]


def test_a_user_whose_id_cannot_be_kept_does_not_come_back_by_cookie() -> None:
    class Text(str):
        pass

    it = paper(cookies={COOKIE: encode_legacy("7", KEY)}, users=lambda key: User(Text("7")))
    it.manager.request_loader(lambda request: None)
    it.who()
    assert it.identity.user is None
    assert "_user_id" not in it.session
    assert "loaded-from-cookie" not in it.names()


def test_a_user_who_became_inactive_is_out_unless_logged_in_by_force() -> None:
    assert paper(session_of(LOCKED)).who() is None
    it = paper(session_of(LOCKED, _login_record=about(9, forced=True)))
    assert it.who() is LOCKED
    assert it.identity.forced and load.authenticated(it)


def test_another_users_mark_of_force_does_not_count() -> None:
    assert paper(session_of(LOCKED, _login_record=about(8, forced=True))).who() is None


def test_a_forced_login_is_a_plain_one_while_the_user_is_active() -> None:
    it = paper(session_of(ALICE, _login_record=about(7, forced=True)))
    assert it.who() is ALICE and not it.identity.forced


def test_a_mark_of_force_that_flask_login_left_at_logout_is_not_the_cookies() -> None:
    it = paper({"_login_record": about(9, forced=True)})
    it.request.cookies = it.token(9)
    assert it.who() is None
    assert it.reasons() == ["user_inactive"]


def test_no_cookie_logs_anybody_in_by_force() -> None:
    it = paper()
    it.request.cookies = it.token(9)
    assert it.who() is None
    assert it.reasons() == ["user_inactive"]


def test_a_changed_epoch_ends_session_and_cookie() -> None:
    user = User(7, session_epoch=1)
    login = about(7, epoch=epoch_of(user))
    it = paper(session_of(user, _login_record=login), users=lambda key: user)
    remembered = it.token(7, epoch=epoch_of(user))
    assert it.who() is user
    user.session_epoch = 2
    for session, cookies in ((it.session, {}), ({}, remembered)):
        later = paper(session, cookies=cookies, users=lambda key: user)
        assert later.who() is None
        assert later.reasons() == ["epoch_changed"]


def test_a_user_who_offers_an_epoch_no_more_has_another_one() -> None:
    it = paper(session_of(ALICE, _login_record=about(7, epoch="x")))
    assert it.who() is None
    assert it.reasons() == ["epoch_changed"]


@pytest.mark.parametrize("forced", [True, False])
def test_a_changed_epoch_ends_a_forced_login_too(forced: bool) -> None:
    user = User(9, active=not forced, session_epoch=2)
    login = about(9, epoch="x", forced=forced)
    it = paper(session_of(user, _login_record=login), users=lambda key: user)
    assert it.who() is None
    assert it.reasons() == ["epoch_changed"]


def test_the_cookies_epoch_counts_only_where_the_cookie_speaks() -> None:
    user = User(7, session_epoch=1)
    login = about(7, epoch=epoch_of(user))
    it = paper(session_of(user, _login_record=login), users=lambda key: user)
    it.request.cookies = it.token(7, epoch="x" * 32)
    assert it.who() is user


def test_a_login_from_before_there_were_epochs_counts() -> None:
    user = User(7, session_epoch=1)
    assert paper(session_of(user), users=lambda key: user).who() is user


def test_the_loaders_exception_is_kept_and_nobody_is_logged_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ConnectionError("the database is down")
    it = paper(session_of(ALICE), users=raises(error))
    it.request.cookies = it.token(7)
    asked = asked_by_request(it, BOB)
    assert it.who() is None
    assert it.identity.error is error and it.identity.loaded
    assert asked == []
    assert it.session == session_of(ALICE)  # a failure of ours ends nobody's login
    assert it.identity.remember is None
    assert it.reasons() == ["loader_failed"]
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.name == "quart_login" and record.exc_info and record.exc_info[1] is error


def test_a_loader_may_look_at_the_user_who_is_nobody_yet() -> None:
    seen: list[Any] = []

    def loader(key: Any) -> Any:
        assert load.is_loading(it.identity)
        seen.append(it.who())
        return ALICE

    it = paper(session_of(ALICE), users=loader)
    assert it.who() is ALICE
    assert seen == [None]
    assert not load.is_loading(it.identity)
    assert it.names() == ["accessed"]


def test_one_request_may_be_loaded_within_anothers_loader() -> None:
    other = paper(session_of(BOB))

    def loader(key: Any) -> Any:
        assert not load.is_loading(other.identity)
        assert other.who() is BOB
        assert load.is_loading(it.identity)
        return ALICE

    it = paper(session_of(ALICE), users=loader)
    assert it.who() is ALICE


def test_after_a_failure_nobody_is_being_loaded() -> None:
    it = paper(session_of(ALICE), users=raises(ValueError()))
    it.who()
    assert not load.is_loading(it.identity)


@pytest.mark.parametrize("ends", ["finds", "finds nobody", "fails"])
def test_a_login_while_the_user_is_loaded_stands(ends: str) -> None:
    def meanwhile(key: Any) -> Any:
        step(login_user(it, BOB))
        if ends == "fails":
            raise ValueError
        return ALICE if ends == "finds" else None

    it = paper(session_of(ALICE, cart=[1]), users=meanwhile)
    asked_by_request(it, ALICE)
    assert it.who() is BOB
    assert it.session["_user_id"] == 8 and it.identity.error is None
    assert it.reasons() == []
    it = paper()
    it.manager.request_loader(meanwhile)
    assert it.who() is BOB
    assert it.session["_user_id"] == 8 and it.identity.error is None
    assert "loaded-from-request" not in it.names()


def test_loaders_are_called_by_the_verb_that_may_end_them() -> None:
    called: list[Any] = []

    class Limited(Paper):
        async def call_loader(self, fn: Any, *args: Any) -> Any:
            called.append(args)
            return await super().call_loader(fn, *args)

    it = Limited(session_of(ALICE), users={})
    it.manager.request_loader(lambda request: BOB)
    assert it.who() is BOB
    assert called == [(7,), (it.request,)]


def test_what_is_no_exception_but_an_exit_is_not_kept() -> None:
    it = paper(session_of(ALICE), users=raises(KeyboardInterrupt()))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        it.who()
    assert not it.identity.loaded


def test_a_request_loaders_exception_is_kept_as_well() -> None:
    it = paper()
    it.manager.request_loader(raises(ValueError("no token")))
    assert it.who() is None
    assert isinstance(it.identity.error, ValueError)
    assert it.reasons() == ["loader_failed"]


# --- the request loader --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        (None, []),
        (User(7, is_anonymous=True), []),
        (LOCKED, ["user_inactive"]),
        ("alice", ["not_a_user"]),
    ],
)
def test_a_request_loader_that_finds_no_user_finds_nobody(found: Any, reasons: list[str]) -> None:
    it = paper()
    asked_by_request(it, found)
    assert it.who() is None
    assert it.identity.loaded
    assert it.reasons() == reasons
    assert "loaded-from-request" not in it.names()


def test_request_loaders_are_asked_until_one_finds_a_user() -> None:
    it = paper()
    asked: list[str] = []

    class Two(Manager):
        def request_loaders(self, exchange: Any) -> Any:
            finds = {"first": None, "second": BOB, "third": ALICE}
            return [
                (lambda name: asked.append(name) or finds[name], name, signals.user_logged_in)
                for name in finds
            ]

    it.manager = Two()
    it.manager.request_loader(lambda request: None)
    assert it.who() is BOB
    assert asked == ["first", "second"]
    assert it.told[-1] == ("logged-in", {"user": BOB})


def test_a_user_who_came_by_the_request_is_not_forced() -> None:
    it = paper()
    it.identity.forced = True
    asked_by_request(it, BOB)
    it.who()
    assert not it.identity.forced
