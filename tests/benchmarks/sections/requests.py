"""What does a login add to a request?

In one process, by the time of that process: what others on the machine do does not count.
"""

from __future__ import annotations

import asyncio

from benchmarks import field
from benchmarks.contenders import ROWS, of_process
from benchmarks.figures import Line
from benchmarks.progress import Progress
from benchmarks.race import race
from benchmarks.sections import Options

ROUNDS, REQUESTS = 80, 50


def how(options: Options) -> str:
    return f"{options.rounds} rounds of {REQUESTS} requests each, time of the process"


def measure(options: Options, progress: Progress) -> list[Line]:
    lines = []
    for framework, apps in field.frameworks().items():
        loop = asyncio.new_event_loop()
        progress.title = f"requests, {framework}"
        contenders = field.contenders(apps, loop, ROWS)
        lines += race(framework, contenders, options.rounds, REQUESTS, of_process, progress)
        loop.close()
    return lines
