"""Is what docs/redirects.md says true?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from quart_login import safe_next

PAGE = (Path(__file__).parents[2] / "docs" / "redirects.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PROBLEMS = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(*blocks: str) -> dict[str, Any]:
    """Run *blocks* as one module, and return what it defines."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, "redirects.md", "exec"), namespace)
    return namespace


async def test_the_application_leads_a_stranger_back() -> None:
    client = run(*BLOCKS[:2])["app"].test_client()
    answer = await client.get("/account?tab=2")
    assert answer.headers["Location"] == "/login?next=%2Faccount%3Ftab%3D2"
    answer = await client.post(answer.headers["Location"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?tab=2")
    answer = await client.post("/login?next=//evil.example")
    assert answer.headers["Location"] == "/"


async def test_the_login_page_is_that_of_the_language() -> None:
    client = run(*BLOCKS[:3])["app"].test_client()
    answer = await client.get("/account", headers={"Accept-Language": "de"})
    assert answer.headers["Location"] == "/anmelden?next=%2Faccount"
    assert (await client.get("/account")).headers["Location"] == "/login?next=%2Faccount"


async def test_a_program_gets_the_problem_that_is_shown() -> None:
    client = run(*BLOCKS)["app"].test_client()
    answer = await client.get("/account", headers={"Accept": "application/json"})
    assert [json.loads(text) for text in PROBLEMS] == [json.loads(await answer.get_data())]


def refused() -> list[str]:
    rows = re.findall(r"^\| (?!Refused|---)[^|]* \| (`.*) \|$", PAGE, re.MULTILINE)
    return [
        target.replace("<TAB>", "\t").replace("...", "alert(1)")
        for row in rows
        if "evil" in row or "account" in row
        for target in re.findall(r"`([^`]+)`", row)
    ]


def test_the_table_of_what_is_refused_is_found() -> None:
    assert len(refused()) == 14


@pytest.mark.parametrize("target", refused())
def test_what_is_refused_is_refused(target: str) -> None:
    assert safe_next(target, "/home") == "/home"
