"""How long may something take, on whichever event loop runs?

Quart runs on asyncio, Quart-Trio on trio.  Nothing else in this library depends on which.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


async def in_time(seconds: float, call: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Await ``call(*args)``; raise `TimeoutError` if it takes longer than *seconds*.

    On trio a plain function that runs in a thread is waited for to its end, as trio has it.
    """
    trio = running_trio()
    if trio is None:
        async with asyncio.timeout(seconds):
            return await call(*args)
    with trio.move_on_after(seconds):
        return await call(*args)
    raise TimeoutError


async def sleep(seconds: float) -> None:
    """Do nothing for some *seconds*."""
    await (running_trio() or asyncio).sleep(seconds)


def this_handler() -> Any:
    """Return what ends, by its method ``cancel``, the handler that this task is: as Quart, and
    Quart-Trio, end it when its client is gone.
    """
    trio = running_trio()
    if trio is None:
        return asyncio.current_task()
    nursery = trio.lowlevel.current_task().parent_nursery
    return None if nursery is None else nursery.cancel_scope


#: The tasks that run: the loop itself would not keep them.
_kept: set[asyncio.Task[None]] = set()


class Apart:
    """Runs ``call(*args)`` in a task of its own, which sees no request, and ends with no other."""

    def __init__(self, call: Callable[..., Awaitable[None]], *args: Any) -> None:
        trio = running_trio()
        self._task: asyncio.Task[None] | None = None
        if trio is None:
            loop, nothing = asyncio.get_running_loop(), Context()
            self._task = loop.create_task(_awaited(call, *args), context=nothing)
            _kept.add(self._task)
            # Which would keep the request at hand, too.
            self._task.add_done_callback(_kept.discard, context=nothing)
            return
        self._scope, self._done = trio.CancelScope(), trio.Event()
        trio.lowlevel.spawn_system_task(self._run, call, *args)

    async def _run(self, call: Callable[..., Awaitable[None]], *args: Any) -> None:
        try:
            with self._scope:
                await call(*args)
        finally:
            self._done.set()

    def is_over(self) -> bool:
        """Has it ended, or its loop?"""
        if self._task is None:
            return bool(self._done.is_set())
        return self._task.done() or self._task.get_loop().is_closed()

    def cancel(self) -> None:
        """End it."""
        if self._task is None:
            self._scope.cancel()
        else:
            self._task.cancel()

    async def wait(self) -> None:
        """Wait for its end; it goes on if who waits is cancelled."""
        if self._task is None:
            await self._done.wait()
        else:
            await asyncio.wait({self._task})


async def at_once(calls: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Await all *calls*, which do not raise, at the same time."""
    trio = running_trio()
    if trio is None:
        await asyncio.gather(*(call() for call in calls))
        return
    async with trio.open_nursery() as nursery:
        for call in calls:
            nursery.start_soon(call)


async def for_a_while(seconds: float, call: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Let ``call(*args)``, which does not raise, run for some *seconds*, and then wait no longer;
    also for what takes no notice of being cancelled.
    """
    task = Apart(call, *args)
    with suppress(TimeoutError):
        await in_time(seconds, task.wait)
    task.cancel()


async def left_after(seconds: float, call: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Return what ``call(*args)`` does in a task of its own; raise `TimeoutError` if it takes
    longer than *seconds*, also if it takes no notice of being cancelled.
    """
    said: list[tuple[T, None] | tuple[None, Exception]] = []
    task = Apart(_noted, said, call, *args)
    try:
        await in_time(seconds, task.wait)
    finally:
        task.cancel()
    if not said:
        raise TimeoutError  # Somebody else has ended it.
    result, error = said.pop()
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # which is None only if that is what was returned


async def _noted(said: list[Any], call: Callable[..., Awaitable[Any]], *args: Any) -> None:
    try:
        said.append((await call(*args), None))
    except Exception as error:
        said.append((None, error))


class Bell:
    """Rings in one task, and is heard in another."""

    def __init__(self) -> None:
        self._event = self._new()

    def _new(self) -> Any:
        return (running_trio() or asyncio).Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, or rang since it was heard last; for some *seconds*."""
        with suppress(TimeoutError):
            await in_time(seconds, self._event.wait)
        self._event = self._new()


async def to_the_end(seconds: float, call: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Await ``call(*args)`` for some *seconds*, also in a task that is cancelled."""
    trio = running_trio()
    if trio is None:
        with suppress(TimeoutError):
            await in_time(seconds, call, *args)
        return
    with trio.move_on_after(seconds) as scope:
        scope.shield = True
        await call(*args)


class Interruptible:
    """Steps of something, one after the other, that `interrupt` ends: the step that runs, and any
    later one.
    """

    __slots__ = ("_running", "is_over")

    def __init__(self) -> None:
        self._running: Any = None
        self.is_over = False

    def interrupt(self) -> None:
        self.is_over = True
        if self._running is not None:
            self._running.cancel()

    async def step(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Return what *call* does; anything if it was interrupted, which `is_over` tells."""
        if self.is_over:
            return None
        trio = running_trio()
        try:
            if trio is None:
                self._running = asyncio.current_task()
                return await call()
            with trio.CancelScope() as self._running:
                return await call()
        except asyncio.CancelledError:
            if not self.is_over or self._running.uncancel():
                raise  # Somebody else ends this task.
        finally:
            self._running = None
        return None


def run(app: Any, call: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run ``call(*args)`` to its end on a loop of the kind that *app* is served on."""
    if not is_trio(app):
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
        raise first from first.__cause__


def is_trio(app: Any) -> bool:
    """Is *app* served on trio?"""
    quart_trio: Any = sys.modules.get("quart_trio")
    return quart_trio is not None and isinstance(app, quart_trio.QuartTrio)


async def _awaited(call: Callable[..., Awaitable[T]], *args: Any) -> T:
    return await call(*args)


def running_trio() -> Any:
    """Return the module `trio` if it runs this task."""
    trio: Any = sys.modules.get("trio")  # Whoever runs on it has imported it.
    if trio is None:
        return None
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return None
    return trio
