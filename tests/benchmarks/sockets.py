"""Open sockets, and print the bytes of each: ``python -m benchmarks.sockets CONTENDER BY COUNT``.

*BY* is ``tracemalloc``, for what Python allocates, or ``RSS``, for what the process has of memory.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from quart import Quart, session, websocket

from benchmarks import quart_apps
from benchmarks.asgi import Socket
from benchmarks.contenders import USERS

#: They are open before the counting begins: what is made once is made by then.
FIRST = 200


def bare() -> Quart:
    app = quart_apps.new_app()

    @app.route("/in")
    async def log_in() -> str:
        return "in"

    return add_socket(app, lambda: "user 7")


def floor() -> Quart:
    return add_socket(quart_apps.floor(), lambda: USERS[session["_user_id"]].name)


def ours(**options: Any) -> Quart:
    from quart_login import current_user

    return add_socket(quart_apps.ours(**options), lambda: current_user.name)


def ours_with_store() -> Quart:
    from quart_login.stores.memory import MemoryStore

    return ours(sessions=MemoryStore())


def quart_auth() -> Quart:
    from quart_auth import current_user

    return add_socket(quart_apps.quart_auth(), lambda: USERS[current_user.auth_id].name)


def quart_security() -> Quart:
    from quart_security import current_user

    return add_socket(quart_apps.quart_security(), lambda: current_user.name)


APPS = {
    "nobody is asked for": bare,
    "floor": floor,
    "quart_login": ours,
    "quart_login, MemoryStore": ours_with_store,
    "Quart-Auth": quart_auth,
    "quart-security": quart_security,
}


def add_socket(app: Quart, name: Any) -> Quart:
    @app.websocket("/socket")
    async def say_who() -> None:
        await websocket.send(name())
        await websocket.receive()  # for ever

    return app


def rss() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


READ = {"tracemalloc": lambda: tracemalloc.get_traced_memory()[0], "RSS": rss}


def bytes_each(make: Any, by: str, count: int) -> float:
    """Return how many bytes each of *count* sockets adds."""
    if by == "tracemalloc":
        tracemalloc.start()
    loop = asyncio.new_event_loop()
    app = make()
    cookies = quart_apps.contend(app, loop).ask("/in").cookies
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        return loop.run_until_complete(_open(app, cookie, READ[by], count))
    finally:
        loop.close()


async def _open(app: Quart, cookie: str, read: Any, count: int) -> float:
    await app.startup()
    kept = [await _opened(app, cookie) for _ in range(FIRST)]
    gc.collect()
    before = read()
    kept += [await _opened(app, cookie) for _ in range(count)]
    gc.collect()
    spent = (read() - before) / count
    for one in kept:
        await one.close()
    await app.shutdown()
    return spent


async def _opened(app: Quart, cookie: str) -> Socket:
    opened = Socket(app, "/socket", cookie)
    assert await opened.first_word() == "user 7"
    return opened


if __name__ == "__main__":
    name, by, count = sys.argv[1:]
    print(json.dumps(bytes_each(APPS[name], by, int(count))))
    sys.stdout.flush()
    os._exit(0)
