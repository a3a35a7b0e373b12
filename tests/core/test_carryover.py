"""Which of a session's data may the next user read?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import Paper, Session, about

from quart_login._core.carryover import hide, leave, mark, owner, put_back, shown, take_over
from quart_login._core.realms import session_keys
from quart_login._core.settings import SessionKeys

KEYS = SessionKeys()


def session_of(user_id: Any, **data: Any) -> dict[str, Any]:
    """Return a session that *user_id* is logged in to, with *data*."""
    return {
        "_user_id": user_id,
        "_fresh": True,
        "_id": "client",
        "_login_record": about(user_id, fresh_since=1),
        **data,
    }


def left_by(user_id: Any, **data: Any) -> dict[str, Any]:
    """Return what a logout of *user_id* leaves of a session with *data*."""
    session = session_of(user_id, **data)
    leave(session, KEYS, False, ())
    return session


# --- whose data is it ----------------------------------------------------------------------------


def test_a_mark_tells_users_apart_without_naming_them() -> None:
    assert mark(7) != mark(8)
    assert mark("alice") != mark("bob")
    assert "alice" not in mark("alice") and len(mark("alice")) == 32
    assert mark(7) == mark("7")  # the user of Flask-Login's cookie is the same


@pytest.mark.parametrize(
    "session",
    [{}, {"cart": 1}, {"_login_record": None}, {"_login_record": "text"}, {"_login_record": {}}],
)
def test_a_visitors_session_has_no_owner(session: dict[str, Any]) -> None:
    assert owner(session, KEYS) is None


@pytest.mark.parametrize(
    "session",
    [
        {"_user_id": 7},
        {"_user_id": 7, "_login_record": about(8)},
        {"_user_id": 7, "_login_record": "was|" + mark(8)},
        {"_login_record": about(7)},
        {"_login_record": about("7", epoch="x", fresh_since=1)},
        {"_login_record": "was|" + mark(7)},
    ],
)
def test_the_owner_is_who_is_logged_in_or_else_who_was(session: dict[str, Any]) -> None:
    assert owner(session, KEYS) == mark(7)


def test_an_id_that_is_none_owns_what_the_mark_says() -> None:
    assert owner({"_user_id": "", "_login_record": "was|" + mark(7)}, KEYS) == mark(7)


# --- at login ------------------------------------------------------------------------------------


def test_what_a_visitor_wrote_is_kept_at_login() -> None:
    session: dict[str, Any] = {"cart": [1], "next": "/cart", "_permanent": True}
    take_over(session, KEYS, 7, ())
    assert session == {"cart": [1], "next": "/cart", "_permanent": True}


@pytest.mark.parametrize("user_id", [7, "7"])
def test_ones_own_data_are_kept_at_ones_next_login(user_id: Any) -> None:
    for session in (session_of(7, cart=[1], next="/cart"), left_by(7, cart=[1])):
        before = dict(session)
        take_over(session, KEYS, user_id, ())
        assert session == before


def test_what_the_user_before_wrote_is_removed() -> None:
    session = session_of(7, cart=[1], next="/cart", _permanent=True, _remember="set")
    take_over(session, KEYS, 8, ())
    assert session == {"_permanent": True}


def test_what_the_user_before_left_at_logout_is_removed_but_the_page_to_go_to() -> None:
    session = {**left_by(7, cart=[1], _permanent=True), "next": "/private"}
    take_over(session, KEYS, 8, ())
    assert session == {"_permanent": True, "next": "/private"}


def test_what_flask_login_left_at_logout_is_removed() -> None:
    session: dict[str, Any] = {"cart": [1], "_login_record": about(7, fresh_since=1)}
    take_over(session, KEYS, 8, ())
    assert session == {}


STAFF = session_keys("staff")


def test_what_a_user_of_another_realm_left_is_removed() -> None:
    session = {"secret": 1, "next": "/x", "language": "en", "staff:_login_record": "was|" + mark(9)}
    kept = {"language", *STAFF.values()}
    take_over(session, KEYS, 7, kept, [STAFF])
    assert session == {"next": "/x", "language": "en"}


@pytest.mark.parametrize("more", [{}, {"staff:_user_id": 9}])
def test_what_nobody_of_another_realm_left_stays(more: dict[str, Any]) -> None:
    record = {"staff:_login_record": "was|" + mark(9)} if more else {}
    session = {"cart": [1], **more, **record}
    take_over(session, KEYS, 7, set(STAFF.values()), [STAFF])
    assert session == {"cart": [1], **more, **record}


def test_what_was_hidden_is_put_back_and_nothing_else() -> None:
    session = Session(session_of(8, cart=[1], language="en"))
    session.modified = False
    before = dict(session)
    hidden = hide(session, KEYS, mark(7), {"language"})
    assert hidden is not None and session == {"language": "en"} and not session.modified
    session["x"] = 1
    put_back(session, hidden, {"language"}, shown(session, {"language"}))
    assert session == before and not session.modified
    assert hide(Session(before), KEYS, mark(8), ()) is None
    left = Session({"secret": 1, "staff:_login_record": "was|" + mark(9)})
    assert hide(left, KEYS, mark(7), set(STAFF.values()), [STAFF]) == {"secret": 1}


@pytest.mark.parametrize("staff", [None, 9])
def test_what_everybody_sees_may_be_written_while_something_is_hidden(staff: Any) -> None:
    """The login of another realm, say, or its logout."""
    session, kept = Session(session_of(8) | {"staff:_user_id": 5}), set(STAFF.values())
    session.modified, seen = False, shown(session, kept)
    hidden = hide(session, KEYS, None, kept, [STAFF])
    assert hidden is not None
    if staff is None:
        del session["staff:_user_id"]
    else:
        session["staff:_user_id"] = staff
    put_back(session, hidden, kept, seen)
    assert session.modified and session.get("staff:_user_id") == staff
    assert session["_user_id"] == 8


def test_the_applications_exceptions_stay_at_login() -> None:
    session = session_of(7, cart=[1], theme="dark")
    take_over(session, KEYS, 8, ("theme", "not there"))
    assert session == {"theme": "dark"}


# --- at logout -----------------------------------------------------------------------------------


def test_a_logout_leaves_nothing() -> None:
    session = session_of(7, cart=[1], next="/x", _permanent=True, _remember="set")
    leave(session, KEYS, True, ())
    assert session == {}


def test_the_applications_exceptions_stay_at_logout() -> None:
    session = session_of(7, cart=[1], theme="dark")
    leave(session, KEYS, True, ("theme", "not there"))
    assert session == {"theme": "dark"}


def test_no_exception_keeps_a_login() -> None:
    session = session_of(7)
    leave(session, KEYS, True, ("_user_id", "_fresh", "_id", "_remember"))
    assert session == {}


def test_a_logout_in_flask_logins_way_leaves_the_data_and_whose_they_are() -> None:
    session = session_of(
        7, cart=[1], next="/x", _permanent=True, _remember="set", _remember_seconds=1
    )
    leave(session, KEYS, False, ())
    assert session == {"cart": [1], "_permanent": True, "_login_record": "was|" + mark(7)}


@pytest.mark.parametrize("data", [{}, {"_permanent": True}])
def test_where_no_data_are_left_there_is_no_mark(data: dict[str, Any]) -> None:
    session = session_of(7, **data)
    leave(session, KEYS, False, ())
    assert session == data


def test_a_mark_goes_with_the_last_of_the_data() -> None:
    session = left_by(7, cart=[1])
    del session["cart"]
    leave(session, KEYS, False, ())
    assert session == {}


@pytest.mark.parametrize("text", ["text", None, "was"])
def test_a_record_that_speaks_of_nobody_goes_at_logout(text: Any) -> None:
    session = {"cart": [1], "_login_record": text}
    leave(session, KEYS, False, ())
    assert session == {"cart": [1]}


def test_a_visitors_logout_leaves_no_mark() -> None:
    session: dict[str, Any] = {"cart": [1], "next": "/x"}
    leave(session, KEYS, False, ())
    assert session == {"cart": [1]}


def test_a_second_logout_keeps_the_mark() -> None:
    session = Session(left_by(7, cart=[1]))
    leave(session, KEYS, False, ())
    assert session == {"cart": [1], "_login_record": "was|" + mark(7)}
    assert not session.modified


def test_a_session_without_a_key_is_let_alone() -> None:
    class NullSession(dict[str, Any]):
        """Flask's, where SECRET_KEY is missing: empty, and every change is an error."""

        def __delitem__(self, key: str) -> None:
            raise RuntimeError("no SECRET_KEY")

        pop = __setitem__ = clear = update = __delitem__  # type: ignore[assignment]

    for clear in (True, False):
        leave(NullSession(), KEYS, clear, ())
    take_over(NullSession(), KEYS, 7, ())


def test_what_was_written_before_it_is_hidden_is_still_written() -> None:
    for written in (False, True):
        it = Paper({"_user_id": 8, "secret": 1})
        it.session.modified = written
        assert hide(it.session, KEYS, mark(7), ()) == {"_user_id": 8, "secret": 1}
        assert it.session == {} and it.session.modified is written
