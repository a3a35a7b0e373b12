"""Where is a coroutine function used, and perhaps not awaited?

A coroutine that nobody awaits is true: ``if allowed():`` lets everybody in.  So each place at which
a function that is one now is given away, or goes by another name, is told.
"""

from __future__ import annotations

from io import IOBase
from threading import Thread

import libcst as cst

from .colours import COPIES_CONTEXT, PATIENT_SINKS, TAKERS, Colours
from .kinds import Kinds
from .project import Project
from .sources import Source
from .survey import Function, Survey
from .texts import Texts

#: Names that a call of an unknown object says nothing by.
_COMMON = {name for kind in (dict, list, set, str, bytes, Thread, IOBase) for name in dir(kind)} | {
    "delete",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "trace",
}

#: What is given a function and does not call it, or is looked at for itself.
_COPIES = {"functools.wraps", "functools.update_wrapper", COPIES_CONTEXT}


class Strays:
    """Looks at every name that may mean a coroutine function."""

    def __init__(self, colours: Colours) -> None:
        self.kinds: Kinds = colours.kinds
        self.project: Project = colours.project
        self._colours = colours
        self._waiting = colours.turned | colours.wrapped
        self._methods = {one.name for one in self._waiting if one.owner is not None} - _COMMON
        texts = Texts(self.kinds, self._waiting, self._methods)
        for survey in self.project.surveys:
            self._look(survey)
            texts.look(survey)

    def _look(self, survey: Survey) -> None:
        for node in survey.references:
            for function in self.kinds.meant(survey.source, node):
                if function in self._waiting and not self._is_known_use(survey.source, node):
                    self._tell(survey.source, node, function)
        for call in survey.calls:
            self._look_at_copy(survey.source, call)
            self._tell_of_stranger(survey.source, call)

    def _tell(self, source: Source, node: cst.CSTNode, function: Function) -> None:
        what = f"`{function.name}` is a coroutine function now"
        if function in self._colours.turned:
            self.project.tell(source, node, f"{what}: await what calls it here")
        else:
            why = "by `copy_current_request_context`: await it, or give it to"
            self.project.tell(source, node, f"{what}, {why} `current_app.add_background_task`")

    def _look_at_copy(self, source: Source, call: cst.Call) -> None:
        """Look at ``copy_current_request_context(work)``, which is no decorator there."""
        parent = source.parent(call)
        if self.project.name_of(source, call.func) != COPIES_CONTEXT or not call.args:
            return
        called = isinstance(parent, cst.Call) and isinstance(source.parent(parent), cst.Await)
        if called or isinstance(parent, cst.Decorator) or self._is_taken(source, call):
            return
        what = f"`{source.text(call)}` is a coroutine function in Quart"
        self.project.tell(
            source, call, f"{what}: await it, or give it to `current_app.add_background_task`"
        )

    def _tell_of_stranger(self, source: Source, call: cst.Call) -> None:
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in self._methods:
            return
        if isinstance(source.parent(call), cst.Await) or self.kinds.targets(source, call):
            return
        if not self.kinds.of(source, func.value) and not source.is_imported(func):
            what = f"if `{source.text(func)}` is the project's own, await it"
            self.project.tell(source, call, what)

    def _is_known_use(self, source: Source, node: cst.CSTNode) -> bool:
        parent = source.parent(node)
        if isinstance(
            parent, cst.Call | cst.Decorator | cst.FunctionDef | cst.ClassDef | cst.Param
        ):
            return True
        if isinstance(parent, cst.Return):
            return self._is_returned_inner(source, node)
        return self._is_taken(source, node)

    def _is_returned_inner(self, source: Source, node: cst.CSTNode) -> bool:
        functions = self.kinds.meant(source, node) if isinstance(node, cst.BaseExpression) else []
        return all(function.outer is not None for function in functions)

    def _is_taken(self, source: Source, node: cst.CSTNode) -> bool:
        """Is *node* given to what awaits it?"""
        parent = source.parent(node)
        taker = source.parent(parent) if isinstance(parent, cst.Arg) else None
        return isinstance(taker, cst.Call) and self._takes(source, taker)

    def _takes(self, source: Source, call: cst.Call) -> bool:
        name = self.project.name_of(source, call.func)
        if name.startswith((*TAKERS, "quart_login.")) or name in _COPIES:
            return True
        if name == "functools.partial":
            return self._is_taken(source, call)  # What is called is the function, as ever.
        if name in self.project.functions:
            # A decorator of the project, called by hand: it was made to await.
            return self.project.functions[name] in self._colours.settled
        return isinstance(call.func, cst.Attribute) and call.func.attr.value in PATIENT_SINKS
