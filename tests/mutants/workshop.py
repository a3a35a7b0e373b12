"""How are tests run on a mutant?

Rule 1.  In a copy of the tree, so that also the processes which tests start see the mistake, and
         nobody else does.
Rule 2.  In a fork of a process that has imported whatever the tests import but this library: most
         of what it costs to run one test is that.
Rule 3.  A mutant that does not end is killed by time, with all that it started.
"""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]

#: What belongs to the tree, and is imported anew on each mutant.
_OURS: Final = ("quart_login", "flask_compat")

#: What the tests import, as far as it is there.
_IMPORTED: Final = """
import contextlib, importlib
for name in {names!r}:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

def test_it():
    pass
"""
_NAMES: Final = [
    "hypothesis.stateful",
    "hypothesis.strategies",
    "pytest_asyncio",
    "asyncio",
    "quart",
    "quart.testing",
    "flask",
    "flask.testing",
    "flask_login",
    "werkzeug.test",
    "h11",
    "wsproto",
    "websockets",
    "sqlalchemy.ext.asyncio",
    "aiosqlite",
    "redis",
    "redis.asyncio",
    "click.testing",
]

#: Said for pytest-asyncio, which warns of saying nothing.
_SCOPE: Final = "asyncio_default_fixture_loop_scope=function"

#: No process of a mutant may take more memory, in bytes.
MEMORY: Final = 4 << 30


class Outcome(Enum):
    """What the tests said."""

    #: All of them pass.
    PASSED = auto()
    #: One of them fails, at least.
    FAILED = auto()
    #: They cannot even be found, or the library cannot be imported.
    BROKEN = auto()
    #: They did not end.
    TIMED_OUT = auto()


@dataclass(frozen=True)
class Ran:
    """How a run of tests came out."""

    outcome: Outcome
    seconds: float
    #: What pytest wrote.
    said: str


class Workshop:
    """Copies of the tree, in the folder *place*, and what runs tests in them."""

    def __init__(self, place: Path, copies: int) -> None:
        self.copies = [place / f"copy-{number}" for number in range(copies)]
        self._logs = place
        for copy in self.copies:
            _copy(copy)
        _import_all(place)

    def start(self, copy: Path, work: Callable[[], int], limit: float) -> Running:
        """Do *work* in *copy* in another process, for *limit* seconds at most."""
        return Running(copy, work, limit, self._logs / f"{copy.name}.log")


class Running:
    """Something that is done in another process."""

    def __init__(self, copy: Path, work: Callable[[], int], limit: float, log: Path) -> None:
        self._began, self._limit, self._log = time.monotonic(), limit, log
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            _be_child(copy, work, log)
        self._handle = os.pidfd_open(self._pid)

    def fileno(self) -> int:
        return self._handle

    @property
    def left(self) -> float:
        """For how many seconds it may go on."""
        return self._began + self._limit - time.monotonic()

    def end(self) -> Ran:
        """Wait for it, or end it if its time is over; return what the tests said."""
        timed_out = not select.select([self], [], [], max(self.left, 0))[0]
        if timed_out:
            os.killpg(self._pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._handle)
        _end_group(self._pid)
        known = {0: Outcome.PASSED, 1: Outcome.FAILED}
        outcome = Outcome.TIMED_OUT if timed_out else known.get(status, Outcome.BROKEN)
        said = self._log.read_text("utf-8", "replace")
        return Ran(outcome, time.monotonic() - self._began, said)


def _end_group(group: int) -> None:
    """End what the child of this *group* has left: a server that a test started, say."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _be_child(copy: Path, work: Callable[[], int], log: Path) -> None:
    """Do *work* in *copy* in this process, and end it."""
    status = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(copy)
        sys.path[:0] = [str(copy)]
        os.environ["PYTHONPATH"] = str(copy)  # for the servers that tests start
        status = int(work())
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run_tests(tests: Sequence[str], plugins: Sequence[Any] = ()) -> int:
    """Run *tests*, files or ids, up to the first that fails; return pytest's status."""
    options = ["-x", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *tests], plugins=list(plugins)))


# --- copies --------------------------------------------------------------------------------------


def _copy(place: Path) -> None:
    """Copy what git knows of the tree, or would add, to *place*."""
    told = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(told, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (source := ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place / name)


_numbers: Final = count(1)


@contextmanager
def changed(copy: Path, path: str, text: str) -> Iterator[None]:
    """Let the file *path* in *copy* say *text* meanwhile."""
    file = copy / path
    before, times = file.read_bytes(), file.stat()
    try:
        file.write_text(text, "utf-8")
        # Python tells by size and second whether its bytecode is of this file: each has its own.
        second = times.st_mtime + 10 * next(_numbers)
        os.utime(file, (second, second))
        yield
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def _import_all(place: Path) -> None:
    """Import what the tests import, as pytest does it, but for what is in the tree."""
    os.environ["CI"] = "true"  # Hypothesis tries the same each time.
    file = place / "imports" / "test_imports.py"
    file.parent.mkdir()
    file.write_text(_IMPORTED.format(names=_NAMES))
    log = os.open(place / "imports.log", os.O_WRONLY | os.O_CREAT)
    kept = os.dup(1)
    os.dup2(log, 1)
    try:
        status = pytest.main(["-q", "-c", os.devnull, "-p", "no:dash", "-o", _SCOPE, str(file)])
        sys.stdout.flush()
    finally:
        os.dup2(kept, 1)
    if status:
        raise RuntimeError((place / "imports.log").read_text())
    for name in list(sys.modules):
        if name.partition(".")[0] in _OURS:
            del sys.modules[name]
