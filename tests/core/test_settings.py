"""Which settings are there, and what holds where an application says nothing?"""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from quart_login._core import settings
from quart_login._core.errors import ConfigurationError
from quart_login._core.settings import (
    DEFAULTS,
    FLASK_LOGIN,
    SAFE,
    SESSION_KEYS,
    SessionKeys,
    check,
    check_fallbacks,
    moment,
    seconds,
    unknown_protection,
)

OWN = {
    "LOGIN_CACHE_CONTROL_PRIVATE",
    "LOGIN_CLEAR_SESSION_ON_LOGOUT",
    "LOGIN_STRONG_DROPS_PERMANENT",
    "LOGIN_FORCE_HOST_WITH_SCHEME",
    "LOGIN_TEST_CLIENT_IDENTIFIED",
}


def test_the_shells_differ_in_these_settings_only() -> None:
    assert SAFE.keys() == FLASK_LOGIN.keys() == DEFAULTS.keys() | OWN
    assert {key for key in SAFE if SAFE[key] != FLASK_LOGIN[key]} == OWN
    assert all(SAFE[key] is True and FLASK_LOGIN[key] is False for key in OWN)


def test_the_defaults_of_flask_logins_settings_are_flask_logins() -> None:
    ours = {key: value for key, value in DEFAULTS.items() if not key.startswith("LOGIN_")}
    assert ours == {
        "REMEMBER_COOKIE_NAME": "remember_token",
        "REMEMBER_COOKIE_DURATION": timedelta(days=365),
        "REMEMBER_COOKIE_DOMAIN": None,
        "REMEMBER_COOKIE_PATH": "/",
        "REMEMBER_COOKIE_SECURE": False,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": None,
        "REMEMBER_COOKIE_REFRESH_EACH_REQUEST": False,
        # Flask-Login does not have these four.
        "REMEMBER_COOKIE_PARTITIONED": False,
        "REMEMBER_COOKIE_FORMER_NAME": None,
        "REMEMBER_COOKIE_FORMAT": "quart-login",
        "REMEMBER_COOKIE_LEGACY_UNTIL": None,
        "AUTH_HEADER_NAME": "Authorization",
        "FORCE_HOST_FOR_REDIRECTS": None,
        "USE_SESSION_FOR_NEXT": False,
    }
    assert DEFAULTS["LOGIN_DISABLED"] is False


def test_the_defaults_can_work() -> None:
    check(DEFAULTS)
    check(SAFE)
    check(FLASK_LOGIN)
    check({})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("REMEMBER_COOKIE_FORMAT", "flask_login"),
        ("REMEMBER_COOKIE_FORMAT", None),
        ("LOGIN_LOAD_USER", "lazy"),
        ("LOGIN_LOAD_USER", True),
    ],
)
def test_a_choice_that_is_none_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{key} must be one of .*not {value!r}"):
        check({key: value})


@pytest.mark.parametrize(
    "config",
    [
        {"REMEMBER_COOKIE_FORMAT": "flask-login"},
        {"REMEMBER_COOKIE_FORMAT": "quart-login"},
        {"LOGIN_LOAD_USER": "eager"},
        {"LOGIN_LOAD_USER": "on_demand"},
        {"REMEMBER_COOKIE_DURATION": 60},
        {"REMEMBER_COOKIE_LEGACY_UNTIL": date(2030, 1, 1)},
        {"SECRET_KEY_FALLBACKS": ["a", b"b"]},
        {"SECRET_KEY_FALLBACKS": None},
        {"SECRET_KEY_FALLBACKS": []},
    ],
)
def test_settings_that_can_work_are_let_pass(config: dict[str, Any]) -> None:
    check(config)


@pytest.mark.parametrize("value", [1.5, None, "60", True])
def test_a_remember_duration_that_is_none_is_refused_at_once(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"REMEMBER_COOKIE_DURATION must be a datetime"):
        check({"REMEMBER_COOKIE_DURATION": value})


@pytest.mark.parametrize("key", ["LOGIN_FRESH_DURATION", "LOGIN_LOADER_TIMEOUT"])
def test_a_duration_of_our_own_is_refused_at_once_if_it_is_none(key: str) -> None:
    for value in (timedelta(seconds=1), 60, 0.25, None):
        check({key: value})
    for wrong in ("60", True, ()):
        with pytest.raises(ConfigurationError, match=f"{key} must be"):
            check({key: wrong})


def test_the_keys_to_keep_given_as_one_string_are_refused_at_once() -> None:
    check({"LOGIN_KEEP_SESSION_KEYS": ["theme"]})
    with pytest.raises(ConfigurationError, match="LOGIN_KEEP_SESSION_KEYS must be a list"):
        check({"LOGIN_KEEP_SESSION_KEYS": "theme"})


@pytest.mark.parametrize("mode", ["basic", "strong", "", None, False, True])
def test_a_mode_of_protection_that_says_something_is_none_to_complain_of(mode: Any) -> None:
    # Quart-Session's setting of the same name is a bool.
    assert unknown_protection({"SESSION_PROTECTION": mode}) is None
    assert unknown_protection({}) is None


def test_a_mode_of_protection_that_says_nothing_is_named() -> None:
    wrong = unknown_protection({"SESSION_PROTECTION": "stong"})
    assert wrong == "SESSION_PROTECTION must be 'basic', 'strong' or None, not 'stong'."


@pytest.mark.parametrize("value", [5, 1.5, (), "soon"])
def test_an_end_of_the_legacy_form_that_is_no_date_is_refused_at_once(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"REMEMBER_COOKIE_LEGACY_UNTIL must be a date"):
        check({"REMEMBER_COOKIE_LEGACY_UNTIL": value})


@pytest.mark.parametrize("value", ["a key", b"a key"])
def test_fallbacks_given_as_one_string_are_refused_at_once(value: Any) -> None:
    for refuse in (check, check_fallbacks):
        with pytest.raises(TypeError, match="each of its letters would be a key"):
            refuse({"SECRET_KEY_FALLBACKS": value})


@pytest.mark.parametrize("value", [[""], [b""], [None], ["good", 5]])
def test_a_fallback_that_is_no_key_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="list of non-empty keys"):
        check({"SECRET_KEY_FALLBACKS": value})


def test_a_duration_is_a_timedelta_or_an_int_of_seconds() -> None:
    assert seconds(timedelta(days=1, microseconds=500_000), "X") == 86400.5
    assert seconds(60, "X") == 60
    assert seconds(0, "X") == 0


def test_a_duration_may_be_of_other_kinds_where_its_reader_says() -> None:
    assert seconds(0.25, "X", float) == 0.25
    with pytest.raises(ConfigurationError):
        seconds(True, "X", float)


@pytest.mark.parametrize("value", [True, 1.5, "60", None])
def test_anything_else_is_no_duration(value: Any) -> None:
    # Flask-Login's words, and what to write.
    said = rf"^X must be a datetime\.timedelta, instead got: {value}\. .* or a number of seconds\.$"
    with pytest.raises(ConfigurationError, match=said):
        seconds(value, "X")


NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "until",
    [
        date(2030, 1, 1),
        datetime(2030, 1, 1),
        datetime(2030, 1, 1, tzinfo=UTC),
        datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        "2030-01-01",
        "2030-01-01T02:00:00+02:00",
    ],
)
def test_a_moment_without_a_time_zone_is_in_utc(until: Any) -> None:
    assert moment(until) == NEW_YEAR


def test_no_moment_is_none() -> None:
    assert moment(None) is None


def test_a_text_that_is_no_moment_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"LEGACY_UNTIL must be a date.*not 'soon'"):
        moment("soon")


OURS = {"_login_record", "_login_session", "_login_times"}


def test_the_sessions_keys_are_flask_logins_and_some_of_our_own() -> None:
    assert astuple(SessionKeys()) == (
        "_user_id",
        "_fresh",
        "_id",
        "_remember",
        "_remember_seconds",
        "next",
        "_login_record",
        "_login_session",
        "_login_times",
    )
    assert {*astuple(SessionKeys())} - OURS == SESSION_KEYS


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"REMEMBER_COOKIE_NAME": "__Secure-r"}, "__Secure-"),
        ({"REMEMBER_COOKIE_NAME": "__HOST-r"}, "__Host-"),
        ({"REMEMBER_COOKIE_FORMAT": "flask-login", "LOGIN_AUDIENCE": "a"}, "LOGIN_AUDIENCE"),
    ],
)
def test_a_cookie_that_would_be_refused_is_an_error(config: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        check(config)
    check({**config, "REMEMBER_COOKIE_SECURE": True, "LOGIN_AUDIENCE": None})


@pytest.mark.parametrize(
    "spoilt", [{"REMEMBER_COOKIE_DOMAIN": "x.example"}, {"REMEMBER_COOKIE_PATH": "/app"}]
)
def test_a_host_cookie_has_no_domain_and_the_whole_site_for_its_path(spoilt: Any) -> None:
    good = {"REMEMBER_COOKIE_NAME": "__Host-r", "REMEMBER_COOKIE_SECURE": True}
    check(good)
    with pytest.raises(ConfigurationError, match="__Host-"):
        check({**good, **spoilt})


@pytest.mark.parametrize("realm", ["", "zoë", "a\r\nb", "a\x7fb", 7])
def test_a_realm_that_cannot_stand_in_a_header_is_refused(realm: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_REALM is shown to clients"):
        check({"LOGIN_REALM": realm})
    check({"LOGIN_REALM": 'the "shop"'})


@pytest.mark.parametrize("lifetime", [0, -1, "60", None, True, timedelta(0), float("inf")])
def test_a_life_that_no_token_can_have_is_refused_at_once(lifetime: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_TOKEN_LIFETIME must be"):
        check({"LOGIN_TOKEN_LIFETIME": lifetime})
    check({"LOGIN_TOKEN_LIFETIME": 0.5})


# --- login sessions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("LOGIN_WEBSOCKET_CLOSE_CODE", code) for code in (None, True, "1008", 999, 1001, 1006)),
        *(("LOGIN_WEBSOCKET_CLOSE_CODE", code) for code in (1009, 2999, 5000, 3000.0)),
        *(("LOGIN_ASSURANCE_LEVEL", level) for level in ("AAL1", "aal4", 1, "")),
        *(("LOGIN_LIFETIME", life) for life in (0, -1, True, "60", 10**12, timedelta(0))),
        *(("LOGIN_IDLE_TIMEOUT", life) for life in (0, -0.5, "x", float("nan"), float("inf"))),
        *(("LOGIN_REMEMBER_WINDOW", window) for window in (-1, 0, 4.9, 86_401, None, "60")),
        *(("LOGIN_MAX_SESSIONS", most) for most in (0, -1, True, 1.0, "5")),
        *(("LOGIN_MAX_SESSIONS_REACHED", way) for way in (None, "end_newest", "")),
        *(("LOGIN_STORE_TIMEOUT", limit) for limit in ("1", True, 0, -0.25)),
    ],
)
def test_what_no_login_session_can_keep_to_is_an_error(key: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=key):
        check({key: value})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("LOGIN_WEBSOCKET_CLOSE_CODE", [1000, 1008, 3000, 4999]),
        ("LOGIN_ASSURANCE_LEVEL", [None, "aal1", "aal2", "aal3"]),
        ("LOGIN_LIFETIME", [None, 0.5, timedelta(days=1), 10**12 - 1]),
        ("LOGIN_IDLE_TIMEOUT", [None, 1, timedelta(minutes=1)]),
        ("LOGIN_REMEMBER_WINDOW", [5, 86_400, timedelta(seconds=5), 7.5]),
        ("LOGIN_MAX_SESSIONS", [None, 1, 10**6]),
        ("LOGIN_MAX_SESSIONS_REACHED", ["end_oldest", "refuse"]),
        ("LOGIN_STORE_TIMEOUT", [None, 0.25, 1, timedelta(seconds=1)]),
    ],
)
def test_what_login_sessions_can_keep_to_is_none(key: str, values: list[Any]) -> None:
    for value in values:
        check({key: value})


def test_a_token_s_life_is_shorter_than_the_longest() -> None:
    with pytest.raises(ConfigurationError):
        settings.token_lifetime(settings.LONGEST_LIFE)
    assert settings.token_lifetime(settings.LONGEST_LIFE - 1) == settings.LONGEST_LIFE - 1


def test_a_store_may_take_a_quarter_of_a_second_unless_it_is_said() -> None:
    assert settings.reader({})("LOGIN_STORE_TIMEOUT") == 0.25


@pytest.mark.parametrize("value", ["0", "false", "False", "no", "OFF", " none "])
def test_a_text_that_says_no_opens_nothing(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"LOGIN_DISABLED = .* Make it False"):
        check({"LOGIN_DISABLED": value})


@pytest.mark.parametrize("value", [True, False, None, "", "1", "true", 1])
def test_whatever_else_turns_guards_off_is_heeded(value: object) -> None:
    check({"LOGIN_DISABLED": value})
