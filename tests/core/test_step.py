"""How does a coroutine run where there is no event loop?"""

from __future__ import annotations

from types import coroutine
from typing import Any

import pytest

from quart_login._core.step import step


@coroutine
def suspend() -> Any:
    yield "a future"


def test_a_coroutine_runs_to_its_end_at_once() -> None:
    async def inner() -> int:
        return 6

    async def outer() -> int:
        return await inner() + 1

    assert step(outer()) == 7


def test_a_coroutine_that_returns_nothing_gives_none() -> None:
    async def nothing() -> None: ...

    assert step(nothing()) is None  # type: ignore[func-returns-value]


def test_an_exception_comes_out_as_it_is() -> None:
    async def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        step(fail())


def test_a_stop_iteration_is_never_taken_for_a_return() -> None:
    async def stop() -> None:
        raise StopIteration("not a return")

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        step(stop())


def test_a_coroutine_that_waits_for_a_loop_is_closed_and_named() -> None:
    closed = []

    async def waits() -> None:
        try:
            await suspend()
        finally:
            closed.append(True)

    coro = waits()
    with pytest.raises(RuntimeError, match=r"waits at 0x.*> waits for an event loop"):
        step(coro)
    assert closed == [True]  # now, and not when the coroutine is collected
