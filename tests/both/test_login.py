"""Logging in, being somebody, logging out."""

from __future__ import annotations

from typing import Any

from sites import Site


async def test_a_visitor_is_anonymous(site: Site) -> None:
    assert await site.browser().get("/me") == (200, "anonymous")


async def test_a_login_lasts_until_the_logout(site: Site) -> None:
    browser = site.browser()
    assert await browser.get("/in/1") == (200, "True")
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/private") == (200, "private of user 1")
    assert await browser.get("/very") == (200, "very private of user 1")
    assert await browser.get("/out") == (200, "True")
    assert await browser.get("/me") == (200, "anonymous")
    assert (await browser.get("/private")).status == 401


async def test_an_inactive_user_is_not_logged_in(site: Site) -> None:
    browser = site.browser()
    assert await browser.get("/in/3") == (200, "False")
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


async def test_an_inactive_user_who_is_forced_in_is_logged_in(site: Site) -> None:
    browser = site.browser()
    assert await browser.get("/in/3?force=1") == (200, "True")
    assert await browser.get("/me") == (200, "user 3")
    assert await browser.get("/private") == (200, "private of user 3")


async def test_the_remember_cookie_brings_the_user_back_stale(site: Site) -> None:
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/is-fresh") == (200, "False")
    assert await browser.get("/is-remembered") == (200, "True")
    assert (await browser.get("/very")).status == 401


async def test_a_stranger_is_sent_to_the_login_page_and_told_why(site: Site) -> None:
    site.manager.login_view = "login"
    answer = await site.browser().get("/private?a=1")
    assert (answer.status, answer.location) == (302, "/login?next=%2Fprivate%3Fa%3D1")


async def test_a_public_page_loads_nobody_in_flask_and_one_in_quart(site: Site) -> None:
    browser = site.browser()
    await browser.get("/public")
    assert site.loads == []
    await browser.get("/in/1")
    site.loads.clear()
    await browser.get("/private")
    assert site.loads == [1]


async def test_signals_of_a_login_and_a_logout(site: Site) -> None:
    browser = site.browser()
    user: Any = site.users[1]
    with site.hearing() as heard:
        await browser.get("/in/1")
        await browser.get("/out")
    assert heard == [
        ("user_logged_in", {"user": user}),
        ("user_accessed", {}),
        ("user_logged_out", {"user": user}),
    ]
