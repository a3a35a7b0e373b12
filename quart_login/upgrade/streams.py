"""Which generators become asynchronous, as Quart's `stream_with_context` wants them?

Flask's takes a generator, ``stream_with_context(rows(10))``, or decorates a function.  Quart's
wants an asynchronous generator function in either place: ``stream_with_context(rows)(10)``.
"""

from __future__ import annotations

import libcst as cst

from .edits import Edits
from .kinds import Kinds
from .sources import Source
from .survey import Function, Survey

_NAME = "quart.stream_with_context"

#: What sends what an asynchronous generator gives.
_SENDERS = {_NAME, "quart.Response", "quart.make_response", "quart.wrappers.Response"}


class Streams:
    """The generators that stream with the context of their request."""

    def __init__(self, kinds: Kinds, edits: Edits) -> None:
        self._kinds = kinds
        self._project = kinds.project
        self._edits = edits
        #: Those that become asynchronous.
        self.turned: set[Function] = set()
        for function in self._project.every:
            self._look_at_decorators(function)
        for survey in self._project.surveys:
            for call in survey.calls:
                self._look(survey.source, call)
        for survey in self._project.surveys:
            self._tell_of_loops(survey)

    def _look_at_decorators(self, function: Function) -> None:
        for node, name in self._project.decorators(function):
            if name == _NAME and not self._turn(function):
                self._tell(function.source, node, function.name)

    def _look(self, source: Source, call: cst.Call) -> None:
        if self._project.name_of(source, call.func) != _NAME or not call.args:
            return
        given = call.args[0].value
        made = isinstance(given, cst.Call)
        functions = self._kinds.meant(source, given.func if isinstance(given, cst.Call) else given)
        if not functions or not all([self._turn(function) for function in functions]):
            self._tell(source, call, source.text(given))
        elif made:
            self._edits.add(source, call, _called_afterwards)

    def _turn(self, function: Function) -> bool:
        """Make *function* an asynchronous generator function, if it can be one."""
        if function.is_async:
            return True
        if not function.generates or function.yields_from or function.returns:
            return False
        self.turned.add(function)
        return True

    def _tell(self, source: Source, node: cst.CSTNode, what: str) -> None:
        wants = "Quart's `stream_with_context` takes an asynchronous generator function, which"
        self._project.tell(
            source, node, f"{wants} `{what}` is not: write one, without `yield from`"
        )

    def _tell_of_loops(self, survey: Survey) -> None:
        """Tell where something else than a response goes through what is asynchronous now."""
        for call in survey.calls:
            mine = self.turned & set(self._kinds.targets(survey.source, call))
            if mine and self._is_gone_through(survey.source, call):
                what = f"`{survey.source.text(call)}` is an asynchronous generator now"
                self._project.tell(survey.source, call, f"{what}: go through it by `async for`")

    def _is_gone_through(self, source: Source, call: cst.Call) -> bool:
        parent = source.parent(call)
        if isinstance(parent, cst.For | cst.CompFor):
            return parent.iter is call
        taker = source.parent(parent) if isinstance(parent, cst.Arg) else None
        if not isinstance(taker, cst.Call):
            return False
        return self._project.name_of(source, taker.func) not in _SENDERS


def _called_afterwards(updated: cst.Call) -> cst.Call:
    """Make ``stream_with_context(rows(10))`` ``stream_with_context(rows)(10)``."""
    given = cst.ensure_type(updated.args[0].value, cst.Call)
    bare = updated.with_changes(args=[updated.args[0].with_changes(value=given.func)])
    return given.with_changes(func=bare)
