"""What do calls of Flask's test client look like in Quart's?

Quart sends a form as ``form=``, takes everything but the path by name, and has no ``text``.
"""

from __future__ import annotations

import inspect
from functools import cache

import libcst as cst
from quart import Quart
from quart.testing import QuartClient

from .awaited import APP, CLIENT, RESPONSE
from .edits import Edits
from .kinds import Kinds
from .sources import Source

_SENDS = {"get", "post", "put", "patch", "delete", "head", "options", "trace", "open"}

_HINTS = {
    "content_type": 'write `headers={"Content-Type": ...}`, or `json=`',
    "mimetype": 'write `headers={"Content-Type": ...}`, or `json=`',
    "base_url": "write `scheme=` and `headers={'Host': ...}`",
    "environ_base": "write `scope_base=` or `headers=`",
    "environ_overrides": "write `scope_base=` or `headers=`",
    "buffered": "delete it",
}


class Clients:
    """Looks at all calls of test clients, and at their responses."""

    def __init__(self, kinds: Kinds, edits: Edits) -> None:
        self._kinds = kinds
        self._edits = edits
        # The values of each variable.
        self._assigned: dict[str, list[cst.BaseExpression]] = {}
        for survey in kinds.project.surveys:
            for target, value in survey.assigned:
                for name in survey.source.names_of(target):
                    self._assigned.setdefault(name, []).append(value)
        for survey in kinds.project.surveys:
            for call in survey.calls:
                self._look(survey.source, call)
            for attribute in survey.attributes:
                self._look_at_text(survey.source, attribute)

    def _look(self, source: Source, call: cst.Call) -> None:
        if not isinstance(call.func, cst.Attribute):
            return
        name, kinds = call.func.attr.value, self._kinds.of(source, call.func.value)
        if CLIENT in kinds and name in _SENDS:
            self._send(source, call, _accepted(name))
        if APP in kinds and name == "test_request_context":
            self._send(source, call, _accepted(name))
            if not call.args:
                self._edits.add(source, call, _with_path)

    def _look_at_text(self, source: Source, node: cst.Attribute) -> None:
        if node.attr.value == "text" and RESPONSE in self._kinds.of(source, node.value):
            self._edits.add(source, node, _text)

    def _send(self, source: Source, call: cst.Call, accepted: frozenset[str]) -> None:
        for index, argument in enumerate(call.args):
            keyword = argument.keyword.value if argument.keyword is not None else None
            if keyword is None:
                if index and not argument.star:
                    self._tell(source, argument, "takes everything but the path by name")
            elif keyword == "data":
                self._send_data(source, argument)
            elif keyword in ("content_type", "mimetype") and not _has_headers(call):
                self._edits.add(source, argument, _content_type)
            elif keyword not in accepted:
                hint = _HINTS.get(keyword, "see its documentation")
                self._tell(source, argument, f"has no `{keyword}`: {hint}")

    def _send_data(self, source: Source, argument: cst.Arg) -> None:
        values = self._values(source, argument.value)
        if values and all(_is_form(value) for value in values):
            self._edits.add(
                source, argument, lambda updated: updated.with_changes(keyword=cst.Name("form"))
            )
        elif not values or not all(_is_text(value) for value in values):
            self._tell(source, argument, "wants a form as `form=`, uploads as `files=`")

    def _values(self, source: Source, node: cst.BaseExpression) -> list[cst.BaseExpression]:
        """Return what *node* may be: itself, or what is assigned to the variable."""
        if not isinstance(node, cst.Name):
            return [node]
        return [value for name in source.names_of(node) for value in self._assigned.get(name, ())]

    def _tell(self, source: Source, node: cst.CSTNode, what: str) -> None:
        self._kinds.project.tell(source, node, f"Quart's test client {what}")


@cache
def _accepted(name: str) -> frozenset[str]:
    method = Quart.test_request_context if name == "test_request_context" else QuartClient.open
    return frozenset(inspect.signature(method).parameters)


def _is_form(node: cst.BaseExpression) -> bool:
    """Is *node* a dictionary, and not one with uploads?"""
    if isinstance(node, cst.Dict):
        values = [element.value for element in node.elements]
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        if node.func.value != "dict":
            return False
        values = [argument.value for argument in node.args]
    else:
        return False
    return not any(isinstance(value, cst.Tuple) for value in values)


def _is_text(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.attr.value in ("dumps", "encode")
    return isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)


def _has_headers(call: cst.Call) -> bool:
    return any(
        argument.star or (argument.keyword is not None and argument.keyword.value == "headers")
        for argument in call.args
    )


def _content_type(updated: cst.Arg) -> cst.Arg:
    name = cst.SimpleString('"Content-Type"')
    headers = cst.Dict([cst.DictElement(name, updated.value)])
    return updated.with_changes(keyword=cst.Name("headers"), value=headers)


def _with_path(updated: cst.Call) -> cst.Call:
    return updated.with_changes(args=[cst.Arg(cst.SimpleString('"/"'))])


def _text(updated: cst.Attribute) -> cst.Call:
    bare = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    text = cst.Arg(cst.Name("True"), keyword=cst.Name("as_text"), equal=bare)
    return cst.Call(updated.with_changes(attr=cst.Name("get_data"), lpar=[], rpar=[]), [text])
