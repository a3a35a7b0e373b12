"""Which functions become coroutine functions, and what is awaited in them?

Rule 1  What waits in Quart is awaited, and the function around it is a coroutine function.
Rule 2  So whoever calls that function awaits it, and is one too, as far as it goes.
Rule 3  Where nobody can await, nothing is written, and it is told.
Rule 4  What is awaited already, or given to what takes coroutines, is left as it is.
Rule 5  A function that was ``async def`` before has callers, too: an earlier run, or a hand, may
        have left them.  Where such a coroutine may be kept on purpose, that is told.
Rule 6  Where one of several functions is awaited, the others are made to wait, too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from . import awaited
from .awaited import APP, BLOCKS
from .homes import Homes
from .kinds import Kinds, is_super
from .project import Project
from .sources import Source
from .streams import Streams
from .survey import Function, Survey
from .takers import COPIES_CONTEXT, taker, takes_coroutines
from .wrappers import Wrappers


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
        #: The decorators of the project that were made to await what they decorate.
        self._settled: set[Function] = set()
        for function in self.project.every:
            self._begin_wrapped(function)
        for survey in self.project.surveys:
            self._begin(survey)
        for decorator in self._wrappers.of_classes:
            self._turn_wrapper(decorator)
        for function in self.project.every:
            if function.waits:
                self._await_old_calls(function)

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
        name, kinds = call.func.attr.value, self.kinds.of(source, call.func.value)
        if is_super(call.func.value):
            kinds = self.kinds.above(source, call) & set(awaited.PARENTS)
        return any(name in awaited.methods(kind) for kind in kinds)

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

    # --- wrappers --------------------------------------------------------------------------------

    def is_wrapper(self, function: Function) -> bool:
        """Is *function* what a decorator of the project puts around another?"""
        return function in self._wrappers.inner

    def wrappers_of(self, decorator: Function) -> list[Function]:
        return [one for one, its in self._wrappers.inner.items() if its is decorator]

    # --- awaiting --------------------------------------------------------------------------------

    def _await(self, source: Source, node: cst.CSTNode, what: str) -> None:
        """Have *node* awaited, or tell why not."""
        if node in self.awaits or takes_coroutines(self.project, source, node):
            return
        if self._make_home(source, node, f"`{what}` is awaited in Quart"):
            self.awaits.add(node)

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
        self._await_calls(function)
        for decorator in self._wrappers.worn[function]:
            self._turn_wrapper(decorator)
        if function in self._wrappers.inner:
            self._turn_wrapper(self._wrappers.inner[function])

    def _await_calls(self, function: Function) -> None:
        for source, call in self._callers[function]:
            self._await(source, call, source.text(call.func))
            if call in self.awaits:
                self._join(source, call)

    def _join(self, source: Source, call: cst.Call) -> None:
        """Have all that *call* may call wait: a method and those that override it, say."""
        for function in self.kinds.targets(source, call):
            worn = self._wrappers.worn[function]
            # A plain function may be what a decorator puts a coroutine function around.
            done = function in self.wrapped or any(map(self._wrappers.calls_what_it_is_given, worn))
            why = None if done else self._turn(function)
            if why is not None:
                what = (
                    f"`{source.text(call.func)}` is awaited, and may be the plain function of line"
                )
                self.project.tell(
                    source, call, f"{what} {function.source.line(function.node)}: {why}"
                )

    def _await_old_calls(self, function: Function) -> None:
        for source, call in self._callers[function]:
            if takes_coroutines(self.project, source, call):
                continue
            if self._is_kept(source, call):
                what = f"`{source.text(call.func)}` is a coroutine function: is this awaited?"
                self.project.tell(source, call, what)
            else:
                self._await(source, call, source.text(call.func))

    def _is_kept(self, source: Source, call: cst.Call) -> bool:
        """May the coroutine be kept on purpose, to be awaited elsewhere?"""
        parent = source.parent(call)
        if isinstance(parent, cst.Arg):
            by = taker(source, call)
            name = self.project.name_of(source, by.func) if by is not None else ""
            return not name.startswith("builtins.")
        if isinstance(parent, cst.Assign | cst.AnnAssign | cst.NamedExpr):
            return not isinstance(parent, cst.Assign) or self._is_awaited_later(source, parent)
        kept = cst.Element | cst.StarredElement | cst.DictElement | cst.Yield | cst.Lambda
        return isinstance(
            parent, kept | cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp
        )

    def _is_awaited_later(self, source: Source, node: cst.Assign) -> bool:
        target = node.targets[0].target
        if not isinstance(target, cst.Name):
            return True
        around = source.above(node, cst.FunctionDef) or source.module
        used = m.findall(around, m.Await(m.Name(target.value)) | m.Arg(m.Name(target.value)))
        return bool(used)

    def _turn_wrapper(self, decorator: Function) -> None:
        """Have *decorator* await what it decorates, whatever that is."""
        if decorator in self._settled:
            return
        self._settled.add(decorator)
        for call in self._wrappers.calls[decorator]:
            self._await(decorator.source, call, decorator.source.text(call.func))
            if call in self.awaits:
                self.ensured[decorator.source].add(call)
        if self._wrappers.calls_what_it_is_given(decorator):
            for function in self._wrappers.decorated[decorator]:
                self._await_calls(function)
