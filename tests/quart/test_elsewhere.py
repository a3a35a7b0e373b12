"""Who is `current_user` after the request, and where there is none?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from loops import asyncio
from quart import (
    Response,
    copy_current_request_context,
    stream_with_context,
)
from sites import Site

from quart_login import (
    AnonymousUserMixin,
    OutOfPlace,
    current_user,
    load_user,
    login_user,
)


def who() -> str:
    return current_user.name if current_user.is_authenticated else "anonymous"


# --- after the request ---------------------------------------------------------------------------


async def test_a_background_task_sees_the_request_s_user_or_nobody(site: Site) -> None:
    proceed = asyncio.Event()
    seen: list[tuple[str, str]] = []

    async def work(owner: str) -> None:
        await proceed.wait()
        seen.append((owner, who()))

    @site.route("/work")
    async def start() -> str:
        site.app.add_background_task(work, who())
        return "started"

    browsers = [site.browser() for _ in range(3)]
    await browsers[0].get("/in/1")
    await browsers[1].get("/in/2")
    async with site.app.test_app():  # which ends with its tasks
        for browser in browsers:
            await browser.get("/work")
        await browsers[0].get("/out")
        assert seen == []
        proceed.set()
    assert {owner for owner, _ in seen} == {"user 1", "user 2", "anonymous"}
    for owner, user in seen:
        assert user in (owner, "anonymous")


async def test_a_plain_background_function_sees_the_request_s_user_or_nobody(site: Site) -> None:
    seen: list[str] = []

    @site.route("/work")
    async def start() -> str:
        site.app.add_background_task(lambda: seen.append(who()))
        return "started"

    browser = site.browser()
    async with site.app.test_app():
        await browser.get("/in/1")
        await browser.get("/work")
    assert len(seen) == 1 and seen[0] in ("user 1", "anonymous")


@pytest.mark.parametrize("deed", ["login_user", "logout_user", "confirm_login"])
async def test_a_task_that_outlives_its_request_cannot_log_in_or_out(site: Site, deed: str) -> None:
    proceed = asyncio.Event()
    tasks: list[asyncio.Task[Any]] = []

    async def late() -> None:
        await proceed.wait()
        await (site.login_user(site.users[2]) if deed == "login_user" else getattr(site, deed)())

    @site.route("/start")
    async def start() -> str:
        tasks.append(asyncio.create_task(late()))
        tasks.append(asyncio.create_task(copy_current_request_context(late)()))
        return "started"

    browser = site.browser()
    await browser.get("/in/1")
    await browser.get("/start")
    proceed.set()
    for task in tasks:
        with pytest.raises(OutOfPlace, match=rf"{deed}\(\) was called after the response"):
            await task
    assert await browser.get("/me") == (200, "user 1")


async def test_a_streamed_body_cannot_log_in(site: Site) -> None:
    raised: list[Exception] = []

    @site.route("/stream")
    async def stream() -> Any:
        @stream_with_context
        async def body() -> AsyncIterator[str]:
            try:
                await login_user(site.users[1])
            except OutOfPlace as error:
                raised.append(error)
            yield who()

        return Response(body())

    assert await site.browser().get("/stream") == (200, "anonymous")
    assert "was called after the response was sent" in str(raised[0])


# --- where there is no request -------------------------------------------------------------------


async def test_outside_everything_the_user_is_anonymous() -> None:
    assert who() == "anonymous"
    assert current_user.is_anonymous
    assert current_user.get_id() is None
    assert (await load_user()).is_anonymous


async def test_under_a_bare_application_context_the_user_is_the_manager_s_anonymous(
    site: Site,
) -> None:
    class Guest(AnonymousUserMixin):
        name = "guest"

    site.manager.anonymous_user = Guest
    async with site.app.app_context():
        assert current_user.name == "guest"


async def test_under_a_bare_application_context_the_user_is_anonymous(site: Site) -> None:
    async with site.app.app_context():
        assert who() == "anonymous"


async def test_in_a_bare_request_context_the_user_is_anonymous_whatever_was_sent(
    site: Site,
) -> None:
    browser = site.browser()
    await browser.get("/in/1")
    headers = {"Cookie": f"session={browser.jar['session']}"}
    site.loads.clear()
    async with site.app.test_request_context("/me", headers=headers):
        assert who() == "anonymous"
    assert site.loads == []


async def test_a_request_context_that_was_preprocessed_knows_its_user(site: Site) -> None:
    browser = site.browser()
    await browser.get("/in/1")
    headers = {**browser.headers, "Cookie": f"session={browser.jar['session']}"}
    async with site.app.test_request_context("/me", headers=headers) as context:
        await (
            site.app.preprocess_request()
            if hasattr(context, "request_websocket")
            else site.app.preprocess_request(context)
        )
        assert who() == "user 1"


async def test_a_request_context_inside_a_view_has_a_user_of_its_own(site: Site) -> None:
    @site.route("/nested")
    async def nested() -> str:
        seen = [who()]
        async with site.app.test_request_context("/"):
            seen.append(who())
            await login_user(site.users[2])
            seen.append(who())
        seen.append(who())
        return ", ".join(seen)

    browser = site.browser()
    await browser.get("/in/1")
    assert await browser.get("/nested") == (200, "user 1, anonymous, user 2, user 1")
    assert await browser.get("/me") == (200, "user 1")


async def test_a_request_made_inside_a_view_has_a_user_of_its_own(site: Site) -> None:
    inner = site.browser()

    @site.route("/outer")
    async def outer() -> str:
        return ", ".join([who(), (await inner.get("/me")).text, who()])

    browser = site.browser()
    await browser.get("/in/1")
    assert await browser.get("/outer") == (200, "user 1, anonymous, user 1")
    await inner.get("/in/2")
    assert await browser.get("/outer") == (200, "user 1, user 2, user 1")
