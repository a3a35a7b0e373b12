"""What can be measured?  A module each, with ``ROUNDS`` and ``measure(options, progress)``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

NAMES = ("requests", "registry", "stores", "load", "sockets", "imports")


@dataclass(frozen=True)
class Options:
    """How thoroughly is it measured?"""

    rounds: int = 0  # each section's own
    quick: bool = False  # to see that it works

    def size(self, thorough: int, quick: int) -> int:
        return quick if self.quick else thorough


def module_of(name: str) -> Any:
    return import_module(f"benchmarks.sections.{name}")
