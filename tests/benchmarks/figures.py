"""What was measured, with what, and when?

Figures are kept as JSON: those of one environment (Quart, Flask, Python) beside another's, and of
one section while others are measured anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Value = float | bool | str


@dataclass(frozen=True)
class Line:
    """What one contender needed for one row."""

    group: str
    row: str
    contender: str
    figures: dict[str, Value]


def marks_of(line: Line, floor: Line) -> str:
    """Return what tells that *line* is not like with like: no ``Vary``, a needless cookie."""
    without_vary = floor.figures["varies"] and not line.figures["varies"]
    with_cookie = line.figures["sets"] and not floor.figures["sets"]
    return f"{'°' if without_vary else ''}{'ᶜ' if with_cookie else ''}"


@dataclass(frozen=True)
class Section:
    """What one section measured."""

    how: str  # in how many rounds of what
    taken: str  # in which month
    seconds: float
    machine: str
    versions: dict[str, str]
    absent: list[str]
    lines: list[Line]

    def find(self, group: str, row: str, contender: str) -> dict[str, Value] | None:
        for line in self.lines:
            if (line.group, line.row, line.contender) == (group, row, contender):
                return line.figures
        return None

    def groups(self) -> list[str]:
        return list(dict.fromkeys(line.group for line in self.lines))

    def of(self, group: str) -> list[Line]:
        return [line for line in self.lines if line.group == group]


@dataclass
class Figures:
    """Sections by environment and name."""

    environments: dict[str, dict[str, Section]] = field(default_factory=dict)

    def add(self, environment: str, name: str, section: Section) -> None:
        self.environments.setdefault(environment, {})[name] = section

    def sections(self) -> Iterator[tuple[str, str, Section]]:
        for environment, sections in self.environments.items():
            for name, section in sections.items():
                yield environment, name, section

    def save(self, path: Path) -> None:
        kept = {
            environment: {name: asdict(section) for name, section in sections.items()}
            for environment, sections in sorted(self.environments.items())
        }
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(path: Path) -> Figures:
    """Return what is kept at *path*; nothing if nothing is."""
    figures = Figures()
    if path.exists():
        for environment, sections in json.loads(path.read_text("utf-8")).items():
            for name, kept in sections.items():
                figures.add(environment, name, section_of(kept))
    return figures


def section_of(kept: dict[str, Any]) -> Section:
    return Section(**{**kept, "lines": [Line(**line) for line in kept["lines"]]})


def lines_of(kept: list[dict[str, Any]]) -> list[Line]:
    return [Line(**line) for line in kept]
