"""Whom does a streamed body of Quart see, and what does it leave behind?"""

from __future__ import annotations

import contextvars
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from loops import TRIO, Response, asyncio, run_sync
from quart import make_response, stream_with_context
from sites import Browser, Site

from quart_login import UserNotLoaded, current_user, load_user, user_accessed
from quart_login._streams import Steps


def who() -> str:
    return current_user.name if current_user.is_authenticated else "anonymous"


async def who_later() -> str:
    await asyncio.sleep(0)
    return who()


async def logged_in(site: Site, path: str = "/in/1") -> Browser:
    browser = site.browser()
    assert (await browser.get(path)).status == 200
    return browser


async def generated() -> AsyncIterator[str]:
    for _ in range(2):
        await asyncio.sleep(0)
        yield f"{who()};"


def plain() -> Iterator[str]:
    for _ in range(2):
        yield f"{who()};"


class Iterable:
    """Neither a generator nor closed."""

    def __init__(self) -> None:
        self.left = 2

    def __aiter__(self) -> Iterable:
        return self

    async def __anext__(self) -> str:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return f"{await who_later()};"


BODIES: dict[str, Any] = {
    "generator": lambda: generated(),
    "plain generator": lambda: plain(),
    "response": lambda: Response(generated()),
    "response, plain": lambda: Response(plain()),
    "with context": lambda: Response(stream_with_context(generated)()),
    "make_response": lambda: make_response(generated()),
    "event stream": lambda: make_response(generated(), {"Content-Type": "text/event-stream"}),
}


if not TRIO:  # Quart-Trio knows no asynchronous iterables but generators.
    BODIES["response, iterable"] = lambda: Response(Iterable())


@pytest.mark.parametrize("kind", list(BODIES))
async def test_every_kind_of_stream_sees_its_user(site: Site, kind: str) -> None:
    @site.route("/stream")
    async def stream() -> Any:
        body = BODIES[kind]()
        return await body if hasattr(body, "__await__") else body

    one, two = await logged_in(site), await logged_in(site, "/in/2")
    for browser, name in ((one, "user 1"), (two, "user 2"), (site.browser(), "anonymous")):
        assert await browser.get("/stream") == (200, f"{name};" * 2)
        assert who() == "anonymous"


async def test_what_a_stream_starts_sees_its_user(site: Site) -> None:
    async def body() -> AsyncIterator[str]:
        seen = {
            await who_later(),
            await asyncio.create_task(who_later()),
            await run_sync(who)(),
            *await asyncio.gather(who_later(), who_later()),
            (await load_user()).name,
        }
        yield ", ".join(seen)

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    assert await (await logged_in(site)).get("/stream") == (200, "user 1")


async def test_on_demand_a_stream_must_load_its_user(make_site: Any) -> None:
    site = make_site({"LOGIN_LOAD_USER": "on_demand"})

    async def body() -> AsyncIterator[str]:
        with pytest.raises(UserNotLoaded):
            who()
        yield (await load_user()).name
        yield who()

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    assert await (await logged_in(site)).get("/stream") == (200, "user 1user 1")
    assert site.loads == [1]


async def test_a_loader_that_a_stream_calls_has_the_application(make_site: Any) -> None:
    site = make_site({"LOGIN_LOAD_USER": "on_demand"})

    @site.manager.user_loader
    async def load(user_id: Any) -> Any:
        return site.users[user_id] if site.web.current_app.name == "site" else None

    async def body() -> AsyncIterator[str]:
        yield (await load_user()).name

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    assert await (await logged_in(site)).get("/stream") == (200, "user 1")


async def test_a_look_in_a_stream_is_told_once(site: Site) -> None:
    heard: list[str] = []

    def accessed(sender: Any, **extra: Any) -> None:
        heard.append(who())

    @site.route("/stream")
    async def stream() -> Any:
        return generated()

    browser = await logged_in(site)
    with user_accessed.connected_to(accessed, sender=site.app):
        await browser.get("/stream")
    assert heard == ["user 1"]


async def test_a_request_made_inside_a_stream_has_a_user_of_its_own(site: Site) -> None:
    inner = await logged_in(site, "/in/2")

    async def body() -> AsyncIterator[str]:
        yield ", ".join([who(), (await inner.get("/me")).text, who()])
        yield ", " + (await site.browser().get("/me")).text + ", " + who()

    @site.route("/stream")
    async def stream() -> Any:
        return body()

    answer = await (await logged_in(site)).get("/stream")
    assert answer.text == "user 1, user 2, user 1, anonymous, user 1"


# --- nothing is left behind ----------------------------------------------------------------------


async def response_of(site: Site, body: Any) -> Any:
    """Return the response that streams *body* to user 1, as the server gets it."""
    kept: list[Any] = []
    handle = site.app.handle_request

    async def keep(request: Any) -> Any:
        kept.append(await handle(request))
        return Response("kept")

    @site.route("/kept")
    async def stream() -> Any:
        return body

    browser = await logged_in(site)
    site.app.handle_request = keep
    await browser.get("/kept")
    return kept[0]


async def test_between_two_steps_nobody_is_seen(site: Site) -> None:
    one, two = await response_of(site, generated()), generated()
    steps = one.response.__aiter__()
    assert who() == "anonymous"
    assert await steps.__anext__() == "user 1;"
    assert who() == "anonymous"
    assert await two.__anext__() == "anonymous;"
    assert await steps.__anext__() == "user 1;"
    with pytest.raises(StopAsyncIteration):
        await steps.__anext__()
    assert who() == "anonymous"
    await two.aclose()


async def test_a_stream_is_as_lazy_as_before(site: Site) -> None:
    ran: list[int] = []

    async def body() -> AsyncIterator[str]:
        for number in range(3):
            ran.append(number)
            yield str(number)

    response = await response_of(site, body())
    assert ran == []
    async with response.response as steps:
        assert await steps.__aiter__().__anext__() == "0"
        assert ran == [0]


async def test_a_stream_that_is_broken_off_is_closed_under_its_user(site: Site) -> None:
    closed: list[str] = []

    async def body() -> AsyncIterator[str]:
        try:
            yield who()
            yield "never"
        finally:
            closed.append(await who_later())

    response = await response_of(site, body())
    async with response.response as steps:
        assert await steps.__aiter__().__anext__() == "user 1"
        assert closed == []
    assert closed == ["user 1"]
    assert who() == "anonymous"


async def test_a_stream_that_cannot_be_closed_is_not(site: Site) -> None:
    steps = Steps(Iterable(), (site.app, None, None))
    await steps.__anext__()
    await steps.aclose()
    assert steps.left == 1


async def test_each_step_may_run_in_another_task(site: Site) -> None:
    response = await response_of(site, generated())
    steps = response.response.__aiter__()
    for _ in range(2):
        assert await asyncio.create_task(steps.__anext__()) == "user 1;"
    context = contextvars.copy_context()
    assert context.run(who) == "anonymous"


async def test_two_streams_in_one_task_do_not_mix(site: Site) -> None:
    @site.route("/stream")
    async def stream() -> Any:
        return generated()

    browsers = [(await logged_in(site, f"/in/{number}"), f"user {number}") for number in (1, 2)]
    pairs = [*browsers, (site.browser(), "anonymous")] * 5
    answers = await asyncio.gather(*(browser.get("/stream") for browser, _ in pairs))
    assert [answer.text for answer in answers] == [f"{name};" * 2 for _, name in pairs]


async def test_p3_a_stream_that_another_s_request_reads_stays_its_own_user_s(
    make_site: Any,
) -> None:
    site = make_site()
    one, two = site.browser(), site.browser()

    async def body() -> AsyncIterator[str]:
        for _ in range(3):
            yield f"{current_user.name};"

    @site.route("/plain")
    async def plain() -> Any:
        return body()

    @site.route("/outer")
    async def outer() -> str:
        return f"{(await one.get('/plain')).text} {current_user.name}"

    await one.get("/in/1")
    await two.get("/in/2")
    assert await two.get("/outer") == (200, "user 1;user 1;user 1; user 2")
