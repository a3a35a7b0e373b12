from __future__ import annotations

from typing import Any, NoReturn

import pytest

from quart_login._core.step import step
from quart_login.stores._contract_kit import NOW, Kept, Steps, session
from quart_login.stores.memory import MemoryStore


class NeverWhole(dict[Any, Any]):
    """A dict that nobody may look through."""

    def refuse(self, *args: Any) -> NoReturn:
        raise AssertionError("somebody looks at all sessions")

    __iter__ = keys = values = items = refuse


def test_only_a_purge_looks_at_all_sessions() -> None:
    store = MemoryStore()
    kept = Kept(store, store, Steps())

    async def use() -> None:
        await kept.add(session(0, "8"))
        store._sessions = NeverWhole(store._sessions)
        store._ids = NeverWhole(store._ids)
        await kept.add(session(1), limit=1)
        assert len(await kept.add(session(2), limit=1)) == 1
        assert await kept.get(session(2).id) == session(2)
        await kept.touch(session(2).id, NOW + 9)
        assert await kept.ids() == [session(2).id]
        await kept.delete_user("7")
        await kept.delete(session(0).id)
        with pytest.raises(AssertionError, match="all sessions"):
            await kept.purge(NOW)

    step(use())


def test_nothing_is_left_of_whoever_logged_out() -> None:
    store = MemoryStore()
    kept = Kept(store, store, Steps())

    async def use() -> None:
        for number in range(3):
            await kept.add(session(number, f"user {number}", expires=NOW))
        await kept.delete(session(0).id)
        await kept.delete_user("user 1")
        await kept.purge(NOW + 1)

    step(use())
    assert (store._sessions, store._ids) == ({}, {})


def test_it_serves_both_shells() -> None:
    assert MemoryStore().is_async is False
