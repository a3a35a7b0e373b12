"""Other requests and other users: rows 45 and 46 of section 3.D of the survey of attacks."""

from __future__ import annotations

from typing import Any

import pytest
from sites import Answer, Browser, Site, User


async def logged_in(site: Site, path: str = "/in/1?remember=1") -> Browser:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return browser


@pytest.mark.parametrize("keep", [("session",), ("session", "remember_token")])
async def test_045_a_late_request_that_only_reads_sends_no_cookie(
    site: Site, keep: tuple[str, ...]
) -> None:
    """It began before the logout, and ends after it: what it sends would log in again."""
    browser = await logged_in(site)
    late = site.browser()
    late.jar = {name: browser.jar[name] for name in keep}
    await browser.get("/out")
    for path in ("/me", "/private", "/very", "/public", "/is-fresh", "/is-remembered", "/get/x"):
        answer = await late.get(path)
        assert answer.status == 200
        assert answer.set_cookies == []


async def visible(browser: Browser, key: str = "secret") -> str:
    answer: Answer = await browser.get(f"/get/{key}")
    return answer.text


@pytest.mark.parametrize(
    "way", [("/out", "/in/2"), ("/in/2",), ("/out?clear=1", "/in/2"), ("/out", "/put/a/b", "/in/2")]
)
async def test_046_alice_s_data_are_never_bob_s(site: Site, way: tuple[str, ...]) -> None:
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/secret/of-1")
    for path in way:
        await browser.get(path)
    assert await browser.get("/me") == (200, "user 2")
    assert await visible(browser) == "None"
    await browser.get("/out")
    await browser.get("/in/1")
    assert await visible(browser) == "None"


async def test_046_they_are_not_bob_s_who_comes_by_the_remember_cookie(site: Site) -> None:
    bob = await logged_in(site, "/in/2?remember=1")
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/secret/of-1")
    await browser.get("/out")
    browser.jar["remember_token"] = bob.jar["remember_token"]
    assert await browser.get("/me") == (200, "user 2")
    assert await visible(browser) == "None"


async def test_046_they_are_not_bob_s_whom_the_request_loader_knows(site: Site) -> None:
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/secret/of-1")
    await browser.get("/out")
    site.manager.request_loader(lambda request: site.users[2])
    assert await browser.get("/me") == (200, "user 2")
    assert await visible(browser) == "None"


async def test_046_nor_if_the_request_loader_knows_bob_where_the_session_was_refused(
    site: Site,
) -> None:
    @site.route("/look-and-get")
    async def view() -> str:
        return f"{site.lib.current_user.name} {site.web.session.get('secret')}"

    browser = await logged_in(site, "/in/1")
    await browser.get("/put/secret/of-1")
    site.manager.request_loader(lambda request: site.users[2])
    del site.users[1]

    assert await browser.get("/look-and-get") == (200, "user 2 None")


async def test_046_what_was_written_under_a_user_of_the_request_loader_is_hers_alone(
    site: Site,
) -> None:
    who = [1]
    site.manager.request_loader(lambda request: site.users[who[0]])

    @site.route("/put-as-user")
    async def view() -> str:
        site.web.session["secret"] = site.lib.current_user.name
        return site.lib.current_user.name

    browser = site.browser()
    assert await browser.get("/put-as-user") == (200, "user 1")
    assert await browser.get("/me") == (200, "user 1")
    assert await visible(browser) == "user 1"
    who[0] = 2
    assert await browser.get("/me") == (200, "user 2")
    assert await visible(browser) == "None"
    await browser.get("/put-as-user")
    site.manager.request_loader(lambda request: None)
    await browser.get("/in/1")
    assert await visible(browser) == "None"


async def test_046_who_is_named_by_the_request_loader_and_writes_nothing_gets_no_session(
    site: Site,
) -> None:
    site.manager.request_loader(lambda request: site.users[1])
    browser = site.browser()
    assert await browser.get("/me") == (200, "user 1")
    assert browser.jar == {}


async def test_046_they_are_not_bob_s_after_any_kind_of_refusal(site: Site) -> None:
    for number, spoil in enumerate(("gone", "inactive", "protected", "epoch", "mismatch")):
        user: Any = User(f"victim {number}")
        user.session_epoch = 1
        site.users[user.id] = user
        browser = await logged_in(site, f"/in/{user.id}")
        await browser.get("/put/secret/of-the-victim")
        site.app.config["SESSION_PROTECTION"] = "strong" if spoil == "protected" else "basic"
        if spoil == "gone":
            del site.users[user.id]
        elif spoil == "inactive":
            user.active = False
        elif spoil == "protected":
            browser.headers["User-Agent"] = "another browser"
        elif spoil == "epoch":
            user.session_epoch = 2
        else:
            other = await logged_in(site, "/in/2?remember=1")
            browser.jar["remember_token"] = other.jar["remember_token"]
        assert await browser.get("/me") == (200, "anonymous"), spoil
        await browser.get("/in/2")
        assert await browser.get("/me") == (200, "user 2")
        assert await visible(browser) == "None", spoil


async def test_046_they_are_alice_s_when_she_is_the_next(make_site: Any) -> None:
    site = make_site({"LOGIN_CLEAR_SESSION_ON_LOGOUT": False})
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/draft/of-1")
    await browser.get("/out")
    await browser.get("/in/1")
    assert await visible(browser, "draft") == "of-1"


async def test_046_a_visitor_s_cart_is_kept_at_login_and_is_then_the_user_s(site: Site) -> None:
    browser = site.browser()
    await browser.get("/put/cart/7")
    await browser.get("/in/1")
    assert await visible(browser, "cart") == "7"
    await browser.get("/in/2")
    assert await visible(browser, "cart") == "None"


async def test_046_what_the_application_excepts_is_kept(make_site: Any) -> None:
    site = make_site({"LOGIN_KEEP_SESSION_KEYS": ("theme",)})
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/theme/dark")
    await browser.get("/put/secret/of-1")
    await browser.get("/in/2")
    assert await visible(browser, "theme") == "dark"
    assert await visible(browser) == "None"
    await browser.get("/out")
    assert await visible(browser, "theme") == "dark"


async def test_046_in_quart_s_way_nothing_is_left_to_read_after_the_logout(
    make_site: Any,
) -> None:
    site = make_site({"LOGIN_CLEAR_SESSION_ON_LOGOUT": True})
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/secret/of-1")
    await browser.get("/out")
    assert browser.jar == {}
    assert await visible(browser) == "None"


async def test_046_in_flask_s_way_the_cookie_does_not_tell_whose_they_were(make_site: Any) -> None:
    site = make_site({"LOGIN_CLEAR_SESSION_ON_LOGOUT": False})
    site.users["alice@example.org"] = User("alice@example.org")
    browser = await logged_in(site, "/in/alice@example.org")
    await browser.get("/put/draft/x")
    await browser.get("/out")
    assert "alice" not in str(browser.session())
