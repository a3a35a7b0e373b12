"""What if somebody forgets to await?

A coroutine that nobody awaits is true, so ``if allowed():`` lets everybody in where `allowed` has
become ``async def``.  Of a function with this decorator that is an error instead:

    @must_await
    async def allowed(): ...

    if allowed():           # RuntimeError: this was not awaited: write `await allowed(...)` at ...

``python -m quart_login.upgrade`` writes it, and with ``--finish`` takes it away: docs/upgrading.md.

Rule 1  What the function returns may be awaited, once, and given to what takes coroutines.
Rule 2  Whatever else is asked of it is an error, which says where the call is.
Rule 3  Python hides ``is`` (``if find() is None:``), and what is thrown away: of those it warns at
        most, as of every coroutine.
"""

from __future__ import annotations

import inspect
import sys
from abc import ABCMeta
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from inspect import CO_COROUTINE
from types import CodeType, FrameType, MethodType
from typing import Any, ParamSpec, TypeVar, cast

__all__ = ["must_await"]

P = ParamSpec("P")
R = TypeVar("R")

#: What asyncio asks of a coroutine, and `isinstance` of everything; the rest the coroutine answers.
_OWN = frozenset({"__await__", "__class__", "close", "send", "throw"})
_NAMES = frozenset({"__name__", "__qualname__"})
_FRAMES = ("ag_", "cr_", "gi_")


def must_await(
    function: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Coroutine[Any, Any, R]]:
    """Let every use of what *function* (``async def``) returns be an error, unless it is awaited.

    Methods, static methods and class methods are fine, on either side of this decorator.

    :raises TypeError: *function* is no coroutine function.
    """
    return cast("Callable[P, Coroutine[Any, Any, R]]", _guarded(function))


def _guarded(given: Any) -> Any:
    if isinstance(given, staticmethod | classmethod):
        return type(given)(_guarded(given.__func__))
    if isinstance(given, _MustAwait):
        return given
    if not inspect.iscoroutinefunction(given):
        name = getattr(given, "__qualname__", repr(given))
        raise TypeError(f"`must_await` is for coroutine functions, and `{name}` is none: delete it")
    return _MustAwait(given)


class _MustAwait:
    """A coroutine function to all who ask: `inspect` goes by the attributes of its code.

    (No plain function: that can be marked as one from Python 3.12 on only.)
    """

    # A slot, as `functools.wraps` copies a dictionary from one function to the next.
    __slots__ = ("__dict__", "__weakref__", "_function")

    def __init__(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        self._function = function
        update_wrapper(self, function)
        mark = getattr(inspect, "markcoroutinefunction", None)
        if mark is not None:
            mark(self)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Unawaited:
        caller = sys._getframe(1)
        where = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        return Unawaited(self._function(*args, **kwargs), where)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    @property
    def __code__(self) -> CodeType:
        # Also of a function that is one by a mark, and has plain code.
        code: CodeType = self._function.__code__
        return code.replace(co_flags=code.co_flags | CO_COROUTINE)

    @property
    def __defaults__(self) -> Any:
        return getattr(self._function, "__defaults__", None)

    @property
    def __kwdefaults__(self) -> Any:
        return getattr(self._function, "__kwdefaults__", None)

    def __repr__(self) -> str:
        return f"<must_await of {self._function!r}>"

    def __reduce__(self) -> str:
        return self._function.__qualname__  # By its name, as functions are.


class Unawaited:
    """What a call returns: it can be awaited, and nothing else."""

    __slots__ = ("__weakref__", "_coroutine", "_where")

    _coroutine: Coroutine[Any, Any, Any]
    _where: str

    def __init__(self, coroutine: Coroutine[Any, Any, Any], where: str) -> None:
        object.__setattr__(self, "_coroutine", coroutine)
        object.__setattr__(self, "_where", where)

    # --- what asyncio does with it ----------------------------------------------------------------

    def __await__(self) -> Any:
        return _inside(self).__await__()

    def send(self, value: Any) -> Any:
        return _inside(self).send(value)

    def throw(self, *error: Any) -> Any:
        return _inside(self).throw(*error)

    def close(self) -> None:
        _inside(self).close()

    def __hash__(self) -> int:
        # `asyncio.gather` keeps what it is given in a dictionary; ``role() in {"guest"}`` is wrong.
        return id(self) if _is_asyncio(sys._getframe(1)) else cast(int, _refuse(self))

    def __bool__(self) -> bool:
        # A task that shows itself looks whether it has a coroutine.
        return True if _is_asyncio(sys._getframe(1)) else cast(bool, _refuse(self))

    # --- what nobody may do with it ---------------------------------------------------------------

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN:
            return object.__getattribute__(self, name)
        if name in _NAMES or name.startswith(_FRAMES):
            return getattr(_inside(self), name)
        return _refuse(self)

    def __repr__(self) -> str:
        # Not refused: it is for those who look for the fault.
        return f"<{_inside(self)!r}, called at {object.__getattribute__(self, '_where')}>"


def _is_asyncio(caller: FrameType) -> bool:
    return str(caller.f_globals.get("__name__")).partition(".")[0] == "asyncio"


def _inside(unawaited: Unawaited) -> Any:
    return object.__getattribute__(unawaited, "_coroutine")


def _refuse(unawaited: Unawaited, *_: Any) -> Any:
    name, where = _inside(unawaited).__qualname__, object.__getattribute__(unawaited, "_where")
    raise RuntimeError(f"this was not awaited: write `await {name}(...)` at {where}")


for _name in (
    *("eq", "ne", "lt", "le", "gt", "ge", "str", "format", "bytes", "fspath", "dir"),
    *("len", "iter", "reversed", "contains", "getitem", "setitem", "delitem", "call"),
    *("int", "float", "complex", "index", "round", "trunc", "neg", "pos", "abs", "invert"),
    *("enter", "exit", "setattr", "delattr", "reduce_ex", "copy", "deepcopy"),
):
    setattr(Unawaited, f"__{_name}__", _refuse)

# `asyncio` asks `isinstance` before it makes a task.
cast("ABCMeta", Coroutine).register(Unawaited)
