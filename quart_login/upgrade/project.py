"""Which function, class or fixture of the project does a name mean?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
from libcst.helpers import get_full_name_for_node

from .findings import Findings
from .names import now
from .sources import Source
from .survey import Class, Function, Survey

#: No chain of re-exports and no line of ancestors is longer.
_FAR = 12


class Project:
    """All files that were given."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.findings = Findings()
        self._names: dict[cst.CSTNode, str] = {}
        self.sources = list(sources)
        for source in self.sources:
            source.stars = list(_stars(source))
        self.surveys = [Survey(source) for source in self.sources]
        self.functions = {one.key: one for survey in self.surveys for one in survey.functions}
        self.classes = {one.key: one for survey in self.surveys for one in survey.classes}
        self.by_node = {one.node: one for one in self.functions.values()}
        self._modules = {source.name: source.imported() for source in self.sources}
        self._heads = {name.partition(".")[0] for name in self._modules}
        self._stars = {source.name: source.stars for source in self.sources}

    def tell(self, source: Source, node: cst.CSTNode, what: str) -> None:
        """Add a finding about *node*."""
        self.findings.add(source.path, source.line(node), what)

    # --- names -----------------------------------------------------------------------------------

    def name_of(self, source: Source, node: cst.CSTNode) -> str:
        """Return the whole name, as it is after the change, of what *node* means; "" if unknown."""
        if node not in self._names:
            self._names[node] = self._find_name(source, node)
        return self._names[node]

    def _find_name(self, source: Source, node: cst.CSTNode) -> str:
        meant = [self.whole(name) for name in source.names_of(node)]
        ours = [name for name in meant if name in self.functions or name in self.classes]
        return next(iter([*ours, *meant]), "")

    def is_elsewhere(self, source: Source, node: cst.CSTNode) -> bool:
        """Is *node* something that is imported from outside of the project?"""
        if not source.is_imported(node):
            return False
        name = self.name_of(source, node)
        return self._split(name)[0] == "" and name.partition(".")[0] not in self._heads

    def whole(self, name: str) -> str:
        """Return what *name* is after the change, and after all that was imported by it."""
        for _ in range(_FAR):
            onward = self._onward(name)
            if onward == name:
                break
            name = onward
        return now(name)

    def _onward(self, name: str) -> str:
        if name in self.functions or name in self.classes:
            return name
        module, first, rest = self._split(name)
        target = self._modules.get(module, {}).get(first)
        if target is not None:
            return ".".join(filter(None, [target, rest]))
        for star in self._stars.get(module, []):
            if f"{star}.{first}" in self.functions or f"{star}.{first}" in self.classes:
                return ".".join(filter(None, [star, first, rest]))
        return name

    def _split(self, name: str) -> tuple[str, str, str]:
        parts = name.split(".")
        for end in range(len(parts) - 1, 0, -1):
            if ".".join(parts[:end]) in self._modules:
                return ".".join(parts[:end]), parts[end], ".".join(parts[end + 1 :])
        return "", name, ""

    # --- classes ---------------------------------------------------------------------------------

    def bases(self, cls: Class) -> list[str]:
        """Return the names of all ancestors of *cls*, the nearest first."""
        found: list[str] = []
        line = [cls]
        while line and len(found) < _FAR:
            for base in line.pop(0).node.bases:
                name = self._base_name(cls.source, base.value)
                if name in self.classes and name not in found:
                    line.append(self.classes[name])
                found.append(name)
        return found

    def _base_name(self, source: Source, node: cst.BaseExpression) -> str:
        if isinstance(node, cst.Subscript):
            node = node.value
        return self.name_of(source, node) or get_full_name_for_node(node) or "?"

    def method(self, key: str, name: str) -> Function | None:
        """Return the method *name* of the class *key* or of its ancestors."""
        cls = self.classes.get(key)
        if cls is None:
            return None
        line = [cls, *(self.classes[base] for base in self.bases(cls) if base in self.classes)]
        return next((one.methods[name] for one in line if name in one.methods), None)

    # --- fixtures --------------------------------------------------------------------------------

    def decorators(self, function: Function) -> Iterator[tuple[cst.BaseExpression, str]]:
        """Yield each decorator of *function* without its arguments, and its name."""
        for decorator in function.node.decorators:
            node = decorator.decorator
            node = node.func if isinstance(node, cst.Call) else node
            yield node, self.name_of(function.source, node)

    def is_fixture(self, function: Function) -> bool:
        return any(
            name.endswith((".fixture", ".yield_fixture")) and name.startswith("pytest")
            for _, name in self.decorators(function)
        )

    def fixture(self, function: Function, name: str) -> Function | None:
        """Return the fixture that pytest gives *function* for its parameter *name*."""
        if not (function.name.startswith("test") or self.is_fixture(function)):
            return None
        found = [one for one in self.functions.values() if one.name == name and one != function]
        seen = [one for one in found if self.is_fixture(one) and _sees(function, one)]
        # The nearest: in the same file, or in the deepest conftest.py.
        return max(seen, key=lambda one: (one.source is function.source, one.key), default=None)


def _sees(function: Function, fixture: Function) -> bool:
    if fixture.source is function.source:
        return True
    path = fixture.source.path
    return path.name == "conftest.py" and path.parent in function.source.path.parents


def _stars(source: Source) -> Iterator[str]:
    for node in source.module.body:
        for small in node.body if isinstance(node, cst.SimpleStatementLine) else []:
            if isinstance(small, cst.ImportFrom) and isinstance(small.names, cst.ImportStar):
                module = get_full_name_for_node(small.module) if small.module else ""
                yield source.absolute("." * len(small.relative) + (module or ""))
