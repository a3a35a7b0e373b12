"""Where does `must_await` stand, and how is it taken away again?

Rule 1  It stands next to the function: other decorators get what it makes.
Rule 2  It is taken away with its import, unless the file names it elsewhere; that is told.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.helpers import get_full_name_for_node

from .edits import Edits
from .project import Project
from .sources import Source
from .survey import Function, Survey

_MODULE, _NAME = "quart_login.must_await", "must_await"
MARK = f"{_MODULE}.{_NAME}"

#: What a file calls it where the name means something else.
_OTHER = "quart_login_must_await"


def mark(source: Source, function: Function, edits: Edits) -> None:
    """Put the decorator to *function*."""
    taken = source.binds(_NAME) and source.imported().get(_NAME) != MARK
    decorator = cst.Decorator(cst.Name(_OTHER if taken else _NAME))
    edits.needed[source].add((_MODULE, _NAME, _OTHER) if taken else (_MODULE, _NAME))

    def edit(updated: Any) -> Any:
        return updated.with_changes(decorators=[*updated.decorators, decorator])

    edits.add(source, function.node, edit)


def unmark(project: Project, edits: Edits) -> None:
    """Take all of them away."""
    for survey in project.surveys:
        found = [one for one in survey.references if project.name_of(survey.source, one) == MARK]
        others = [one for one in found if not _is_decorator(survey.source, one)]
        for function in survey.functions:
            _unmark_function(project, survey.source, function, edits)
        for node in others:
            project.tell(
                survey.source, node, f"`{_NAME}` is more than a decorator here: it is left"
            )
        if not others:
            _forget(survey, edits)


def _is_decorator(source: Source, node: cst.CSTNode) -> bool:
    return isinstance(source.parent(node), cst.Decorator)


def _unmark_function(project: Project, source: Source, function: Function, edits: Edits) -> None:
    kept = [
        index
        for index, one in enumerate(function.node.decorators)
        if project.name_of(source, one.decorator) != MARK
    ]

    def edit(updated: Any) -> Any:
        lines = [
            line
            for index, one in enumerate(updated.decorators)
            if index not in kept
            for line in one.leading_lines
        ]
        return updated.with_changes(
            decorators=[updated.decorators[index] for index in kept],
            lines_after_decorators=[*lines, *updated.lines_after_decorators],
        )

    if len(kept) < len(function.node.decorators):
        edits.add(source, function.node, edit)


def _forget(survey: Survey, edits: Edits) -> None:
    for node in survey.imports:
        if isinstance(node, cst.ImportFrom) and _is_ours(survey.source, node):
            line = survey.source.parent(node)
            alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
            block = survey.source.parent(line) if line is not None else None
            # The only line of a block would leave nothing.
            only = isinstance(block, cst.IndentedBlock) and len(block.body) == 1
            if alone and line is not None and not only:
                edits.add(survey.source, line, lambda _: cst.RemoveFromParent())
            else:
                edits.add(survey.source, node, lambda _: cst.Pass())


def _is_ours(source: Source, node: cst.ImportFrom) -> bool:
    module = get_full_name_for_node(node.module) if node.module else ""
    return source.absolute("." * len(node.relative) + (module or "")) == _MODULE
