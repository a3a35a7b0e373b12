"""What is imported now, and from where?

``from flask import Flask, request`` becomes ``from quart import Quart, request``, and every `Flask`
that means that import becomes `Quart`.  A name without a counterpart stays on a line of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import libcst as cst
from libcst.helpers import get_full_name_for_node

from . import names
from .edits import Edit, Edits, attribute_renamed, dotted, renamed
from .project import Project
from .sources import Source
from .survey import Survey

_PACKAGES = {
    "flask": "quart",
    "flask_login": "quart_login",
    "flask_compat": "quart_login",
    "quart_auth": "quart_login",
}

#: What to use in Quart in place of an extension of Flask's.
_EXTENSIONS = {
    "flask_babel": "Quart-Babel",
    "flask_cors": "Quart-CORS",
    "flask_limiter": "Quart-Rate-Limiter",
    "flask_session": "Quart-Session, or a store of quart_login for logins",
    "flask_socketio": "Quart's own `@app.websocket`",
    "flask_sqlalchemy": "SQLAlchemy's own `AsyncSession`, or Quart-Flask-Patch",
    "flask_uploads": "`await file.save(path)`",
    "flask_wtf": "Quart-WTForms, whose forms are made and validated with `await`",
}

#: A string that names something in a module, as `mock.patch` takes it.
_PATH = re.compile(r"^[\"'](flask|flask_login|quart_auth)\.[\w.]+[\"']$")


class Imports:
    """Writes the imports of a project anew, and the names that come of them."""

    def __init__(
        self, project: Project, edits: Edits, instead: dict[Source, dict[str, str]]
    ) -> None:
        self._project = project
        self._edits = edits
        #: What some names become in some files, whatever `names` says.
        self._instead = instead
        #: The extensions of Flask that are told already, each once.
        self._told = {*_PACKAGES, *(source.name.partition(".")[0] for source in project.sources)}
        for survey in project.surveys:
            self._one(survey)

    def _one(self, survey: Survey) -> None:
        for node in survey.imports:
            self._tell_of_extension(survey.source, node)
            if isinstance(node, cst.ImportFrom):
                self._plan_from(survey, node)
            else:
                self._plan_import(survey, node)
        for string in survey.strings:
            if _PATH.match(string.value):
                what = f"{string.value} names what is elsewhere now"
                self._project.tell(survey.source, string, what)

    def _becomes(self, source: Source, name: str) -> str | None:
        return self._instead.get(source, {}).get(name) or names.becomes(name)

    def _tell_of_extension(self, source: Source, node: cst.Import | cst.ImportFrom) -> None:
        for module in _modules(node):
            head = module.partition(".")[0]
            if head.startswith("flask_") and head not in self._told:
                self._told.add(head)
                other = _EXTENSIONS.get(head)
                use = f"use {other}" if other else "look for one of Quart's, or Quart-Flask-Patch"
                self._project.tell(source, node, f"`{head}` is an extension of Flask: {use}")

    # --- from M import N -------------------------------------------------------------------------

    def _plan_from(self, survey: Survey, node: cst.ImportFrom) -> None:
        module = "" if node.relative or node.module is None else _name(node.module)
        if not names.is_old(module):
            return
        if isinstance(node.names, cst.ImportStar):
            self._project.tell(survey.source, node, f"name what you import from `{module}`")
            return
        groups: dict[str, list[tuple[cst.ImportAlias, cst.ImportAlias]]] = defaultdict(list)
        for alias in node.names:
            home, new = self._alias(survey, node, module, alias)
            groups[home].append((alias, new))
        if groups.keys() != {module} or any(new is not old for old, new in groups[module]):
            self._write(survey.source, node, groups)

    def _alias(
        self, survey: Survey, node: cst.ImportFrom, module: str, alias: cst.ImportAlias
    ) -> tuple[str, cst.ImportAlias]:
        """Return where *alias* is imported from now, and as what."""
        old = _name(alias.name)
        target = self._becomes(survey.source, f"{module}.{old}")
        if target is None:
            hint = names.hint(f"{module}.{old}")
            self._project.tell(survey.source, node, f"`{old}` of `{module}` is left: {hint}")
            return module, alias
        home, _, new = target.rpartition(".")
        if new == old:
            return home, alias
        changed = alias.with_changes(name=cst.Name(new))
        if alias.asname is None and not self._rename(survey, f"{module}.{old}", new):
            changed = changed.with_changes(asname=cst.AsName(cst.Name(old)))
        return home, changed

    def _rename(self, survey: Survey, name: str, new: str) -> bool:
        """Rename what means *name*, unless *new* means something else in that file."""
        source, old = survey.source, name.rpartition(".")[2]
        if source.binds(new) and source.imported().get(new) != self._becomes(source, name):
            return False
        for node in survey.names:
            if node.value == old and name in source.names_of(node):
                self._edits.add(source, node, renamed(new))
        for string in survey.strings:
            if isinstance(source.parent(string), cst.Annotation):
                text = re.sub(rf"\b{old}\b", new, string.value)
                self._edits.add(source, string, renamed(text))
        return True

    def _write(
        self,
        source: Source,
        node: cst.ImportFrom,
        groups: dict[str, list[tuple[cst.ImportAlias, cst.ImportAlias]]],
    ) -> None:
        # The largest group keeps the line, with its form and comments.
        first = max(groups, key=lambda home: len(groups[home]))
        assert not isinstance(node.names, cst.ImportStar)
        aliases = _fitted([new for _, new in groups[first]], node)
        main = {"module": dotted(first), "names": aliases}
        others = [
            cst.ImportFrom(dotted(home), _bare([new for _, new in pairs]))
            for home, pairs in groups.items()
            if home != first
        ]
        line = source.parent(node)
        if others and not (isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1):
            self._project.tell(source, node, "write this import on a line of its own")
            return
        self._edits.add(source, node, lambda updated: updated.with_changes(**main))
        if others and line is not None:
            self._edits.add(source, line, _followed_by(others))

    # --- import M --------------------------------------------------------------------------------

    def _plan_import(self, survey: Survey, node: cst.Import) -> None:
        for alias in node.names:
            module = _name(alias.name)
            if names.is_old(module):
                self._plan_module(survey, node, alias, module)

    def _plan_module(
        self, survey: Survey, node: cst.Import, alias: cst.ImportAlias, module: str
    ) -> None:
        head, _, rest = module.partition(".")
        new = ".".join(filter(None, [_PACKAGES[head], rest]))
        known = (head == "quart_auth" and not rest) or names.becomes(module) == new
        local = alias.evaluated_alias or head
        uses = [(root, name) for root, name in _uses(survey, local, module, alias)]
        kept = [(root, name) for root, name in uses if not self._fits(survey.source, name)]
        if not known or (kept and alias.asname is not None):
            self._project.tell(survey.source, node, f"import `{module}` by its names")
            return
        for root, name in kept:
            what = f"`{name}` is left: {names.hint(name)}"
            self._project.tell(survey.source, root, what)
        for root, name in uses:
            if (root, name) not in kept:
                self._edit_use(survey.source, root, name, alias)
        also = [module] if kept else []
        self._edits.add(survey.source, alias, _renamed_alias(new))
        line = survey.source.parent(node)
        if also and line is not None:
            self._edits.add(survey.source, line, _followed_by([_import(name) for name in also]))

    def _fits(self, source: Source, name: str) -> bool:
        """Does *name*, as an attribute of its module, exist in the new module too?"""
        if "." not in name:
            return True
        target = self._becomes(source, name)
        if target is None:
            return False
        head, _, rest = name.partition(".")
        parent = ".".join(filter(None, [_PACKAGES[head], rest.rpartition(".")[0]]))
        return target.rpartition(".")[0] == parent

    def _edit_use(self, source: Source, root: cst.Name, name: str, alias: cst.ImportAlias) -> None:
        head, *rest = name.split(".")
        if alias.asname is None:
            self._edits.add(source, root, renamed(_PACKAGES[head]))
        last = (self._becomes(source, name) or name).rpartition(".")[2]
        if not rest or rest[-1] == last:
            return
        node: cst.CSTNode | None = root
        for _ in rest if alias.asname is None else rest[-1:]:
            node = source.parent(node) if node is not None else None
        if isinstance(node, cst.Attribute):
            self._edits.add(source, node, attribute_renamed(last))


def _uses(
    survey: Survey, local: str, module: str, alias: cst.ImportAlias
) -> list[tuple[cst.Name, str]]:
    """Return where *module* is used, and the name of what is used of it: ``flask.request``."""
    found = []
    for node in survey.names:
        if node.value == local.partition(".")[0] and _means(survey.source, node, module, alias):
            whole, source = module if alias.asname else node.value, survey.source
            deep = 1 if alias.asname else len(module.split("."))
            around = source.parent(node)
            for _ in range(deep):
                if not isinstance(around, cst.Attribute):
                    break
                whole = f"{whole}.{around.attr.value}"
                around = source.parent(around)
            found.append((node, whole))
    return found


def _means(source: Source, node: cst.Name, module: str, alias: cst.ImportAlias) -> bool:
    expected = module if alias.asname is not None else module.partition(".")[0]
    return expected in source.names_of(node)


def _modules(node: cst.Import | cst.ImportFrom) -> list[str]:
    if isinstance(node, cst.Import):
        return [_name(alias.name) for alias in node.names]
    return [] if node.relative or node.module is None else [_name(node.module)]


def _name(node: cst.CSTNode) -> str:
    return get_full_name_for_node(node) or ""


def _import(module: str) -> cst.Import:
    return cst.Import([cst.ImportAlias(dotted(module))])


def _renamed_alias(module: str) -> Edit:
    return lambda updated: updated.with_changes(name=dotted(module))


def _bare(aliases: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """Return *aliases* as they stand on a line of their own."""
    return [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in aliases]


def _fitted(aliases: list[cst.ImportAlias], node: cst.ImportFrom) -> list[cst.ImportAlias]:
    """Return *aliases*, some of those of *node*, the last of them ending as its last did."""
    assert not isinstance(node.names, cst.ImportStar)
    return [*aliases[:-1], aliases[-1].with_changes(comma=node.names[-1].comma)]


def _followed_by(statements: Sequence[cst.BaseSmallStatement]) -> Edit:
    """Return the edit that puts *statements* on lines below a line."""
    lines: list[Any] = [cst.SimpleStatementLine([statement]) for statement in statements]

    def edit(updated: Any) -> Any:
        before = list(updated.nodes) if isinstance(updated, cst.FlattenSentinel) else [updated]
        return cst.FlattenSentinel([*before, *lines])

    return edit
