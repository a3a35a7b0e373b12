"""Requests to a Quart application, each a task of the event loop that goes on when it is told to.

Nothing here waits for time: the loop turns until whoever was told to go on waits for the next word.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

from core.paper import NOW
from interleavings.orders import Act
from interleavings.world import CALL, NOTIFY, RETURN, Cut, Held, Sent, World, check_data
from loops import asyncio
from registry import registered
from sites import SIGNALS, Answer, QuartSite, Site
from werkzeug.http import parse_cookie
from wire import ClientGone, by_asgi

from quart_login._core import load
from quart_login._core.store import LoginSession
from quart_login._exchange import exchange

#: Which request this task serves; None where nobody shall wait.
_serving: ContextVar[SentToQuart | None] = ContextVar("serving", default=None)


class SentToQuart(Sent):
    world: InQuart
    _task: Any = None

    async def begin(self, held: Held) -> None:
        self._word, self._gone = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._serve(held))
        await self._settle()

    async def go_on(self) -> None:
        self._word.set()
        await self._settle()

    async def cancel(self) -> None:
        """Let the client be gone: Quart cancels the task that serves it."""
        self._gone.set()
        await self._settle()

    async def _settle(self) -> None:
        """Let the event loop turn until this request waits for a word, or is over."""
        self.pending = None
        while self.pending is None and not self._task.done():
            await asyncio.sleep(0)
        if self._task.done():
            self._task.result()

    async def wait(self, what: Act) -> None:
        """Let the request wait for a word."""
        self._word = asyncio.Event()
        self.waits_for(what)
        await self._word.wait()

    async def _serve(self, held: Held) -> None:
        _serving.set(self)
        try:
            answer = await self.world.place.get(f"/do/{self.what}", held, self._gone)
        except ClientGone:
            return
        assert answer.status == 200, answer.text
        self.cookies = answer.set_cookies
        self.world.answer(self)

    async def close(self) -> None:
        if self._task is not None:
            self._word.set()
            while not self._task.done():
                await asyncio.sleep(0)


class Place:
    """An application, which serves one world after another."""

    def __init__(self) -> None:
        self._site: Site = registered(QuartSite, {"LOGIN_STORE_TIMEOUT": None})
        self._site.find = self._find  # type: ignore[method-assign]
        self._site.app.add_url_rule("/do/<what>", "do", self._do)
        self._site.app.add_url_rule("/who", "who", self._who)
        self._receivers = [partial(self._hear, signal.name) for signal in SIGNALS.values()]
        for signal, receiver in zip(SIGNALS.values(), self._receivers, strict=True):
            signal.connect(receiver, sender=self._site.app)
        self._world: InQuart
        self._begun: dict[bool, tuple[LoginSession, Held]] = {}

    async def begin(self) -> None:
        """Let Alice log in, with a remember cookie and without."""
        for remember in (False, True):
            world = InQuart(self, "session", ["page"], None, (ALICE, Held({}, {})))
            del world.store._sessions[ALICE.id]
            world.clock.now, world.store.wait = NOW, None
            for what in ("log_in_remembered" if remember else "log_in", "write"):
                _, world.held = await world.again(what)
            [login] = world.store._sessions.values()
            self._begun[remember] = login, world.held

    def make(self, start: str, whats: Sequence[str], cut: Cut | None = None) -> World:
        return InQuart(self, start, whats, cut, self._begun[start != "session"])

    def enter(self, world: InQuart) -> None:
        """Serve *world* from now on."""
        self._world = world
        self._site.manager.sessions, self._site.manager.clock = world.store, world.clock

    async def get(self, path: str, held: Held, gone: Any = None) -> Answer:
        cookies = "; ".join(f"{name}={text}" for name, text in held.jar.items())
        headers = [(b"user-agent", b"test"), (b"cookie", cookies.encode())]
        return await by_asgi(self._site.app, path, headers, gone=gone)

    def read(self, cookie: str) -> dict[str, Any]:
        """Return what is in a session cookie."""
        app = self._site.app
        return app.session_interface.get_signing_serializer(app).loads(cookie)

    async def _find(self, user_id: Any) -> Any:
        await self._world.wait(CALL)
        return self._world.users.get(user_id)

    async def _hear(self, name: str, sender: Any, **extra: Any) -> None:
        await self._world.wait(NOTIFY)
        self._world.hearing.append(name)

    async def _do(self, what: str) -> str:
        sent = _serving.get() or self._world.request(what)
        await sent.serve(exchange())
        return str(sent.did)

    async def _who(self) -> str:
        it = exchange()
        await load.known(it)
        check_data(it)
        user, login = it.identity.user, it.identity.login_session
        return "" if user is None else f"{user.id} {login.id}"


class InQuart(World):
    def __init__(self, place: Place, *args: Any) -> None:
        super().__init__(*args)
        self.place, self.hearing = place, self.heard
        place.enter(self)

    def request(self, name: str) -> Sent:
        return SentToQuart(self, name)

    async def wait(self, what: Act) -> None:
        sent = _serving.get()
        if sent is not None and self.store.wait and (what is not RETURN or self.cut is not None):
            await sent.wait(what)

    async def close(self) -> None:
        self.store.wait = None
        for one in self.sent.values():
            await one.close()  # type: ignore[attr-defined]

    def put(self, held: Held, sent: Sent) -> Held:
        return self._kept(held, sent.cookies)

    def _kept(self, held: Held, cookies: Sequence[str]) -> Held:
        """Return what a browser holds that held *held* before it got *cookies*."""
        jar = dict(held.jar)
        for line in cookies:
            jar.update(parse_cookie(line.split(";", 1)[0]))
        left = {name: text for name, text in jar.items() if text}
        return Held(self.place.read(left["session"]) if "session" in left else {}, left)

    async def visit(self, held: Held, heard: list[str] | None = None) -> tuple[str, str] | None:
        self.hearing = [] if heard is None else heard
        answer = await self.place.get("/who", held)
        assert answer.status == 200
        name, _, login = answer.text.partition(" ")
        return (name, login) if name else None

    async def again(self, what: str) -> tuple[Any, Held]:
        answer = await self.place.get(f"/do/{what}", self.held)
        return answer.text == "True", self._kept(self.held, answer.set_cookies)


#: A login for worlds that begin without one.
ALICE = LoginSession(
    id="A" * 22, user_id="alice", created=NOW, seen=NOW, expires=NOW, digest="", method=""
)
