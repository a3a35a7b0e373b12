"""Whom does a streamed body of Flask see, and what does it leave to the thread?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response, stream_with_context
from sites import Browser, Site

from flask_compat import current_user


def who() -> str:
    return str(current_user.name) if current_user.is_authenticated else "anonymous"


async def logged_in(site: Site, path: str = "/in/1") -> Browser:
    browser = site.browser()
    assert (await browser.get(path)).status == 200
    return browser


def generated() -> Iterator[str]:
    for _ in range(2):
        yield f"{who()};"


def body_of(site: Site, browser: Browser, path: str) -> Any:
    """Return what the server gets as the body of the page at *path*."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_COOKIE": cookie,
        "HTTP_USER_AGENT": browser.headers["User-Agent"],
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return site.app.wsgi_app(environ, lambda status, headers, exc_info=None: None)


class Iterable:
    """An iterable that is no iterator, and may be begun again."""

    def __init__(self) -> None:
        self.begun_by: list[str] = []

    def __iter__(self) -> Iterator[str]:
        self.begun_by.append(who())
        return generated()


async def test_every_kind_of_stream_sees_its_user(site: Site) -> None:
    iterable = Iterable()
    bodies: dict[str, Any] = {
        "generator": lambda: generated(),
        "response": lambda: Response(generated()),
        "map": lambda: Response(map(str, generated())),
        "iterable": lambda: Response(iterable),
        "with context": lambda: stream_with_context(generated()),
    }
    for number, make in enumerate(bodies.values()):

        @site.route(f"/stream-{number}")
        async def stream(make: Any = make) -> Any:
            return make()

    one, two = await logged_in(site), await logged_in(site, "/in/2")
    for number in range(len(bodies)):
        for browser, name in ((one, "user 1"), (two, "user 2"), (site.browser(), "anonymous")):
            assert await browser.get(f"/stream-{number}") == (200, f"{name};" * 2)
            assert who() == "anonymous"
    assert iterable.begun_by == ["user 1", "user 2", "anonymous"]


async def test_what_has_a_length_is_no_stream(site: Site) -> None:
    class Sized(list[str]):
        pass

    kept: list[Any] = []

    @site.route("/sized")
    async def sized() -> Any:
        kept.append(Response(Sized(["a", "b"])))
        return kept[0]

    answer = await (await logged_in(site)).get("/sized")
    assert answer == (200, "ab")
    assert type(kept[0].response) is Sized
    assert "Vary" not in answer.headers


async def test_086_between_two_steps_the_thread_has_nobody(site: Site) -> None:
    @site.route("/stream")
    async def stream() -> Any:
        return generated()

    one = body_of(site, await logged_in(site), "/stream")
    two = body_of(site, await logged_in(site, "/in/2"), "/stream")
    for _ in range(2):
        assert next(iter(one)) == b"user 1;"
        assert who() == "anonymous"
        assert next(iter(two)) == b"user 2;"
        assert who() == "anonymous"
    for body in (one, two):
        with pytest.raises(StopIteration):
            next(iter(body))
        body.close()
    assert who() == "anonymous"


async def test_a_stream_is_as_lazy_as_before_and_is_closed_under_its_user(site: Site) -> None:
    done: list[str] = []

    @site.route("/stream")
    async def stream() -> Any:
        def body() -> Iterator[str]:
            try:
                for number in range(3):
                    done.append(f"step {number}")
                    yield who()
            finally:
                done.append(f"closed by {who()}")

        return body()

    body = body_of(site, await logged_in(site), "/stream")
    assert done == []
    assert next(iter(body)) == b"user 1"
    assert done == ["step 0"]
    body.close()
    assert done == ["step 0", "closed by user 1"]
    assert who() == "anonymous"


async def test_a_request_made_inside_a_stream_has_a_user_of_its_own(site: Site) -> None:
    @site.route("/stream")
    async def stream() -> Any:
        def body() -> Iterator[str]:
            inner = site.app.test_client()
            yield f"{who()}, {inner.get('/me').text}, {who()}"
            inner.get("/in/2")
            yield f", {inner.get('/me').text}, {who()}"

        return body()

    answer = await (await logged_in(site)).get("/stream")
    assert answer.text == "user 1, anonymous, user 1, user 2, user 1"


async def test_a_loader_that_a_stream_calls_has_the_application(site: Site) -> None:
    seen: list[str] = []

    @site.manager.user_loader
    def load(user_id: Any) -> Any:
        seen.append(site.web.current_app.name)
        return site.users[user_id]

    @site.route("/stream")
    async def stream() -> Any:
        return generated()

    browser = await logged_in(site)
    assert await browser.get("/stream") == (200, "user 1;" * 2)
    assert seen == ["site"]


async def test_a_stream_that_does_not_look_loads_nobody(site: Site) -> None:
    @site.route("/stream")
    async def stream() -> Any:
        return iter(["public"])

    browser = await logged_in(site)
    assert await browser.get("/stream") == (200, "public")
    assert site.loads == []


async def test_an_error_page_is_no_stream(site: Site) -> None:
    answer = await (await logged_in(site)).get("/nowhere")
    assert answer.status == 404
    assert "Vary" not in answer.headers


async def test_what_a_body_offers_beside_its_steps_is_at_hand(site: Site) -> None:
    class Body:
        name = "report.csv"

        def __iter__(self) -> Iterator[str]:
            yield who()

    made: list[Response] = []

    @site.route("/file")
    async def file() -> Any:
        made.append(Response(Body()))
        return made[0]

    assert await (await logged_in(site)).get("/file") == (200, "user 1")
    body: Any = made[0].response
    assert body.name == "report.csv"
    assert not hasattr(body, "seekable")


def test_p3_a_stream_that_another_s_request_reads_stays_its_own_user_s(make_site: Any) -> None:
    site = make_site()
    app, clients = site.app, {}
    for number in (1, 2):
        clients[number] = app.test_client()
        app.add_url_rule(f"/log/{number}", f"log{number}", lambda n=number: _log_in(site, n))

    def body() -> Iterator[str]:
        for _ in range(3):
            yield f"{site.lib.current_user.name};"

    app.add_url_rule("/plain", "plain", lambda: Response(body()))
    app.add_url_rule("/kept", "kept", lambda: Response(stream_with_context(body())))

    @app.route("/outer")
    def outer() -> str:
        return f"{clients[1].get('/plain').text} {site.lib.current_user.name}"

    for number, client in clients.items():
        client.get(f"/log/{number}")
    assert clients[2].get("/outer").text == "user 1;user 1;user 1; user 2"
    with clients[2] as preserved:
        preserved.get("/me")
        assert clients[1].get("/plain").text == "user 1;user 1;user 1;"
    for one, two in (("/kept", "/plain"), ("/plain", "/kept"), ("/plain", "/plain")):
        first, second = clients[1].get(one), clients[2].get(two)
        turns = list(zip(first.response, second.response, strict=True))
        assert turns == [(b"user 1;", b"user 2;")] * 3
        first.close()
        second.close()


def _log_in(site: Any, number: int) -> str:
    site.lib.login_user(site.users[number])
    return "in"
