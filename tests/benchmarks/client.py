"""How is a server kept busy by many connections, and how long does each answer take?

By wrk, which is written in C, if it is there; else by a client of our own, which takes more of the
processor that the server needs.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

#: A login belongs to the program that it was made with: another's session is written anew.
AGENT = "load"

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Heard:
    """What came back: answers a second, and the milliseconds that half and 99 % stay below."""

    throughput: float
    p50: float
    p99: float


def name() -> str:
    return "wrk" if shutil.which("wrk") else "a client in Python"


def press(port: int, path: str, cookie: str, connections: int, seconds: float) -> Heard:
    """Ask for *path* again and again, for *seconds*; each answer has status 200."""
    url = f"http://127.0.0.1:{port}{path}"
    if shutil.which("wrk"):
        return _by_wrk(url, cookie, connections, seconds)
    return asyncio.run(_by_hand(port, path, cookie, connections, seconds))


def _by_wrk(url: str, cookie: str, connections: int, seconds: float) -> Heard:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--latency"]
    command += ["--timeout", "20s", "-H", f"Cookie: {cookie}", "-H", f"User-Agent: {AGENT}", url]
    return read_wrk(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def read_wrk(text: str) -> Heard:
    """Return what wrk says in *text*."""
    assert "Non-2xx" not in text, text
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found is not None, text
    return Heard(float(found[1]), _latency(text, "50%"), _latency(text, "99%"))


def _latency(text: str, share: str) -> float:
    found = re.search(rf"^\s+{share}\s+([\d.]+)(us|ms|s|m)\s*$", text, re.M)
    assert found is not None, text
    return float(found[1]) * _UNITS[found[2]]


async def _by_hand(port: int, path: str, cookie: str, connections: int, seconds: float) -> Heard:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"User-Agent: {AGENT}", f"Cookie: {cookie}"]
    request = "\r\n".join([*lines, "", ""]).encode()
    begun, spent = time.perf_counter(), []

    async def ask_again() -> None:
        while time.perf_counter() - begun < seconds:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            # A server closes a connection after so many requests.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while (asked := time.perf_counter()) - begun < seconds:
                    writer.write(request)
                    await _read_answer(reader)
                    spent.append((time.perf_counter() - asked) * 1e3)
            writer.close()

    await asyncio.gather(*(ask_again() for _ in range(connections)))
    spent.sort()
    taken = time.perf_counter() - begun
    return Heard(len(spent) / taken, spent[len(spent) // 2], spent[len(spent) * 99 // 100])


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.partition(b"\r\n")[0], head
    length = re.search(rb"content-length: (\d+)", head, re.I)
    assert length is not None, head
    await reader.readexactly(int(length[1]))
