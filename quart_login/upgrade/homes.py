"""Where may an ``await`` stand, and which functions can wait at all?"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from .._core.users import UserMixin
from .awaited import APP
from .kinds import Kinds
from .project import Project
from .sources import Source
from .streams import Streams
from .survey import Function

#: Those of others that call methods of their children, and await them.
_PATIENT_BASES = {
    "object",
    "builtins.object",
    "abc.ABC",
    "typing.Generic",
    "typing.Protocol",
    "quart.views.View",
    "quart.views.MethodView",
    "unittest.TestCase",
    "unittest.IsolatedAsyncioTestCase",
    "quart.Quart",
    "quart.Blueprint",
    "quart_login.LoginManager",
}

#: Those that call their own methods only.
_MIXINS = {"quart_login.UserMixin", "quart_login.AnonymousUserMixin"}

#: Those whose decorated functions are called by somebody who does not await.
_HASTY_NAMES = {
    "builtins.property": "is a property",
    "functools.cached_property": "is a property",
    "werkzeug.utils.cached_property": "is a property",
    "functools.cache": "is cached: its coroutine could be awaited but once",
    "functools.lru_cache": "is cached: its coroutine could be awaited but once",
    "contextlib.contextmanager": "is a context manager, which wants `asynccontextmanager`",
}
_HASTY_ATTRIBUTES = {
    "command": "is a command, which is called plainly: `asyncio.run` what it does",
    "task": "is a task of a queue, which is called plainly",
    "url_defaults": "is called plainly by Quart",
    "app_url_defaults": "is called plainly by Quart",
    "url_value_preprocessor": "is called plainly by Quart",
    "app_url_value_preprocessor": "is called plainly by Quart",
    "shell_context_processor": "is called plainly by Quart",
    "record": "is called plainly by Quart",
    "record_once": "is called plainly by Quart",
    "setter": "is a property",
}


class Homes:
    """The function around a place, or why there is none that can wait."""

    def __init__(self, kinds: Kinds, streams: Streams) -> None:
        self._streams = streams
        self._kinds = kinds
        self._project: Project = kinds.project
        self._called = self._names_called()

    def of(self, source: Source, node: cst.CSTNode) -> Function | str:
        """Return the function that an ``await`` at *node* would belong to, or why it cannot be."""
        child, around = node, source.parent(node)
        while around is not None:
            if isinstance(around, cst.Lambda) and child is around.body:
                return "a lambda cannot await: write a function"
            if isinstance(around, cst.ClassDef) and child is around.body:
                return "the body of a class cannot await"
            if isinstance(around, cst.FunctionDef) and child is around.body:
                return self._project.by_node[around]
            if isinstance(around, cst.GeneratorExp) and not _is_first(node, around, source):
                return "a generator expression cannot await: write a list or a loop"
            child, around = around, source.parent(around)
        return "code outside of functions cannot await: move it into `@app.before_serving`"

    def refusal(self, function: Function) -> str | None:
        """Return why *function* cannot become a coroutine function; None if it can."""
        if function.is_async or function in self._streams.turned:
            return None
        reasons: list[Callable[[Function], str | None]] = [
            self._as_generator,
            self._as_decorated,
            self._as_special,
            self._as_factory,
            self._as_child,
        ]
        return next((why for reason in reasons if (why := reason(function))), None)

    def _as_generator(self, function: Function) -> str | None:
        if function.generates and not self._project.is_fixture(function):
            return "is a generator: await before it, and give it the result"
        return None

    def _as_decorated(self, function: Function) -> str | None:
        for node, name in self._project.decorators(function):
            if name in _HASTY_NAMES:
                return _HASTY_NAMES[name]
            if isinstance(node, cst.Attribute) and node.attr.value in _HASTY_ATTRIBUTES:
                return _HASTY_ATTRIBUTES[node.attr.value]
        return None

    def _as_special(self, function: Function) -> str | None:
        name = function.name
        if name.startswith("__") and name.endswith("__"):
            return "is called by Python itself, which does not await"
        return None

    def _as_factory(self, function: Function) -> str | None:
        made = {
            kind for result in function.results for kind in self._kinds.of(function.source, result)
        }
        if APP in made and not self._project.is_fixture(function):
            return "makes the application: move this into `@app.before_serving`"
        return None

    def _as_child(self, function: Function) -> str | None:
        """Is it a method that only others' code calls?"""
        if function.owner is None or function.name in self._called:
            return None
        for base in self._project.bases(function.owner):
            known = base in self._project.classes or base in _PATIENT_BASES
            if not known and not (base in _MIXINS and function.name not in dir(UserMixin)):
                return f"is called by `{base}`, if at all, which may not await"
        return None

    def _names_called(self) -> set[str]:
        return {
            call.func.attr.value
            for survey in self._project.surveys
            for call in survey.calls
            if isinstance(call.func, cst.Attribute)
        }


def _is_first(node: cst.CSTNode, generator: cst.GeneratorExp, source: Source) -> bool:
    """Is *node* in what *generator* goes through first, which is evaluated outside of it?"""
    child: cst.CSTNode | None = node
    while child is not None and child is not generator:
        around = source.parent(child)
        if around is generator.for_in and child is generator.for_in.iter:
            return True
        child = around
    return False
