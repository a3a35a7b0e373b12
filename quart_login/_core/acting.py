"""Who is the user where nobody made a request?

Rule 1.  Within ``acting_as(user)`` the user is *user*: in a command, a background task, a mail that
         is rendered.  Blocks nest, and the end of one brings back what was before.
Rule 2.  It holds where it was said, and in the tasks begun there; never in a request that somebody
         makes meanwhile, in this process or another: that one has a user of its own.
Rule 3.  Nobody is logged in by it: there is no browser, and no cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from .errors import UnusableUser
from .users import checked_activity, unwrap

U = TypeVar("U")

#: The innermost block.  Set and reset by `ActingAs` alone.
innermost: Final[ContextVar[ActingAs[Any] | None]] = ContextVar("quart_login.acting", default=None)


class ActingAs(Generic[U]):
    """The block of a ``with`` statement in which *user* is the current user of *realm*."""

    def __init__(self, user: U, realm: str | None, at_hand: Callable[[], Any]) -> None:
        self.user: U = unwrap(user)
        self.realm = realm
        #: The request in which the block begins, or None: another request is another place.
        self.place: Any = None
        self.outer: ActingAs[Any] | None = None
        #: Did it end in another order, or task, than it began?
        self.ended = False
        self._at_hand = at_hand
        self._tokens: list[Token[ActingAs[Any] | None]] = []
        checked_activity(self.user)
        if getattr(self.user, "is_anonymous", False) is True:
            raise UnusableUser(
                "acting_as() was given an anonymous user: there is nobody to act as."
            )

    def __repr__(self) -> str:
        return "<ActingAs>"

    def __enter__(self) -> U:
        if self._tokens:
            raise RuntimeError("This block has begun already. Make another: acting_as(user).")
        outer = innermost.get()
        while outer is not None and outer.ended:  # out of its turn; it may be this very block
            outer = outer.outer
        self.ended = False
        self.place, self.outer = self._at_hand(), outer
        self._tokens.append(innermost.set(self))
        return self.user

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        token = self._tokens.pop()
        if innermost.get() is self:
            with suppress(ValueError):  # the block ends in another task than it began in
                innermost.reset(token)
                if innermost.get() is not self:  # It is, if it ended out of its turn once before.
                    return
        # A generator was closed out of its turn.  Whatever still holds this block is told.
        self.ended = True


def acted(realm: str | None, place: Any) -> Any:
    """Return the user as whom this code acts for *realm*, in the request *place* or without one;
    None if as nobody.
    """
    block = innermost.get()
    while block is not None:
        if block.realm == realm and block.place is place and not block.ended:
            return block.user
        block = block.outer
    return None
