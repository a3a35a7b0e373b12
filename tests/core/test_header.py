"""Whom does the ``Authorization`` header name?"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from core.paper import (
    COOKIE,
    NOW,
    OLD_KEY,
    Browser,
    Manager,
    Paper,
    User,
    about,
    set_cookies,
)

from quart_login._core import basic as basic_core
from quart_login._core import bearer, carryover, challenge, guard, load, login
from quart_login._core.protection import fingerprint
from quart_login._core.settings import SessionKeys
from quart_login._core.step import step
from quart_login._core.users import UserMixin

ALICE, BOB, LOCKED = User(7), User(8), User(9, active=False)
USERS = {user.id: user for user in (ALICE, BOB, LOCKED)}

JUNK = "qlt_junk.junk"


def paper(header: str | None = None, session: Any = None, **options: Any) -> Paper:
    headers = {"User-Agent": "paper", **({} if header is None else {"Authorization": header})}
    return Paper(session, users=options.pop("users", USERS), headers=headers, **options)


def token(user: Any = ALICE, lifetime: Any = None, **config: Any) -> str:
    app = Paper(config=config).app
    return bearer.issue(app, app.login_manager, user, lifetime)


def with_token(user: Any = ALICE, session: Any = None, **options: Any) -> Paper:
    return paper(f"Bearer {token(user)}", session, **options)


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def with_password(header: str, found: Any = ALICE, session: Any = None, **options: Any) -> Paper:
    """Return a request to an application where 'alice' with 'secret' is *found*."""
    it = paper(header, session, **options)
    it.asked = []  # type: ignore[attr-defined]

    @it.manager.verify_password
    def verify(username: str, password: str) -> Any:
        it.asked.append((username, password))  # type: ignore[attr-defined]
        return found if (username, password) == ("alice", "secret") else None

    return it


GOOD = basic("alice", "secret")


def session_of(user: Any, **more: Any) -> dict[str, Any]:
    here = fingerprint(*Paper().client())
    record = about(user.id)
    return {"_user_id": user.id, "_fresh": True, "_id": here, "_login_record": record, **more}


def counting(it: Paper) -> list[Any]:
    """Return a list that the user loader will keep its calls in."""
    asked: list[Any] = []

    @it.manager.user_loader
    def find(user_id: Any) -> Any:
        asked.append(user_id)
        return USERS.get(user_id)

    return asked


def untouched(it: Paper) -> bool:
    """Is nothing written for the browser?"""
    response = it.answer()
    return not it.session.modified and set_cookies(response) == []


# --- a token -------------------------------------------------------------------------------------


def test_a_token_names_its_user() -> None:
    it = with_token()
    asked = counting(it)
    assert it.who() is ALICE and load.authenticated(it)
    assert asked == [7]
    assert it.told == [("accessed", {}), ("loaded-from-request", {"user": ALICE})]
    assert it.identity.source == "token"
    assert untouched(it)


def test_a_token_decides_alone_whatever_cookies_came_with_it() -> None:
    it = with_token(ALICE, session_of(BOB), cookies=Paper().token(8))
    asked = counting(it)
    assert it.who() is ALICE
    assert asked == [7]
    assert untouched(it)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (f"Bearer {JUNK}", "bad_signature"),
        (f"Bearer {token()[:-1]}", "bad_signature"),
        (f"Bearer {token(config='', SECRET_KEY=OLD_KEY)}", "bad_signature"),
        (f"Bearer {token(LOGIN_AUDIENCE='elsewhere')}", "bad_signature"),
        (f"Bearer {token()},Bearer {token()}", "malformed"),
        (f"Bearer {token()}, Basic abc", "malformed"),
        (f"Basic abc,Bearer {token()}", "malformed"),
        (f"Bearer {token()} {token()}", "malformed"),
        (f"Bearer\t{token()}", "malformed"),
        (f"Bearer qlt_{'a' * 9000}", "malformed"),
        (f"Bearer qlt_{'a' * 5000}", "bad_signature"),
        (f"Bearer {token(User('nobody'))}", "user_gone"),
    ],
)
def test_a_bad_token_is_nobodys_request_and_no_cookie_counts(header: str, reason: str) -> None:
    it = paper(header, session_of(BOB), cookies=Paper().token(8))
    assert it.who() is None
    assert it.reasons() == [reason]
    assert untouched(it)


def test_an_expired_token_is_nobodys() -> None:
    it = with_token()
    it.manager.clock = lambda: NOW + 3600
    assert it.who() is None and it.reasons() == ["expired"]


def test_an_inactive_users_token_is_nobodys() -> None:
    issued = token(User(9))
    it = paper(f"Bearer {issued}")
    assert it.who() is None and it.reasons() == ["user_inactive"]


def test_a_token_of_a_former_epoch_is_nobodys() -> None:
    issued = token(User(7, session_epoch="1"))
    now = {7: User(7, session_epoch="2")}
    it = paper(f"Bearer {issued}", users=now)
    assert it.who() is None and it.reasons() == ["epoch_changed"]
    now[7].session_epoch = "1"
    assert paper(f"Bearer {issued}", users=now).who() is now[7]


@pytest.mark.parametrize("found", [BOB, False, object(), UserMixin])
def test_p15_a_loader_that_returns_another_is_refused(found: Any) -> None:
    it = with_token(users=lambda user_id: found)
    assert it.who() is None
    assert it.reasons()[0] in ("user_mismatch", "not_a_user")


@pytest.mark.parametrize("error", [LookupError("db"), TimeoutError()])
def test_a_loader_that_raises_lets_nobody_in_and_no_cookie_counts(error: Exception) -> None:
    def loader(user_id: Any) -> Any:
        raise error

    it = with_token(ALICE, session_of(ALICE), users=loader)
    assert it.who() is None
    assert it.identity.error is error and it.reasons() == ["loader_failed"]
    assert untouched(it)


def test_without_a_key_a_token_is_nobodys() -> None:
    it = with_token(config={"SECRET_KEY": None})
    assert it.who() is None and it.reasons() == ["bad_signature"]


def test_a_fallback_key_verifies_a_token() -> None:
    issued = token(SECRET_KEY=OLD_KEY)
    assert paper(f"Bearer {issued}").who() is None
    it = paper(f"Bearer {issued}", config={"SECRET_KEY_FALLBACKS": [OLD_KEY]})
    assert it.who() is ALICE


def test_with_tokens_turned_off_the_header_is_not_for_us() -> None:
    it = with_token(ALICE, session_of(BOB), config={"LOGIN_BEARER_TOKENS": False})
    assert it.who() is BOB
    again = with_token(ALICE, config={"LOGIN_BEARER_TOKENS": False})
    assert again.who() is None and again.reasons() == []


def test_nobody_is_loaded_anew_for_who_logged_in_meanwhile() -> None:
    it = with_token()

    @it.manager.user_loader
    def meanwhile(user_id: Any) -> Any:
        step(login.login_user(it, BOB))
        return USERS[user_id]

    assert it.who() is BOB
    assert it.session["_user_id"] == 8 and login.login_fresh(it)


# --- another's token -----------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Bearer eyJ.a.b", "bearer x", "Bearer QLT_a.b", "Bearer"])
def test_a_token_of_another_kind_is_left_to_the_request_loader(header: str) -> None:
    it = paper(header)
    it.manager.request_loader(lambda request: BOB)
    assert it.who() is BOB
    assert it.reasons() == []
    nobody = paper(header)
    nobody.manager.request_loader(lambda request: None)
    assert nobody.who() is None and nobody.reasons() == []
    assert not challenge.came(nobody)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Bearer eyJ.a.b", "bad_signature"),
        ("Bearer QLT_a.b", "bad_signature"),
        ("Bearer", "malformed"),
        ("Bearer a,Bearer b", "malformed"),
    ],
)
def test_without_a_request_loader_it_is_a_rejected_credential(header: str, reason: str) -> None:
    it = paper(header)
    assert it.who() is None
    assert it.reasons() == [reason] and challenge.came(it)
    assert untouched(it)


def test_a_user_who_is_logged_in_by_a_cookie_stays_so_beside_another_kind_of_token() -> None:
    it = paper("Bearer eyJ.a.b", session_of(BOB))
    assert it.who() is BOB and it.reasons() == []


@pytest.mark.parametrize("header", [GOOD, "Digest a=b", "abc", "", "Negotiate abc=="])
def test_other_headers_are_not_looked_at(header: str) -> None:
    it = paper(header)
    assert it.who() is None
    assert it.reasons() == [] and not challenge.came(it)


def test_without_a_user_loader_our_token_is_the_request_loaders() -> None:
    it = with_token()
    it.manager._user_callback = None
    it.manager.request_loader(lambda request: BOB)
    assert it.who() is BOB


# --- realms --------------------------------------------------------------------------------------


def test_a_token_of_another_realm_is_nothing_here_and_tells_nobody() -> None:
    it = paper(session=session_of(BOB))
    staff = Manager("staff")
    staff.clock = it.manager.clock
    it.app.extensions["quart_login"] = {None: it.manager, "staff": staff}
    it.request.headers["Authorization"] = f"Bearer {bearer.issue(it.app, staff, ALICE, None)}"
    assert it.who() is BOB and it.reasons() == []
    it = it.again(headers=it.request.headers)
    it.session.clear()
    assert it.who() is None and it.reasons() == []
    assert 'error="invalid_token"' in challenge.challenges(it)[0]


def test_a_realms_own_token_counts_in_it() -> None:
    it = with_token()
    it.app.extensions["quart_login"] = {None: it.manager, "staff": Manager("staff")}
    assert it.who() is ALICE
    it = paper(f"Bearer {token()}x")
    it.app.extensions["quart_login"] = {None: it.manager, "staff": Manager("staff")}
    assert it.who() is None and it.reasons() == ["bad_signature"]


# --- a password ----------------------------------------------------------------------------------


def test_a_password_names_its_user() -> None:
    it = with_password(GOOD)
    assert it.who() is ALICE
    assert it.asked == [("alice", "secret")]  # type: ignore[attr-defined]
    assert it.told == [("accessed", {}), ("loaded-from-request", {"user": ALICE})]
    assert it.identity.source == "password"
    assert untouched(it)


def test_a_password_decides_alone_and_loads_nobody_by_id() -> None:
    it = with_password(GOOD, ALICE, session_of(BOB), cookies=Paper().token(8))
    asked = counting(it)
    assert it.who() is ALICE and asked == []
    assert untouched(it)


def test_a_password_that_is_the_views_own_names_nobody_and_nobody_is_asked() -> None:
    def page() -> None: ...

    basic_core.mark(page, basic_core.Names(), None)
    it = with_password(basic("alice", "wrong"), session=session_of(BOB), endpoint="page")
    it.app.view_functions["page"] = page
    assert it.who() is BOB and not it.identity.by_header
    assert it.asked == [] and it.told == [("accessed", {})]  # type: ignore[attr-defined]


def test_passwords_need_no_other_loader() -> None:
    it = with_password(GOOD)
    it.manager._user_callback = None
    assert it.who() is ALICE


@pytest.mark.parametrize(
    ("header", "reason", "asked"),
    [
        (basic("alice", "wrong"), "wrong_password", 1),
        (basic("alice", "sec\0ret"), "malformed", 0),
        ("Basic", "malformed", 0),
        ("Basic %%%", "malformed", 0),
        (f"{GOOD},{GOOD}", "malformed", 0),
        (f"{GOOD}, Bearer {token()}", "malformed", 0),
        (f"Bearer {token()},{GOOD}", "malformed", 0),
    ],
)
def test_a_bad_password_is_nobodys_request(header: str, reason: str, asked: int) -> None:
    it = with_password(header, ALICE, session_of(BOB), cookies=Paper().token(8))
    assert it.who() is None
    assert it.reasons() == [reason]
    assert len(it.asked) == asked  # type: ignore[attr-defined]
    assert untouched(it)


@pytest.mark.parametrize(
    ("found", "reason"),
    [(LOCKED, "user_inactive"), (False, "not_a_user"), (object(), "not_a_user")],
)
def test_whom_it_finds_passes_the_same_tests_as_any(found: Any, reason: str) -> None:
    it = with_password(GOOD, found)
    assert it.who() is None and it.reasons() == [reason]


@pytest.mark.parametrize("user_id", ["", None, ["x"], 7.0])
def test_p16_whom_it_finds_has_an_id_that_can_be_kept(user_id: Any) -> None:
    it = with_password(GOOD, User(user_id))
    assert it.who() is None and it.reasons() == ["not_a_user"]


@pytest.mark.parametrize("header", ["Bearer eyJ.x.y", "Bearer"])
def test_a_browser_s_token_of_another_kind_is_its_proxy_s(header: str) -> None:
    it = paper(header)
    it.request.headers["Accept"] = "text/html,*/*;q=0.8"
    assert it.who() is None and it.reasons() and not challenge.came(it)


def test_what_verifies_may_raise_and_then_nobody_is_logged_in() -> None:
    it = paper(GOOD, session_of(BOB))

    @it.manager.verify_password
    def verify(username: str, password: str) -> Any:
        raise LookupError(username)

    assert it.who() is None
    assert isinstance(it.identity.error, LookupError) and it.reasons() == ["loader_failed"]


def test_a_token_still_counts_beside_passwords() -> None:
    it = with_password(f"Bearer {token(BOB)}")
    assert it.who() is BOB and it.asked == []  # type: ignore[attr-defined]


# --- the session that came along -----------------------------------------------------------------


@pytest.mark.parametrize("kept", [(), ("language",)])
def test_p7_another_users_session_is_not_shown_and_stays_as_it_is(kept: Any) -> None:
    config = {"LOGIN_KEEP_SESSION_KEYS": kept}
    it = with_token(ALICE, session_of(BOB, cart="bob's", language="de"), config=config)
    it.session["_permanent"] = True
    it.session.modified = False
    assert it.who() is ALICE
    assert dict(it.session) == dict.fromkeys(kept, "de")
    assert untouched(it)


def test_p7_what_another_user_left_is_not_shown() -> None:
    left = {"_login_record": "was|" + carryover.mark(8), "cart": "bob's"}
    it = with_token(ALICE, left)
    assert it.who() is ALICE and dict(it.session) == {}
    assert untouched(it)


def test_a_user_sees_the_own_session_and_a_visitors() -> None:
    own = with_token(ALICE, session_of(ALICE, cart="alice's"))
    assert own.who() is ALICE and own.session["cart"] == "alice's"
    visitors = with_token(ALICE, {"cart": "a visitor's"})
    assert visitors.who() is ALICE and visitors.session["cart"] == "a visitor's"
    assert untouched(own) and untouched(visitors)


def test_p7_who_is_refused_sees_nobodys_session() -> None:
    it = paper(f"Bearer {JUNK}", session_of(BOB, cart="bob's"))
    assert it.who() is None and dict(it.session) == {}
    assert untouched(it)


def test_what_a_view_writes_is_the_users_own() -> None:
    it = with_token(ALICE)
    assert it.who() is ALICE
    it.session["cart"] = "alice's"
    it.answer()
    assert carryover.owner(it.session, SessionKeys()) == carryover.mark(7)


def test_wishes_of_flask_login_in_the_session_are_left_for_the_next_request() -> None:
    it = with_token(ALICE, session_of(ALICE, _remember="clear"), cookies=Paper().token(7))
    assert it.who() is ALICE
    assert untouched(it) and it.session["_remember"] == "clear"


def test_a_remember_cookie_is_not_refreshed() -> None:
    config = {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True}
    it = with_token(
        ALICE, session_of(ALICE), cookies=Paper().token(7, issued=int(NOW) - 99), config=config
    )
    assert it.who() is ALICE and untouched(it)


def test_a_moved_session_is_not_judged() -> None:
    for mode in ("basic", "strong"):
        moved = {**session_of(ALICE), "_id": "another client's"}
        it = with_token(ALICE, moved, config={"SESSION_PROTECTION": mode})
        assert it.who() is ALICE and it.names() == ["accessed", "loaded-from-request"]
        assert untouched(it)


# --- what such a user may do ---------------------------------------------------------------------


@pytest.mark.parametrize("header", [f"Bearer {token()}", GOOD])
@pytest.mark.parametrize("session", [None, session_of(ALICE)])
def test_no_header_is_a_fresh_login_nor_made_one(header: str, session: Any) -> None:
    it = with_password(header, ALICE, session)
    assert it.who() is ALICE and not login.login_fresh(it)
    step(login.confirm_login(it))
    assert not login.login_fresh(it)
    assert untouched(it)


@pytest.mark.parametrize("header", [f"Bearer {token()}", GOOD])
def test_logging_out_ends_no_token_and_writes_nothing_where_there_is_nothing(header: str) -> None:
    it = with_password(header)
    it.app.session_interface.regenerate = lambda session: session.update(new="id")
    assert step(login.logout_user(it)) is True
    assert it.identity.user is None and "logged-out" in it.names()
    assert untouched(it)


@pytest.mark.parametrize("whose", [ALICE, BOB])
def test_logging_out_ends_whatever_login_the_cookies_hold(whose: Any) -> None:
    cookies = Paper().token(whose.id)
    it = with_token(ALICE, session_of(whose, cart="theirs"), cookies=cookies)
    step(login.logout_user(it))
    response = it.answer()
    assert dict(it.session) == {} and it.session.modified
    [line] = set_cookies(response)
    assert line.startswith(f"{COOKIE}=;")


def test_logging_out_ends_a_hidden_session_without_a_remember_cookie() -> None:
    it = with_token(ALICE, session_of(BOB))
    step(login.logout_user(it))
    it.answer()
    assert dict(it.session) == {} and it.session.modified


def test_who_came_by_a_token_may_log_in_and_has_a_session_then() -> None:
    it = with_token(ALICE, session_of(BOB, cart="bob's"))
    assert it.who() is ALICE
    step(login.login_user(it, ALICE, remember=True))
    response = it.answer()
    assert it.session["_user_id"] == 7 and "cart" not in it.session
    assert login.login_fresh(it)
    assert set_cookies(response)[0].startswith(f"{COOKIE}=")


# --- who is refused ------------------------------------------------------------------------------


def refusal_of(it: Paper, fresh: bool = False) -> Any:
    """Return the exception that takes a view's place."""
    it.manager.unauthorized = lambda: guard.unauthorized(it)  # type: ignore[method-assign]
    it.manager.needs_refresh = lambda: guard.needs_refresh(it)  # type: ignore[method-assign]
    with pytest.raises(challenge.Challenging) as caught:
        step(guard.refuse(it, fresh))
    return caught.value


def said(refusal: Any) -> list[str]:
    headers = refusal.get_response({}).headers
    return headers.getlist("WWW-Authenticate")


@pytest.mark.parametrize("websocket", [False, True])
@pytest.mark.parametrize(
    ("header", "status", "challenges"),
    [
        (
            f"Bearer {JUNK}",
            401,
            'Bearer realm="login", error="invalid_token",'
            ' error_description="The token is not valid"',
        ),
        (
            f"Bearer {token()},",
            400,
            'Bearer realm="login", error="invalid_request",'
            ' error_description="Send one Authorization header, with one token"',
        ),
        (basic("alice", "wrong"), 401, 'Basic realm="login", charset="UTF-8"'),
        ("Basic", 401, 'Basic realm="login", charset="UTF-8"'),
    ],
)
def test_who_sent_a_bad_credential_is_refused_and_never_sent_to_a_page(
    header: str, status: int, challenges: str, websocket: bool
) -> None:
    it = with_password(header, websocket=websocket)
    it.manager.login_view = "login"
    refusal = refusal_of(it)
    assert refusal.code == status and said(refusal) == [challenges]
    assert it.web.flashed == []


def test_an_expired_and_a_revoked_token_are_told_so() -> None:
    it = with_token()
    it.manager.clock = lambda: NOW + 3600
    assert 'error_description="The token has expired"' in said(refusal_of(it))[0]
    issued = token(User(7, session_epoch="1"))
    it = paper(f"Bearer {issued}", users={7: User(7, session_epoch="2")})
    assert 'error_description="The token was revoked"' in said(refusal_of(it))[0]


@pytest.mark.parametrize("websocket", [False, True])
@pytest.mark.parametrize("header", [f"Bearer {token()}", GOOD])
def test_where_a_fresh_login_is_asked_for_a_header_is_not_enough(
    header: str, websocket: bool
) -> None:
    it = with_password(header, websocket=websocket)
    it.manager.refresh_view = "refresh"
    assert step(guard.refuse(it)) is None
    refusal = refusal_of(it, fresh=True)
    [challenges] = said(refusal)
    assert refusal.code == 401
    assert challenges.startswith(
        'Bearer realm="login", error="insufficient_user_authentication", error_description="'
    )


def test_who_sent_no_credential_is_told_no_error() -> None:
    it = paper()
    assert step(login_first(it)) == ['Bearer realm="login"']
    it = with_password("Digest a")
    assert step(login_first(it)) == [
        'Bearer realm="login"',
        'Basic realm="login", charset="UTF-8"',
    ]
    it = paper(config={"LOGIN_BEARER_TOKENS": False})
    assert step(login_first(it)) == []


async def login_first(exchange: Paper) -> list[str]:
    await load.known(exchange)
    return exchange.manager.challenges(exchange)


@pytest.mark.parametrize(
    ("realm", "quoted"),
    [
        ("my app", '"my app"'),
        ('a "b" \\c', r'"a \"b\" \\c"'),
        ("a\r\nSet-Cookie: a=b", '"a??Set-Cookie: a=b"'),
        ("zoë", '"zo?"'),
    ],
)
def test_the_realm_is_quoted(realm: str, quoted: str) -> None:
    it = paper(config={"LOGIN_REALM": realm})
    assert challenge.challenges(it) == [f"Bearer realm={quoted}"]


def test_a_named_manager_is_the_realm() -> None:
    it = paper()
    it.manager = Manager("staff")
    assert challenge.challenges(it) == ['Bearer realm="staff"']


def test_the_applications_own_handler_has_the_last_word() -> None:
    it = paper(f"Bearer {JUNK}")
    it.manager.unauthorized_handler(lambda: "its own answer")
    assert step(guard.unauthorized(it)) == "its own answer"


# --- one user, from the configuration ------------------------------------------------------------

ONE = {"LOGIN_BASIC_USERNAME": "metrics", "LOGIN_BASIC_PASSWORD": "geheim"}


def behind_one(header: str | None, **config: Any) -> Paper:
    return paper(header, config={**ONE, **config})


def enter(it: Paper) -> Any:
    return step(guard.refuse_basic(it, guard.basic.Names()))


def test_who_knows_the_configured_password_comes_in() -> None:
    it = behind_one(basic("metrics", "geheim"))
    assert enter(it) is None
    assert it.told == [] and not it.identity.loaded


@pytest.mark.parametrize(
    ("header", "reasons"),
    [
        (None, []),
        ("Bearer abc", []),
        ("Basic", ["malformed"]),
        (basic("metrics", "wrong"), ["wrong_password"]),
        (basic("wrong", "geheim"), ["wrong_password"]),
        (basic("metrics", "p\0"), ["malformed"]),
    ],
)
def test_others_are_refused_and_told_how(header: str | None, reasons: list[str]) -> None:
    it = behind_one(header, LOGIN_REALM="metrics")
    with pytest.raises(challenge.Unauthorized) as caught:
        enter(it)
    assert said(caught.value) == ['Basic realm="metrics", charset="UTF-8"']
    assert it.reasons() == reasons


def test_016_nobody_comes_in_where_nothing_is_configured() -> None:
    it = paper(basic("", ""))
    with pytest.raises(RuntimeError, match="LOGIN_BASIC_USERNAME"):
        enter(it)


def test_options_get_the_automatic_answer() -> None:
    it = behind_one(None)
    it.request.method = "OPTIONS"
    assert enter(it) == "the automatic answer"


def test_with_login_disabled_everybody_comes_in() -> None:
    assert enter(behind_one(None, LOGIN_DISABLED=True)) is None


# --- whom a dialogue would disturb ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ({}, True),
        ({"Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Mode": "cors"}, False),
        ({"X-Requested-With": "XMLHttpRequest"}, False),
        ({"X-Requested-With": "fetch", "Sec-Fetch-Mode": "navigate"}, False),
    ],
)
def test_a_script_of_a_page_is_offered_no_dialogue(headers: dict[str, str], offered: bool) -> None:
    it = Paper(users=USERS, headers={"User-Agent": "paper", **headers})
    it.manager.verify_password(lambda username, password: ALICE)
    said = challenge.challenges(it)
    assert any(one.startswith("Basic ") for one in said) is offered
    assert said[0].startswith("Bearer ")


def test_every_letter_of_ascii_that_can_be_shown_is() -> None:
    letters = "".join(map(chr, range(0x20, 0x7F)))
    assert challenge.quoted(letters).replace("\\", "") == f'"{letters}"'.replace("\\", "")
    assert challenge.quoted("~\x7fé") == '"~??"'


def test_a_token_of_who_is_gone_is_of_who_is_gone() -> None:
    it = with_token(User(1, session_epoch=3))
    it.who()
    assert it.reasons() == ["user_gone"]


def test_what_is_malformed_is_no_other_realm_s() -> None:
    it = paper(f"Bearer {JUNK}, Bearer {JUNK}")
    it.app.extensions["quart_login"]["staff"] = Manager("staff")
    assert it.who() is None and it.identity.error is None
    assert it.reasons() == ["malformed"]


def test_another_s_login_stays_in_the_browser_though_the_token_s_user_cannot_be_loaded() -> None:
    it = Browser(users=USERS)
    it.log_in(BOB)
    held = dict(it.session)
    request = it.request(headers={"User-Agent": "paper", "Authorization": f"Bearer {token()}"})

    def fail(key: Any) -> Any:
        raise LookupError

    request.manager.user_loader(fail)
    assert request.who() is None and request.session == {}
    request.session["mine"] = 1
    it.take(request)
    assert it.session == held
