"""What else is not in Quart, or is another thing there?"""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from .awaited import APP, BLUEPRINT, EITHER, MANAGER, REQUEST
from .colours import Colours
from .edits import Edits, attribute_renamed, renamed
from .project import Project
from .sources import Source
from .survey import Class, Function, Survey

_GONE = {
    (APP, "before_first_request"): "write `@app.before_serving`",
    (BLUEPRINT, "before_app_first_request"): "write `@app.before_serving`",
    (APP, "wsgi_app"): "write `asgi_app`, and middleware of ASGI",
    (REQUEST, "environ"): "it is `request.scope` now, as ASGI has it",
    (REQUEST, "stream"): "it is `request.body` now, an asynchronous iterator",
    (REQUEST, "input_stream"): "it is `request.body` now, an asynchronous iterator",
    (REQUEST, "remote_user"): "read the header that your server sets",
    (REQUEST, "is_xhr"): "compare the header X-Requested-With",
    (MANAGER, "setup_app"): "write `init_app`",
    (MANAGER, "header_loader"): "write a `request_loader`",
}

_JSON = {"json", "get_json"}

_BODIES = {"data", "get_data", "get_json", "json", "text"}

_CASES = {"unittest.TestCase", "unittest.case.TestCase"}
_SET_UPS = {"setUp": "asyncSetUp", "tearDown": "asyncTearDown"}


class Leftovers:
    def __init__(self, colours: Colours, edits: Edits) -> None:
        self._colours = colours
        self._project: Project = colours.project
        self._edits = edits
        self._told = False
        for survey in self._project.surveys:
            for attribute in survey.attributes:
                self._look(survey.source, attribute)
            self._look_at_tests(survey)
        for cls in self._cases():
            self._turn_case(cls)

    def _look(self, source: Source, node: cst.Attribute) -> None:
        kinds = self._colours.kinds.of(source, node.value)
        name = node.attr.value
        for kind in kinds:
            if (kind, name) in _GONE:
                what = f"Quart has no `{source.text(node)}`: {_GONE[kind, name]}"
                self._project.tell(source, node, what)
        if REQUEST in kinds and name in _JSON:
            self._look_at_json(source, node)
        if EITHER in kinds and name in _BODIES:
            what = f"await `{source.text(node)}` where that is a `quart.Response`"
            why = "redirects and errors are Werkzeug's, which are plain"
            self._project.tell(source, node, f"{what}; {why}")
        if APP in kinds and name == "ensure_sync":
            self._edits.add(source, node, attribute_renamed("ensure_async"))

    def _look_at_json(self, source: Source, node: cst.Attribute) -> None:
        """Tell where Flask refuses what is said to be no JSON, and Quart gives None."""
        call, function = source.parent(node), source.above(node, cst.FunctionDef)
        asked = m.findall(function, m.Attribute(attr=m.Name("is_json"))) if function else ()
        if asked or (isinstance(call, cst.Call) and _is_lenient(call)) or not source.is_of_flask:
            return
        what = f"`{source.text(node)}` is None in Quart where the body is said to be no JSON"
        mend = "Flask answers 415: `if not request.is_json: abort(415)`"
        self._project.tell(source, node, f"{what}; {mend}")

    def _look_at_tests(self, survey: Survey) -> None:
        for function in survey.functions:
            plain = function.owner is None or not self._is_case(function.owner)
            if function in self._colours.turned and function.name.startswith("test") and plain:
                self._tell_of_pytest(function)

    def _tell_of_pytest(self, function: Function) -> None:
        if not self._told and function.source.path.name.startswith(("test", "conftest")):
            self._told = True
            what = "tests are coroutine functions now: use pytest-asyncio, `asyncio_mode = auto`"
            self._project.tell(function.source, function.node, what)

    # --- unittest --------------------------------------------------------------------------------

    def _is_case(self, cls: Class) -> bool:
        cases = _CASES | {"unittest.IsolatedAsyncioTestCase"}
        return bool(cases & set(self._project.bases(cls)))

    def _cases(self) -> list[Class]:
        """Return the test cases that wait now, and their parents."""
        waiting = {one.owner for one in self._colours.turned if one.owner is not None}
        waiting = {cls for cls in waiting if self._is_case(cls)}
        parents = {base for cls in waiting for base in self._project.bases(cls)}
        keys = parents | {cls.key for cls in waiting}
        return [cls for key, cls in self._project.classes.items() if key in keys]

    def _turn_case(self, cls: Class) -> None:
        for base in cls.node.bases:
            if self._project.name_of(cls.source, base.value) in _CASES:
                self._turn_base(cls.source, base.value)
        for name, method in cls.methods.items():
            if name in _SET_UPS and method in self._colours.turned:
                self._edits.add(cls.source, method.node.name, renamed(_SET_UPS[name]))

    def _turn_base(self, source: Source, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.Attribute):
            self._edits.add(source, node, attribute_renamed("IsolatedAsyncioTestCase"))
        else:
            self._edits.add(source, node, renamed("IsolatedAsyncioTestCase"))
            self._edits.needed[source].add(("unittest", "IsolatedAsyncioTestCase"))


def _is_lenient(call: cst.Call) -> bool:
    """Does ``get_json(...)`` say that it takes what is said to be something else?"""
    return any(one.keyword is None or one.keyword.value in ("force", "silent") for one in call.args)
