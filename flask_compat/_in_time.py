"""How long may a store take, where nothing can be interrupted?

What may block runs in a thread, and whoever asked waits for as long as was agreed.  A call that
takes longer is left to its thread; nobody reads what it brings.

Rule 1.  There are `MOST` such threads at most.  Where all hang, who asks next waits as long, and no
         longer: a store that does not answer costs time, not memory.
Rule 2.  No thread keeps the process from ending, and none is carried into a forked one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final, TypeAlias

#: Threads that wait for stores.
MOST: Final = 128

_Job: TypeAlias = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]]


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
        future = _threads.run(copy_context().run, fn, *args)
        try:
            return future.result(left)
        except TimeoutError:
            future.cancel()  # if no thread has begun with it
            raise


class _Threads:
    """Threads that call what they are given."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = Lock()
        self._idle = self._count = 0

    def run(self, fn: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.put((future, fn, args))
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._count < MOST:
                self._count += 1
                Thread(target=self._work, name="login-store", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            self._do(*self._next())

    def _next(self) -> _Job:
        try:
            return self._jobs.get_nowait()
        except Empty:
            with self._lock:
                self._idle += 1
            return self._jobs.get()

    def _do(self, future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(fn(*args))
        except BaseException as error:
            future.set_exception(error)


_threads = _Threads()


def _begin_anew() -> None:
    global _threads
    _threads = _Threads()


os.register_at_fork(after_in_child=_begin_anew)
