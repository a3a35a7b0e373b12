"""How does everybody hear what happened?"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from blinker import Signal

from .events import note, note_receiver
from .exchange import Exchange
from .signals import user_login_failed


def tell(exchange: Exchange, signal: Signal, **extra: Any) -> Awaitable[None]:
    """Log that *signal* is sent, and send it."""
    note(exchange, signal, user=extra.get("user"), reason=extra.get("reason"))
    return send(exchange, signal, **extra)


async def send(exchange: Exchange, signal: Signal, **extra: Any) -> None:
    """Send *signal*; if a receiver raises, log that, and let it."""
    try:
        await exchange.notify(signal, **extra)
    except Exception:
        note_receiver(exchange, signal)  # The exception itself is logged by whom it reaches.
        raise


async def report_login_failure(
    exchange: Exchange,
    /,
    identifier: object = None,
    *,
    reason: str | None = None,
    user: Any = None,
    **extra: Any,
) -> None:
    """Tell that somebody tried to log in and failed: call it where a password was wrong.

    Receivers of `user_login_failed` get *identifier*, what was typed as the user's name, as it
    came; *reason*, a fixed word of yours such as ``"wrong_password"``; *user*, if there is one by
    that name; ``remote_addr``, the client's address, unless *extra* names another; and *extra*.
    Never pass what was typed as the password.

    The log gets digests of *identifier* and *user*, *reason* if it is one word, and nothing of
    *extra* (ASVS 5.0, 16.3.1: log failed authentications).

    No *identifier* is an error.  What a receiver raises is raised, so it may
    ``abort(429)``.  Raises `OutOfPlace` (a `RuntimeError`) outside a request.
    """
    note(exchange, user_login_failed, user=user, reason=reason, identifier=identifier)
    told = {"remote_addr": exchange.client()[0], **extra}
    await send(exchange, user_login_failed, identifier=identifier, reason=reason, user=user, **told)
