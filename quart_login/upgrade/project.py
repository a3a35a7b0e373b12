"""Which function, class or fixture of the project does a name mean?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import libcst as cst
from libcst.helpers import get_full_name_for_node

from .findings import Findings
from .modules import Modules
from .names import now
from .sources import Source
from .survey import Class, Function, Survey

#: No chain of re-exports and no line of ancestors is longer.
_FAR = 12


class Project:
    """All files that were given."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.findings = Findings()
        self._names: dict[cst.CSTNode, list[str]] = {}
        self.sources = list(sources)
        self.modules = Modules(self.sources)
        self._imported = {source: source.all_imported() for source in self.sources}
        self.surveys = [Survey(source) for source in self.sources]
        #: All functions, also those of one name: ``if ...: def f() ... else: def f() ...``.
        self.every = [one for survey in self.surveys for one in survey.functions]
        self.functions = {one.key: one for one in self.every}
        self.classes = {one.key: one for survey in self.surveys for one in survey.classes}
        self.by_node = {one.node: one for one in self.every}
        self._by_key: dict[str, list[Function]] = defaultdict(list)
        for one in self.every:
            self._by_key[one.key].append(one)
        self._of_key: dict[str, list[Class]] = defaultdict(list)
        for cls in (cls for survey in self.surveys for cls in survey.classes):
            self._of_key[cls.key].append(cls)
        self._children: dict[str, list[str]] | None = None

    def tell(self, source: Source, node: cst.CSTNode, what: str) -> None:
        """Add a finding about *node*."""
        self.findings.add(source.path, source.line(node), what)

    # --- names -----------------------------------------------------------------------------------

    def name_of(self, source: Source, node: cst.CSTNode) -> str:
        """Return the whole name, as it is after the change, of what *node* means; "" if unknown."""
        return next(iter(self.names_of(source, node)), "")

    def names_of(self, source: Source, node: cst.CSTNode) -> list[str]:
        """Return all whole names of what *node* may mean, those of the project first."""
        if node not in self._names:
            self._names[node] = self._find_names(source, node)
        return self._names[node]

    def _find_names(self, source: Source, node: cst.CSTNode) -> list[str]:
        found = [name for one in source.names_of(node) for name in self._wholes(one, source)]
        return sorted(dict.fromkeys(found), key=lambda name: not self._is_known(name))

    def _is_known(self, name: str) -> bool:
        return name in self.functions or name in self.classes

    def is_elsewhere(self, source: Source, node: cst.CSTNode) -> bool:
        """Is *node* something that is imported from outside of the project?"""
        if not source.is_imported(node):
            return False
        return not any(self._split(name, source) for name in self.names_of(source, node))

    def named_from(self, source: Source, name: str) -> list[Function]:
        """Return the functions that the whole *name* may mean in *source*, also by an import."""
        return [one for whole in self._wholes(name, source) for one in self.named(whole)]

    def named(self, name: str) -> list[Function]:
        """Return the functions whose whole name is *name*."""
        return self._by_key.get(name, [])

    def _wholes(self, name: str, source: Source) -> list[str]:
        found, seen, ahead = [], set(), [(name, source)]
        while ahead:
            one = ahead.pop(0)
            if one not in seen:
                seen.add(one)
                onward = [] if self._is_known(one[0]) else self._onward(*one)
                ahead += onward
                found += [] if onward else [now(one[0])]
        return sorted(dict.fromkeys(found), key=lambda whole: not self._is_known(whole))

    def _onward(self, name: str, asking: Source) -> list[tuple[str, Source]]:
        """Return what *name* was imported as, wherever that was."""
        found = []
        for module, first, rest in self._split(name, asking):
            targets = [(target, module) for target in self._imported[module].get(first, ())]
            targets += [(f"{star.name}.{first}", star) for star in self._through(module, first)]
            found += [(".".join(filter(None, [target, rest])), one) for target, one in targets]
            own = ".".join(filter(None, [module.name, first, rest]))
            if own != name and (not targets or self._is_known(own)):
                found.append((own, module))
        return found

    def _split(self, name: str, asking: Source) -> list[tuple[Source, str, str]]:
        """Return the files that *name* may be in, its first part there, and the rest."""
        parts = name.split(".")
        for end in range(len(parts) - 1, 0, -1):
            found = self.modules.named(".".join(parts[:end]), asking)
            if found:
                return [(one, parts[end], ".".join(parts[end + 1 :])) for one in found]
        return []

    def _through(self, module: Source, first: str) -> list[Source]:
        """Return the files that *module* has *first* from by ``import *``, at whatever remove."""
        found, seen, ahead = [], {module}, [module]
        while ahead:
            one = ahead.pop(0)
            if one is not module and one.offers(first):
                found.append(one)
                continue
            stars = [star for name in one.stars for star in self.modules.named(name, one)]
            ahead += [star for star in stars if star not in seen]
            seen |= set(stars)
        return found

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
        return next(iter(self.methods(key, name, below=False)), None)

    def methods(self, key: str, name: str, *, below: bool) -> list[Function]:
        """Return the methods *name* that an object of the class *key* may have.

        An object that is known as one of *key* may be one of a class *below* that.
        """
        found = []
        for one in (key, *(self.below(key) if below else ())):
            for cls in self._of_key.get(one, ()):
                line = [
                    cls,
                    *(own for base in self.bases(cls) for own in self._of_key.get(base, ())),
                ]
                having = next((cls for cls in line if name in cls.methods), None)
                found += (
                    [method for method in having.every if method.name == name] if having else []
                )
        return list(dict.fromkeys(found))

    def below(self, key: str) -> list[str]:
        """Return the classes of the project that derive from *key*."""
        if self._children is None:
            self._children = defaultdict(list)
            for cls in self.classes.values():
                for base in self.bases(cls):
                    self._children[base].append(cls.key)
        return self._children.get(key, [])

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
        found = [one for one in self.every if one.name == name and one != function]
        seen = [one for one in found if self.is_fixture(one) and _sees(function, one)]
        # The nearest: in the same file, or in the deepest conftest.py.
        return max(seen, key=lambda one: (one.source is function.source, one.key), default=None)


def _sees(function: Function, fixture: Function) -> bool:
    if fixture.source is function.source:
        return True
    path = fixture.source.path
    return path.name == "conftest.py" and path.parent in function.source.path.parents
