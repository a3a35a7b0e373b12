"""How does a test, on asyncio, leave what takes too long?

Rule 1.  What takes no notice of being cancelled, and what runs in a thread, is left all the same.
Rule 2.  Nobody waits for it later: neither who closes the loop nor the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from threading import Thread
from typing import Any, Final, TypeVar
from weakref import WeakSet

T = TypeVar("T")

#: Seconds in which what is cancelled is to end.
_TO_END: Final = 1.0

#: What did not, and is kept: what is collected runs once more, to be closed.
_given_up: Final[list[asyncio.Task[Any]]] = []


class GivenUp(Exception):
    """It took too long.  (A `TimeoutError` may be what it came to.)"""


async def given_up_after(
    seconds: float,
    call: Callable[[], Coroutine[Any, Any, T]],
    leave: Callable[[], Awaitable[None]] | None = None,
) -> T:
    """Return what *call* does in a task of its own; raise `GivenUp` if it takes longer than
    *seconds*.  It sees what is seen here: context variables.

    *leave* tells it that nobody waits any longer, before it is cancelled.
    """
    _let_threads_go(asyncio.get_running_loop(), seconds)
    task = asyncio.create_task(call())
    task.add_done_callback(_seen)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done() and not task.cancelled():
            return task.result()
    finally:
        if not task.done():
            await _give_up(task, leave)
    raise GivenUp


async def _give_up(task: asyncio.Task[Any], leave: Callable[[], Awaitable[None]] | None) -> None:
    """End *task*, and forget what goes on nevertheless."""
    if leave is not None:
        await leave()
        await asyncio.wait({task}, timeout=_TO_END)
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_TO_END)
    here = asyncio.current_task()
    for other in asyncio.all_tasks():
        if other is not here and other.cancelling():
            _forget(other)


def _forget(task: asyncio.Task[Any]) -> None:
    """Let nobody who closes the loop cancel *task* once more, and wait."""
    asyncio._unregister_task(task)
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    task.add_done_callback(_seen)
    _given_up.append(task)


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at what became of *task*, which would be complained of otherwise."""
    if not task.cancelled():
        task.exception()


#: The loops whose threads may go on.
_lenient: Final[WeakSet[asyncio.AbstractEventLoop]] = WeakSet()


def _let_threads_go(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """Let *loop* run plain functions in threads for which it waits some *seconds* when it is
    closed, unless it has others; and the process not at all.
    """
    if loop not in _lenient and getattr(loop, "_default_executor", None) is None:
        loop.set_default_executor(_Threads(seconds))
    _lenient.add(loop)


class _Threads(ThreadPoolExecutor):
    """A thread for each call."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._calls: WeakSet[Future[Any]] = WeakSet()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        self._calls.add(done)
        Thread(target=_fulfil, args=(done, fn, args, kwargs), daemon=True).start()
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if wait:
            wait_for(set(self._calls), self._seconds)


def _fulfil(done: Future[Any], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(result)
