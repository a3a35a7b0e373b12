"""Who is sent away from a page for strangers, and what does a stranger at a fence learn?"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Aborted, Paper
from core.test_guard import FRESH, STALE, paper, refused

from quart_login._core import guard, urls
from quart_login._core.settings import EXEMPT_METHODS
from quart_login._core.step import step


def sent(it: Paper, target: str | None = None) -> Any:
    return step(guard.send_away(it, target))


# --- from a page for strangers -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_a_user_is_sent_away_and_a_stranger_is_not(method: str) -> None:
    assert sent(paper({}, method=method)) is None
    for session in (FRESH, STALE):
        assert sent(paper(session, method=method)) == (302, "/")


def test_the_target_is_the_root_of_the_application_or_what_is_said() -> None:
    assert sent(paper(FRESH, root_path="/app")) == (302, "/app/")
    assert sent(paper(FRESH), "index") == (302, "/url/for/index")
    assert sent(paper(FRESH), "https://example.com/") == (302, "https://example.com/")


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        ("/page", {}),
        ("/page/", {}),
        ("/page?a=1", {}),
        ("/page", {"path": "/page/"}),
        ("http://localhost/page", {}),
        ("/app/page", {"root_path": "/app"}),
        ("/h%C3%A9re", {"path": "/hére"}),
        (None, {"path": "/"}),
        (None, {"path": "/", "root_path": "/app/"}),
    ],
)
def test_who_is_there_already_stays(target: str | None, request_: dict[str, Any]) -> None:
    assert sent(paper(FRESH, **request_), target) is None


@pytest.mark.parametrize("target", ["/pages", "http://example.com/page", "/app/page"])
def test_another_page_is_another(target: str) -> None:
    assert sent(paper(FRESH), target) == (302, target)


def test_in_a_websocket_it_is_403() -> None:
    assert sent(paper({}, websocket=True)) is None
    with pytest.raises(Aborted, match="403"):
        sent(paper(FRESH, websocket=True))


def test_with_logins_disabled_nobody_is_sent_away() -> None:
    it = paper(FRESH, config={"LOGIN_DISABLED": True})
    assert sent(it) is None
    assert not it.identity.loaded


def test_whose_user_cannot_be_loaded_sees_the_page() -> None:
    def broken(user_id: Any) -> Any:
        raise LookupError

    assert sent(paper(FRESH, users=broken)) is None


# --- at a fence ----------------------------------------------------------------------------------


def test_at_a_fence_options_is_as_any_method() -> None:
    assert refused(paper({}, method="OPTIONS"), fenced=True) == "for strangers"
    assert refused(paper(FRESH, method="OPTIONS"), fenced=True) is None


def test_at_a_fence_a_method_that_the_application_exempts_is_let_through() -> None:
    EXEMPT_METHODS.add("TRACE")
    try:
        assert refused(paper({}, method="TRACE"), fenced=True) is None
    finally:
        EXEMPT_METHODS.remove("TRACE")


def test_only_at_a_fence_the_answer_is_discreet() -> None:
    for fenced in (False, True):
        it = paper({})
        refused(it, fenced=fenced)
        assert it.identity.discreet is fenced


def back(it: Paper, **options: Any) -> str | None:
    return urls.next_url(it.request, "/login", methods_at=None, **options)


REFERRER = {"Referer": "http://localhost/from?a=1", "HX-Current-URL": "http://localhost/seen"}


@pytest.mark.parametrize("rule", [None, {"GET", "POST"}, {"POST"}])
def test_a_discreet_answer_is_the_same_whatever_the_rule(rule: Any) -> None:
    url_rule = None if rule is None else SimpleNamespace(methods=rule)
    for method, expected in (("GET", "/page"), ("HEAD", "/page"), ("POST", "/from?a=1")):
        it = paper({}, method=method, url_rule=url_rule, headers=REFERRER)
        assert back(it) == expected
        assert back(it, by_htmx=True) == "/seen"
    assert back(paper({}, method="POST", url_rule=url_rule)) is None


def test_a_stranger_at_a_fence_is_sent_back_to_where_the_form_was() -> None:
    it = paper({}, method="POST", headers=REFERRER)
    it.manager.login_view = "/login"
    it.identity.discreet = True
    assert step(guard.unauthorized(it)) == (302, "/login?next=%2Ffrom%3Fa%3D1")


@pytest.mark.parametrize("root", ["//evil.com", "/app//", "///"])
def test_no_root_of_the_application_is_another_host(root: str) -> None:
    found = sent(paper(FRESH, root_path=root))
    assert found is not None and re.match(r"/(?![/\\\\])", found.headers["Location"])


def test_a_slash_behind_the_root_makes_no_other_page() -> None:
    assert sent(paper(FRESH, root_path="/app/"), "/app/page") is None
