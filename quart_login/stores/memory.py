"""Where are login sessions kept while one process runs?

For tests, and for an application that is one process and may forget everybody when it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from .._core.held import due
from . import LoginSession, SessionId
from ._rows import check_succession, is_over, last_seen_first, make_room, row_of

if TYPE_CHECKING:
    from .._core.exchange import Exchange


class MemoryStore:
    """Keeps login sessions in this process.

    Each method is as quick for a million sessions as for ten, but `purge`, which looks at all.
    Nothing here waits, and threads may share it.  Another process has a store of its own: behind a
    server with several, use another store.
    """

    #: Does it need an event loop?
    is_async: ClassVar[bool] = False
    #: Has each process one of its own?
    is_private: ClassVar[bool] = True

    def __init__(self) -> None:
        # Nobody waits while he holds it.
        self._lock = Lock()
        self._sessions: dict[SessionId, LoginSession] = {}
        self._ids: dict[str, set[SessionId]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._sessions)}>"

    async def get(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        return self._sessions.get(id)

    async def add(
        self,
        exchange: Exchange,
        session: LoginSession,
        *,
        limit: int | None = None,
        evict: bool = True,
    ) -> Sequence[LoginSession] | None:
        row_of(session)
        with self._lock:
            if session.id in self._sessions:
                raise ValueError("there is a login session of this id")
            gone: Sequence[LoginSession] | None = ()
            if limit is not None:
                gone = make_room(self._of(session.user_id), session.created, limit, evict)
            if gone is None:
                return None
            for one in gone:
                self._remove(one)
            self._sessions[session.id] = session
            self._ids.setdefault(session.user_id, set()).add(session.id)
            return gone

    async def swap(self, exchange: Exchange, old: LoginSession, new: LoginSession) -> bool:
        check_succession(old, new)
        row_of(new)
        with self._lock:
            present = self._sessions.get(old.id)
            if present is None or present.version != old.version:
                return False
            self._sessions[old.id] = replace(new, seen=max(new.seen, present.seen))
            return True

    async def touch(self, exchange: Exchange, id: SessionId, seen: float) -> None:
        with self._lock:
            present = self._sessions.get(id)
            if present is not None and present.seen < seen:
                self._sessions[id] = replace(present, seen=seen)

    async def delete(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        with self._lock:
            present = self._sessions.get(id)
            if present is not None:
                self._remove(present)
            return present

    async def delete_user(
        self, exchange: Exchange, user_id: str, *, but: SessionId | None = None
    ) -> Sequence[LoginSession]:
        with self._lock:
            gone = [one for one in self._of(user_id) if one.id != but]
            for one in gone:
                self._remove(one)
            return gone

    async def list(self, exchange: Exchange, user_id: str) -> Sequence[LoginSession]:
        with self._lock:
            return self._of(user_id)

    async def alive(
        self, exchange: Exchange, ids: Collection[SessionId]
    ) -> Mapping[SessionId, float]:
        found = ((id, self._sessions.get(id)) for id in ids)
        return {id: due(session) for id, session in found if session is not None}

    async def purge(self, exchange: Exchange, now: float) -> int:
        with self._lock:
            ids = tuple(self._sessions)
        # One at a time, so that no request waits for all.
        return sum(self._purge_one(id, now) for id in ids)

    async def check(self, exchange: Exchange) -> None:
        pass

    def _purge_one(self, id: SessionId, now: float) -> bool:
        with self._lock:
            present = self._sessions.get(id)
            if present is None or not is_over(present, now):
                return False
            self._remove(present)
            return True

    def _of(self, user_id: str) -> Sequence[LoginSession]:
        return last_seen_first(self._sessions[id] for id in self._ids.get(user_id, ()))

    def _remove(self, session: LoginSession) -> None:
        del self._sessions[session.id]
        ids = self._ids[session.user_id]
        ids.remove(session.id)
        if not ids:
            del self._ids[session.user_id]


__all__ = ["MemoryStore"]
