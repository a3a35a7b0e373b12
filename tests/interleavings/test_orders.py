"""Are all orders tried, that differ?"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interleavings.orders import Act, Orders, act

READ, WRITE, ALONE = act("read", reads="x"), act("write", writes="x"), act("alone")
OTHER = act("other", writes="y")


def outcomes(programs: Sequence[Sequence[Act]], *, all: bool) -> tuple[set[Any], int]:
    """Return what programs can see of each other in any order, and how many orders were tried.

    They share things, and a write changes one by whatever its program has seen so far.
    """
    found, orders = set(), Orders(all=all)
    for order in orders:
        things: dict[str, Any] = {}
        seen: list[list[Any]] = [[number] for number in range(len(programs))]

        def pending(seen: Any = seen) -> dict[str, Act]:
            return {
                str(number): program[len(seen[number]) - 1]
                for number, program in enumerate(programs)
                if len(seen[number]) <= len(program)
            }

        while (name := order.choose(pending())) is not None:
            done, mine = pending()[name], seen[int(name)]
            mine.append(tuple(things.get(thing) for thing in sorted(done.reads)))
            things.update({thing: (things.get(thing), tuple(mine)) for thing in done.writes})
        if order.is_whole:
            found.add((tuple(map(tuple, seen)), tuple(sorted(things.items()))))
    return found, orders.whole


@pytest.mark.parametrize(("one", "other"), [(1, 1), (3, 2), (4, 5)])
def test_of_two_that_write_each_order_is_tried(one: int, other: int) -> None:
    found, tried = outcomes([[WRITE] * one, [WRITE] * other], all=False)
    assert tried == len(found) == comb(one + other, one)


def test_of_those_that_never_meet_one_order_is_enough() -> None:
    assert outcomes([[ALONE, READ], [OTHER, READ], [ALONE] * 4], all=False)[1] == 1
    assert outcomes([[ALONE, READ], [OTHER, READ]], all=True)[1] == comb(4, 2)


PROGRAM = st.lists(st.sampled_from([READ, WRITE, ALONE, OTHER]), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(PROGRAM, min_size=1, max_size=3))
def test_what_is_left_out_shows_nothing_new(programs: list[list[Act]]) -> None:
    few, tried = outcomes(programs, all=False)
    every, of = outcomes(programs, all=True)
    assert few == every
    assert tried == len(few) <= of


def test_a_world_that_is_not_the_same_is_noticed() -> None:
    orders = iter(Orders())
    assert next(orders).choose({"one": WRITE, "other": WRITE}) == "one"
    with pytest.raises(AssertionError, match="not the same"):
        next(orders).choose({"one": WRITE})
