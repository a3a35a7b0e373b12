"""Where is a coroutine function used, and perhaps not awaited?

A coroutine that nobody awaits is true: ``if allowed():`` lets everybody in.  So what is told is all
that is not known to be fine: of each function that is ``async def`` now or was before, and of each
that Quart and quart_login have, every mention that is neither a call (`colours` saw to those) nor
given to what awaits it (`takers`).

Rule 1  A call of a method by a name that one of those has is told, unless it is another's for sure.
Rule 2  What can be meant, but is not known, is told with an "if".
"""

from __future__ import annotations

from io import IOBase
from pathlib import Path
from threading import Thread

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from . import awaited
from .awaited import MANAGER, REQUEST
from .colours import Colours
from .kinds import Kinds
from .marks import MARK
from .project import Project
from .registered import Registered
from .sources import Source
from .survey import Function, Survey
from .takers import COPIES_CONTEXT, Takers, taker, takes_coroutines
from .texts import Texts

#: Names that a call of an unknown object says nothing by, unless a function was turned just now.
_COMMON = {name for kind in (dict, list, set, str, bytes, Thread, IOBase) for name in dir(kind)} | {
    "delete",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "trace",
}

#: Methods of Quart's and quart_login's that are awaited, with names that few others have.
_TELLING = {"get_json", "get_data", "unauthorized", "needs_refresh"}

#: What is of the framework, and holds what the project puts there.
_HOLDERS = ("quart.g", "quart.current_app", "quart_login.current_user", "quart.session")
_OWN = ("quart.current_app.config", "quart.current_app.logger", "quart.current_app.jinja_env")

#: Decorators of others that are known to be good for coroutine functions.
_PATIENT_DECORATORS = (
    "quart.", "quart_login.", "functools.wraps", "builtins.", "pytest", "typing.", "abc.",
    "unittest.mock.", "flask_cors.", "quart_",
)  # fmt: skip


class Strays:
    """Looks at every name that may mean a coroutine function."""

    def __init__(self, colours: Colours, registered: Registered) -> None:
        self.kinds: Kinds = colours.kinds
        self.project: Project = colours.project
        self._colours = colours
        self._registered = registered
        self._takers = Takers(colours.kinds, colours.awaits)
        waits = {one for one in self.project.every if one.waits}
        #: Those that this run turns, or one before did.
        self._new = colours.turned | {one for one in waits if self._is_marked(one)}
        self._waiting = self._new | waits | colours.wrapped
        self._methods = self._names_of_methods()
        texts = Texts(self.kinds, self._waiting, self._methods - _COMMON)
        #: The files that were told of already, each once.
        self._missing: set[Path] = set()
        for survey in self.project.surveys:
            self._look_for_others(survey)
        for survey in self.project.surveys:
            self._look(survey)
            texts.look(survey)
        for function in self._new:
            self._look_at_decorators(function)

    def _is_marked(self, function: Function) -> bool:
        return any(name == MARK for _, name in self.project.decorators(function))

    def _names_of_methods(self) -> set[str]:
        """Return the names by which an unknown object may be asked to wait."""
        common = {one.name for one in self._new if one not in self._registered} & _COMMON
        # Views have names such as `index`, and somebody else calls them.
        called = {one for one in self._waiting if one.owner is not None or one.outer is None}
        return common | {one.name for one in called if one not in self._registered} - _COMMON

    def _look(self, survey: Survey) -> None:
        for node in survey.references:
            self._look_at_reference(survey.source, node)
        for call in survey.calls:
            self._look_at_copy(survey.source, call)
            self._look_at_result(survey.source, call)
            self._look_at_run(survey.source, call)
            self._tell_of_stranger(survey.source, call)

    def _look_for_others(self, survey: Survey) -> None:
        """Tell of files that are imported, and were not given."""
        for node in survey.imports:
            for name in _modules(survey.source, node):
                path = survey.source.beside(name)
                if path is not None and path not in self._missing | self.project.modules.paths:
                    self._missing.add(path)
                    what = f"`{path.name}` of {path.parent} is imported here, and was not given"
                    self.project.tell(survey.source, node, f"{what}: give all at once")

    # --- mentions --------------------------------------------------------------------------------

    def _look_at_reference(self, source: Source, node: cst.Name | cst.Attribute) -> None:
        parent = source.parent(node)
        if isinstance(parent, cst.FunctionDef | cst.ClassDef) or _is_called(source, node):
            self._look_at_namesake(source, node)
            return
        if isinstance(parent, cst.Param) and parent.default is not node:
            return
        for function in self.kinds.meant(source, node):
            if function in self._waiting and not self._is_known_use(source, node, function):
                self._tell(source, node, function)
        if self._is_awaited_elsewhere(source, node) and not self._takers.takes(source, node):
            what = f"`{source.text(node)}` is awaited in Quart: await what calls it here"
            self.project.tell(source, node, what)
        if self._is_given_away(source, node):
            what = f"`{source.text(node)}` is given away here: its form, data and JSON are awaited"
            self.project.tell(source, node, what)

    def _is_known_use(self, source: Source, node: cst.CSTNode, function: Function) -> bool:
        parent = source.parent(node)
        if isinstance(parent, cst.Decorator):
            return function not in self._new
        if isinstance(parent, cst.Return):
            return self._colours.is_wrapper(function)
        return self._takers.takes(source, node)

    def _tell(self, source: Source, node: cst.CSTNode, function: Function) -> None:
        if function in self._colours.wrapped:
            why = "by `copy_current_request_context`: await it, or give it to"
            what = f"now, {why} `current_app.add_background_task`"
        else:
            what = f"{'now' if function in self._new else ''}: await what calls it here"
        gap = "" if what.startswith(":") else " "
        self.project.tell(source, node, f"`{function.name}` is a coroutine function{gap}{what}")

    def _is_awaited_elsewhere(self, source: Source, node: cst.Name | cst.Attribute) -> bool:
        """Is *node* a function or method of Quart's or quart_login's that is awaited?"""
        if set(self.project.names_of(source, node)) & awaited.functions():
            return True
        if not isinstance(node, cst.Attribute) or _is_target(source, node):
            return False
        kinds = self.kinds.of(source, node.value)
        return any(node.attr.value in awaited.methods(kind) for kind in kinds)

    def _is_given_away(self, source: Source, node: cst.Name | cst.Attribute) -> bool:
        """Is *node* the request itself, in a file of Flask's, where nobody follows it?"""
        if self.project.name_of(source, node) != "quart.request" or not source.is_of_flask:
            return False
        parent = source.parent(node)
        if isinstance(parent, cst.Element):
            # Pairs are followed: ``r, s = request, session``.
            around = source.parent(source.parent(parent) or parent)
            return not (
                isinstance(around, cst.Assign)
                and m.matches(around.targets[0].target, m.Tuple() | m.List())
            )
        if isinstance(parent, cst.Arg):
            call = taker(source, node)
            named = self.project.name_of(source, call.func) if call is not None else ""
            known = call is not None and self.kinds.targets(source, call)
            return not (known and not parent.star) and not named.startswith("builtins.")
        return isinstance(parent, cst.DictElement | cst.Return | cst.Param | cst.Lambda)

    def _look_at_namesake(self, source: Source, node: cst.Name | cst.Attribute) -> None:
        """Tell of a call of what nobody knows, if a file of the project may have it."""
        if not _is_called(source, node) or not source.is_imported(node):
            return
        for name in self.project.names_of(source, node):
            module, _, last = name.rpartition(".")
            files = self.project.modules.perhaps(module) if module else []
            if any(
                one in self._waiting
                for it in files
                for one in self.project.named(f"{it.name}.{last}")
            ):
                self._tell_if(source, node, source.parent(node))

    # --- calls -----------------------------------------------------------------------------------

    def _tell_of_stranger(self, source: Source, call: cst.Call) -> None:
        func = call.func
        if not isinstance(func, cst.Attribute) or self._is_known_call(source, call):
            return
        name = func.attr.value
        if name in _TELLING and not self.kinds.of(source, func.value) & {REQUEST, MANAGER}:
            what = f"if `{source.text(func)}` is Quart's or quart_login's, await it"
            self.project.tell(source, call, what)
        elif name in self._methods and not self._is_anothers(source, func):
            self._tell_if(source, func, call)

    def _tell_if(self, source: Source, func: cst.CSTNode, call: cst.CSTNode | None) -> None:
        if call is not None and not self._is_known_call(source, call):
            what = f"if `{source.text(func)}` is the project's own, await it"
            self.project.tell(source, call, what)

    def _is_known_call(self, source: Source, call: cst.CSTNode) -> bool:
        if call in self._colours.awaits or takes_coroutines(self.project, source, call):
            return True
        return isinstance(call, cst.Call) and bool(self.kinds.targets(source, call))

    def _is_anothers(self, source: Source, func: cst.Attribute) -> bool:
        """Is it a function of a module, or a method of Quart's or of something written in place?"""
        if isinstance(func.value, cst.BaseString | cst.BaseNumber | cst.BaseDict | cst.BaseList):
            return True
        if self.kinds.of(source, func.value) & set(awaited.CLASSES):
            return True
        names = self.project.names_of(source, func)
        if not source.is_imported(func) or not self.project.is_elsewhere(source, func):
            return False
        held = [one for one in names if one.startswith(_HOLDERS) and not one.startswith(_OWN)]
        return not held

    def _look_at_result(self, source: Source, call: cst.Call) -> None:
        """Look at ``is_admin = role_is("admin")``, which makes a function that waits."""
        parent = source.parent(call)
        if isinstance(parent, cst.Decorator):
            return
        for function in self.kinds.targets(source, call):
            made = [one for one in self._colours.wrappers_of(function) if one in self._waiting]
            if made and not isinstance(parent, cst.Call) and not self._takers.takes(source, call):
                if not _is_in_decorators(source, call):
                    self._tell(source, call, made[0])
            elif made and isinstance(parent, cst.Call) and parent.func is call:
                self._tell_if(source, call, parent)

    def _look_at_run(self, source: Source, call: cst.Call) -> None:
        """Tell of ``asyncio.run(...)`` in what runs on the loop now."""
        if self.project.name_of(source, call.func) != "asyncio.run":
            return
        around = source.above(call, cst.FunctionDef)
        if around is not None and self.project.by_node[around] in self._colours.turned:
            self.project.tell(source, call, "a loop is running here now: await instead")

    def _look_at_copy(self, source: Source, call: cst.Call) -> None:
        """Look at ``copy_current_request_context(work)``, which is no decorator there."""
        parent = source.parent(call)
        if self.project.name_of(source, call.func) != COPIES_CONTEXT or not call.args:
            return
        called = isinstance(parent, cst.Call) and isinstance(source.parent(parent), cst.Await)
        if called or isinstance(parent, cst.Decorator) or self._takers.takes(source, call):
            return
        what = f"`{source.text(call)}` is a coroutine function in Quart"
        self.project.tell(
            source, call, f"{what}: await it, or give it to `current_app.add_background_task`"
        )

    # --- decorators ------------------------------------------------------------------------------

    def _look_at_decorators(self, function: Function) -> None:
        for decorator in function.node.decorators:
            whole = decorator.decorator
            node = whole.func if isinstance(whole, cst.Call) else whole
            if not self._is_patient(function, whole, node):
                shown = function.source.text(node)
                what = f"`{function.name}` is a coroutine function now: does `@{shown}` await it?"
                self.project.tell(function.source, function.node, what)

    def _is_patient(
        self, function: Function, whole: cst.BaseExpression, node: cst.BaseExpression
    ) -> bool:
        """Does the decorator await *function*?"""
        source = function.source
        own = self.kinds.meant(source, node)
        if own:
            return all(self._takers.decorates(source, whole, one) for one in own)
        if isinstance(node, cst.Attribute) and self._registered.may_register(source, node):
            return True
        return self.project.name_of(source, node).startswith(_PATIENT_DECORATORS)


def _modules(source: Source, node: cst.Import | cst.ImportFrom) -> list[str]:
    if isinstance(node, cst.Import):
        return [get_full_name_for_node(alias.name) or "" for alias in node.names]
    module = get_full_name_for_node(node.module) if node.module is not None else ""
    whole = source.absolute("." * len(node.relative) + (module or ""))
    if isinstance(node.names, cst.ImportStar):
        return [whole]
    names = [get_full_name_for_node(alias.name) or "" for alias in node.names]
    return [whole, *(f"{whole}.{name}" for name in names)]


def _is_called(source: Source, node: cst.CSTNode) -> bool:
    parent = source.parent(node)
    return isinstance(parent, cst.Call) and parent.func is node


def _is_target(source: Source, node: cst.CSTNode) -> bool:
    return isinstance(source.parent(node), cst.AssignTarget | cst.AnnAssign | cst.Del)


def _is_in_decorators(source: Source, call: cst.Call) -> bool:
    """Is *call* in ``decorators = [...]`` of a class of views?"""
    assign = source.above(call, cst.Assign)
    return assign is not None and m.matches(assign.targets[0].target, m.Name("decorators"))
