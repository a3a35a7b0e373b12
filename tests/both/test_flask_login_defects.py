"""Defects of Flask-Login 0.6.3 that were reproduced, and are absent here."""

from __future__ import annotations

from typing import Any

import pytest
from loops import asyncio
from sites import Answer, Browser, Site, User
from wire import send_raw

from quart_login._core.step import step
from quart_login._core.tokens import legacy_digest


async def logged_in(site: Site, path: str = "/in/1?remember=1") -> Browser:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return browser


async def ask(browser: Browser, path: str) -> Answer:
    """Ask for *path*; Flask, which runs coroutines in a loop of its own, does so in a thread."""
    if browser.site.web.__name__ == "flask":
        return await asyncio.to_thread(step, browser.get(path))
    return await browser.get(path)


@pytest.mark.parametrize("path", ["/me", "/login", "/public", "/private", "/in/1", "/out"])
async def test_a_non_ascii_signature_is_no_server_error(site: Site, path: str) -> None:
    for value in (b"1|\xe9", "1|é".encode(), rb'"1|\351"'):
        answer = await send_raw(site, path, [(b"Cookie", b"remember_token=" + value)])
        assert answer.status in (200, 401)


async def test_a_secret_key_may_hold_any_letter(make_site: Any) -> None:
    for key in ("ключ" * 8, "\u20ac" * 16, "\U0001f511" * 8):
        for form in ("flask-login", "quart-login"):
            site = make_site({"SECRET_KEY": key, "REMEMBER_COOKIE_FORMAT": form})
            browser = await logged_in(site)
            browser.close()
            assert await browser.get("/me") == (200, "user 1")


async def test_a_user_who_is_forced_in_is_authenticated(site: Site) -> None:
    browser = site.browser()

    @site.route("/force")
    async def force() -> str:
        await site.login_user(site.users[3], force=True)
        return str(site.lib.current_user.is_authenticated)

    assert await browser.get("/force") == (200, "True")
    assert await browser.get("/private") == (200, "private of user 3")
    assert await browser.get("/me") == (200, "user 3")


async def test_a_forced_login_counts_for_its_user_alone(site: Site) -> None:
    browser = await logged_in(site, "/in/3?force=1")
    assert await browser.get("/me") == (200, "user 3")
    await browser.get("/in/1")
    site.users[1].active = False
    assert await browser.get("/me") == (200, "anonymous")


async def test_the_duration_of_one_login_does_not_shorten_the_next(site: Site) -> None:
    browser = await logged_in(site, "/in/1?remember=1&seconds=10")
    assert "_remember_seconds" not in browser.session()
    await browser.get("/in/1?remember=1")
    browser.close()
    site.clock.advance(seconds=3600)
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("path", ["/me", "/private", "/public"])
async def test_a_remember_cookie_of_a_deleted_user_writes_no_session(site: Site, path: str) -> None:
    browser = await logged_in(site)
    browser.close()
    del site.users[1]
    answer = await browser.get(path)
    assert [line for line in answer.set_cookies if "Max-Age=0" not in line] == []
    assert "session" not in browser.jar


async def test_a_forced_host_has_a_scheme(make_site: Any) -> None:
    site = make_site(
        {"FORCE_HOST_FOR_REDIRECTS": "login.example", "LOGIN_FORCE_HOST_WITH_SCHEME": True}
    )
    site.manager.login_view = "/login"
    answer = await site.browser().get("/private")
    assert answer.location == "http://login.example/login?next=%2Fprivate"


@pytest.mark.parametrize("form", ["quart-login", "flask-login"])
async def test_an_int_id_has_one_type_whatever_it_came_from(make_site: Any, form: str) -> None:
    site = make_site({"REMEMBER_COOKIE_FORMAT": form})
    browser = await logged_in(site)
    await browser.get("/me")
    browser.close()
    await browser.get("/me")
    await browser.get("/me")
    # Flask-Login's form cannot say that an id is an int; the session can.
    from_cookie = 1 if form == "quart-login" else "1"
    assert site.loads == [1, from_cookie, 1]
    assert type(browser.session()["_user_id"]) is int


async def test_flask_login_s_cookie_of_an_int_id_agrees_with_the_session_of_it(
    site: Site,
) -> None:
    browser = await logged_in(site, "/in/1")
    browser.jar["remember_token"] = "1|" + legacy_digest("1", site.app.secret_key)
    assert await browser.get("/me") == (200, "user 1")


async def test_handlers_may_be_coroutines(site: Site) -> None:
    @site.manager.unauthorized_handler
    async def refuse() -> str:
        await asyncio.sleep(0)
        return "not you"

    @site.manager.needs_refresh_handler
    async def refresh() -> str:
        await asyncio.sleep(0)
        return "type it again"

    browser = site.browser()
    assert await ask(browser, "/private") == (200, "not you")
    await browser.get("/in/1?fresh=0")
    assert await ask(browser, "/very") == (200, "type it again")


async def test_receivers_may_be_coroutines(site: Site) -> None:
    heard: list[str] = []
    receivers = []
    for name in ("user_logged_in", "user_accessed", "user_unauthorized", "user_logged_out"):

        async def receiver(sender: Any, name: str = name, **extra: Any) -> None:
            await asyncio.sleep(0)
            heard.append(name)

        receivers.append(receiver)
        getattr(site.lib, name).connect(receiver, sender=site.app)
    browser = site.browser()
    for path in ("/in/1", "/me", "/out", "/private"):
        await ask(browser, path)
    assert heard == [
        "user_logged_in",
        "user_accessed",
        "user_accessed",
        "user_logged_out",
        "user_accessed",
        "user_unauthorized",
    ]


@pytest.mark.parametrize("form", ["quart-login", "flask-login"])
async def test_fallback_keys_count_for_the_remember_cookie(make_site: Any, form: str) -> None:
    old = await logged_in(make_site({"REMEMBER_COOKIE_FORMAT": form}))
    site = make_site(
        {
            "SECRET_KEY": "a new key, a new key, a new key",
            "SECRET_KEY_FALLBACKS": [old.site.app.secret_key],
            "REMEMBER_COOKIE_FORMAT": form,
        }
    )
    browser = site.browser()
    browser.jar["remember_token"] = old.jar["remember_token"]
    assert await browser.get("/me") == (200, "user 1")


async def test_a_nested_blueprint_finds_its_login_view(site: Site) -> None:
    outer, inner = (site.web.Blueprint(name, __name__) for name in ("outer", "inner"))

    async def page() -> str:
        return "page"

    inner.add_url_rule("/page", "page", site.lib.login_required(site.colour(page)))
    outer.register_blueprint(inner)
    site.app.register_blueprint(outer)
    site.manager.login_view = "/login"
    site.manager.blueprint_login_views = {"outer.inner": "/inner-login"}
    assert (await site.browser().get("/page")).location == "/inner-login?next=%2Fpage"


async def test_a_user_named_none_is_not_the_user_without_a_name(site: Site) -> None:
    """Flask-Login asks its loader for "None" after a login of a user whose id is None."""
    site.users["None"] = User("None")
    browser = await logged_in(site, "/in/None?remember=1")
    browser.close()
    assert await browser.get("/me") == (200, "user None")
