"""Which files of the project does the name of a module mean?

Rule 1  The name that the file has by its packages.
Rule 2  Else the end of its path, as folders without ``__init__.py`` are packages, too.
Rule 3  A name without dots is the end of a path, if nothing of that name is installed.
Rule 4  Files of one name are told apart by their folders; who imports that name may mean each.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from .sources import Source


class Modules:
    """The files of a project, by the names of their modules."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._ends: dict[str, list[Source]] = defaultdict(list)
        for source in sources:
            for end in _ends(source.path):
                self._ends[end].append(source)
        _tell_apart(sources)
        self.by_name = {source.name: source for source in sources}
        self.paths = {source.path.resolve() for source in sources}

    def named(self, name: str, asking: Source) -> list[Source]:
        """Return the files that *name* may mean in *asking*; none if it is others' module."""
        if name in self.by_name:
            return [self.by_name[name]]
        if name not in self._ends or ("." not in name and self.is_installed(name)):
            return []
        found = [one for one in self._ends[name] if one is not asking]
        return [one for one in found if one.path.parent == asking.path.parent] or found

    def perhaps(self, name: str) -> list[Source]:
        """Return the files that are called like the last part of *name*, which nobody knows."""
        last = name.rpartition(".")[2]
        return [] if self.is_installed(name) else self._ends.get(last, [])

    def is_installed(self, name: str) -> bool:
        """Is *name*, or the package that it is in, somewhere outside of the project?"""
        origin = _origin(name.partition(".")[0])
        return origin is not None and origin not in self.paths


def _ends(path: Path) -> list[str]:
    """Return ``policy``, ``shop.policy``, ``src.shop.policy`` and so on."""
    whole = path.resolve()
    parts = list((whole.parent if whole.stem == "__init__" else whole.with_suffix("")).parts[1:])
    return [".".join(parts[start:]) for start in range(max(0, len(parts) - 6), len(parts))]


def _tell_apart(sources: Sequence[Source]) -> None:
    named: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        named[source.name].append(source)
    for same in named.values():
        if len(same) > 1:
            for source in same:
                source.name = ".".join(source.path.resolve().with_suffix("").parts[1:])


@cache
def _origin(head: str) -> Path | None:
    """Return where the module *head* is installed, without importing anything; None if it is not.

    A package that has no file of its own is no answer: any folder is one of those.
    """
    if head in sys.builtin_module_names:
        return Path(head)
    try:
        spec = PathFinder.find_spec(head)
    except (ImportError, ValueError, AttributeError):
        return None
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None
