"""Does docs/security.md name every promise, and tests that there are?"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line[1:-1].split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| P\d", line)
]


def test_every_promise_is_there_and_says_when_it_holds() -> None:
    assert [row[0] for row in ROWS] == [f"P{number + 1}" for number in range(25)]
    assert all(re.match("always|with a store|the first with a store", row[2]) for row in ROWS)


def test_every_test_that_is_named_is_there(names_of_tests: set[str]) -> None:
    for number, *_, test in ROWS:
        assert test.strip("`") in names_of_tests, number


def test_what_the_readme_does_not_promise_the_page_does_not_either() -> None:
    readme = (ROOT / "README.md").read_text("utf-8").partition("## What is not promised")[2]
    headings = re.findall(r"^- \*\*(.+?)\*\*", readme, re.M | re.S)
    assert headings
    assert [one for one in headings if f"- **{one}**" not in PAGE] == []
