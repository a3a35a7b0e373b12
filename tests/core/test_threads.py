"""Is there a thread for whatever may block, and never more than there may be?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Event
from weakref import ref

import pytest

from quart_login._core import threads as module
from quart_login._core.threads import Threads

#: Seconds for what takes none.
LONG = 30.0


class Work:
    """A job that begins, and ends when it may."""

    def __init__(self, *, hangs: bool = True) -> None:
        self.begun, self.may_end, self.ended = Event(), Event(), Event()
        self.thread: threading.Thread | None = None
        if not hangs:
            self.may_end.set()

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        self.begun.set()
        self.may_end.wait(LONG)
        self.ended.set()


def quick() -> Work:
    return Work(hangs=False)


@pytest.fixture
def hang() -> Iterator[Callable[[Threads, int], list[Work]]]:
    """Return what lets some threads hang, until the test is over."""
    all_of_it: list[Work] = []

    def begin(threads: Threads, count: int) -> list[Work]:
        works = [Work() for _ in range(count)]
        all_of_it.extend(works)
        for work in works:
            threads.do(work)
            assert work.begun.wait(LONG)
        return works

    yield begin
    for work in all_of_it:
        work.may_end.set()


def done(threads: Threads, work: Work) -> bool:
    threads.do(work)
    return work.ended.wait(LONG)


def until_idle(threads: Threads, count: int) -> None:
    while threads._idle < count:
        assert threads._count <= threads.most


def test_one_thread_does_one_job_after_the_other() -> None:
    threads = Threads(9, "some-name")
    for number in range(20):
        work = quick()
        assert done(threads, work)
        assert work.thread is not None and work.thread.name == "some-name"
        assert work.thread.daemon  # It keeps no process from ending.
        until_idle(threads, 1)
        assert threads._count == 1, number


def test_what_hangs_keeps_nobody_waiting_while_there_may_be_another_thread(
    hang: Callable[[Threads, int], list[Work]],
) -> None:
    threads = Threads(5, "test")
    for count in range(1, 5):
        hang(threads, 1)
        assert done(threads, quick())
        until_idle(threads, 1)
        assert threads._count == count + 1


def test_where_all_hang_the_next_waits_for_its_turn(
    hang: Callable[[Threads, int], list[Work]],
) -> None:
    threads, order = Threads(2, "test"), []
    first, _ = hang(threads, 2)
    last = Event()
    for number in range(3):
        threads.do(lambda number=number: order.append(number))  # type: ignore[misc]
    threads.do(last.set)
    assert threads._count == 2 and not order
    first.may_end.set()
    assert last.wait(LONG)
    assert order == [0, 1, 2]


def test_what_waits_can_be_taken_back_and_leaves_nothing(
    hang: Callable[[Threads, int], list[Work]],
) -> None:
    threads, work = Threads(1, "test"), quick()
    [first] = hang(threads, 1)
    threads.do(work)
    threads.take_back(work)
    assert not threads._waiting
    threads.take_back(first)  # which a thread has
    first.may_end.set()
    assert done(threads, quick())
    assert not work.begun.is_set()


def test_a_thread_keeps_nothing_of_what_it_did() -> None:
    threads, work = Threads(1, "test"), quick()
    assert done(threads, work)
    until_idle(threads, 1)
    gone = ref(work)
    del work
    assert gone() is None


class Gap(SimpleQueue):  # type: ignore[type-arg]
    """Holds up, once it is told to, threads that are on their way to their next job."""

    def __init__(self) -> None:
        super().__init__()
        self.holds, self.on_the_way, self.go_on = False, Event(), Event()

    def get(self, *args: object) -> object:  # type: ignore[override]
        if self.holds:
            self.on_the_way.set()
            self.go_on.wait(LONG)
        return super().get()


def test_a_thread_on_its_way_to_a_job_is_counted_once(
    hang: Callable[[Threads, int], list[Work]],
) -> None:
    """One too many is a thread that somebody relies on, and that hangs later."""
    threads = Threads(9, "test")
    gap = threads._given = Gap()
    [first] = hang(threads, 1)
    gap.holds = True
    first.may_end.set()
    assert gap.on_the_way.wait(LONG)
    second, third = quick(), quick()
    threads.do(second)
    threads.do(third)
    gap.go_on.set()
    assert second.ended.wait(LONG) and third.ended.wait(LONG)
    until_idle(threads, 2)
    assert threads._count == threads._idle == 2
    hang(threads, 2)
    assert threads._idle == 0
    assert done(threads, quick())


def test_jobs_from_everywhere_find_a_thread_each(
    hang: Callable[[Threads, int], list[Work]],
) -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            threads = Threads(8, "test")
            works = [quick() for _ in range(40)]
            senders = [
                threading.Thread(target=lambda some=works[at::4]: [threads.do(one) for one in some])  # type: ignore[misc]  # noqa: B023
                for at in range(4)
            ]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            assert all(work.ended.wait(LONG) for work in works)
            until_idle(threads, threads._count)
            assert threads._count <= 8 and not threads._waiting and threads._given.empty()
            # However it came about: each that hangs has a thread of its own.
            hanging = hang(threads, 8)
            for work in hanging:
                work.may_end.set()
    finally:
        sys.setswitchinterval(interval)


def test_a_thread_that_cannot_begin_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(1, "test")

    def fail(thread: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(module.Thread, "start", fail)
        threads.do(quick())
    assert done(threads, quick())


def test_after_a_fork_there_are_no_threads(hang: Callable[[Threads, int], list[Work]]) -> None:
    threads = Threads(1, "test")
    hang(threads, 1)
    module.begin_anew()
    assert threads._count == 0
    assert done(threads, quick())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_has_threads_and_none_keeps_it_from_ending() -> None:
    """Nor one that holds the lock in the parent when it forks."""
    script = """
import os, sys
from threading import Event
from quart_login._core.threads import Threads

threads, begun = Threads(1, "test"), Event()
threads.do(lambda: (begun.set(), Event().wait()))
begun.wait()
with threads._lock:
    child = os.fork()
if child == 0:
    done = Event()
    threads.do(done.set)
    sys.exit(0 if done.wait(20) else 7)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    run = subprocess.run(
        # Python 3.12 and later warn of any fork of a process that has threads.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_no_thread_keeps_the_process_from_ending() -> None:
    found: SimpleQueue[bool] = SimpleQueue()
    Threads(1, "daemon").do(lambda: found.put(threading.current_thread().daemon))
    assert found.get(timeout=LONG)
