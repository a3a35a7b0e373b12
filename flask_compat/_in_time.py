"""How long may a store take, where nothing can be interrupted?

What may block runs in a thread, and whoever asked waits for as long as was agreed.  A call that
takes longer is left to its thread; nobody reads what it brings.  Where all threads hang, who asks
next waits as long, and no longer.

A method of an object that says by `gives_up_after` that it ends by itself, and in time, needs no
thread.  (To wake one and be woken takes longer than SQLite does for its answer.)
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from math import inf
from time import monotonic
from typing import Any, Final

from quart_login._core.threads import Threads

#: Threads that wait for stores.
MOST: Final = 128

_threads: Final = Threads(MOST, "login-store")


class InTime:
    """What a store gets for an exchange: its calls end together after *seconds*."""

    __slots__ = ("_ends",)

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Call *fn*, which blocks.  Raises `TimeoutError`."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError
        if getattr(getattr(fn, "__self__", None), "gives_up_after", inf) <= left:
            return fn(*args)
        future: Future[Any] = Future()
        job = partial(_do, future, copy_context().run, fn, *args)
        _threads.do(job)
        try:
            return future.result(left)
        except TimeoutError:
            future.cancel()  # if no thread has begun with it
            _threads.take_back(job)
            raise


def _do(future: Future[Any], fn: Callable[..., Any], *args: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(fn(*args))
    except BaseException as error:
        future.set_exception(error)
