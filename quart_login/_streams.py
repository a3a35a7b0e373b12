"""Whom does a streamed body see, which runs when its request is over?

Rule 1.  The user of the request, as when the response began.
Rule 2.  While one step of the body runs, and no longer: nothing is left to the task or thread that
         runs it, which a server may use for the next request.
Rule 3.  Nothing else changes: it is as lazy, ends, fails and is closed as it would be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quart.wrappers.response import IterableBody

from ._context import Here, begin_step, streamed


def follow(body: IterableBody, place: Here) -> None:
    """Let the code of *body* see the user of *place*."""
    if not isinstance(body.iter, Steps):
        body.iter = Steps(body.iter, place)


class Steps(AsyncIterator[Any]):
    """The steps of a streamed body, each with the request at hand that it answers."""

    __slots__ = ("_place", "_steps")

    def __init__(self, steps: AsyncIterator[Any], place: Here) -> None:
        self._steps = steps
        self._place = place

    async def __anext__(self) -> Any:
        token = begin_step(self._place)
        try:
            return await self._steps.__anext__()
        finally:
            streamed.reset(token)

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
