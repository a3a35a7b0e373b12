"""How many bytes has an open websocket?

In a process of its own for each contender, without a server: what a server keeps of a connection is
the same for all.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks import field
from benchmarks.figures import Line
from benchmarks.progress import Progress
from benchmarks.rounds import interleave, middle, over
from benchmarks.sections import Options
from benchmarks.sockets import APPS

ROUNDS = 3
FLOOR = "floor"


def how(options: Options) -> str:
    return f"{_sockets(options):,} sockets, {options.rounds} processes each"


def _sockets(options: Options) -> int:
    return options.size(2_000, 200)


def measure(options: Options, progress: Progress) -> list[Line]:
    names = [name for name in APPS if field.is_there(name)]
    cells = [(name, by) for name in names for by in ("tracemalloc", "RSS")]
    found = interleave(
        cells, options.rounds, lambda cell: _bytes(*cell, _sockets(options)), progress
    )
    lines = []
    for name in names:
        figures = {}
        for by in ("tracemalloc", "RSS"):
            figures |= middle(found[name, by], by)
            figures[f"{by} over floor"] = over(found[name, by], found[FLOOR, by])
        lines.append(Line("Quart", "an open websocket", name, figures))
    return lines


def _bytes(name: str, by: str, sockets: int) -> float:
    command = [sys.executable, "-m", "benchmarks.sockets", name, by, str(sockets)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))
