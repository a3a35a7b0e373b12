"""What the tests of stores do to a machine: other processes, locks, full disks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from quart_login._core.step import step
from quart_login.stores import Store
from quart_login.stores._contract_kit import Kept, Steps

#: Begins each script that `python` runs.
_HEAD = """
import os, sys
from quart_login._core.step import step
from quart_login.stores import contract
from quart_login.stores._contract_kit import NOW, Kept, Steps, session
from quart_login.stores.sqlite import SQLiteStore

def on(store):
    return Kept(store, store, Steps())

def open_store(path, **options):
    return on(SQLiteStore(path, **options))
"""


def on(store: Store) -> Kept:
    """Return *store* as Flask uses it: ``do(on(store).get(id))``."""
    return Kept(store, store, Steps())


def do(coroutine: Any) -> Any:
    return step(coroutine)


def start(script: str, *args: Any) -> subprocess.Popen[str]:
    """Start a Python with *script*, which has its arguments in ``sys.argv``."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _HEAD + textwrap.dedent(script), *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def python(script: str, *args: Any) -> str:
    """Run a Python with *script*; return what it printed."""
    process = start(script, *args)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let another process hold the right to write the SQLite file at *path*."""
    script = """
        import sqlite3
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        sys.stdin.read()
    """
    process = start(script, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        process.communicate()


def sql(path: Path, statement: str, *values: Any) -> list[Any]:
    """Run *statement* on the SQLite file at *path*."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()
