"""How are things measured that a busy machine disturbs?

Rule 1.  All are measured in every round, each round in another order.
Rule 2.  What is compared is what was measured in the same round; what is told is the median.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from benchmarks.progress import Progress

C = TypeVar("C", bound=Hashable)
T = TypeVar("T")


def interleave(
    cells: Iterable[C], rounds: int, measure: Callable[[C], T], progress: Progress, warm: int = 0
) -> dict[C, list[T]]:
    """Return, for each of *cells*, what *measure* found in each of *rounds*, after *warm* more."""
    order = list(cells)
    found: dict[C, list[T]] = {cell: [] for cell in order}
    shuffled = random.Random(7)
    for number in range(-warm, rounds):
        shuffled.shuffle(order)
        for done, cell in enumerate(order):
            progress.tell(f"{max(number, 0)}/{rounds} rounds, {done}/{len(order)}")
            value = measure(cell)
            if number >= 0:
                found[cell].append(value)
    progress.tell(f"{rounds}/{rounds} rounds")
    return found


def ratio(mine: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios, round by round."""
    return statistics.median(one / other for one, other in zip(mine, others, strict=True))


def over(mine: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the differences, round by round."""
    return statistics.median(one - other for one, other in zip(mine, others, strict=True))


def middle(values: Sequence[float], name: str) -> dict[str, float]:
    """Return the median as *name*, and what 5 and 95 % are below."""
    ordered = sorted(values)
    edge = len(ordered) // 20
    return {
        name: statistics.median(ordered),
        f"{name} low": ordered[edge],
        f"{name} high": ordered[-1 - edge],
    }
