"""Whom does a streamed body see, which runs when its request is over?

Rule 1.  The user of the request, as when the response began.
Rule 2.  While one step of the body runs, and no longer: nothing is left to the thread that runs it,
         which a server uses for the next request.
Rule 3.  Nothing else changes: it is as lazy, ends, fails and is closed as it would be.
Rule 4.  But a stream whose login has ended is cut at its next step, without a proper end, so that
         the client sees that it is not whole.
Rule 5.  What has a length is no stream; what goes to the server as it is, such as a file, stays as
         it is; and so does what Werkzeug makes of an exception, or of another WSGI application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.wsgi import ClosingIterator

from quart_login._core.held import LoginEnded

from ._context import Here, begin_step, streamed
from ._endings import Ending


def is_streamed(response: Any) -> bool:
    """Does the application's own code make the body of *response*, step by step?"""
    made_by_werkzeug = type(response.response) is ClosingIterator or response.direct_passthrough
    return response.is_streamed and not made_by_werkzeug


def follow(response: Any, place: Here, ending: Ending | None = None) -> None:
    """Let the code of the body of *response* see the user of *place*; cut it when its *ending* has
    come, if it may.
    """
    if not isinstance(response.response, Steps):
        response.response = Steps(response.response, place)
    if ending is not None:
        response.response.endings.append(ending)


class Steps(Iterator[Any]):
    """The steps of a streamed body, each with the request at hand that it answers."""

    __slots__ = ("_place", "_steps", "endings")

    def __init__(self, steps: Any, place: Here, endings: list[Ending] | None = None) -> None:
        self._steps = steps
        self._place = place
        #: What is looked at before each step.
        self.endings = [] if endings is None else endings

    def _run(self, fn: Callable[..., Any], *args: Any) -> Any:
        token = begin_step(self._place)
        try:
            return fn(*args)
        finally:
            streamed.reset(token)

    def __iter__(self) -> Iterator[Any]:
        steps = self._run(iter, self._steps)
        return self if steps is self._steps else Steps(steps, self._place, self.endings)

    def __next__(self) -> Any:
        if self.endings and any(ending.has_come() for ending in self.endings):
            raise LoginEnded
        return self._run(next, self._steps)

    def close(self) -> None:
        """Close the body, as servers do also when the client is gone."""
        if hasattr(self._steps, "close"):
            self._run(self._steps.close)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._steps, name)
