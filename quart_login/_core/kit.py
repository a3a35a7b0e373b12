"""What does a test need to begin as somebody, to move the time, and to see who it was?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final, NamedTuple

from . import carryover, record, remember
from .decision import LoginDecision
from .exchange import Exchange
from .opening import login_keys
from .reasons import Reason
from .settings import seconds
from .tokens import Token, keys_of
from .users import checked_activity, checked_id, epoch_of, unwrap

#: What the requests of a test client found, while it sends one.
decisions: Final[ContextVar[list[LoginDecision] | None]] = ContextVar(
    "quart_login.kit", default=None
)

#: Where on a test client's response its decision is kept.
ATTRIBUTE: Final = "login_decision"


class ManualClock:
    """A clock that stands still until a test moves it: ``login_manager.clock = ManualClock()``.

    It begins at *now*, in seconds since 1970, or at the real time.  The whole library reads the
    manager's clock: freshness, remember cookies, tokens.  (The framework's own session cookie is
    dated by the framework.)
    """

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now

    def __call__(self) -> float:
        return self.now

    def __repr__(self) -> str:
        return f"<ManualClock {self.now:.0f}>"

    def advance(self, *args: float, **kwargs: float) -> None:
        """Move the clock, by what `datetime.timedelta` takes: ``clock.advance(hours=2)``."""
        self.now += timedelta(*args, **kwargs).total_seconds()


class Opened(NamedTuple):
    """What a browser holds of a login."""

    #: For the session.
    session: dict[str, Any]
    #: The remember cookie's value.
    token: str | None

    def __repr__(self) -> str:
        return "<Opened>"


def opened(
    exchange: Exchange, user: Any, fresh: bool, remembered: bool, age: timedelta | float
) -> Opened:
    """Return what a browser holds that logged in as *user*, *age* (a `timedelta` or seconds) ago.

    Raises `UnusableUser` if *user* has no id that can be kept.
    """
    user = unwrap(user)
    checked_activity(user)
    user_id = checked_id(user, exchange.manager.id_attribute)
    then = exchange.manager.clock() - seconds(age, "age", float)
    life = record.AS_SET if remembered else None
    session = login_keys(exchange, user_id, user, fresh=fresh, remembered=life, now=then)
    if not remembered:
        return Opened(session, None)
    token = Token(user_id, epoch=epoch_of(user))
    change = remember.issue(token, keys_of(exchange.config), exchange.setting, then)
    return Opened(session, change.value)


def take_over(exchange: Exchange, opened: Opened) -> None:
    """Put the login that was *opened* into the session, as a real one would be."""
    session, keys = exchange.session, exchange.manager.keys
    user_id = opened.session[keys.user_id]
    carryover.take_over(session, keys, user_id, exchange.kept_keys(), exchange.others())
    session.update(opened.session)


@contextmanager
def deciding() -> Iterator[list[LoginDecision]]:
    """Collect what is decided in the requests that are sent in this block."""
    found: list[LoginDecision] = []
    token = decisions.set(found)
    try:
        yield found
    finally:
        decisions.reset(token)


def attach(response: Any, found: list[LoginDecision]) -> None:
    """Let *response*, the last of a row of redirects, tell what was decided for it."""
    if found:
        setattr(response, ATTRIBUTE, found[-1])


def note(decision: LoginDecision) -> None:
    """Keep *decision* for the test client that sends the request at hand, if one does."""
    found = decisions.get()
    if found is not None:
        found.append(decision)


def assert_anonymous(response: Any, reason: Reason | str | None = None) -> None:
    """Assert that *response*, of this library's test client, was made for nobody.

    *reason*, a `Reason` or its text, says why that must be.  Raises `ValueError` for one that is
    none, and `TypeError` for a response that tells nothing.
    """
    __tracebackhide__ = True
    expected = None if reason is None else Reason(reason)
    decision = getattr(response, ATTRIBUTE, None)
    if decision is None:
        raise TypeError(
            "This response says nothing of its user: make the request with a login client"
            " (QuartLoginClient or FlaskLoginClient), of an application with a LoginManager."
        )
    assert not decision.authenticated, f"somebody was logged in, by {decision.source}"
    assert expected in (None, decision.reason), (
        f"nobody was logged in, though not for {expected} but for {decision.reason}"
    )
