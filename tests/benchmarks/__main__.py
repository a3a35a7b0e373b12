"""What does a login cost?

    python tests/benchmarks [SECTION ...] [--rounds N] [--quick] [--to FOLDER]

measures the sections (all of them, if none is named) with the Python that runs it, and writes what
it found into docs/benchmarks.md and docs/_static/benchmarks.svg, beside what another Python found.
What contends: ``pip install -e '.[benchmark]'``; wrk for the load: ``apt install wrk``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
PATHS = [str(TESTS), str(ROOT)]  # this checkout's packages, however the environment came by them
sys.path[:] = [*PATHS, *(path for path in sys.path if path != str(Path(__file__).parent))]

from benchmarks import figures, machine, page, picture  # noqa: E402
from benchmarks.sections import NAMES, Options  # noqa: E402


def measure(name: str, options: Options) -> figures.Section:
    """Return what the section *name* measured, in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "section.json"
        command = [sys.executable, "-m", "benchmarks.section", name, str(path)]
        command.append(json.dumps(asdict(options)))
        subprocess.run(command, check=True, env=environ, cwd=ROOT)
        return figures.section_of(json.loads(path.read_text("utf-8")))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="Without a section: all of them."
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, help="of each section, instead of its own number")
    parser.add_argument(
        "--quick", action="store_true", help="see that it works: what is printed is not kept"
    )
    parser.add_argument(
        "--to", type=Path, default=ROOT / "docs", metavar="FOLDER", help="instead of docs"
    )
    options = parser.parse_args()
    if unknown := set(options.sections) - set(NAMES):
        parser.error(f"no section {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}")
    return options


def main() -> None:
    given, begun = parse(), time.monotonic()
    kept = figures.Figures() if given.quick else figures.load(page.figures_in(given.to))
    for name in given.sections or NAMES:
        options = Options(given.rounds or 0, given.quick)
        kept.add(machine.environment(), name, measure(name, options))
        if not given.quick:  # What was measured is kept, whatever becomes of the rest.
            page.write(given.to, kept, picture.draw(kept))
    if given.quick:
        print(page.tables(kept))
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
