"""Rows of section 3.H that need an event loop: crowds, parallel requests, clients that are gone."""

from __future__ import annotations

import random
from typing import Any

import pytest
from loops import asyncio
from sites import Browser, Site, User

from quart_login import current_user, login_required


@pytest.fixture(params=["quart"])
def make_site(request: pytest.FixtureRequest) -> Any:
    from sites import SITES

    return SITES[request.param]


async def test_088_a_thousand_requests_and_their_tasks_see_their_own_user(site: Site) -> None:
    chance = random.Random(88)
    site.users.update({number: User(number) for number in range(1, 51)})

    async def look() -> str:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        return str(current_user.name)

    @site.app.route("/crowd")
    @login_required
    async def crowd() -> str:
        before = current_user.name
        seen = await asyncio.gather(*(asyncio.create_task(look()) for _ in range(3)))
        return ",".join({before, *seen, current_user.name})

    browsers = [site.browser() for _ in range(50)]
    for number, browser in enumerate(browsers, start=1):
        await browser.get(f"/in/{number}")

    async def ask(number: int) -> None:
        assert await browsers[number - 1].get("/crowd") == (200, f"user {number}")

    numbers = [number for number in range(1, 51) for _ in range(20)]
    chance.shuffle(numbers)
    await asyncio.gather(*map(ask, numbers))


async def remembered(site: Site) -> Browser:
    """Return a browser that was closed: the remember cookie is all it has."""
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    del browser.jar["session"]
    return browser


@pytest.mark.parametrize("requests", [2, 16])
async def test_093_parallel_requests_with_one_remember_cookie_are_all_the_user_s(
    site: Site, requests: int
) -> None:
    browser = await remembered(site)
    token = browser.jar["remember_token"]
    copies = [site.browser() for _ in range(requests)]
    for copy in copies:
        copy.jar["remember_token"] = token
    answers = await asyncio.gather(*(copy.get("/private") for copy in copies))
    assert all(answer == (200, "private of user 1") for answer in answers)
    # Without a registry the token stays as it is, so no answer can overwrite a better one.
    assert all(answer.cookie("remember_token") is None for answer in answers)
    for copy in copies:
        assert await copy.get("/private") == (200, "private of user 1")


@pytest.mark.parametrize("steps", range(12))
async def test_095_a_client_that_is_gone_leaves_no_half_of_a_login(site: Site, steps: int) -> None:
    """The request is cancelled at its first wait, at its second, and so on."""
    found: list[dict[str, Any]] = []

    @site.app.route("/slow-in")
    async def slow_in() -> str:
        try:
            await site.login_user(site.users[1], remember=True)
        finally:
            found.append(dict(site.web.session))
        return "in"

    async def receiver(sender: Any, **extra: Any) -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    from quart_login import user_logged_in

    with user_logged_in.connected_to(receiver, sender=site.app):
        browser = site.browser()
        request = asyncio.create_task(browser.get("/slow-in"))
        for _ in range(steps):
            await asyncio.sleep(0)
        request.cancel()
        try:
            await request
        except asyncio.CancelledError:
            assert browser.jar == {}
    whole = {"_user_id", "_fresh", "_id", "_login_record"}
    for session in found:
        assert not whole & set(session) or whole <= set(session)
    name = (await browser.get("/me")).text
    assert name == ("user 1" if browser.jar else "anonymous")
