"""What is open, of which login sessions, and when is it time to look for those?"""

from __future__ import annotations

import errno
import gc
from dataclasses import replace
from typing import Any

from quart_login._core.held import EVERY, GRACE, Held, Holding, LoginEnded, due
from quart_login._core.store import LoginSession

NOW = 1_800_000_000.0


class Owner:
    """What a `Held` is open for."""

    __hash__ = None  # type: ignore[assignment]  # Nothing asks for it.


def login(id: str = "a", **fields: Any) -> LoginSession:
    given = {"created": NOW, "seen": NOW, "expires": NOW + 100, "digest": "d", **fields}
    return LoginSession(id=id, user_id="7", **given)


def hold(holding: Holding, owner: Owner, session: LoginSession) -> Held:
    held = Held(owner, holding.forget)
    holding.enter(held, session)
    return held


def looked(holding: Holding, moment: float = 0.0, **ends: float) -> list[str]:
    """Look for all now, and find those sessions with these *ends*."""
    holding.look_at_all()
    ids = holding.whom(moment, NOW, told=False)
    return holding.saw(ids, ends, moment, NOW)


def test_a_session_is_due_at_the_first_of_its_ends() -> None:
    assert due(login()) == NOW + 100
    assert due(login(idle=50.0)) == NOW + 50
    assert due(login(idle=50.0, seen=NOW + 80)) == NOW + 100


def test_what_is_open_is_found_by_its_session() -> None:
    holding, owners = Holding(), [Owner() for _ in range(5)]
    assert not holding
    held = [hold(holding, owner, login(id)) for owner, id in zip(owners, "aabca", strict=True)]
    assert len(holding) == 3 and sorted(holding.ids()) == ["a", "b", "c"]
    assert set(holding.take(["a", "nobody"])) == {held[0], held[1], held[4]}
    assert holding.take(["a"]) == []
    assert holding.take(["b", "c"]) == held[2:4]
    assert not holding


def test_what_ended_is_forgotten() -> None:
    holding, owners = Holding(), [Owner() for _ in range(4)]
    held = [hold(holding, owner, login(id)) for owner, id in zip(owners, "aaab", strict=True)]
    holding.leave(held[0])
    holding.leave(held[0])
    assert set(holding.take(["a"])) == {held[1], held[2]}
    holding.leave(held[1])
    holding.leave(held[3])
    assert not holding


def test_of_several_of_a_session_the_last_to_end_leaves_nothing() -> None:
    holding, owners = Holding(), [Owner(), Owner()]
    for held in [hold(holding, owner, login()) for owner in owners]:
        assert holding
        holding.leave(held)
    assert not holding


def test_what_is_gone_is_forgotten_and_nothing_is_kept_alive() -> None:
    holding, owners = Holding(), [Owner(), Owner(), Owner()]
    for owner, id in zip(owners, "aab", strict=True):
        hold(holding, owner, login(id))
    del owner
    owners.pop()
    gc.collect()
    assert holding.ids() == ["a"]
    owners.clear()
    gc.collect()
    assert not holding


def test_to_a_server_it_is_a_line_that_was_cut() -> None:
    error = LoginEnded()
    assert isinstance(error, ConnectionResetError) and error.errno == errno.ECONNRESET


def test_nothing_says_good_bye_by_itself() -> None:
    owner = Owner()
    assert hold(Holding(), owner, login()).shut() is None


# --- when to look --------------------------------------------------------------------------------


def test_what_is_new_is_looked_for_at_once_and_then_no_more() -> None:
    holding, one, other = Holding(), Owner(), Owner()
    hold(holding, one, login("a"))
    assert looked(holding, a=NOW + 100) == []
    held = hold(holding, other, login("b"))
    assert set(holding.whom(0.1, NOW, told=True)) == {"b"}
    assert holding.saw({"b"}, {"b": NOW + 100}, 0.1, NOW) == []
    assert not holding.whom(0.2, NOW, told=True)
    hold(holding, one, login("c"))
    hold(holding, other, login("d"))
    holding.take("d")
    assert set(holding.whom(0.3, NOW, told=True)) == {"c"}
    assert held.ends == NOW + 100


def test_what_comes_in_during_a_look_is_new_to_the_next() -> None:
    holding, owner = Holding(), Owner()
    hold(holding, owner, login("a"))
    ids = holding.whom(0.0, NOW, told=True)
    again = hold(holding, owner, login("a"))
    assert holding.saw(ids, {"a": NOW + 100}, 0.0, NOW) == []
    assert set(holding.whom(0.1, NOW, told=True)) == {"a"}
    assert again in holding.take("a")


def test_all_is_looked_for_within_a_second_or_more_slowly_where_messages_come() -> None:
    assert EVERY < 1
    for told, seconds in ((False, EVERY), (True, 15.0)):
        holding, owner = Holding(), Owner()
        hold(holding, owner, login())
        assert looked(holding, 0.0, a=NOW + 100) == []
        assert not holding.whom(seconds - 0.01, NOW, told=told)
        assert holding.whom(seconds, NOW, told=told) == ["a"]


def test_after_a_connection_was_lost_all_is_looked_for() -> None:
    holding, owner = Holding(), Owner()
    hold(holding, owner, login())
    assert looked(holding, a=NOW + 100) == []
    assert not holding.whom(0.5, NOW, told=True)
    holding.look_at_all()
    assert holding.whom(0.5, NOW, told=True) == ["a"]


def test_a_session_past_its_end_is_looked_for_and_that_alone() -> None:
    holding, owners = Holding(), [Owner(), Owner(), Owner()]
    for owner, session in zip(
        owners, (login("a", idle=10.0), login("b"), login("c", expires=NOW + 20)), strict=True
    ):
        hold(holding, owner, session)
    assert looked(holding, a=NOW + 10, b=NOW + 100, c=NOW + 20) == []
    assert not holding.whom(0.1, NOW + 10, told=True)  # at that very time it is not over
    assert set(holding.whom(0.1, NOW + 10.1, told=True)) == {"a"}
    # A request was seen meanwhile.
    assert holding.saw({"a"}, {"a": NOW + 15}, 0.1, NOW + 10.1) == []
    assert not holding.whom(0.2, NOW + 12, told=True)
    assert set(holding.whom(0.3, NOW + 21, told=True)) == {"a", "c"}


def test_a_session_past_the_last_of_its_ends_needs_no_look() -> None:
    holding, owners = Holding(), [Owner(), Owner(), Owner()]
    for owner, session in zip(
        owners, (login("a", idle=10.0), login("b"), login("c", expires=NOW + 20)), strict=True
    ):
        hold(holding, owner, session)
    assert holding.past(NOW + 10) == set()
    assert holding.past(NOW + 11) == set()  # A request may have been seen elsewhere.
    assert holding.past(NOW + 20) == set()
    assert holding.past(NOW + 20.1) == {"c"}
    assert holding.past(NOW + 101) == {"a", "b", "c"}


def test_what_is_gone_or_over_has_ended() -> None:
    holding, owners = Holding(), [Owner() for _ in range(4)]
    for owner, id in zip(owners, "abcd", strict=True):
        hold(holding, owner, login(id))
    ids = holding.whom(0.0, NOW, told=False)
    lasting = {"a": NOW, "b": NOW - 0.1, "c": NOW + 100}
    assert sorted(holding.saw(ids, lasting, 0.0, NOW)) == ["b", "d"]


def test_a_session_that_was_made_shorter_is_over_earlier() -> None:
    holding, owner = Holding(), Owner()
    hold(holding, owner, login())
    assert looked(holding, a=NOW + 5) == []
    assert set(holding.whom(0.1, NOW + 6, told=True)) == {"a"}


def test_where_the_store_fails_all_is_looked_for_until_it_answers() -> None:
    holding, owner = Holding(), Owner()
    hold(holding, owner, login())
    assert looked(holding, a=NOW + 100) == []
    assert holding.failed(10.0) is True
    assert holding.failed(11.0) is False
    assert holding.whom(11.1, NOW, told=True) == ["a"]
    assert not holding.has_failed_for_long(10.0 + GRACE)
    assert holding.has_failed_for_long(10.1 + GRACE)
    assert holding.saw(["a"], {"a": NOW + 100}, 12.0, NOW) == []
    assert not holding.has_failed_for_long(1000.0)
    assert not holding.whom(12.1, NOW, told=True)
    assert holding.failed(13.0) is True


def test_a_look_sees_the_time_of_each_socket() -> None:
    holding, one, other = Holding(), Owner(), Owner()
    first = hold(holding, one, login(idle=10.0))
    second = hold(holding, other, replace(login(idle=10.0), seen=NOW + 5))
    assert (first.ends, second.ends) == (NOW + 10, NOW + 15)
    assert looked(holding, a=NOW + 15) == []
    assert first.ends == second.ends == NOW + 15


def test_from_the_first_look_on_it_is_known_when_all_was_looked_for() -> None:
    holding, owner = Holding(), Owner()
    hold(holding, owner, login())
    assert list(holding.whom(0.0, NOW, told=False)) == ["a"]
    assert holding.saw(["a"], {"a": NOW + 100}, 0.0, NOW) == []
    assert not holding.whom(EVERY - 0.01, NOW, told=False)
    assert list(holding.whom(EVERY, NOW, told=False)) == ["a"]
