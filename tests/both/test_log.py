"""P21: a dump of the log holds nothing that authenticates, and names nobody."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from typing import Any

import pytest
from both.refusals import PLAYS, logged_in
from sites import KEY, Browser, Site, User

from quart_login import Reason

PASSWORD = "correct-horse-battery"
TOKEN_IN_PATH = "a-token-in-the-path"
API_KEY = "the-api-key-of-user-2"


def dumped(record: logging.LogRecord) -> str:
    """Return all that a handler could write of *record*."""
    text = logging.Formatter("%(message)s").format(record)
    return f"{text} {vars(record)!r}"


def secrets_of(browser: Browser) -> set[str]:
    """Return what authenticates in the cookies of *browser*: them, and their longer parts."""
    values = set(browser.jar.values())
    parts = {part for value in values for part in re.split(r"[.|]", value) if len(part) > 12}
    return values | parts | {str(value) for value in browser.session().values() if value}


async def a_long_play(site: Site) -> set[str]:
    """Let everything happen, and return everything secret that was in it."""
    secret = {KEY, PASSWORD, TOKEN_IN_PATH, API_KEY, "the-epoch"}
    site.users[1].session_epoch = "the-epoch"
    site.users["alice@example.org"] = User("alice@example.org")

    @site.route("/reset/<token>")
    async def reset(token: str) -> str:
        await site.call(site.lib.report_login_failure, PASSWORD, password=PASSWORD)
        await site.login_user(site.users["alice@example.org"], remember=True)
        return str(site.lib.login_decision())

    def by_key(request: Any) -> Any:
        return site.users[2] if request.headers.get("X-API-Key") == API_KEY else None

    async def visit(browser: Browser, *paths: str) -> None:
        for path in paths:
            secret.update(secrets_of(browser))
            answer = await browser.get(path)
            secret.update(secrets_of(browser))
            assert answer.status < 500

    @site.route("/token")
    async def token() -> str:
        return site.lib.issue_token(site.users[2], lifetime=60)  # type: ignore[no-any-return]

    site.manager.verify_password(lambda username, password: site.users.get(username))
    site.manager.request_loader(by_key)
    browser = site.browser()
    await visit(browser, "/private", "/in/1?remember=1", "/me", "/confirm", "/very")
    browser.close()
    await visit(browser, "/very", "/me")
    copied = dict(browser.jar)
    browser.headers["User-Agent"] = "another"
    await visit(browser, "/me", "/out", f"/reset/{TOKEN_IN_PATH}?token={API_KEY}")
    await visit(browser, "/me", f"/no-such-page/{TOKEN_IN_PATH}")
    await visit(site.browser(**{"X-API-Key": API_KEY}), "/me", f"/private?key={API_KEY}")
    issued = (await site.browser().get("/token")).text
    secret.update((issued, issued.rpartition(".")[2]))
    for sent in (issued, issued[:-2] + "ab"):
        await visit(site.browser(Authorization=f"Bearer {sent}"), "/me", "/private")
    basic = b64encode(f"zoë:{PASSWORD}".encode()).decode()
    secret.add(basic)
    await visit(site.browser(Authorization=f"Basic {basic}"), "/me", "/private")
    site.users[1].session_epoch = "another-epoch"
    browser = site.browser()
    for change in (lambda: None, lambda: site.users.pop(1), lambda: site.clock.advance(400)):
        change()
        for name in ("remember_token", "session"):
            browser.jar = {name: copied[name]}
            await visit(browser, "/me", "/private")
    for junk in (copied["remember_token"][:-3] + "abc", copied["session"], "junk"):
        browser.jar = {"remember_token": junk}
        await visit(browser, "/me")
    return {text for text in secret if len(text) > 3}


async def test_p21_the_log_of_a_long_play_holds_nothing_that_authenticates(
    make_site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = make_site()
    secret = await a_long_play(site)
    ours = [record for record in caplog.records if record.name == "quart_login"]
    assert len({record.event for record in ours}) >= 8 and len(secret) > 20  # type: ignore[attr-defined]
    text = "\n".join(map(dumped, ours))
    assert [word for word in secret if word in text] == []
    assert "alice" not in text and "example.org" not in text


async def test_p21_no_word_of_the_log_logs_anybody_in(
    make_site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = make_site()
    await a_long_play(site)
    ours = [record for record in caplog.records if record.name == "quart_login"]
    words = set(re.findall(r"[^\s='\"]{8,}", "\n".join(map(dumped, ours))))
    site.users[1] = User(1)
    assert len(words) > 20
    for word in sorted(words):
        for name in ("session", "remember_token"):
            browser = site.browser(**{"X-API-Key": word, "Authorization": f"Bearer {word}"})
            browser.jar[name] = word
            assert await browser.get("/me") == (200, "anonymous"), word


async def test_p21_nor_is_anybody_named_in_a_decision(site: Site) -> None:
    site.users["alice@example.org"] = User("alice@example.org")

    @site.route("/decision")
    async def decision() -> str:
        return repr(site.lib.login_decision())

    browser = await logged_in(site, user="alice@example.org")
    assert "alice" not in (await browser.get("/decision")).text
    del site.users["alice@example.org"]
    answer = await browser.get("/decision")
    assert "user_gone" in answer.text and "alice" not in answer.text


async def test_108_the_id_is_in_the_log_by_a_setting_alone(make_site: Any, lines: Any) -> None:
    for shown in (False, True):
        site = make_site({"LOGIN_LOG_USER_IDS": shown})
        site.users["alice@example.org"] = User("alice@example.org")
        lines.clear()
        await logged_in(site, user="alice@example.org")
        assert [line.event for line in lines.records] == ["user_logged_in"]
        assert (lines.records[0].user == "alice@example.org") is shown


async def test_a_line_names_whose_login_was_refused_where_that_is_proven(
    make_site: Any, lines: Any
) -> None:
    _, browser = await PLAYS[Reason.PROTECTED](make_site)
    who = lines.records[0].user
    lines.clear()
    await browser.get("/me")
    told = {line.event: line.user for line in lines.records}
    assert told == {"session_protected": who, "credential_rejected": who}
    _, browser = await PLAYS[Reason.BAD_SIGNATURE](make_site)
    lines.clear()
    await browser.get("/me")
    assert [line.user for line in lines.records] == [None]
