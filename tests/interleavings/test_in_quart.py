"""The same requests in Quart, with its cookies, contexts and tasks; and on whichever loop runs.

In the gate: those pairs in which a login begins, is brought back or ends beside another request.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import pytest
from interleavings.checks import check, cut_at_each_wait, play
from interleavings.in_quart import Place
from interleavings.world import STARTS, VIEWS
from length import NIGHTLY

ALL = list(combinations_with_replacement(VIEWS, 2))
PAIRS = [
    ("page", "write"),
    ("write", "write"),
    ("write", "log_in_bob"),
    ("write", "log_out"),
    ("write", "confirm"),
    ("write", "revoke"),
    ("write", "revoke_others"),
    ("log_in", "log_out"),
    ("log_out", "confirm"),
    ("confirm", "confirm"),
]
#: Who is cut off, beside whom.
CUT = product(VIEWS if NIGHTLY else ["log_in"], ["write", "log_out"] if NIGHTLY else ["log_out"])


async def begun() -> Place:
    place = Place()
    await place.begin()
    return place


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("whats", ALL if NIGHTLY else PAIRS, ids="-".join)
async def test_in_every_order(start: str, whats: tuple[str, ...]) -> None:
    place = await begun()
    assert await play(place.make, start, whats, check) > 1


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("how", ["cancelled", "killed"])
@pytest.mark.parametrize("what", VIEWS)
async def test_p_14_one_that_is_cut_off(start: str, how: str, what: str) -> None:
    place = await begun()
    assert await cut_at_each_wait(place.make, start, [what], how) > 1


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("how", ["cancelled", "killed"])
@pytest.mark.parametrize("whats", list(CUT), ids="-".join)
async def test_p_14_one_that_is_cut_off_beside_another(
    start: str, how: str, whats: tuple[str, str]
) -> None:
    place = await begun()
    assert await cut_at_each_wait(place.make, start, whats, how) > 1
