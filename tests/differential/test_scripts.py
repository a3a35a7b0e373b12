"""Flask-Login 0.6.3 and both shells play the same scripts, and do the same at every step.

They do the same but for the table in `differences`, which says for each of its rows exactly what
the shells do instead.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from differential.cases import CASES
from differential.differences import DIFFERENCES, table
from differential.plays import Line, perform
from differential.stages import SHELLS

PLAYED: dict[tuple[str, str], list[Line]] = {}


async def played(case_id: str, shell: str) -> list[Line]:
    """Play the case, once."""
    if (case_id, shell) not in PLAYED:
        PLAYED[case_id, shell] = await perform(CASES[case_id], shell)
    return PLAYED[case_id, shell]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("case_id", CASES)
async def test_a_script_is_played_as_by_flask_login(case_id: str, shell: str) -> None:
    for line in await played(case_id, shell):
        assert line.found == line.expected, (
            f"step {line.number}, {line.text}, in {shell}; differences: {line.differences}"
        )


async def test_every_difference_of_the_table_shows_in_every_shell_it_names() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for case_id in CASES:
        for shell in SHELLS:
            for line in await played(case_id, shell):
                seen.update((name, shell) for name in line.differences)
    assert set(seen) == {(d.name, shell) for d in DIFFERENCES for shell in d.shells}


async def test_most_steps_need_no_difference() -> None:
    """The table says what little differs; were it too broad, little would be compared."""
    shares = {}
    for shell in SHELLS:
        lines = [line for case_id in CASES for line in await played(case_id, shell)]
        # In Quart the order of `user_accessed` differs wherever there is a user.
        alike = [line for line in lines if not set(line.differences) - {"eager-loading"}]
        shares[shell] = len(alike) / len(lines)
    assert min(shares.values()) > 0.6, shares


def test_there_are_enough_combinations() -> None:
    assert len(CASES) * len(SHELLS) >= 1500


def test_the_table_is_in_the_docs() -> None:
    page = Path(__file__).parents[2] / "docs" / "differences.md"
    assert table() in page.read_text(encoding="utf-8")
