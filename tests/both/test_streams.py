"""Whom does a streamed body see, which runs when its request is over?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from sites import Browser, Site

from quart_login._core.step import step


async def logged_in(site: Site, path: str = "/in/1") -> Browser:
    browser = site.browser()
    assert (await browser.get(path)).status == 200
    return browser


def who(site: Site) -> str:
    user = site.lib.current_user
    return str(user.name) if user.is_authenticated else "anonymous"


def add_stream(site: Site, path: str = "/stream", *, look_first: bool = False) -> list[str]:
    """Add a page that streams its user three times; return what is done to its body."""
    done: list[str] = []

    def body() -> Iterator[str]:
        try:
            for _ in range(3):
                yield f"{who(site)};"
        finally:
            done.append(f"closed by {who(site)}")

    @site.route(path)
    async def stream() -> Any:
        if look_first:
            who(site)
        return body()

    return done


@pytest.mark.parametrize("look_first", [True, False])
async def test_a_streamed_body_sees_the_user_to_its_end(site: Site, look_first: bool) -> None:
    done = add_stream(site, look_first=look_first)
    one, two = await logged_in(site), await logged_in(site, "/in/2")
    for browser, name in ((one, "user 1"), (two, "user 2"), (site.browser(), "anonymous")) * 2:
        assert await browser.get("/stream") == (200, f"{name};" * 3)
        assert done.pop() == f"closed by {name}"
        assert who(site) == "anonymous"


async def test_a_streamed_body_sees_who_came_by_the_remember_cookie(site: Site) -> None:
    add_stream(site)
    browser = await logged_in(site, "/in/1?remember=1")
    browser.close()
    assert await browser.get("/stream") == (200, "user 1;" * 3)


async def test_a_streamed_body_sees_who_logged_in_or_out_before_it(site: Site) -> None:
    def body() -> Iterator[str]:
        yield who(site)

    @site.route("/log-in-and-stream")
    async def log_in() -> Any:
        await site.login_user(site.users[2])
        return body()

    @site.route("/log-out-and-stream")
    async def log_out() -> Any:
        await site.logout_user()
        return body()

    browser = await logged_in(site)
    assert await browser.get("/log-out-and-stream") == (200, "anonymous")
    assert await browser.get("/log-in-and-stream") == (200, "user 2")
    assert await browser.get("/me") == (200, "user 2")


async def test_a_streamed_body_loads_its_user_once(site: Site) -> None:
    add_stream(site)
    browser = await logged_in(site)
    site.loads.clear()
    assert await browser.get("/stream") == (200, "user 1;" * 3)
    assert site.loads == [1]


async def test_a_loader_that_fails_leaves_a_streamed_body_to_nobody(site: Site) -> None:
    add_stream(site)
    browser = await logged_in(site)

    async def fails(user_id: Any) -> Any:
        raise LookupError

    site.find = fails  # type: ignore[method-assign]
    assert await browser.get("/stream") == (200, "anonymous;" * 3)


@pytest.mark.parametrize("deed", ["login_user", "logout_user", "confirm_login"])
async def test_a_streamed_body_cannot_log_in_or_out(site: Site, deed: str) -> None:
    raised: list[str] = []

    def body() -> Iterator[str]:
        args = (site.users[2],) if deed == "login_user" else ()
        try:
            done = getattr(site.lib, deed)(*args)
            if hasattr(done, "__await__"):
                step(done)
        except site.lib.OutOfPlace as error:
            raised.append(str(error))
        yield who(site)

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    browser = await logged_in(site)
    assert await browser.get("/stream") == (200, "user 1")
    assert len(raised) == 1
    assert raised[0].startswith(f"{deed}() was called after the response")
    assert await browser.get("/me") == (200, "user 1")


async def test_freshness_can_be_asked_in_a_streamed_body(site: Site) -> None:
    def body() -> Iterator[str]:
        yield str(site.lib.login_fresh())

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    assert await (await logged_in(site)).get("/stream") == (200, "True")
    assert await (await logged_in(site, "/in/1?fresh=0")).get("/stream") == (200, "False")
    assert await site.browser().get("/stream") == (200, "False")


async def test_the_anonymous_user_of_a_streamed_body_is_the_manager_s(site: Site) -> None:
    class Guest(site.lib.AnonymousUserMixin):  # type: ignore[misc, name-defined]
        name = "guest"

    def body() -> Iterator[str]:
        yield str(site.lib.current_user.name)

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    site.manager.anonymous_user = Guest
    assert await site.browser().get("/stream") == (200, "guest")


async def test_a_body_that_raises_raises_and_leaves_nobody_behind(site: Site) -> None:
    def body() -> Iterator[str]:
        yield who(site)
        raise LookupError(who(site))

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    browser = await logged_in(site)
    with pytest.raises((LookupError, BaseExceptionGroup)) as caught:
        await browser.get("/stream")
    error: Any = caught.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert repr(error) == "LookupError('user 1')"
    assert who(site) == "anonymous"


# --- what is left as it is -----------------------------------------------------------------------


async def test_a_body_that_is_data_is_left_alone(site: Site) -> None:
    kinds: list[Any] = []

    @site.app.after_request
    def look(response: Any) -> Any:
        kinds.append(response)
        return response

    await (await logged_in(site)).get("/public")
    body = kinds[-1].response
    assert "Steps" not in repr(body) + repr(getattr(body, "iter", ""))


async def test_a_file_is_left_alone(site: Site, tmp_path: Any) -> None:
    (tmp_path / "file.txt").write_text("text" * 5000)

    @site.route("/file")
    async def send() -> Any:
        name = str(tmp_path / "file.txt")
        return await site.call(site.web.send_file, name, conditional=True)

    @site.route("/memory")
    async def memory() -> Any:
        return await site.call(site.web.send_file, io.BytesIO(b"bytes"), mimetype="text/plain")

    browser = await logged_in(site)
    answer = await browser.get("/file")
    assert answer == (200, "text" * 5000)
    assert answer.headers["Content-Length"] == "20000"
    assert answer.headers.get("Vary") == (await browser.get("/public")).headers.get("Vary")
    assert (await browser.get("/file", headers={"Range": "bytes=2-5"})) == (206, "xtte")
    assert await browser.get("/memory") == (200, "bytes")


# --- what the answer says of it ------------------------------------------------------------------


async def test_100_a_streamed_page_that_may_show_its_user_says_so_to_caches(site: Site) -> None:
    add_stream(site)
    browser = await logged_in(site)
    assert "Cookie" in (await browser.get("/stream")).headers.get("Vary", "")
    remembered = await logged_in(site, "/in/1?remember=1")
    remembered.close()
    assert "Cookie" in (await remembered.get("/stream")).headers.get("Vary", "")


async def test_100_a_streamed_page_to_nobody_says_nothing_to_caches(site: Site) -> None:
    def body() -> Iterator[str]:
        yield "public"

    @site.route("/public-stream")
    async def stream() -> Any:
        return body()

    streamed = await site.browser().get("/public-stream")
    assert streamed.headers.get("Vary") == (await site.browser().get("/public")).headers.get("Vary")


async def test_headers_of_a_streamed_page_stay(site: Site) -> None:
    def body() -> Iterator[bytes]:
        yield b"four"

    @site.route("/stream")
    async def stream() -> Any:
        headers = {"Content-Length": "4", "Content-Type": "text/event-stream"}
        return site.app.response_class(body(), headers=headers)

    answer = await (await logged_in(site)).get("/stream")
    assert answer == (200, "four")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Content-Length"] == "4"
