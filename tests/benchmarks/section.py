"""Measure one section, in a process of its own: ``python -m benchmarks.section NAME FILE ...``.

(So what one section leaves behind in memory is no business of the next.)
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import field, machine
from benchmarks.figures import Section
from benchmarks.progress import Progress
from benchmarks.sections import Options, module_of


def measured(name: str, options: Options) -> Section:
    module, progress, begun = module_of(name), Progress(name), time.monotonic()
    if not options.rounds:
        options = replace(options, rounds=options.size(module.ROUNDS, 2))
    lines = module.measure(options, progress)
    progress.title = name
    progress.done()
    return Section(
        how=module.how(options),
        taken=time.strftime("%B %Y"),
        seconds=round(time.monotonic() - begun),
        machine=machine.machine(),
        versions=machine.versions(),
        absent=field.absent(),
        lines=lines,
    )


def main(name: str, path: str, options: str) -> None:
    section = measured(name, Options(**json.loads(options)))
    Path(path).write_text(json.dumps(asdict(section)), "utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)  # Nobody closes the drivers' threads, which would be waited for.
