"""What must the response carry to the browser?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from core.paper import COOKIE, DAY, NOW, Kept, Paper, User, about, cookie_in, set_cookies
from werkzeug.http import parse_date

from quart_login._core import login
from quart_login._core.carryover import mark
from quart_login._core.finish import is_due
from quart_login._core.opening import stand_beside
from quart_login._core.protection import fingerprint
from quart_login._core.record import AS_SET, farewell
from quart_login._core.remember import DELETE, Change, read
from quart_login._core.step import step
from quart_login._core.tokens import Token, keys_of
from quart_login._core.users import epoch_of

ALICE, BOB = User(7), User(8)

SESSION = {"_user_id": 7, "_fresh": True, "_id": fingerprint("127.0.0.1", "paper")}

EACH_REQUEST = {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True}


def paper(session: Any = None, **options: Any) -> Paper:
    return Paper(session, **{"users": {7: ALICE, 8: BOB}, **options})


def token_of(it: Paper, response: Any) -> Token:
    """Return the remember token that *response* sets."""
    token = read(cookie_in(response), keys_of(it.config), it.setting, it.manager.clock())
    assert isinstance(token, Token)
    return token


def deleted(response: Any) -> bool:
    """Does *response* delete the remember cookie, and nothing else?"""
    [line] = set_cookies(response)
    return line.startswith(f"{COOKIE}=;") and "Max-Age=0" in line


# --- whether anything is due ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "config", "due"),
    [
        ({}, {}, False),
        (SESSION, {}, False),
        ({"_remember": "clear"}, {}, True),
        ({}, EACH_REQUEST, True),
        ({}, {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": False}, False),
    ],
)
def test_a_response_is_due_something_if_the_session_or_the_settings_say(
    session: Any, config: Any, due: bool
) -> None:
    it = paper(session, config=config)
    assert is_due(it.identity, it.session, it.manager.keys, it.config) is due


def test_a_response_is_due_something_if_the_request_decided_it() -> None:
    for name, value in (("remember", DELETE), ("late", [lambda: None])):
        it = paper()
        setattr(it.identity, name, value)
        assert is_due(it.identity, it.session, it.manager.keys, it.config)


def test_a_response_that_is_due_nothing_is_let_alone() -> None:
    it = paper(SESSION)
    it.who()
    it.session.accessed = False
    response = it.answer()
    assert set_cookies(response) == [] and "Vary" not in response.headers
    assert not it.session.accessed and not it.session.modified


# --- what the request decided --------------------------------------------------------------------


def test_a_response_carries_the_change_that_was_decided() -> None:
    it = paper()
    it.identity.remember = Change("value", datetime(2030, 1, 1))
    response = it.answer()
    assert cookie_in(response) == "value"
    assert response.headers["Vary"] == "Cookie"
    assert it.session.accessed


def test_a_response_carries_a_deletion() -> None:
    it = paper()
    it.identity.remember = DELETE
    assert deleted(it.answer())


def test_the_request_decides_before_the_session_wishes() -> None:
    it = paper({"_remember": "set", **SESSION})
    it.identity.remember = DELETE
    assert deleted(it.answer())
    assert "_remember" not in it.session


def test_a_remembered_login_is_carried_and_its_mark_is_gone() -> None:
    it = paper()
    step(login.login_user(it, ALICE, remember=True, duration=timedelta(days=1)))
    assert token_of(it, it.answer()) == Token(7, int(NOW), DAY)
    assert "_remember" not in it.session


def test_a_login_that_the_view_takes_out_of_the_session_again_sets_no_cookie() -> None:
    it = paper()
    step(login.login_user(it, ALICE, remember=True))
    it.session.clear()
    assert set_cookies(it.answer()) == []


# --- what the session wishes, for Flask-Login's dependants ---------------------------------------


def test_a_wish_to_clear_is_fulfilled_and_removed() -> None:
    it = paper({"_remember": "clear", "cart": 1})
    assert deleted(it.answer())
    assert it.session == {"cart": 1}


def test_a_wish_to_set_is_fulfilled_and_removed() -> None:
    user = User(7, session_epoch=1)
    it = paper({**SESSION, "_remember": "set"}, users=lambda key: user)
    it.who()
    assert token_of(it, it.answer()) == Token(7, int(NOW), epoch=epoch_of(user))
    assert it.session == SESSION


@pytest.mark.parametrize("bound", [None, BOB, User(7, active=False)])
@pytest.mark.parametrize("user_id", [None, "", 7])
def test_a_wish_to_set_a_cookie_of_nobody_is_only_removed(user_id: Any, bound: Any) -> None:
    it = paper({"_remember": "set"} if user_id is None else {"_remember": "set", "_user_id": 7})
    it.bind(bound)
    assert set_cookies(it.answer()) == []
    assert "_remember" not in it.session


def test_a_user_whose_id_cannot_be_kept_gets_no_cookie() -> None:
    it = paper({"_remember": "set", "_user_id": "x" * 3000})
    it.bind(User("x" * 3000))
    assert set_cookies(it.answer()) == []


def test_the_cookie_names_the_user_as_the_user_does() -> None:
    # Flask-Login made a str of the int.
    it = paper({**SESSION, "_user_id": "7", "_remember": "set"})
    it.bind(ALICE)
    assert token_of(it, it.answer()).user_id == 7


def test_any_other_wish_is_only_removed() -> None:
    it = paper({**SESSION, "_remember": "other"})
    assert set_cookies(it.answer()) == []
    assert it.session == SESSION


# --- whose data the session holds -----------------------------------------------------------------


def named(user: User | None = ALICE, session: Any = None, **written: Any) -> Paper:
    """Return a request whose user the request loader named, with *written* in its session."""
    it = paper(session)
    it.manager.request_loader(lambda request: user)
    it.who()
    if written:
        it.session.update(written)
    return it


def test_data_written_under_a_user_of_the_request_loader_are_marked() -> None:
    it = named(cart=[1])
    it.answer()
    assert it.session == {"cart": [1], "_login_record": farewell(mark(7))}


@pytest.mark.parametrize("session", [{}, {"cart": [1]}])
def test_where_nothing_is_written_nothing_is_marked(session: Any) -> None:
    it = named(session=session)
    it.answer()
    assert it.session == session and not it.session.modified


@pytest.mark.parametrize(
    ("user", "written"),
    [
        (None, {"cart": [1]}),
        (User(""), {"cart": [1]}),
        (ALICE, {"_permanent": True}),
        (ALICE, {"cart": [1], "_user_id": 8}),
    ],
)
def test_what_is_no_data_of_such_a_user_is_not_marked(user: Any, written: Any) -> None:
    it = named(user, **written)
    it.answer()
    assert it.session == written


def test_what_the_user_confirmed_is_not_overwritten() -> None:
    it = named(cart=[1])
    step(login.confirm_login(it))
    noted = dict(it.session)
    it.answer()
    assert it.session == noted and login.login_fresh(it)


# --- anew with each request ----------------------------------------------------------------------


def test_a_cookie_is_renewed_with_each_request_where_the_settings_say() -> None:
    it = paper(SESSION, config=EACH_REQUEST)
    it.request.cookies = it.token(7, seconds=DAY, issued=int(NOW) - 60)
    it.who()
    response = it.answer()
    assert token_of(it, response) == Token(7, int(NOW), DAY)
    [line] = set_cookies(response)
    expires = parse_date(line.split("Expires=")[1].split(";")[0])
    assert expires is not None and expires.timestamp() == NOW + DAY


@pytest.mark.parametrize(
    ("seconds", "remembered", "life"),
    [
        (60, None, 60),
        (60, DAY, DAY),
        (60, AS_SET, None),
        (None, DAY, DAY),
        (None, None, None),
        (None, AS_SET, None),
    ],
)
def test_a_renewed_cookie_keeps_the_life_that_was_asked_for(
    seconds: Any, remembered: Any, life: float | None
) -> None:
    text = about(7, remembered=remembered)
    it = paper({**SESSION, "_login_record": text}, config=EACH_REQUEST)
    it.request.cookies = it.token(7, issued=int(NOW) - 1, seconds=seconds)
    it.who()
    assert token_of(it, it.answer()) == Token(7, int(NOW), life)


def test_a_cookie_is_not_renewed_unless_the_settings_say() -> None:
    it = paper(SESSION)
    it.request.cookies = it.token(7)
    it.who()
    assert set_cookies(it.answer()) == []


def test_a_user_who_asked_for_no_cookie_gets_none() -> None:
    it = paper({**SESSION, "_login_record": about(7)}, config=EACH_REQUEST)
    it.who()
    assert set_cookies(it.answer()) == []


@pytest.mark.parametrize(("remembered", "seconds"), [(AS_SET, None), (DAY, DAY)])
def test_a_user_who_asked_for_one_gets_it_though_the_request_did_not_bring_it(
    remembered: float, seconds: float | None
) -> None:
    user = User(7, session_epoch=1)
    text = about(7, remembered=remembered, epoch=epoch_of(user))
    it = paper({**SESSION, "_login_record": text}, config=EACH_REQUEST, users=lambda key: user)
    it.who()
    assert token_of(it, it.answer()) == Token(7, int(NOW), seconds, epoch_of(user))


def test_nobody_gets_a_cookie_with_each_request() -> None:
    it = paper({**SESSION, "_login_record": about(7, remembered=AS_SET)}, config=EACH_REQUEST)
    assert set_cookies(it.answer()) == []  # nobody asked who this is
    it.request.cookies = it.token(8)
    it.who()  # neither counts
    assert deleted(it.answer())


def test_a_cookie_of_another_user_is_not_renewed() -> None:
    it = paper(SESSION, config=EACH_REQUEST)
    it.who()
    it.request.cookies = it.token(8)
    assert set_cookies(it.answer()) == []


def test_a_user_of_the_request_alone_gets_no_cookie() -> None:
    it = paper(config=EACH_REQUEST)
    it.manager.request_loader(lambda request: ALICE)
    it.who()
    it.session["_login_record"] = about("", remembered=AS_SET)
    assert set_cookies(it.answer()) == []


def test_a_logout_is_not_undone_by_the_renewal() -> None:
    it = paper({**SESSION, "_login_record": about(7, remembered=AS_SET)}, config=EACH_REQUEST)
    it.request.cookies = it.token(7)
    step(login.logout_user(it))
    assert deleted(it.answer())


# --- late receivers ------------------------------------------------------------------------------


def test_receivers_that_could_not_wait_come_before_the_cookie_in_their_order() -> None:
    it = paper()
    heard: list[Any] = []

    async def first() -> None:
        heard.append("first")
        it.identity.remember = DELETE
        assert it.identity.late is not None
        it.identity.late.append(lambda: heard.append("third"))

    it.identity.late = [first, lambda: heard.append("second")]
    assert deleted(it.answer())
    assert heard == ["first", "second", "third"]
    it.answer()
    assert len(heard) == 3


def test_a_cookie_of_an_earlier_epoch_is_deleted_and_not_renewed() -> None:
    user = User(7, session_epoch=2)
    it = paper(config=EACH_REQUEST)
    it.request.cookies = it.token(7, epoch=epoch_of(User(7, session_epoch=1)))
    step(login.login_user(it, user))
    [line] = set_cookies(it.answer())
    assert "Max-Age=0" in line


# --- where there is a registry -------------------------------------------------------------------


def registered(session: Any, **options: Any) -> Paper:
    it = paper(session, users={7: User(7)}, **options)
    it.manager.sessions = Kept()
    it.bind(User(7))
    return it


def test_the_login_alone_sets_a_login_session_s_cookie() -> None:
    it = registered({**SESSION, "_remember": "set"}, config=EACH_REQUEST)
    assert set_cookies(it.answer()) == [] and "_remember" not in it.session


def test_who_wishes_it_gone_is_heard_there_too() -> None:
    [line] = set_cookies(registered({**SESSION, "_remember": "clear"}).answer())
    assert "Max-Age=0" in line


@pytest.mark.parametrize("name", ["by_header", "beside"])
def test_a_request_beside_the_login_writes_no_session(name: str) -> None:
    it = paper({"_permanent": True})
    setattr(it.identity, name, True)
    it.answer()
    assert it.session == {} and not it.session.modified
    it = paper({"_permanent": True})
    setattr(it.identity, name, True)
    it.identity.logged_out = True
    it.answer()
    assert it.session == {"_permanent": True}


def test_what_a_view_writes_beside_the_login_is_marked_as_its_user_s() -> None:
    it = registered({})
    it.identity.beside = True
    it.session["note"] = "of user 7"
    it.answer()
    assert it.session == {"note": "of user 7", "_login_record": farewell(mark(7))}


def test_what_was_hidden_stays_marked_as_it_was() -> None:
    others = {"note": "of user 8", "_login_record": farewell(mark(8))}
    it = registered(dict(others))
    it.app.config["LOGIN_KEEP_SESSION_KEYS"] = ["language"]
    stand_beside(it, mark(7))
    assert dict(it.session) == {}
    it.session["language"] = "en"
    it.answer()
    assert it.session == {**others, "language": "en"}


@pytest.mark.parametrize(
    "change",
    [
        {"beside": True},
        {"logged_out": True},
        {"by_header": True},
        {"by_request": True},
        {"remember": DELETE},
        {"late": []},
    ],
)
def test_a_response_is_looked_at_where_there_is_something_for_it(change: dict[str, Any]) -> None:
    it = paper()
    assert not is_due(it.identity, it.session, it.manager.keys, it.config)
    for name, value in change.items():
        setattr(it.identity, name, value)
    assert is_due(it.identity, it.session, it.manager.keys, it.config)


def test_who_was_named_by_the_request_gets_no_remember_cookie() -> None:
    it = paper({**SESSION, "_remember": "set"})
    it.bind(ALICE)
    it.identity.by_request = True
    assert set_cookies(it.answer()) == []


def test_beside_a_header_what_was_written_stays_written() -> None:
    it = paper({"_permanent": True})
    it.session["theme"] = "dark"
    it.bind(ALICE)
    it.identity.by_header = it.identity.by_request = True
    it.answer()
    assert it.session["_permanent"] and it.session.modified


def test_what_a_login_s_view_cleared_is_signed_by_nobody() -> None:
    it = paper(SESSION)
    it.who()
    it.session.clear()
    it.session["cart"] = 1
    it.answer()
    assert dict(it.session) == {"cart": 1}


def test_data_that_a_hook_removed_after_the_logout_leave_no_mark() -> None:
    """Or the browser would keep a session cookie in which there is nothing else."""
    it = paper({**SESSION, "told": "clear"}, config={"LOGIN_CLEAR_SESSION_ON_LOGOUT": False})
    step(login.logout_user(it))
    assert it.session == {"told": "clear", "_login_record": farewell(mark(7))}
    del it.session["told"]
    it.answer()
    assert it.session == {}


def test_data_that_are_left_after_the_logout_keep_their_mark() -> None:
    it = paper({**SESSION, "cart": 1}, config={"LOGIN_CLEAR_SESSION_ON_LOGOUT": False})
    step(login.logout_user(it))
    it.answer()
    assert it.session == {"cart": 1, "_login_record": farewell(mark(7))}
