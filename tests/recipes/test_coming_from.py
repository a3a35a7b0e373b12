"""Do the pages for those who come from Flask-Login and Quart-Auth say what is so?"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import flask
import flask_login
import pytest
import quart_auth
from differential.stages import SHELLS, OriginalStage, Stage
from hypothesis import given
from hypothesis import strategies as st
from loops import run
from sites import Browser

import flask_compat
import quart_login
from quart_login.quart_auth import adopt_quart_auth
from quart_login.stores.memory import MemoryStore

DOCS = Path(__file__).parents[2] / "docs"
FLASK_LOGIN = (DOCS / "coming-from-flask-login.md").read_text("utf-8")
QUART_AUTH = (DOCS / "coming-from-quart-auth.md").read_text("utf-8")
FRAGMENTS = re.findall(r"^```python\n(.*?)^```$", FLASK_LOGIN, re.M | re.S)


def rows(page: str, head: str) -> list[list[str]]:
    """Return the rows of the table that begins with *head*."""
    lines = page.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def names(text: str) -> set[str]:
    return {name.partition("(")[0] for name in re.findall(r"`([^`]+)`", text)}


# --- from Flask-Login ----------------------------------------------------------------------------


@pytest.fixture
def the_real_flask_login() -> Iterator[None]:
    """Give `flask_login` its own modules back after a fragment that gave it ours."""

    def modules() -> dict[str, Any]:
        return {name: sys.modules[name] for name in sys.modules if _is_flask_login(name)}

    before = modules()
    yield
    for name in modules():
        del sys.modules[name]
    sys.modules.update(before)


def _is_flask_login(name: str) -> bool:
    return name.partition(".")[0] == "flask_login"


def test_every_name_of_flask_login_is_told() -> None:
    told = set().union(*(names(row[0]) for row in rows(FLASK_LOGIN, "\n| Flask-Login | `flask")))
    assert set(flask_login.__all__) - told == set()


def test_what_is_said_to_be_the_same_is_there() -> None:
    for old, compat, quart in rows(FLASK_LOGIN, "\n| Flask-Login | `flask"):
        for name in names(old) & set(flask_login.__all__):
            if compat.startswith("the same"):
                assert name in flask_compat.__all__, name
            if quart.startswith(("the same", "awaited", "as there")):
                assert hasattr(quart_login, name), name


def test_the_imports_are_there(the_real_flask_login: None) -> None:
    namespace: dict[str, Any] = {}
    exec(FRAGMENTS[0], namespace)
    assert namespace["flask_login"] is flask_compat
    exec(FRAGMENTS[1], {})
    for name in ("", ".utils", ".login_manager", ".mixins", ".signals", ".config", ".test_client"):
        assert import_module(f"flask_login{name}") is import_module(f"flask_compat{name}")


def test_the_settings_of_the_steps_are_settings() -> None:
    for number in (1, 2):
        app = flask.Flask("steps")
        app.config.update(settings_of(number))
        flask_compat.LoginManager(app)


def settings_of(step: int) -> dict[str, Any]:
    """Return what the page sets in *step*."""
    fragment = FRAGMENTS[1 + step]
    namespace: dict[str, Any] = {
        "LoginManager": flask_compat.LoginManager,
        "app": flask.Flask("steps"),
        "__name__": "steps",
    }
    exec(fragment, namespace)
    config = namespace["app"].config
    return {key: config[key] for key in re.findall(r'config\["([A-Z_]+)"\]', fragment)}


COMPAT, QUART = SHELLS["flask_compat"], SHELLS["quart_login"]

#: Which two versions are there during each step, and with which settings.
STEPS: list[list[tuple[type[Stage], dict[str, Any]]]] = [
    [(OriginalStage, {}), (COMPAT, settings_of(1))],
    [(COMPAT, settings_of(1)), (COMPAT, settings_of(2))],
    [(COMPAT, settings_of(2)), (QUART, settings_of(2))],
]

ACTS = ["in", "in?remember=1", "out", "close", "look", "look"]


@given(
    st.lists(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1)), max_size=6), max_size=3)
)
def test_during_each_step_either_version_may_answer_and_nobody_is_logged_out(walk: Any) -> None:
    run(_walk(walk))


async def _walk(walk: Any) -> None:
    jar: dict[str, str] = {}
    logged_in = remembered = False
    for step, acts in zip(STEPS, walk, strict=False):
        stages = [stage(config) for stage, config in step]
        for act, which in acts:
            browser = stages[which].browser()
            browser.jar = jar
            logged_in, remembered = await _act(browser, act, logged_in, remembered)
            for stage in stages:
                browser = stage.browser()
                browser.jar = jar
                said = (await browser.get("/me")).text
                assert said == ("user ann" if logged_in else "anonymous"), (act, type(stage))


async def _act(browser: Browser, act: str, logged_in: bool, remembered: bool) -> tuple[bool, bool]:
    """Do *act*; return whether the browser is logged in now, and remembered."""
    if act == "close":
        browser.close()
        return remembered, remembered
    if act == "out":
        await browser.get("/out")
        return False, False
    if act.startswith("in"):
        await browser.get(f"/in/ann{act[2:]}")
        return True, remembered or "remember" in act
    return logged_in, remembered


@pytest.mark.parametrize(
    ("new", "store", "stays"),
    [
        ({}, True, "remembered"),
        ({"LOGIN_LIFETIME": 1000}, False, "remembered"),
        ({"LOGIN_IDLE_TIMEOUT": 1000}, False, "remembered"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal1"}, False, "remembered"),
        ({"LOGIN_AUDIENCE": "shop"}, False, "nobody"),
        ({"LOGIN_SECURE_COOKIES": True}, False, "nobody"),
        (
            {
                "LOGIN_SECURE_COOKIES": True,
                "REMEMBER_COOKIE_FORMER_NAME": "remember_token",
            },
            False,
            "remembered",
        ),
        ({}, False, "everybody"),
    ],
)
async def test_step_three_ends_the_logins_that_it_is_said_to(
    make_site: Any, new: dict[str, Any], store: bool, stays: str
) -> None:
    for query, kind in (("", "everybody"), ("?remember=1", "remembered")):
        before = make_site().browser()
        await before.get(f"/in/1{query}")
        site = make_site(new, sessions=MemoryStore() if store else None)
        after = site.browser()
        after.jar = dict(before.jar)
        said = (await after.get("/me")).text
        assert said == ("user 1" if stays in ("everybody", kind) else "anonymous"), kind


# --- from Quart-Auth -----------------------------------------------------------------------------


def test_every_name_of_quart_auth_is_told() -> None:
    told = set().union(*(names(row[0]) for row in rows(QUART_AUTH, "\n| Quart-Auth |")))
    told = {name.lstrip("@") for name in told} | {"QuartAuth", "current_user"}
    assert set(quart_auth.__all__) - told == set()


def test_every_argument_is_told() -> None:
    told = set().union(*(names(row[0]) for row in rows(QUART_AUTH, "\n| `adopt_quart_auth(app")))
    assert told == set(signature(adopt_quart_auth).parameters) - {"app"}


def test_what_quart_auth_is_told_adopting_can_be_told_too() -> None:
    theirs = set(signature(quart_auth.QuartAuth).parameters)
    ours = set(signature(adopt_quart_auth).parameters)
    # Of the request, the class of users, and what is no cookie's.
    assert theirs - ours == {"attribute_name", "mode", "singleton", "user_class"}
