"""How do contenders compare, request for request?"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from benchmarks.contenders import ROWS, Contender
from benchmarks.figures import Line, Value
from benchmarks.progress import Progress
from benchmarks.rounds import interleave, middle, over, ratio

FLOOR, BARE = "floor", "bare"


def race(
    group: str,
    contenders: dict[str, Contender],
    rounds: int,
    requests: int,
    clock: Callable[[], float],
    progress: Progress,
) -> list[Line]:
    """Return the lines of *group*: one for each row of each contender."""
    cells = [(row, name) for row in ROWS for name in contenders if row in contenders[name].requests]
    gc.collect()
    gc.freeze()  # What is there by now is no business of each measurement.
    times = interleave(
        cells,
        rounds,
        lambda cell: contenders[cell[1]].time(cell[0], requests, clock),
        progress,
        warm=min(3, rounds),
    )
    gc.unfreeze()
    for row, name in cells:  # Nobody was fast because a store had failed, or a login had ended.
        contenders[name].examine_again(row)
    return [_line(group, row, name, contenders[name], times) for row, name in cells]


def _line(group: str, row: str, name: str, contender: Contender, times: Any) -> Line:
    mine, floor = times[row, name], times[row, FLOOR]
    figures: dict[str, Value] = {
        **middle(mine, "us"),
        "of floor": ratio(mine, floor),
        "over floor": over(mine, floor),
        **contender.figures(row),
    }
    for (other_row, other), others in times.items():
        if other_row == row and other not in (name, FLOOR):
            figures[f"of {other}"] = ratio(mine, others)
    return Line(group, row, name, figures)
