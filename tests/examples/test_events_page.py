"""Is what docs/events.md says true?"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from blinker import Signal

from quart_login import LoginDecision, Reason, current_user
from quart_login._core import events, signals
from quart_login._core.decision import SOURCES

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def rows(head: str) -> list[list[str]]:
    """Return the rows of the table whose head begins with *head*."""
    table = re.search(rf"^\| {re.escape(head)} \|.*?\n\|[ |-]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None, head
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table[1].splitlines()]


def said(head: str, column: int = -1) -> dict[str, str]:
    """Return the table's column by what its first quotes as code, or says."""
    found = {}
    for row in rows(head):
        for name in re.findall(r"`([^`]+)`", row[0]):
            found[name] = row[column]
    return found


def test_every_signal_is_there_with_its_level() -> None:
    there = {name: s for name, s in vars(signals).items() if isinstance(s, Signal)}
    levels = {
        name: logging.getLevelName(events.LEVELS[signal]) if signal in events.LEVELS else None
        for name, signal in there.items()
    }
    levels |= {"user_accessed": "not logged", "credential_rejected": "by reason"}
    assert said("Signal") == {**said("Signal"), **levels}
    assert len(rows("Signal")) == len(there)
    assert said("Signal", 1).keys() - there.keys() == set()


def test_every_reason_is_there_with_its_level() -> None:
    levels = {}
    for reason, level in said("`Reason`").items():
        levels[reason] = level
        if level != "not sent":
            ours = events.GRAVER.get(Reason(reason), logging.INFO)
            assert level == logging.getLevelName(ours), reason
    assert levels.keys() == set(Reason)


def test_every_field_of_a_line_is_there(caplog: pytest.LogCaptureFixture) -> None:
    from core.paper import Paper

    caplog.set_level(logging.DEBUG, "quart_login")
    events.note(Paper(), signals.user_logged_in)
    usual = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
    assert said("Field").keys() == vars(caplog.records[0]).keys() - usual


def test_the_decision_s_attributes_and_sources_are_there() -> None:
    text = said("Attribute")
    assert text.keys() == set(LoginDecision.__slots__)
    assert set(re.findall(r'"(\w+)"', text["source"])) == set(SOURCES)


def test_every_signal_says_what_becomes_of_a_receiver_that_raises() -> None:
    assert said("Signal", 1).keys() == {
        name for row in rows_after("Receivers that raise") for name in row
    }


def rows_after(title: str) -> list[list[str]]:
    section = PAGE[PAGE.index(f"## {title}") :]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [re.findall(r"`(\w+)`", line.split("|")[1]) for line in lines]


async def test_its_code_runs_and_turns_the_sixth_attempt_away() -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS:
        exec(compile(block, "events.md", "exec"), names)
    client = names["app"].test_client()
    for status in [200] * 5 + [429]:
        answer = await client.post("/login", form={"name": "alice", "password": "guess"})
        assert answer.status_code == status
    answer = await client.get("/why")
    assert await answer.get_json() == {"authenticated": False, "reason": "not_loaded"}


async def test_it_hears_of_a_forged_login(caplog: pytest.LogCaptureFixture) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS:
        exec(compile(block, "events.md", "exec"), names)
    manager = names["login_manager"]
    manager.user_loader(lambda user_id: None)

    @names["app"].get("/who")
    async def who() -> str:
        return str(current_user.is_authenticated)

    forged = {"Cookie": f"remember_token=1|{'0' * 128}"}
    answer = await names["app"].test_client().get("/who", headers=forged)
    assert await answer.get_data(as_text=True) == "False"
    assert "Somebody tried a forged login." in caplog.messages
