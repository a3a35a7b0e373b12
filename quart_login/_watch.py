"""Whose websockets and streams are to be closed?

Those of logins that this process ends, at once; and of those that another one ended, or that ran
out, within a second: a task looks for them as long as anything is open, and hears of them where the
store tells (`_core.held`, `_core.watching`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from ._core.held import EVERY, Held, Holding
from ._core.identity import Identity
from ._core.store import Listener, SessionId
from ._core.watching import lasting, listener_of
from ._loops import (
    Apart,
    Bell,
    at_once,
    for_a_while,
    left_after,
    sleep,
    this_handler,
    to_the_end,
)
from ._streams import HeldStream, Steps
from ._threads import FOR_LISTENERS, FOR_STORES
from ._websocket import EXTENSION, HANDLER, UNKNOWN, HeldSocket

#: Seconds for which the store is waited for, in a task that nobody waits for.
_PATIENCE: Final = 5.0


class Watch:
    """What is open of the logins that *manager* keeps for *app*, and who closes it."""

    #: A clock that is never set; tests have another.
    monotonic = staticmethod(time.monotonic)

    def __init__(self, app: Any, manager: Any) -> None:
        self._app = app
        self._manager = manager
        self._holding = Holding()
        #: Where on a websocket that is kept which holds it.
        self._key = f"{manager.attribute}:held"
        self._task: Apart | None = None
        app.extensions.setdefault(EXTENSION, {})[manager.attribute] = self
        app.after_serving(self.stop)

    def __len__(self) -> int:
        return len(self._holding)

    # --- what is open ----------------------------------------------------------------------------

    def begin(self, websocket: Any) -> None:
        """Note which task is the handler of *websocket*; its user is not known yet."""
        # There, and not with what holds it: a handler that fails holds its websocket.
        websocket.__dict__[HANDLER] = this_handler()

    def hold_websocket(self, websocket: Any, identity: Identity) -> None:
        """Close *websocket*, which begins, when its login ends."""
        there = websocket.__dict__
        if there.get(HANDLER) is not None and self._key not in there:
            held = there[self._key] = HeldSocket(websocket, self._holding.forget)
            self._hold(held, identity)

    def let_go(self, websocket: Any) -> None:
        """Forget *websocket*, which has ended."""
        held = websocket.__dict__.pop(self._key, None)
        if held is not None:
            self._holding.leave(held)

    def hold_stream(self, identity: Identity, steps: Steps) -> bool:
        """Cut the streamed body *steps* when its login ends; is it known whether it has one?"""
        if identity.login_session is not None:
            self._hold(HeldStream(steps, self._holding.forget), identity)
        return identity.loaded

    def _hold(self, held: Held, identity: Identity) -> None:
        assert identity.login_session is not None
        self._holding.enter(held, identity.login_session)
        if self._task is None or self._task.is_over():
            self._task = Apart(self._run)

    # --- what is to be closed --------------------------------------------------------------------

    async def end(self, ids: Iterable[SessionId], code: int | None = None) -> None:
        """Close what is open of the login sessions *ids*, before this returns."""
        farewells = [held.shut() for held in self._holding.take(ids)]
        calls = [farewell for farewell in farewells if farewell is not None]
        if not calls:
            return
        said: int = code or self._manager.setting(self._app, "LOGIN_WEBSOCKET_CLOSE_CODE")
        # Apart, for who ends a login may be cancelled, by this among others.
        await Apart(at_once, [partial(call, said) for call in calls]).wait()

    async def stop(self) -> None:
        """Watch no longer: the application ends."""
        if self._task is not None and not self._task.is_over():
            self._task.cancel()
            await to_the_end(_PATIENCE, self._task.wait)

    async def _run(self) -> None:
        """Watch, as long as anything is open."""
        news = _News(self._manager.sessions)
        try:
            while self._holding:
                try:
                    heard = await news.wait()
                    await self.look(heard, told=news.is_told)
                except Exception:  # A clock of the application's, say. Nobody else would look.
                    self._app.logger.exception("Looking for logins that ended failed.")
                    await sleep(EVERY)
        finally:
            self._task = None
            await to_the_end(_PATIENCE, news.end)

    async def look(self, heard: Sequence[SessionId] | None = (), *, told: bool = False) -> None:
        """Close what is open of logins that have ended: those *heard* of, and those that are gone
        from the store, as far as it is time to look.  None heard is time to look for all.
        """
        if heard is None:
            self._holding.look_at_all()
        await self.end(heard or ())
        moment, now = self.monotonic(), self._manager.clock()
        await self.end(self._holding.past(now))
        ids = self._holding.whom(moment, now, told=told)
        if not ids:
            return
        store = self._manager.sessions
        try:
            found = await left_after(_PATIENCE, lasting, FOR_STORES, store, ids)
        except Exception as error:
            await self._note_failure(error, moment)
        else:
            await self.end(self._holding.saw(ids, found, moment, now))

    async def _note_failure(self, error: Exception, asked: float) -> None:
        if self._holding.failed(asked):
            self._app.logger.warning(
                "The store of login sessions cannot be asked which have ended (%s)."
                " Websockets and streams stay open for a while.",
                type(error).__name__,
            )
        if self._holding.has_failed_for_long(self.monotonic()):
            self._app.logger.error(
                "The store of login sessions could not be asked for too long:"
                " %d logins' websockets and streams are closed.",
                len(self._holding),
            )
            await self.end(self._holding.ids(), UNKNOWN)


class _News:
    """Waits for news of ended logins, for a second at a time.

    Who listens does so in a task of its own, and is left where that hangs: nobody waits for it.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._bell = Bell()
        self._heard: list[SessionId] = []
        self._missed = False
        #: Do messages tell what ended?
        self.is_told = False
        listener = listener_of(store)
        self._task = None if listener is None else Apart(self._listen, listener)

    async def wait(self) -> Sequence[SessionId] | None:
        """Return what ended, or nothing after a second; None if messages may have been lost."""
        if not self._heard and not self._missed:
            await self._bell.wait(EVERY)
        if self._heard or not self._missed:
            heard, self._heard = self._heard, []
            return heard
        self._missed = False
        return None

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await self._task.wait()

    # --- in that task ----------------------------------------------------------------------------

    async def _listen(self, listener: Listener | None) -> None:
        while True:
            # Those who look each second say what is wrong with the store.
            with suppress(Exception):
                # What hangs may have the last one in its hands.
                listener = listener or listener_of(self._store)
                if listener is not None:
                    await self._hear_by(listener)
            listener = None
            await sleep(EVERY)

    async def _hear_by(self, listener: Listener) -> None:
        try:
            await left_after(_PATIENCE, listener.begin, FOR_LISTENERS)
            self.is_told = True
            self._note(None)
            while True:
                some = left_after(EVERY + _PATIENCE, listener.hear, FOR_LISTENERS, EVERY)
                self._note(await some)
        finally:
            self.is_told = False
            await to_the_end(_PATIENCE, for_a_while, _PATIENCE, _end, listener)

    def _note(self, heard: Sequence[SessionId] | None) -> None:
        if heard is None:
            self._missed = True
        else:
            self._heard += heard
        if heard is None or heard:
            self._bell.ring()


async def _end(listener: Listener) -> None:
    with suppress(Exception):
        await listener.end(FOR_LISTENERS)
