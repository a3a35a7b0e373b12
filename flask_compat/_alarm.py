"""How is left what takes too long, in the thread that it runs in?

By the system's alarm, which is heard while a lock, a socket or a sleep is waited for.  So what runs
keeps its thread, and what belongs to that: a connection of SQLite's, a session of SQLAlchemy's.

Rule 1.  What rings is no `Exception`, so that what runs does not take it for one of its own.
Rule 2.  Another's alarm, a time limit of the suite's, is set again as it was; if it is to ring
         first, it stays.
Rule 3.  Where there is no alarm (on Windows, and in other threads than the first), nothing is left.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class _Late(BaseException):
    """It is time."""


def in_time(seconds: float, call: Callable[[], T]) -> T:
    """Return what *call* does; raise `TimeoutError` if it takes longer than *seconds*."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return call()
    if 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        return call()
    with _alarm(seconds) as rung:
        try:
            return call()
        except (Exception, _Late):
            if not rung:
                raise
    raise TimeoutError


if sys.platform != "win32":

    @contextmanager
    def _alarm(seconds: float) -> Iterator[list[bool]]:
        """Let it ring in the block after some *seconds*; its value is empty until then."""
        rung: list[bool] = []
        is_over = False

        def ring(number: int, frame: Any) -> None:
            if not is_over:
                rung.append(True)
                raise _Late

        begun, before = time.monotonic(), signal.signal(signal.SIGALRM, ring)
        left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield rung
        finally:
            is_over = True
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if left:
                left = max(left - (time.monotonic() - begun), 0.001)
                signal.setitimer(signal.ITIMER_REAL, left, interval)
