"""What one request does in several steps, and what it takes back."""

from __future__ import annotations

from typing import Any

import pytest
from sites import Site
from werkzeug.local import LocalProxy

from quart_login import ConfigurationError


async def test_a_login_sends_nobody_else_s_remember_cookie(site: Site) -> None:
    """User 1 has a cookie; within one request 2 is logged in remembered, and 1 again."""

    @site.route("/both")
    async def both() -> str:
        await site.login_user(site.users[2], remember=True)
        await site.login_user(site.users[1])
        return "done"

    browser = site.browser()
    await browser.get("/in/1?remember=1")
    await browser.get("/both")
    browser.close()
    assert await browser.get("/me") in ((200, "user 1"), (200, "anonymous"))


@pytest.mark.parametrize("take_back", ["clear", "pop"])
async def test_a_login_that_the_view_takes_back_sets_no_remember_cookie(
    site: Site, take_back: str
) -> None:
    """A second factor is still missing, say."""

    @site.route("/half")
    async def half() -> str:
        await site.login_user(site.users[1], remember=True)
        if take_back == "clear":
            site.web.session.clear()
        else:
            site.web.session.pop("_user_id")
        return "second factor, please"

    browser = site.browser()
    await browser.get("/half")
    assert "remember_token" not in browser.jar
    assert await browser.get("/me") == (200, "anonymous")


async def test_an_epoch_that_was_none_ends_logins_when_it_becomes_something(site: Site) -> None:
    user: Any = site.users[1]
    user.session_epoch = None
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    assert await browser.get("/me") == (200, "user 1")
    user.session_epoch = "changed"
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


@pytest.mark.parametrize("refresh", [False, True])
async def test_a_cookie_that_an_epoch_ended_is_not_renewed(make_site: Any, refresh: bool) -> None:
    site = make_site({"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": refresh})
    user: Any = site.users[1]
    user.session_epoch = 1
    old = site.browser()
    await old.get("/in/1?remember=1")
    user.session_epoch = 2
    browser = site.browser()
    await browser.get("/in/1")
    browser.jar["remember_token"] = old.jar["remember_token"]
    assert await browser.get("/me") == (200, "user 1")
    assert "remember_token" not in browser.jar


async def test_a_login_over_another_ends_the_cookie_that_its_path_kept_away(
    make_site: Any,
) -> None:
    site = make_site({"REMEMBER_COOKIE_PATH": "/app"})
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    browser.jar.pop("remember_token")
    line = (await browser.get("/in/2")).cookie("remember_token")
    assert line is not None and "Max-Age=0" in line and "Path=/app" in line


async def test_a_proxy_of_the_current_user_may_be_logged_in(site: Site) -> None:
    @site.route("/again")
    async def again() -> str:
        await site.login_user(LocalProxy(lambda: site.lib.current_user))
        return site.lib.current_user.name

    browser = site.browser()
    await browser.get("/in/1")
    assert await browser.get("/again") == (200, "user 1")


async def test_a_manager_that_is_given_its_application_twice_sets_one_cookie(site: Site) -> None:
    site.manager.init_app(site.app)
    answer = await site.browser().get("/in/1?remember=1")
    assert answer.cookie("remember_token") is not None


@pytest.mark.parametrize("make_site", ["flask"], indirect=True)  # Quart's is an error at set-up
async def test_a_manager_that_took_another_s_place_sets_one_cookie(site: Site) -> None:
    other = site.lib.LoginManager(site.app)
    other.clock = site.clock
    other.user_loader(site.manager.user_callback)
    browser = site.browser()
    assert (await browser.get("/in/1?remember=1")).cookie("remember_token") is not None
    assert await browser.get("/private") == (200, "private of user 1")


async def test_an_anonymous_user_with_a_method_for_a_flag_opens_nothing(site: Site) -> None:
    class Anonymous(site.lib.AnonymousUserMixin):  # type: ignore[misc,name-defined]
        def is_authenticated(self) -> bool:
            return False

    site.manager.anonymous_user = Anonymous

    @site.route("/ask")
    async def ask() -> str:
        return "open" if site.lib.current_user.is_authenticated else "closed"

    assert "open" not in (await site.browser().get("/ask")).text


@pytest.mark.parametrize("ending", ["=", "!!", "last letter"])
async def test_a_remember_token_is_good_as_it_was_written_only(site: Site, ending: str) -> None:
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    token = browser.jar["remember_token"]
    if ending == "last letter":  # its lowest bits stand for nothing
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        spoilt = token[:-1] + letters[letters.index(token[-1]) ^ 1]
    else:
        spoilt = token + ending
    browser.jar = {"remember_token": spoilt}
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize(
    "config",
    [
        {"REMEMBER_COOKIE_NAME": "__Host-r"},
        {"REMEMBER_COOKIE_NAME": "__HOST-r", "REMEMBER_COOKIE_SECURE": True}
        | {"REMEMBER_COOKIE_DOMAIN": "x.example"},
        {"REMEMBER_COOKIE_NAME": "__Host-r", "REMEMBER_COOKIE_SECURE": True}
        | {"REMEMBER_COOKIE_PATH": "/app"},
        {"REMEMBER_COOKIE_NAME": "__Secure-r"},
        {"REMEMBER_COOKIE_FORMAT": "flask-login", "LOGIN_AUDIENCE": "shop"},
        {"LOGIN_KEEP_SESSION_KEYS": "lang"},
        {"LOGIN_FRESH_DURATION": "a day"},
        {"REMEMBER_COOKIE_LEGACY_UNTIL": "soon"},
    ],
)
def test_066_settings_that_cannot_work_are_refused_at_once(
    make_site: Any, config: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError):
        make_site(config)


async def test_066_a_cookie_with_a_prefix_is_deleted_as_it_was_set(make_site: Any) -> None:
    site = make_site({"REMEMBER_COOKIE_NAME": "__Host-r", "REMEMBER_COOKIE_SECURE": True})
    browser = site.browser()
    line = (await browser.get("/in/1?remember=1")).cookie("__Host-r")
    assert line is not None and "Secure" in line and "Path=/" in line and "Domain" not in line
    gone = (await browser.get("/out")).cookie("__Host-r")
    assert gone is not None and "Secure" in gone and "Path=/" in gone and "Domain" not in gone


@pytest.mark.parametrize("nobody", [None, object()])
async def test_logging_in_no_user_says_what_is_wrong(site: Site, nobody: Any) -> None:
    caught: list[str] = []

    @site.route("/nobody")
    async def log_nobody_in() -> str:
        try:
            await site.login_user(nobody)
        except ValueError as error:
            caught.append(str(error))
        return "done"

    await site.browser().get("/nobody")
    assert len(caught) == 1 and ("None" in caught[0] or "UserMixin" in caught[0])
