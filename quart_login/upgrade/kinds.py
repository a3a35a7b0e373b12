"""Of which class is this value?

Only the classes of `awaited`, and those of the project.  Found by following assignments,
arguments, results, fixtures and annotations, wherever they lead, without regard to their order: a
variable that is now one thing and then another is both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import libcst as cst

from .awaited import (
    APP,
    BLUEPRINT,
    CLIENT,
    CONTEXT,
    EITHER,
    MANAGER,
    REQUEST,
    RESPONSE,
    TRANSACTION,
    UPLOAD,
    UPLOADS,
)
from .project import Project
from .sources import Source
from .survey import Function, Survey

#: Who is asking.
_USER = "quart_login.current_user"

#: What others' code made, and all that comes of it: none of the project's methods is called on it.
ELSEWHERE = "elsewhere"

#: What some names and attributes are.
_VALUES = {"quart.request": REQUEST, "quart.current_app": APP}
_ATTRIBUTES = {(APP, "login_manager"): MANAGER, (REQUEST, "files"): UPLOADS}

#: What some calls give.
_RESULTS = {
    "quart.Quart": APP,
    "quart.Blueprint": BLUEPRINT,
    "quart.Response": RESPONSE,
    "quart.jsonify": RESPONSE,
    "quart.make_response": RESPONSE,
    "quart.send_file": RESPONSE,
    "quart.send_from_directory": RESPONSE,
    "quart_login.LoginManager": MANAGER,
}
#: What gives the object behind a proxy.
_WITHIN = "_get_current_object"
_OPENED = ("open", "get", "post", "put", "patch", "delete", "head", "options", "trace")
_METHODS = {
    (APP, "test_client"): CLIENT,
    (APP, "app_context"): CONTEXT,
    (APP, "test_request_context"): CONTEXT,
    (APP, "make_response"): RESPONSE,
    (CLIENT, "session_transaction"): TRANSACTION,
    (UPLOADS, "get"): UPLOAD,
    (UPLOADS, "getlist"): UPLOADS,
    (UPLOADS, "values"): UPLOADS,
    (UPLOADS, "pop"): UPLOAD,
} | {(CLIENT, method): RESPONSE for method in _OPENED}

_ANNOTATIONS = {
    "quart.Quart": APP,
    "quart.Blueprint": BLUEPRINT,
    "quart.Request": REQUEST,
    "quart.Response": RESPONSE,
    "quart.wrappers.Request": REQUEST,
    "quart.wrappers.Response": RESPONSE,
    "quart.testing.QuartClient": CLIENT,
    "quart.typing.TestClientProtocol": CLIENT,
    "quart_login.LoginManager": MANAGER,
}

#: Decorators that give the function's first parameter.
_GIVEN = {
    "after_request": EITHER,
    "after_app_request": EITHER,
    "request_loader": REQUEST,
}


class Kinds:
    """The classes of all values of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._values: dict[str, set[str]] = defaultdict(set)
        self._grown = False
        # What was found out since the last of these; a chain of calls would ask again and again.
        self._known: dict[cst.CSTNode, set[str]] = {}
        for survey in project.surveys:
            self._begin(survey)
        for cls in project.classes.values():
            if "quart_login.UserMixin" in project.bases(cls):
                self._add(_USER, {cls.key})
        self._grown = True
        while self._grown:
            self._grown = False
            for survey in project.surveys:
                self._go_round(survey)

    # --- asking ----------------------------------------------------------------------------------

    def of(self, source: Source, node: cst.BaseExpression | None) -> set[str]:
        """Return the classes that the value of *node* may be of; empty if that is unknown."""
        if node is None:
            return set()
        if node not in self._known:
            self._known[node] = self._find(source, node)
        return self._known[node]

    def _find(self, source: Source, node: cst.BaseExpression) -> set[str]:
        if isinstance(node, cst.Await):
            return self.of(source, node.expression)
        if isinstance(node, cst.NamedExpr):
            return self.of(source, node.value)
        if isinstance(node, cst.BooleanOperation):
            return self.of(source, node.left) | self.of(source, node.right)
        if isinstance(node, cst.IfExp):
            return self.of(source, node.body) | self.of(source, node.orelse)
        if isinstance(node, cst.Subscript):
            return {UPLOAD} & {UPLOAD for kind in self.of(source, node.value) if kind == UPLOADS}
        if isinstance(node, cst.Name | cst.Attribute):
            return self._of_name(source, node)
        return self._of_call(source, node) if isinstance(node, cst.Call) else set()

    def targets(self, source: Source, call: cst.Call) -> list[Function]:
        """Return the functions of the project that *call* may call."""
        return self.meant(source, call.func)

    def meant(self, source: Source, node: cst.BaseExpression) -> list[Function]:
        """Return the functions of the project that *node* may mean."""
        names = self.project.names_of(source, node)
        found = [one for name in names for one in self.project.named(name)]
        if found or not isinstance(node, cst.Attribute):
            return found
        name, below = node.attr.value, False
        if is_super(node.value):
            kinds = self.above(source, node)
        elif not (kinds := set(_classes(self.project, source, node.value))):
            kinds, below = self.of(source, node.value), True
        found = [one for kind in kinds for one in self.project.methods(kind, name, below=below)]
        return list(dict.fromkeys(found))

    def above(self, source: Source, node: cst.CSTNode) -> set[str]:
        """Return what `super` may mean at *node*: all ancestors, also those of children."""
        around = source.above(node, cst.ClassDef)
        for cls in self.project.classes.values():
            if cls.node is around:
                below = [self.project.classes[key] for key in self.project.below(cls.key)]
                bases = {base for one in (cls, *below) for base in self.project.bases(one)}
                return bases - {cls.key, *(one.key for one in below)}
        return set()

    # --- finding ---------------------------------------------------------------------------------

    def _of_name(self, source: Source, node: cst.Name | cst.Attribute) -> set[str]:
        names = self.project.names_of(source, node)
        found = {kind for name in names for kind in self._values.get(name, ())}
        found |= {_VALUES[name] for name in names if name in _VALUES}
        if isinstance(node, cst.Attribute):
            for kind in self.of(source, node.value):
                found |= self._attribute(kind, node.attr.value)
        return found

    def _attribute(self, kind: str, name: str) -> set[str]:
        if (kind, name) in _ATTRIBUTES:
            return {_ATTRIBUTES[kind, name]}
        if kind == ELSEWHERE:
            return {ELSEWHERE}
        cls = self.project.classes.get(kind)
        line = [kind, *(self.project.bases(cls) if cls is not None else ())]
        return {found for one in line for found in self._values.get(f"{one}.{name}", ())}

    def _of_call(self, source: Source, call: cst.Call) -> set[str]:
        name = self.project.name_of(source, call.func)
        if name in _RESULTS:
            return {_RESULTS[name]}
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == _WITHIN:
            return self.of(source, call.func.value)
        if name in self.project.classes:
            return {name} | self._known_bases(name)
        results = (self._values[_result(function)] for function in self.targets(source, call))
        found = {kind for kinds in results for kind in kinds}
        return found | self._of_method(source, call.func)

    def _known_bases(self, name: str) -> set[str]:
        bases = self.project.bases(self.project.classes[name])
        return {_RESULTS[base] for base in bases if base in _RESULTS}

    def _of_method(self, source: Source, node: cst.BaseExpression) -> set[str]:
        if not isinstance(node, cst.Attribute):
            return {ELSEWHERE} if self.project.is_elsewhere(source, node) else set()
        kinds = self.of(source, node.value)
        found = {_METHODS.get((kind, node.attr.value), "") for kind in kinds} - {""}
        made = ELSEWHERE in kinds or (not kinds and self.project.is_elsewhere(source, node))
        return found | ({ELSEWHERE} if made else set())

    # --- going round -----------------------------------------------------------------------------

    def _begin(self, survey: Survey) -> None:
        """Note what is known without following anything."""
        for function in survey.functions:
            if function.owner is not None and function.params:
                first = function.params[0].name.value
                self._add(function.local(first), {function.owner.key})
            given = self._begin_given(function)
            for param in function.params:
                if param.annotation is not None and param is not given:
                    kinds = self._annotated(survey.source, param.annotation.annotation)
                    self._add(function.local(param.name.value), kinds)
            if function.node.returns is not None:
                kinds = self._annotated(survey.source, function.node.returns.annotation)
                self._add(_result(function), kinds)
        for target, annotation in survey.annotated:
            self._assign(survey.source, target, self._annotated(survey.source, annotation))

    def _begin_given(self, function: Function) -> cst.Param | None:
        """Return the parameter whose value the decorator of *function* tells."""
        for node, _ in self.project.decorators(function):
            kind = _GIVEN.get(node.attr.value) if isinstance(node, cst.Attribute) else None
            params = function.params[1:] if function.owner is not None else function.params
            if kind is not None and params:
                self._add(function.local(params[0].name.value), {kind})
                return params[0]
        return None

    def _annotated(self, source: Source, node: cst.BaseExpression) -> set[str]:
        if isinstance(node, cst.BinaryOperation):  # Response | None
            return self._annotated(source, node.left) | self._annotated(source, node.right)
        if isinstance(node, cst.Subscript):  # Optional[Response]
            return self._annotated_by_one(source, node)
        name = self.project.name_of(source, node)
        if name in self.project.classes:
            return {name}
        return {_ANNOTATIONS[name]} if name in _ANNOTATIONS else set()

    def _annotated_by_one(self, source: Source, node: cst.Subscript) -> set[str]:
        if self.project.name_of(source, node.value) not in ("typing.Optional", "typing.Union"):
            return set()
        parts = [part.slice.value for part in node.slice if isinstance(part.slice, cst.Index)]
        return {kind for part in parts for kind in self._annotated(source, part)}

    def _go_round(self, survey: Survey) -> None:
        source = survey.source
        for target, value in survey.assigned:
            for one, its in _pairs(target, value):
                self._assign(source, one, self.of(source, its))
        for loop in survey.loops:
            if UPLOADS in self.of(source, loop.iter):
                self._assign(source, loop.target, {UPLOAD})
        for call in survey.calls:
            for function in self.targets(source, call):
                self._give(source, call, function)
            if call.args and self.project.name_of(source, call.func) == "quart_login.login_user":
                self._add(_USER, self.of(source, call.args[0].value))
        for function in survey.functions:
            for result in function.results:
                self._add(_result(function), self.of(source, result))
            self._give_fixtures(function)
            if self._loads(function):
                self._add(_USER, self._values[_result(function)])

    def _loads(self, function: Function) -> bool:
        """Does *function* load the current user?"""
        return any(
            isinstance(node, cst.Attribute) and node.attr.value in ("user_loader", "request_loader")
            for node, _ in self.project.decorators(function)
        )

    def _give(self, source: Source, call: cst.Call, function: Function) -> None:
        for param, argument in arguments(function, call):
            self._add(function.local(param.name.value), self.of(source, argument))

    def _give_fixtures(self, function: Function) -> None:
        for param in function.params:
            fixture = self.project.fixture(function, param.name.value)
            if fixture is not None:
                self._add(function.local(param.name.value), self._values[_result(fixture)])

    def _assign(self, source: Source, target: cst.BaseExpression, kinds: set[str]) -> None:
        if isinstance(target, cst.Name):
            for name in source.names_of(target):
                self._add(name, kinds)
        elif isinstance(target, cst.Attribute):
            for owner in self.of(source, target.value) & {APP, *self.project.classes}:
                self._add(f"{owner}.{target.attr.value}", kinds)
            for name in self.project.names_of(source, target):
                if name.startswith("quart.g."):
                    self._add(name, kinds)

    def _add(self, name: str, kinds: set[str]) -> None:
        if not kinds <= self._values[name]:
            self._values[name] |= kinds
            self._grown = True
            self._known.clear()


def _classes(project: Project, source: Source, node: cst.CSTNode) -> list[str]:
    return [name for name in project.names_of(source, node) if name in project.classes]


def arguments(function: Function, call: cst.Call) -> Iterator[tuple[cst.Param, cst.BaseExpression]]:
    """Yield each parameter of *function* that *call* gives plainly, and what it gives."""
    params = function.params
    if function.owner is not None and not _is_static(function):
        params = params[1:]
    named = {param.name.value: param for param in params}
    for index, argument in enumerate(call.args):
        if argument.star:
            return
        if argument.keyword is not None and argument.keyword.value in named:
            yield named[argument.keyword.value], argument.value
        elif argument.keyword is None and index < len(params):
            yield params[index], argument.value


def _pairs(
    target: cst.BaseExpression, value: cst.BaseExpression
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """Yield what is assigned to what in ``a, b = c, d``."""
    if not isinstance(target, cst.Tuple | cst.List) or not isinstance(value, cst.Tuple | cst.List):
        yield target, value
        return
    parts = [*target.elements, *value.elements]
    if len(parts) == 2 * len(target.elements) and all(isinstance(it, cst.Element) for it in parts):
        for one, its in zip(target.elements, value.elements, strict=True):
            yield from _pairs(one.value, its.value)


def _is_static(function: Function) -> bool:
    return any(
        isinstance(one.decorator, cst.Name) and one.decorator.value == "staticmethod"
        for one in function.node.decorators
    )


def is_super(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "super"
    )


def _result(function: Function) -> str:
    """Return the name that the results of *function* are kept by."""
    return function.local("return")
