"""The event loop that the tests of Quart run on: asyncio, or trio with ``QUART_LOGIN_LOOP=trio``.

``from loops import asyncio`` gives what a test needs of asyncio, on whichever loop it runs; `Quart`
is the class of applications for it, `Response` that of responses, and `run_sync` its way to a
thread.
"""

from __future__ import annotations

import os
from typing import Any

TRIO = os.environ.get("QUART_LOGIN_LOOP") == "trio"

if not TRIO:
    import asyncio
    from asyncio import run

    from quart import Quart, Response
    from quart.utils import run_sync
else:
    import inspect
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from contextvars import copy_context
    from functools import partial
    from types import SimpleNamespace

    import outcome
    import trio
    from quart_trio import QuartTrio as Quart
    from quart_trio.utils import run_sync
    from quart_trio.wrappers import TrioResponse as Response

    #: Where the tasks of a test run that outlive what started them.
    _nurseries: list[trio.Nursery] = []

    def run(test: Coroutine[Any, Any, Any]) -> Any:
        """Run *test* to its end, which is that of the tasks it began, too."""
        return trio.run(_run, test).unwrap()

    async def _run(test: Coroutine[Any, Any, Any]) -> outcome.Outcome[Any]:
        async with trio.open_nursery() as nursery:
            _nurseries.append(nursery)
            try:
                # Not raised in here, where it would become part of a group.
                return await outcome.acapture(_awaited, test)
            finally:
                _nurseries.pop()
                nursery.cancel_scope.cancel()

    async def _awaited(test: Coroutine[Any, Any, Any]) -> Any:
        return await test

    class _Event:
        """An event that can be cleared."""

        def __init__(self) -> None:
            self._event = trio.Event()

        def set(self) -> None:
            self._event.set()

        def clear(self) -> None:
            self._event = trio.Event()

        def is_set(self) -> bool:
            return self._event.is_set()

        async def wait(self) -> bool:
            await self._event.wait()
            return True

    class _Task:
        """A task of trio, to be awaited as one of asyncio is."""

        def __init__(self, coroutine: Awaitable[Any]) -> None:
            self._done = trio.Event()
            self._result: Any = None
            self._error: BaseException | None = None
            self._scope = trio.CancelScope()
            if _nurseries:
                _nurseries[-1].start_soon(self._run, coroutine)
            else:  # in a server
                trio.lowlevel.spawn_system_task(self._run, coroutine, context=copy_context())

        async def _run(self, coroutine: Awaitable[Any]) -> None:
            with self._scope:
                try:
                    self._result = await coroutine
                except Exception as error:
                    self._error = error
            self._done.set()

        def cancel(self) -> None:
            self._scope.cancel()

        def done(self) -> bool:
            return self._done.is_set()

        def result(self) -> Any:
            if self._error is not None:
                raise self._error
            return self._result

        def __await__(self) -> Generator[Any, Any, Any]:
            yield from self._done.wait().__await__()
            return self.result()

    class _TaskGroup:
        """The tasks that were begun in it are done when it is left."""

        async def __aenter__(self) -> _TaskGroup:
            self._tasks: list[_Task] = []
            return self

        def create_task(self, coroutine: Awaitable[Any]) -> _Task:
            self._tasks.append(_Task(coroutine))
            return self._tasks[-1]

        async def __aexit__(self, *raised: Any) -> None:
            for task in self._tasks:
                await task

    async def _gather(*things: Awaitable[Any]) -> list[Any]:
        tasks = [thing if isinstance(thing, _Task) else _Task(thing) for thing in things]
        return [await task for task in tasks]

    async def _to_thread(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await trio.to_thread.run_sync(partial(copy_context().run, fn, *args, **kwargs))

    async def _wait_for(thing: Awaitable[Any], timeout: float | None) -> Any:  # noqa: ASYNC109
        with trio.move_on_after(float("inf") if timeout is None else timeout):
            return await thing
        raise TimeoutError

    asyncio: Any = SimpleNamespace(
        CancelledError=trio.Cancelled,
        Event=_Event,
        Lock=trio.Lock,
        Task=_Task,
        TaskGroup=_TaskGroup,
        create_task=_Task,
        gather=_gather,
        get_running_loop=lambda: trio,  # No application is bound to one.
        iscoroutinefunction=inspect.iscoroutinefunction,
        run=run,
        sleep=trio.sleep,
        to_thread=_to_thread,
        wait_for=_wait_for,
    )

__all__ = ["TRIO", "Quart", "Response", "asyncio", "run", "run_sync"]
