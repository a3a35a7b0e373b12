"""Which managers share an application, and what keeps their logins apart?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Manager, Paper

from quart_login._core.errors import ConfigurationError
from quart_login._core.manager import BaseLoginManager
from quart_login._core.realms import (
    RealmConfig,
    check_cookies,
    checked_name,
    join,
    keys_of_others,
    managers_of,
    missing_manager,
    session_keys,
)
from quart_login._core.settings import SessionKeys


def make_app(**config: Any) -> Any:
    return SimpleNamespace(config=config, extensions={})


def named(name: str | None, **options: Any) -> BaseLoginManager[Any]:
    manager: BaseLoginManager[Any] = BaseLoginManager(name, **options)
    return manager


@pytest.mark.parametrize("name", [None, "a", "staff", "a_1", "a" * 32])
def test_a_name_of_letters_tells_a_realm_apart(name: str | None) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "1", "_a", "a-b", "a:b", "a" * 33, "a\n", 7, b"a", ["a"]]
)
def test_another_name_does_not(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="lower-case"):
        checked_name(name)


def test_no_realm_is_called_user() -> None:
    with pytest.raises(ConfigurationError, match="two `current_user`"):
        checked_name("user")


def test_the_default_realm_has_flask_logins_names() -> None:
    manager = named(None)
    assert (manager.realm, manager.attribute) == (None, "_quart_login_identity")
    assert manager.keys == SessionKeys() == session_keys(None)


def test_a_named_realm_has_names_of_its_own() -> None:
    manager = named("staff")
    assert (manager.name, manager.realm) == ("staff", "staff")
    assert manager.attribute == "_quart_login_identity:staff"
    assert manager.keys.user_id == "staff:_user_id" and manager.keys.next == "staff:next"
    assert manager.signal_data == {"realm": "staff"}


def test_a_realm_may_keep_the_default_names() -> None:
    manager = named("staff", default_names=True)
    assert (manager.name, manager.realm) == ("staff", None)
    assert manager.keys == SessionKeys()
    assert manager.signal_data == {"realm": "staff"}


# --- its configuration ---------------------------------------------------------------------------


def test_a_realm_s_setting_comes_before_the_application_s() -> None:
    config = RealmConfig({"A": 1, "B": 2, "STAFF_B": 3, "SECRET_KEY": "k"}, "staff")
    assert (config["A"], config["B"], config["SECRET_KEY"]) == (1, 3, "k")
    assert config.get("C", 4) == 4 and "C" not in config and "B" in config
    with pytest.raises(KeyError):
        config["C"]


def test_what_names_a_cookie_or_is_a_credential_is_a_realm_s_own() -> None:
    shared = {
        "REMEMBER_COOKIE_NAME": "token",
        "REMEMBER_COOKIE_FORMAT": "flask-login",
        "LOGIN_BASIC_USERNAME": "root",
        "LOGIN_BASIC_PASSWORD": "toor",
    }
    config = RealmConfig(shared, "staff")
    assert {key: config[key] for key in shared} == {
        "REMEMBER_COOKIE_NAME": "staff_remember_token",
        "REMEMBER_COOKIE_FORMAT": "quart-login",
        "LOGIN_BASIC_USERNAME": None,
        "LOGIN_BASIC_PASSWORD": None,
    }
    assert RealmConfig({"STAFF_REMEMBER_COOKIE_NAME": "t"}, "staff")["REMEMBER_COOKIE_NAME"] == "t"


def test_a_realm_is_an_audience_of_its_own() -> None:
    audiences = {
        RealmConfig(config, name)["LOGIN_AUDIENCE"]
        for name in ("a", "b")
        for config in (
            {},
            {"LOGIN_AUDIENCE": "x"},
            {"LOGIN_AUDIENCE": "a"},
            {"A_LOGIN_AUDIENCE": "y"},
        )
    }
    assert len(audiences) == 7  # b without an audience is the same twice
    assert not audiences & {"", "a", "b", "x", "y"}


def test_a_realm_s_configuration_is_a_mapping_and_shows_nothing() -> None:
    config = RealmConfig({"SECRET_KEY": "do-not-show"}, "staff")
    assert set(config) >= {"SECRET_KEY", "REMEMBER_COOKIE_NAME", "LOGIN_AUDIENCE"}
    assert len(config) == len(set(config))
    assert "do-not-show" not in repr(config)


# --- in an application ---------------------------------------------------------------------------


def test_managers_join_once() -> None:
    app, one, staff = make_app(), named(None), named("staff")
    assert join(app, one, replaces=False) and join(app, staff, replaces=False)
    assert not join(app, one, replaces=False)
    assert managers_of(app) == {None: one, "staff": staff}


def test_two_of_one_name_are_refused() -> None:
    app = make_app()
    join(app, named(None), replaces=False)
    join(app, named("staff"), replaces=True)
    with pytest.raises(ConfigurationError, match="without a name already"):
        join(app, named(None), replaces=False)
    with pytest.raises(ConfigurationError, match="without a name already"):
        join(app, named("customers", default_names=True), replaces=False)
    with pytest.raises(ConfigurationError, match="named 'staff' already"):
        join(app, named("staff"), replaces=True)


def test_flask_logins_default_manager_may_be_replaced() -> None:
    app, later = make_app(), named(None)
    join(app, named(None), replaces=True)
    assert join(app, later, replaces=True)
    assert managers_of(app) == {None: later}


def test_two_labels_of_one_name_are_refused_too() -> None:
    for first, second in ((True, False), (False, True)):
        app = make_app()
        join(app, named("customers", default_names=first), replaces=True)
        with pytest.raises(ConfigurationError, match="named 'customers' already"):
            join(app, named("customers", default_names=second), replaces=True)


@pytest.mark.parametrize(
    "key", ["REMEMBER_COOKIE_FORMER_NAME", "STAFF_REMEMBER_COOKIE_FORMER_NAME"]
)
@pytest.mark.parametrize("name", ["session", "remember_token", "staff_remember_token"])
def test_a_former_cookie_is_no_other_one(key: str, name: str) -> None:
    app = make_app(**{key: name})
    with pytest.raises(ConfigurationError, match="Two cookies are named"):
        join(app, named(None), replaces=False)
        join(app, named("staff"), replaces=False)


def test_the_secret_key_is_the_application_s_alone() -> None:
    config = RealmConfig({"SECRET_KEY": "k", "STAFF_SECRET_KEY": "", "STAFF_A": 1, "A": 2}, "staff")
    assert (config["SECRET_KEY"], config["A"]) == ("k", 1)


@pytest.mark.parametrize("name", ["session", "remember_token"])
def test_two_cookies_of_one_name_are_refused_and_the_manager_is_not_in(name: str) -> None:
    app = make_app(STAFF_REMEMBER_COOKIE_NAME=name)
    join(app, named(None), replaces=False)
    with pytest.raises(ConfigurationError, match=f"'{name}'.*'staff'.*STAFF_REMEMBER_COOKIE_NAME"):
        join(app, named("staff"), replaces=False)
    assert "staff" not in managers_of(app)
    app.config.clear()
    check_cookies(app)


def test_the_session_s_cookie_may_have_another_name() -> None:
    app = make_app(SESSION_COOKIE_NAME="remember_token")
    with pytest.raises(ConfigurationError, match="the session's and the default realm's"):
        join(app, named(None), replaces=False)


def test_a_realm_s_logins_leave_the_keys_of_others_alone() -> None:
    it = Paper(config={"LOGIN_KEEP_SESSION_KEYS": ["language"]})
    assert it.kept_keys() == {"language"}
    staff = Manager("staff")
    join(it.app, staff, replaces=False)
    assert it.kept_keys() == {"language", *staff.keys.values()}
    assert keys_of_others(it.app, staff) == [SessionKeys()]


def test_a_realm_s_exchange_has_its_configuration() -> None:
    it = Paper()
    there = Paper.__mro__[1].__init__
    staff = Manager("staff")
    there(it, it.app, staff, it.request, it.session, it.identity)
    assert it.setting("REMEMBER_COOKIE_NAME") == "staff_remember_token"
    assert staff.setting(it.app, "REMEMBER_COOKIE_NAME") == "staff_remember_token"
    it.app.config["STAFF_SESSION_PROTECTION"] = "strong"
    assert staff.protection_mode(it.app) == "strong"


def test_where_no_manager_is_the_default_one_the_error_says_what_there_is() -> None:
    app = make_app()
    assert "Create one: LoginManager(app)" in missing_manager(app)
    join(app, named("staff"), replaces=False)
    assert "has a name (staff)" in missing_manager(app)
