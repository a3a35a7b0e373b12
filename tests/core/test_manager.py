"""Which callbacks and settings has the application given?"""

from __future__ import annotations

import time
from typing import Any

import pytest
from core.paper import Paper, User

from quart_login._core import signals
from quart_login._core.errors import MissingLoader
from quart_login._core.manager import BaseLoginManager
from quart_login._core.protection import fingerprint, later_fingerprint
from quart_login._core.settings import SessionKeys
from quart_login._core.terminal import find_user
from quart_login._core.users import AnonymousUserMixin


def test_a_manager_begins_with_flask_logins_defaults() -> None:
    manager: BaseLoginManager[Any] = BaseLoginManager()
    assert {name: value for name, value in vars(manager).items() if name != "clock"} == {
        "anonymous_user": AnonymousUserMixin,
        "login_view": None,
        "blueprint_login_views": {},
        "login_message": "Please log in to access this page.",
        "login_message_category": "message",
        "refresh_view": None,
        "needs_refresh_message": "Please reauthenticate to access this page.",
        "needs_refresh_message_category": "message",
        "session_protection": "basic",
        "localize_callback": None,
        "unauthorized_callback": None,
        "needs_refresh_callback": None,
        "id_attribute": "get_id",
        "name": None,
        "realm": None,
        "attribute": "_quart_login_identity",
        "signal_data": {},
        "warned_of_weak_key": False,
        "warned_of_http": False,
        "keys": SessionKeys(),
        "sessions": None,
        "_user_callback": None,
        "_request_callback": None,
        "_verify_callback": None,
    }


def test_two_managers_share_no_login_views() -> None:
    one: BaseLoginManager[Any] = BaseLoginManager()
    other: BaseLoginManager[Any] = BaseLoginManager()
    one.blueprint_login_views["shop"] = "login"
    assert other.blueprint_login_views == {}


def test_every_registration_returns_its_callback() -> None:
    manager: BaseLoginManager[Any] = BaseLoginManager()

    def load(key: Any) -> Any: ...

    def answer() -> Any: ...

    assert manager.user_loader(load) is load is manager.user_callback
    assert manager.request_loader(answer) is answer  # type: ignore[arg-type,call-overload]
    assert manager.request_callback is answer
    assert manager.verify_password(load) is load is manager.verify_callback  # type: ignore[arg-type,call-overload,comparison-overlap]
    assert manager.unauthorized_handler(load) is load is manager.unauthorized_callback
    assert manager.needs_refresh_handler(answer) is answer is manager.needs_refresh_callback


def test_a_manager_without_a_loader_says_what_to_do() -> None:
    manager: BaseLoginManager[Any] = BaseLoginManager()
    with pytest.raises(MissingLoader, match=r"Register one: @login_manager\.user_loader"):
        manager.require_loader()


def test_one_loader_of_either_kind_is_enough() -> None:
    for register in ("user_loader", "request_loader", "verify_password"):
        manager: BaseLoginManager[Any] = BaseLoginManager()
        getattr(manager, register)(lambda key: None)
        manager.require_loader()


def test_the_request_loader_is_asked_with_the_request() -> None:
    manager: BaseLoginManager[Any] = BaseLoginManager()
    it = Paper()
    assert manager.request_loaders(it) == [] and not manager.asks_requests

    def load(request: Any) -> Any: ...

    manager.request_loader(load)
    assert manager.asks_requests
    assert manager.request_loaders(it) == [(load, it.request, signals.user_loaded_from_request)]


def test_a_base_manager_answers_no_requests() -> None:
    manager: BaseLoginManager[Any] = BaseLoginManager()
    for answer in (manager.unauthorized, manager.needs_refresh):
        with pytest.raises(TypeError, match="use a shell's LoginManager"):
            answer()
    with pytest.raises(TypeError, match="use a shell's LoginManager"):
        manager.outside(None, find_user, [7])


def test_the_config_wins_over_the_attribute_even_where_it_says_none() -> None:
    paper = Paper()
    assert paper.manager.protection_mode(paper.app) == "basic"
    paper.manager.session_protection = "strong"
    assert paper.manager.protection_mode(paper.app) == "strong"
    paper.app.config["SESSION_PROTECTION"] = None
    assert paper.manager.protection_mode(paper.app) is None


def test_a_setting_is_the_applications_or_the_shells_default() -> None:
    paper = Paper(config={"REMEMBER_COOKIE_NAME": "me"})
    assert paper.manager.setting(paper.app, "REMEMBER_COOKIE_NAME") == "me"
    assert paper.manager.setting(paper.app, "REMEMBER_COOKIE_PATH") == "/"


def test_a_session_of_the_same_client_is_known_in_both_forms() -> None:
    client = ("127.0.0.1", "paper")
    assert Paper().client() == client
    for made_for in (fingerprint(*client), later_fingerprint(*client)):
        it = Paper({"_id": made_for})
        assert it.manager.is_same_client(it)
    assert it.manager.identifier(it) == fingerprint(*client)
    for made_for in (None, "", fingerprint("9.9.9.9", "paper"), fingerprint("127.0.0.1", "other")):
        it = Paper({"_id": made_for})
        assert not it.manager.is_same_client(it)
    assert not it.manager.is_same_client(Paper({}))


def test_the_clock_follows_whoever_replaces_time(monkeypatch: pytest.MonkeyPatch) -> None:
    manager: BaseLoginManager[Any] = BaseLoginManager()
    monkeypatch.setattr(time, "time", lambda: 5.0)
    assert manager.clock() == 5.0


def test_the_managers_signals_are_the_modules() -> None:
    manager: BaseLoginManager[User] = BaseLoginManager()
    assert manager.user_logged_in is signals.user_logged_in  # type: ignore[comparison-overlap]
    assert manager.user_logged_out is signals.user_logged_out  # type: ignore[comparison-overlap]
    assert (
        manager.user_loaded_from_cookie is signals.user_loaded_from_cookie  # type: ignore[comparison-overlap]
    )
    assert (
        manager.user_loaded_from_request is signals.user_loaded_from_request  # type: ignore[comparison-overlap]
    )
