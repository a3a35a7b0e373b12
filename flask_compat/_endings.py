"""Has the login of a streamed response ended?

Nothing in Flask can end a step that runs, and no task looks: so the store is asked between two
steps of the body, once a second at most.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from quart_login._core.held import GRACE
from quart_login._core.step import step
from quart_login._core.watching import lasting

if TYPE_CHECKING:
    from ._exchange import FlaskExchange

#: Seconds between two looks.
_EVERY: Final = 1.0


class Ending:
    """Looks whether the login of the response to one request has ended."""

    __slots__ = ("_exchange", "_failing", "_next")

    #: A clock that is never set; tests have another.
    monotonic = staticmethod(monotonic)

    def __init__(self, exchange: FlaskExchange) -> None:
        self._exchange = exchange
        self._next = self.monotonic() + _EVERY
        self._failing: float | None = None

    def has_come(self) -> bool:
        """Is it over, or has the store failed for too long?"""
        moment, login = self.monotonic(), self._exchange.identity.login_session
        if login is None or moment < self._next:
            return False
        self._next = moment + _EVERY
        try:
            ends = self._look(login.id)
        except Exception:
            self._failing = moment if self._failing is None else self._failing
            return moment - self._failing > GRACE
        self._failing = None
        return bool(self._exchange.manager.clock() > ends)

    def _look(self, id: str) -> float:
        store: Any = self._exchange.manager.sessions
        return step(self._exchange.ask(lasting, store, [id])).get(id, -inf)
