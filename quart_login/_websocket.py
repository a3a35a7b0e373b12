"""What does a login that ended do to an open websocket?

Rule 1.  From that moment on nothing comes in by it, or goes out.
Rule 2.  The client is told by the close code, and the handler is cancelled, as Quart cancels it
         when the client is gone.  A client that does not take the message is not waited for.
Rule 3.  Whoever goes on, or has a task of his own that does, is told by `LoginEnded`.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Final, NoReturn

from ._core.held import Farewell, Held, LoginEnded
from ._loops import Apart, in_time, sleep

#: Seconds for which a client is waited for that should take the close code.
PATIENCE: Final = 1.0

#: What closes a socket when nobody can tell whether its login has ended: "try again later".
UNKNOWN: Final = 1013

#: Where on a websocket that is kept which ends its handler, by a method ``cancel``.
HANDLER: Final = "_quart_login_handler"

#: Where on the application is kept, for each manager, what is open of its logins: a `Watch`.
EXTENSION: Final = "quart_login.watch"

_REASONS: Final = {UNKNOWN: "try again later"}


class HeldSocket(Held):
    """An open websocket."""

    __slots__ = ()

    def shut(self) -> Farewell | None:
        websocket = self()
        if websocket is None:
            return None
        close = websocket.close
        methods = {"receive": _refuse, "send": _refuse, "accept": _refuse, "close": _nothing}
        websocket.__dict__.update(methods)
        return partial(_end, websocket.__dict__[HANDLER], close)


async def _end(handler: Any, close: Any, code: int) -> None:
    saying = Apart(_say, close, code)
    with suppress(TimeoutError):
        await in_time(PATIENCE, saying.wait)
    # It is left to go on: some servers say it only when they hear from the client.
    handler.cancel()


async def _say(close: Any, code: int) -> None:
    # The server may have lost the client, or the view have closed the socket.
    with suppress(Exception):
        await close(code, _REASONS.get(code, "the login has ended"))


async def _refuse(*args: Any, **options: Any) -> NoReturn:
    # The handler is cancelled meanwhile, as it is used to.
    await sleep(2 * PATIENCE)
    raise LoginEnded


async def _nothing(*args: Any, **options: Any) -> None:
    """Leave it closed."""


def watch_of(app: Any, manager: Any) -> Any:
    """Return who watches what is open of the logins that *manager* keeps for *app*; None where it
    keeps none.
    """
    watches = app.extensions.get(EXTENSION)
    return None if watches is None else watches.get(manager.attribute)
