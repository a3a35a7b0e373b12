"""Requests on paper, whose coroutines are stepped by hand from wait to wait."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import cache
from typing import Any

from core.paper import Browser, Paper, Session, User, set_cookies
from interleavings.orders import Act
from interleavings.world import (
    CALL,
    NOTE,
    NOTIFY,
    RETURN,
    VIEWS,
    Cut,
    Held,
    Sent,
    World,
    check_data,
)
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from quart_login._core import load
from quart_login._core.finish import finish
from quart_login._core.store import LoginSession


class Cancelled(BaseException):
    """What a task is told that is cancelled."""


class Wait:
    """One wait: whoever steps the coroutine sees what follows."""

    def __init__(self, what: Act) -> None:
        self.what = what

    def __await__(self) -> Generator[Act, None, None]:
        yield self.what


class WaitingPaper(Paper):
    """A request on paper that waits where a real one does."""

    #: Awaited before anything is called.
    wait: Callable[[Act], Coroutine[Any, Any, None]] | None = None

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        if self.wait is not None:
            await self.wait(CALL)
        return await super().call(fn, *args)

    async def notify(self, signal: Any, **extra: Any) -> None:
        if self.wait is not None:
            await self.wait(NOTIFY)
        await super().notify(signal, **extra)


class SentOnPaper(Sent):
    _steps: Coroutine[Any, Any, Any] | None = None
    it: Paper

    async def begin(self, held: Held) -> None:
        self.it = self.world.paper(held)  # type: ignore[attr-defined]
        self.it.wait = self.world.wait  # type: ignore[attr-defined]
        self._steps = self._serve()
        await self.go_on()

    async def go_on(self, error: BaseException | None = None) -> None:
        assert self._steps is not None
        try:
            what = self._steps.send(None) if error is None else self._steps.throw(error)
        except StopIteration:
            self.world.answer(self)
        except Cancelled:
            self.pending = None
        else:
            self.waits_for(what)

    async def cancel(self) -> None:
        await self.go_on(Cancelled())

    async def _serve(self) -> None:
        await self.serve(self.it)
        self.session, self.cookies = await answer(self.it)
        self.world.heard += self.it.names()

    def close(self) -> None:
        if self._steps is not None:
            self._steps.close()


async def answer(it: Paper) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the session that the answer carries, if it does, and its cookies."""
    response = Response()
    await finish(it, response)
    return dict(it.session) if it.session.modified else None, set_cookies(response)


@cache
def begun(remember: bool) -> tuple[LoginSession, Held]:
    """Return a login of Alice's in the store, and what her browser holds of it."""
    browser = Browser(users={})
    browser.log_in(User("alice"), remember)
    return browser.store.one(), Held({**browser.session, NOTE: "alice"}, browser.jar)


class OnPaper(World):
    def __init__(self, start: str, whats: Sequence[str], cut: Cut | None = None) -> None:
        super().__init__(start, whats, cut, begun(start != "session"))
        self._it = WaitingPaper(users=self.users)
        self._it.manager.sessions, self._it.manager.clock = self.store, self.clock

    def request(self, name: str) -> Sent:
        return SentOnPaper(self, name)

    def paper(self, held: Held) -> Paper:
        """Return a request of a browser that holds *held*."""
        it = self._it.again(held.jar)
        it.session = Session(held.session)
        return it

    async def wait(self, what: Act) -> None:
        if what is not RETURN or self.cut is not None:
            await Wait(what)

    async def close(self) -> None:
        self.store.wait = None
        for one in self.sent.values():
            one.close()  # type: ignore[attr-defined]

    def put(self, held: Held, sent: Sent) -> Held:
        return kept(held, sent.session, sent.cookies)

    async def visit(self, held: Held, heard: list[str] | None = None) -> tuple[str, str] | None:
        it = self.paper(held)
        await load.known(it)
        check_data(it)
        await answer(it)
        if heard is not None:
            heard += it.names()
        user, login = it.identity.user, it.identity.login_session
        return None if user is None else (user.id, login.id)

    async def again(self, what: str) -> tuple[Any, Held]:
        it = self.paper(self.held)
        await load.known(it)
        did = await VIEWS[what](it, self.users)
        return did, kept(self.held, *await answer(it))


def kept(held: Held, session: dict[str, Any] | None, cookies: Sequence[str]) -> Held:
    """Return what a browser holds that held *held* before it got *session* and *cookies*."""
    jar = dict(held.jar)
    for line in cookies:
        jar.update(parse_cookie(line.split(";", 1)[0]))
    left = {name: text for name, text in jar.items() if text}
    return Held(held.session if session is None else session, left)
