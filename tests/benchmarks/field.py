"""Who contends, of those that are installed?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks import flask_apps, quart_apps
from benchmarks.contenders import Contender

#: What each peer is imported as.
MODULES = {
    "Quart-Auth": "quart_auth",
    "quart-security": "quart_security",
    "Flask-Login": "flask_login",
    "starlette-login": "starlette_login",
}

#: The rows that a peer has nothing for: they show no messages, and have no second cookie.
LACKS = {
    "Quart-Auth": ("remember", "anonymous_flash"),
    "quart-security": ("remember", "anonymous_flash"),
}

#: The rows that a peer answers with a cookie which nothing calls for.
MAY_SET = {"starlette-login": ("public", "anonymous")}


def is_there(name: str) -> bool:
    return name not in MODULES or find_spec(MODULES[name]) is not None


def absent() -> list[str]:
    """Return the peers that are not installed."""
    return [name for name in MODULES if not is_there(name)]


def frameworks() -> dict[str, Any]:
    """Return the modules of applications, by framework."""
    found = {"Quart": quart_apps, "Flask": flask_apps}
    if is_there("starlette-login"):
        found["Starlette"] = import_module("benchmarks.starlette_apps")
    return found


def contenders(
    apps: Any, loop: asyncio.AbstractEventLoop, rows: Iterable[str]
) -> dict[str, Contender]:
    """Return who contends in a framework, prepared, and by name; the floor is first."""
    rows = tuple(row for row in rows if row not in apps.LACKS)
    made = {}
    for name, make in {**apps.OWN, **apps.PEERS}.items():
        if is_there(name):
            own = tuple(row for row in rows if row not in LACKS.get(name, ()))
            one = apps.contend(make(), loop, rows=own, may_set=MAY_SET.get(name, ()))
            made[name] = one.prepare()
    bare = apps.contend(apps.bare(), loop, rows=rows)
    return {**made, "bare": bare.prepare_bare(made["floor"])}
