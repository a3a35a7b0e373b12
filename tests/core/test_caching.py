"""May a cache show this response to somebody else?"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from core.paper import Paper, User
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from quart_login._core import login
from quart_login._core.caching import depends, mark, mark_stream, protect
from quart_login._core.remember import DELETE
from quart_login._core.step import step

ALICE = User(7)


def paper(session: Any = None, **options: Any) -> Paper:
    return Paper(session, **{"users": {7: ALICE}, **options})


def is_marked(it: Paper) -> bool:
    """Does the response of *it* depend on the user?"""
    return depends(it.identity, it.session, it.manager.keys, it.config)


# --- which responses -----------------------------------------------------------------------------


def test_a_response_depends_on_the_user_if_somebody_looked() -> None:
    for session in ({}, {"_user_id": 7}):
        it = paper(session)
        assert not is_marked(it)
        it.who()
        assert is_marked(it)


def test_a_response_depends_on_the_user_if_it_was_asked_whether_a_cookie_came() -> None:
    it = paper()
    login.login_remembered(it)
    assert is_marked(it)


def test_a_response_that_sets_or_deletes_the_remember_cookie_is_for_one_person() -> None:
    it = paper()
    it.identity.remember = DELETE
    assert is_marked(it)
    wishing = paper({"_remember": "clear"})
    assert not is_marked(wishing)
    wishing.answer()
    assert is_marked(wishing)


def test_a_response_that_brings_a_login_is_for_one_person() -> None:
    it = paper()
    step(login.login_user(it, ALICE))
    assert not it.identity.seen and is_marked(it)


@pytest.mark.parametrize(
    ("session", "refresh", "marked"),
    [
        ({"_user_id": 7, "_permanent": True}, True, True),
        ({"_user_id": 7, "_permanent": True}, False, False),
        ({"_user_id": 7, "_permanent": False}, True, False),
        ({"_user_id": 7}, True, False),
        ({"_permanent": True}, True, False),
    ],
)
def test_a_login_that_the_framework_sends_anew_is_for_one_person(
    session: Any, refresh: bool, marked: bool
) -> None:
    it = paper(session, config={"SESSION_REFRESH_EACH_REQUEST": refresh})
    assert is_marked(it) is marked


def test_a_session_without_a_login_is_no_concern_of_ours() -> None:
    it = paper()
    it.session["cart"] = [1]
    assert not is_marked(it)


def test_a_session_that_does_not_say_whether_it_changed_may_have() -> None:
    it = paper()
    assert depends(it.identity, {"_user_id": 7}, it.manager.keys, it.config)


# --- what they carry -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "vary"),
    [
        ([""], "Cookie"),
        ([], "Cookie"),
        (["Cookie"], "Cookie"),
        (["cookie"], "cookie"),
        (["Accept, COOKIE"], "Accept, COOKIE"),
        (["Accept"], "Accept, Cookie"),
        (["Accept", "Origin"], "Accept, Origin, Cookie"),
        (["X-Cookie"], "X-Cookie, Cookie"),
        (["*"], "*"),
    ],
)
def test_100_they_vary_with_the_cookie(said: list[str], vary: str) -> None:
    headers = Headers([("Content-Type", "text/html"), *(("Vary", value) for value in said)])
    for _ in range(2):
        assert protect(headers, False) is None
        assert ", ".join(headers.getlist("vary")) == vary
    assert "Cache-Control" not in headers


@pytest.mark.parametrize(
    ("said", "control", "taken"),
    [
        ([], "private", None),
        ([""], "private", None),
        (["private"], "private", None),
        (["Private"], "Private", None),
        (["no-store"], "no-store", None),
        (["no-store, max-age=0"], "no-store, max-age=0", None),
        (["max-age=60, private"], "max-age=60, private", None),
        (["max-age=60"], "max-age=60, private", None),
        (["no-cache"], "no-cache, private", None),
        (["max-age=60", "must-revalidate"], "max-age=60, must-revalidate, private", None),
        (["public, max-age=60"], "max-age=60, private", "public"),
        (["PUBLIC"], "private", "PUBLIC"),
        (["s-maxage=60, max-age=5"], "max-age=5, private", "s-maxage=60"),
        (["public", "S-MaxAge = 60"], "private", "public, S-MaxAge = 60"),
        (["private, s-maxage=60"], "private", "s-maxage=60"),
        (["public, no-store"], "no-store", "public"),
        # With names of fields it is about those alone.
        (['private="Set-Cookie, X"'], 'private="Set-Cookie, X", private', None),
        (['no-cache="Set-Cookie"'], 'no-cache="Set-Cookie", private', None),
        (['x="public", max-age=1'], 'x="public", max-age=1, private', None),
        (["publicity"], "publicity, private", None),
    ],
)
def test_101_they_are_kept_out_of_shared_caches(
    said: list[str], control: str, taken: str | None
) -> None:
    headers = Headers([("Cache-Control", value) for value in said])
    assert protect(headers, True) == taken
    assert ", ".join(headers.getlist("Cache-Control")) == control
    assert protect(headers, True) is None
    assert ", ".join(headers.getlist("Cache-Control")) == control
    assert headers["Vary"] == "Cookie"


def test_101_what_the_view_said_stays_where_the_setting_is_off() -> None:
    headers = Headers({"Cache-Control": "public, max-age=60"})
    assert protect(headers, False) is None
    assert headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(
    ("debug", "control", "warned"),
    [(True, "public, s-maxage=5", True), (False, "public", False), (True, "max-age=5", False)],
)
def test_a_developer_is_told_of_what_was_taken_back(
    debug: bool, control: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "quart_login")
    mark(Response(headers={"Cache-Control": control}), True, debug)
    assert [control in record.getMessage() for record in caplog.records] == [True] * warned


def test_a_stream_that_may_yet_look_says_so_unless_the_view_decided() -> None:
    silent, decided = Response(), Response(headers={"Cache-Control": "public"})
    for response in (silent, decided):
        mark_stream(response, True)
        assert response.headers["Vary"] == "Cookie"
    assert silent.headers["Cache-Control"] == "private"
    assert decided.headers["Cache-Control"] == "public"
    off = Response()
    mark_stream(off, False)
    assert "Cache-Control" not in off.headers


def test_a_response_to_a_user_that_only_changes_the_remember_cookie_is_for_one_person() -> None:
    it = paper({"_user_id": 7})
    assert not is_marked(it)
    it.identity.remember = DELETE
    assert is_marked(it)


def test_a_response_to_a_user_depends_on_whether_a_cookie_came() -> None:
    it = paper({"_user_id": 7})
    login.login_remembered(it)
    assert is_marked(it)


def test_nothing_is_logged_of_what_was_taken_back_unless_that_is_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = Response(headers={"Cache-Control": "public"})
    mark(response, True)
    assert response.headers["Cache-Control"] == "private" and caplog.records == []
