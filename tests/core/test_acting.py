"""Who is the user where nobody made a request?"""

from __future__ import annotations

from contextvars import copy_context

import pytest
from core.paper import Paper, User

from quart_login._core import login
from quart_login._core.acting import ActingAs, acted
from quart_login._core.errors import OutOfPlace, UnusableUser
from quart_login._core.step import step


def block(user: User, realm: str | None = None, place: object = None) -> ActingAs:
    return ActingAs(user, realm, lambda: place)


def test_the_innermost_block_of_the_realm_and_place_counts() -> None:
    place = object()
    assert acted(None, None) is None
    with block(User(1)) as one, block(User(2), "staff"), block(User(3), None, place):
        assert acted(None, None) is one
        assert acted("staff", None).id == 2
        assert acted(None, place).id == 3
        assert acted("staff", place) is acted("other", None) is acted(None, object()) is None
        with block(User(4)):
            assert acted(None, None).id == 4
        assert acted(None, None) is one
    assert acted(None, None) is None


def test_a_block_begins_once() -> None:
    again = block(User(1))
    with again, pytest.raises(RuntimeError, match="has begun already"):
        again.__enter__()
    assert acted(None, None) is None
    assert repr(again) == "<ActingAs>"


def test_blocks_that_end_out_of_order_leave_nobody() -> None:
    one, other = block(User(1)), block(User(2))
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert acted(None, None).id == 2
    other.__exit__(None, None, None)
    assert acted(None, None) is None


def test_a_block_that_ends_elsewhere_is_over_where_it_began() -> None:
    one = block(User(1))
    began = copy_context()
    began.run(one.__enter__)
    assert began.run(acted, None, None).id == 1
    copy_context().run(one.__exit__, None, None, None)
    assert began.run(acted, None, None) is None
    elsewhere = block(User(2))
    here = copy_context()
    here.run(elsewhere.__enter__)
    here.copy().run(elsewhere.__exit__, None, None, None)  # a copy, where it is the innermost
    assert here.run(acted, None, None) is None


def test_a_task_begun_in_a_block_keeps_its_user_after_the_end() -> None:
    with block(User(1)):
        task = copy_context()
    assert task.run(acted, None, None).id == 1


def test_an_anonymous_user_is_nobody_to_act_as() -> None:
    with pytest.raises(UnusableUser, match="nobody to act as"):
        block(User(1, is_anonymous=True))


def test_within_a_block_nobody_is_logged_in_or_out() -> None:
    it = Paper(users={7: User(7)})
    with block(User(9), None, it.request):
        for attempt in (login.login_user(it, User(1)), login.logout_user(it)):
            with pytest.raises(OutOfPlace, match="within acting_as"):
                step(attempt)
        with pytest.raises(OutOfPlace, match="confirm_login"):
            step(login.confirm_login(it))
        assert not login.login_fresh(it)
    assert it.session == {}


def test_nobody_acts_as_what_is_no_user() -> None:
    for what in (None, object(), "7"):
        with pytest.raises(UnusableUser):
            ActingAs(what, None, lambda: None)


def test_a_block_may_begin_again_after_it_ended_out_of_order() -> None:
    one, other = block(User(1)), block(User(2))
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    other.__exit__(None, None, None)
    with one:
        assert acted(None, None).id == 1
        assert acted("staff", None) is acted(None, object()) is None
    assert acted(None, None) is None


def test_who_acts_elsewhere_may_log_in_here() -> None:
    it = Paper(users={7: User(7)})
    with block(User(1), None, object()):
        assert step(login.login_user(it, User(7)))
