"""Who may open a websocket, and what can nobody do in one?"""

from __future__ import annotations

from typing import Any

import pytest
from loops import asyncio
from quart import copy_current_websocket_context, websocket
from sites import Site
from sockets import add_sockets, hear, logged_in, refusal, who

from quart_login import (
    OutOfPlace,
    load_user,
    login_fresh,
    login_required,
)


@pytest.fixture
def site(make_site: Any) -> Site:
    return add_sockets(make_site())


@pytest.fixture(params=["eager", "on_demand"])
def either(request: pytest.FixtureRequest, make_site: Any) -> Site:
    """Return a site in each mode of loading in turn."""
    return add_sockets(make_site({"LOGIN_LOAD_USER": request.param}))


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/private-socket", "/very-private-socket"])
async def test_a_stranger_is_refused_before_the_handshake_is_accepted(
    either: Site, path: str
) -> None:
    with either.hearing("user_unauthorized") as heard:
        assert await refusal(either.browser(), path) == 401
    assert heard == [("user_unauthorized", {})]


async def test_a_user_is_let_in(either: Site) -> None:
    browser = await logged_in(either)
    assert await hear(browser, "/private-socket") == "private of user 1"
    assert await hear(browser, "/very-private-socket") == "very private of user 1"
    assert either.loads == [1, 1]


async def test_a_stale_login_is_let_in_but_not_where_a_fresh_one_is_asked(either: Site) -> None:
    browser = await logged_in(either, "?fresh=0")
    assert await hear(browser, "/private-socket") == "private of user 1"
    with either.hearing("user_needs_refresh") as heard:
        assert await refusal(browser, "/very-private-socket") == 401
    assert heard == [("user_needs_refresh", {})]


async def test_a_login_that_grew_old_is_not_let_in_where_a_fresh_one_is_asked(site: Site) -> None:
    browser = await logged_in(site)
    site.clock.advance(days=1, seconds=1)
    assert await hear(browser, "/private-socket") == "private of user 1"
    assert await refusal(browser, "/very-private-socket") == 401


async def test_a_refused_handshake_is_401_whatever_pages_answer(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.manager.login_view = site.manager.refresh_view = "login"
    site.app.config["USE_SESSION_FOR_NEXT"] = True
    assert await refusal(site.browser(), "/private-socket") == 401
    assert await refusal(await logged_in(site, "?fresh=0"), "/very-private-socket") == 401
    site.manager.unauthorized_handler(lambda: "a page")
    site.manager.needs_refresh_handler(lambda: "a page")
    assert await refusal(site.browser(), "/private-socket") == 401
    assert await refusal(await logged_in(site, "?fresh=0"), "/very-private-socket") == 401
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/private-socket", "/very-private-socket"])
async def test_a_manager_that_answers_nothing_lets_nobody_open_a_websocket(
    site: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(self: Any) -> None:
        """Say nothing."""

    monkeypatch.setattr(type(site.manager), "unauthorized", answer)
    monkeypatch.setattr(type(site.manager), "needs_refresh", answer)
    assert await refusal(site.browser(), path) == 500
    if path == "/very-private-socket":
        assert await refusal(await logged_in(site, "?fresh=0"), path) == 500


async def test_a_loader_that_raises_refuses_a_protected_handshake_and_no_other(
    either: Site,
) -> None:
    @either.app.websocket("/public-socket")
    async def public_socket() -> None:
        await websocket.send("public")

    browser = await logged_in(either)

    @either.manager.user_loader
    async def broken(user_id: Any) -> Any:
        raise LookupError(user_id)

    assert await refusal(browser, "/private-socket") == 500
    assert await hear(browser, "/public-socket") == "public"


async def test_with_login_disabled_strangers_are_let_in(site: Site) -> None:
    site.app.config["LOGIN_DISABLED"] = True

    @site.app.websocket("/open")
    @login_required
    async def opened() -> None:
        await websocket.send(who())

    assert await hear(site.browser(), "/open") == "anonymous"


# --- what a socket cannot do ---------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["login_user", "logout_user", "confirm_login"])
@pytest.mark.parametrize("accepted", [False, True])
async def test_nobody_logs_in_or_out_inside_a_socket(
    either: Site, deed: str, accepted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    @either.app.websocket("/deed")
    async def socket() -> None:
        if accepted:
            await websocket.accept()
        try:
            await (either.login_user(either.users[2]) if deed == "login_user" else done())
        except OutOfPlace as error:
            text = str(error)
        await load_user()
        await websocket.send(f"{who()}: {text}")

    async def done() -> None:
        await getattr(either, deed)()

    browser = await logged_in(either)
    cookies = dict(browser.jar)
    heard = await hear(browser, "/deed")
    assert heard.startswith(f"user 1: {deed}() was called in a websocket")
    assert browser.jar == cookies
    assert caplog.records == []


@pytest.mark.parametrize("deed", ["login_user", "logout_user", "confirm_login"])
@pytest.mark.parametrize("accepted", [False, True])
async def test_098_nor_by_the_manager_nor_in_a_task_of_the_socket(
    site: Site, deed: str, accepted: bool
) -> None:
    args = (site.users[2],) if deed == "login_user" else ()

    @site.app.websocket("/deed")
    async def socket() -> None:
        if accepted:
            await websocket.accept()
        raised = []
        for owner in (site.lib, site.manager):
            do = getattr(owner, deed)
            for attempt in (
                lambda do=do: do(*args),
                lambda do=do: asyncio.create_task(do(*args)),
                lambda do=do: copy_current_websocket_context(do)(*args),
            ):
                try:
                    await attempt()
                except RuntimeError as error:
                    raised.append(str(error))
        assert len(raised) == 6
        await websocket.send(f"{who()}: {', '.join(set(raised))}")

    browser = await logged_in(site)
    heard = await hear(browser, "/deed")
    assert heard.startswith(f"user 1: {deed}() was called in a websocket")
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("protection", ["basic", "strong", None])
async def test_a_remember_cookie_alone_opens_a_socket_and_writes_no_session(
    make_site: Any, protection: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    site = add_sockets(make_site({"SESSION_PROTECTION": protection}))
    browser = await logged_in(site, "?remember=1")
    browser.close()
    assert await hear(browser, "/private-socket") == "private of user 1"
    assert await refusal(browser, "/very-private-socket") == 401
    # Quart logs an error for a session that is modified in a websocket.
    assert caplog.records == []


async def test_a_moved_session_is_stale_in_a_socket_and_not_written(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await logged_in(site)
    other = {"User-Agent": "another browser"}
    assert await hear(browser, "/private-socket", **other) == "private of user 1"
    assert await refusal(browser, "/very-private-socket", **other) == 401
    assert caplog.records == []
    assert await hear(browser, "/very-private-socket") == "very private of user 1"


async def test_a_moved_session_is_nobody_s_in_a_socket_under_strong_protection(
    make_site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site = add_sockets(make_site({"SESSION_PROTECTION": "strong"}))
    browser = await logged_in(site)
    other = {"User-Agent": "another browser"}
    assert await hear(browser, "/who", **other) == "anonymous"
    assert await refusal(browser, "/private-socket", **other) == 401
    assert {record.name for record in caplog.records} == {"quart_login"}


async def test_a_session_of_a_deleted_user_is_refused_and_not_written(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await logged_in(site, "?remember=1")
    site.users.clear()
    assert await refusal(browser, "/private-socket") == 401
    browser.close()
    assert await refusal(browser, "/private-socket") == 401
    assert caplog.records == []


async def test_freshness_can_be_asked_in_a_socket(site: Site) -> None:
    @site.app.websocket("/fresh")
    async def fresh() -> None:
        await websocket.send(str(login_fresh()))

    assert await hear(await logged_in(site), "/fresh") == "True"
    assert await hear(await logged_in(site, "?fresh=0"), "/fresh") == "False"
    assert await hear(site.browser(), "/fresh") == "False"
