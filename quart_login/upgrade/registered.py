"""Which functions does a framework await?

Views, hooks, loaders and handlers that an application, a blueprint, a manager or a signal is given;
methods of views that answer requests; tests and fixtures.  All others are called by the project.
"""

from __future__ import annotations

import libcst as cst

from .awaited import APP, BLUEPRINT, MANAGER
from .kinds import Kinds
from .project import Project
from .sources import Source
from .survey import Function
from .takers import PATIENT_SINKS, taker

_ROUTES = {"route", "get", "post", "put", "delete", "patch", "websocket"}

_VERBS = {*_ROUTES, "head", "options", "trace", "dispatch_request"}
_VIEWS = {"quart.views.View", "quart.views.MethodView"}
_CASES = {"unittest.TestCase", "unittest.case.TestCase", "unittest.IsolatedAsyncioTestCase"}
_SET_UPS = {"setUp", "tearDown", "asyncSetUp", "asyncTearDown"}

_TESTS = {"test", "tests", "conftest"}

#: Names of methods that others may have, too.
_COMMON = {"connect", "connect_via", "endpoint", *_ROUTES} - {"route"}


class Registered:
    """The functions that somebody else calls, and awaits."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._project: Project = kinds.project
        self._given = {
            function
            for survey in self._project.surveys
            for node in survey.references
            if self._is_given(survey.source, node)
            for function in kinds.meant(survey.source, node)
        }

    def __contains__(self, function: Function) -> bool:
        return (
            function in self._given
            or self._project.is_fixture(function)
            or self._is_test(function)
            or self._answers(function)
            or any(
                isinstance(node, cst.Attribute) and self.registers(function.source, node)
                for node, _ in self._project.decorators(function)
            )
        )

    def registers(self, source: Source, node: cst.Attribute) -> bool:
        """Does *node*, ``app.before_request``, belong to one that is known to await?"""
        name, kinds = node.attr.value, self._kinds.of(source, node.value)
        if kinds & {APP, BLUEPRINT, MANAGER}:
            return name in _ROUTES | PATIENT_SINKS
        # A signal's.
        named = self._project.name_of(source, node.value).startswith(("quart.", "quart_login."))
        return named and name in PATIENT_SINKS

    def may_register(self, source: Source, node: cst.Attribute) -> bool:
        """Does *node*, of an object that nobody knows, look like one of theirs?"""
        if self.registers(source, node):
            return True
        unknown = not self._kinds.of(source, node.value)
        return unknown and node.attr.value in PATIENT_SINKS - _COMMON

    def _is_given(self, source: Source, node: cst.CSTNode) -> bool:
        call = taker(source, node)
        if call is None or not isinstance(call.func, cst.Attribute):
            return False
        return self.registers(source, call.func)

    def _is_test(self, function: Function) -> bool:
        named = function.name.startswith("test")
        if function.owner is not None and _CASES & set(self._project.bases(function.owner)):
            return named or function.name in _SET_UPS
        stem = function.source.path.stem
        return named and (stem.startswith("test_") or stem.endswith("_test") or stem in _TESTS)

    def _answers(self, function: Function) -> bool:
        """Is *function* the method of a view that a request is answered by?"""
        if function.owner is None or function.name not in _VERBS:
            return False
        return bool(_VIEWS & set(self._project.bases(function.owner)))
