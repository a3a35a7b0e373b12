"""How long may something take, on whichever event loop runs?

Quart runs on asyncio, Quart-Trio on trio.  Nothing else in this library depends on which.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_time(seconds: float, call: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Await ``call(*args)``; raise `TimeoutError` if it takes longer than *seconds*.

    On trio a plain function that runs in a thread is waited for to its end, as trio has it.
    """
    trio = _running_trio()
    if trio is None:
        async with asyncio.timeout(seconds):
            return await call(*args)
    with trio.move_on_after(seconds):
        return await call(*args)
    raise TimeoutError


def run(app: Any, call: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run ``call(*args)`` to its end on a loop of the kind that *app* is served on."""
    quart_trio: Any = sys.modules.get("quart_trio")
    if quart_trio is None or not isinstance(app, quart_trio.QuartTrio):
        return asyncio.run(_awaited(call, *args))
    trio: Any = sys.modules["trio"]

    async def in_nursery() -> T:
        async with trio.open_nursery() as app.nursery:  # where its background tasks run
            return await call(*args)

    try:
        return trio.run(in_nursery)  # type: ignore[no-any-return]
    except BaseExceptionGroup as group:
        first, *others = group.exceptions
        if others:
            raise
        raise first from None


async def _awaited(call: Callable[..., Awaitable[T]], *args: Any) -> T:
    return await call(*args)


def _running_trio() -> Any:
    """Return the module `trio` if it runs this task."""
    trio: Any = sys.modules.get("trio")  # Whoever runs on it has imported it.
    if trio is None:
        return None
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return None
    return trio
