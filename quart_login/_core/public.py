"""How does a core function look to an application?"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from inspect import signature
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def publish(fn: Callable[..., Any], bound: F, module: str) -> F:
    """Give *bound* the name, docstring and signature of *fn*, less its first parameter."""
    update_wrapper(bound, fn)
    seen = signature(fn)
    # The first parameter is ours to fill; an application never passes it.
    bound.__signature__ = seen.replace(  # type: ignore[attr-defined]
        parameters=list(seen.parameters.values())[1:]
    )
    bound.__module__ = module
    del bound.__wrapped__  # type: ignore[attr-defined]
    return bound
