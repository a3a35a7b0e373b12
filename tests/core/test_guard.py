"""What does a stranger, or a user whose login is stale, get instead of the view?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from blinker import Signal
from core.paper import AUTOMATIC, DAY, NOW, Aborted, Manager, Paper, User, about
from werkzeug.exceptions import Unauthorized

from quart_login._core import basic, guard
from quart_login._core.load import load
from quart_login._core.protection import fingerprint
from quart_login._core.settings import EXEMPT_METHODS
from quart_login._core.step import step

ALICE = User(7)

CLIENT = fingerprint("127.0.0.1", "paper")

FRESH = {"_user_id": 7, "_fresh": True, "_id": CLIENT}
STALE = {**FRESH, "_fresh": False}


def paper(session: Any = None, **options: Any) -> Paper:
    return Paper(session, **{"users": {7: ALICE}, **options})


def refused(it: Paper, **options: Any) -> Any:
    return step(guard.refuse(it, **options))


# --- who may enter -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "fresh", "answer"),
    [
        ({}, False, "for strangers"),
        ({}, True, "for strangers"),
        (STALE, False, None),
        (STALE, True, "for stale logins"),
        (FRESH, False, None),
        (FRESH, True, None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", None])
def test_a_view_runs_for_a_user_and_a_fresh_one_where_that_is_asked(
    session: Any, fresh: bool, answer: Any, method: Any
) -> None:
    assert refused(paper(session, method=method), fresh=fresh) == answer


class Own(Manager):
    """A manager whose answers are those of the core, as the shells' are."""

    def unauthorized(self) -> Any:
        raise AssertionError("There was no need to ask.")

    needs_refresh = unauthorized
    own_answers = (unauthorized,)


@pytest.mark.parametrize("session", [{}, STALE])
def test_an_answer_that_nobody_replaced_is_the_cores(session: Any) -> None:
    it = paper(session)
    it.manager.__class__ = Own
    with pytest.raises(Unauthorized):
        refused(it, fresh=True)
    for name in ("unauthorized", "needs_refresh"):
        setattr(it.manager, name, lambda: "replaced")
    assert refused(it, fresh=True) == "replaced"


@pytest.mark.parametrize(("session", "name"), [({}, "unauthorized"), (STALE, "needs_refresh")])
def test_an_answer_that_is_none_lets_nobody_in(session: Any, name: str) -> None:
    it = paper(session)
    setattr(it.manager, name, lambda: None)
    with pytest.raises(TypeError, match=r"returned None.*Return a response"):
        refused(it, fresh=True)


def test_a_callback_that_returns_none_lets_nobody_in() -> None:
    it = paper()
    it.manager.__class__ = Own
    it.manager.unauthorized_handler(lambda: None)
    with pytest.raises(TypeError, match="returned None"):
        refused(it)


def test_freshness_is_not_asked_unless_it_is_said() -> None:
    assert refused(paper(STALE)) is None


def test_a_guard_loads_and_looks_and_tells() -> None:
    it = paper(FRESH, cookies={"remember_token": "1|é"})
    assert refused(it) is None
    assert it.identity.loaded and it.identity.seen and it.session.accessed
    assert it.names() == ["accessed", "credential-rejected"]


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("news", [True, False])
def test_a_guard_tells_what_was_not_told_yet(seen: bool, news: bool) -> None:
    it = paper(FRESH, cookies={"remember_token": "1|é"} if news else {})
    step(guard.known(it) if seen and not news else it.load_user())
    it.identity.seen = seen
    it.told.clear()
    assert refused(it) is None
    assert it.names() == ["accessed"] * (not seen) + ["credential-rejected"] * news


def test_a_guard_loads_a_user_who_was_looked_for_and_not_loaded() -> None:
    it = paper(FRESH)
    it.identity.seen = True
    assert refused(it) is None
    assert it.identity.user is ALICE and it.names() == []


def test_a_websocket_has_no_method_and_is_guarded() -> None:
    it = paper(websocket=True)
    del it.request.method
    assert refused(it) == "for strangers"


def admitted(it: Paper) -> bool:
    return guard.admits(it.identity, it.session)


def test_it_is_plain_that_a_user_who_was_loaded_may_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "user_accessed", Signal())
    it = paper(FRESH)
    assert not admitted(it)
    step(it.load_user())
    assert not it.session.accessed
    assert admitted(it) and it.identity.seen and it.session.accessed
    assert admitted(it)


@pytest.mark.parametrize("active", [False, lambda: True, 1])
def test_it_is_not_plain_for_another_than_an_authenticated_user(active: Any) -> None:
    it = paper()
    it.bind(User(9, active=active), forced=True)
    assert not admitted(it) and not it.identity.seen
    it.bind(None)
    assert not admitted(it)


def test_it_is_not_plain_where_there_is_something_to_tell() -> None:
    it = paper(FRESH, cookies={"remember_token": "1|é"})
    step(it.load_user())
    assert it.identity.news and not admitted(it)


def test_it_is_not_plain_where_somebody_hears_that_the_user_was_looked_at() -> None:
    it = paper(FRESH)
    step(it.load_user())
    assert not admitted(it) and not it.identity.seen
    it.identity.seen = True
    assert admitted(it)


def test_a_user_who_is_forced_in_may_enter() -> None:
    it = paper()
    it.bind(User(9, active=False), forced=True)
    assert refused(it) is None


@pytest.mark.parametrize("fresh", [True, False])
def test_where_logins_are_disabled_every_view_runs_and_nobody_is_asked(fresh: bool) -> None:
    it = Paper(config={"LOGIN_DISABLED": True})
    assert refused(it, fresh=fresh) is None
    assert it.told == [] and not it.identity.loaded


def test_the_loaders_exception_is_raised_and_nobody_is_sent_to_log_in() -> None:
    def loader(key: Any) -> Any:
        raise ConnectionError("the database is down")

    it = paper(FRESH, users=loader)
    with pytest.raises(ConnectionError, match="the database is down"):
        refused(it)
    assert "unauthorized" not in it.names()


def test_a_loader_that_takes_too_long_is_503() -> None:
    def loader(key: Any) -> Any:
        raise TimeoutError

    it = paper(FRESH, users=loader)
    with pytest.raises(Aborted, match="503"):
        refused(it)
    assert "unauthorized" not in it.names()


# --- OPTIONS -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "fresh", "answer"),
    [
        ({}, False, AUTOMATIC),
        ({}, True, AUTOMATIC),
        (STALE, False, None),
        (STALE, True, AUTOMATIC),
        (FRESH, True, None),
    ],
)
def test_an_options_request_of_anybody_else_gets_the_automatic_answer(
    session: Any, fresh: bool, answer: Any
) -> None:
    it = paper(session, method="OPTIONS")
    assert refused(it, fresh=fresh) == answer
    assert "unauthorized" not in it.names() and "needs-refresh" not in it.names()


def test_an_options_request_without_any_loader_gets_the_automatic_answer() -> None:
    assert refused(Paper(FRESH, method="OPTIONS")) == AUTOMATIC


def test_an_options_request_may_be_named_by_the_request_loader_alone() -> None:
    it = Paper(method="OPTIONS")
    it.manager.request_loader(lambda request: ALICE)
    assert refused(it) is None


def test_an_options_request_whose_loader_fails_gets_the_automatic_answer() -> None:
    def loader(key: Any) -> Any:
        raise ConnectionError

    assert refused(paper(FRESH, users=loader, method="OPTIONS")) == AUTOMATIC


def test_a_method_that_the_application_exempts_runs_the_view() -> None:
    EXEMPT_METHODS.add("PURGE")
    try:
        assert refused(paper(method="PURGE")) is None
    finally:
        EXEMPT_METHODS.remove("PURGE")
    assert refused(paper(method="PURGE")) == "for strangers"


# --- what a stranger gets ------------------------------------------------------------------------


def unauthorized(it: Paper) -> Any:
    return step(guard.unauthorized(it))


def needs_refresh(it: Paper) -> Any:
    return step(guard.needs_refresh(it))


ANSWERS = [(unauthorized, "unauthorized"), (needs_refresh, "needs-refresh")]


@pytest.mark.parametrize(("answer", "signal"), ANSWERS)
def test_without_a_page_to_go_to_it_is_401(answer: Any, signal: str) -> None:
    it = paper()
    with pytest.raises(Unauthorized):
        answer(it)
    assert it.names() == [signal]
    assert it.web.flashed == []


@pytest.mark.parametrize(("answer", "signal"), ANSWERS)
def test_a_websocket_is_refused_with_401_whatever_pages_there_are(answer: Any, signal: str) -> None:
    it = paper(websocket=True)
    it.manager.login_view = it.manager.refresh_view = "/login"
    it.manager.unauthorized_handler(lambda: "a page")
    it.manager.needs_refresh_handler(lambda: "a page")
    with pytest.raises(Unauthorized):
        answer(it)
    assert it.names() == [signal]


@pytest.mark.parametrize("answer", [unauthorized, needs_refresh])
def test_the_applications_handler_has_its_way(answer: Any) -> None:
    async def waiting() -> str:
        return "from a coroutine"

    it = paper()
    it.manager.login_view = it.manager.refresh_view = "/login"
    handler = (
        it.manager.unauthorized_handler
        if answer is unauthorized
        else it.manager.needs_refresh_handler
    )
    handler(lambda: "from a function")
    assert answer(it) == "from a function"
    handler(waiting)
    assert answer(it) == "from a coroutine"
    assert it.web.flashed == []


def test_a_stranger_is_sent_to_the_login_page_and_told_why() -> None:
    it = paper(path="/private", query_string=b"a=1")
    it.manager.login_view = "login"
    assert unauthorized(it) == (302, "/url/for/login?next=%2Fprivate%3Fa%3D1")
    assert it.web.flashed == [("Please log in to access this page.", "message")]
    assert it.session == {}


@pytest.mark.parametrize("negotiated", [True, False])
def test_a_stranger_whom_another_site_sent_is_told_nothing(negotiated: bool) -> None:
    settings = {"USE_SESSION_FOR_NEXT": True, "LOGIN_NEGOTIATE": negotiated}
    it = paper(
        path="/form", method="POST", headers={"Sec-Fetch-Site": "cross-site"}, config=settings
    )
    it.manager.login_view = "login"
    assert unauthorized(it).status_code == 302
    # A session that is written would replace the one that the browser kept back.
    assert it.web.flashed == [] and it.session == {}


def test_a_user_whose_login_is_stale_is_sent_to_the_refresh_page_and_told_why() -> None:
    it = paper(path="/private")
    it.manager.login_view = "login"
    it.manager.refresh_view = "refresh"
    it.manager.blueprint_login_views = {None: "other"}
    assert needs_refresh(it) == (302, "/url/for/refresh?next=%2Fprivate")
    assert it.web.flashed == [("Please reauthenticate to access this page.", "message")]


def test_the_messages_and_categories_are_the_managers() -> None:
    it = paper()
    manager = it.manager
    manager.login_view, manager.refresh_view = "login", "refresh"
    manager.login_message, manager.login_message_category = "Log in", "info"
    manager.needs_refresh_message, manager.needs_refresh_message_category = "Again", "error"
    unauthorized(it)
    needs_refresh(it)
    assert it.web.flashed == [("Log in", "info"), ("Again", "error")]


@pytest.mark.parametrize("message", [None, ""])
def test_without_a_message_nothing_is_shown(message: Any) -> None:
    it = paper()
    it.manager.login_view, it.manager.login_message = "login", message
    unauthorized(it)
    assert it.web.flashed == []


def test_the_messages_are_translated_by_a_callback_of_either_colour() -> None:
    async def waiting(text: str) -> str:
        return f"awaited: {text}"

    it = paper()
    it.manager.login_view, it.manager.refresh_view = "login", "refresh"
    it.manager.localize_callback = lambda text: f"called: {text}"
    unauthorized(it)
    it.manager.localize_callback = waiting
    needs_refresh(it)
    assert it.web.flashed == [
        ("called: Please log in to access this page.", "message"),
        ("awaited: Please reauthenticate to access this page.", "message"),
    ]


def test_the_login_page_is_that_of_the_blueprint() -> None:
    it = paper(blueprints=["shop"])
    it.manager.login_view = "login"
    it.manager.blueprint_login_views = {"shop": "shop.login"}
    assert unauthorized(it) == (302, "/url/for/shop.login?next=%2Fpage")


def test_a_login_page_elsewhere_gets_the_whole_url() -> None:
    it = paper()
    it.manager.login_view = "https://accounts/login"
    assert unauthorized(it) == (302, "https://accounts/login?next=http%3A%2F%2Flocalhost%2Fpage")


def test_a_page_that_cannot_be_fetched_by_get_is_none_to_come_back_to() -> None:
    it = paper(method="POST", url_rule=SimpleNamespace(methods={"POST"}))
    it.manager.login_view = "login"
    assert unauthorized(it) == (302, "/url/for/login")


# --- what the client asked for -------------------------------------------------------------------

JSON = {"Accept": "application/json"}
XHR = {"X-Requested-With": "XMLHttpRequest"}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/list?p=2"}
VARY = {"Accept", "X-Requested-With", "HX-Request"}
HTMX_VARY = VARY | {"HX-Current-URL", "HX-History-Restore-Request"}

DEMANDS = [
    (unauthorized, "login_required", "Please log in to access this page."),
    (needs_refresh, "fresh_login_required", "Please reauthenticate to access this page."),
]


def asking(headers: dict[str, str], **options: Any) -> Paper:
    """Return a request of a stranger with these *headers*, where there are pages to go to."""
    it = paper(headers=headers, **options)
    it.manager.login_view = it.manager.refresh_view = "login"
    return it


def refusal(answer: Any, it: Paper) -> Any:
    """Return the response of the refusal that *answer* raises."""
    with pytest.raises(Unauthorized) as raised:
        answer(it)
    return raised.value.get_response()


@pytest.mark.parametrize("headers", [JSON, XHR])
@pytest.mark.parametrize(("answer", "code", "detail"), DEMANDS)
@pytest.mark.parametrize("page", ["login", None])
def test_a_program_is_told_in_json_what_is_missing(
    headers: Any, answer: Any, code: str, detail: str, page: Any
) -> None:
    it = asking(headers, config={"USE_SESSION_FOR_NEXT": True})
    it.manager.login_view = it.manager.refresh_view = page
    response = refusal(answer, it)
    assert (response.status_code, response.content_type) == (401, "application/problem+json")
    assert response.get_json(force=True) == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": detail,
        "code": code,
    }
    assert set(response.vary) == VARY
    assert response.headers.getlist("WWW-Authenticate") == it.manager.challenges(it) != []
    # Nobody sees a page, so nothing is kept for one.
    assert it.web.flashed == [] and it.session == {}


@pytest.mark.parametrize(("answer", "code", "detail"), DEMANDS)
def test_a_program_reads_the_applications_own_words_translated(
    answer: Any, code: str, detail: str
) -> None:
    it = asking(JSON)
    it.manager.login_message = it.manager.needs_refresh_message = "hello"
    it.manager.localize_callback = str.upper
    assert refusal(answer, it).get_json(force=True)["detail"] == "HELLO"
    it.manager.login_message = it.manager.needs_refresh_message = None
    assert refusal(answer, it).get_json(force=True)["detail"] == detail.upper()


@pytest.mark.parametrize(("answer", "code", "detail"), DEMANDS)
def test_htmx_is_told_to_go_to_the_page_and_come_back_to_its_own(
    answer: Any, code: str, detail: str
) -> None:
    it = asking(HTMX, path="/part")
    response = answer(it)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/url/for/login?next=%2Flist%3Fp%3D2"
    assert "Location" not in response.headers
    assert set(response.vary) == HTMX_VARY
    assert response.headers.getlist("WWW-Authenticate") == it.manager.challenges(it) != []
    assert it.web.flashed == [(detail, "message")]


def test_htmx_keeps_its_page_in_the_session_where_that_is_said() -> None:
    it = asking(HTMX, config={"USE_SESSION_FOR_NEXT": True})
    assert unauthorized(it).headers["HX-Redirect"] == "/url/for/login"
    assert it.session["next"] == "/list?p=2"


def test_htmx_without_a_page_of_this_site_comes_back_to_none() -> None:
    it = asking({**HTMX, "HX-Current-URL": "http://evil.com/"}, path="/part")
    assert unauthorized(it).headers["HX-Redirect"] == "/url/for/login"


def test_a_page_that_takes_no_get_is_none_to_come_back_to() -> None:
    it = asking(HTMX)
    it.pages["/list"] = ["POST"]
    assert unauthorized(it).headers["HX-Redirect"] == "/url/for/login"
    it = asking({"Referer": "http://localhost/list"}, method="POST")
    it.pages["/list"] = ["POST"]
    assert unauthorized(it) == (302, "/url/for/login")
    it = asking({}, method="POST")
    it.pages["/page"] = ["POST", "GET"]
    assert unauthorized(it) == (302, "/url/for/login?next=%2Fpage")


@pytest.mark.parametrize(
    "headers", [{}, {"Accept": "*/*"}, {"HX-Request": "true", "HX-History-Restore-Request": "true"}]
)
@pytest.mark.parametrize(("answer", "code", "detail"), DEMANDS)
def test_a_browser_is_redirected_and_caches_are_told_of_the_choice(
    headers: Any, answer: Any, code: str, detail: str
) -> None:
    response = answer(asking(headers))
    assert response == (302, "/url/for/login?next=%2Fpage")
    assert set(response.vary) == (HTMX_VARY if "HX-Request" in headers else VARY)
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(("answer", "code", "detail"), DEMANDS)
def test_without_a_page_caches_are_told_of_the_choice_too(
    headers: Any, answer: Any, code: str, detail: str
) -> None:
    it = paper(headers=headers)
    response = refusal(answer, it)
    assert response.mimetype == "text/html" and set(response.vary) >= VARY
    assert response.headers.getlist("WWW-Authenticate") == it.manager.challenges(it)


@pytest.mark.parametrize("headers", [JSON, XHR, HTMX, {}])
@pytest.mark.parametrize(("answer", "code", "detail"), DEMANDS)
def test_nothing_is_negotiated_where_that_is_said(
    headers: Any, answer: Any, code: str, detail: str
) -> None:
    it = asking(headers, config={"LOGIN_NEGOTIATE": False})
    response = answer(it)
    assert response == (302, "/url/for/login?next=%2Fpage")
    assert not response.vary and "HX-Redirect" not in response.headers
    it.manager.login_view = it.manager.refresh_view = None
    with pytest.raises(Unauthorized) as raised:
        answer(it)
    assert raised.value.response is None


@pytest.mark.parametrize("headers", [JSON, XHR, HTMX, {}])
def test_the_applications_handler_answers_everybody(headers: Any) -> None:
    it = asking(headers)
    it.manager.unauthorized_handler(lambda: "own")
    it.manager.needs_refresh_handler(lambda: "own")
    assert unauthorized(it) == needs_refresh(it) == "own"


def test_who_sent_a_credential_in_a_header_is_sent_to_no_page() -> None:
    it = asking({})
    it.identity.scheme = "bearer"
    assert refusal(unauthorized, it).mimetype == "text/html"
    it = asking(HTMX)
    it.identity.scheme = "bearer"
    assert refusal(unauthorized, it).mimetype == "text/html"


# --- login pages that are called -----------------------------------------------------------------


def test_a_login_page_may_be_named_by_a_function_of_either_colour() -> None:
    async def waiting() -> str:
        return "/later"

    it = paper()
    it.manager.login_view = lambda: "login"
    it.manager.refresh_view = waiting
    assert unauthorized(it) == (302, "/url/for/login?next=%2Fpage")
    assert needs_refresh(it) == (302, "/later?next=%2Fpage")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_function_that_names_no_page_leaves_it_to_the_next(nothing: Any) -> None:
    it = paper(blueprints=["shop.admin", "shop"])
    it.manager.blueprint_login_views = {"shop.admin": lambda: nothing, "shop": lambda: "/shop"}
    assert unauthorized(it) == (302, "/shop?next=%2Fpage")
    it.manager.blueprint_login_views = {"shop": lambda: nothing, None: lambda: nothing}
    it.manager.login_view = "/login"
    assert unauthorized(it) == (302, "/login?next=%2Fpage")
    it.manager.login_view = lambda: nothing
    with pytest.raises(Unauthorized):
        unauthorized(it)


def test_a_function_is_not_called_where_no_page_is_needed() -> None:
    def never() -> str:
        raise AssertionError

    it = asking(JSON)
    it.manager.login_view = never
    refusal(unauthorized, it)
    it = paper(blueprints=["shop"])
    it.manager.blueprint_login_views, it.manager.login_view = {"shop": "/shop"}, never
    assert unauthorized(it) == (302, "/shop?next=%2Fpage")


def test_a_function_that_raises_is_a_developers_mistake() -> None:
    def broken() -> str:
        raise LookupError("no tenant")

    it = paper()
    it.manager.login_view = broken
    with pytest.raises(LookupError, match="no tenant"):
        unauthorized(it)


@pytest.mark.parametrize("named", [7, b"/login", ["login"]])
def test_a_function_that_names_something_else_is_told_what_to_return(named: Any) -> None:
    it = paper()
    it.manager.login_view = lambda: named
    with pytest.raises(TypeError, match="must return an endpoint, a URL or None"):
        unauthorized(it)


@pytest.mark.parametrize("called", [True, False])
def test_a_relative_endpoint_is_of_the_blueprint_whose_login_page_it_is(called: bool) -> None:
    view: Any = (lambda: ".login") if called else ".login"
    it = paper(blueprints=["shop.admin", "shop"])
    it.manager.blueprint_login_views = {"shop": view}
    assert unauthorized(it) == (302, "/url/for/shop.login?next=%2Fpage")
    it.manager.blueprint_login_views = {"admin": view}
    assert unauthorized(it) == (302, "/url/for/shop.admin.login?next=%2Fpage")
    it.manager.blueprint_login_views = {}
    it.manager.login_view = it.manager.refresh_view = view
    assert unauthorized(it) == (302, "/url/for/.login?next=%2Fpage")
    assert needs_refresh(it) == (302, "/url/for/.login?next=%2Fpage")


# --- the page to come back to, in the session ----------------------------------------------------


def in_session(session: Any = None, **request: Any) -> Paper:
    it = paper(session, config={"USE_SESSION_FOR_NEXT": True}, **request)
    it.manager.login_view = it.manager.refresh_view = "login"
    return it


@pytest.mark.parametrize("answer", [unauthorized, needs_refresh])
def test_the_page_to_come_back_to_may_be_kept_in_the_session(answer: Any) -> None:
    it = in_session(path="/private", query_string=b"a=1")
    assert answer(it) == (302, "/url/for/login")
    assert it.session == {"next": "/private?a=1", "_id": CLIENT}


def test_an_older_page_to_come_back_to_is_forgotten_where_there_is_none() -> None:
    it = in_session({"next": "/old"}, method="POST")
    assert unauthorized(it) == (302, "/url/for/login")
    assert it.session == {}


def test_keeping_the_page_does_not_bind_a_login_to_the_client_that_asked() -> None:
    it = in_session({"_user_id": 7, "_id": "of another client"}, path="/private")
    assert needs_refresh(it) == (302, "/url/for/login")
    assert it.session["_id"] == "of another client" and it.session["next"] == "/private"


def test_where_nobody_listens_a_look_at_a_loaded_user_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("quart_login._core.load.user_accessed", Signal())
    it = paper({"_user_id": 7, "_id": CLIENT}, users={7: User(7)})
    step(load(it))
    assert not it.identity.seen
    assert step(guard.refuse(it)) is None
    assert it.identity.seen and it.session.accessed and it.names() == []


# --- an age of its own ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "max_age", "expected"),
    [
        (300, 300, None),
        (301, 300, "for stale logins"),
        (301, 300.5, "for stale logins"),
        (0, 0, None),
        (1, 0, "for stale logins"),
        (2 * DAY, 3 * DAY, None),  # longer than LOGIN_FRESH_DURATION, too
    ],
)
def test_a_view_may_name_how_long_a_login_is_fresh(age: int, max_age: float, expected: Any) -> None:
    it = paper({**FRESH, "_login_record": about(7, fresh_since=int(NOW) - age)})
    assert refused(it, fresh=True, max_age=max_age) == expected


def test_it_asks_nothing_of_a_view_that_wants_no_fresh_login() -> None:
    it = paper({**STALE, "_login_record": about(7)})
    assert refused(it, max_age=0) is None


def test_a_login_that_carries_no_time_has_no_age() -> None:
    it = paper({**FRESH, "_login_record": about(7)})
    assert refused(it, fresh=True) is None
    assert refused(it.again(), fresh=True, max_age=DAY) == "for stale logins"


def test_options_tell_it_to_nobody_whose_login_is_older() -> None:
    session = {**FRESH, "_login_record": about(7, fresh_since=int(NOW) - 301)}
    assert refused(paper(session, method="OPTIONS"), fresh=True) is None
    assert refused(paper(session, method="OPTIONS"), fresh=True, max_age=300) == AUTOMATIC


def test_it_is_not_plain_that_who_is_bound_and_not_authenticated_may_enter() -> None:
    it = paper(FRESH)
    it.identity.seen = True
    it.bind(it.manager.anonymous_user())
    assert not admitted(it)
    it.bind(User(7, active=False), forced=True)
    assert not admitted(it)
    it.bind(ALICE)
    assert admitted(it)


@pytest.mark.parametrize(
    ("same_site", "withheld"), [(None, True), ("Lax", True), ("Strict", True), ("None", False)]
)
def test_what_another_site_s_form_began_writes_no_session(same_site: Any, withheld: bool) -> None:
    config = {"USE_SESSION_FOR_NEXT": True, "SESSION_COOKIE_SAMESITE": same_site}
    headers = {"Sec-Fetch-Site": "cross-site"}
    it = paper({}, config=config, method="POST", headers=headers)
    it.manager.login_view = "/login"
    it.pages["/page"] = ["GET", "POST"]
    answer = step(guard.unauthorized(it))
    assert ("next=" in answer.headers["Location"]) is withheld
    assert (it.session == {}) is withheld and (it.web.flashed == []) is withheld


def test_it_is_not_plain_where_somebody_is_yet_to_be_told() -> None:
    it = paper(FRESH)
    it.identity.seen = True
    it.bind(ALICE)
    it.identity.tell(Signal())
    assert not admitted(it)


def test_a_refused_password_is_told_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    names = basic.Names()
    config = {"LOGIN_BASIC_USERNAME": "me", "LOGIN_BASIC_PASSWORD": "word"}
    it = paper({}, config=config, headers={"Authorization": "Basic bWU6b3RoZXI="})
    with pytest.raises(Unauthorized):
        step(guard.refuse_basic(it, names))
    [line] = caplog.records
    assert (line.event, line.reason) == ("credential_rejected", "wrong_password")  # type: ignore[attr-defined]


def test_it_is_not_plain_before_it_was_found_out() -> None:
    it = paper(FRESH)
    it.identity.seen, it.identity.user = True, ALICE
    assert not admitted(it)


def test_where_options_is_not_exempt_it_asks_for_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = {"LOGIN_BASIC_USERNAME": "me", "LOGIN_BASIC_PASSWORD": "word"}
    it = paper({}, config=config, method="OPTIONS")
    assert step(guard.refuse_basic(it, basic.Names())) == AUTOMATIC
    monkeypatch.setattr(guard, "EXEMPT_METHODS", set())
    with pytest.raises(Unauthorized):
        step(guard.refuse_basic(it, basic.Names()))
