"""How is a login session ended?

What ends, ends in the store first; then what is open in this process is closed, and who listens is
told.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import events
from .asking import ask
from .errors import StoreUnavailable
from .exchange import Exchange
from .identity import is_loading
from .reasons import Reason
from .signals import login_session_ended
from .store import LoginSession, SessionId
from .subjects import user_id_of


async def end(exchange: Exchange, id: SessionId, reason: Reason) -> bool:
    """End the login session *id*.  Return False if there was none."""
    gone = await ask(exchange, "delete", id)
    if gone is None:
        await exchange.ended((id,))
        return False
    await tell_ended(exchange, (gone,), reason)
    return True


async def end_all(
    exchange: Exchange, name: str, reason: Reason, *, but: SessionId | None = None
) -> Sequence[LoginSession]:
    """End the login sessions of the user *name*, but for one.  Return what they were."""
    gone: Sequence[LoginSession] = await ask(exchange, "delete_user", name, but=but)
    await tell_ended(exchange, gone, reason)
    return gone


async def tell_ended(exchange: Exchange, gone: Sequence[LoginSession], reason: Reason) -> None:
    """Close what is open of the login sessions *gone*, and tell that they ended."""
    await exchange.ended([login.id for login in gone])
    for login in gone:
        user_id = user_id_of(login.user_id, exchange.manager.realm)
        told = {"session_id": login.id, "user_id": user_id, "reason": reason}
        events.note(exchange, login_session_ended, user_id=user_id, reason=reason)
        if is_loading(exchange.identity):
            exchange.identity.tell(login_session_ended, **told)
            continue
        try:
            await exchange.notify(login_session_ended, **told)
        except Exception as error:  # It has ended, whatever a receiver thinks of that.
            events.note_receiver(exchange, login_session_ended, error)


async def take_back(exchange: Exchange, id: SessionId) -> None:
    """End what was opened, if that can be done.  (No browser ever got what proves it.)"""
    try:
        await ask(exchange, "delete", id)
    except StoreUnavailable as error:
        events.note_store(exchange, error)
