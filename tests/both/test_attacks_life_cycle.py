"""The life of a login: section 3.D of the survey of attacks, as far as it needs no record of
sessions on the server; each test under its row's number.
"""

from __future__ import annotations

from typing import Any

import pytest
from sites import Browser, Site


async def logged_in(site: Site, path: str = "/in/1?remember=1") -> Browser:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return browser


def only(browser: Browser, name: str, value: str) -> Browser:
    """Return another browser that has one cookie alone, copied from *browser*."""
    other = browser.site.browser()
    other.jar[name] = value
    return other


# --- logout --------------------------------------------------------------------------------------


async def test_041_a_changed_epoch_ends_copied_cookies(site: Site) -> None:
    user: Any = site.users[1]
    user.session_epoch = "the hash of the first password"
    browser = await logged_in(site)
    copies = [only(browser, *item) for item in browser.jar.items()]
    for copy in copies:
        assert await copy.get("/me") == (200, "user 1")
    user.session_epoch = "the hash of the second password"
    for copy in copies:
        assert await copy.get("/me") == (200, "anonymous")
        assert copy.jar == {}


async def test_041_who_changes_the_password_and_logs_in_again_stays(site: Site) -> None:
    user: Any = site.users[1]
    user.session_epoch = 1
    browser = await logged_in(site)
    user.session_epoch = 2
    await browser.get("/in/1?remember=1")
    assert await browser.get("/me") == (200, "user 1")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


async def test_041_a_remember_cookie_that_a_dependant_asked_for_ends_with_the_epoch(
    site: Site,
) -> None:
    """As Flask-Login's dependants ask for it: by a mark in the session."""
    user: Any = site.users[1]
    user.session_epoch = 1

    @site.route("/remember-me", guard="login_required")
    async def view() -> str:
        site.web.session["_remember"] = "set"
        return "remembered"

    browser = await logged_in(site, "/in/1")
    assert await browser.get("/remember-me") == (200, "remembered")
    browser.close()
    user.session_epoch = 2
    assert await browser.get("/me") == (200, "anonymous")


async def test_042_logout_and_then_clear_is_a_logout(site: Site) -> None:
    browser = await logged_in(site)
    assert await browser.get("/out?clear=1") == (200, "True")
    assert browser.jar == {}
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("order", ["clear, out", "out, clear", "out, out", "look, out, clear"])
@pytest.mark.parametrize("keep", ["session", "remember_token"])
async def test_042_in_any_order_it_is_a_logout(site: Site, order: str, keep: str) -> None:
    @site.route("/leave")
    async def leave() -> str:
        for step in order.split(", "):
            if step == "clear":
                site.web.session.clear()
            elif step == "out":
                await site.logout_user()
            else:
                assert site.lib.current_user.is_authenticated
        return str(site.lib.current_user.is_authenticated)

    browser = await logged_in(site)
    browser.jar = {keep: browser.jar[keep]}
    assert await browser.get("/leave") == (200, "False")
    assert browser.jar == {}
    assert await browser.get("/me") == (200, "anonymous")


async def test_042_a_logout_where_the_remember_cookie_does_not_arrive_still_deletes_it(
    make_site: Any,
) -> None:
    """The cookie's path keeps it from the logout page."""
    site = make_site({"REMEMBER_COOKIE_PATH": "/account"})
    browser = await logged_in(site)
    token = browser.jar.pop("remember_token")
    answer = await browser.get("/out")
    line = answer.cookie("remember_token")
    assert line is not None
    assert "Max-Age=0" in line
    assert "Path=/account" in line
    assert token not in line


async def test_042_a_logout_of_who_never_asked_to_be_remembered_deletes_no_such_cookie(
    site: Site,
) -> None:
    browser = await logged_in(site, "/in/1")
    assert (await browser.get("/out")).cookie("remember_token") is None


async def test_042_login_and_logout_in_one_request_leave_nothing(site: Site) -> None:
    @site.route("/in-and-out")
    async def view() -> str:
        await site.login_user(site.users[1], remember=True)
        await site.logout_user()
        return str(site.lib.current_user.is_authenticated)

    browser = site.browser()
    assert await browser.get("/in-and-out") == (200, "False")
    assert browser.jar == {}


async def test_042_logout_and_login_in_one_request_leave_the_login(site: Site) -> None:
    @site.route("/out-and-in")
    async def view() -> str:
        await site.logout_user()
        site.web.session.clear()
        await site.login_user(site.users[2], remember=True)
        return "done"

    browser = await logged_in(site)
    await browser.get("/out-and-in")
    assert await browser.get("/me") == (200, "user 2")
    browser.close()
    assert await browser.get("/me") == (200, "user 2")


async def test_042_of_two_logins_in_one_request_the_first_leaves_no_cookie(site: Site) -> None:
    """An impersonation, say, right after the login of the one who may."""

    @site.route("/in-twice")
    async def view() -> str:
        await site.login_user(site.users[1], remember=True)
        await site.login_user(site.users[2])
        return "done"

    browser = site.browser()
    await browser.get("/in-twice")
    assert "remember_token" not in browser.jar
    assert await browser.get("/me") == (200, "user 2")
    browser.close()
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("form", ["quart-login", "flask-login"])
async def test_042_a_login_without_remember_keeps_the_user_s_own_cookie(
    make_site: Any, form: str
) -> None:
    """One that Flask-Login wrote, too, though it is to be replaced by ours."""
    old = await logged_in(make_site({"REMEMBER_COOKIE_FORMAT": form}))
    browser = make_site().browser()
    browser.jar["remember_token"] = old.jar["remember_token"]
    assert await browser.get("/in/1") == (200, "True")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


async def test_042_a_login_without_remember_ends_another_user_s_cookie(site: Site) -> None:
    browser = await logged_in(site)
    browser.close()
    await browser.get("/in/2")
    assert "remember_token" not in browser.jar
    assert await browser.get("/me") == (200, "user 2")


async def test_051_a_logout_stands_though_the_view_raises_after_it(site: Site) -> None:
    @site.route("/out-and-fail")
    async def view() -> str:
        await site.logout_user()
        raise RuntimeError("after the logout")

    browser = await logged_in(site)
    assert (await browser.get("/out-and-fail")).status == 500
    assert browser.jar == {}
    assert await browser.get("/me") == (200, "anonymous")


async def test_051_a_logout_stands_though_a_receiver_raises(site: Site) -> None:
    def receiver(sender: Any, **extra: Any) -> None:
        raise RuntimeError("in a receiver")

    site.lib.user_logged_out.connect(receiver, sender=site.app)
    browser = await logged_in(site)
    assert (await browser.get("/out")).status == 500
    assert browser.jar == {}


async def test_051_a_view_that_aborts_after_a_logout_has_logged_out(site: Site) -> None:
    @site.route("/out-and-abort")
    async def view() -> str:
        await site.logout_user()
        site.web.abort(403)

    browser = await logged_in(site)
    assert (await browser.get("/out-and-abort")).status == 403
    assert browser.jar == {}


# --- 53, 56 --------------------------------------------------------------------------------------


async def test_053_an_inactive_user_whose_login_nobody_checks_is_not_logged_in(site: Site) -> None:
    @site.route("/careless")
    async def careless() -> str:
        await site.login_user(site.users[3], remember=True)
        return str(site.lib.current_user.is_authenticated)

    browser = site.browser()
    with site.hearing("user_logged_in") as heard:
        assert await browser.get("/careless") == (200, "False")
    assert heard == []
    assert browser.jar == {}


async def test_053_a_login_that_is_refused_leaves_the_one_before(site: Site) -> None:
    browser = await logged_in(site, "/in/1")
    assert await browser.get("/in/3") == (200, "False")
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("protection", ["basic", "strong", None])
async def test_056_a_login_by_the_remember_cookie_is_never_fresh(
    make_site: Any, protection: str | None
) -> None:
    site = make_site({"SESSION_PROTECTION": protection})
    browser = await logged_in(site)
    browser.close()
    for _ in range(3):
        assert (await browser.get("/very")).status == 401
        assert await browser.get("/is-fresh") == (200, "False")
        assert await browser.get("/private") == (200, "private of user 1")
    assert browser.session()["_fresh"] is False


async def test_056_it_is_fresh_after_the_password_was_typed_again(site: Site) -> None:
    browser = await logged_in(site)
    browser.close()
    await browser.get("/confirm")
    assert await browser.get("/very") == (200, "very private of user 1")


async def test_056_what_one_user_confirmed_is_not_fresh_for_the_next_of_the_request_loader(
    site: Site,
) -> None:
    """A proxy says who is here, and another sits down at the same browser."""
    who = [1]
    site.manager.request_loader(lambda request: site.users[who[0]])
    browser = site.browser()
    await browser.get("/confirm")
    who[0] = 2
    assert await browser.get("/me") == (200, "user 2")
    assert await browser.get("/is-fresh") == (200, "False")


async def test_056_a_visitor_who_confirms_is_nobody(site: Site) -> None:
    browser = site.browser()
    await browser.get("/confirm")
    assert await browser.get("/is-fresh") == (200, "False")
    assert (await browser.get("/very")).status == 401
    await browser.get("/in/1?fresh=0")
    assert await browser.get("/is-fresh") == (200, "False")


async def test_056_flask_login_s_next_user_gets_nothing_of_the_one_before(site: Site) -> None:
    """Flask-Login shares the session, logs another user in, and leaves our record."""
    user: Any = site.users[3]
    user.session_epoch = 1
    browser = await logged_in(site, "/in/3?force=1")
    shared = browser.session()
    site.users[2].active = True
    browser.set_session(**{**shared, "_user_id": 2, "_fresh": True})
    assert await browser.get("/me") == (200, "user 2")
    await browser.get("/confirm")
    assert await browser.get("/me") == (200, "user 2")
    site.users[2].active = False
    assert await browser.get("/me") == (200, "anonymous")
