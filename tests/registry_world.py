"""What `registry_machine` works on: an application, its users, and a store that fails on demand."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from threading import Event, Lock, Thread
from typing import Any, Final

import loops
from registry_model import Account
from sites import QuartSite, Site, User

from quart_login._core.step import step
from quart_login.stores import Store
from quart_login.stores._contract_kit import Calls, Threads


class Member(User):
    """A user whose sessions end when the password changes."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.id)
        self.account = account

    @property
    def session_epoch(self) -> int:
        return self.account.epoch

    @property
    def is_active(self) -> bool:
        return self.account.active


# --- the store -----------------------------------------------------------------------------------


class Broken(Exception):
    """What the store raises when it is told to fail."""


@dataclass
class Fault:
    """The call of this number fails: ``before`` it took effect, or ``after``, or ``hangs``."""

    number: int
    kind: str
    #: Which method failed, if any did.
    fired: str | None = None


#: Which of several requests this is.
_me: ContextVar[int | None] = ContextVar("me", default=None)


class Watched:
    """A store that counts what it is asked, fails when it is told to, and waits for its turn."""

    def __init__(self, store: Store, hang: Callable[[], Any]) -> None:
        self.store = store
        self.hang = hang
        self.asked: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.turns: Turns | None = None

    def __repr__(self) -> str:
        return f"<Watched {self.store!r}>"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if name not in METHODS:
            return found

        async def method(exchange: Any, *args: Any, **options: Any) -> Any:
            self.asked[name] += 1
            fault = self._fault(name)
            await self._turn()
            if fault == "before":
                raise Broken
            if fault == "hangs":
                await exchange.call(self.hang)
                raise AssertionError("nobody ended it")
            result = await found(exchange, *args, **options)
            await self._turn()
            if fault == "after":
                raise Broken
            return result

        return method

    def _fault(self, name: str) -> str | None:
        fault = self.fault
        if fault is None or sum(self.asked.values()) != fault.number:
            return None
        fault.fired = name
        return fault.kind

    async def _turn(self) -> None:
        if self.turns is not None and _me.get() is not None:
            await self.turns.wait()

    def reads(self) -> int:
        return self.asked["get"] + self.asked["list"]

    def writes(self) -> int:
        return sum(self.asked.values()) - self.reads()


METHODS: Final = ("get", "add", "swap", "touch", "delete", "delete_user", "list", "purge")


class Turns:
    """Lets one of several requests go on at a time, and *picks* whose turn is next."""

    def __init__(self, count: int, picks: Random, make_event: Callable[[], Any]) -> None:
        self.busy = count
        self.picks = picks
        self.make_event = make_event
        self.waiting: dict[int, Any] = {}
        self.lock = Lock()

    async def wait(self) -> None:
        event = self.make_event()
        number = _me.get()
        assert number is not None
        with self.lock:
            self.waiting[number] = event
            self.busy -= 1
            self._next()
        waits = event.wait()
        if hasattr(waits, "__await__"):
            await waits

    def leave(self) -> None:
        with self.lock:
            self.busy -= 1
            self._next()

    def _next(self) -> None:
        if self.busy == 0 and self.waiting:
            self.busy = 1
            self.waiting.pop(self.picks.choice(sorted(self.waiting))).set()


# --- the application -----------------------------------------------------------------------------


@dataclass
class Place:
    """Where a test's login sessions are kept, and how it is emptied."""

    open: Callable[[], Store]
    clear: Callable[[], Any] = lambda: None
    close: Callable[[Any], Any] = lambda store: None


class World:
    """One kind of application on one store, and how it is spoken to."""

    def __init__(self, site_class: type[Site], place: Place) -> None:
        self.site_class, self.place = site_class, place
        self.is_quart = issubclass(site_class, QuartSite)
        self.steps = 0
        self.seen: Counter[str] = Counter()
        self._runner: Any = None
        if self.is_quart and not loops.TRIO:
            self._runner = asyncio.Runner()

    def do(self, coroutine: Any) -> Any:
        if not self.is_quart:
            return step(coroutine)
        return loops.run(coroutine) if self._runner is None else self._runner.run(coroutine)

    @property
    def exchange(self) -> Any:
        """Return what the store wants first, outside of a request."""
        return Threads() if getattr(self.place_store, "is_async", False) else Calls()

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()

    def hang(self) -> Callable[[], Any]:
        if not self.is_quart:
            return lambda: time.sleep(0.2)

        async def sleep() -> None:
            await loops.asyncio.sleep(60)

        return sleep

    def make_event(self) -> Any:
        return loops.asyncio.Event() if self.is_quart else Event()

    @contextmanager
    def store(self) -> Iterator[Watched]:
        self.place.clear()
        self.place_store = self.place.open()
        yield Watched(self.place_store, self.hang())
        closed = self.place.close(self.place_store)
        if hasattr(closed, "__await__"):
            self.do(closed)

    async def all_at_once(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Do all *works*, each with its number, in tasks or threads."""
        answers: list[Any] = [None] * len(works)

        async def work(number: int) -> None:
            _me.set(number)
            try:
                answers[number] = await works[number]()
            except BaseException as error:
                answers[number] = error

        if self.is_quart:
            async with loops.asyncio.TaskGroup() as group:
                for number in range(len(works)):
                    group.create_task(work(number))
        else:
            threads = [Thread(target=lambda n=n: step(work(n))) for n in range(len(works))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers


def add_view(site: Site) -> None:
    """Add a view that does anything, and tells who the user is and what the session has."""
    lib: Any = site.lib
    session = site.web.session

    def who() -> Any:
        user = lib.current_user
        return [user.account.id, user.account.epoch] if user.is_authenticated else None

    def data() -> dict[str, str]:
        return {key: session[key] for key in session if key.startswith("data-")}

    async def page(args: Any) -> None:
        pass

    async def put(args: Any) -> None:
        session[f"data-{args['key']}"] = json.dumps(who())

    async def login(args: Any) -> Any:
        user = site.users.get(json.loads(args["user"]))
        if user is None:
            return "no such user"
        options: dict[str, Any] = {"remember": "remember" in args, "fresh": "fresh" in args}
        if "seconds" in args:
            options["duration"] = timedelta(seconds=int(args["seconds"]))
        return await site.login_user(user, **options)

    async def logout(args: Any) -> Any:
        return await site.logout_user()

    async def confirm(args: Any) -> Any:
        return await site.confirm_login()

    async def list_(args: Any) -> Any:
        found = await site.call(lib.list_sessions)
        return [[one.id, one.current] for one in found]

    async def revoke(args: Any) -> Any:
        return await site.call(lib.revoke_session, args["id"])

    async def others(args: Any) -> Any:
        return await site.call(lib.revoke_other_sessions)

    async def revoke_user(args: Any) -> Any:
        return await site.call(lib.revoke_user, json.loads(args["user"]))

    actions = {fn.__name__.strip("_"): fn for fn in (page, put, login, logout, confirm, list_)}
    own = {fn.__name__: fn for fn in (revoke, others)}
    own["list"] = actions.pop("list")

    @site.route("/do")
    async def do() -> str:
        args = site.args()
        what, told = args["what"], {}
        if "look" in args:
            told["found"], told["read"] = who(), data()
        if what == "revoke_user":
            result = await revoke_user(args)
        elif what in own:
            result = "nobody" if who() is None else await own[what](args)
        else:
            result = await actions[what](args)
        told |= {"result": result, "user": who(), "data": data(), "fresh": lib.login_fresh()}
        return json.dumps(told)
