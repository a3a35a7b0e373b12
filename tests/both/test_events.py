"""Who is told of what happens, and what if they fail?"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from both.refusals import break_receiver, logged_in, steal, with_registry, with_why
from loops import asyncio
from sites import SIGNALS, Site, User

from quart_login import Reason
from quart_login._core.step import step


def events_of(lines: Any) -> list[str]:
    return [line.event for line in lines.records if line.name == "quart_login"]


# --- a failed login ------------------------------------------------------------------------------


def add_login(site: Site) -> None:
    """Add a page whose login always fails."""

    @site.route("/try/<name>")
    async def attempt(name: str) -> str:
        report = site.lib.report_login_failure
        await site.call(report, name, reason="wrong_password", user=site.users[1], attempt=2)
        user = site.lib.current_user
        return user.name if user.is_authenticated else "anonymous"


async def test_ask_33_a_failed_login_is_told(site: Site, lines: Any) -> None:
    add_login(site)
    with site.hearing("user_login_failed") as heard:
        assert await site.browser().get("/try/hunter2") == (200, "anonymous")
    [(_, told)] = heard
    address = told.pop("remote_addr")
    assert address in ("127.0.0.1", "<local>")
    assert told == {
        "identifier": "hunter2",
        "reason": "wrong_password",
        "user": site.users[1],
        "attempt": 2,
    }
    [line] = [line for line in lines.records if line.name == "quart_login"]
    assert (line.event, line.reason) == ("user_login_failed", "wrong_password")
    assert (line.method, line.route, line.remote_addr) == ("GET", "/try/<name>", address)
    assert line.levelno == logging.WARNING
    assert "hunter2" not in lines.text


async def test_ask_33_the_same_name_is_the_same_digest_and_another_is_not(
    site: Site, lines: Any
) -> None:
    add_login(site)
    for name in ("alice", "alice", "bob"):
        await site.browser().get(f"/try/{name}")
    first, second, third = (line.identifier for line in lines.records)
    assert first == second != third


async def test_ask_33_a_receiver_may_turn_a_visitor_away(site: Site) -> None:
    add_login(site)

    def limit(sender: Any, *, identifier: str, remote_addr: str, **extra: Any) -> None:
        site.web.abort(429)

    site.manager.user_login_failed.connect(limit, sender=site.app)
    assert (await site.browser().get("/try/alice")).status == 429


async def test_ask_33_a_failed_login_leaves_who_is_logged_in_alone(site: Site) -> None:
    add_login(site)
    browser = await logged_in(site)
    assert await browser.get("/try/alice") == (200, "user 1")
    assert await browser.get("/me") == (200, "user 1")


async def test_ask_33_outside_a_request_it_is_a_clear_error(site: Site) -> None:
    with pytest.raises(RuntimeError, match="There is no request here"):
        await site.call(site.lib.report_login_failure, "alice")


async def test_ask_33_a_realm_says_which_it_is(site: Site, lines: Any) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")

    @site.route("/staff-try")
    async def attempt() -> str:
        await site.call(staff.report_login_failure, "alice")
        return "failed"

    with site.hearing("user_login_failed") as heard:
        await site.browser().get("/staff-try")
    assert heard[0][1]["realm"] == "staff"
    assert lines.records[-1].realm == "staff"


# --- receivers -----------------------------------------------------------------------------------


async def every_event(site: Site) -> None:
    """Let everything happen that a signal tells of."""
    add_login(site)
    browser = await logged_in(site, "?remember=1")
    await browser.get("/me")
    await browser.get("/confirm")
    browser.close()
    await browser.get("/very")
    browser.headers["User-Agent"] = "another"
    await browser.get("/me")
    await browser.get("/out")
    await browser.get("/private")
    await browser.get("/try/alice")
    browser.jar["remember_token"] = "junk"
    await browser.get("/me")
    browser = await logged_in(site)
    site.users[1] = site.users[2]
    await browser.get("/me")
    with_registry(site)
    await (await steal(site, 2)).get("/me")
    site.manager.sessions = None
    site.manager.request_loader(lambda request: site.users[2])
    await site.browser().get("/me")


ALL_SIGNALS = set(SIGNALS) - {"user_loaded_from_header"}


async def test_every_signal_serves_async_receivers(site: Site) -> None:
    heard: set[str] = set()
    receivers = []

    def receiver(name: str) -> Any:
        async def receive(sender: Any, **extra: Any) -> None:
            await asyncio.sleep(0)
            assert sender is site.app
            heard.add(name)

        return receive

    for name in ALL_SIGNALS:
        receivers.append(receiver(name))
        getattr(site.lib, name).connect(receivers[-1], sender=site.app)
    if site.web.__name__ == "flask":
        # In a thread without a loop, as Flask serves; all in it is called, and waits for nothing.
        await asyncio.to_thread(lambda: step(every_event(site)))
    else:
        await every_event(site)
    assert heard == ALL_SIGNALS


@pytest.mark.parametrize("name", sorted(ALL_SIGNALS - {"user_accessed"}))
async def test_every_signal_has_one_line_in_the_log(site: Site, lines: Any, name: str) -> None:
    with site.hearing(name) as heard:
        await every_event(site)
    told = [line for line in lines.records if getattr(line, "event", "") == name]
    assert len(told) == len(heard) > 0


async def test_a_receiver_that_raises_while_a_user_is_loaded_lets_nobody_in(
    site: Site, lines: Any
) -> None:
    browser = await logged_in(site, "?remember=1")
    browser.close()
    jar = dict(browser.jar)
    break_receiver(site, "user_loaded_from_cookie")
    for _ in range(2):
        assert await browser.get("/public") == (200, "public")
        assert await browser.get("/me") == (200, "anonymous")
        assert (await browser.get("/private")).status == 500
        assert browser.jar == jar and browser.session() == {}
    errors = [line for line in lines.records if line.levelno == logging.ERROR]
    told = [line for line in errors if line.name == "quart_login"]
    assert {line.event for line in told} == {"receiver_failed"}
    assert {line.reason for line in told} == {"user_loaded_from_cookie"}
    assert all(line.exc_info and isinstance(line.exc_info[1], OSError) for line in told)
    site.lib.user_loaded_from_cookie.disconnect(site.kept, sender=site.app)  # type: ignore[attr-defined]
    assert await browser.get("/private") == (200, "private of user 1")


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("credential_rejected", {"remember_token": "junk"}),
        ("user_loaded_from_request", {}),
        ("session_protected", {"session": ...}),
    ],
)
async def test_whatever_the_signal(site: Site, name: str, sent: dict[str, Any]) -> None:
    browser = await logged_in(site)
    if "session" in sent:
        browser.headers["User-Agent"] = "another"
    else:
        site.manager.request_loader(lambda request: site.users[2])
        browser.jar = dict(sent)
    break_receiver(site, name)
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("remember", [0, 1])
async def test_a_receiver_that_raises_takes_a_login_back(site: Site, remember: int) -> None:
    browser = site.browser()
    await browser.get("/put/cart/7")
    before = browser.session()
    receiver = break_receiver(site, "user_logged_in")
    answer = await browser.get(f"/in/1?remember={remember}")
    assert answer.status == 500 and answer.cookie("remember_token") is None
    assert browser.session() == before and browser.jar.keys() == {"session"}
    assert await browser.get("/me") == (200, "anonymous")
    site.lib.user_logged_in.disconnect(receiver, sender=site.app)
    assert await browser.get("/in/1") == (200, "True")


async def test_nobody_is_logged_in_after_a_view_swallows_that(site: Site) -> None:
    with_why(site)
    seen: list[Any] = []

    @site.route("/bold")
    async def bold() -> str:
        with pytest.raises(OSError, match="the receiver is broken"):
            await site.login_user(site.users[2], remember=True)
        decision = site.lib.login_decision()
        seen.append((decision.authenticated, decision.reason))
        return str(site.lib.current_user.is_authenticated)

    browser = await logged_in(site)
    before = browser.session()
    break_receiver(site, "user_logged_in")
    assert await browser.get("/bold") == (200, "False")
    assert seen == [(False, Reason.RECEIVER_FAILED)]
    # The login from before is as it was.
    assert browser.session() == before
    assert await browser.get("/me") == (200, "user 1")


async def test_a_receiver_may_refuse_a_login(site: Site) -> None:
    def forbid(sender: Any, user: User, **extra: Any) -> None:
        site.web.abort(403)

    site.lib.user_logged_in.connect(forbid, sender=site.app)
    browser = site.browser()
    assert (await browser.get("/in/1?remember=1")).status == 403
    assert await browser.get("/me") == (200, "anonymous")


async def test_a_receiver_that_raises_leaves_a_confirmed_login_stale(site: Site) -> None:
    browser = await logged_in(site, "?fresh=0")
    before = browser.session()
    break_receiver(site, "user_login_confirmed")
    assert (await browser.get("/confirm")).status == 500
    assert browser.session() == before
    assert (await browser.get("/very")).status == 401
    assert await browser.get("/me") == (200, "user 1")


async def test_a_receiver_that_raises_lets_a_logout_stand(site: Site, lines: Any) -> None:
    browser = await logged_in(site, "?remember=1")
    break_receiver(site, "user_logged_out")
    assert (await browser.get("/out")).status == 500
    assert await browser.get("/me") == (200, "anonymous")
    assert events_of(lines)[-2:] == ["user_logged_out", "receiver_failed"]


@pytest.mark.parametrize("name", ["user_unauthorized", "user_needs_refresh", "user_accessed"])
async def test_a_receiver_that_raises_opens_no_door(site: Site, name: str) -> None:
    browser = site.browser()
    if name == "user_needs_refresh":
        browser = await logged_in(site, "?fresh=0")
    break_receiver(site, name)
    assert (await browser.get("/very")).status == 500
