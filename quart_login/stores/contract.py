"""Does a store keep the rules of `Store`?

Whoever writes a store lets pytest run these tests on it; they need pytest and nothing else::

    from quart_login.stores.contract import StoreContract

    class TestMyStore(StoreContract):
        async def open(self) -> Store:
            return MyStore("localhost")

        async def close(self, store: Store) -> None:
            await store.disconnect()

Each test runs once for each of the *ways* in which the store may be used: ``"stepped"``, as Flask
does, without an event loop, many at once being threads; and ``"awaited"``, as Quart does, on
asyncio's, with plain functions in threads.  Set ``ways = ("awaited",)`` for a store that needs an
event loop, and ``shared = False`` for one that other processes, and other objects, do not see.
To be told what failed, say ``pytest.register_assert_rewrite("quart_login.stores.contract")`` in
``conftest.py``.

What fails may raise, but must not have happened: so where many write at once, the tests allow for
some that raise.
"""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import fields, replace
from functools import partial, wraps
from math import inf, nextafter
from typing import Any, ClassVar, Final, cast

import pytest

from .._core.errors import ConfigurationError
from .._core.watching import listener_of
from . import LoginSession, Store
from ._contract_kit import (
    DAY,
    HOUR,
    IDS,
    NOW,
    USER_IDS,
    Awaits,
    Kept,
    Steps,
    after,
    session,
    succeeded,
    whole,
)

#: How often a race is run.
ROUNDS: Final = 5


def rule(
    test: Callable[[Any, Kept], Coroutine[Any, Any, None]],
) -> Callable[[StoreContract, str], None]:
    """Let pytest run the coroutine function *test*, on a new store, in each way."""

    @wraps(test)
    def check(self: StoreContract, way: str) -> None:
        runner = self.make_way(way)
        runner.run(self.examine(runner, partial(test, self)))

    del check.__wrapped__  # so that pytest asks for `way` alone
    return check


class StoreContract:
    """The rules of `quart_login.stores.Store`, as tests: subclass it, and `open` one."""

    #: How the store may be used.
    ways: ClassVar[Sequence[str]] = ("stepped", "awaited")
    #: Do two stores that `open` returned keep the same sessions?
    shared: ClassVar[bool] = True

    @abstractmethod
    async def open(self) -> Store:
        """Return a store.  The first of a test is empty; a second sees what the first one does."""

    async def close(self, store: Store) -> None:
        """Give back what *store* has open."""

    def make_way(self, way: str) -> Steps | Awaits:
        """Return what runs a test in the *way* of that name."""
        return Steps() if way == "stepped" else Awaits()

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        if "way" in metafunc.fixturenames:
            metafunc.parametrize("way", cls.ways)

    async def examine(
        self, way: Steps | Awaits, test: Callable[[Kept], Coroutine[Any, Any, None]]
    ) -> None:
        store = await self.open()
        try:
            await Kept(store, store, way).check()
            other = await self.open() if self.shared else store
            try:
                await test(Kept(store, other, way))
            finally:
                if self.shared:
                    await self.close(other)
        finally:
            await self.close(store)

    # --- what comes back -------------------------------------------------------------------------

    @rule
    async def test_it_is_a_store(self, kept: Kept) -> None:
        assert isinstance(kept.store, Store)

    @rule
    async def test_a_new_store_works_when_it_is_checked_again(self, kept: Kept) -> None:
        try:
            assert await kept.check() is None
        except ConfigurationError as error:
            pytest.fail(f"a store that works says {error}")

    @rule
    async def test_a_session_comes_back_as_it_was(self, kept: Kept) -> None:
        for kind in (session(1), whole(2)):
            assert await kept.add(kind) == []
            assert await kept.get(kind.id) == kind

    @rule
    async def test_each_field_comes_back_with_its_type(self, kept: Kept) -> None:
        for kind in (session(1), whole(2)):
            await kept.add(kind)
            back = await kept.get(kind.id)
            for field in fields(LoginSession):
                name = field.name
                assert type(getattr(back, name)) is type(getattr(kind, name)), name

    @rule
    async def test_times_come_back_to_the_last_bit(self, kept: Kept) -> None:
        times = (
            0.0,
            0.1 + 0.2,
            1e-300,
            NOW + 0.1,
            nextafter(NOW, inf),
            2.0**53 + 2,
            253402300799.9,
        )
        for number, time in enumerate(times):
            one = session(number, created=time, seen=time, expires=time, idle=time, rotated=time)
            await kept.add(replace(one, fresh_since=time))
            assert await kept.get(one.id) == replace(one, fresh_since=time)
        assert len(await kept.list("7")) == len(times)

    @rule
    async def test_an_unknown_id_is_none(self, kept: Kept) -> None:
        await kept.add(session(1))
        assert await kept.get(session(2).id) is None

    @rule
    async def test_empty_texts_and_none_are_two_things(self, kept: Kept) -> None:
        empty = session(1, epoch="", remember="", former="", method="", agent="", address="")
        await kept.add(empty)
        await kept.add(session(2))
        assert (await kept.get(empty.id)).epoch == ""
        assert (await kept.get(session(2).id)).epoch is None

    @rule
    async def test_an_id_is_kept_once(self, kept: Kept) -> None:
        await kept.add(session(1))
        with pytest.raises(Exception):  # noqa: B017  # whatever the driver raises
            await kept.add(session(1, user_id="8"))
        assert await kept.get(session(1).id) == session(1)
        assert await kept.ids("8") == []

    # --- ids are data ----------------------------------------------------------------------------

    @rule
    async def test_no_user_id_means_anything(self, kept: Kept) -> None:
        sessions = [session(number, user_id) for number, user_id in enumerate(USER_IDS)]
        for one in sessions:
            await kept.add(one)
        for one in sessions:
            assert await kept.get(one.id) == one
            assert await kept.list(one.user_id) == [one], ascii(one.user_id)
        for number, one in enumerate(sessions):
            assert await kept.delete_user(one.user_id) == [one], ascii(one.user_id)
            assert await kept.list(one.user_id) == []
            for later in sessions[number + 1 : number + 3]:
                assert await kept.get(later.id) == later, ascii(one.user_id)

    @rule
    async def test_no_user_id_meets_anothers_limit(self, kept: Kept) -> None:
        for number, user_id in enumerate(USER_IDS):
            assert await kept.add(session(number, user_id), limit=1) == [], ascii(user_id)
        for number, user_id in enumerate(USER_IDS):
            assert await kept.ids(user_id) == [session(number).id], ascii(user_id)

    @rule
    async def test_no_session_id_means_anything(self, kept: Kept) -> None:
        sessions = [session(number, id=id) for number, id in enumerate(IDS)]
        for id in IDS:
            assert await kept.get(id) is None
        for one in sessions:
            await kept.add(one)
        for one in sessions:
            assert await kept.get(one.id) == one
            await kept.touch(one.id, one.seen + HOUR)
            assert await kept.swap(one, after(one, seen=one.seen + HOUR))
        assert len(await kept.delete_user("7", but=IDS[0])) == len(IDS) - 1
        assert await kept.ids() == [IDS[0]]

    @rule
    async def test_deleting_an_id_ends_that_one_alone(self, kept: Kept) -> None:
        for number, id in enumerate(IDS):
            await kept.add(session(number, id=id))
        for number, id in enumerate(IDS):
            assert (await kept.delete(id)).id == id
            assert len(await kept.list("7")) == len(IDS) - number - 1

    @rule
    async def test_a_text_with_a_nul_is_kept_whole_or_refused(self, kept: Kept) -> None:
        await kept.add(session(1, "7"))
        odd = session(2, "7\x00admin")
        try:
            await kept.add(odd)
        except Exception:
            assert await kept.get(odd.id) is None
        else:
            assert await kept.get(odd.id) == odd
            assert await kept.delete_user("7\x00admin") == [odd]
        assert await kept.list("7") == [session(1, "7")]

    @rule
    async def test_a_text_with_half_a_character_is_kept_whole_or_refused(self, kept: Kept) -> None:
        odd = session(1, "7\ud800")
        try:
            await kept.add(odd)
        except Exception:
            assert await kept.get(odd.id) is None
        else:
            assert await kept.get(odd.id) == odd
        assert await kept.list("7") == []

    # --- swap ------------------------------------------------------------------------------------

    @rule
    async def test_a_swap_replaces_everything(self, kept: Kept) -> None:
        old, full = session(1), whole(1)
        await kept.add(old)
        new = replace(full, version=1, seen=old.seen + 1, created=NOW - 5, expires=NOW + DAY)
        assert await kept.swap(old, new) is True
        assert await kept.get(old.id) == new
        back = after(new, idle=None, remember=None, former=None, epoch=None, rotated=None)
        assert await kept.swap(new, back) is True
        assert await kept.get(old.id) == back

    @rule
    async def test_a_swap_of_what_is_there_no_more_does_nothing(self, kept: Kept) -> None:
        old = session(1)
        await kept.add(old)
        first, second = after(old, method="first"), after(old, method="second")
        assert await kept.swap(old, first) is True
        assert await kept.swap(old, second) is False
        assert await kept.get(old.id) == first

    @rule
    async def test_a_swap_does_not_go_back(self, kept: Kept) -> None:
        first = session(1)
        await kept.add(first)
        second = after(first, remember="2" * 64)
        third = after(second, remember="3" * 64)
        assert await kept.swap(first, second)
        assert await kept.swap(second, third)
        for late in (after(first, method="late"), after(second, method="late")):
            assert not await kept.swap(replace(late, version=late.version - 1), late)
        assert await kept.get(first.id) == third

    @rule
    async def test_a_swap_of_nothing_keeps_nothing(self, kept: Kept) -> None:
        old = session(1)
        assert await kept.swap(old, after(old)) is False
        assert await kept.get(old.id) is None
        assert await kept.list("7") == []

    @rule
    async def test_a_swap_does_not_bring_back_what_was_deleted(self, kept: Kept) -> None:
        ends = (
            partial(kept.delete, session(1).id),
            partial(kept.delete_user, "7"),
            partial(kept.purge, session(1).expires + 1),
        )
        for end in ends:
            await kept.add(session(1))
            await end()
            assert await kept.swap(session(1), after(session(1))) is False
            assert await kept.get(session(1).id) is None
            assert await kept.list("7") == []

    @rule
    async def test_a_swap_keeps_the_later_sight(self, kept: Kept) -> None:
        old = session(1)
        await kept.add(old)
        await kept.touch(old.id, old.seen + 100)
        new = after(old, seen=old.seen + 50)
        assert await kept.swap(old, new) is True
        assert await kept.get(old.id) == replace(new, seen=old.seen + 100)
        newer = after(new, seen=old.seen + 200)
        assert await kept.swap(new, newer) is True
        assert await kept.get(old.id) == newer

    # --- touch -----------------------------------------------------------------------------------

    @rule
    async def test_a_touch_moves_the_last_sight_and_nothing_else(self, kept: Kept) -> None:
        for one in (session(1), whole(2)):
            await kept.add(one)
            assert await kept.touch(one.id, one.seen + 0.5) is None
            assert await kept.get(one.id) == replace(one, seen=one.seen + 0.5)

    @rule
    async def test_a_touch_never_goes_back(self, kept: Kept) -> None:
        await kept.add(session(1))
        for seen in (NOW + 100, NOW + 99, NOW + 100, NOW - DAY):
            await kept.touch(session(1).id, seen)
        assert (await kept.get(session(1).id)).seen == NOW + 100

    @rule
    async def test_a_touch_brings_nothing_to_life(self, kept: Kept) -> None:
        await kept.add(session(1))
        await kept.add(session(2))
        await kept.delete(session(1).id)
        for gone in (session(1), session(3)):
            await kept.touch(gone.id, NOW + HOUR)
            assert await kept.get(gone.id) is None
        assert await kept.list("7") == [session(2)]

    # --- delete ----------------------------------------------------------------------------------

    @rule
    async def test_a_deleted_session_is_gone_and_returned_once(self, kept: Kept) -> None:
        await kept.add(whole(1))
        await kept.add(session(2))
        assert await kept.delete(whole(1).id) == whole(1)
        assert await kept.get(whole(1).id) is None
        assert await kept.list("7") == [session(2)]
        assert await kept.delete(whole(1).id) is None

    @rule
    async def test_what_is_deleted_is_returned_as_it_was_last(self, kept: Kept) -> None:
        await kept.add(session(1))
        await kept.touch(session(1).id, NOW + 500)
        assert await kept.delete(session(1).id) == session(1, seen=NOW + 500)

    @rule
    async def test_a_users_sessions_end_and_nobody_elses(self, kept: Kept) -> None:
        mine = [session(number) for number in range(3)]
        for one in (*mine, session(9, "8")):
            await kept.add(one)
        gone = await kept.delete_user("7")
        assert sorted(gone, key=lambda one: one.id) == mine
        assert await kept.list("7") == []
        assert [await kept.get(one.id) for one in mine] == [None] * 3
        assert await kept.list("8") == [session(9, "8")]
        assert await kept.delete_user("7") == []

    @rule
    async def test_a_users_other_sessions_end(self, kept: Kept) -> None:
        for number in range(3):
            await kept.add(session(number))
        gone = await kept.delete_user("7", but=session(1).id)
        assert sorted(one.id for one in gone) == [session(0).id, session(2).id]
        assert await kept.list("7") == [session(1)]

    @rule
    async def test_the_exception_is_not_another_users(self, kept: Kept) -> None:
        await kept.add(session(1, "7"))
        await kept.add(session(2, "8"))
        assert await kept.delete_user("7", but=session(2).id) == [session(1, "7")]
        assert await kept.list("8") == [session(2, "8")]

    @rule
    async def test_an_id_may_be_kept_again_once_it_was_deleted(self, kept: Kept) -> None:
        await kept.add(whole(1))
        await kept.delete(whole(1).id)
        await kept.add(session(1))
        assert await kept.get(session(1).id) == session(1)

    # --- list ------------------------------------------------------------------------------------

    @rule
    async def test_the_last_seen_comes_first(self, kept: Kept) -> None:
        for number, seen in enumerate((5, 1, 9, 3)):
            await kept.add(session(number, seen=NOW + seen))
        await kept.touch(session(1).id, NOW + 7)
        assert await kept.ids() == [session(number).id for number in (2, 1, 0, 3)]

    @rule
    async def test_a_list_has_what_is_over(self, kept: Kept) -> None:
        await kept.add(session(1, expires=NOW - DAY))
        await kept.add(session(2, idle=1.0, seen=NOW - DAY))
        assert await kept.ids() == [session(1).id, session(2).id]

    @rule
    async def test_nobody_has_no_sessions(self, kept: Kept) -> None:
        assert list(await kept.list("nobody")) == []

    # --- a limit ---------------------------------------------------------------------------------

    @rule
    async def test_the_longest_unseen_makes_room(self, kept: Kept) -> None:
        for number in range(3):
            assert await kept.add(session(number), limit=3) == []
        await kept.touch(session(0).id, NOW + 100)
        assert await kept.add(session(3), limit=3) == [session(1)]
        assert await kept.get(session(1).id) is None
        assert await kept.ids() == [session(number).id for number in (0, 3, 2)]

    @rule
    async def test_or_there_is_no_room(self, kept: Kept) -> None:
        assert await kept.add(session(0), limit=1, evict=False) == []
        assert await kept.add(session(1), limit=1, evict=False) is None
        assert await kept.get(session(1).id) is None
        assert await kept.ids() == [session(0).id]

    @rule
    async def test_a_lower_limit_ends_several(self, kept: Kept) -> None:
        for number in range(5):
            await kept.add(session(number))
        gone = await kept.add(session(5), limit=2)
        assert sorted(one.id for one in gone) == [session(number).id for number in range(4)]
        assert await kept.ids() == [session(5).id, session(4).id]

    @rule
    async def test_what_is_over_does_not_count(self, kept: Kept) -> None:
        await kept.add(session(0, expires=NOW + 9))
        await kept.add(session(1, idle=5.0, seen=NOW + 1))
        assert await kept.add(session(10), limit=1, evict=False) == []
        assert await kept.add(session(11), limit=1, evict=False) is None

    @rule
    async def test_what_is_at_its_very_limit_counts(self, kept: Kept) -> None:
        for number, last in enumerate((session(0, expires=NOW + 50), session(0, idle=50.0))):
            await kept.add(replace(last, user_id=f"user {number}", id=f"{number:022d}"))
            late = session(50 + number, f"user {number}", created=NOW + 50)
            assert await kept.add(late, limit=1, evict=False) is None

    @rule
    async def test_a_limit_is_each_users_own(self, kept: Kept) -> None:
        for number in range(3):
            assert await kept.add(session(number, f"user {number}"), limit=1) == []

    @rule
    async def test_what_makes_room_is_returned_as_it_was(self, kept: Kept) -> None:
        await kept.add(whole(0))
        assert await kept.add(session(1), limit=1) == [whole(0)]

    @rule
    async def test_an_id_that_is_taken_ends_nobodys_session(self, kept: Kept) -> None:
        await kept.add(session(0))
        await kept.add(session(1, "8"))
        with pytest.raises(Exception):  # noqa: B017  # whatever the driver raises
            await kept.add(session(1), limit=1)
        assert await kept.list("7") == [session(0)]
        assert await kept.list("8") == [session(1, "8")]

    # --- purge -----------------------------------------------------------------------------------

    @rule
    async def test_what_is_over_is_removed(self, kept: Kept) -> None:
        await kept.add(session(0, expires=NOW))
        await kept.add(session(1, idle=HOUR, seen=NOW))
        await kept.add(session(2, idle=HOUR, seen=NOW + 1))
        await kept.add(session(3))
        assert await kept.purge(nextafter(NOW + HOUR, inf)) == 2
        assert await kept.ids() == [session(3).id, session(2).id]
        assert await kept.get(session(0).id) is None

    @rule
    async def test_nothing_is_removed_at_its_very_limit(self, kept: Kept) -> None:
        await kept.add(session(0, expires=NOW))
        await kept.add(session(1, seen=NOW - 0.1, idle=0.1))
        assert await kept.purge(NOW) == 0
        assert await kept.purge(nextafter(NOW, inf)) == 2
        assert await kept.list("7") == []

    @rule
    async def test_a_purge_knows_of_later_sights(self, kept: Kept) -> None:
        one = session(0, idle=HOUR)
        await kept.add(one)
        for hours in range(1, 5):
            await kept.touch(one.id, NOW + hours * HOUR)
            assert await kept.purge(NOW + hours * HOUR + 1) == 0
        assert await kept.purge(NOW + 5 * HOUR) == 0
        assert await kept.purge(NOW + 5 * HOUR + 1) == 1

    @rule
    async def test_a_later_sight_does_not_shorten_a_session(self, kept: Kept) -> None:
        await kept.add(session(0, idle=10.0, expires=NOW + 20))
        await kept.touch(session(0).id, NOW + 15)
        assert await kept.purge(NOW + 20) == 0
        assert await kept.purge(nextafter(NOW + 20, inf)) == 1

    @rule
    async def test_a_purge_knows_of_swaps(self, kept: Kept) -> None:
        longer, shorter = session(0, expires=NOW + 10), session(1, expires=NOW + DAY)
        for one, end in ((longer, NOW + DAY), (shorter, NOW + 10)):
            await kept.add(one)
            assert await kept.swap(one, after(one, expires=end))
        assert await kept.purge(NOW + 11) == 1
        assert await kept.ids() == [longer.id]

    @rule
    async def test_a_purge_of_many_removes_all(self, kept: Kept) -> None:
        for number in range(601):
            await kept.add(session(number, f"user {number % 7}", expires=NOW + number))
        assert await kept.purge(NOW + 570) == 570
        assert await kept.purge(NOW + 570) == 0
        left = [id for user in range(7) for id in await kept.ids(f"user {user}")]
        assert sorted(left) == [session(number).id for number in range(570, 601)]

    @rule
    async def test_an_empty_store_has_nothing_to_purge(self, kept: Kept) -> None:
        assert await kept.purge(NOW) == 0

    # --- for open sockets ------------------------------------------------------------------------

    @rule
    async def test_it_says_which_sessions_there_are_and_until_when(self, kept: Kept) -> None:
        await kept.add(session(1))
        await kept.add(session(2, idle=HOUR))
        await kept.add(session(3, idle=HOUR, expires=NOW + 60))
        await kept.add(session(4))
        await kept.delete(session(4).id)
        ends = await kept.lasting(*(session(number).id for number in range(6)))
        assert ends == {
            session(1).id: NOW + 30 * DAY,
            session(2).id: NOW + 2 + HOUR,
            session(3).id: NOW + 60,
        }
        assert await kept.lasting() == {}

    @rule
    async def test_it_says_so_of_what_is_over_by_time(self, kept: Kept) -> None:
        await kept.add(session(1, expires=NOW - HOUR))
        await kept.add(session(2, idle=1.0))
        ends = await kept.lasting(session(1).id, session(2).id)
        assert ends == {session(1).id: NOW - HOUR, session(2).id: NOW + 3}

    @rule
    async def test_a_session_that_was_seen_or_replaced_lasts_longer(self, kept: Kept) -> None:
        one, other = session(1, idle=HOUR), session(2)
        await kept.add(one)
        await kept.add(other)
        await kept.touch(one.id, NOW + 60)
        await kept.swap(other, after(other, expires=NOW + 9))
        assert await kept.lasting(one.id, other.id) == {one.id: NOW + 60 + HOUR, other.id: NOW + 9}

    @rule
    async def test_it_says_so_of_many_and_of_each_id_as_data(self, kept: Kept) -> None:
        for number, id in enumerate(IDS):
            await kept.add(session(number, id=id))
        for number in range(601):
            await kept.add(session(1000 + number, f"user {number % 7}"))
        ids = [*IDS, *(session(1000 + number).id for number in range(601)), "nobody"]
        assert (await kept.lasting(*ids)).keys() == {*ids} - {"nobody"}
        assert (await kept.lasting(IDS[0])).keys() == {IDS[0]}

    @rule
    async def test_what_ends_is_heard_elsewhere(self, kept: Kept) -> None:
        there, here = kept.elsewhere(), cast(Any, kept.way.exchange)
        listener = listener_of(there.store)
        if listener is None:
            return  # Nobody says so; who has sockets open asks.
        for number in range(6):
            await kept.add(session(number, f"user {number // 3}"))
        try:
            await listener.begin(here)
            await kept.delete(session(0).id)
            assert await self.heard(listener, here, 1) == {session(0).id}
            await kept.delete_user("user 1", but=session(4).id)
            assert await self.heard(listener, here, 2) == {session(3).id, session(5).id}
            await kept.add(session(10, "user 0"), limit=1)
            assert await self.heard(listener, here, 2) == {session(1).id, session(2).id}
            # Nothing else is told.
            await kept.touch(session(4).id, NOW + 60)
            await kept.delete(session(0).id)
            await kept.delete_user("user 2")
            assert not await listener.hear(here, 0.05)
            await listener.begin(here)
            await kept.delete(session(4).id)
            assert await self.heard(listener, here, 1) == {session(4).id}
        finally:
            await listener.end(here)
            await listener.end(here)

    async def heard(self, listener: Any, exchange: Any, count: int) -> set[str]:
        """Return the ids that *listener* hears, *count* at least, within some seconds."""
        ids: set[str] = set()
        for _ in range(10):
            ids.update(await listener.hear(exchange, 1.0) or ())
            if len(ids) >= count:
                break
        return ids

    # --- for every process -----------------------------------------------------------------------

    @rule
    async def test_what_one_did_every_other_sees(self, kept: Kept) -> None:
        there = kept.elsewhere()
        await kept.add(session(1))
        assert await there.get(session(1).id) == session(1)
        await there.touch(session(1).id, NOW + 50)
        assert (await kept.get(session(1).id)).seen == NOW + 50
        changed = after(session(1), seen=NOW + 60)
        assert await kept.swap(session(1), changed)
        assert not await there.swap(session(1), after(session(1), method="late"))
        assert await there.delete(session(1).id) == changed
        assert await kept.get(session(1).id) is None
        assert await kept.list("7") == []

    @rule
    async def test_every_end_is_seen_at_once_elsewhere(self, kept: Kept) -> None:
        there = kept.elsewhere()
        for number in range(20):
            one = session(number)
            await kept.add(one)
            assert await there.get(one.id) == one
            await (kept.delete_user("7") if number % 2 else kept.delete(one.id))
            assert await there.get(one.id) is None

    # --- many at once ----------------------------------------------------------------------------

    @rule
    async def test_of_swaps_at_once_one_succeeds(self, kept: Kept) -> None:
        for number in range(ROUNDS):
            old = session(number)
            await kept.add(old)
            tries = [after(old, method=f"try {n}") for n in range(8)]
            results = await kept.at_once(*(partial(kept.swap, old, new) for new in tries))
            [winner] = succeeded(results)
            assert await kept.get(old.id) == tries[winner]

    @rule
    async def test_of_swaps_elsewhere_one_succeeds(self, kept: Kept) -> None:
        there = kept.elsewhere()
        for number in range(ROUNDS):
            old = session(number)
            await kept.add(old)
            tries = [after(old, method=f"try {n}") for n in range(6)]
            swaps = [partial((kept, there)[n % 2].swap, old, new) for n, new in enumerate(tries)]
            [winner] = succeeded(await kept.at_once(*swaps))
            assert await there.get(old.id) == tries[winner]

    @rule
    async def test_logins_at_once_keep_to_the_limit(self, kept: Kept) -> None:
        there = kept.elsewhere()
        for number in range(ROUNDS):
            user_id = f"user {number}"
            logins = [session(10 * number + n, user_id, created=NOW) for n in range(8)]
            adds = [partial((kept, there)[n % 2].add, one, limit=3) for n, one in enumerate(logins)]
            results = await kept.at_once(*adds)
            done = [n for n, result in enumerate(results) if not isinstance(result, Exception)]
            ended = [one.id for n in done for one in results[n]]
            left = await kept.ids(user_id)
            assert len(left) == min(3, len(done))
            assert sorted([*left, *ended]) == sorted(logins[n].id for n in done)

    @rule
    async def test_logins_at_once_find_room_or_none(self, kept: Kept) -> None:
        for number in range(ROUNDS):
            user_id = f"user {number}"
            logins = [session(10 * number + n, user_id, created=NOW) for n in range(8)]
            results = await kept.at_once(
                *(partial(kept.add, one, limit=2, evict=False) for one in logins)
            )
            entered = [n for n, result in enumerate(results) if isinstance(result, list)]
            assert 1 <= len(entered) <= 2
            assert sorted(await kept.ids(user_id)) == [logins[n].id for n in entered]
            refused = len(succeeded(results, None))
            assert refused == 0 or len(entered) == 2

    @rule
    async def test_a_deletion_beats_whatever_happens_at_once(self, kept: Kept) -> None:
        there = kept.elsewhere()
        for number in range(2 * ROUNDS):
            one = session(number)
            await kept.add(one)
            end = partial(there.delete, one.id)
            if number % 2:
                end = partial(there.delete_user, "7")
            results = await kept.at_once(
                partial(kept.swap, one, after(one)),
                partial(kept.touch, one.id, one.seen + 60),
                end,
                partial(kept.swap, one, after(one, method="second")),
                partial(kept.touch, one.id, one.seen + 90),
            )
            if isinstance(results[2], Exception):
                await end()
            assert await kept.get(one.id) is None
            assert await kept.list("7") == []
            await kept.touch(one.id, one.seen + 99)
            assert await kept.get(one.id) is None

    @rule
    async def test_of_deletions_at_once_one_has_the_session(self, kept: Kept) -> None:
        for number in range(ROUNDS):
            one = session(number)
            await kept.add(one)
            results = await kept.at_once(*[partial(kept.delete, one.id)] * 6)
            assert [result for result in results if isinstance(result, LoginSession)] == [one]

    @rule
    async def test_a_users_end_and_logins_at_once_lose_nothing(self, kept: Kept) -> None:
        there = kept.elsewhere()
        for number in range(ROUNDS):
            user_id = f"user {number}"
            logins = [session(10 * number + n, user_id) for n in range(6)]
            results = await kept.at_once(
                *(partial(kept.add, one) for one in logins[:3]),
                partial(there.delete_user, user_id),
                *(partial(kept.add, one, limit=9) for one in logins[3:]),
            )
            ended = results.pop(3)
            ids = [] if isinstance(ended, Exception) else [one.id for one in ended]
            added = [n for n, result in enumerate(results) if not isinstance(result, Exception)]
            assert sorted([*ids, *await kept.ids(user_id)]) == [logins[n].id for n in added]
            await there.delete_user(user_id)
            assert await kept.list(user_id) == []

    @rule
    async def test_of_touches_at_once_the_latest_stays(self, kept: Kept) -> None:
        for number in range(ROUNDS):
            one = session(number)
            await kept.add(one)
            times = [one.seen + later for later in (3, 8, 1, 6, 7, 2)]
            results = await kept.at_once(*(partial(kept.touch, one.id, time) for time in times))
            noted = [time for time, result in zip(times, results, strict=True) if result is None]
            assert await kept.get(one.id) == replace(one, seen=max(noted))

    @rule
    async def test_a_swap_and_touches_at_once_lose_nothing(self, kept: Kept) -> None:
        for number in range(ROUNDS):
            one = session(number)
            await kept.add(one)
            new = after(one, remember="n" * 64)
            results = await kept.at_once(
                partial(kept.touch, one.id, one.seen + 5),
                partial(kept.swap, one, new),
                partial(kept.touch, one.id, one.seen + 9),
            )
            assert results == [None, True, None]
            assert await kept.get(one.id) == replace(new, seen=one.seen + 9)

    @rule
    async def test_purges_at_once_remove_each_session_once(self, kept: Kept) -> None:
        for number in range(40):
            await kept.add(session(number, expires=NOW + number))
        results = await kept.at_once(
            *(partial(there.purge, NOW + 100) for there in (kept, kept.elsewhere(), kept))
        )
        assert sum(result for result in results if isinstance(result, int)) == 40
        assert await kept.list("7") == []

    # --- secrets ---------------------------------------------------------------------------------

    @rule
    async def test_no_digest_is_in_a_repr_or_an_error(self, kept: Kept) -> None:
        secret = replace(
            whole(1), digest="5ec4e7" * 10, remember="5ec4e8" * 10, epoch="5ec4e9" * 10
        )
        await kept.add(secret)
        try:
            await kept.add(secret)
        except Exception as error:
            said = "".join(traceback.format_exception(error)) + repr(error)
        else:
            said = "nothing"
        assert "5ec4e" not in said + repr(kept.store) + str(kept.store) + repr(secret)


__all__ = ["StoreContract"]
