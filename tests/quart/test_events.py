"""What is told where only Quart has a place for it: in sockets, and on demand."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from quart import websocket
from sites import QuartSite, Site
from sockets import hear, logged_in, refusal

from quart_login import Reason, load_user, login_decision, report_login_failure, user_accessed


async def test_a_failed_login_in_a_socket_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    @site.app.websocket("/login-socket/<token>")
    async def attempt(token: str) -> None:
        await report_login_failure("alice", reason="wrong_password")
        await websocket.send(str(login_decision().reason))

    with site.hearing("user_login_failed") as heard:
        assert await hear(site.browser(), "/login-socket/secret") == "no_credential"
    assert [extra["identifier"] for _, extra in heard] == ["alice"]
    [line] = caplog.records
    assert line.route == "/login-socket/<token>"  # type: ignore[attr-defined]
    assert "secret" not in line.getMessage()


async def test_a_receiver_that_raises_opens_no_socket(site: Site) -> None:
    @site.app.websocket("/guarded")
    @site.lib.login_required
    async def guarded() -> None:
        await websocket.send("entered")

    @site.app.websocket("/open")
    async def open_() -> None:
        await websocket.send(str(login_decision().reason))

    def receiver(sender: Any, **extra: Any) -> None:
        raise OSError("the receiver is broken")

    browser = await logged_in(site, "?remember=1")
    browser.close()
    site.lib.user_loaded_from_cookie.connect(receiver, sender=site.app)
    assert await hear(browser, "/open") == "receiver_failed"
    assert await refusal(browser, "/guarded") == 500
    site.lib.user_loaded_from_cookie.disconnect(receiver, sender=site.app)
    assert await hear(browser, "/guarded") == "entered"


async def test_the_decision_loads_nobody_on_demand() -> None:
    site = QuartSite({"LOGIN_LOAD_USER": "on_demand"})

    @site.route("/decisions")
    async def decisions() -> str:
        before = login_decision().reason
        assert site.loads == []
        await load_user()
        return f"{before} {login_decision().source}"

    browser = await logged_in(site)
    assert await browser.get("/decisions") == (200, f"{Reason.NOT_LOADED} session")


async def test_a_late_receiver_that_raises_fails_the_request_and_spoils_no_login(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    @site.route("/look-and-log-in")
    async def look() -> str:
        assert not site.lib.current_user.is_authenticated
        return str(await site.login_user(site.users[1], remember=True))

    async def receiver(sender: Any, **extra: Any) -> None:
        raise OSError("the receiver is broken")

    browser = site.browser()
    with user_accessed.connected_to(receiver, sender=site.app):
        assert (await browser.get("/look-and-log-in")).status == 500
    assert browser.jar.keys() == {"session", "remember_token"}
    assert await browser.get("/me") == (200, "user 1")
    assert any(record.levelno == logging.ERROR for record in caplog.records)
