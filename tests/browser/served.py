"""An example, served by its own command, in processes of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: A server that says nothing for so many seconds will not say anything.
PATIENCE = 60


#: Seconds for which a store is waited for: a machine that runs tests is not always quick.
STORE_TIMEOUT = 10


class Server:
    """``python -m examples.NAME``, with its data in *directory*, on a port the system chooses."""

    def __init__(self, name: str, directory: Path, *options: str) -> None:
        self._log = directory / "log"
        command = [sys.executable, "-m", f"examples.{name}", "--bind", "127.0.0.1:0"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--data", str(directory), *options],
                cwd=ROOT,
                env=_environment(name),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = self._address(2 if "--redis" in options else 1)

    def _address(self, workers: int) -> str:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            found = re.findall(r"Running on (http://[\d.:]+)", self.said())
            if len(found) == workers:
                return str(found[0])
            time.sleep(0.02)
        self._kill()
        raise AssertionError(self.said())

    def said(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        """Let the server end, which it does without a complaint."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._kill()
        assert self._process.returncode == 0, self.said()
        assert "Traceback" not in self.said(), self.said()
        assert "Warning" not in self.said(), self.said()

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _environment(name: str) -> dict[str, str]:
    ours = {f"{name.upper()}_LOGIN_STORE_TIMEOUT": str(STORE_TIMEOUT)}
    return {key: text for key, text in os.environ.items() if key != "SECRET_KEY"} | ours
