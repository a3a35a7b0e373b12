"""Loaders that misbehave: section 3.C of the survey of attacks, each test under its row."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from loops import asyncio
from sites import Answer, Browser, QuartSite, Site, User

from quart_login._core.reasons import Reason
from quart_login._core.step import step


async def ask(browser: Browser, path: str) -> Answer:
    """Ask for *path*; Flask, which runs coroutines in a loop of its own, does so in a thread."""
    if browser.site.web.__name__ == "flask":
        return await asyncio.to_thread(step, browser.get(path))
    return await browser.get(path)


def break_loader(site: Site, error: Exception) -> None:
    async def find(user_id: Any) -> Any:
        raise error

    site.find = find  # type: ignore[method-assign]


def return_from_loader(site: Site, found: Any) -> None:
    async def find(user_id: Any) -> Any:
        return found

    site.find = find  # type: ignore[method-assign]


async def logged_in(site: Site, keep: str | None = None, user: str = "1") -> Browser:
    """Return a browser with a login, or with that one of its cookies that is named."""
    browser = site.browser()
    assert await browser.get(f"/in/{user}?remember=1") == (200, "True")
    if keep is not None:
        browser.jar = {keep: browser.jar[keep]}
    return browser


COOKIES = pytest.mark.parametrize("keep", ["session", "remember_token"])


# --- 27: it raises -------------------------------------------------------------------------------


@COOKIES
async def test_027_a_loader_that_raises_authenticates_nobody_and_breaks_no_public_page(
    site: Site, keep: str
) -> None:
    browser = await logged_in(site, keep)
    break_loader(site, RuntimeError("the database is down"))
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/me") == (200, "anonymous")
    for path in ("/private", "/very"):
        answer = await browser.get(path)
        assert answer.status == 500
        assert "user 1" not in answer.text


@COOKIES
async def test_027_a_loader_that_raises_logs_nobody_out(site: Site, keep: str) -> None:
    browser = await logged_in(site, keep)
    jar = dict(browser.jar)
    find = site.find
    break_loader(site, RuntimeError("the database is down"))
    for path in ("/public", "/me", "/private"):
        assert (await browser.get(path)).set_cookies == []
    assert browser.jar == jar
    site.find = find  # type: ignore[method-assign]
    assert await browser.get("/me") == (200, "user 1")


async def test_027_an_error_page_whose_template_asks_for_the_user_is_rendered(site: Site) -> None:
    async def error_page(error: Exception) -> Any:
        page = "sorry, {{ 'user' if current_user.is_authenticated else 'stranger' }}"
        return await site.render(page), 500

    in_flask = site.web.__name__ == "flask"
    handler = (lambda error: step(error_page(error))) if in_flask else error_page
    site.app.register_error_handler(500, handler)
    browser = await logged_in(site)
    break_loader(site, RuntimeError("the database is down"))
    assert await browser.get("/private") == (500, "sorry, stranger")


async def test_027_a_loader_that_raises_is_called_once_and_told_of(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await logged_in(site)
    site.loads.clear()
    break_loader(site, RuntimeError("the database is down"))
    with site.hearing("credential_rejected", "user_unauthorized") as heard:
        assert (await browser.get("/private")).status == 500
    assert site.loads == [1]
    assert heard == [("credential_rejected", {"reason": Reason.LOADER_FAILED})]
    told = [record for record in caplog.records if record.name == "quart_login"]
    assert any(record.levelno == logging.ERROR and record.exc_info for record in told)


async def test_027_a_request_loader_that_raises_authenticates_nobody(site: Site) -> None:
    def load(request: Any) -> Any:
        raise RuntimeError("the directory is down")

    site.manager.request_loader(load)
    browser = site.browser()
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/me") == (200, "anonymous")
    assert (await browser.get("/private")).status == 500


async def test_027_a_user_loader_that_raises_does_not_let_the_request_loader_decide(
    site: Site,
) -> None:
    browser = await logged_in(site)
    break_loader(site, RuntimeError("the database is down"))
    site.manager.request_loader(lambda request: site.users[2])
    assert await browser.get("/me") == (200, "anonymous")


async def test_027_one_can_log_out_and_in_while_the_loader_raises(site: Site) -> None:
    browser = await logged_in(site)
    break_loader(site, RuntimeError("the database is down"))
    assert await browser.get("/out") == (200, "True")
    assert browser.jar == {}
    assert await browser.get("/in/2") == (200, "True")


# --- 28, 29: its colour --------------------------------------------------------------------------


async def test_028_a_coroutine_loader_is_run(site: Site) -> None:
    async def load(user_id: Any) -> Any:
        await asyncio.sleep(0)
        return site.users[user_id]

    site.manager.user_loader(load)
    browser = await logged_in(site)
    assert await ask(browser, "/me") == (200, "user 1")
    assert await ask(browser, "/private") == (200, "private of user 1")


async def test_028_a_coroutine_request_loader_is_run(site: Site) -> None:
    async def load(request: Any) -> Any:
        await asyncio.sleep(0)
        return site.users[2]

    site.manager.request_loader(load)
    assert await ask(site.browser(), "/private") == (200, "private of user 2")


async def test_029_a_plain_function_that_returns_a_coroutine_is_awaited(site: Site) -> None:
    async def fetch(user_id: Any) -> Any:
        await asyncio.sleep(0)
        return site.users[user_id]

    site.manager.user_loader(lambda user_id: fetch(user_id))
    browser = await logged_in(site)
    assert await ask(browser, "/me") == (200, "user 1")
    assert await ask(browser, "/private") == (200, "private of user 1")


async def test_029_a_coroutine_that_yields_nobody_authenticates_nobody(site: Site) -> None:
    async def fetch(user_id: Any) -> Any:
        await asyncio.sleep(0)

    site.manager.user_loader(lambda user_id: fetch(user_id))
    assert await ask(await logged_in(site), "/me") == (200, "anonymous")


# --- 31: it returns another ----------------------------------------------------------------------


@COOKIES
async def test_031_a_loader_that_returns_another_user_authenticates_nobody(
    site: Site, keep: str
) -> None:
    browser = await logged_in(site, keep)
    return_from_loader(site, site.users[2])
    with site.hearing("identity_mismatch", "credential_rejected") as heard:
        assert await browser.get("/me") == (200, "anonymous")
    assert [name for name, _ in heard] == ["identity_mismatch", "credential_rejected"]
    assert {extra["reason"] for _, extra in heard} == {Reason.USER_MISMATCH}
    assert browser.jar == {}


@pytest.mark.parametrize(
    "found",
    [
        True,
        1,
        "1",
        [],
        {},
        pytest.param(object(), id="object"),
        User,
        {"id": 1, "is_authenticated": True, "is_active": True},
    ],
    ids=repr,
)
async def test_031_a_loader_that_returns_no_user_at_all_authenticates_nobody(
    site: Site, found: Any
) -> None:
    browser = await logged_in(site)
    return_from_loader(site, found)
    with site.hearing("credential_rejected") as heard:
        assert await browser.get("/me") == (200, "anonymous")
    assert heard == [("credential_rejected", {"reason": Reason.NOT_A_USER})]
    assert (await browser.get("/private")).status == 401


async def test_031_the_anonymous_user_is_nobody(site: Site) -> None:
    browser = await logged_in(site)
    return_from_loader(site, site.lib.AnonymousUserMixin())
    assert await browser.get("/me") == (200, "anonymous")


async def test_031_session_and_remember_cookie_must_name_one_user(site: Site) -> None:
    one, other = await logged_in(site), await logged_in(site, user="2")
    mixed = site.browser()
    mixed.jar = {**one.jar, "remember_token": other.jar["remember_token"]}
    site.loads.clear()
    with site.hearing("identity_mismatch") as heard:
        assert await mixed.get("/me") == (200, "anonymous")
    assert len(heard) == 1
    assert mixed.jar == {}
    assert site.loads == []


# --- 32: the user is gone ------------------------------------------------------------------------


async def test_032_a_user_who_was_deleted_loses_both_cookies(site: Site) -> None:
    browser = await logged_in(site)
    del site.users[1]
    assert await browser.get("/public") == (200, "public")
    assert (await browser.get("/private")).status == 401
    assert browser.jar == {}


@COOKIES
async def test_032_each_cookie_of_a_deleted_user_is_removed(site: Site, keep: str) -> None:
    browser = await logged_in(site, keep)
    user = site.users.pop(1)
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}
    site.users[1] = user
    assert await browser.get("/me") == (200, "anonymous")


async def test_032_data_of_a_deleted_user_are_not_the_next_user_s(site: Site) -> None:
    browser = await logged_in(site)
    await browser.get("/put/secret/of-1")
    del site.users[1]
    await browser.get("/me")
    await browser.get("/in/2")
    assert await browser.get("/get/secret") == (200, "None")


# --- 35: the user is locked ----------------------------------------------------------------------


class Stubborn(User):
    """A user whose class says that everybody is authenticated."""

    @property
    def is_authenticated(self) -> bool:
        return True


@COOKIES
async def test_035_a_user_who_was_locked_is_out_though_the_class_says_otherwise(
    site: Site, keep: str
) -> None:
    site.users[1] = user = Stubborn(1)
    browser = await logged_in(site, keep)
    assert await browser.get("/me") == (200, "user 1")
    user.active = False
    with site.hearing("credential_rejected") as heard:
        assert await browser.get("/me") == (200, "anonymous")
    assert heard == [("credential_rejected", {"reason": Reason.USER_INACTIVE})]
    assert (await browser.get("/private")).status == 401
    assert browser.jar == {}


async def test_035_the_request_loader_cannot_let_in_a_user_who_is_locked(site: Site) -> None:
    user = Stubborn(1, active=False)
    site.manager.request_loader(lambda request: user)
    assert await site.browser().get("/me") == (200, "anonymous")
    assert (await site.browser().get("/private")).status == 401


async def test_035_a_user_who_was_forced_in_cannot_be_remembered_while_locked(site: Site) -> None:
    browser = site.browser()
    assert await browser.get("/in/3?force=1&remember=1") == (200, "True")
    assert await browser.get("/me") == (200, "user 3")
    browser.close()
    assert await browser.get("/me") == (200, "anonymous")


class Methodical(User):
    """A user whose flag is a method, which is always true."""

    def is_authenticated(self) -> bool:  # type: ignore[override]
        return False


class Lockable(User):
    """A user whose flag is a method, which is always true."""

    def is_active(self) -> bool:  # type: ignore[override]
        return False


@pytest.mark.parametrize("kind", [Methodical, Lockable])
async def test_035_a_flag_that_is_a_method_is_refused_at_login(site: Site, kind: Any) -> None:
    @site.route("/log-in-with-a-method")
    async def view() -> str:
        with pytest.raises(ValueError, match="properties"):
            await site.login_user(kind(1))
        return "refused"

    browser = site.browser()
    assert await browser.get("/log-in-with-a-method") == (200, "refused")
    assert browser.jar == {}


@pytest.mark.parametrize("kind", [Methodical, Lockable])
async def test_035_a_flag_that_is_a_method_lets_nobody_in(site: Site, kind: Any) -> None:
    browser = await logged_in(site)
    return_from_loader(site, kind(1))
    assert await browser.get("/me") == (200, "anonymous")


# --- 37: it hangs --------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [timedelta(milliseconds=20), timedelta(0)])
async def test_037_a_loader_that_hangs_ends_at_the_deadline_and_logs_nobody_in_or_out(
    seconds: timedelta,
) -> None:
    """In Quart: what blocks a thread, nobody can end."""
    site = QuartSite({"LOGIN_LOADER_TIMEOUT": seconds})
    browser = await logged_in(site)

    async def find(user_id: Any) -> Any:
        await asyncio.Event().wait()

    site.find = find  # type: ignore[method-assign]
    jar = dict(browser.jar)
    assert (await browser.get("/private")).status == 503
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/public") == (200, "public")
    assert browser.jar == jar


async def test_037_a_loader_in_time_is_not_disturbed() -> None:
    site = QuartSite({"LOGIN_LOADER_TIMEOUT": 60})
    assert await (await logged_in(site)).get("/private") == (200, "private of user 1")


# --- 38: how often -------------------------------------------------------------------------------


async def test_038_a_request_loads_its_user_once_at_most(site: Site) -> None:
    @site.route("/often", guard="fresh_login_required")
    async def often() -> str:
        for _ in range(5):
            assert site.lib.current_user.is_authenticated
            assert site.lib.login_fresh()
            site.lib.login_remembered()
        return await site.render("{{ current_user.name }}, {{ current_user.name }}")

    browser = await logged_in(site)
    site.loads.clear()
    assert await browser.get("/often") == (200, "user 1, user 1")
    assert site.loads == [1]


async def test_038_a_login_and_a_logout_load_nobody_more(site: Site) -> None:
    browser = await logged_in(site)
    site.loads.clear()
    await browser.get("/in/2")
    assert len(site.loads) <= 1
    site.loads.clear()
    await browser.get("/out")
    assert site.loads == [2]


async def test_038_a_loader_that_looks_at_the_current_user_sees_nobody_and_is_called_once(
    site: Site,
) -> None:
    """An audit trail, say, that notes who reads the table of users."""
    readers: list[str] = []

    async def find(user_id: Any) -> Any:
        reader = site.lib.current_user
        readers.append(reader.name if reader.is_authenticated else "anonymous")
        return site.users[user_id]

    browser = await logged_in(site)
    site.find = find  # type: ignore[method-assign]
    assert await browser.get("/private") == (200, "private of user 1")
    assert readers == ["anonymous"]


async def test_038_a_request_loader_that_looks_at_the_current_user_sees_nobody(
    site: Site,
) -> None:
    calls: list[bool] = []

    def load(request: Any) -> Any:
        calls.append(site.lib.current_user.is_authenticated)
        return site.users[2]

    site.manager.request_loader(load)
    assert await site.browser().get("/private") == (200, "private of user 2")
    assert calls == [False]
