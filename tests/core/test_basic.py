"""Which username and password does a request bring, and are they the configured ones?"""

from __future__ import annotations

import hmac
from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Manager
from hypothesis import given
from hypothesis import strategies as st

from quart_login._core import basic
from quart_login._core.basic import Names, Pair, configured, matches, read
from quart_login._core.errors import ConfigurationError

NAMES = Names()


def sent(raw: bytes) -> str:
    return "Basic " + b64encode(raw).decode()


@pytest.mark.parametrize(
    ("raw", "pair"),
    [
        (b"bob:secret", ("bob", "secret")),
        (b"bob:", ("bob", "")),
        (b":secret", ("", "secret")),
        (b"bob:a:b", ("bob", "a:b")),
        ("zoë:pä ss".encode(), ("zoë", "pä ss")),
    ],
)
def test_username_and_password_are_read_as_utf_8(raw: bytes, pair: Any) -> None:
    assert read(sent(raw)) == pair


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic abc",
        "Basic Ym9i=OnNlY3JldA==",
        "Bearer Ym9iOnNlY3JldA==",
        "Basic Ym9iOnNlY3JldA==,Basic Ym9iOnNlY3JldA==",
        sent(b"no colon"),
        sent(b"bob:p\xe4ss"),
        sent(b"bob:\0"),
        sent(b"bob\n:secret"),
        sent(b"bob:secret\x7f"),
        sent(b""),
    ],
)
def test_015_what_is_none_is_malformed(header: str) -> None:
    assert read(header) is None


@given(st.binary(max_size=200))
def test_015_no_bytes_are_too_much(raw: bytes) -> None:
    found = read(sent(raw))
    if found is not None:
        assert f"{found.username}:{found.password}".encode() == raw
    read(raw.decode("latin1"))


def test_a_password_is_not_shown() -> None:
    assert repr(Pair("bob", "secret")) == "<Pair>"


# --- one user, from the configuration ------------------------------------------------------------


def config(username: Any = "metrics", password: Any = "pä:ss") -> dict[str, Any]:
    return {"LOGIN_BASIC_USERNAME": username, "LOGIN_BASIC_PASSWORD": password}


def test_the_configured_pair_is_read_by_the_names_of_its_settings() -> None:
    assert configured(config(), NAMES) == ("metrics", "pä:ss")
    assert configured({"A": "a", "B": "b"}, Names("A", "B")) == ("a", "b")


@pytest.mark.parametrize("value", [None, "", b"bytes", 7, " \n", "a\0", "\ud800"])
@pytest.mark.parametrize("key", NAMES)
def test_016_what_is_missing_or_cannot_be_sent_is_a_configuration_error(
    key: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=key) as caught:
        configured({**config(), key: value}, NAMES)
    assert "bytes" not in str(caught.value)


def test_016_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"app\.config\['LOGIN_BASIC_USERNAME'\]"):
        configured({}, NAMES)


def test_a_username_with_a_colon_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="holds a colon"):
        configured(config("a:b"), NAMES)


@pytest.mark.parametrize(
    ("given_pair", "is_it"),
    [
        (Pair("metrics", "pä:ss"), True),
        (Pair("metrics", "pass"), False),
        (Pair("Metrics", "pä:ss"), False),
        (Pair("", ""), False),
        (Pair("pä:ss", "metrics"), False),
    ],
)
def test_both_parts_must_match(given_pair: Pair, is_it: bool) -> None:
    assert matches(given_pair, Pair("metrics", "pä:ss")) is is_it


@pytest.mark.parametrize("username", ["metrics", "x"])
def test_both_parts_are_always_compared_and_as_digests(
    username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not matches(Pair(username, "a much longer one"), Pair("metrics", "p"))
    assert compared == [(32, 32), (32, 32)]


# --- which views ---------------------------------------------------------------------------------


def app_with(view: Any, **config: Any) -> Any:
    return SimpleNamespace(view_functions={"it": view}, config=config, extensions={})


def test_016_views_are_found_and_their_settings_asked_for() -> None:
    def view() -> None: ...

    basic.check_views(app_with(view))
    basic.mark(view, NAMES, None)
    with pytest.raises(ConfigurationError, match="LOGIN_BASIC_USERNAME"):
        basic.check_views(app_with(view))
    basic.check_views(app_with(view, **config()))


def test_016_methods_of_class_based_views_are_found() -> None:
    class View:
        def get(self) -> None: ...

        def dispatch_request(self) -> None: ...

    def view() -> None: ...

    basic.mark(View.get, NAMES, None)
    view.view_class, view.methods = View, {"GET", "POST"}  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="LOGIN_BASIC_USERNAME"):
        basic.check_views(app_with(view))


def test_a_realm_has_settings_of_its_own() -> None:
    def view() -> None: ...

    basic.mark(view, NAMES, "staff")
    app = app_with(view, **config())
    app.extensions["quart_login"] = {"staff": Manager("staff")}
    with pytest.raises(ConfigurationError, match="LOGIN_BASIC_USERNAME"):
        basic.check_views(app)
    app.config.update({f"STAFF_{key}": value for key, value in config().items()})
    basic.check_views(app)


def test_what_no_base64_is_made_of_is_malformed() -> None:
    good = b64encode(b"user:word").decode()
    assert read(f"Basic {good}") == Pair("user", "word")
    for stray in "~._-":
        assert read(f"Basic {good[:4]}{stray * 4}{good[4:]}") is None


def test_016_a_method_other_than_get_is_looked_at_too() -> None:
    class Form:
        def dispatch_request(self) -> None: ...
        def post(self) -> None: ...

    basic.mark(Form.post, NAMES, None)

    def view() -> None: ...

    view.view_class, view.methods = Form, {"POST"}  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="LOGIN_BASIC_USERNAME"):
        basic.check_views(app_with(view))


def test_016_a_class_that_names_no_methods_answers_get() -> None:
    class View:
        def get(self) -> None: ...

        def dispatch_request(self) -> None: ...

    def view() -> None: ...

    basic.mark(View.get, NAMES, None)
    view.view_class = View  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="LOGIN_BASIC_USERNAME"):
        basic.check_views(app_with(view))


def test_a_view_asks_by_its_methods() -> None:
    class View:
        def get(self) -> None: ...
        def post(self) -> None: ...
        def dispatch_request(self) -> None: ...

    def view() -> None: ...

    basic.mark(View.post, NAMES, None)
    view.view_class = View  # type: ignore[attr-defined]
    app = app_with(view)
    [endpoint] = app.view_functions
    for method, asks in (("GET", False), ("POST", True)):
        request = SimpleNamespace(endpoint=endpoint, method=method)
        assert basic.is_for_the_view(app, request) is asks
