"""What happens when a loader fails, or the application is not set up?"""

from __future__ import annotations

from typing import Any

import pytest
from quart import abort, render_template_string
from sites import Browser, Site, User

from quart_login import (
    AnonymousUserMixin,
    current_user,
    load_user,
    login_required,
    login_user,
)

MODES = ["eager", "on_demand"]


class Broken(Exception):
    """What a database raises."""


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    return browser


@pytest.fixture(params=MODES)
def site(request: pytest.FixtureRequest, make_site: Any) -> Site:
    """Return a site that says whether its protected page's body ran, with a templated 500 page."""
    site = make_site({"LOGIN_LOAD_USER": request.param})
    site.ran = []

    @site.route("/guarded", guard="login_required")
    async def guarded() -> str:
        site.ran.append("guarded")
        return "secret"

    @site.route("/guarded-fresh", guard="fresh_login_required")
    async def guarded_fresh() -> str:
        site.ran.append("guarded-fresh")
        return "secret"

    @site.route("/page")
    async def page() -> str:
        return await render_template_string("page for {{ current_user.is_authenticated }}")

    @site.app.errorhandler(500)
    async def sorry(error: Any) -> tuple[str, int]:
        original = type(error.original_exception).__name__
        text = "sorry, {{ 'user' if current_user.is_authenticated else 'visitor' }}: " + original
        return await render_template_string(text), 500

    return site


def break_loader(site: Site, error: BaseException) -> None:
    @site.manager.user_loader
    async def broken(user_id: Any) -> Any:
        site.loads.append(user_id)
        raise error


# --- a loader that raises ------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?remember=1"])
async def test_a_loader_that_raises_breaks_no_public_page(site: Site, query: str) -> None:
    browser = await logged_in(site, query)
    if query:
        browser.close()
    break_loader(site, Broken())
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/page") == (200, "page for False")
    assert await browser.get("/login") == (200, "login page")


@pytest.mark.parametrize("path", ["/guarded", "/guarded-fresh"])
@pytest.mark.parametrize("query", ["", "?remember=1"])
async def test_a_loader_that_raises_makes_a_protected_view_an_error_page(
    site: Site, path: str, query: str
) -> None:
    site.manager.login_view = "login"
    browser = await logged_in(site, query)
    if query:
        browser.close()
    break_loader(site, Broken())
    assert await browser.get(path) == (500, "sorry, visitor: Broken")
    assert site.ran == []


async def test_a_loader_that_raises_logs_nobody_out(site: Site) -> None:
    browser = await logged_in(site, "?remember=1")
    cookies = dict(browser.jar)
    break_loader(site, Broken())
    for path in ("/public", "/page", "/guarded"):
        await browser.get(path)
    assert browser.jar == cookies
    site.manager.user_loader(site.load_user)
    assert await browser.get("/guarded") == (200, "secret")


async def test_a_loader_that_raises_is_called_once_in_a_request(site: Site) -> None:
    browser = await logged_in(site)
    site.loads.clear()
    break_loader(site, Broken())
    assert (await browser.get("/guarded")).status == 500
    assert site.loads == [1]


async def test_a_loader_may_abort_with_a_status_of_its_own(site: Site) -> None:
    @site.manager.user_loader
    async def unavailable(user_id: Any) -> Any:
        if site.loads:
            abort(503)
        return site.users[user_id]

    browser = await logged_in(site)
    site.loads.append("from now on")
    assert (await browser.get("/guarded")).status == 503
    assert await browser.get("/public") == (200, "public")
    assert site.ran == []


async def test_a_request_loader_that_raises_authenticates_nobody(site: Site) -> None:
    @site.manager.request_loader
    async def broken(request: Any) -> Any:
        raise Broken()

    browser = site.browser()
    assert await browser.get("/page") == (200, "page for False")
    assert await browser.get("/guarded") == (500, "sorry, visitor: Broken")
    assert site.ran == []


async def test_a_login_after_a_failure_stands(site: Site) -> None:
    browser = await logged_in(site)
    break_loader(site, Broken())

    @site.route("/again")
    async def again() -> str:
        await load_user()
        await login_user(site.users[2])
        return await guarded_name()

    @login_required
    async def guarded_name() -> str:
        return current_user.name

    assert await browser.get("/again") == (200, "user 2")
    site.manager.user_loader(site.load_user)
    assert await browser.get("/guarded") == (200, "secret")


async def test_a_failure_is_told_and_the_error_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await logged_in(site)
    break_loader(site, Broken("the database is gone"))
    with site.hearing("credential_rejected") as heard:
        await browser.get("/page")
    assert heard == [("credential_rejected", {"reason": "loader_failed"})]
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.name == "quart_login" and "the database is gone" in caplog.text


# --- a loader that returns what it should not ----------------------------------------------------


class NotAUser:
    name = "not a user"


class MethodUser(User):
    def is_active(self) -> bool:  # type: ignore[override]
        return True


class CoroutineUser(User):
    @property
    async def is_authenticated(self) -> bool:  # type: ignore[override]
        return True


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (User(2), "user_mismatch"),
        (User("1x"), "user_mismatch"),
        (NotAUser(), "not_a_user"),
        ("1", "not_a_user"),
        (1, "not_a_user"),
        (True, "not_a_user"),
        ({"id": 1}, "not_a_user"),
        (User, "not_a_user"),
        (MethodUser(1), "not_a_user"),
        (User(1, active=False), "user_inactive"),
        (AnonymousUserMixin(), "user_gone"),
        (None, "user_gone"),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value else type(value).__name__,
)
async def test_a_loader_that_returns_another_thing_authenticates_nobody(
    site: Site, wrong: Any, reason: str
) -> None:
    browser = await logged_in(site)

    @site.manager.user_loader
    async def load(user_id: Any) -> Any:
        return wrong

    with site.hearing("credential_rejected") as heard:
        answer = await browser.get("/guarded")
    assert answer.status == 401 and site.ran == []
    assert heard == [("credential_rejected", {"reason": reason})]
    assert await browser.get("/page") == (200, "page for False")


@pytest.mark.filterwarnings("ignore:coroutine 'CoroutineUser:RuntimeWarning")
async def test_a_user_whose_flag_must_be_awaited_is_authenticated_nowhere(site: Site) -> None:
    browser = await logged_in(site)

    @site.manager.user_loader
    async def load(user_id: Any) -> Any:
        return CoroutineUser(user_id)

    assert (await browser.get("/guarded")).status == 401
    assert site.ran == []
