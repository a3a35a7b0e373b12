"""Is what docs/sessions.md says true?"""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quart_login._core import settings, terminal
from quart_login._core.commands import login
from quart_login._core.listing import ListedSession

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "sessions.md").read_text("utf-8")


def section(title: str) -> str:
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert found is not None, title
    return found[1]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def written(value: Any) -> str:
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def test_every_setting_is_there_with_its_default() -> None:
    said = {key[1:-1]: default for key, default, _ in rows(section("Settings"))[2:]}
    assert said == {key: written(settings.DEFAULTS[key]) for key in said}
    about = ("LIFETIME", "IDLE", "ASSURANCE", "MAX_SESSIONS", "WINDOW", "ADOPT", "STORE", "CLOSE")
    there = {key for key in settings.DEFAULTS if any(word in key for word in about)}
    assert said.keys() == there - {"LOGIN_TOKEN_LIFETIME"}


def test_every_preset_is_there_with_its_limits() -> None:
    said = {
        name: (lifetime, idle, remembers)
        for row in rows(section("How long a login lasts"))
        for name in re.findall(r'"(aal\d)"', row[0])
        for lifetime, idle, remembers in [row[1:]]
    }
    assert said.keys() == settings.PRESETS.keys()
    for name, (lifetime, idle, remembers) in settings.PRESETS.items():
        assert seconds(said[name][0]) == lifetime
        assert (None if said[name][1] == "none" else seconds(said[name][1])) == idle
        assert said[name][2] == ("allowed" if remembers else "off")


def seconds(text: str) -> float:
    number, unit = text.split()
    return timedelta(**{unit if unit.endswith("s") else f"{unit}s": int(number)}).total_seconds()


def test_every_attribute_of_an_entry_is_named() -> None:
    [text] = re.findall(r"An entry of the list has the attributes (.*?); times", PAGE, re.S)
    assert re.findall(r"`(\w+)`", text) == [field.name for field in fields(ListedSession)]


def test_the_commands_are_there_and_the_table_has_these_columns() -> None:
    text = section("On the command line")
    commands = re.findall(r"login (\w+)", text)
    assert commands and set(commands) <= set(login.commands)
    [head] = [line for line in text.splitlines() if line.startswith("Id ")]
    assert re.split(r"\s{2,}", head) == list(terminal.HEAD)


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
)
def test_each_link_of_a_page_leads_to_one(page: str) -> None:
    path = DOCS / page
    prose = re.sub(r"```.*?```|`[^`]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [link for link in links if not (path.parent / link).is_file()] == []
