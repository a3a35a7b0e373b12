"""Which decorators of the project call the function that they decorate, and where?

def admin_required(view):
    @wraps(view)
    def inner(*args, **kwargs):
        return view(*args, **kwargs)        # here
    return inner
"""

from __future__ import annotations

from collections import defaultdict

import libcst as cst
import libcst.matchers as m

from .project import Project
from .sources import Source
from .survey import Function


class Wrappers:
    def __init__(self, project: Project) -> None:
        #: The functions that each decorator of the project decorates.
        self.decorated: dict[Function, list[Function]] = defaultdict(list)
        #: The decorators of the project that each function has.
        self.worn: dict[Function, list[Function]] = defaultdict(list)
        #: Where each decorator calls what it decorates, plainly.
        self.calls: dict[Function, list[cst.Call]] = defaultdict(list)
        #: The decorator that each inner function is of.
        self.inner: dict[Function, Function] = {}
        for function in project.every:
            for _, name in project.decorators(function):
                if name in project.functions:
                    self.decorated[project.functions[name]].append(function)
                    self.worn[function].append(project.functions[name])
        #: Those that decorate a class of views, which Quart awaits always.
        self.of_classes: list[Function] = []
        for survey in project.surveys:
            for call in survey.calls:
                named = survey.source.names_of(_ensured(call.func))
                self._look(project, named, call, survey.functions)
                self._look_at_arguments(project, survey.source, call)
            for target, value in survey.assigned:
                if isinstance(target, cst.Name) and target.value == "decorators":
                    self.of_classes.extend(_elements(project, survey.source, value))

    def _look(
        self, project: Project, names: list[str], call: cst.Call, functions: list[Function]
    ) -> None:
        """Note *call* if it calls a parameter of a decorator, in a function within that."""
        for function in functions:
            given = {function.local(param.name.value) for param in function.params}
            if given & set(names):
                decorator = _outermost(function)
                inner = self._inner(project, function, call)
                if inner is not None and _is_returned(inner):
                    self.inner[inner] = decorator
                    if not isinstance(call.func, cst.Call):
                        self.calls[decorator].append(call)

    def _look_at_arguments(self, project: Project, source: Source, call: cst.Call) -> None:
        """Note that *call*, of a function of the project, is given another of its functions."""
        decorator = project.functions.get(project.name_of(source, call.func))
        if decorator is not None:
            for argument in call.args:
                given = project.functions.get(project.name_of(source, argument.value))
                if given is not None:
                    self.worn[given].append(decorator)

    def calls_what_it_is_given(self, decorator: Function) -> bool:
        return decorator in self.inner.values()

    def _inner(self, project: Project, function: Function, call: cst.Call) -> Function | None:
        around = function.source.above(call, cst.FunctionDef)
        inner = project.by_node.get(around) if around is not None else None
        return inner if inner is not None and inner is not function else None


def _ensured(func: cst.BaseExpression) -> cst.BaseExpression:
    """Return *func*, or ``view`` of ``app.ensure_sync(view)`` and what that becomes."""
    ensures = m.Attribute(attr=m.Name("ensure_sync") | m.Name("ensure_async"))
    if isinstance(func, cst.Call) and func.args and m.matches(func.func, ensures):
        return func.args[0].value
    return func


def _is_returned(inner: Function) -> bool:
    results = inner.outer.results if inner.outer is not None else []
    # Also ``update_wrapper(inner, view)``.
    return any(m.findall(result, m.Name(inner.name)) for result in results)


def _elements(project: Project, source: Source, node: cst.BaseExpression) -> list[Function]:
    """Return the decorators of the project in *node*, a list or tuple of them."""
    if not isinstance(node, cst.List | cst.Tuple):
        return []
    values = [one.value for one in node.elements]
    names = [
        project.name_of(source, one.func if isinstance(one, cst.Call) else one) for one in values
    ]
    return [project.functions[name] for name in names if name in project.functions]


def _outermost(function: Function) -> Function:
    while function.outer is not None:
        function = function.outer
    return function
