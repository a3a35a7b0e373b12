"""How is a tree written anew without touching the rest of it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import libcst as cst

from .sources import Source

#: Takes a node with all changes below it made, and returns what stands in its place.
Edit = Callable[[Any], Any]


class Edits:
    """What is to be done at each node of each file, in the order it was asked for."""

    def __init__(self) -> None:
        self._edits: dict[Source, dict[cst.CSTNode, list[Edit]]] = defaultdict(dict)
        #: What the file has to import: ``("quart", "current_app")``, and perhaps as what.
        self.needed: dict[Source, set[tuple[str, ...]]] = defaultdict(set)

    def add(self, source: Source, node: cst.CSTNode, edit: Edit) -> None:
        self._edits[source].setdefault(node, []).append(edit)

    def apply(self, source: Source) -> cst.Module:
        """Return the tree of *source* with all edits made."""
        if source not in self._edits:
            return source.module
        return source.module.visit(_Apply(self._edits[source]))


class _Apply(cst.CSTTransformer):
    def __init__(self, edits: dict[cst.CSTNode, list[Edit]]) -> None:
        super().__init__()
        self._edits = edits

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        updated = super().on_leave(original_node, updated_node)
        for edit in self._edits.get(original_node, ()):
            updated = edit(updated)
        return updated


def awaiting(source: Source, node: cst.CSTNode) -> Edit:
    """Return the edit that awaits *node*."""
    parent = source.parent(node)
    inside = isinstance(parent, cst.Attribute | cst.Subscript | cst.Await) or (
        isinstance(parent, cst.Call) and parent.func is node
    )

    def edit(updated: Any) -> cst.Await:
        # Its parentheses go around all of it: `return(f())` has no room for a word before them.
        lpar, rpar = updated.lpar, updated.rpar
        if inside and not lpar:
            lpar, rpar = [cst.LeftParen()], [cst.RightParen()]
        return cst.Await(updated.with_changes(lpar=[], rpar=[]), lpar=lpar, rpar=rpar)

    return edit


def asynchronous(updated: Any) -> Any:
    """Put ``async`` before a function or a block."""
    return updated.with_changes(asynchronous=cst.Asynchronous())


def renamed(name: str) -> Edit:
    """Return the edit that gives a name another one."""
    return lambda updated: updated.with_changes(value=name)


def attribute_renamed(name: str) -> Edit:
    """Return the edit that gives an attribute's last part another name."""
    return lambda updated: updated.with_changes(attr=cst.Name(name))


def dotted(name: str) -> cst.Name | cst.Attribute:
    """Return the expression ``a.b.c``."""
    head, *rest = name.split(".")
    expression: cst.Name | cst.Attribute = cst.Name(head)
    for part in rest:
        expression = cst.Attribute(expression, cst.Name(part))
    return expression
