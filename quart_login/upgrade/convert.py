"""What do the files of a folder look like afterwards?

No file is written that Python would not compile.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import AddImportsVisitor

from .clients import Clients
from .colours import Colours
from .edits import Edits, asynchronous, awaiting
from .files import Files
from .findings import Finding, Findings
from .imports import Imports
from .kinds import Kinds
from .leftovers import Leftovers
from .marks import mark, unmark
from .project import Project
from .quart_auth import QuartAuth
from .registered import Registered
from .sources import Source
from .strays import Strays
from .streams import Streams

#: Enough for what `files` lets through, which is not nested without end.
_DEPTH = 10_000

#: What `patch` takes for a line, whatever Python says.
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after."""

    path: Path
    before: bytes
    after: bytes

    def diff(self) -> bytes:
        """Return the difference, as ``diff -u`` and ``patch`` know it: lines end with LF alone."""
        name = os.fsencode(self.path.as_posix())
        before, after = (_LINE.findall(data) for data in (self.before, self.after))
        lines = difflib.diff_bytes(
            difflib.unified_diff, before, after, b"a/" + name, b"b/" + name, lineterm=b"\n"
        )
        return b"".join(
            line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
            for line in lines
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    changes: list[Change]
    findings: list[Finding]
    #: Folders that were passed over.
    skipped: list[Path]


def convert(paths: Iterable[Path]) -> Outcome:
    """Return what becomes of the Python files at *paths*, files or folders.  Nothing is written."""
    return _outcome(paths, _plan)


def finish(paths: Iterable[Path]) -> Outcome:
    """Return the same files without `must_await`.  Nothing is written."""
    return _outcome(paths, unmark)


def _outcome(paths: Iterable[Path], plan: Callable[[Project, Edits], None]) -> Outcome:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEPTH))
    try:
        return _outcome_of(Files(list(paths), Findings()), plan)
    finally:
        sys.setrecursionlimit(before)


def _outcome_of(files: Files, plan: Callable[[Project, Edits], None]) -> Outcome:
    findings, edits = files.findings, Edits()
    sources = list(files.read())
    project = Project(sources)
    plan(project, edits)
    changes = [change for source in sources if (change := _change(source, edits, findings))]
    return Outcome(changes, sorted([*findings, *project.findings]), files.skipped)


def _plan(project: Project, edits: Edits) -> None:
    kinds = Kinds(project)
    streams = Streams(kinds, edits)
    colours = Colours(kinds, streams)
    registered = Registered(kinds)
    Strays(colours, registered)
    auth = QuartAuth(kinds, edits)
    Imports(project, edits, auth.instead)
    Clients(kinds, edits)
    Leftovers(colours, edits)
    _paint(colours, registered, edits)


def _paint(colours: Colours, registered: Registered, edits: Edits) -> None:
    """Add the edits of *colours*, which go around all others."""
    for survey in colours.project.surveys:
        source = survey.source
        for call in colours.ensured[source]:
            edits.add(source, call, _ensured)
            edits.needed[source].add(("quart", "current_app"))
        for node in (*survey.calls, *survey.attributes):
            if node in colours.awaits:
                edits.add(source, node, awaiting(source, node))
        for block in survey.withs:
            if block in colours.blocks:
                edits.add(source, block, asynchronous)
        for function in survey.functions:
            if function in colours.turned | colours.streams.turned:
                edits.add(source, function.node, asynchronous)
            if function in colours.turned and function not in registered:
                mark(source, function, edits)


def _ensured(updated: cst.Call) -> cst.Call:
    """Make ``view(*args)`` ``current_app.ensure_async(view)(*args)``."""
    ensure = cst.Attribute(cst.Name("current_app"), cst.Name("ensure_async"))
    return updated.with_changes(func=cst.Call(ensure, [cst.Arg(updated.func)]))


def _change(source: Source, edits: Edits, findings: Findings) -> Change | None:
    try:
        module = _with_imports(edits.apply(source), edits.needed[source])
        # LibCST loses this one.
        end = b"\r" if source.data.endswith(b"\r") else b""
        after = module.bytes.removesuffix(end) + end
        with warnings.catch_warnings(action="ignore"):
            compile(after, str(source.path), "exec", dont_inherit=True)
    except Exception as error:
        # Whatever it is, the file is better left alone than broken.
        findings.add(source.path, 1, f"left as it is, as its new form has a fault: {error}")
        return None
    return Change(source.path, source.data, after) if after != source.data else None


def _with_imports(module: cst.Module, needed: set[tuple[str, ...]]) -> cst.Module:
    if not needed:
        return module
    context = CodemodContext()
    for names in sorted(needed):
        module_name, what, *other = names
        AddImportsVisitor.add_needed_import(context, module_name, what, other[0] if other else None)
    return AddImportsVisitor(context).transform_module(module)
