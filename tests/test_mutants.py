"""Do the mutants of tests/mutants fit the code, and does docs/proof.md tell of them?

(To run the tests on them takes minutes: ``python tests/mutants``.)
"""

from __future__ import annotations

import re

import pytest
from mutants import page
from mutants.__main__ import all_generated
from mutants.generated import mistakes
from mutants.survivors import explained
from mutants.written import Misfit, Written, text_of, written

WRITTEN = written()


@pytest.mark.parametrize("mutant", WRITTEN, ids=lambda mutant: mutant.name)
def test_what_somebody_wrote_fits_the_code(mutant: Written) -> None:
    assert mutant.apply(text_of(mutant)) != text_of(mutant)
    assert mutant.tests and all(map(page.is_there, mutant.tests))
    known = {*page.NUMBERS, *map(str, range(1, 126))}
    assert mutant.breaks and known.issuperset(mutant.breaks)


def test_each_has_a_name_of_its_own() -> None:
    assert len({one.name for one in WRITTEN}) == len(WRITTEN) >= 100


def test_each_promise_is_broken_by_several() -> None:
    for number in page.NUMBERS:
        assert sum(number in one.breaks for one in WRITTEN) >= 2, number


def test_what_is_not_there_once_is_a_misfit() -> None:
    one = WRITTEN[0]
    for text in ("", text_of(one) * 2):
        with pytest.raises(Misfit, match="not once"):
            one.apply(text)
    with pytest.raises(Misfit, match="no Python"):
        Written("", (), "x.py", "a", "(", ()).apply("a = 1")


# --- generated ones ------------------------------------------------------------------------------


def test_what_is_generated_compiles_and_has_a_name_of_its_own() -> None:
    found = all_generated()
    assert len({mistake.name for mistake, _ in found}) == len(found) > 4000
    for mistake, text in found[::50]:
        changed = mistake.apply(text)
        assert changed != text
        compile(changed, mistake.path, "exec")


def test_what_only_people_read_is_left_alone() -> None:
    text = '''
"""A module."""
from x import y
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import z
def function(a: "int" = 1) -> "str":
    """A docstring."""
    logger.warning("a sentence")
    raise ValueError("why")
'''
    names = {one.name.partition(": ")[2] for one in mistakes("module.py", text)}
    assert names == {
        "function: 1 -> 2",
        'function: logger.warning("a sentence") -> pass',
        'function: raise ValueError("why") -> pass',
    }


def test_who_is_explained_is_there() -> None:
    names = {mistake.name for mistake, _ in all_generated()}
    assert [name for name in explained() if name not in names] == []
    assert all(explained().values())


# --- the page ------------------------------------------------------------------------------------


def test_the_page_says_what_there_is() -> None:
    text = page.PAGE.read_text("utf-8")
    assert text == page.with_made(text), "make it anew: python tests/mutants --page"


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"^- `(tests/.+?)`$", page.PAGE.read_text("utf-8"), re.M)
    assert len(named) > 100 and [test for test in named if not page.is_there(test)] == []
