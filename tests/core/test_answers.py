"""What does an application's answer tell, and of whom?"""

from __future__ import annotations

from typing import Any

import pytest

from quart_login._core.answers import (
    LOGGED_IN,
    REFUSED,
    Answer,
    brings_login,
    is_refusal,
    keeps_out,
    sends_away,
    shows_the_same,
    tells_apart,
    unmarked,
)


def answer(status: int = 200, body: str | None = "", **fields: Any) -> Answer:
    headers = [(name.replace("_", "-"), value) for name, value in fields.pop("headers", {}).items()]
    return Answer(status, headers, None if body is None else body.encode(), **fields)


def page(body: str) -> Answer:
    return answer(body=body)


# --- was a stranger refused? ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (answer(401), True),
        (answer(403), True),
        (answer(200, told=frozenset({REFUSED})), True),
        (answer(302, headers={"Location": "/login"}), False),
        (answer(404), False),
        (answer(500, error=RuntimeError(), told=frozenset({REFUSED})), False),
    ],
)
def test_a_refusal_is_said_or_seen(given: Answer, refused: bool) -> None:
    assert is_refusal(given) is refused


def test_a_redirect_that_users_do_not_get_sends_away() -> None:
    to_login = answer(302, headers={"Location": "/login"})
    assert sends_away(to_login, None)
    assert sends_away(to_login, page("hello"))
    assert not sends_away(to_login, to_login)
    assert not sends_away(page("hello"), None)
    assert not sends_away(answer(302), None)
    assert not sends_away(answer(302, headers={"Location": "/"}, error=RuntimeError()), None)


def test_what_a_user_gets_is_no_refusal_whatever_was_told() -> None:
    assert shows_the_same(page("secret"), page("secret"))
    assert not shows_the_same(page("log in"), page("secret"))
    assert not shows_the_same(page(""), page(""))
    assert not shows_the_same(page("secret"), None)
    assert not shows_the_same(answer(201, body="secret"), page("secret"))
    for status in (199, 300, 401):
        assert not shows_the_same(answer(status, body="no"), answer(status, body="no"))


def test_an_answer_says_what_it_is() -> None:
    assert str(answer(302, headers={"Location": "/login"})) == "status 302 to /login"
    assert str(answer(500, error=KeyError("secret"))) == "KeyError"
    assert [one.is_failure for one in (answer(500), answer(404))] == [True, False]
    assert "secret" not in repr(answer(500, error=KeyError("secret")))


# --- does a page depend on its visitor? ----------------------------------------------------------


def test_what_is_in_both_answers_to_one_and_in_none_to_another_tells_apart() -> None:
    assert tells_apart([page("hello alice")] * 2, [page("hello")] * 2)
    assert tells_apart([page("hello")] * 2, [page("hello alice")] * 2)
    assert tells_apart([page("in")] * 2, [answer(302, headers={"Location": "/"})] * 2)
    assert tells_apart([page("a b")] * 2, [page("b a")] * 2)


def test_what_changes_each_time_tells_nothing() -> None:
    assert not tells_apart([page("at 1"), page("at 3")], [page("at 2"), page("at 4")])
    # A clock that moves on between two visits.
    assert not tells_apart([page("at 1"), page("at 2")], [page("at 2"), page("at 2")])
    assert tells_apart([page("alice 1"), page("alice 3")], [page("bob 2"), page("bob 4")])


def test_a_stream_is_told_by_its_headers() -> None:
    assert not tells_apart([answer(body=None)] * 2, [answer(body=None)] * 2)
    assert tells_apart([answer(body=None)] * 2, [answer(401, body=None)] * 2)


def under(**headers: str) -> Answer:
    return answer(headers=headers)


@pytest.mark.parametrize("name", ["X_User", "ETag", "Content_Disposition", "Link", "Content_Type"])
def test_a_header_tells_apart(name: str) -> None:
    for_alice, for_all = under(**{name: "alice"}), under(**{name: "somebody"})
    assert tells_apart([for_alice] * 2, [for_all] * 2)
    assert tells_apart([for_alice] * 2, [under()] * 2)
    # A name is the same however it is written.
    assert not tells_apart([for_alice] * 2, [under(**{name.lower(): "alice"})] * 2)


@pytest.mark.parametrize(
    "name",
    ["Date", "Age", "Expires", "Cache_Control", "Vary", "Set_Cookie", "Pragma", "Connection"],
)
def test_what_says_how_to_cache_is_not_what_is_cached(name: str) -> None:
    assert not tells_apart([under(**{name: "x"})] * 2, [under(**{name: "y"})] * 2)
    assert not tells_apart([under(**{name: "x"})] * 2, [under()] * 2)


def test_a_header_that_changes_each_time_tells_nothing() -> None:
    ours, theirs = ([under(X_Request=one) for one in pair] for pair in (("1", "3"), ("2", "4")))
    assert not tells_apart(ours, theirs)


def test_a_space_more_tells_apart_by_its_length() -> None:
    ours, theirs = answer(headers={"Content_Length": "3"}), answer(headers={"Content_Length": "4"})
    assert tells_apart([ours] * 2, [theirs] * 2)


# --- marks for caches ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "private", "missing"),
    [
        ({"Vary": "Cookie", "Cache_Control": "private"}, True, None),
        ({"Vary": "Accept, cookie", "Cache_Control": "no-store"}, True, None),
        ({"Vary": "*"}, False, None),
        ({"Vary": "Accept"}, False, "Vary: Cookie"),
        ({"Vary": "Cookie"}, True, "Cache-Control: private"),
        (
            {"Vary": "Cookie", "Cache_Control": "private, s-maxage=60"},
            True,
            "Cache-Control: private",
        ),
        ({}, True, "Vary: Cookie and Cache-Control: private"),
    ],
)
def test_missing_marks_are_told(
    headers: dict[str, str], private: bool, missing: str | None
) -> None:
    assert unmarked(answer(headers=headers), private) == missing


def test_what_is_not_stored_is_kept_out_whatever_else_is_said() -> None:
    assert keeps_out(answer(headers={"Cache_Control": "public, no-store"}))
    assert not keeps_out(answer(headers={"Cache_Control": "public, private"}))


def test_a_login_comes_by_its_cookies() -> None:
    cookies = {"session"}
    sets = answer(headers={"Set_Cookie": "session=x; Path=/"})
    deletes = answer(headers={"Set_Cookie": "session=; Max-Age=0"})
    other = answer(headers={"Set_Cookie": "theme=dark"})
    assert [brings_login(one, cookies, True) for one in (sets, deletes, other)] == [
        True,
        False,
        False,
    ]
    assert not brings_login(sets, cookies, False)  # A stranger's session is nobody's.
    given = answer(headers={"Set_Cookie": "session=x"}, told=frozenset({LOGGED_IN}))
    assert brings_login(given, cookies, False)


@pytest.mark.parametrize(
    ("status", "is_it"), [(299, False), (300, True), (399, True), (400, False)]
)
def test_a_redirect_has_its_statuses_and_a_place(status: int, is_it: bool) -> None:
    assert answer(status, headers={"Location": "/"}).is_redirect is is_it
    assert not answer(status).is_redirect


def test_a_failure_is_one_of_the_server_s() -> None:
    assert answer(500).is_failure and not answer(499).is_failure
    assert answer(error=LookupError()).is_failure


def test_what_is_in_the_answers_to_the_other_alone_tells_apart_too() -> None:
    ours = [page("1 x 2"), page("3 x 4")]
    theirs = [page("5 x secret 6"), page("7 x secret 8")]
    assert tells_apart(ours, theirs) and tells_apart(theirs, ours)


def test_who_asks_too_much_is_limited() -> None:
    assert [answer(status).is_limited for status in (428, 429, 430)] == [False, True, False]


def test_a_redirect_elsewhere_than_a_user_s_sends_away() -> None:
    to_login, home = (answer(302, headers={"Location": to}) for to in ("/login", "/home"))
    assert sends_away(to_login, home)


@pytest.mark.parametrize("pair", [("a!! b", "a!! b!"), ("b !!b", "!b !!b"), ("", "!")])
def test_a_sign_at_the_beginning_or_the_end_tells_apart(pair: tuple[str, str]) -> None:
    ours, theirs = ([page(body)] * 2 for body in pair)
    assert tells_apart(ours, theirs)
