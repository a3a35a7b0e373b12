"""What do the tests of `contract` run a store with?

As Flask uses it and as Quart does, each with an exchange of its own, and on sessions of which no
two are alike.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final

from .._core.step import step
from .._core.watching import lasting
from . import LoginSession, Store

NOW: Final = 1_800_000_000.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

#: User ids that must not mean anything, and of which no two are the same.
USER_IDS: Final = (
    *("7", "07", "7.0", "7e0", "+7", "-7", " 7", "7 ", "7\n", "7\t", "7;", "\ufeff7", "\u0667"),
    *("0", "None", "null", "NULL", "true", "nan", "[]", "{}", "{7}", "{user}", "}{", "()"),
    *("%", "%7", "_", "*", "?", "7*", "$1", ":id", "%s", "%(id)s", "a:b", "a", "a:", "\\", "\\%"),
    *("'", "''", '"', "`", "7' OR '1'='1", "'; DROP TABLE login_session; --", "/*", "--", "#"),
    *("alice", "Alice", "ALICE", "alice ", "alicé", "alice\u0301", "\uff41lice", "ali\u200bce"),
    *("s", "\u017f", "ss", "ß", "ẞ", "i", "I", "\u0131", "İ", "K", "\u212a", "k"),
    *("\n", "\r\n", "\r\nSET x y\r\n", "\x01", "\x1f", "\x7f", "\x85", "\u2028", "\u202e7"),
    *("👩\u200d💻", "\U0010ffff", "\uffff", "../7", "..", "/", "a/b", "a\\b", "a|b", "a,b", "a b"),
    *("x" * 2048, "x" * 2047, "x" * 2047 + "y", "é" * 1024, "👩" * 512),
)

#: Session ids that must not mean anything, and of which no two are the same.
IDS: Final = (
    *("%" * 22, "_" * 22, "*" * 22, "?" * 22, "'" * 22, "{" * 22, "{}" * 11, "}" + "{" * 21),
    *("a" * 22, "A" * 22, "a" * 21 + "A", "a" * 21, "a" * 21 + " ", "a" * 20 + "é", "é" * 22),
    *("7" * 22, "0" + "7" * 21, "\n" * 22, "' OR 1=1 OR '' = '", "a:b", "a", "login_session"),
)


class Calls:
    """What a store sees of Flask's exchange."""

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        result = fn(*args)
        return await result if isawaitable(result) else result


class Threads:
    """What a store sees of Quart's exchange."""

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        import asyncio

        result = fn(*args) if iscoroutinefunction(fn) else await asyncio.to_thread(fn, *args)
        return await result if isawaitable(result) else result


class Steps:
    """Runs coroutines as Flask does, and many at once in threads."""

    def __init__(self, exchange: Any = None) -> None:
        self.exchange = Calls() if exchange is None else exchange

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        step(test)

    async def at_once(self, calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]]) -> list[Any]:
        results: list[Any] = [None] * len(calls)
        gate = threading.Barrier(len(calls))

        def work(number: int) -> None:
            gate.wait()
            try:
                results[number] = step(calls[number]())
            except Exception as error:
                results[number] = error

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


class Awaits:
    """Runs coroutines as Quart does."""

    def __init__(self, exchange: Any = None) -> None:
        self.exchange = Threads() if exchange is None else exchange

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        import asyncio

        asyncio.run(test)

    async def at_once(self, calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]]) -> list[Any]:
        import asyncio

        return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


@dataclass(frozen=True)
class Kept:
    """A store, with the exchange that its methods want first: ``await kept.get(id)``."""

    store: Store
    #: The same sessions, by an object of their own; `store` itself, if it is not shared.
    other: Store
    way: Steps | Awaits

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self.store, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await method(self.way.exchange, *args, **kwargs)
            return list(result) if isinstance(result, Sequence) else result

        return call

    def elsewhere(self) -> Kept:
        """Return the same sessions, as another process sees them."""
        return replace(self, store=self.other, other=self.store)

    async def at_once(self, *calls: Callable[[], Coroutine[Any, Any, Any]]) -> list[Any]:
        """Make *calls* at the same time; return what each returned, or raised."""
        return await self.way.at_once(calls)

    async def lasting(self, *ids: str) -> dict[str, float]:
        """Return which of *ids* are there, and until when, as who has sockets open asks."""
        exchange: Any = self.way.exchange
        return dict(await lasting(exchange, self.store, ids))

    async def ids(self, user_id: str = "7") -> list[str]:
        return [one.id for one in await self.list(user_id)]


def session(number: int = 0, user_id: str = "7", **fields: Any) -> LoginSession:
    """Return the login session *number*, which no other number is like."""
    given: dict[str, Any] = {
        "id": f"{number:022d}",
        "user_id": user_id,
        "created": NOW + number,
        "seen": NOW + number,
        "expires": NOW + 30 * DAY,
        "digest": f"{number:064x}",
        **fields,
    }
    return LoginSession(**given)


def whole(number: int = 0) -> LoginSession:
    """Return a session without an empty field."""
    return session(
        number,
        version=3,
        fresh_since=NOW - 0.1,
        method="passkey",
        agent="Mozilla/5.0 (%s; 'x' \"y\" {z}) \u00e9\u00ff" + "x" * 400,
        address="fe80::1%eth0",
        epoch="e" * 64,
        idle=HOUR,
        remember="d" * 64,
        former="f" * 64,
        rotated=NOW + 0.3,
        confirmed=False,
    )


def after(old: LoginSession, **changes: Any) -> LoginSession:
    """Return *old*, changed once."""
    return replace(old, version=old.version + 1, **changes)


def succeeded(results: Sequence[Any], value: Any = True) -> list[int]:
    """Return the numbers of the calls that returned *value*."""
    return [number for number, result in enumerate(results) if result is value]
