"""How many requests a second are served by a real server, whose loader waits for a database?

The servers, and what keeps them busy, share the processor.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from servers import await_port, free_port

from benchmarks import client, field
from benchmarks.figures import Line, Value
from benchmarks.progress import Progress
from benchmarks.rounds import interleave, middle, ratio
from benchmarks.sections import Options

ROUNDS = 5
WAIT = 10  # milliseconds of the loader
CONNECTIONS = 256
WARM = 1.0  # seconds

HYPERCORN = "-m hypercorn benchmarks.served:app -w {processes} -b 127.0.0.1:{port} --backlog 2048"
GUNICORN = (
    "-m gunicorn benchmarks.served:app -w {processes} -b 127.0.0.1:{port} --backlog 2048"
    " -k gthread --threads {threads} --worker-connections 2000 --keep-alive 30 --log-level warning"
)


@dataclass(frozen=True)
class Kind:
    """A server, and how many processes and threads it has."""

    name: str
    command: str
    processes: int
    threads: int = 1

    def __str__(self) -> str:
        many = "1 process" if self.processes == 1 else f"{self.processes} processes"
        return f"{self.name}, {many}" + (f" of {self.threads} threads" if self.threads > 1 else "")


def kinds() -> dict[Kind, tuple[str, ...]]:
    """Return who is served by what."""
    uvloop = " -k uvloop" if find_spec("uvloop") else ""
    quart = ("by hand", "quart_login", "Quart-Auth")
    flask = ("flask_compat", "Flask-Login")
    return {
        Kind("hypercorn", HYPERCORN + uvloop, 1): quart,
        Kind("hypercorn", HYPERCORN + uvloop, 2): quart,
        Kind("gunicorn", GUNICORN, 1, 64): flask,
        Kind("gunicorn", GUNICORN, 2, 64): flask,
        Kind("gunicorn", GUNICORN, 2, 8): flask,
    }


def how(options: Options) -> str:
    return (
        f"{options.rounds} rounds of {_seconds(options)} s each, {CONNECTIONS} connections kept"
        f" busy by {client.name()}, a loader that waits {WAIT} ms"
    )


def _seconds(options: Options) -> int:
    return options.size(3, 1)


def measure(options: Options, progress: Progress) -> list[Line]:
    cells = [(kind, name) for kind, names in kinds().items() for name in names]
    cells = [(kind, name) for kind, name in cells if field.is_there(name)]

    def heard(cell: tuple[Kind, str]) -> client.Heard:
        port, cookie = at[cell]
        client.press(port, "/private", cookie, CONNECTIONS, WARM)
        return client.press(port, "/private", cookie, CONNECTIONS, _seconds(options))

    with ExitStack() as stack:
        at = {}
        for cell in cells:  # They wait for nothing, those that are not asked.
            progress.tell(f"starts {cell[0]}")
            at[cell] = stack.enter_context(served(*cell))
        found = interleave(cells, options.rounds, heard, progress)
    return [_line(kind, name, found) for kind, name in cells]


def _line(kind: Kind, name: str, found: dict[tuple[Kind, str], list[client.Heard]]) -> Line:
    mine = found[kind, name]
    figures: dict[str, Value] = {}
    for key in ("throughput", "p50", "p99"):
        figures |= middle([getattr(one, key) for one in mine], key)
    for (other_kind, other), theirs in found.items():
        if other_kind == kind and other != name:
            pairs = ([one.throughput for one in all_of] for all_of in (mine, theirs))
            figures[f"throughput of {other}"] = ratio(*pairs)
    return Line(str(kind), "protected", name, figures)


@contextmanager
def served(kind: Kind, name: str) -> Iterator[tuple[int, str]]:
    """Serve the contender *name*; give the port, and the cookie of somebody who logged in."""
    port = free_port()
    command = kind.command.format(processes=kind.processes, threads=kind.threads, port=port)
    environ = {**os.environ, "BENCHMARK_APP": name, "BENCHMARK_WAIT": str(WAIT)}
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
        with log.open("wb") as file:
            server = subprocess.Popen(
                [sys.executable, *command.split()],
                env=environ,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            await_port(server, port, log)
            yield port, log_in(port)
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # with its workers
            server.wait()


def log_in(port: int) -> str:
    """Return the cookie of a user who logged in, after a look at that user's page."""
    with _ask(port, "/in") as answer:
        lines = answer.headers.get_all("Set-Cookie")
    cookie = "; ".join(line.partition(";")[0] for line in lines)
    with _ask(port, "/private", Cookie=cookie) as answer:
        assert answer.read() == b"user 7"
        # Who keeps no cookies would be sent one with each answer.
        assert answer.headers.get_all("Set-Cookie") is None
    return cookie


def _ask(port: int, path: str, **headers: str) -> Any:
    headers["User-Agent"] = client.AGENT
    return urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    )
