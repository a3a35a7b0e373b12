"""What does a name in this file mean?

The answer is a whole name: ``quart.request`` where the file imports that, ``shop.views.index`` for
what the project's own module defines, ``shop.views.index.<locals>.form`` for what is local.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node
from libcst.metadata import (
    GlobalScope,
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    QualifiedName,
    QualifiedNameSource,
    Scope,
    ScopeProvider,
)

NodeT = TypeVar("NodeT", bound=cst.CSTNode)


class Source:
    """One file of the project."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.name, self.package = module_name(path)
        # A tree that was just parsed has each node once; the wrapper need not copy it.
        wrapper = MetadataWrapper(cst.parse_module(data), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._positions = wrapper.resolve(PositionProvider)
        self._scopes = wrapper.resolve(ScopeProvider)
        self._names: dict[cst.CSTNode, list[str]] = {}
        self.stars = list(self._find_stars())

    def line(self, node: cst.CSTNode) -> int:
        """Return the number of the line that *node* begins on."""
        return self._positions[node].start.line

    def text(self, node: cst.CSTNode) -> str:
        return self.module.code_for_node(node)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._parents.get(node)

    def scope(self, node: cst.CSTNode) -> Scope | None:
        return self._scopes.get(node)

    def names_of(self, node: cst.CSTNode) -> list[str]:
        """Return the whole names of what *node*, a name or attribute, may mean; imports first."""
        if node not in self._names:
            self._names[node] = self._find_names(node)
        return self._names[node]

    def _find_names(self, node: cst.CSTNode) -> list[str]:
        scope = self.scope(node)
        if scope is None or not isinstance(node, cst.Name | cst.Attribute):
            return []
        found = scope.get_qualified_names_for(node)
        if not found and isinstance(node, cst.Name):
            return [f"{star}.{node.value}" for star in self.stars]
        return [self._whole(name) for name in sorted(found, key=_imports_first)]

    def is_imported(self, node: cst.CSTNode) -> bool:
        """Is *node* a name, or an attribute of one, that an import gave?"""
        scope = self.scope(node)
        found = scope.get_qualified_names_for(node) if scope is not None else ()
        return any(name.source is QualifiedNameSource.IMPORT for name in found)

    def _whole(self, name: QualifiedName) -> str:
        if name.source is QualifiedNameSource.LOCAL:
            return f"{self.name}.{name.name}"
        return self.absolute(name.name)

    def absolute(self, name: str) -> str:
        """Return *name* (``..models.User``) as seen from everywhere."""
        bare = name.lstrip(".")
        dots = len(name) - len(bare)
        if not dots:
            return name
        parents = self.package.split(".") if self.package else []
        parents = parents[: len(parents) - dots + 1]
        return ".".join([*parents, bare] if bare else parents)

    def imported(self) -> dict[str, str]:
        """Return which names at the head of this module are of others: ``{"User": "a.b.User"}``."""
        return {name: meant[-1] for name, meant in self.all_imported().items()}

    def all_imported(self) -> dict[str, list[str]]:
        """Return the same, with all that a name may mean: ``try: from a import b``."""
        found: dict[str, list[str]] = {}
        for assignment in self._globals.assignments:
            if isinstance(assignment, ImportAssignment):
                for name in assignment.get_qualified_names_for(assignment.name):
                    found.setdefault(assignment.name, []).append(self._whole(name))
        return found

    @property
    def _globals(self) -> GlobalScope:
        scope = self.scope(self.module)
        assert isinstance(scope, GlobalScope)
        return scope

    @property
    def is_of_flask(self) -> bool:
        """Does the file import from Flask?  What is written for Quart knows Quart."""
        return any(name.partition(".")[0] == "flask" for name in self.imported().values())

    def offers(self, name: str) -> bool:
        """Does this module define or import *name*, by itself?"""
        return name in self._globals.assignments

    def _find_stars(self) -> Iterator[str]:
        """Yield the modules that all names are imported from, also in a ``try``."""
        for node in m.findall(self.module, m.ImportFrom(names=m.ImportStar())):
            node = cst.ensure_type(node, cst.ImportFrom)
            module = get_full_name_for_node(node.module) if node.module else ""
            yield self.absolute("." * len(node.relative) + (module or ""))

    def beside(self, module: str) -> Path | None:
        """Return the file of *module* in the folder of this file, or in that of its package."""
        folders = [self.path.parent]
        for _ in self.package.split(".") if self.package else []:
            folders.append(folders[-1].resolve().parent)
        for folder in {folders[0], folders[-1]}:
            place = folder.joinpath(*module.split("."))
            for path in (place.with_suffix(".py"), place / "__init__.py"):
                if module and path.is_file() and "site-packages" not in path.parts:
                    return path.resolve()
        return None

    def binds(self, name: str) -> bool:
        """Is *name* given a meaning anywhere in this file?"""
        scopes = {scope for scope in self._scopes.values() if scope is not None}
        return any(not _builtin(scope) and name in scope.assignments for scope in scopes)

    def above(self, node: cst.CSTNode, kind: type[NodeT]) -> NodeT | None:
        """Return the nearest node of *kind* around *node*."""
        around = self.parent(node)
        while around is not None and not isinstance(around, kind):
            around = self.parent(around)
        return around


def module_name(path: Path) -> tuple[str, str]:
    """Return the whole name of the module at *path*, and that of the package it is in."""
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.resolve().parent
    packages: list[str] = []
    while (folder / "__init__.py").exists():
        packages.insert(0, folder.name)
        folder = folder.parent
    return ".".join([*packages, *parts]) or path.stem, ".".join(packages)


def _imports_first(name: QualifiedName) -> tuple[bool, str]:
    return name.source is not QualifiedNameSource.IMPORT, name.name


def _builtin(scope: Scope) -> bool:
    return not hasattr(scope, "assignments") or type(scope).__name__ == "BuiltinScope"
