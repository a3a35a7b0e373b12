"""How does a remember cookie from before the registry become a login session?

Rule 1.  At its first use, once: the browser gets a login session and its cookie for it, with no
         more time than the old one had.  The old one is noted as used, and which login it became: a
         copy of it does not outlive the logout.
Rule 2.  Requests that show it at once are all logged in, and one of them carries the new cookie.
Rule 3.  Revoking a user ends the old cookies, too, though nobody knows where they are: what was
         issued before is refused.
Rule 4.  ``LOGIN_ADOPT_REMEMBER_COOKIES = False`` ends the move: old cookies are nothing.

The notes are records in the store, under a name that is no user's; the store removes them when the
cookies would have ended, which Flask-Login's never do.  (One note tells of a revocation, however
many there were.)  In place of a browser's name they tell the id of the login that the
cookie became.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from . import asking, carryover, ending, events, lifetimes, proofs, remember, sessions
from .claim import outlives, refuse_cookie, sent_as
from .errors import StoreUnavailable
from .exchange import Exchange
from .opening import put_in, stand_beside
from .reasons import Reason
from .settings import seconds
from .signals import user_loaded_from_cookie
from .store import LoginSession, SessionId
from .subjects import NOTES
from .tokens import Token
from .users import UserId, checked_id, objection

#: What a note is of: a cookie that was used, one that came with a logout, or the revocation of all.
_MOVED, _RETIRED, _REVOKED = "moved", "retired", "revoked"


async def move(exchange: Exchange, loader: Callable[[Any], Any], token: Token) -> bool:
    """Bind the user of the old remember cookie *token*; could that be done?"""
    if not exchange.setting("LOGIN_ADOPT_REMEMBER_COOKIES"):
        refuse_cookie(exchange, Reason.NOT_REGISTERED, token.user_id)
        return False
    notes = await _notes(exchange, token.user_id)
    used = _note_of(exchange, notes)
    if _is_revoked(token, notes) or (used is not None and not await _is_late(exchange, used)):
        refuse_cookie(exchange, Reason.SESSION_ENDED, token.user_id)
        return False
    user = await exchange.call_loader(loader, token.user_id)
    if exchange.identity.loaded:
        return True  # Meanwhile another task of this request logged somebody in: that stands.
    reason = objection(user, exchange.manager.id_attribute, token.user_id)
    if reason is None and remember.superseded(token, user):
        reason = Reason.EPOCH_CHANGED
    if reason is not None:
        if reason in (Reason.USER_GONE, Reason.USER_INACTIVE):
            await end_user(exchange, token.user_id, reason)
        refuse_cookie(exchange, reason, token.user_id)
        return False
    return await _begin(exchange, token, notes, used, user)


async def _begin(
    exchange: Exchange,
    token: Token,
    notes: Sequence[LoginSession],
    used: LoginSession | None,
    user: Any,
) -> bool:
    """Begin a login session by *token*, unless another request did.  Return False if that may not
    be.
    """
    user_id = checked_id(user, exchange.manager.id_attribute)
    opened = None
    if used is None and (exchange.is_websocket or exchange.identity.closed):
        return False  # What nobody could end must not stay open. The next request moves it.
    if used is None:
        used = await _note(exchange, token, notes, _MOVED)
        if used is not None:
            opened = await _adopt(exchange, token, used, user, user_id)
            if opened is None:
                return exchange.identity.loaded
    if exchange.identity.loaded:
        if opened is not None:
            await ending.take_back(exchange, opened.login.id)
        return True  # Meanwhile another task of this request logged somebody in: that stands.
    exchange.identity.stale, exchange.identity.source = True, "remember_cookie"
    events.keep(exchange, user_loaded_from_cookie, user=user)
    if opened is None:
        stand_beside(exchange, carryover.mark(user_id))
        if used is not None and used.agent:  # What stays open ends with it.
            exchange.identity.login_session = await asking.ask(exchange, "get", used.agent)
    else:
        put_in(exchange, opened, user, user_id)
        if opened.change is None:
            exchange.identity.remember = remember.DELETE
    exchange.bind(user)
    return True


async def _adopt(
    exchange: Exchange, token: Token, used: LoginSession, user: Any, user_id: UserId
) -> sessions.Opened | None:
    """Return a login session in the place of *token*; None if it is refused."""
    try:
        opened = await _open(exchange, token, user, user_id)
        if opened is None:
            await asking.ask(exchange, "delete", used.id)  # The cookie waits for room.
            exchange.identity.reason = Reason.TOO_MANY_SESSIONS
        elif not await _stands(exchange, token, used, opened):
            refuse_cookie(exchange, Reason.SESSION_ENDED, user_id)
            return None
    except BaseException:
        await ending.take_back(exchange, used.id)  # Nor is the cookie used.
        raise
    return opened


async def _open(
    exchange: Exchange, token: Token, user: Any, user_id: UserId
) -> sessions.Opened | None:
    """Return a login session in the place of *token*; None if the user may have no more."""
    left = None
    if outlives(exchange, token):
        left = remember.left(token, exchange.setting, exchange.manager.clock())
    return await sessions.open_session(
        exchange, user, user_id, remembered=left, method="remember_cookie"
    )


async def _stands(
    exchange: Exchange, token: Token, used: LoginSession, opened: sessions.Opened
) -> bool:
    """Note which login the cookie became; end it if the cookie was ended meanwhile."""
    linked = replace(used, version=used.version + 1, agent=opened.login.id)
    try:
        # A revocation notes first, and ends what it finds then: one of the two sees the other.
        revoked = _is_revoked(token, await _notes(exchange, token.user_id))
        if not revoked and await asking.ask(exchange, "swap", used, linked):
            return True
    except BaseException:
        await ending.take_back(exchange, opened.login.id)
        raise
    await ending.end(exchange, opened.login.id, Reason.SESSION_ENDED)
    return False


# --- the notes -----------------------------------------------------------------------------------


def _name(exchange: Exchange, user_id: UserId) -> str:
    return NOTES + asking.subject_of(exchange, str(user_id))


async def _notes(exchange: Exchange, user_id: UserId) -> Sequence[LoginSession]:
    """Return what is noted of old cookies of the user."""
    found: Sequence[LoginSession] = await asking.ask(exchange, "list", _name(exchange, user_id))
    now = exchange.manager.clock()
    return [note for note in found if now <= note.expires]


def _digest(exchange: Exchange) -> str:
    """Return what stands for the request's remember cookie."""
    name, adopted = sent_as(exchange), exchange.manager.adopted
    text = "" if name is None else exchange.request.cookies[name]
    if adopted is not None and name == adopted.name:
        # Its signature can be spelt in sixteen ways; what is signed, in one.
        text = text.rpartition(".")[0]
    return proofs.digest(text)


def _note_of(exchange: Exchange, notes: Sequence[LoginSession]) -> LoginSession | None:
    """Return the note that the request's remember cookie was used, or came with a logout."""
    mine = _digest(exchange)
    return next((note for note in notes if note.digest == mine), None)


def _is_revoked(token: Token, notes: Sequence[LoginSession]) -> bool:
    """Were the user's logins revoked after *token* was issued, or who knows when?"""
    revoked = [note.created for note in notes if note.method == _REVOKED]
    return any(token.issued is None or token.issued <= moment for moment in revoked)


async def _is_late(exchange: Exchange, used: LoginSession) -> bool:
    """Was the cookie used a moment ago, so that its successor may be on the way?"""
    window = seconds(exchange.setting("LOGIN_REMEMBER_WINDOW"), "LOGIN_REMEMBER_WINDOW", float)
    age = exchange.manager.clock() - used.created
    if used.method != _MOVED or not -window <= age <= window:
        return False
    # Its login is being opened; or it is there, or has ended.
    return not used.agent or await asking.ask(exchange, "get", used.agent) is not None


async def _note(
    exchange: Exchange, token: Token, notes: Sequence[LoginSession], method: str
) -> LoginSession | None:
    """Note what became of the request's remember cookie; None if another request did that."""
    now = exchange.manager.clock()
    # Flask-Login's form says no end.
    never = token.issued is None
    left = lifetimes.FOR_EVER if never else remember.left(token, exchange.setting, now)
    note = _record(exchange, token.user_id, method, _digest(exchange), left)
    # At most as many as were seen, and this one: what was added meanwhile is in its way.
    try:
        gone = await asking.ask(exchange, "add", note, limit=len(notes) + 1, evict=False)
    except BaseException:
        await ending.take_back(exchange, note.id)
        raise
    return None if gone is None else note


async def retire(exchange: Exchange, token: Token) -> None:
    """Let the old remember cookie *token*, which came with a logout, be good no more, nor the login
    that it became.
    """
    for _ in range(asking.ATTEMPTS):
        notes = await _notes(exchange, token.user_id)
        used = _note_of(exchange, notes)
        if _is_revoked(token, notes) or (used is not None and used.method == _RETIRED):
            return
        if used is None:
            if await _note(exchange, token, notes, _RETIRED) is not None:
                return
        elif await _retire_used(exchange, used):
            return
    raise StoreUnavailable


async def _retire_used(exchange: Exchange, used: LoginSession) -> bool:
    """End what the cookie of the note *used* became; False if the note has changed meanwhile."""
    if not await asking.ask(
        exchange, "swap", used, replace(used, version=used.version + 1, method=_RETIRED)
    ):
        return False
    if used.agent:
        await ending.end(exchange, used.agent, Reason.LOGGED_OUT)
    return True


def _record(
    exchange: Exchange, user_id: UserId, method: str, digest: str, left: float
) -> LoginSession:
    now, name = exchange.manager.clock(), _name(exchange, user_id)
    return LoginSession(
        id=sessions.new_id_of(exchange, name),
        user_id=name,
        created=now,
        seen=now,
        expires=now + left,
        digest=digest,
        method=method,
    )


# --- to revoke -----------------------------------------------------------------------------------


async def end_user(
    exchange: Exchange, user_id: UserId, reason: Reason, *, but: SessionId | None = None
) -> Sequence[LoginSession]:
    """End all logins of the user *user_id* but one, also those that no store knows yet."""
    if exchange.setting("LOGIN_ADOPT_REMEMBER_COOKIES"):
        note = _record(exchange, user_id, _REVOKED, proofs.digest(""), lifetimes.FOR_EVER)
        # In the place of all notes: of what was issued before, it says enough.
        await asking.ask(exchange, "add", note, limit=1)
    gone: list[LoginSession] = []
    for name in asking.subjects_of(exchange, user_id):
        gone += await ending.end_all(exchange, name, reason, but=but)
    return gone
