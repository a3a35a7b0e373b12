"""How does a core function look to an application?"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from inspect import CO_COROUTINE, Parameter, signature
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def is_coroutine_function(fn: Callable[..., Any]) -> bool:
    """Is *fn* written as ``async def``?  (Other callables may still return an awaitable.)

    `inspect.iscoroutinefunction` takes twenty times as long, and each request asks.
    """
    code = getattr(fn, "__code__", None)
    return code is not None and bool(code.co_flags & CO_COROUTINE)


def publish(fn: Callable[..., Any], bound: F, module: str, *, method: bool = False) -> F:
    """Give *bound* the name, docstring and signature of *fn*, less its first parameter; which is
    ``self`` where *bound* is a *method*.
    """
    update_wrapper(bound, fn)
    seen = signature(fn)
    # The first parameter is ours to fill; an application never passes it.
    first, *others = seen.parameters.values()
    own = [first.replace(name="self", annotation=Parameter.empty)] if method else []
    bound.__signature__ = seen.replace(parameters=[*own, *others])  # type: ignore[attr-defined]
    bound.__module__ = module
    del bound.__wrapped__  # type: ignore[attr-defined]
    return bound
