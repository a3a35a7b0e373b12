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


# --- what is written under a user whom the session does not name ---------------------------------


@pytest.fixture
def known_by_key(site: Site) -> Site:
    """Let a header name the user, and add views that write under whoever it is, and then act."""

    @site.manager.request_loader
    def load(request: Any) -> Any:
        return site.users.get(int(request.headers.get("X-Key", 0)))

    def write() -> None:
        site.web.session["secret"] = site.lib.current_user.name

    @site.route("/write-and-log-in/<int:id>")
    async def log_in(id: int) -> str:
        write()
        await site.call(site.lib.login_user, site.users[id])
        return str(site.web.session.get("secret"))

    @site.route("/write-and-log-out")
    async def log_out() -> str:
        write()
        await site.call(site.lib.logout_user)
        return "out"

    @site.route("/clear-write-and-log-in/<int:id>")
    async def clear(id: int) -> str:
        site.lib.current_user.name  # noqa: B018 (Flask loads when somebody looks)
        site.web.session.clear()
        return str(await log_in(id))

    return site


KEY_OF_1 = {"X-Key": "1"}


async def test_046_they_are_not_bob_s_who_logs_in_in_the_same_request(known_by_key: Site) -> None:
    browser = known_by_key.browser()
    assert await browser.get("/write-and-log-in/2", headers=KEY_OF_1) == (200, "None")
    assert await browser.get("/me") == (200, "user 2")
    assert await visible(browser) == "None"


async def test_046_nor_are_they_lost_if_it_is_alice_who_logs_in(known_by_key: Site) -> None:
    browser = known_by_key.browser()
    assert await browser.get("/write-and-log-in/1", headers=KEY_OF_1) == (200, "user 1")
    assert await visible(browser) == "user 1"


@pytest.mark.parametrize("headers", [{}, {"X-Key": "2"}])
async def test_046_they_are_not_bob_s_after_a_logout_in_the_same_request(
    known_by_key: Site, headers: dict[str, str]
) -> None:
    browser = known_by_key.browser()
    assert await browser.get("/write-and-log-out", headers=KEY_OF_1) == (200, "out")
    if not headers:
        await browser.get("/in/2")
    assert await browser.get("/me", headers=headers) == (200, "user 2")
    assert (await browser.get("/get/secret", headers=headers)).text == "None"


async def test_046_they_are_not_bob_s_where_the_view_cleared_the_session_before(
    known_by_key: Site,
) -> None:
    browser = await logged_in(known_by_key, "/in/1")
    assert await browser.get("/clear-write-and-log-in/2") == (200, "None")
    assert await visible(browser) == "None"


async def test_046_a_visitor_s_are_kept_though_a_login_follows_in_the_same_request(
    known_by_key: Site,
) -> None:
    @known_by_key.route("/fill-and-log-in")
    async def fill() -> str:
        known_by_key.web.session["cart"] = "full"
        await known_by_key.call(known_by_key.lib.login_user, known_by_key.users[1])
        return str(known_by_key.web.session.get("cart"))

    assert await known_by_key.browser().get("/fill-and-log-in") == (200, "full")


@pytest.mark.parametrize("speaks", [True, False])
async def test_046_they_are_not_bob_s_whose_token_came_beside_them(
    make_site: Any, speaks: bool
) -> None:
    """What everybody may write into the session says nothing of whose the rest is."""
    kept = {"LOGIN_KEEP_SESSION_KEYS": ["language"], "LOGIN_CLEAR_SESSION_ON_LOGOUT": False}
    site = make_site({"LOGIN_BEARER_TOKENS": True, **kept})

    @site.route("/speak")
    async def speak() -> str:
        name: str = site.lib.current_user.name
        if speaks:
            site.web.session["language"] = "en"
        return name

    @site.route("/token")
    async def token() -> str:
        return str(site.lib.issue_token(site.users[2]))

    bearer = {"Authorization": f"Bearer {(await site.browser().get('/token')).text}"}
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/secret/of-1")
    await browser.get("/out")
    assert await browser.get("/speak", headers=bearer) == (200, "user 2")
    await browser.get("/in/2")
    assert await browser.get("/me") == (200, "user 2")
    assert await visible(browser) == "None"
