"""Which functions become coroutine functions, and what is awaited in them?

Rule 1  What waits in Quart is awaited, and the function around it is a coroutine function.
Rule 2  So whoever calls that function awaits it, and is one too, as far as it goes.
Rule 3  Where nobody can await, nothing is written, and it is told.
Rule 4  What is awaited already, or was a coroutine before, is left as it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import libcst as cst

from . import awaited
from .awaited import APP, BLOCKS
from .homes import Homes
from .kinds import Kinds
from .project import Project
from .sources import Source
from .streams import Streams
from .survey import Function, Survey
from .wrappers import Wrappers

#: What takes coroutines as they are.
TAKERS = ("asyncio.", "anyio.", "trio.")

#: Methods that may be given a coroutine function, as Quart or quart_login awaits it.
PATIENT_SINKS = {
    "add_app_template_filter", "add_app_template_global", "add_app_template_test",
    "add_background_task", "add_template_filter", "add_template_global", "add_template_test",
    "add_url_rule", "after_app_request", "after_request", "app_context_processor",
    "app_errorhandler", "before_app_request", "before_request", "before_serving", "connect",
    "connect_via", "context_processor", "ensure_async", "ensure_sync", "errorhandler",
    "header_loader", "localize_callback", "needs_refresh_handler", "register_error_handler",
    "request_loader", "route", "teardown_app_request", "teardown_appcontext",
    "teardown_request", "unauthorized_handler", "user_loader", "verify_password",
}  # fmt: skip

#: Decorators of others that are known to be good for coroutine functions.
_PATIENT_DECORATORS = (
    "quart.", "quart_login.", "functools.wraps", "builtins.", "pytest", "typing.", "abc.",
    "unittest.mock.", "flask_cors.", "quart_",
)  # fmt: skip

#: What makes a coroutine function of a plain one, too.
COPIES_CONTEXT = "quart.copy_current_request_context"


@dataclass
class Colours:
    """The plan: what is to be awaited, and which functions are to be ``async``."""

    kinds: Kinds
    streams: Streams
    awaits: set[cst.CSTNode] = field(default_factory=set)
    blocks: set[cst.With] = field(default_factory=set)
    turned: set[Function] = field(default_factory=set)
    #: Plain functions of which a decorator of Quart's makes coroutine functions.
    wrapped: set[Function] = field(default_factory=set)
    #: Calls of a decorated function, which is to be given to `ensure_async`.
    ensured: dict[Source, set[cst.Call]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self.project: Project = self.kinds.project
        self._homes = Homes(self.kinds, self.streams)
        self._wrappers = Wrappers(self.project)
        self._callers = self._all_callers()
        #: The decorators of the project that await what they decorate.
        self.settled: set[Function] = set()
        for function in self.project.functions.values():
            self._begin_wrapped(function)
        for survey in self.project.surveys:
            self._begin(survey)
        for decorator in self._wrappers.of_classes:
            self._turn_wrapper(decorator)

    def _all_callers(self) -> dict[Function, list[tuple[Source, cst.Call]]]:
        found: dict[Function, list[tuple[Source, cst.Call]]] = defaultdict(list)
        for survey in self.project.surveys:
            for call in survey.calls:
                for function in self.kinds.targets(survey.source, call):
                    found[function].append((survey.source, call))
        return found

    # --- what waits ------------------------------------------------------------------------------

    def _begin_wrapped(self, function: Function) -> None:
        names = (name for _, name in self.project.decorators(function))
        if not function.is_async and COPIES_CONTEXT in names:
            self.wrapped.add(function)
            self._await_calls(function)

    def _begin(self, survey: Survey) -> None:
        for call in survey.calls:
            if self._waits(survey.source, call):
                self._await(survey.source, call, survey.source.text(call.func))
        for attribute in survey.attributes:
            if self._is_awaited_attribute(survey.source, attribute):
                self._await(survey.source, attribute, survey.source.text(attribute))
        for block in survey.withs:
            self._begin_block(survey.source, block)

    def _waits(self, source: Source, call: cst.Call) -> bool:
        if self.project.name_of(source, call.func) in awaited.functions():
            return True
        if not isinstance(call.func, cst.Attribute):
            return self._is_ensured(source, call.func)
        name = call.func.attr.value
        return any(name in awaited.methods(kind) for kind in self.kinds.of(source, call.func.value))

    def _is_ensured(self, source: Source, func: cst.BaseExpression) -> bool:
        """Is it ``app.ensure_sync(view)``, or what that becomes, that is called?"""
        if not (isinstance(func, cst.Call) and isinstance(func.func, cst.Attribute)):
            return False
        named = func.func.attr.value in ("ensure_sync", "ensure_async")
        return named and APP in self.kinds.of(source, func.func.value)

    def _is_awaited_attribute(self, source: Source, node: cst.Attribute) -> bool:
        parent = source.parent(node)
        if isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.Del):
            return False
        if isinstance(parent, cst.Call) and parent.func is node:
            return False
        kinds = self.kinds.of(source, node.value)
        return any(node.attr.value in awaited.properties(kind) for kind in kinds)

    def _begin_block(self, source: Source, block: cst.With) -> None:
        waiting = [bool(self.kinds.of(source, item.item) & BLOCKS) for item in block.items]
        if block.asynchronous is not None or not any(waiting):
            return
        what = source.text(block.items[waiting.index(True)].item)
        if not all(waiting):
            why = "is begun by `async with`, the others by `with`: write two blocks"
            self.project.tell(source, block, f"`{what}` {why}")
        elif self._make_home(source, block, f"`{what}` is begun by `async with`"):
            self.blocks.add(block)

    # --- awaiting --------------------------------------------------------------------------------

    def _await(self, source: Source, node: cst.CSTNode, what: str) -> None:
        """Have *node* awaited, or tell why not."""
        if node in self.awaits or self._is_settled(source, node):
            return
        if self._make_home(source, node, f"`{what}` is awaited in Quart"):
            self.awaits.add(node)

    def _is_settled(self, source: Source, node: cst.CSTNode) -> bool:
        """Is *node* awaited already, or given to what takes coroutines?"""
        parent = source.parent(node)
        if isinstance(parent, cst.Await):
            return True
        taker = source.parent(parent) if isinstance(parent, cst.Arg) else None
        if not isinstance(taker, cst.Call):
            return False
        return self.project.name_of(source, taker.func).startswith(TAKERS)

    def _make_home(self, source: Source, node: cst.CSTNode, what: str) -> bool:
        home = self._homes.of(source, node)
        why = home if isinstance(home, str) else self._turn(home)
        if why is None:
            return True
        self.project.tell(source, node, f"{what}, but {why}")
        return False

    def _turn(self, function: Function) -> str | None:
        """Make *function* a coroutine function, or return why it cannot be."""
        if function.is_async or function in self.turned | self.streams.turned:
            return None
        why = self._homes.refusal(function)
        if why is not None:
            return f"`{function.name}` {why}"
        self.turned.add(function)
        self._follow(function)
        return None

    def _follow(self, function: Function) -> None:
        """Go on to all who call *function*, which is a coroutine function now."""
        self._look_at_decorators(function)
        self._await_calls(function)
        for decorator in self._wrappers.worn[function]:
            self._turn_wrapper(decorator)
        if function in self._wrappers.inner:
            self._turn_wrapper(self._wrappers.inner[function])

    def _await_calls(self, function: Function) -> None:
        for source, call in self._callers[function]:
            self._await(source, call, source.text(call.func))

    def _turn_wrapper(self, decorator: Function) -> None:
        """Have *decorator* await what it decorates, whatever that is."""
        if decorator in self.settled:
            return
        self.settled.add(decorator)
        for call in self._wrappers.calls[decorator]:
            self._await(decorator.source, call, decorator.source.text(call.func))
            if call in self.awaits:
                self.ensured[decorator.source].add(call)
        if self._wrappers.calls[decorator]:
            for function in self._wrappers.decorated[decorator]:
                self._await_calls(function)

    # --- decorators ------------------------------------------------------------------------------

    def _look_at_decorators(self, function: Function) -> None:
        for node, name in self.project.decorators(function):
            known = name.startswith(_PATIENT_DECORATORS) or name in self.project.functions
            registers = isinstance(node, cst.Attribute) and self._registers(function.source, node)
            if not known and not registers:
                shown = function.source.text(node)
                what = f"`{function.name}` is a coroutine function now: does `@{shown}` await it?"
                self.project.tell(function.source, function.node, what)

    def _registers(self, source: Source, node: cst.Attribute) -> bool:
        """Does *node* belong to an application, a blueprint, a manager or a signal?"""
        kinds = self.kinds.of(source, node.value)
        known = {awaited.APP, awaited.BLUEPRINT, awaited.MANAGER}
        names = {"route", "get", "post", "put", "delete", "patch", *PATIENT_SINKS}
        return bool(kinds & known) or node.attr.value in names
