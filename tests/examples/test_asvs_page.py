"""Is what docs/asvs-v7.md says true of the tests, and of the settings?"""

from __future__ import annotations

import re
from pathlib import Path

from core.test_audit import findings
from core.test_audit import kept as kept_findings

from quart_login._core.findings import State

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs-v7.md").read_text("utf-8")
ROWS = {
    cells[0]: cells
    for line in PAGE.splitlines()
    if len(cells := [cell.strip() for cell in line[1:-1].split("|")]) == 6
    and re.fullmatch(r"7\.\d\.\d", cells[0])
}

#: ASVS 5.0 has so many requirements in each section of V7.
SECTIONS = {"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2}


def test_every_requirement_of_the_chapter_is_there() -> None:
    numbers = [f"{part}.{n + 1}" for part, count in SECTIONS.items() for n in range(count)]
    assert list(ROWS) == numbers


def test_every_test_that_is_named_is_there(names_of_tests: set[str]) -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 20 and named - names_of_tests == set()


def test_what_the_library_claims_to_meet_is_tested() -> None:
    for number, (*_, how, yours, named) in ROWS.items():
        assert named or yours, number
        assert named or not how or number == "7.6.1", number


def test_what_is_not_met_without_a_store_is_what_the_check_says() -> None:
    [said] = re.findall(r"^Without a store, (.*?) are not met", PAGE, re.M | re.S)
    unmet = {one.requirement for one in findings() if one.state is State.UNMET}
    assert set(re.findall(r"[\d.]+\d", said)) == unmet - {"7.5.3"}


def test_with_one_the_check_calls_none_of_them_unmet_but_factors() -> None:
    found = (one for some in kept_findings().values() for one in some)
    assert {one.requirement for one in found if one.state is State.UNMET} == {"7.5.3"}
