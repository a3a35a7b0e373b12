"""How does a coroutine run where there is no event loop?

The core is written as coroutines that wait for nothing but their exchange, and Flask's exchange
never suspends.  One ``send`` therefore runs such a coroutine from its first line to its last, in
this thread, now: no event loop, no thread, no generated code.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def step(coro: Coroutine[Any, Any, T]) -> T:
    """Run *coro* to its end, in this thread, now.

    Raises `RuntimeError` if it suspends, as only a coroutine that needs an event loop does.
    """
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coro.close()
    raise RuntimeError(f"{coro!r} waits for an event loop, and there is none here")
