"""Two or three requests of one browser, in every order of their waits and of their answers.

In the gate these are all pairs; with ``QUART_LOGIN_LENGTH=nightly`` all triples, too (see
`length`).  A request that is cut off is so at each of its waits, in each of these orders.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import pytest
from interleavings.checks import check, cut_at_each_wait, play
from interleavings.on_paper import OnPaper
from interleavings.world import STARTS, VIEWS
from length import NIGHTLY

from quart_login._core.step import step

GROUPS = [
    group
    for size in ((2, 3) if NIGHTLY else (2,))
    for group in combinations_with_replacement(VIEWS, size)
]

#: In the gate: what changes a login, beside what could bring it back.
CUT = product(VIEWS, VIEWS) if NIGHTLY else product(["log_in", "log_out", "page"], ["write"])


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("whats", GROUPS, ids="-".join)
def test_in_every_order(start: str, whats: tuple[str, ...]) -> None:
    assert step(play(OnPaper, start, whats, check)) > 1


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("how", ["cancelled", "killed"])
@pytest.mark.parametrize("what", VIEWS)
def test_p_14_one_that_is_cut_off(start: str, how: str, what: str) -> None:
    assert step(cut_at_each_wait(OnPaper, start, [what], how)) > 1


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("how", ["cancelled", "killed"])
@pytest.mark.parametrize("whats", list(CUT), ids="-".join)
def test_p_14_one_that_is_cut_off_beside_another(
    start: str, how: str, whats: tuple[str, str]
) -> None:
    assert step(cut_at_each_wait(OnPaper, start, whats, how)) > 1
