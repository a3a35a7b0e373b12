"""Which mistakes would break a promise of the library's?

They are in the files of the folder ``written``, each a table::

    [[mutant]]
    name = "any signature does"         # what is wrong then
    breaks = ["P1", "17"]               # promises, and rows of the attacks that the tests count
    file = "quart_login/_core/tokens.py"
    old = "..."                         # what is there once, to the letter
    new = "..."                         # what is put into its place
    tests = ["tests/..."]               # files or ids of tests: one of them must fail
    slow = true                         # for the night alone
    hangs = true                        # so a test that does not end has seen it

A mutant whose text is not there any more is an error: the code has changed, and so must it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .workshop import ROOT

FOLDER: Final = Path(__file__).parent / "written"


class Misfit(ValueError):
    """A mutant that fits the code no longer."""


@dataclass(frozen=True)
class Written:
    """One mistake that somebody thought of."""

    name: str
    breaks: tuple[str, ...]
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    slow: bool = False
    hangs: bool = False

    def apply(self, text: str) -> str:
        """Return *text*, the file, with the mistake in it.  Raises `Misfit`."""
        count = text.count(self.old)
        if count != 1:
            raise Misfit(f"{self.file} has {count} times, not once, what is wrong in: {self.name}")
        changed = text.replace(self.old, self.new)
        if self.file.endswith(".py"):
            try:
                compile(changed, self.file, "exec", dont_inherit=True)
            except SyntaxError as error:
                raise Misfit(f"{self.file} is no Python any more with: {self.name}") from error
        return changed


def written() -> list[Written]:
    """Return all of them."""
    return [
        Written(**{**found, "breaks": tuple(found["breaks"]), "tests": tuple(found["tests"])})
        for file in sorted(FOLDER.glob("*.toml"))
        for found in tomllib.loads(file.read_text("utf-8"))["mutant"]
    ]


def text_of(mutant: Written) -> str:
    """Return the text of the file that *mutant* is of."""
    return (ROOT / mutant.file).read_text("utf-8")
