"""The command: a diff on standard output, and on standard error what is left to do.

Exit status 0  all was decided (and, with ``--write``, written)
            1  something is left to do; what could be decided is in the diff, or written
            2  nothing was done: a wrong call, no such path, a file that cannot be written, or
               LibCST is missing
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .writing import NotWritten, write_all

if TYPE_CHECKING:
    from .convert import Outcome

_MISSING = """\
quart_login.upgrade needs LibCST, which is not installed (the extra `upgrade` brings it):
    pip install libcst
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    given = _parser().parse_args(arguments)
    missing = [str(path) for path in given.paths if not path.exists()]
    if missing:
        sys.stderr.write(f"no such file or folder: {', '.join(missing)}\n")
        return 2
    try:
        import libcst  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write(_MISSING)
        return 2
    # Not above: they import LibCST.
    from .convert import convert, finish

    try:
        outcome = (finish if given.finish else convert)(given.paths)
    except Exception as error:
        # Its text may be a whole tree.
        sys.stderr.write(f"nothing was done, by a fault of this program: {error!s:.200}\n")
        traceback.print_tb(error.__traceback__)
        return 2
    try:
        _write(outcome) if given.write else _show(outcome)
    except NotWritten as error:
        sys.stderr.write(f"nothing was written: {error}\n")
        return 2
    _tell(outcome, given.write)
    return 1 if outcome.findings else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m quart_login.upgrade",
        description="Rewrite an application of Flask and Flask-Login, or of Quart-Auth, "
        "for Quart and quart_login.",
        epilog="Exit status: 0 all was decided; 1 something is left to do; 2 nothing was done.",
    )
    parser.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="a file or a folder")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--diff", action="store_true", help="print the differences (the default)")
    mode.add_argument("--write", action="store_true", help="change the files")
    parser.add_argument(
        "--finish", action="store_true", help="take `must_await` away: the tests pass without it"
    )
    return parser


def _show(outcome: Outcome) -> None:
    for change in outcome.changes:
        # As bytes: the file has its own encoding and line ends.
        sys.stdout.buffer.write(change.diff())
    sys.stdout.flush()


def _write(outcome: Outcome) -> None:
    write_all((change.path, change.before, change.after) for change in outcome.changes)


def _tell(outcome: Outcome, written: bool) -> None:
    done = "changed" if written else "to change"
    for finding in outcome.findings:
        sys.stderr.write(f"{finding}\n")
    if outcome.skipped:
        folders = ", ".join(map(str, outcome.skipped))
        sys.stderr.write(f"passed over, as others' code: {folders}\n")
    counts = f"{_counted(len(outcome.changes), 'file')} {done},"
    counts += f" {_counted(len(outcome.findings), 'place')} to look at"
    sys.stderr.write(f"{counts}\n")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
