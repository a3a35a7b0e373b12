"""Whom does a streamed body see, which runs when its request is over?

Rule 1.  The user of the request, as when the response began.
Rule 2.  While one step of the body runs, and no longer: nothing is left to the task or thread that
         runs it, which a server may use for the next request.
Rule 3.  Nothing else changes: it is as lazy, ends, fails and is closed as it would be.
Rule 4.  But a stream whose login ends is cut: no step more, and no proper end, so that the client
         sees that it is not whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from quart.wrappers.response import IterableBody

from ._context import Here, begin_step, streamed
from ._core.held import Held, LoginEnded
from ._loops import Interruptible


def follow(body: IterableBody, place: Here) -> Steps:
    """Let the code of *body* see the user of *place*."""
    if not isinstance(body.iter, Steps):
        body.iter = Steps(body.iter, place)
    return body.iter


class Steps(AsyncIterator[Any]):
    """The steps of a streamed body, each with the request at hand that it answers."""

    __slots__ = ("__weakref__", "_holds", "_line", "_place", "_steps")

    def __init__(self, steps: AsyncIterator[Any], place: Here) -> None:
        self._steps = steps
        self._place = place
        #: Who may find out yet whose login this is.
        self._holds: list[Callable[[Steps], bool]] = []
        #: What is cut when a login ends, if one may.
        self._line: Interruptible | None = None

    def may_be_cut(self, hold: Callable[[Steps], bool]) -> None:
        """Let *hold* see to it that these steps are cut in time: now, or before a later step."""
        self._line = self._line or Interruptible()
        if not hold(self):
            self._holds.append(hold)

    def cut(self) -> None:
        """Let there be no step more: the login has ended."""
        if self._line is not None:
            self._line.interrupt()

    async def __anext__(self) -> Any:
        if self._holds:
            self._holds = [hold for hold in self._holds if not hold(self)]
        token = begin_step(self._place)
        try:
            if self._line is None:
                return await self._steps.__anext__()
            return await self._next_on(self._line)
        finally:
            streamed.reset(token)

    async def _next_on(self, line: Interruptible) -> Any:
        found = await line.step(self._steps.__anext__)
        if line.is_over:
            raise LoginEnded
        return found

    async def aclose(self) -> None:
        """Close the body, as Quart does also when the client is gone."""
        aclose = getattr(self._steps, "aclose", None)
        if aclose is None:
            return
        token = begin_step(self._place)
        try:
            await aclose()
        finally:
            streamed.reset(token)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._steps, name)


class HeldStream(Held):
    """A streamed response that goes out."""

    __slots__ = ()

    def shut(self) -> None:
        """Let no step more go out."""
        steps = self()
        if steps is not None:
            steps.cut()


class Cutting:
    """An HTTP connection of Quart's that takes it quietly if a stream is cut: the server, whose
    client has not got all, closes the line.
    """

    async def __call__(self, *args: Any) -> None:
        try:
            await super().__call__(*args)  # type: ignore[misc]
        except* LoginEnded:
            pass


def cutting(kind: type) -> type:
    """Return *kind*, the application's class of HTTP connections, as one that is `Cutting`."""
    return type(kind.__name__, (Cutting, kind), {})
