"""Is what docs/configuration.md says true, and does it name every setting?"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from quart import Quart

import flask_compat
import quart_login
from quart_login._core import settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")

#: How a page writes a default.
WRITTEN = {
    timedelta(days=365): "365 days",
    timedelta(days=31): "31 days",
    timedelta(days=1): "1 day",
    timedelta(hours=1): "1 hour",
}

#: Settings that are the framework's, or a manager's.
ELSEWHERE = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "SESSION_PROTECTION"}

#: What only one of the packages does, and what the other is not to read.
ALONE = {
    "LOGIN_LOAD_USER": "Quart",
    "LOGIN_LOADER_TIMEOUT": "Quart",
    "LOGIN_WEBSOCKET_ORIGINS": "Quart",
    "LOGIN_WEBSOCKET_CLOSE_CODE": "Quart",
    "AUTH_HEADER_NAME": "Flask",
}


def rows(page: str, head: str) -> list[list[str]]:
    """Return the rows of all tables of *page* whose head is *head*, without spaces around cells."""
    tables = re.findall(rf"^\| {re.escape(head)} \|\n\|[ |-]+\|\n((?:\|.*\n)+)", page, re.M)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(text: str) -> list[str]:
    """Return what *text* quotes as code."""
    return re.findall(r"`([^`]+)`", text)


def written(default: Any) -> str:
    if default is None or isinstance(default, (bool, int, float, tuple)):
        return f"`{default}`"
    return WRITTEN.get(default) or f'`"{default}"`'


def in_both(key: str) -> str:
    """Return what a page says of the default of *key*."""
    quart, flask = written(settings.SAFE[key]), written(settings.FLASK_LOGIN[key])
    if key in ALONE:
        return f"{ALONE[key]}: {quart}"
    return quart if quart == flask else f"Quart: {quart}, Flask: {flask}"


SETTINGS = {names(key)[0]: cells for key, *cells in rows(PAGE, "Key | Default | Takes | Meaning")}


def test_every_setting_is_there_once_with_its_default() -> None:
    assert settings.SAFE.keys() == settings.FLASK_LOGIN.keys()
    said = {key: cells[0] for key, cells in SETTINGS.items() if key not in ELSEWHERE}
    assert said == {key: in_both(key) for key in settings.SAFE}
    assert len(rows(PAGE, "Key | Default | Takes | Meaning")) == len(settings.SAFE) + 3
    assert SETTINGS.keys() >= ELSEWHERE


def test_every_setting_has_a_unit_and_a_meaning() -> None:
    assert all(takes and meaning for _, takes, meaning in SETTINGS.values())


@pytest.mark.parametrize("key", ALONE)
def test_what_one_package_alone_does_the_other_does_not_read(key: str) -> None:
    other = ROOT / ("flask_compat" if ALONE[key] == "Quart" else "quart_login")
    others = [path for path in other.glob("*.py") if path.name != "_api.py"]
    assert others and not [path for path in others if f'"{key}"' in path.read_text("utf-8")]


@pytest.mark.parametrize(
    "key", [key for key, (_, takes, _) in SETTINGS.items() if takes.startswith('`"')]
)
def test_a_word_that_is_not_taken_is_refused_and_those_that_are_work(key: str) -> None:
    for word in names(SETTINGS[key][1]):
        start({key: None if word == "None" else word.strip('"')})
    with pytest.raises(quart_login.ConfigurationError):
        start({key: "a word that nobody knows"})


def start(config: dict[str, Any]) -> None:
    """Make an application of Quart's with *config*."""
    app = Quart(__name__)
    # With SameSite=None browsers want Secure.
    app.config.update(SECRET_KEY="0123456789abcdef", REMEMBER_COOKIE_SECURE=True, **config)
    quart_login.LoginManager(app)


@pytest.mark.parametrize(
    "key", [key for key, (_, takes, _) in SETTINGS.items() if takes.startswith("duration")]
)
def test_a_duration_is_a_timedelta_or_seconds_and_nothing_else(key: str) -> None:
    least = 5 if "from 5 seconds" in SETTINGS[key][1] else 0.5
    for duration in (timedelta(minutes=1), 60, least):
        start({key: duration})
    with pytest.raises(quart_login.ConfigurationError):
        start({key: "an hour"})


def test_session_protection_is_basic_by_default_as_said() -> None:
    for shell in (quart_login, flask_compat):
        default = shell.LoginManager().session_protection
        assert SETTINGS["SESSION_PROTECTION"][0] == f'`"{default}"`'


@pytest.mark.parametrize("framework", [Flask, Quart])
def test_what_is_the_framework_s_has_its_default(framework: Any) -> None:
    said = {names(key)[0]: default for key, default, _ in rows(PAGE, "Key | Default | Meaning")}
    config = framework(__name__).config
    assert said == {key: written(config[key]) for key in said} and len(said) == 4


def test_the_settings_of_the_readme_are_some_of_these() -> None:
    said = rows(README, "Key | Default | Meaning")
    assert len(said) > 5
    for key, default, _ in said:
        assert default == SETTINGS[names(key)[0]][0], key


@pytest.mark.parametrize("shell", [quart_login, flask_compat], ids=lambda shell: shell.__name__)
def test_every_attribute_of_the_manager_is_named_with_its_default(shell: Any) -> None:
    table = rows(PAGE, "Attribute | Default | Meaning")
    said = {names(name)[0]: names(default)[0] for name, default, _ in table}
    manager = shell.LoginManager()
    assert said.pop("clock") == "time.time"
    assert abs(manager.clock() - time.time()) < 60
    assert said.pop("anonymous_user") == manager.anonymous_user.__name__
    for name, default in said.items():
        value = getattr(manager, name)
        assert (f'"{value}"' if isinstance(value, str) else str(value)) == default, name
    internal = {"keys", "warned_of_weak_key", "warned_of_http"}
    internal |= {"name", "realm", "attribute", "signal_data"}  # see docs/realms.md
    callbacks = {"unauthorized_callback", "needs_refresh_callback"}
    there = {name for name in vars(manager) if not name.startswith("_")} - internal - callbacks
    assert said.keys() | {"clock", "anonymous_user"} == there
