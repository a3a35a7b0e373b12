"""Who is the user where nobody made a request?

Rule 1.  Within ``acting_as(user)`` the user is *user*: in a command, a background task, a mail that
         is rendered.  Blocks nest, and the end of one brings back what was before.
Rule 2.  It holds where it was said, and in the tasks begun there; never in a request that somebody
         makes meanwhile, in this process or another: that one has a user of its own.
Rule 3.  Nobody is logged in by it: there is no browser, and no cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final

from .errors import UnusableUser
from .users import checked_activity, unwrap

#: The innermost block.  Set and reset by `ActingAs` alone.
innermost: Final[ContextVar[ActingAs | None]] = ContextVar("quart_login.acting", default=None)


class ActingAs:
    """The block of a ``with`` statement in which *user* is the current user of *realm*."""

    def __init__(self, user: Any, realm: str | None, at_hand: Callable[[], Any]) -> None:
        self.user = unwrap(user)
        self.realm = realm
        #: The request in which the block begins, or None: another request is another place.
        self.place: Any = None
        self.outer: ActingAs | None = None
        self._at_hand = at_hand
        self._tokens: list[Token[ActingAs | None]] = []
        checked_activity(self.user)
        if getattr(self.user, "is_anonymous", False) is True:
            raise UnusableUser(
                "acting_as() was given an anonymous user: there is nobody to act as."
            )

    def __repr__(self) -> str:
        return "<ActingAs>"

    def __enter__(self) -> Any:
        if self._tokens:
            raise RuntimeError("This block has begun already. Make another: acting_as(user).")
        self.place, self.outer = self._at_hand(), innermost.get()
        self._tokens.append(innermost.set(self))
        return self.user

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        innermost.reset(self._tokens.pop())


def acted(realm: str | None, place: Any) -> Any:
    """Return the user as whom this code acts for *realm*, in the request *place* or without one;
    None if as nobody.
    """
    block = innermost.get()
    while block is not None:
        if block.realm == realm and block.place is place:
            return block.user
        block = block.outer
    return None
