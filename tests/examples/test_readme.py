"""Is what README.md says true?"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

import flask_compat
import quart_login
from quart_login._core import errors, settings, signals

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Return the section of README.md with this title."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """Return the rows of the table in a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(text: str) -> list[str]:
    """Return what *text* quotes as code."""
    return re.findall(r"`([^`]+)`", text)


def run(*blocks: str) -> dict[str, Any]:
    """Run *blocks* as one module, and return what it defines."""
    namespace: dict[str, Any] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    return namespace


# --- the code ------------------------------------------------------------------------------------


def test_the_first_block_is_short() -> None:
    assert len(BLOCKS[0].splitlines()) <= 50


async def test_the_first_block_logs_in() -> None:
    client = run(BLOCKS[0])["app"].test_client()
    assert (await client.get("/")).headers["Location"] == "/login?next=%2F"
    assert '<input name="name">' in await (await client.get("/login")).get_data(as_text=True)
    form = {"name": "alice", "password": "wrong"}
    assert (await client.post("/login", form=form)).status_code == 200
    assert (await client.get("/")).status_code == 302
    form = {"name": "alice", "password": "follow the white rabbit"}
    assert (await client.post("/login", form=form)).headers["Location"] == "/"
    assert await (await client.get("/")).get_data(as_text=True) == "Hello, alice!"


@pytest.mark.parametrize("number", range(1, len(BLOCKS)))
async def test_each_further_block_runs_in_an_application_such_as_the_first(number: int) -> None:
    namespace = run(BLOCKS[0], BLOCKS[number])
    async with namespace["app"].test_app():
        response = await namespace["app"].test_client().get("/login")
        assert response.status_code in (200, 404)


def block(word: str) -> str:
    """Return the one further block that *word* is in."""
    (found,) = [block for block in BLOCKS[1:] if word in block]
    return found


async def test_the_block_on_loading_tells_who_is_there() -> None:
    client = run(BLOCKS[0], block("load_current_user"))["app"].test_client()
    assert await (await client.get("/greeting")).get_data(as_text=True) == "Hello, stranger!"
    form = {"name": "alice", "password": "follow the white rabbit"}
    await client.post("/login", form=form)
    assert await (await client.get("/greeting")).get_data(as_text=True) == "Hello, you!"


async def test_the_block_on_testing_begins_logged_in() -> None:
    client = run(BLOCKS[0], block("QuartLoginClient"))["client"]
    assert await (await client.get("/")).get_data(as_text=True) == "Hello, alice!"


async def test_the_block_on_typing_lets_its_user_in() -> None:
    namespace = run(BLOCKS[0], block("LoginManager[User]"))
    app = namespace["app"]
    app.test_client_class = quart_login.QuartLoginClient
    client = app.test_client(user=namespace["users"]["alice"])
    assert await (await client.get("/")).get_data(as_text=True) == "alice"


async def test_the_block_on_events_hears_of_a_forged_login(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = run(BLOCKS[0], block("connect_via"))["app"].test_client()
    await client.get("/", headers={"Cookie": "remember_token=1|00"})
    assert "Somebody tried a forged login." in caplog.messages


async def test_the_block_on_the_epoch_ends_the_older_logins_of_its_user() -> None:
    namespace = run(BLOCKS[0], block("session_epoch"))
    member = namespace["users"]["alice"] = namespace["Member"]("alice", "hash 1")
    app = namespace["app"]
    app.test_client_class = quart_login.QuartLoginClient
    client = app.test_client(user=member)
    assert (await client.get("/")).status_code == 200
    member.password_hash = "hash 2"
    assert (await client.get("/")).status_code == 302


# --- the commands and links ----------------------------------------------------------------------


def test_each_command_is_one_line_that_names_what_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert len(COMMANDS) == 2
    for command in COMMANDS:
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert all(extra in extras for extra in re.findall(r"\[(\w+)\]", command))
        assert all((ROOT / path).is_file() for path in re.findall(r"[\w/]+\.py", command))


def test_each_link_to_a_file_leads_to_one() -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", prose)
    assert "docs/differences.md" in links
    assert [link for link in links if not (ROOT / link).is_file()] == []


# --- the tables ----------------------------------------------------------------------------------


def test_what_is_said_to_be_awaited_is_a_coroutine_function_and_the_rest_is_not() -> None:
    for awaited, plain in rows("What is awaited, and what is plain"):
        for name in names(awaited):
            assert iscoroutinefunction(lookup(name)), name
        for name in names(plain):
            known = hasattr(quart_login, name)
            assert not (known and iscoroutinefunction(lookup(name))), name
            assert known or name in ("is_authenticated", "bool", "async def"), name


def lookup(name: str) -> Any:
    value: Any = quart_login
    for part in name.split("."):
        value = getattr(value, part)
    return value


#: How README.md writes a default.
WRITTEN = {timedelta(days=365): "365 days", timedelta(days=1): "1 day"}

#: Settings that are the framework's, or a manager's.
ELSEWHERE = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "SESSION_PROTECTION"}


def written(default: Any) -> str:
    if default in (None, True, False) or isinstance(default, tuple):
        return f"`{default}`"
    return WRITTEN.get(default) or f'`"{default}"`'


def test_every_setting_is_named_with_its_default() -> None:
    said = {names(key)[0]: default for key, default, _ in rows("Configuration")}
    expected = {
        key: written(default)
        if default == settings.FLASK_LOGIN[key]
        else f"{written(default)}; `flask_compat`: {written(settings.FLASK_LOGIN[key])}"
        for key, default in settings.SAFE.items()
    }
    assert {key: said[key] for key in said if key not in ELSEWHERE} == expected
    assert said.keys() >= ELSEWHERE


def test_session_protection_is_basic_by_default_as_said() -> None:
    (said,) = (row[1] for row in rows("Configuration") if "`SESSION_PROTECTION`" in row[0])
    for shell in (quart_login, flask_compat):
        assert said.endswith(f'`"{shell.LoginManager().session_protection}"`')


def test_every_signal_is_named() -> None:
    said = {names(row[0])[0] for row in rows("Events")}
    there = {name for name, value in vars(signals).items() if hasattr(value, "receivers")}
    # The header loader's is deprecated, and flask_compat's alone.
    assert said == there - {"user_loaded_from_header"}


def test_every_error_is_named_with_what_it_is() -> None:
    said = {names(row[0])[0]: names(row[0])[1:] for row in rows("Errors")}
    there = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.LoginError)
    }
    assert said.keys() == there.keys()
    for name, bases in said.items():
        assert [base.__name__ for base in there[name].__mro__ if base.__name__ in bases] == bases


def test_the_version_in_the_changes_is_the_packages() -> None:
    changes = (ROOT / "CHANGES.md").read_text()
    newest = re.search(r"^## Version (\S+)$", changes, re.MULTILINE)
    assert newest is not None
    assert newest[1] == quart_login.__version__
