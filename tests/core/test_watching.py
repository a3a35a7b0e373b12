"""How is a store asked which login sessions there are?"""

from __future__ import annotations

from typing import Any, Protocol

from core.paper import Paper

from quart_login._core.step import step
from quart_login._core.store import LoginSession, Store, WatchedStore
from quart_login._core.watching import lasting, listener_of
from quart_login.stores.memory import MemoryStore

NOW = 1_800_000_000.0


def login(id: str, **fields: Any) -> LoginSession:
    return LoginSession(id, "7", NOW, NOW, NOW + 100, "d", **fields)


def test_a_store_that_can_is_asked_once() -> None:
    asked = []

    class Watched(MemoryStore):
        async def alive(self, exchange: Any, ids: Any) -> dict[str, float]:
            asked.append(list(ids))
            return {"a": 1.0}

        def listener(self) -> Any:
            return "a listener"

    store: Any = Watched()
    assert isinstance(store, WatchedStore)
    assert step(lasting(Paper(), store, ["a", "b"])) == {"a": 1.0}
    assert asked == [["a", "b"]]
    assert listener_of(store) == "a listener"


def test_another_is_asked_for_each() -> None:
    class Plain:
        """A store that has what every store must have."""

        def __init__(self) -> None:
            store = MemoryStore()
            for name in set(dir(Store)) - set(dir(Protocol)):
                if not name.startswith("_"):
                    setattr(self, name, getattr(store, name))

    store: Any = Plain()
    assert isinstance(store, Store) and not isinstance(store, WatchedStore)
    for session in (login("a"), login("b", idle=5.0)):
        step(store.add(Paper(), session))
    assert step(lasting(Paper(), store, ["a", "b", "c"])) == {"a": NOW + 100, "b": NOW + 5}
    assert listener_of(store) is None
