"""Will browsers keep the cookies that logins live in, and send them to nobody else?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Paper, User

from quart_login._core import cookies, login
from quart_login._core.cookies import REMEMBER, SESSION, Cookie, cookie, is_lost, objection, secure
from quart_login._core.errors import ConfigurationError
from quart_login._core.settings import check, reader
from quart_login._core.step import step

ALICE = User(7)

#: What both frameworks say where an application says nothing.
FRAMEWORK = {
    "APPLICATION_ROOT": "/",
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": None,
}

FAMILIES = [REMEMBER, SESSION]


def made(family: str, **said: Any) -> Cookie:
    """Return the cookie of *family* where the settings of that family are *said*."""
    settings = {f"{family}_{word.upper()}": value for word, value in said.items()}
    return cookie(family, reader({**FRAMEWORK, **settings}))


# --- prefixes (row 66) ---------------------------------------------------------------------------

PREFIXES = ["__Secure-", "__Host-", "__Http-", "__Host-Http-"]
GOOD = {"secure": True, "path": "/", "domain": None, "httponly": True}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("prefix", [*PREFIXES, "__SECURE-", "__host-", "__hOsT-hTTp-"])
def test_066_a_name_whose_promise_is_kept_is_good(family: str, prefix: str) -> None:
    assert objection(made(family, name=f"{prefix}x", **GOOD)) is None


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("prefix", "spoilt"),
    [
        ("__Secure-", {"secure": False}),
        ("__SECURE-", {"secure": False}),
        ("__Host-", {"secure": False}),
        ("__Host-", {"domain": "x.example"}),
        ("__Host-", {"path": "/app"}),
        ("__Host-", {"path": "/app/"}),
        ("__hosT-", {"path": "/app"}),
        ("__Http-", {"secure": False}),
        ("__Http-", {"httponly": False}),
        ("__Host-Http-", {"secure": False}),
        ("__Host-Http-", {"httponly": False}),
        ("__Host-Http-", {"domain": "x.example"}),
        ("__Host-Http-", {"path": "/app"}),
    ],
)
def test_066_a_name_whose_promise_is_broken_is_refused(
    family: str, prefix: str, spoilt: dict[str, Any]
) -> None:
    said = {f"{family}_{key.upper()}": value for key, value in {**GOOD, **spoilt}.items()}
    config = {**FRAMEWORK, f"{family}_NAME": f"{prefix}x", **said}
    with pytest.raises(ConfigurationError, match=f"(?i)named {prefix}.*needs {family}_SECURE"):
        check(config)
    check({**config, f"{family}_NAME": "x"})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "name", ["a b", "a=b", "a;b", "a,b", 'a"b', "a\r\nb", "a\tb", "\x7f", "caf\u00e9", "a\n"]
)
def test_a_name_that_no_cookie_can_have_is_refused(family: str, name: str) -> None:
    assert f"{family}_NAME = {name!r} is no name" in str(objection(made(family, name=name)))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_empty_name_is_refused(family: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{family}_NAME = '' is no name"):
        check({**FRAMEWORK, f"{family}_NAME": ""})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["a", "Z9", "my-app.id_1", "app:id", "a/b@c", "!#$%&'*+^`|~<>[]"])
def test_a_name_that_browsers_take_is_good(family: str, name: str) -> None:
    assert objection(made(family, name=name)) is None


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("word", ["path", "domain"])
@pytest.mark.parametrize("value", ["/x; Domain=other.example", "/x\r\nX: y", "/\x00", "/\u00e9"])
def test_an_attribute_that_would_end_is_refused(family: str, word: str, value: str) -> None:
    wrong = objection(made(family, **{word: value}))
    assert wrong is not None and f"{family}_{word.upper()} = {value!r}" in wrong


def test_what_a_prefix_does_not_promise_is_free() -> None:
    assert objection(made(REMEMBER, name="__Secure-x", secure=True, domain="x.example")) is None
    assert objection(made(REMEMBER, name="__Host-x", secure=True, httponly=False)) is None
    assert objection(made(REMEMBER, name="x__Host-", secure=False)) is None


def test_066_the_sessions_path_is_the_applications_root_where_it_says_no_other() -> None:
    config = {
        **FRAMEWORK,
        "SESSION_COOKIE_NAME": "__Host-s",
        "SESSION_COOKIE_SECURE": True,
        "APPLICATION_ROOT": "/app",
    }
    with pytest.raises(ConfigurationError, match="SESSION_COOKIE_PATH = '/'"):
        check(config)
    check({**config, "SESSION_COOKIE_PATH": "/"})
    assert made(REMEMBER, path=None).path is None
    assert cookie(SESSION, reader({})) == made(SESSION)


def test_066_a_remember_cookie_without_a_path_is_not_of_the_whole_host() -> None:
    config = {"REMEMBER_COOKIE_NAME": "__Host-r", "REMEMBER_COOKIE_SECURE": True}
    with pytest.raises(ConfigurationError, match="REMEMBER_COOKIE_PATH = '/'"):
        check({**config, "REMEMBER_COOKIE_PATH": None})


# --- SameSite and Partitioned --------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("samesite", ["None", "none", "NONE"])
def test_a_cookie_for_other_sites_must_be_secure(family: str, samesite: str) -> None:
    config = {**FRAMEWORK, f"{family}_SAMESITE": samesite}
    with pytest.raises(ConfigurationError, match=f"{family}_SAMESITE = 'None' needs"):
        check(config)
    check({**config, f"{family}_SECURE": True})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("samesite", ["", "Laxx", True, 5])
def test_a_samesite_that_is_none_is_refused(family: str, samesite: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{family}_SAMESITE must be 'Lax'"):
        check({**FRAMEWORK, f"{family}_SAMESITE": samesite})


@pytest.mark.parametrize("samesite", ["Lax", "lax", "Strict", None])
def test_the_other_samesites_are_good_without_https(samesite: Any) -> None:
    assert objection(made(REMEMBER, samesite=samesite)) is None


def test_a_partitioned_cookie_is_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cookies, "_CAN_PARTITION", True)
    assert made(REMEMBER, partitioned=True).secure
    assert objection(made(REMEMBER, partitioned=True, name="__Host-x")) is None


def test_a_partitioned_cookie_that_werkzeug_cannot_send_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cookies, "_CAN_PARTITION", False)
    assert objection(made(REMEMBER)) is None
    with pytest.raises(ConfigurationError, match=r"PARTITIONED needs Werkzeug 3\.1"):
        check({"REMEMBER_COOKIE_PARTITIONED": True})


# --- a former name -------------------------------------------------------------------------------


def test_a_former_name_is_another_that_the_cookies_attributes_can_delete() -> None:
    check({"REMEMBER_COOKIE_FORMER_NAME": "old"})
    with pytest.raises(ConfigurationError, match=r"cannot be 'remember_token'.*its name now"):
        check({"REMEMBER_COOKIE_FORMER_NAME": "remember_token"})
    with pytest.raises(ConfigurationError, match="cannot be '__Secure-old'"):
        check({"REMEMBER_COOKIE_FORMER_NAME": "__Secure-old"})
    check({"REMEMBER_COOKIE_FORMER_NAME": "__Secure-old", "REMEMBER_COOKIE_SECURE": True})


# --- LOGIN_SECURE_COOKIES ------------------------------------------------------------------------


def secured(realm: str | None = None, **said: Any) -> dict[str, Any]:
    """Return what a configuration is made by LOGIN_SECURE_COOKIES."""
    config = {**FRAMEWORK, "LOGIN_SECURE_COOKIES": True, **said}
    secure(config, reader(config), realm)
    return config


def test_without_the_setting_nothing_is_changed() -> None:
    for config in (dict(FRAMEWORK), {**FRAMEWORK, "LOGIN_SECURE_COOKIES": False}):
        before = dict(config)
        secure(config, reader(config))
        assert config == before


def test_secure_cookies_are_of_one_host_secure_and_lax() -> None:
    config = secured()
    for family, name in ((REMEMBER, "__Host-remember_token"), (SESSION, "__Host-session")):
        it = cookie(family, reader(config))
        assert it == Cookie(family, name, None, "/", True, True, "Lax", False)
    check(config)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("elsewhere", [{"DOMAIN": "x.example"}, {"PATH": "/app"}])
def test_a_cookie_of_more_or_less_than_one_host_has_the_other_prefix(
    family: str, elsewhere: dict[str, str]
) -> None:
    config = secured(**{f"{family}_{key}": value for key, value in elsewhere.items()})
    assert config[f"{family}_NAME"].startswith("__Secure-")
    check(config)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_application_says_stays(family: str) -> None:
    config = secured(**{f"{family}_NAME": "sid", f"{family}_SAMESITE": "Strict"})
    assert config[f"{family}_NAME"] == "__Host-sid"
    assert config[f"{family}_SAMESITE"] == "Strict"
    prefixed = secured(**{f"{family}_NAME": "__Secure-sid", f"{family}_SAMESITE": "None"})
    assert prefixed[f"{family}_NAME"] == "__Secure-sid"
    assert prefixed[f"{family}_SAMESITE"] == "None"


def test_to_turn_it_on_twice_is_to_turn_it_on() -> None:
    config = secured()
    again = dict(config)
    secure(again, reader(again))
    assert again == config


@pytest.mark.parametrize(
    "contrary", ["REMEMBER_COOKIE_SECURE", "REMEMBER_COOKIE_HTTPONLY", "SESSION_COOKIE_HTTPONLY"]
)
def test_what_contradicts_it_is_an_error(contrary: str) -> None:
    with pytest.raises(ConfigurationError, match=f"LOGIN_SECURE_COOKIES is on, and {contrary} is"):
        secured(**{contrary: False})


def test_a_realms_cookie_is_made_secure_under_the_realms_own_settings() -> None:
    config = {**FRAMEWORK, "LOGIN_SECURE_COOKIES": True}

    def read_for_staff(key: str) -> Any:
        if key == "REMEMBER_COOKIE_NAME":
            return config.get("STAFF_REMEMBER_COOKIE_NAME", "staff_remember_token")
        return config.get(f"STAFF_{key}", reader(config)(key))

    secure(config, read_for_staff, "staff")
    assert config["STAFF_REMEMBER_COOKIE_NAME"] == "__Host-staff_remember_token"
    assert config["STAFF_REMEMBER_COOKIE_SECURE"] is True
    assert "REMEMBER_COOKIE_NAME" not in config
    assert config["SESSION_COOKIE_NAME"] == "__Host-session"


# --- at a login ----------------------------------------------------------------------------------


def test_a_login_says_if_secure_cookies_were_asked_for_too_late() -> None:
    it = Paper(config={**FRAMEWORK, "LOGIN_SECURE_COOKIES": True})
    with pytest.raises(ConfigurationError, match=r"set after LoginManager\(app\)"):
        step(login.login_user(it, ALICE))
    assert it.session == {}
    step(login.login_user(Paper(config=secured(), scheme="https"), ALICE))


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what says the warnings that were logged."""

    def said() -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.name == "quart_login" and record.levelno == logging.WARNING
        ]

    return said


@pytest.mark.parametrize("key", ["REMEMBER_COOKIE_SECURE", "SESSION_COOKIE_SECURE"])
def test_068_a_login_over_http_with_a_secure_cookie_is_warned_of_once(
    key: str, warnings: Callable[[], list[str]]
) -> None:
    it = Paper(config={key: True}, host="shop.example")
    for _ in range(2):
        step(login.login_user(it, ALICE))
    [warning] = warnings()
    assert "without HTTPS" in warning and "shop.example" not in warning


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_068_a_login_over_https_is_not_warned_of(
    scheme: str, warnings: Callable[[], list[str]]
) -> None:
    it = Paper(config={"SESSION_COOKIE_SECURE": True}, host="shop.example", scheme=scheme)
    step(login.login_user(it, ALICE))
    assert warnings() == []


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:5000", "127.0.0.1:8000", "[::1]", "[::1]:80", "a.localhost"]
)
def test_068_a_login_on_the_developers_machine_is_not_warned_of(
    host: str, warnings: Callable[[], list[str]]
) -> None:
    step(login.login_user(Paper(config={"SESSION_COOKIE_SECURE": True}, host=host), ALICE))
    assert warnings() == []


def test_068_neither_is_one_in_a_test_or_one_whose_cookies_are_not_secure(
    warnings: Callable[[], list[str]],
) -> None:
    step(login.login_user(Paper(host="shop.example"), ALICE))
    it = Paper(config={"SESSION_COOKIE_SECURE": True}, host="shop.example")
    it.app.testing = True
    step(login.login_user(it, ALICE))
    assert warnings() == []


@pytest.mark.parametrize("host", ["", ":", "localhost.example", "127.0.0.1.example", "[::2]:80"])
def test_a_host_that_only_looks_local_is_not(host: str) -> None:
    request = SimpleNamespace(scheme="http", host=host)
    assert is_lost(reader({"SESSION_COOKIE_SECURE": True}), request)


@pytest.mark.parametrize("domain", ["", False, None])
def test_a_cookie_whose_domain_is_none_has_none(domain: Any) -> None:
    assert cookie(REMEMBER, {"REMEMBER_COOKIE_DOMAIN": domain}.get).domain is None
