"""What does ``docs/proof.md`` say of each promise?

For each of them the tests that it rests on, and the mistakes that show that these can fail.  That
part of the page is made by ``python tests/mutants --page``, from docs/security.md and `written`; a
test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from .workshop import ROOT
from .written import Written, written

PAGE: Final = ROOT / "docs" / "proof.md"
SECURITY: Final = ROOT / "docs" / "security.md"

#: The promises there are.
NUMBERS: Final = tuple(f"P{number + 1}" for number in range(25))

#: Between these is what is made.
BEGIN: Final = "<!-- Made by: python tests/mutants --page -->"
END: Final = "<!-- The end of what is made. -->"


def made() -> str:
    """Return the part of the page that is made."""
    return "\n".join(line for number in NUMBERS for line in _section(number))


def with_made(page: str) -> str:
    """Return *page* with that part as it is now."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{made()}\n{END}{rest.partition(END)[2]}"


def _section(number: str) -> Iterator[str]:
    title, test = _promises()[number]
    breaking = [one for one in written() if number in one.breaks]
    yield f"### {number}. {title}\n"
    yield "Tests:\n"
    yield from (f"- `{test}`" for test in dict.fromkeys([*ids_of(test), *_tests(breaking)]))
    yield f"\nThey fail if ({len(breaking)}):\n"
    yield from (f"- {_shown(one)}" for one in breaking)
    yield ""


def _shown(mutant: Written) -> str:
    """Return what is wrong then, with the rows of attacks that it lets in."""
    rows = [row for row in mutant.breaks if row not in NUMBERS]
    return f"{mutant.name} ({', '.join(rows)})" if rows else mutant.name


def _tests(mutants: list[Written]) -> list[str]:
    """Return the tests that are named, and the files in which others are."""
    return sorted({test for mutant in mutants for test in mutant.tests})


@cache
def _promises() -> dict[str, tuple[str, str]]:
    """Return of each promise what it is called, and the test that docs/security.md names."""
    rows = re.findall(
        r"^\| (P\d+) \| \*\*(.+?)\.?\*\*.*\| `(test_\w+)` \|$", SECURITY.read_text("utf-8"), re.M
    )
    return {number: (title, test) for number, title, test in rows}


@cache
def ids_of(name: str) -> list[str]:
    """Return the ids of the tests of this *name*."""
    defined = re.compile(rf"^(?:async )?def {name}\(", re.M)
    return [
        f"{path.relative_to(ROOT).as_posix()}::{name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if defined.search(path.read_text("utf-8"))
    ]


def is_there(test: str) -> bool:
    """Is *test*, a file, a folder or an id, there?"""
    path, _, names = test.partition("::")
    if not names:
        return (ROOT / path).exists()
    text = (ROOT / path).read_text("utf-8") if (ROOT / path).is_file() else ""
    return all(re.search(rf"(?:def|class) {name}\b", text) for name in names.split("::"))
