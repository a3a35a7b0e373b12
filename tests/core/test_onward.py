"""Where does a visitor go after the login?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import Paper
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from quart_login._core import onward
from quart_login._core.errors import OutOfPlace
from quart_login._core.step import step


def paper(
    *, query: Any = None, form: Any = None, session: Any = None, method: str = "POST", **fields: Any
) -> Paper:
    args = {} if query is None else {"next": query}
    it = Paper({} if session is None else {"next": session}, method=method, args=args, **fields)
    it.fields = {} if form is None else {"next": form}
    return it


def redirected(it: Paper, *args: Any, **kwargs: Any) -> Any:
    return step(onward.redirect_next(it, *args, **kwargs))


@pytest.mark.parametrize(
    ("query", "form", "session", "target"),
    [
        (None, None, None, "/home"),
        ("/query", None, None, "/query"),
        (None, "/form", None, "/form"),
        (None, None, "/session", "/session"),
        ("/query", "/form", "/session", "/query"),
        (None, "/form", "/session", "/form"),
        ("//evil.com", "/form", None, "/form"),
        ("//evil.com", "//evil.com", "/session", "/session"),
        ("//evil.com", "//evil.com", "//evil.com", "/home"),
        ("", "", "", "/home"),
        (None, None, 7, "/home"),
    ],
)
def test_the_first_that_is_safe_counts_query_form_session(
    query: Any, form: Any, session: Any, target: str
) -> None:
    assert redirected(paper(query=query, form=form, session=session), "/home") == (303, target)


def test_without_a_fallback_it_is_the_root() -> None:
    assert redirected(paper()) == (303, "/")


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303), ("PUT", 303)]
)
def test_the_page_is_fetched_by_get(method: str, status: int) -> None:
    assert redirected(paper(query="/a", method=method)) == (status, "/a")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_without_a_body_has_no_form(method: str) -> None:
    assert redirected(paper(form="/form", method=method)) == (302, "/")


@pytest.mark.parametrize("session", ["/session", "//evil.com"])
@pytest.mark.parametrize("query", [None, "/query"])
def test_the_session_forgets_the_page_whether_it_was_used_or_not(query: Any, session: Any) -> None:
    it = paper(query=query, session=session)
    redirected(it)
    assert it.session == {} and it.session.modified


def test_a_session_that_names_no_page_is_not_written() -> None:
    it = paper(query="/a")
    redirected(it)
    assert not it.session.modified


def test_the_field_may_have_another_name() -> None:
    it = paper(form="/form")
    it.request.args = {"back": "/back", "next": "/next"}
    assert redirected(it, next_field="back") == (303, "/back")
    it.request.args, it.fields = {}, {"back": "/by-form"}
    assert redirected(it, "/", "back") == (303, "/by-form")


def test_a_url_of_this_host_is_reduced_to_its_path() -> None:
    it = paper(query="http://shop/a?b", host="shop")
    assert redirected(it) == (303, "/a?b")
    assert redirected(paper(form="http://shop/a", host="shop")) == (303, "/a")
    assert redirected(paper(session="http://shop/a", host="shop")) == (303, "/a")
    assert redirected(paper(query="http://evil.com/a", host="shop")) == (303, "/")


@pytest.mark.parametrize("error", [RequestEntityTooLarge(), RequestTimeout(), ValueError("bytes")])
def test_a_form_that_cannot_be_read_names_no_page(error: Exception) -> None:
    class Broken(Paper):
        async def form(self) -> Any:
            raise error

    it = Broken({"next": "/session"}, method="POST")
    assert redirected(it, "/home") == (303, "/session")
    assert redirected(it, "/home") == (303, "/home")


def test_a_query_that_cannot_be_read_names_no_page() -> None:
    class Broken:
        def get(self, name: str) -> Any:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    it = paper(form="/form")
    it.request.args = Broken()
    assert redirected(it, "/home") == (303, "/form")


def test_a_websocket_is_not_redirected() -> None:
    with pytest.raises(OutOfPlace, match="websocket"):
        redirected(Paper(websocket=True))
