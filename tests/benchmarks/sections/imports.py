"""What does an import of the library add to that of its framework?

By the processor's time of whole processes, each fresh: what others on the machine do does not
count.
"""

from __future__ import annotations

import os
import sys

from benchmarks import field
from benchmarks.figures import Line, Value
from benchmarks.progress import Progress
from benchmarks.rounds import interleave, middle, over, ratio
from benchmarks.sections import Options

ROUNDS = 20

_NOTHING = "nothing"

#: With it, a process would compile each module anew.
_KEEPS_NOTHING = "PYTHONDONTWRITEBYTECODE"

#: What is imported, by framework; each library is imported after it.
IMPORTS = {
    "Quart": {
        "quart_login": "from quart_login import LoginManager",
        "Quart-Auth": "from quart_auth import QuartAuth",
        "quart-security": "from quart_security import Security",
    },
    "Flask": {
        "flask_compat": "from flask_compat import LoginManager",
        "Flask-Login": "from flask_login import LoginManager",
    },
}


def how(options: Options) -> str:
    return f"{options.rounds} rounds of one process each, time of the processor"


def measure(options: Options, progress: Progress) -> list[Line]:
    programs = {("", _NOTHING): "pass"}
    for framework, libraries in IMPORTS.items():
        first = f"import {framework.lower()}"
        programs[framework, framework] = first
        for name, statement in libraries.items():
            if field.is_there(name):
                programs[framework, name] = f"{first}; {statement}"
    times = interleave(programs, options.rounds, lambda cell: run(programs[cell]), progress, warm=1)
    nothing = times["", _NOTHING]
    lines = []
    for (group, name), mine in times.items():
        figures: dict[str, Value] = middle(mine, "ms")
        if group:
            alone = times[group, group]
            figures["over framework"] = over(mine, alone)
            figures["of process"] = ratio(mine, alone)
            figures["of framework"] = ratio(_less(mine, nothing), _less(alone, nothing))
        lines.append(Line(group, "import", name, figures))
    return lines


def _less(mine: list[float], others: list[float]) -> list[float]:
    return [one - other for one, other in zip(mine, others, strict=True)]


def run(program: str) -> float:
    """Return the milliseconds that the processor works for *program*."""
    process = os.posix_spawn(sys.executable, [sys.executable, "-c", program], environ())
    _, status, used = os.wait4(process, 0)
    assert status == 0, program
    return (used.ru_utime + used.ru_stime) * 1e3


def environ() -> dict[str, str]:
    """Return the environment, as it is where Python keeps what it compiled."""
    return {name: value for name, value in os.environ.items() if name != _KEEPS_NOTHING}
