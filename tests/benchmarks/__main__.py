"""What does the library add to a request?

    python tests/benchmarks [--rounds 80] [--requests 60] [--only quart|flask]

In one process, in interleaved rounds of random order: for each row of the table the floor (the same
page, by hand, with the framework's session and a dict), this library, and the peers that are
installed.  Printed are medians: the ratio to the floor of the same round, and microseconds over it.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import flask_apps
import quart_apps
from contenders import ROWS


def measure(apps, rounds: int, requests: int):
    """Return, per row and contender, the microseconds a request of every round."""
    cells = [(row, name) for row in ROWS for name, app in apps.items() if row in app.requests]
    times = {cell: [] for cell in cells}
    for number in range(-3, rounds):
        random.shuffle(cells)
        for row, name in cells:
            spent = apps[name].time(row, requests)
            if number >= 0:
                times[row, name].append(spent)
        print(f"\r{max(number + 1, 0)}/{rounds} rounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times


def report(title: str, apps, times) -> None:
    print(f"\n### {title}\n")
    names = [name for name in apps if name != "floor"]
    print("| row | floor, us | " + " | ".join(names) + " |")
    print("| --- | --- |" + " --- |" * len(names))
    for row, said in ROWS.items():
        floor = times[row, "floor"]
        cells = []
        for name in names:
            if (row, name) not in times:
                cells.append("")
                continue
            ratio = statistics.median(t / f for t, f in zip(times[row, name], floor, strict=True))
            over = statistics.median(t - f for t, f in zip(times[row, name], floor, strict=True))
            cells.append(f"{ratio:.3f} ({over:+.1f})")
        print(f"| {said} | {statistics.median(floor):.1f} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--only", choices=("quart", "flask"))
    options = parser.parse_args()
    names = ("quart", "flask", "werkzeug", "itsdangerous", "quart-login")
    print(f"Python {platform.python_version()}, {', '.join(f'{n} {version(n)}' for n in names)}")
    start = time.perf_counter()
    for title, make in (("Quart", quart_apps.apps), ("Flask", flask_apps.apps)):
        if options.only in (None, title.lower()):
            loop = asyncio.new_event_loop()
            apps = make(loop)
            report(title, apps, measure(apps, options.rounds, options.requests))
            loop.close()
    print(f"\n{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
