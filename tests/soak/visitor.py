"""What does one person do, on two browsers, and what must they see?

The login of a browser is ``True``, ``False``, or ``None`` where a fault left open which.  Nobody is
ever shown somebody else, and nothing that has ended is shown anybody.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .wire import Broken, Browser

#: Seconds within which a socket closes after its login ended in another process.
CLOSES_WITHIN = 2.0

#: A visitor does one thing in so many seconds.
PACE = 0.5


class Wrong(AssertionError):
    """Something was seen that must not be."""


@dataclass
class Weather:
    """Is a fault on, or just over?"""

    bad: bool = False
    #: What was done, and what came of it.
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    #: How often the weather changed.
    changes: int = 0


class Visitor:
    """A person with two browsers."""

    def __init__(self, number: int, port: int, weather: Weather) -> None:
        self.id, self.port, self.weather = str(number), port, weather
        self.random = Random(number)
        self.browsers = [Browser(port), Browser(port)]
        self.logged_in: list[bool | None] = [False, False]
        self.sockets: list[ClientConnection | None] = [None, None]
        #: Cookies of logins that are over.
        self.dead: list[dict[str, str]] = []

    async def visit(self, until: float) -> None:
        clock = asyncio.get_running_loop().time
        while clock() < until:
            await asyncio.sleep(self.random.uniform(0, 2 * PACE))
            act = self.random.choice(self.acts())
            changes = self.weather.changes
            try:
                await act(self.random.randrange(2))
                self.weather.seen[act.__name__.strip("_")] += 1
            except Wrong as error:
                if self.weather.bad or changes != self.weather.changes:
                    self.weather.seen["planned failure"] += 1
                    await self._begin_anew()
                else:
                    self.weather.wrong.append(f"{act.__name__} of {self.id}: {error}")
                    await self._begin_anew()
            except (Broken, OSError, ConnectionClosed, TimeoutError, InvalidStatus) as error:
                kind = "planned failure" if self.weather.bad else f"broken line: {error!r}"
                self.weather.seen[kind] += 1
                await self._begin_anew()
        await self._begin_anew()

    def acts(self) -> list[Any]:
        often = [self._look, self._look, self._look_openly, self._stream]
        seldom = [self._log_in, self._log_out, self._confirm, self._others, self._everywhere]
        return often * 3 + seldom + [self._junk, self._replay, self._reopen, self._listen] * 2

    async def _begin_anew(self) -> None:
        """Forget all, after something went wrong."""
        for number in range(2):
            with suppress(Exception):
                await self._hang_up(number)
            self.browsers[number].forget()
            self.logged_in[number] = False

    # --- what is done ----------------------------------------------------------------------------

    async def _ask(self, number: int, method: str, path: str) -> tuple[int, str]:
        status, text = await self.browsers[number].ask(method, path)
        if status == 200 and path != "/out" and text.strip("\n") not in (self.id, "anonymous"):
            lines = set(text.split("\n")) - {""}
            if lines != {self.id}:
                raise SystemExit(f"WRONG IDENTITY: {path} showed {text!r} to {self.id}")
        if status >= 500 and not (status == 503 and self.weather.bad):
            raise Wrong(f"{method} {path}: status {status}")
        return status, text

    def _expect(self, number: int, status: int, what: str) -> None:
        login = self.logged_in[number]
        if login is not None and status != (200 if login else 401):
            raise Wrong(f"{what}: status {status}, and logged in is {login}")

    async def _look(self, number: int) -> None:
        status, _ = await self._ask(number, "GET", "/me")
        self._expect(number, status, "page")

    async def _look_openly(self, number: int) -> None:
        status, text = await self._ask(number, "GET", "/open")
        if status != 200 or (text == self.id) is not self.logged_in[number]:
            raise Wrong(f"open page: {status} {text!r}, and logged in is {self.logged_in[number]}")

    async def _stream(self, number: int) -> None:
        status, _ = await self._ask(number, "GET", "/stream")
        self._expect(number, status, "stream")

    async def _log_in(self, number: int) -> None:
        left = self._copies(number)
        path = f"/in/{self.id}" + self.random.choice(["", "?remember"])
        status, _ = await self._ask(number, "POST", path)
        if status != 200:
            raise Wrong(f"login: status {status}")
        self.logged_in[number] = True
        await self._is_over(left)

    async def _log_out(self, number: int) -> None:
        left = self._copies(number)
        status, _ = await self._ask(number, "POST", "/out")
        if status != 200:
            raise Wrong(f"logout: status {status}")
        self.logged_in[number] = False
        await self._is_over(left)

    def _copies(self, *numbers: int) -> dict[int, dict[str, str]]:
        """Return copies of the cookies of the browsers *numbers* that are logged in."""
        return {
            number: dict(self.browsers[number].cookies)
            for number in numbers
            if self.logged_in[number]
        }

    async def _is_over(self, left: dict[int, dict[str, str]]) -> None:
        """See that the logins are over of which *left* are copies."""
        self.dead = [*self.dead, *left.values()][-4:]
        for number in left:
            await self._is_closed(number)

    async def _confirm(self, number: int) -> None:
        before = dict(self.browsers[number].cookies)
        status, _ = await self._ask(number, "POST", "/confirm")
        self._expect(number, status, "confirmation")
        if status == 200:
            before.pop("remember_token", None)  # That stays good.
            self.dead = [*self.dead, before][-4:]

    async def _others(self, number: int) -> None:
        left = self._copies(1 - number)
        status, _ = await self._ask(number, "POST", "/others")
        self._expect(number, status, "end of the others")
        if status == 200:
            self.logged_in[1 - number] = False
            await self._is_over(left)

    async def _everywhere(self, number: int) -> None:
        left = self._copies(0, 1)
        status, _ = await self._ask(number, "POST", "/everywhere")
        self._expect(number, status, "end of all")
        if status == 200:
            self.logged_in = [False, False]
            await self._is_over(left)

    async def _reopen(self, number: int) -> None:
        """Close the browser, and open it again: the session cookie is gone."""
        browser = self.browsers[number]
        browser.cookies.pop("session", None)
        if "remember_token" not in browser.cookies:
            await self._hang_up(number)
            self.logged_in[number] = False
        await self._look(number)

    async def _replay(self, number: int) -> None:
        """Show the copied cookies of a login that is over."""
        if not self.dead or None in self.logged_in:
            return
        thief = Browser(self.port, self.random.choice(self.dead))
        status, text = await thief.ask("GET", "/open")
        await thief.close()
        if status != 200 or text != "anonymous":
            raise Wrong(f"a copy of an ended login: {status} {text!r}")

    async def _junk(self, number: int) -> None:
        letters = [chr(code) for code in range(33, 256) if code not in (34, 44, 59, 92)]
        junk = "".join(self.random.choices(letters, k=self.random.randrange(200)))
        cookie = {self.random.choice(["session", "remember_token"]): junk}
        stranger = Browser(self.port, cookie)
        status, text = await stranger.ask("GET", "/open")
        await stranger.close()
        if (status, text) != (200, "anonymous"):
            raise Wrong(f"junk: {status} {text!r}")

    # --- the live page ---------------------------------------------------------------------------

    async def _listen(self, number: int) -> None:
        if self.sockets[number] is not None:
            socket = self.sockets[number]
            assert socket is not None
            await socket.send("?")
            await self._hear(socket)
            return
        cookie = "; ".join(f"{k}={v}" for k, v in self.browsers[number].cookies.items())
        if "session" not in cookie or not self.logged_in[number]:
            return
        url = f"ws://127.0.0.1:{self.port}/live"
        socket = await connect(url, additional_headers={"Cookie": cookie}, open_timeout=10)
        self.sockets[number] = socket
        await self._hear(socket)

    async def _hear(self, socket: ClientConnection) -> None:
        async with asyncio.timeout(10):
            said = await socket.recv()
        if said != self.id:
            raise SystemExit(f"WRONG IDENTITY: the live page showed {said!r} to {self.id}")

    async def _is_closed(self, number: int) -> None:
        """Wait until the live page of an ended login is closed."""
        socket, self.sockets[number] = self.sockets[number], None
        if socket is None:
            return
        try:
            async with asyncio.timeout(CLOSES_WITHIN):
                await socket.wait_closed()
        except TimeoutError:
            await socket.close()
            raise Wrong("a live page outlived its login") from None

    async def _hang_up(self, number: int) -> None:
        socket, self.sockets[number] = self.sockets[number], None
        if socket is not None:
            await socket.close()
