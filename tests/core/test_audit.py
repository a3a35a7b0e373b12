"""Is this application's configuration fit to be deployed?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Manager
from core.test_cookies import FRAMEWORK

from quart_login._core import settings
from quart_login._core.audit import Finding, State, audit
from quart_login._core.cookies import secure
from quart_login._core.errors import ConfigurationError
from quart_login._core.settings import reader

KEY = "0123456789abcdef0123456789abcdef"

#: A configuration with nothing to mend.
GOOD: dict[str, Any] = {
    **FRAMEWORK,
    "SECRET_KEY": KEY,
    "LOGIN_SECURE_COOKIES": True,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=1),
    "REMEMBER_COOKIE_DURATION": timedelta(days=30),
    "LOGIN_AUDIENCE": "shop",
    "REMEMBER_COOKIE_LEGACY_UNTIL": "2026-01-01",
    "LOGIN_CLEAR_SITE_DATA": ["cache"],
}


class Stateless:
    """A session interface that keeps the session in the cookie."""

    def get_signing_serializer(self, app: Any) -> None: ...


def findings(
    config: dict[str, Any] | None = None, *, realm: str | None = None, **app: Any
) -> list[Finding]:
    """Return what is said of an application with *config* over a good one."""
    whole = {**GOOD, **(config or {})}
    try:
        secure(whole, reader(whole))
    except ConfigurationError:
        whole["LOGIN_SECURE_COOKIES"] = False
    made = SimpleNamespace(
        **{
            "config": whole,
            "debug": False,
            "testing": False,
            "session_interface": Stateless(),
            **app,
        }
    )
    return audit(made, Manager(realm))


def wrong(*args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    """Return what must be mended: the requirement, and what is set."""
    found = findings(*args, **kwargs)
    assert all(finding.advice for finding in found if finding.state is not State.OK)
    return [(one.requirement, one.found) for one in found if one.state is State.WRONG]


def test_a_good_configuration_has_nothing_to_mend() -> None:
    assert wrong() == []


def test_every_requirement_of_cookies_and_sessions_that_settings_decide_is_answered() -> None:
    numbers = {finding.requirement for finding in findings()}
    assert {"3.3.1", "3.3.2", "3.3.3", "3.3.4", "3.3.5"} <= numbers
    assert {"7.1.1", "7.1.2", "7.2.1", "7.2.2", "7.2.4", "7.3.1", "7.3.2"} <= numbers
    assert {f"7.4.{n}" for n in range(1, 6)} <= numbers
    assert {"7.5.1", "7.5.2", "7.5.3", "7.6.2"} <= numbers


def test_findings_come_in_the_order_of_the_standard() -> None:
    numbers = [finding.requirement for finding in findings()]
    assert numbers[0].startswith("3.3.") and numbers[-1] == ""
    parts = [[int(part) for part in number.split(".")] for number in numbers if number]
    assert parts == sorted(parts)


@pytest.mark.parametrize(
    ("config", "number", "found"),
    [
        ({"SESSION_COOKIE_SAMESITE": "None"}, "3.3.2", "SESSION_COOKIE_SAMESITE = 'None'"),
        ({"REMEMBER_COOKIE_NAME": "__Secure-r"}, "3.3.3", "REMEMBER_COOKIE_NAME = '__Secure-r'"),
        ({"LOGIN_DISABLED": True}, "8.3.1", "LOGIN_DISABLED = True"),
        ({"SECRET_KEY": None}, "11.5.1", "SECRET_KEY is missing"),
        ({"SECRET_KEY": ""}, "11.5.1", "SECRET_KEY is missing"),
        ({"SECRET_KEY": "dev"}, "11.5.1", "SECRET_KEY is known to everybody"),
        ({"SECRET_KEY": b"Super Secret-Key!"}, "11.5.1", "SECRET_KEY is known to everybody"),
        ({"SECRET_KEY": "0123456789abcde"}, "11.5.1", "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "0123456" * 9}, "11.5.1", "SECRET_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": ["old"]}, "11.5.1", "SECRET_KEY_FALLBACKS[0] can be guessed"),
        (
            {"PERMANENT_SESSION_LIFETIME": timedelta(days=31)},
            "7.3.1",
            "PERMANENT_SESSION_LIFETIME = 31 days",
        ),
        (
            {"REMEMBER_COOKIE_DURATION": 10**7},
            "7.3.2",
            "REMEMBER_COOKIE_DURATION = 115 days, 17:46:40",
        ),
        (
            {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True},
            "7.3.2",
            "REMEMBER_COOKIE_REFRESH_EACH_REQUEST = True",
        ),
        ({"LOGIN_FRESH_DURATION": None}, "7.5.1", "LOGIN_FRESH_DURATION = without end"),
        ({"LOGIN_FRESH_DURATION": timedelta(days=2)}, "7.5.1", "LOGIN_FRESH_DURATION = 2 days"),
        ({"SESSION_PROTECTION": None}, "", "SESSION_PROTECTION = None"),
        (
            {"REMEMBER_COOKIE_FORMAT": "flask-login", "LOGIN_AUDIENCE": None},
            "9.2.1",
            "REMEMBER_COOKIE_FORMAT = 'flask-login'",
        ),
        ({"LOGIN_CACHE_CONTROL_PRIVATE": False}, "14.2.2", "LOGIN_CACHE_CONTROL_PRIVATE = False"),
        (
            {"LOGIN_CLEAR_SESSION_ON_LOGOUT": False},
            "14.3.1",
            "LOGIN_CLEAR_SESSION_ON_LOGOUT = False",
        ),
        ({"LOGIN_LOAD_USER": "lazy"}, "", "a setting cannot work"),
        ({"SECRET_KEY_FALLBACKS": KEY}, "", "a setting cannot work"),
    ],
)
def test_what_is_wrong_is_found(config: dict[str, Any], number: str, found: str) -> None:
    assert (number, found) in wrong(config)


def test_the_frameworks_cookies_as_they_come_are_found_wrong() -> None:
    config = {"LOGIN_SECURE_COOKIES": False}
    assert [number for number, _ in wrong(config)] == ["3.3.1"] * 4 + ["3.3.2"] * 2 + ["3.3.3"] * 2
    [row] = [
        one for one in findings(config) if one.requirement == "3.3.3" and "REMEMBER" in one.found
    ]
    assert "REMEMBER_COOKIE_NAME = '__Host-remember_token'" in row.advice


def test_a_cookie_that_scripts_can_read_is_wrong() -> None:
    config = {"LOGIN_SECURE_COOKIES": False, "SESSION_COOKIE_HTTPONLY": False}
    assert ("3.3.4", "SESSION_COOKIE_HTTPONLY = False") in wrong(config)


def test_a_switch_that_is_for_development_is_wrong() -> None:
    assert ("13.4.2", "DEBUG = True") in wrong(debug=True)
    assert ("13.4.2", "TESTING = True") in wrong(testing=True)


def test_methods_that_were_added_to_the_exempt_ones_are_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "EXEMPT_METHODS", {"OPTIONS", "GET"})
    assert ("8.3.1", "EXEMPT_METHODS = ['GET', 'OPTIONS']") in wrong()


def test_secure_cookies_that_came_too_late_are_wrong() -> None:
    app = SimpleNamespace(config=GOOD, debug=False, testing=False, session_interface=Stateless())
    [row] = [one for one in audit(app, Manager()) if one.found.startswith("LOGIN_SECURE_COOKIES")]
    assert row.state is State.WRONG and "before" in row.advice.lower()


@pytest.mark.parametrize(
    ("config", "number", "found"),
    [
        ({"SESSION_COOKIE_DOMAIN": "x.example"}, "3.3.3", "SESSION_COOKIE_DOMAIN = 'x.example'"),
        ({"REMEMBER_COOKIE_PATH": "/app"}, "3.3.3", "REMEMBER_COOKIE_PATH = '/app'"),
        ({"REMEMBER_COOKIE_FORMER_NAME": "old"}, "3.3.3", "REMEMBER_COOKIE_FORMER_NAME = 'old'"),
        ({"SECRET_KEY_FALLBACKS": [KEY]}, "13.3.4", "SECRET_KEY_FALLBACKS has 1"),
        ({"LOGIN_AUDIENCE": None}, "9.2.3", "LOGIN_AUDIENCE = None"),
        ({"REMEMBER_COOKIE_LEGACY_UNTIL": None}, "9.2.1", "REMEMBER_COOKIE_LEGACY_UNTIL = None"),
        ({"LOGIN_CLEAR_SITE_DATA": ()}, "14.3.1", "LOGIN_CLEAR_SITE_DATA is empty"),
        ({}, "7.4.2", "whom the loader does not return"),
        ({}, "7.1.1", "session 1 day, remembered 30 days, fresh 1 day"),
    ],
)
def test_what_cannot_be_seen_is_left_to_the_reader(
    config: dict[str, Any], number: str, found: str
) -> None:
    unseen = [one for one in findings(config) if one.state is State.UNSEEN]
    assert any(number == one.requirement and found in one.found for one in unseen)
    assert wrong(config) == []


def unmet(**app: Any) -> set[str]:
    return {one.requirement for one in findings(**app) if one.state is State.UNMET}


def test_what_needs_sessions_on_a_server_is_said_to_be_not_met_without_them() -> None:
    needing = {"7.1.2", "7.2.2", "7.2.4", "7.3.2", "7.4.1", "7.4.3", "7.4.5", "7.5.2"}
    assert unmet() == needing | {"7.5.3"}


def test_where_an_interface_keeps_them_it_is_for_the_reader_to_check() -> None:
    class OnTheServer: ...

    assert unmet(session_interface=OnTheServer()) == {"7.5.3"}
    assert any("OnTheServer" in one.found for one in findings(session_interface=OnTheServer()))


def pieces(text: str) -> Iterator[str]:
    return (text[start : start + 6] for start in range(len(text) - 5))


def test_no_finding_shows_a_part_of_a_key() -> None:
    keys = {"SECRET_KEY": "correct horse battery", "SECRET_KEY_FALLBACKS": ["staple", b"dev"]}
    said = repr(findings(keys))
    assert "SECRET_KEY_FALLBACKS[1]" in said
    for key in ("correct horse battery", "staple"):
        assert not any(piece in said for piece in pieces(key))


def test_a_finding_says_whose_realm_it_is_of_and_can_be_json() -> None:
    rows = [one.as_dict() for one in findings({"LOGIN_DISABLED": True}, realm="staff")]
    assert {row["realm"] for row in rows} == {"staff"}
    assert any("staff_remember_token" in str(row["found"]) for row in rows)
    assert {row["state"] for row in json.loads(json.dumps(rows))} <= {str(one) for one in State}
