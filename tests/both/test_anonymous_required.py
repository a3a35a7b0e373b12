"""Does `anonymous_required` keep users away from login pages, and strangers not?"""

from __future__ import annotations

from typing import Any

import pytest
from sites import Site
from sockets import hear, logged_in, refusal

import quart_login


def add(site: Site, path: str, decorator: Any, **options: Any) -> None:
    async def view() -> str:
        return "for strangers"

    endpoint = path.strip("/") or "root"
    site.app.add_url_rule(path, endpoint, decorator(site.colour(view)), **options)


async def test_a_stranger_sees_the_page_and_a_user_is_sent_to_the_root(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required)
    assert await site.browser().get("/strangers") == (200, "for strangers")
    answer = await (await logged_in(site)).get("/strangers")
    assert (answer.status, answer.location) == (302, "/")


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("me", "/me"),
        ("/me?a=1", "/me?a=1"),
        ("https://example.com/strangers", "https://example.com/strangers"),
        (None, "/"),
    ],
)
async def test_where_a_user_is_sent_can_be_said(
    site: Site, target: str | None, location: str
) -> None:
    add(site, "/strangers", site.lib.anonymous_required(target))
    assert await site.browser().get("/strangers") == (200, "for strangers")
    assert (await (await logged_in(site)).get("/strangers")).location == location


async def test_a_user_is_never_sent_where_the_query_says(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required)
    browser = await logged_in(site)
    for next_page in ("https://evil.example", "/private"):
        assert (await browser.get(f"/strangers?next={next_page}")).location == "/"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", None),
        ("/here", "here"),
        ("/here", "/here"),
        ("/here/", "/here"),
        ("/here", "http://localhost/here"),
        ("/h%C3%A9re", "/hére"),
    ],
)
async def test_whoever_is_there_already_stays(site: Site, path: str, target: str | None) -> None:
    options: dict[str, Any] = {"methods": ["GET"]}
    decorator = site.lib.anonymous_required(target)
    add(site, path.replace("%C3%A9", "é"), decorator, **options)
    browser = await logged_in(site)
    assert await browser.get(path, headers={"Host": "localhost"}) == (200, "for strangers")


async def test_a_stale_login_and_one_by_a_remember_cookie_are_logins(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required)
    browser = await logged_in(site, "?fresh=0&remember=1")
    assert (await browser.get("/strangers")).status == 302
    browser.close()
    assert (await browser.get("/strangers")).status == 302


async def test_it_is_for_every_method(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required, methods=["GET", "POST"])
    browser = await logged_in(site)
    assert (await browser.post("/strangers")).location == "/"
    assert (await browser.open("/strangers", method="HEAD")).location == "/"
    assert (await browser.open("/strangers", method="OPTIONS")).status == 200


async def test_a_login_page_is_there_for_whose_user_cannot_be_loaded(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required)
    browser = await logged_in(site)

    async def broken(user_id: Any) -> Any:
        raise LookupError(user_id)

    site.find = broken  # type: ignore[method-assign]
    assert await browser.get("/strangers") == (200, "for strangers")


async def test_with_login_disabled_everybody_is_let_in(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required)
    browser = await logged_in(site)
    site.app.config["LOGIN_DISABLED"] = True
    assert await browser.get("/strangers") == (200, "for strangers")


async def test_it_loads_on_demand(make_site: Any) -> None:
    site = make_site({"LOGIN_LOAD_USER": "on_demand"})
    add(site, "/strangers", site.lib.anonymous_required)
    assert (await (await logged_in(site)).get("/strangers")).status == 302
    assert site.loads == [1]


async def test_a_plain_function_may_be_the_view(site: Site) -> None:
    site.app.add_url_rule("/plain", "plain", site.lib.anonymous_required(lambda: "plain"))
    assert await site.browser().get("/plain") == (200, "plain")
    assert (await (await logged_in(site)).get("/plain")).status == 302


async def test_a_realm_s_own_looks_at_that_realm(site: Site) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.user_loader(site.load_user)
    add(site, "/strangers", staff.anonymous_required("me"))
    browser = await logged_in(site)
    assert await browser.get("/strangers") == (200, "for strangers")


async def test_the_answer_is_not_for_shared_caches(site: Site) -> None:
    add(site, "/strangers", site.lib.anonymous_required)
    for browser in (site.browser(), await logged_in(site)):
        assert "Cookie" in (await browser.get("/strangers")).headers["Vary"]


async def test_a_user_is_not_let_into_a_socket_for_strangers(site: Site) -> None:
    if site.lib is not quart_login:
        return  # Flask has none.

    @site.app.websocket("/strangers")
    @site.lib.anonymous_required
    async def socket() -> None:
        await site.web.websocket.send("for strangers")

    assert await hear(site.browser(), "/strangers") == "for strangers"
    assert await refusal(await logged_in(site), "/strangers") == 403


async def test_it_is_open_in_a_fence(site: Site) -> None:
    site.manager.require_login(site.app)
    add(site, "/strangers", site.lib.anonymous_required)
    assert await site.browser().get("/strangers") == (200, "for strangers")
