"""Which coroutine functions does the project call by a text?

``getattr(policy, "allowed")``, ``operator.methodcaller("allowed")``, ``globals()["allowed"]``:
where the text stands there, it is told.  A text from elsewhere is told where it is called at once.
"""

from __future__ import annotations

from collections.abc import Set

import libcst as cst

from .awaited import CLASSES, functions
from .kinds import Kinds
from .sources import Source
from .survey import Function, Survey
from .takers import takes_coroutines

_CALLERS = {"operator.methodcaller", "operator.attrgetter"}
_SPACES = {"builtins.globals", "builtins.locals", "builtins.vars"}


class Texts:
    """Looks at texts that are the names of functions."""

    def __init__(self, kinds: Kinds, waiting: Set[Function], methods: Set[str]) -> None:
        self._kinds = kinds
        self._project = kinds.project
        self._waiting = waiting
        #: The names of methods by which an unknown object may be meant.
        self._methods = methods

    def look(self, survey: Survey) -> None:
        for string in survey.strings:
            if (name := _value(string)) and self._means(survey.source, string, name):
                what = f"`{name}` is a coroutine function now, if that is meant"
                self._project.tell(survey.source, string, f"{what}: await what calls it here")
        for call in survey.calls:
            self._look_at_name(survey.source, call)

    def _look_at_name(self, source: Source, call: cst.Call) -> None:
        """Tell of ``getattr(self, "check_" + name)()``, and of ``getattr(policy, name)()``."""
        asked = call.func
        if not isinstance(asked, cst.Call) or len(asked.args) < 2:
            return
        if self._project.name_of(source, asked.func) != "builtins.getattr":
            return
        name = asked.args[1].value
        if isinstance(name, cst.SimpleString) or takes_coroutines(self._project, source, call):
            return
        begin = _beginning(name)
        if any(method.startswith(begin) for method in self._methods):
            what = f"`{source.text(asked)}` may be a coroutine function of the project's"
            self._project.tell(source, call, f"{what}: await its call, if so")

    def _means(self, source: Source, string: cst.SimpleString, name: str) -> bool:
        parent = source.parent(string)
        around = source.parent(parent) if parent is not None else None
        if isinstance(around, cst.Call):
            return self._is_asked_of(source, around, string, name)
        if isinstance(parent, cst.Index):
            whole = source.above(string, cst.Subscript)
            return whole is not None and self._is_in_space(source, whole.value, name)
        return False

    def _is_asked_of(
        self, source: Source, call: cst.Call, string: cst.SimpleString, name: str
    ) -> bool:
        asked = self._project.name_of(source, call.func)
        if asked in _CALLERS:
            return name in self._methods
        if asked == "builtins.getattr" and len(call.args) > 1 and call.args[1].value is string:
            return self._has(source, call.args[0].value, name)
        got = call.func if isinstance(call.func, cst.Attribute) else None
        return (
            got is not None
            and got.attr.value == "get"
            and self._is_in_space(source, got.value, name)
        )

    def _has(self, source: Source, thing: cst.BaseExpression, name: str) -> bool:
        """May the attribute *name* of *thing* be a coroutine function of the project?"""
        whole = f"{self._project.name_of(source, thing)}.{name}"
        if whole in functions() or self._is_waiting(source, whole):
            return True
        kinds = self._kinds.of(source, thing)
        found = {one for kind in kinds for one in self._project.methods(kind, name, below=True)}
        if found or (kinds and kinds <= {*CLASSES, *self._project.classes}):
            return bool(found & set(self._waiting))
        return name in self._methods

    def _is_in_space(self, source: Source, space: cst.BaseExpression, name: str) -> bool:
        """Is *space* ``globals()``, ``vars(module)`` or ``module.__dict__``, with *name* in it?"""
        if isinstance(space, cst.Attribute) and space.attr.value == "__dict__":
            return self._has(source, space.value, name)
        if (
            not isinstance(space, cst.Call)
            or self._project.name_of(source, space.func) not in _SPACES
        ):
            return False
        if space.args:
            return self._has(source, space.args[0].value, name)
        return self._is_waiting(source, f"{source.name}.{name}")

    def _is_waiting(self, source: Source, name: str) -> bool:
        return any(one in self._waiting for one in self._project.named_from(source, name))


def _beginning(name: cst.BaseExpression) -> str:
    """Return what a text that is put together begins with, as far as it stands there."""
    if isinstance(name, cst.BinaryOperation):
        return _beginning(name.left)
    if isinstance(name, cst.FormattedString) and name.parts:
        first = name.parts[0]
        return first.value if isinstance(first, cst.FormattedStringText) else ""
    return _value(name) if isinstance(name, cst.SimpleString) else ""


def _value(string: cst.SimpleString) -> str:
    """Return the name that *string* is, or the last of ``"a.b"``."""
    value = string.evaluated_value
    return value.rpartition(".")[2] if isinstance(value, str) else ""
