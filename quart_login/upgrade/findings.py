"""What could not be decided, and what is to be done about it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """A place that a person has to look at."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


class Findings:
    """All of them, each once."""

    def __init__(self) -> None:
        self._found: set[Finding] = set()

    def add(self, path: Path, line: int, what: str) -> None:
        self._found.add(Finding(path, line, what))

    def __iter__(self) -> Iterator[Finding]:
        return iter(sorted(self._found))

    def __len__(self) -> int:
        return len(self._found)
