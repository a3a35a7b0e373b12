"""Is what README.md says true?"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

import flask_compat
import quart_login

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


def test_the_names_to_import_from_flask_compat_are_there() -> None:
    namespace = run(block("import flask_compat as flask_login"))
    assert namespace["flask_login"] is flask_compat
    assert namespace["LoginManager"] is flask_compat.LoginManager


def test_the_blocks_are_typed(tmp_path: Path) -> None:
    # One imports anew what the first block does; test_typing looks at such code.
    anew = block("import flask_compat as flask_login")
    told = [each for each in BLOCKS[1:] if each != anew]
    (tmp_path / "readme.py").write_text("\n".join([BLOCKS[0], *told]))
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\ncache_dir = /dev/null\n")
    command = [sys.executable, "-m", "mypy", "readme.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


async def test_the_block_on_testing_begins_logged_in() -> None:
    client = run(BLOCKS[0], block("QuartLoginClient"))["client"]
    assert await (await client.get("/")).get_data(as_text=True) == "Hello, alice!"


def test_the_first_command_serves_the_first_block() -> None:
    [name] = re.findall(r"^In `(\w+)\.py`:\n\n```python", README, re.MULTILINE)
    assert COMMANDS[0].endswith(f"&& .venv/bin/quart --app {name} run")


# --- the commands and links ----------------------------------------------------------------------


def test_each_command_is_one_line_that_names_what_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    shown = [
        command for command in COMMANDS if command.startswith(".venv/bin/quart --app examples.")
    ]
    assert len(COMMANDS) - len(shown) == 6
    for command in [one for one in COMMANDS if one not in shown]:
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert all(extra in extras for extra in re.findall(r"\[(\w+)\]", command))
        assert all((ROOT / path).is_file() for path in re.findall(r"[\w/]+\.py", command))
        for module in re.findall(r"-m (examples\.\w+)", command):
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file()


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


def test_the_version_in_the_changes_is_the_packages() -> None:
    changes = (ROOT / "CHANGES.md").read_text()
    newest = re.search(r"^## Version (\S+)$", changes, re.MULTILINE)
    assert newest is not None
    assert newest[1] == quart_login.__version__
