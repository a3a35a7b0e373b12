"""Login sessions that can be seen and ended, in both frameworks."""

from __future__ import annotations

from typing import Any

import pytest
from registry import copy, logged_in, make_site


@pytest.fixture(params=["flask", "quart"])
def site(request: pytest.FixtureRequest) -> Any:
    return make_site(request.param)


async def test_a_login_is_kept_and_good(site: Any) -> None:
    browser = await logged_in(site)
    [login] = site.manager.sessions.all()
    assert (login.user_id, login.created, login.method) == ("#1", site.clock(), "password")
    assert login.agent == "test browser"
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/sessions") == (200, f"{login.id}*")


async def test_a_copied_cookie_does_not_survive_the_logout(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    copies = [copy(browser), copy(browser, "session"), copy(browser, "remember_token")]
    assert await browser.get("/out") == (200, "True")
    assert site.manager.sessions.all() == []
    for other in copies:
        assert await other.get("/me") == (200, "anonymous")
        assert other.jar == {}


async def test_the_remember_cookie_brings_the_user_back_with_new_secrets(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    before = dict(browser.jar)
    browser.close()
    assert await browser.get("/me") == (200, "user 1")
    assert browser.jar.keys() == {"session", "remember_token"}
    assert browser.jar["remember_token"] != before["remember_token"]
    assert await browser.get("/is-fresh") == (200, "False")
    assert await browser.get("/is-remembered") == (200, "True")
    assert len(site.manager.sessions.all()) == 1


async def test_confirming_makes_a_new_proof(site: Any) -> None:
    browser = await logged_in(site)
    old = copy(browser)
    assert await browser.get("/confirm") == (200, "confirmed")
    assert await browser.get("/me") == (200, "user 1")
    assert await old.get("/me") == (200, "anonymous")
    assert await old.get("/why") == (200, "session_ended")


async def test_another_login_ends_the_one_before(site: Any) -> None:
    browser = await logged_in(site)
    old = copy(browser)
    assert await browser.get("/in/2") == (200, "True")
    assert await browser.get("/me") == (200, "user 2")
    assert await old.get("/me") == (200, "anonymous")
    assert len(site.manager.sessions.all()) == 1


async def test_a_user_ends_another_of_their_logins(site: Any) -> None:
    here, there, stranger = [await logged_in(site, f"/in/{n}") for n in (1, 1, 2)]
    ids = (await here.get("/sessions")).text.replace("*", "").split()
    mine = (await here.get("/sessions")).text.partition("*")[0].rpartition(" ")[2]
    [other] = set(ids) - {mine}
    assert await stranger.get(f"/revoke/{other}") == (200, "False")
    assert await there.get("/me") == (200, "user 1")
    assert await here.get(f"/revoke/{other}") == (200, "True")
    assert await there.get("/me") == (200, "anonymous")
    assert await here.get("/me") == (200, "user 1")
    assert await stranger.get("/me") == (200, "user 2")


async def test_a_stolen_remember_cookie_ends_the_login(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    thief = copy(browser, "remember_token")
    browser.close()
    await browser.get("/me")
    site.clock.advance(seconds=61)
    await browser.get("/me")  # its successor is seen
    with site.hearing("remember_theft_detected", "login_session_ended") as heard:
        assert await thief.get("/me") == (200, "anonymous")
    assert [name for name, _ in heard] == ["remember_theft_detected", "login_session_ended"]
    assert site.manager.sessions.all() == []
    assert await browser.get("/me") == (200, "anonymous")
