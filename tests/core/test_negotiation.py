"""Who asks: somebody in front of a browser, a script of htmx, or a program?"""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from quart_login._core.challenge import Unauthorized as Challenging
from quart_login._core.negotiation import (
    MAX_ACCEPT,
    PROBLEM,
    Client,
    by_htmx,
    client_of,
    depends_on,
    prefers_json,
    problem,
)

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
IMAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html",
        "text/*",
        "text/plain",
        "text/event-stream",
        "image/png",
        FIREFOX,
        CHROME,
        IMAGE,
        "text/html, application/json",
        "application/json, text/html",
        "text/html, application/json;q=0.9",
        "text/html, */*;q=0.1",
        "application/json;q=0",
        "application/json;q=0, */*",
        "application/json;q=2",
        "application/json;q=x",
        "text/html;level=1, application/json;q=0.9",
        "application/jsonp",
        "json",
        "+json",
        "/+json",
        "*/+json",
        "*/a+json",
        "a/*+json",
        "*/json",
        ",",
        ";",
        "/",
        '"',
    ],
)
def test_who_does_not_rather_read_json_is_a_browser(accept: str) -> None:
    assert client_of({"Accept": accept}) is Client.BROWSER


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json, text/plain, */*",
        "application/json, */*;q=0.5",
        "application/problem+json",
        "application/vnd.api+json",
        "application/ld+json;profile=x",
        "application/*",
        "application/json, text/html;q=0.9",
        "text/html;q=0.5, application/vnd.api+json;q=0.6",
        "text/html;q=0, */*",
        "application/vnd.a+json;v=1;q=0.1, application/vnd.b+json, text/html;q=0.5",
    ],
)
def test_who_rather_reads_json_than_html_is_a_program(accept: str) -> None:
    assert client_of({"Accept": accept}) is Client.PROGRAM
    assert client_of({"Accept": accept, "X-Requested-With": "other"}) is Client.PROGRAM


def test_a_request_that_says_nothing_is_a_browsers() -> None:
    assert client_of({}) is Client.BROWSER


@pytest.mark.parametrize("word", ["XMLHttpRequest", "xmlhttprequest"])
def test_a_script_that_says_that_it_is_one_is_a_program(word: str) -> None:
    assert client_of({"X-Requested-With": word}) is Client.PROGRAM
    assert client_of({"X-Requested-With": word, "Accept": "text/html"}) is Client.PROGRAM


def test_htmx_is_known_by_its_header_whatever_else_it_says() -> None:
    assert client_of({"HX-Request": "true"}) is Client.HTMX
    others = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"}
    assert client_of({"HX-Request": "true", **others}) is Client.HTMX
    assert client_of({"HX-Request": "false"}) is Client.BROWSER
    assert client_of({"HX-Request": "false", **others}) is Client.PROGRAM


def test_htmx_that_restores_a_page_of_the_history_is_answered_as_a_browser() -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert client_of(headers) is Client.BROWSER


@pytest.mark.parametrize(
    ("accept", "client"),
    [
        ("text/html,application/xml;q=0.9,*/*;q=0.8", Client.BROWSER),
        ("text/html,*/*", Client.BROWSER),
        ("text/html,application/JSON;q=0.5", Client.BROWSER),
        ("text/html,application/*", Client.BROWSER),
        ("text/html;q=0.5,*/*", Client.PROGRAM),
    ],
)
def test_what_browsers_send_is_told_at_once_and_alike(accept: str, client: Client) -> None:
    assert client_of({"Accept": accept}) is client
    assert client_of({"Accept": f" {accept}"}) is client  # taken apart


def test_the_answer_depends_on_what_was_looked_at() -> None:
    always = "Accept, X-Requested-With, HX-Request"
    assert depends_on({}) == depends_on({"HX-Request": "false"}) == always
    htmx = f"{always}, HX-Current-URL, HX-History-Restore-Request"
    assert depends_on({"HX-Request": "true"}) == htmx


# --- P2 ------------------------------------------------------------------------------------------

TYPES = st.lists(
    st.sampled_from([*'/*;,="\\ \t+', "q", "json", "text/html", "a/b+json", "0.5", "é", "*/*"]),
    max_size=30,
).map("".join)


@given(st.text() | TYPES)
def test_no_accept_is_an_error(accept: str) -> None:
    assert prefers_json(accept) in (True, False)


@pytest.mark.parametrize("part", ["a/b+json,", "*/*;q=0.1,", ",", '"', 'a/b;x="\\'])
def test_a_long_accept_is_not_even_parsed(part: str) -> None:
    begun = time.perf_counter()
    assert not prefers_json("application/json," + part * 10_000)
    assert time.perf_counter() - begun < 0.005
    assert prefers_json("application/json".ljust(MAX_ACCEPT))
    assert not prefers_json("application/json".ljust(MAX_ACCEPT + 1))


# --- answers -------------------------------------------------------------------------------------


def test_a_problem_is_that_of_rfc_9457() -> None:
    answer = problem(Unauthorized(), "login_required", "Please lög in.")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.get_data().isascii()
    assert json.loads(answer.get_data()) == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Please lög in.",
        "code": "login_required",
    }


def test_a_problem_has_the_headers_of_the_refusal() -> None:
    refusal = Challenging()
    refusal.challenges = ('Bearer realm="a"', 'Basic realm="b"')
    answer = problem(refusal, "", "")
    assert answer.headers.getlist("WWW-Authenticate") == ['Bearer realm="a"', 'Basic realm="b"']
    assert answer.headers.getlist("Content-Type") == ["application/problem+json"]


def test_htmx_is_told_to_go_there_by_a_header() -> None:
    redirect = Response("", 302, {"Location": "/zoë?next=%2Fa", "Vary": "Accept"})
    answer = by_htmx(redirect, ['Bearer realm="a"', 'basic realm="b"'])
    assert answer.status_code == 401
    assert "Location" not in answer.headers
    assert answer.headers["HX-Redirect"] == "/zo%C3%AB?next=%2Fa"
    assert answer.headers["Vary"] == "Accept"
    # Basic would have the browser show a dialogue before htmx sees anything.
    assert answer.headers.getlist("WWW-Authenticate") == ['Bearer realm="a"']


def test_a_problem_has_one_content_type() -> None:
    found = problem(Unauthorized(), "code", "detail")
    assert found.headers.getlist("Content-Type") == [PROBLEM]
