"""Is this given to what awaits it?

Rule 1  What asyncio and the like are given, they await: ``create_task(send())``, also in a list.
Rule 2  What Quart or quart_login registers, they await.
Rule 3  A function of the project awaits what it is given if all that it does with that very
        parameter is to await its calls, to ask about it, or to hand it to one of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field

import libcst as cst

from .kinds import Kinds, arguments
from .project import Project
from .sources import Source
from .survey import Function

#: What takes coroutines as they are.
_MODULES = ("asyncio.", "anyio.", "trio.")
_METHODS = {
    "add_background_task", "create_task", "ensure_future", "gather", "run_coroutine_threadsafe",
    "run_until_complete", "shield", "start_soon", "wait_for",
}  # fmt: skip

#: Methods that may be given a coroutine function, as Quart or quart_login awaits it.
PATIENT_SINKS = {
    "add_app_template_filter", "add_app_template_global", "add_app_template_test",
    "add_background_task", "add_template_filter", "add_template_global", "add_template_test",
    "app_template_filter", "app_template_global", "app_template_test", "template_filter",
    "template_global", "template_test", "endpoint",
    "add_url_rule", "after_app_request", "after_request", "app_context_processor",
    "app_errorhandler", "before_app_request", "before_request", "before_serving", "connect",
    "connect_via", "context_processor", "ensure_async", "ensure_sync", "errorhandler",
    "header_loader", "localize_callback", "needs_refresh_handler", "register_error_handler",
    "request_loader", "route", "teardown_app_request", "teardown_appcontext",
    "teardown_request", "unauthorized_handler", "user_loader", "verify_password",
}  # fmt: skip

#: What makes a coroutine function of a plain one, too.
COPIES_CONTEXT = "quart.copy_current_request_context"

#: What is given a function and does not call it, or is looked at for itself.
_COPIES = {"functools.wraps", "functools.update_wrapper", COPIES_CONTEXT}

#: What asks about a function.
_ASKS = {
    f"builtins.{name}"
    for name in ("callable", "getattr", "hasattr", "id", "isinstance", "repr", "setattr", "type")
}


def taker(source: Source, node: cst.CSTNode) -> cst.Call | None:
    """Return the call that *node* is an argument of, if it is one."""
    argument = source.parent(node)
    call = source.parent(argument) if isinstance(argument, cst.Arg) else None
    return call if isinstance(call, cst.Call) else None


def takes_coroutines(project: Project, source: Source, node: cst.CSTNode) -> bool:
    """Is *node*, a call, awaited, or given to what takes coroutines, perhaps in a list?"""
    around: cst.CSTNode | None = node
    while around is not None:
        parent = source.parent(around)
        if isinstance(parent, cst.Await):
            return True
        if (call := taker(source, around)) is not None:
            named = isinstance(call.func, cst.Attribute) and call.func.attr.value in _METHODS
            return named or project.name_of(source, call.func).startswith(_MODULES)
        if not _hands_on(parent, around):
            return False
        around = parent
    return False


def _hands_on(parent: cst.CSTNode | None, child: cst.CSTNode) -> bool:
    """Is *parent* a list or the like of *child*, or one of two such things?"""
    if isinstance(parent, cst.IfExp):
        return child is not parent.test
    if isinstance(parent, cst.ListComp | cst.GeneratorExp | cst.SetComp):
        return child is parent.elt
    return isinstance(parent, cst.Element | cst.List | cst.Tuple | cst.Set)


@dataclass
class Takers:
    """Which calls and decorators await the functions that they are given?"""

    kinds: Kinds
    #: The calls that are awaited, once all is written.
    awaits: Set[cst.CSTNode]
    #: Where each parameter is used, by its local name.
    uses: dict[str, list[tuple[Source, cst.Name]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def __post_init__(self) -> None:
        self._project = self.kinds.project
        for survey in self._project.surveys:
            for node in survey.names:
                for name in survey.source.names_of(node):
                    self.uses[name].append((survey.source, node))

    # --- calls -----------------------------------------------------------------------------------

    def takes(self, source: Source, node: cst.CSTNode) -> bool:
        """Is *node*, which means a function, given to what awaits it?"""
        call = taker(source, node)
        return call is not None and self._awaits(source, call, node, ())

    def _awaits(
        self, source: Source, call: cst.Call, node: cst.CSTNode, on_the_way: tuple[str, ...]
    ) -> bool:
        name = self._project.name_of(source, call.func)
        if name.startswith((*_MODULES, "quart_login.")) or name in _COPIES | _ASKS:
            return True
        if name == "functools.partial":
            return self.takes(source, call)  # What is called is the function, as ever.
        functions = self.kinds.targets(source, call)
        if functions:
            given = [
                (one, param)
                for one in functions
                for param, its in arguments(one, call)
                if its is node
            ]
            return len(given) >= len(functions) and all(
                self.awaits_its(one, param.name.value, on_the_way) for one, param in given
            )
        return isinstance(call.func, cst.Attribute) and call.func.attr.value in PATIENT_SINKS

    # --- parameters ------------------------------------------------------------------------------

    def awaits_its(
        self,
        function: Function,
        param: str,
        on_the_way: tuple[str, ...] = (),
        returns: bool = False,
    ) -> bool:
        """Does *function* await all calls of its parameter *param*, and keep it from others?

        A decorator may also return it.
        """
        name = function.local(param)
        if name in on_the_way:
            return True
        return all(
            self._is_good(source, node, (*on_the_way, name), returns)
            for source, node in self.uses[name]
        )

    def _is_good(
        self, source: Source, node: cst.Name, on_the_way: tuple[str, ...], returns: bool
    ) -> bool:
        parent = source.parent(node)
        if isinstance(parent, cst.Call):
            return parent in self.awaits or isinstance(source.parent(parent), cst.Await)
        if isinstance(parent, cst.Param):
            return parent.name is node
        if isinstance(parent, cst.Arg):
            call = taker(source, node)
            return call is not None and self._awaits(source, call, node, on_the_way)
        if isinstance(parent, cst.Return):
            return returns
        return isinstance(parent, cst.Attribute | cst.ComparisonTarget) or _is_asked(source, node)

    # --- decorators ------------------------------------------------------------------------------

    def decorates(self, source: Source, node: cst.BaseExpression, decorator: Function) -> bool:
        """Does *decorator*, as ``@node``, await the function below it?"""
        receivers = [decorator]
        if isinstance(node, cst.Call):
            receivers = [one for one in self._project.every if _is_returned(one, decorator)]
        return bool(receivers) and all(self._receives(one) for one in receivers)

    def _receives(self, decorator: Function) -> bool:
        params = decorator.params[1:] if decorator.owner is not None else decorator.params
        return bool(params) and self.awaits_its(decorator, params[0].name.value, returns=True)


def _is_returned(function: Function, by: Function) -> bool:
    return function.outer is by and any(
        isinstance(result, cst.Name) and result.value == function.name for result in by.results
    )


def _is_asked(source: Source, node: cst.CSTNode) -> bool:
    """Is it only asked whether there is *node*, as in ``if check and not check():``?"""
    parent = source.parent(node)
    while isinstance(parent, cst.BooleanOperation | cst.UnaryOperation | cst.Comparison):
        if isinstance(parent, cst.Comparison):
            return True
        node, parent = parent, source.parent(parent)
    return isinstance(parent, cst.If | cst.While | cst.IfExp | cst.Assert) and parent.test is node
