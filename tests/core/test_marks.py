"""What do decorators say of a view?"""

from __future__ import annotations

import functools
import gc
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from quart_login._core import marks
from quart_login._core.marks import ANONYMOUS, BASIC, FRESH, REQUIRED, Guard


def view() -> str:
    return "view"


def guarded(func: Any, state: str = REQUIRED, manager: Any = None) -> Any:
    @functools.wraps(func)
    def wrapper() -> None: ...

    marks.mark(wrapper, func, state, manager)
    return wrapper


def class_view(cls: type) -> Any:
    def view() -> None: ...

    view.view_class = cls  # type: ignore[attr-defined]
    return view


class Page:
    def dispatch_request(self) -> None: ...
    def get(self) -> None: ...


# --- guards --------------------------------------------------------------------------------------


def test_a_guard_says_whom_it_lets_in_and_of_which_realm() -> None:
    staff = SimpleNamespace(name="staff")
    assert marks.guard_of(guarded(view)) == Guard(REQUIRED)
    assert marks.guard_of(guarded(view, FRESH, staff)) == Guard(FRESH, "staff")
    assert marks.guard_of(view) is None


def test_a_wrapper_has_the_mark_of_what_it_wraps() -> None:
    wrapper = functools.wraps(guarded(view))(lambda: None)
    assert marks.guard_of(wrapper) == Guard(REQUIRED)


@pytest.mark.parametrize("inner", [ANONYMOUS, BASIC, REQUIRED, FRESH])
@pytest.mark.parametrize("outer", [ANONYMOUS, BASIC, REQUIRED, FRESH])
def test_of_two_guards_the_stricter_counts(inner: str, outer: str) -> None:
    order = [ANONYMOUS, BASIC, REQUIRED, FRESH]
    expected = max(inner, outer, key=order.index)
    assert marks.guard_of(guarded(guarded(view, inner), outer)) == Guard(expected)


def test_what_only_looks_like_a_mark_is_none() -> None:
    class Anything:
        def __getattr__(self, name: str) -> Any:
            return Anything()

        def __call__(self) -> None: ...

    thing = SimpleNamespace(_login_guard="required", _login_exempt="yes", view_class=None)
    assert marks.guard_of(thing) is None
    assert not marks.is_exempt(thing)


def test_the_strictest_of_a_class_s_guards_counts_for_each_method() -> None:
    class Guarded(Page):
        dispatch_request = guarded(Page.dispatch_request)
        get = guarded(Page.get, FRESH)
        post = Page.get

    found = class_view(Guarded)
    assert marks.strictest(found, "GET") == Guard(FRESH)
    assert marks.strictest(found, "HEAD") == Guard(FRESH)
    assert marks.strictest(found, "POST") == Guard(REQUIRED)
    assert marks.strictest(found, None) == Guard(REQUIRED)
    assert marks.strictest(class_view(Page), "GET") is None
    assert marks.strictest(view, "GET") is None


# --- open on purpose -----------------------------------------------------------------------------


def test_a_view_is_exempt_that_was_marked() -> None:
    def other() -> None: ...

    assert not marks.is_exempt(other, "GET")
    assert marks.login_exempt(other) is other
    assert marks.is_exempt(other, "GET") and marks.is_exempt(other)
    assert marks.is_exempt(functools.wraps(other)(lambda: None))


def test_a_view_for_strangers_is_exempt_and_one_for_users_is_not() -> None:
    assert marks.is_exempt(guarded(view, ANONYMOUS))
    assert not marks.is_exempt(guarded(view, REQUIRED))
    assert not marks.is_exempt(guarded(guarded(view, ANONYMOUS), REQUIRED))


def test_a_class_is_exempt_itself_and_its_heirs_are_not() -> None:
    @marks.login_exempt
    class Open(Page): ...

    class Heir(Open): ...

    assert marks.is_exempt(class_view(Open), "GET")
    assert not marks.is_exempt(class_view(Heir), "GET")


def test_a_method_is_exempt_alone() -> None:
    class Part(Page):
        @marks.login_exempt
        def get(self) -> None: ...
        def post(self) -> None: ...

    found = class_view(Part)
    assert [m for m in ("GET", "HEAD", "POST", "OPTIONS", None) if marks.is_exempt(found, m)] == [
        "GET",
        "HEAD",
    ]


@pytest.mark.parametrize("thing", [object(), 7, Page().get])
def test_what_takes_no_mark_is_a_type_error(thing: Any) -> None:
    with pytest.raises(TypeError, match="the function or the class itself"):
        marks.login_exempt(thing)


# --- guards in the wrong place -------------------------------------------------------------------


def ids(*views: Any) -> set[int]:
    return {id(part) for one in views for part in marks.chain(one)}


def test_a_view_is_misplaced_whose_guarded_one_is_not_registered() -> None:
    def secret() -> None: ...

    assert not marks.is_misplaced(secret, ids(secret))
    wrapper = guarded(secret)
    assert marks.is_misplaced(secret, ids(secret))
    assert not marks.is_misplaced(wrapper, ids(wrapper))
    assert not marks.is_misplaced(secret, ids(secret, wrapper))
    outer = functools.wraps(wrapper)(lambda: None)
    assert not marks.is_misplaced(secret, ids(secret, outer))


def test_that_is_not_forgotten_with_the_guarded_one() -> None:
    def secret() -> None: ...

    guarded(secret)
    gc.collect()
    assert marks.is_misplaced(secret, ids(secret))


def test_it_is_found_below_other_decorators() -> None:
    def secret() -> None: ...

    wrapper = guarded(functools.wraps(secret)(lambda: None))
    assert marks.is_misplaced(secret, ids(secret)) and wrapper is not None


def test_nothing_is_kept_of_a_view_that_is_gone() -> None:
    def secret() -> None: ...

    guarded(secret)
    before = len(marks._guarded)
    del secret
    gc.collect()
    assert len(marks._guarded) == before - 1


def test_what_cannot_be_tracked_is_never_misplaced() -> None:
    class Unhashable(list[Any]):
        def __call__(self) -> None: ...

    for odd in (Unhashable(), None, 7):
        marks.mark(lambda: None, odd, REQUIRED)
        assert not marks.is_misplaced(odd, set())


def test_a_chain_ends_though_it_is_a_circle() -> None:
    one, other = SimpleNamespace(), SimpleNamespace()
    one.__wrapped__, other.__wrapped__ = other, one
    assert list(marks.chain(one)) == [one, other]


def test_a_class_inherits_no_mark_from_the_decorators_of_another() -> None:
    def view_of(cls: type) -> Any:
        def view() -> None: ...

        view.view_class = cls  # type: ignore[attr-defined]
        for decorator in cls.decorators:  # type: ignore[attr-defined]
            view = decorator(view)
        return view

    class Open:
        decorators: ClassVar[list[Any]] = [marks.login_exempt]

        def dispatch_request(self) -> None: ...

    class Inheriting(Open): ...

    class Again(Open):
        decorators: ClassVar[list[Any]] = [marks.login_exempt]

    assert marks.is_exempt(view_of(Open)) and marks.is_exempt(view_of(Again))
    assert not marks.is_exempt(view_of(Inheriting))


def test_of_two_guards_that_are_as_strict_the_outer_counts() -> None:
    outer = guarded(guarded(lambda: None), manager=SimpleNamespace(name="staff"))
    assert marks.guard_of(outer) == Guard(REQUIRED, "staff")


def test_a_class_without_decorators_may_be_open_by_its_function() -> None:
    view = class_view(Page)
    marks.login_exempt(view)
    assert marks.is_exempt(view, "GET")


def test_a_class_s_own_head_is_what_answers() -> None:
    class Own:
        def dispatch_request(self) -> None: ...
        def get(self) -> None: ...
        def head(self) -> None: ...

    marks.login_exempt(Own.get)
    assert not marks.is_exempt(class_view(Own), "HEAD") and marks.is_exempt(class_view(Own), "GET")
