"""Which small mistakes could a module have, that a program can think of?

Rule 1.  A mistake is an edit of the text: what it replaces is one expression or statement, and the
         rest of the module stays as it is, to the letter.
Rule 2.  Nothing is changed that only people or type checkers read: docstrings, annotations, the
         sentences of an exception or of a line of the log.
Rule 3.  A mistake has a name that outlives edits elsewhere in its module: module, function, what it
         makes of what, and which of the same kind it is.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

#: Each comparison, and what is put into its place.
_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, ...]]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<"),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}

_SYMBOLS: Final[dict[type[ast.operator], tuple[str, str]]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}

#: What is called here says something to people, and decides nothing.
_SPEAKS: Final = ("warning", "warn", "echo", "add_parser", "add_argument")

#: And what is told to these is a name for a debugger, or for a type checker.
_NAMES: Final = ("TypeVar", "ParamSpec", "ContextVar", "cast")


@dataclass(frozen=True)
class Generated:
    """One mistake in the module at *path*: the bytes from *start* to *end* become *text*."""

    path: str
    #: The function or class that it is in.
    where: str
    #: What is replaced, on one line, and what by: as the name says it.
    old: str
    new: str
    text: str
    start: int
    end: int
    #: The first and last line of what is replaced.
    lines: tuple[int, int]
    #: Does it run as the module is imported, so that no test alone is known to reach it?
    at_import: bool
    #: Which of those with the same words.
    number: int = 0

    @property
    def name(self) -> str:
        """What it is called, in the list of survivors."""
        nth = f" #{self.number}" if self.number else ""
        return f"{Path(self.path).stem}: {self.where}: {self.old} -> {self.new}{nth}"

    def apply(self, text: str) -> str:
        """Return *text*, the module, with the mistake in it."""
        raw = text.encode()
        return (raw[: self.start] + self.text.encode() + raw[self.end :]).decode()


def mistakes(path: str, text: str) -> list[Generated]:
    """Return the mistakes that *text*, the module at *path*, could have; each one compiles."""
    finder = _Finder(path, text)
    finder.visit(ast.parse(text))
    seen: Counter[str] = Counter()
    named = []
    for found in sorted(finder.found, key=lambda one: (one.start, one.end, one.new)):
        number = seen[found.name]
        seen[found.name] += 1
        named.append(replace(found, number=number))
    return named


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, text: str) -> None:
        self.path, self.found = path, list[Generated]()
        self._raw = text.encode()
        self._lines = [0]
        for line in self._raw.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._scope: list[ast.AST] = []
        self._at_import = False

    # --- where -----------------------------------------------------------------------------------

    def _at(self, line: int, column: int) -> int:
        return self._lines[line - 1] + column

    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self._at(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        return start, self._at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._raw[start:end].decode()

    def _change(self, node: ast.AST, new: str, made: str = "") -> None:
        """Note that *node* could be *new*; the name calls that *made*."""
        start, end = self._span(node)
        self._note(start, end, new, node, _short(self._text(node), 100), made)

    def _note(self, start: int, end: int, new: str, node: ast.AST, old: str, made: str) -> None:
        where = ".".join(getattr(scope, "name", "") for scope in self._scope) or "(module)"
        inside = any(not isinstance(scope, ast.ClassDef) for scope in self._scope)
        lines = (node.lineno, node.end_lineno)  # type: ignore[attr-defined]
        early = self._at_import or not inside
        self.found.append(
            Generated(self.path, where, old, made or new, new, start, end, lines, early)
        )

    # --- what is left alone ----------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if any("overload" in ast.dump(one) for one in node.decorator_list):
            return
        self._scope.append(node)
        self._at_import = True
        for one in [*node.args.defaults, *node.args.kw_defaults]:
            if one is not None:
                self.visit(one)
        self._at_import = False
        self._body(node.body)
        self._scope.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope.append(node)
        self._body(node.body)
        self._scope.pop()

    def visit_Module(self, node: ast.Module) -> None:
        self._body(node.body)

    def _body(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if not _is_docstring(statement):
                self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and not _is_type_alias(node):
            self.visit(node.value)

    def visit_Import(self, node: ast.Import) -> None: ...

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None: ...

    def visit_Raise(self, node: ast.Raise) -> None:
        self._change(node, "pass")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None: ...  # no positions before 3.12

    def visit_Call(self, node: ast.Call) -> None:
        is_name = isinstance(node.func, ast.Name) and node.func.id in _NAMES
        for part in (node.func, *node.args[is_name:], *(one.value for one in node.keywords)):
            self.visit(part)

    # --- statements ------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.dump(node.test):
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return  # The comparison is turned round itself.
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return
        self._change(test, f"not ({self._text(test)})", made=f"not {_short(self._text(test))}")

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, (ast.Constant, ast.Yield, ast.YieldFrom)):
            self._change(node, "pass")
        if not _speaks(node.value):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(part, (ast.Attribute, ast.Subscript)) for part in _parts(node.targets)):
            self._change(node, "pass")
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._change(node, "pass")
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._change(node, "pass")

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        if value is None:
            self._change(node, "pass")
            return
        if not (isinstance(value, ast.Constant) and not value.value):  # as good as None
            self._change(node, "return None")
        self.visit(value)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._change(node, "break")

    def visit_Break(self, node: ast.Break) -> None:
        self._change(node, "continue")

    # --- expressions -----------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            start, end = self._span(left)[1], self._span(right)[0]
            between = self._raw[start:end].decode()
            for other in _COMPARISONS[type(operator)]:
                new = _replaced(between, operator, other)
                if new is not None:
                    whole = f"{self._text(left)}{between}{self._text(right)}"
                    self._note(start, end, new, node, " ".join(whole.split()), f"{other}")
            left = right
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for value in node.values:
            others = [one for one in node.values if one is not value]
            word = " and " if isinstance(node.op, ast.And) else " or "
            new = word.join(f"({self._text(one)})" for one in others)
            self._change(node, f"({new})", made=f"without {_short(self._text(value))}")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._change(node, f"bool({self._text(node.operand)})", made="without not")
        elif isinstance(node.op, ast.USub):
            self._change(node, self._text(node.operand))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        known = _SYMBOLS.get(type(node.op))
        if known is not None and not _is_text(node):
            start, end = self._span(node.left)[1], self._span(node.right)[0]
            between = self._raw[start:end].decode()
            if between.count(known[0]) == 1:
                whole = " ".join(self._text(node).split())
                new = between.replace(*known)
                self._note(start, end, new, node, whole, f"{known[1]}")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if value is True or value is False:
            self._change(node, str(not value))
        elif isinstance(value, (int, float)):
            self._change(node, repr(value + 1))
        elif isinstance(value, str) and value and " " not in value.strip():
            self._change(node, '"mistake"')
        elif isinstance(value, bytes):
            self._change(node, repr(value + b"!"))


def _replaced(between: str, operator: ast.cmpop, other: str) -> str | None:
    """Return *between*, which holds *operator*, with the *other* one."""
    words = {
        ast.Eq: "==",
        ast.NotEq: "!=",
        ast.Lt: "<",
        ast.LtE: "<=",
        ast.Gt: ">",
        ast.GtE: ">=",
        ast.Is: "is",
        ast.IsNot: "is not",
        ast.In: "in",
        ast.NotIn: "not in",
    }
    word = words[type(operator)]
    return between.replace(word, other, 1) if between.count(word) == 1 else None


def _short(text: str, longest: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}..."


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_type_alias(node: ast.AnnAssign) -> bool:
    return "TypeAlias" in ast.dump(node.annotation)


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(one, (ast.JoinedStr,)) for one in (node.left, node.right))


def _speaks(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in _SPEAKS


def _parts(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, ast.Tuple):
            yield from target.elts
        else:
            yield target
