"""Why is this request anonymous, or how did its user come?"""

from __future__ import annotations

import re
from typing import Any

import pytest
from both.refusals import NO_REQUEST_S, NOT_REFUSED, PLAYS, logged_in, with_why
from sites import KEY, Site

from quart_login import Reason

# --- every reason --------------------------------------------------------------------------------


def test_there_is_a_play_for_every_reason() -> None:
    assert PLAYS.keys() == set(Reason) - NO_REQUEST_S


@pytest.mark.parametrize("reason", PLAYS)
async def test_every_reason_is_said_once_in_both_shells(
    make_site: Any, reason: Reason, lines: Any
) -> None:
    site, browser = await PLAYS[reason](lambda *args: with_why(make_site(*args)))
    lines.clear()
    with site.hearing("credential_rejected") as heard:
        assert await browser.get("/why") == (200, f"None {reason} False")
    refused = [] if reason in NOT_REFUSED else [reason]
    assert [extra["reason"] for _, extra in heard] == refused
    told = [line for line in lines.records if getattr(line, "event", "") == "credential_rejected"]
    assert [line.reason for line in told] == refused


def test_the_reasons_are_stable_words() -> None:
    assert all(re.fullmatch("[a-z_]+", reason) for reason in Reason)
    assert all(reason == reason.name.lower() for reason in Reason)


# --- the decision --------------------------------------------------------------------------------


async def test_a_session_a_cookie_a_request_and_a_login_are_told_apart(site: Site) -> None:
    with_why(site)

    @site.route("/in-why")
    async def in_why() -> str:
        await site.login_user(site.users[1])
        return str(site.lib.login_decision().source)

    browser = await logged_in(site, "?remember=1")
    assert await browser.get("/why") == (200, "session None True")
    browser.close()
    assert await browser.get("/why") == (200, "remember_cookie None False")
    assert await browser.get("/why") == (200, "session None False")
    assert await browser.get("/in-why") == (200, "login")
    site.manager.request_loader(lambda request: site.users[2])
    assert await site.browser().get("/why") == (200, "request_loader None False")


@pytest.mark.parametrize("scheme", ["password", "token"])
async def test_a_header_is_told_by_its_kind(site: Site, scheme: str) -> None:
    with_why(site)
    site.manager.verify_password(lambda username, password: site.users[1])

    @site.route("/token")
    async def token() -> str:
        return site.lib.issue_token(site.users[1])  # type: ignore[no-any-return]

    issued = await site.browser().get("/token")
    sent = f"Bearer {issued.text}" if scheme == "token" else "Basic YTpi"
    answer = await site.browser(Authorization=sent).get("/why")
    assert answer == (200, f"{scheme} None False")


async def test_a_session_that_the_framework_cannot_read_is_not_simply_missing(site: Site) -> None:
    with_why(site)
    browser = await logged_in(site)
    site.app.config["SECRET_KEY"] = KEY[::-1]
    assert await browser.get("/why") == (200, "None bad_signature False")
    browser.jar["session"] = "junk"
    assert await browser.get("/why") == (200, "None malformed False")


async def test_a_page_that_shows_the_decision_depends_on_the_cookie(site: Site) -> None:
    with_why(site)
    assert "Cookie" in (await site.browser().get("/why")).headers["Vary"]


def test_there_is_no_decision_outside_a_request(site: Site) -> None:
    with pytest.raises(RuntimeError, match="There is no request here"):
        site.lib.login_decision()


async def test_a_realm_has_a_decision_of_its_own(site: Site) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.user_loader(site.load_user)

    @site.route("/both")
    async def both() -> str:
        return f"{site.lib.login_decision().source} {staff.login_decision().reason}"

    browser = await logged_in(site)
    assert await browser.get("/both") == (200, "session no_credential")
