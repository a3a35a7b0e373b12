"""Real servers: how each is started, and when it is there."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

#: Nothing that matters here is left to what else is installed.
_UVICORN = "-m uvicorn {app} --host 127.0.0.1 --port {port} --loop asyncio --lifespan on"
_GRANIAN = "-m granian --interface asgi --host 127.0.0.1 --port {port} --loop asyncio {app}"
_HYPERCORN = "-m hypercorn {app} --bind 127.0.0.1:{port} --worker-class"

SERVERS = {
    "uvicorn-h11": f"{_UVICORN} --ws wsproto --log-level warning --http h11",
    "uvicorn-httptools": f"{_UVICORN} --ws wsproto --log-level warning --http httptools",
    "granian": f"{_GRANIAN} --log-level warning",
    "hypercorn": f"{_HYPERCORN} asyncio",
    "hypercorn-trio": f"{_HYPERCORN} trio",
}

#: Granian (2.8) lets no application close a websocket before its client sends something, if that is
#: waited for, nor refuse one but with 403.
CLOSES_LATE = {"granian"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def await_port(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until *server* listens, for a while."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"the server does not listen:\n{log.read_text()}")
