"""On what is measured?"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "quart-login",
    "quart",
    "flask",
    "werkzeug",
    "itsdangerous",
    "quart-auth",
    "quart-security",
    "flask-login",
    "starlette",
    "starlette-login",
    "hypercorn",
    "uvloop",
    "gunicorn",
    "aiosqlite",
    "sqlalchemy",
    "psycopg",
    "asyncpg",
    "redis",
    "hiredis",
)


def environment() -> str:
    python = ".".join(platform.python_version_tuple()[:2])
    return f"Quart {_short('quart')}, Flask {_short('flask')}, Python {python}"


def versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def machine() -> str:
    """Return the processor, how many of it there are, the memory, and the system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {system}"


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _short(name: str) -> str:
    return ".".join(version(name).split(".")[:2])
