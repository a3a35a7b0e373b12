"""Which thread does what may block?

Rule 1.  There are so many at most.  Where all are busy, what comes next waits, and can be taken
         back until its turn comes: what hangs costs those who ask time, and nobody memory.
Rule 2.  No thread keeps the process from ending, and none is carried into a forked one.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeAlias
from weakref import WeakSet

#: What a thread does.  It does not raise; no two are equal.
Job: TypeAlias = Callable[[], None]


class Threads:
    """Threads of that *name*, which do what they are given; at most so many as *most* says."""

    def __init__(self, most: int, name: str) -> None:
        self.most = most
        self._name = name
        self.begin_anew()
        _all.add(self)

    def begin_anew(self) -> None:
        """Have no threads yet."""
        self._lock = Lock()
        self._count = 0
        #: How many threads have nothing to do.
        self._idle = 0
        #: What they do next: never more than threads that are on their way to it.
        self._given: SimpleQueue[Job] = SimpleQueue()
        #: What nobody is there for.
        self._waiting: OrderedDict[Job, None] = OrderedDict()

    def do(self, job: Job) -> None:
        """Let a thread do *job*."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._count < self.most:
                Thread(target=self._work, name=self._name, daemon=True).start()
                self._count += 1
            else:
                self._waiting[job] = None
                return
            self._given.put(job)

    def take_back(self, job: Job) -> None:
        """Forget *job*, unless a thread has it already."""
        with self._lock:
            self._waiting.pop(job, None)

    def _work(self) -> None:
        while True:
            # In no variable, which would keep the last request until the next one.
            self._given.get()()
            self._go_on()

    def _go_on(self) -> None:
        # All is counted with one lock, before a thread waits: one that is counted as idle is idle,
        # or about to be, and what is given never waits for a thread that hangs.
        with self._lock:
            if self._waiting:
                self._given.put(self._waiting.popitem(last=False)[0])
            else:
                self._idle += 1


_all: WeakSet[Threads] = WeakSet()


def begin_anew() -> None:
    """Forget all threads: they are another process's."""
    for threads in list(_all):
        threads.begin_anew()


# Windows has no fork.
getattr(os, "register_at_fork", lambda **_: None)(after_in_child=begin_anew)
