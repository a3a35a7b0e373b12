"""In which threads does a driver block?

Rule 1.  In threads that do nothing else.  One that hangs makes calls of its own kind wait, and no
         plain view or loader: those have the loop's own threads.
Rule 2.  Who waits may leave; the call is left to its thread then, and nobody reads what it brings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, TypeAlias

from ._core.public import is_coroutine_function
from ._core.threads import Threads
from ._loops import running_trio

#: Threads of one kind: as many as asyncio has by itself on a large machine.
MOST: Final = 32


class Blocking:
    """What a store gets for an exchange: a way to wait for its driver, whatever its colour."""

    def __init__(self, most: int, name: str) -> None:
        self._threads = Threads(most, name)
        #: Where a run of trio keeps how many of its threads are ours.
        self._place: Any = None

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Return what *fn* does.  It runs in a thread, with the context variables of who asks,
        unless it is a coroutine function.
        """
        if is_coroutine_function(fn) or iscoroutinefunction(fn):  # also a partial of one
            return await fn(*args)
        trio = running_trio()
        if trio is None:
            result = await self._on_asyncio(fn, *args)
        else:
            result = await self._on_trio(trio, fn, *args)
        return await result if hasattr(result, "__await__") else result

    async def _on_asyncio(self, fn: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer] = loop.create_future()
        job = partial(_do, loop, answer, copy_context(), fn, *args)
        self._threads.do(job)
        try:
            result, error = await answer
        except BaseException:
            self._threads.take_back(job)
            raise
        if error is None:
            return result
        try:
            raise error
        finally:
            del answer, error, job  # or they would keep each other

    async def _on_trio(self, trio: Any, fn: Callable[..., Any], *args: Any) -> Any:
        # It has threads of its own, which end with the process, and counts them for us.
        to_thread, limiter = trio.to_thread, self._limiter(trio)
        [result] = await to_thread.run_sync(
            _boxed, fn, *args, abandon_on_cancel=True, limiter=limiter
        )
        return result

    def _limiter(self, trio: Any) -> Any:
        if self._place is None:
            self._place = trio.lowlevel.RunVar("limiter")
        try:
            return self._place.get()
        except LookupError:
            limiter = trio.CapacityLimiter(self._threads.most)
            self._place.set(limiter)
            return limiter


#: What a call returned, or raised.
_Answer: TypeAlias = tuple[Any, BaseException | None]


def _do(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[_Answer],
    context: Context,
    fn: Callable[..., Any],
    *args: Any,
) -> None:
    if answer.cancelled():
        return
    try:
        _tell(loop, answer, (context.run(fn, *args), None))
    except BaseException as error:
        _tell(loop, answer, (None, error))


def _tell(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[_Answer], said: _Answer) -> None:
    with suppress(RuntimeError):  # The loop is closed: nobody waits.
        loop.call_soon_threadsafe(_set, answer, said)


def _set(answer: asyncio.Future[_Answer], said: _Answer) -> None:
    if not answer.cancelled():
        answer.set_result(said)


def _boxed(fn: Callable[..., Any], *args: Any) -> list[Any]:
    return [fn(*args)]  # for trio hands no awaitable over


#: What waits for stores, and what waits for their news of ended logins, which takes as long as a
#: socket is open.  Who listens may hang without a store that does, and the other way round.
FOR_STORES: Final[Any] = Blocking(MOST, "login-store")
FOR_LISTENERS: Final[Any] = Blocking(MOST, "login-listener")
