"""Will a browser keep this cookie, guard it, and give it up when it is told to?"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from core.applications import App, manager_of

from quart_login._core.realms import managers_of
from quart_login._core.set_cookies import (
    families_of,
    mismatch,
    names_of,
    objections,
    parse,
)

SAFE = "Path=/; Secure; HttpOnly; SameSite=Lax"
FAMILIES = {"session": "SESSION_COOKIE", "remember": "REMEMBER_COOKIE"}


def said(line: str, *names: str) -> str:
    return " ".join(objections(parse(line), FAMILIES, {"theme"}, names))


@pytest.mark.parametrize(
    "line",
    [
        f"session=x; {SAFE}",
        f"__Host-session=x; {SAFE}",
        f"__Secure-session=x; Domain=a.example; {SAFE}",
        f"session=x; {SAFE}; Partitioned",
        "session=x; Path=/; Secure; HttpOnly; SameSite=None",
        "theme=dark; secure; samesite=strict",
        "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
        "session=; Max-Age=0",
    ],
)
def test_a_cookie_as_it_should_be_meets_no_objection(line: str) -> None:
    assert said(line, "alice") == ""


@pytest.mark.parametrize(
    ("line", "objection"),
    [
        ("flavour=x; HttpOnly; SameSite=Lax", "Say set_cookie(..., secure=True)."),
        ("session=x; HttpOnly; SameSite=Lax", "or SESSION_COOKIE_SECURE = True."),
        ("flavour=x; Secure; SameSite=Lax", "name it in login_audit_scripts."),
        ("session=x; Secure; SameSite=Lax", "scripts read it. Set SESSION_COOKIE_HTTPONLY = True."),
        ("flavour=x; Secure; HttpOnly", "Say set_cookie(..., samesite='Lax')."),
        ("remember=x; Secure; HttpOnly", "or REMEMBER_COOKIE_SAMESITE = 'Lax'."),
        ("__Secure-a=; Max-Age=0", "by its name it is Secure"),
        ("__Http-a=; Max-Age=0; Secure", "by its name it is HttpOnly"),
        ("__Host-a=; Max-Age=0; Secure", "by its name it has Path=/ and no Domain"),
        ("__host-a=; Max-Age=0; Secure; Path=/; Domain=a.example", "no Domain"),
        ("a=; Max-Age=0; SameSite=None", "SameSite=None needs Secure"),
        ("a=; Max-Age=0; Partitioned", "Partitioned needs Secure"),
        (f"a={'x' * 4096}; {SAFE}", "it takes over 4096 bytes"),
        (f"a=alice; {SAFE}", "Its value names the user"),
        (f"a=to:alice%40a.example; {SAFE}", "Its value names the user"),
        (f"remember=alice|1; {SAFE}", "Set REMEMBER_COOKIE_FORMAT = 'quart-login'."),
    ],
)
def test_what_is_wrong_with_a_cookie_is_told(line: str, objection: str) -> None:
    assert objection in said(line, "alice", "alice@a.example")


def test_a_name_within_a_word_names_nobody() -> None:
    assert said(f"a=malice; {SAFE}", "alice") == ""


def test_a_cookie_shows_its_value_to_nobody() -> None:
    assert "secret" not in repr(parse("session=secret; Path=/"))


@pytest.mark.parametrize(
    ("set_", "deleted", "wrong"),
    [
        (SAFE, "Path=/; Secure; SameSite=lax", None),
        (SAFE, "Path=/a; Secure; SameSite=Lax", "path"),
        (SAFE + "; Domain=a.example", SAFE, "domain"),
        ("Path=/; Secure; SameSite=None", "Path=/", "samesite, secure"),
    ],
)
def test_a_cookie_is_deleted_as_it_was_set(set_: str, deleted: str, wrong: str | None) -> None:
    found = mismatch(parse(f"a=x; {set_}; Max-Age=60"), parse(f"a=; {deleted}; Max-Age=0"))
    assert found is None if wrong is None else f"with another {wrong} than" in (found or "")


def test_the_names_of_login_cookies_are_those_of_all_realms() -> None:
    app = App()
    app.config["REMEMBER_COOKIE_NAME"] = "r"
    manager_of(app)
    manager_of(app, "staff")
    assert families_of(app, managers_of(app).values()) == {
        "session": "SESSION_COOKIE",
        "r": "REMEMBER_COOKIE",
        "staff_remember_token": "STAFF_REMEMBER_COOKIE",
    }


def test_what_names_a_user_is_long_enough_to_tell() -> None:
    user = SimpleNamespace(email="a@b.example", name="Al", username=None)
    assert names_of(user, "alice") == ["a@b.example", "alice"]
    assert names_of(user, 123456) == ["a@b.example"]


def test_four_letters_tell_and_three_do_not() -> None:
    assert names_of(SimpleNamespace(), "anne") == ["anne"]
    assert names_of(SimpleNamespace(), "ann") == []


def test_a_cookie_may_have_so_many_bytes() -> None:
    for size, wrong in ((4096, False), (4097, True)):
        line = f"session={'x' * (size - len('session'))}; {SAFE}"
        assert ("4096 bytes" in said(line)) is wrong


def test_the_session_s_cookie_has_the_name_that_is_set() -> None:
    app = App()
    app.config["SESSION_COOKIE_NAME"] = "mine"
    assert families_of(app, []) == {"mine": "SESSION_COOKIE"}


@pytest.mark.parametrize("name", ["email", "mail", "username", "user_name", "login", "name"])
def test_whatever_usually_names_a_user_does(name: str) -> None:
    assert names_of(SimpleNamespace(**{name: "alice"}), 7) == ["alice"]


@pytest.mark.parametrize("name", ["session", "flavour"])
def test_the_form_of_the_remember_cookie_mends_no_other(name: str) -> None:
    assert said(f"{name}=alice; {SAFE}", "alice").endswith("the name on the server.")
