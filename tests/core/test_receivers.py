"""What is left of a login whose receiver raises?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import Paper, User

from quart_login._core import load, login, opening
from quart_login._core.reasons import Reason
from quart_login._core.step import step

ALICE, BOB = User(7), User(8)


def deaf(it: Paper, name: str) -> Paper:
    """Let the receivers of the signal *name* raise."""

    def fail(sent: str) -> None:
        if sent == name:
            raise OSError("the receiver is broken")

    it.hear = fail
    return it


def session_of(user: User, **fields: Any) -> dict[str, Any]:
    return opening.login_keys(Paper(), user.id, user, **fields)


@pytest.mark.parametrize("remember", [True, False])
def test_a_login_is_taken_back_whole(remember: bool) -> None:
    it = deaf(Paper({"cart": [1]}), "logged-in")
    with pytest.raises(OSError, match="broken"):
        step(login.login_user(it, ALICE, remember))
    assert it.session == {"cart": [1]} and it.identity.remember is None
    assert it.identity.user is None and it.identity.reason is Reason.RECEIVER_FAILED


def test_and_so_is_a_change_of_user() -> None:
    before = session_of(BOB, fresh=True)
    it = deaf(Paper({**before, "theme": "dark"}, users={8: BOB}), "logged-in")
    with pytest.raises(OSError, match="broken"):
        step(login.login_user(it, ALICE))
    assert it.session == {**before, "theme": "dark"} and it.identity.user is None
    assert it.again().who() is BOB


def test_a_login_is_taken_back_where_the_request_is_cancelled() -> None:
    it = Paper()

    def cancel(sent: str) -> None:
        raise KeyboardInterrupt

    it.hear = cancel
    with pytest.raises(KeyboardInterrupt):
        step(login.login_user(it, ALICE))
    assert it.session == {} and it.identity.user is None


def test_a_confirmed_login_stays_stale() -> None:
    before = session_of(ALICE)
    it = deaf(Paper(before, users={7: ALICE}), "login-confirmed")
    with pytest.raises(OSError, match="broken"):
        step(login.confirm_login(it))
    assert it.session == before and it.identity.user is None
    later = it.again()
    assert later.who() is ALICE and not login.login_fresh(later)


def test_a_visitor_s_session_is_not_written_for_nothing() -> None:
    it = deaf(Paper({"cart": [1]}, users={}), "login-confirmed")
    with pytest.raises(OSError, match="broken"):
        step(login.confirm_login(it))
    assert not it.session.modified  # type: ignore[attr-defined]


@pytest.mark.parametrize("websocket", [True, False])
def test_a_remember_cookie_is_asked_again_next_time(websocket: bool) -> None:
    it = deaf(Paper(users={7: ALICE}, websocket=websocket), "loaded-from-cookie")
    it.request.cookies = it.token(7)
    assert it.who() is None
    assert it.session == {} and it.identity.remember is None
    assert isinstance(it.identity.error, OSError)
    assert not it.answer().headers.getlist("Set-Cookie")
    assert it.again().who() is ALICE


def test_a_session_goes_on_and_is_nobody_s_in_this_request() -> None:
    before = session_of(ALICE)
    it = deaf(Paper(before, users={7: ALICE}, remote_addr="10.0.0.1"), "session-protected")
    assert it.who() is None and it.session == before


def test_a_request_that_is_cancelled_while_it_tells_has_no_user() -> None:
    it = Paper(session_of(ALICE), cookies={"remember_token": "1|é"}, users={7: ALICE})
    it.hear = cancel
    with pytest.raises(KeyboardInterrupt):
        it.who()
    assert it.identity.user is None and it.identity.reason is Reason.RECEIVER_FAILED


def cancel(sent: str) -> None:
    if sent == "credential-rejected":
        raise KeyboardInterrupt


def test_the_other_receivers_hear_of_the_rest() -> None:
    it = deaf(Paper(users={}, cookies={"remember_token": "junk"}), "credential-rejected")
    it.manager.request_loader(lambda request: ALICE)
    assert it.who() is None
    assert it.names() == ["accessed", "credential-rejected", "loaded-from-request"]
    assert not load.authenticated(it)
