"""How is left what takes too long, in the thread that it runs in?"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("There is no alarm", allow_module_level=True)

from flask_compat._alarm import in_time

#: Seconds: what is over at once, and what no test reaches.
SOON, LATER = 0.05, 100.0


class Other(BaseException):
    """What another's alarm raises."""


def wait_forever() -> None:
    threading.Event().wait()


@pytest.fixture
def others() -> Iterator[Any]:
    """Let another's alarm be heard, as that of a suite's time limit; the value is who hears it."""

    def ring(number: int, frame: Any) -> None:
        raise Other

    before = signal.signal(signal.SIGALRM, ring)
    yield ring
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def is_set() -> bool:
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0


def test_what_is_in_time_returns_and_raises_as_it_does() -> None:
    assert in_time(LATER, lambda: "done") == "done"
    with pytest.raises(ZeroDivisionError):
        in_time(LATER, lambda: 1 / 0)
    assert not is_set()


def test_what_waits_is_left() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeoutError):
        in_time(SOON, wait_forever)
    assert not is_set() and signal.getsignal(signal.SIGALRM) is before


def test_what_waits_does_not_take_it_for_its_own() -> None:
    def waits() -> str:
        try:
            wait_forever()
        except Exception:
            return "held"
        return "done"

    with pytest.raises(TimeoutError):
        in_time(SOON, waits)


def test_what_is_raised_on_the_way_out_is_not_what_was_wrong() -> None:
    def waits() -> None:
        try:
            wait_forever()
        finally:
            raise LookupError

    with pytest.raises(TimeoutError):
        in_time(SOON, waits)


def test_another_s_alarm_is_set_again(others: Any) -> None:
    signal.setitimer(signal.ITIMER_REAL, LATER)
    with pytest.raises(TimeoutError):
        in_time(SOON, wait_forever)
    assert LATER - 10 < signal.getitimer(signal.ITIMER_REAL)[0] < LATER
    assert signal.getsignal(signal.SIGALRM) is others


def test_another_s_alarm_that_rings_first_stays(others: Any) -> None:
    signal.setitimer(signal.ITIMER_REAL, SOON)
    with pytest.raises(Other):
        in_time(LATER, wait_forever)


def test_other_threads_hear_no_alarm() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(in_time(SOON, lambda: "done")))
    thread.start()
    thread.join()
    assert found == ["done"]
