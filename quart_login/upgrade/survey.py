"""Which functions, classes, calls and names does a file have?"""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from .sources import Source


@dataclass(eq=False)
class Class:
    source: Source
    node: cst.ClassDef
    key: str
    #: Its methods, by their names; of several of one name, the last.
    methods: dict[str, Function] = field(default_factory=dict)
    #: All of them.
    every: list[Function] = field(default_factory=list)


@dataclass(eq=False)
class Function:
    source: Source
    node: cst.FunctionDef
    #: Its whole name.
    key: str
    #: The class that it is a method of.
    owner: Class | None
    #: What it is defined in.
    outer: Function | None
    generates: bool = False
    yields_from: bool = False
    returns: bool = False
    #: What it returns, or as a fixture yields.
    results: list[cst.BaseExpression] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.node.name.value

    @property
    def is_async(self) -> bool:
        return self.node.asynchronous is not None

    @property
    def waits(self) -> bool:
        """Does a call of it give a coroutine, as it stands?"""
        return self.is_async and not self.generates

    @property
    def params(self) -> list[cst.Param]:
        """Return the parameters that an argument may be given to, in order."""
        params = self.node.params
        return [*params.posonly_params, *params.params, *params.kwonly_params]

    def local(self, name: str) -> str:
        return f"{self.key}.<locals>.{name}"


class Survey(cst.CSTVisitor):
    """What a file consists of, in its own order."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.calls: list[cst.Call] = []
        #: Names and attributes in their longest form: ``a.b.c``, not ``a.b``.
        self.references: list[cst.Name | cst.Attribute] = []
        self.attributes: list[cst.Attribute] = []
        #: Every name that stands for itself, also at the head of an attribute.
        self.names: list[cst.Name] = []
        self.withs: list[cst.With] = []
        self.loops: list[cst.For | cst.CompFor] = []
        self.assigned: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
        self.annotated: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
        self.imports: list[cst.Import | cst.ImportFrom] = []
        self.strings: list[cst.SimpleString] = []
        self.awaits: list[cst.Await] = []
        self._around: list[Function | Class] = []
        source.module.visit(self)

    def _key(self, name: str) -> str:
        if not self._around:
            return f"{self.source.name}.{name}"
        around = self._around[-1]
        return around.local(name) if isinstance(around, Function) else f"{around.key}.{name}"

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        around = self._around[-1] if self._around else None
        owner = around if isinstance(around, Class) else None
        outer = next((one for one in reversed(self._around) if isinstance(one, Function)), None)
        function = Function(self.source, node, self._key(node.name.value), owner, outer)
        self.functions.append(function)
        if owner is not None:
            owner.methods[function.name] = function
            owner.every.append(function)
        self._around.append(function)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._around.pop()

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.classes.append(Class(self.source, node, self._key(node.name.value)))
        self._around.append(self.classes[-1])

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        self._around.pop()

    def visit_Return(self, node: cst.Return) -> None:
        if node.value is not None and isinstance(self._here, Function):
            self._here.results.append(node.value)
            self._here.returns = True

    def visit_Yield(self, node: cst.Yield) -> None:
        here = self._here
        if isinstance(here, Function) and self.source.above(node, cst.Lambda) is None:
            here.generates = True
            here.yields_from |= isinstance(node.value, cst.From)
            if isinstance(node.value, cst.BaseExpression):
                here.results.append(node.value)

    @property
    def _here(self) -> Function | Class | None:
        return self._around[-1] if self._around else None

    def visit_Call(self, node: cst.Call) -> None:
        self.calls.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self.attributes.append(node)
        if not isinstance(self.source.parent(node), cst.Attribute):
            self.references.append(node)

    def visit_Name(self, node: cst.Name) -> None:
        parent = self.source.parent(node)
        if not isinstance(parent, cst.Attribute):
            self.references.append(node)
        if not (isinstance(parent, cst.Attribute) and parent.attr is node):
            self.names.append(node)

    def visit_Await(self, node: cst.Await) -> None:
        self.awaits.append(node)

    def visit_With(self, node: cst.With) -> None:
        self.withs.append(node)
        for item in node.items:
            if item.asname is not None:
                self.assigned.append((item.asname.name, item.item))

    def visit_For(self, node: cst.For) -> None:
        self.loops.append(node)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self.loops.append(node)

    def visit_Assign(self, node: cst.Assign) -> None:
        self.assigned.extend((target.target, node.value) for target in node.targets)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self.annotated.append((node.target, node.annotation.annotation))
        if node.value is not None:
            self.assigned.append((node.target, node.value))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.assigned.append((node.target, node.value))

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.strings.append(node)

    def visit_Import(self, node: cst.Import) -> bool:
        self.imports.append(node)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        self.imports.append(node)
        return False
