"""Contexts, sockets, caches and misuse: sections 3.H and 3.I of the survey of attacks, each test
under its row's number.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from loops import asyncio, run_sync
from sites import Browser, FlaskSite, QuartSite, Site, User

import quart_login
from quart_login._core.claim import Claim
from quart_login._core.identity import Identity
from quart_login._core.record import Record
from quart_login._core.remember import Change
from quart_login._core.tokens import Keys, Token


async def logged_in(site: Site, path: str = "/in/1?remember=1", **headers: str) -> Browser:
    browser = site.browser(**headers)
    assert await browser.get(path) == (200, "True")
    return browser


# --- 87, 91: which context -----------------------------------------------------------------------


async def twice(site: Site) -> None:
    """Assert that the client after one that is logged in is nobody."""
    one = await logged_in(site)
    assert await one.get("/private") == (200, "private of user 1")
    for _ in range(2):
        two = site.browser()
        assert await two.get("/me") == (200, "anonymous")
        assert (await two.get("/private")).status == 401
        assert await one.get("/me") == (200, "user 1")


async def test_087_an_outer_application_context_shares_no_user(site: Site) -> None:
    if site.web.__name__ == "flask":
        with site.app.app_context():
            await twice(site)
    else:
        async with site.app.app_context():
            await twice(site)


async def test_087_an_outer_request_context_shares_no_user(site: Site) -> None:
    context = site.app.test_request_context("/")
    if site.web.__name__ == "flask":
        with context:
            await twice(site)
            assert not site.lib.current_user.is_authenticated
    else:
        async with context:
            await twice(site)
            assert not site.lib.current_user.is_authenticated


async def test_091_outside_a_request_the_user_is_anonymous(site: Site) -> None:
    await logged_in(site)
    user = site.lib.current_user
    assert user.is_authenticated is False
    assert user.is_active is False
    assert user.is_anonymous is True
    assert user.get_id() is None


async def test_091_outside_a_request_nobody_logs_in_or_out(site: Site) -> None:
    for name, args in (
        ("login_user", (site.users[1],)),
        ("logout_user", ()),
        ("confirm_login", ()),
    ):
        with pytest.raises(quart_login.OutOfPlace, match="no request"):
            await site.call(getattr(site.lib, name), *args)


# --- 89, 90, 92: tasks, threads, streams ---------------------------------------------------------


async def test_089_a_task_that_outlives_its_request_cannot_log_in_or_out() -> None:
    site: Any = QuartSite()
    answered, seen, tasks = asyncio.Event(), [], []

    async def outlive() -> None:
        await answered.wait()
        seen.append(site.lib.current_user.name)
        for name, args in (
            ("login_user", (site.users[2],)),
            ("logout_user", ()),
            ("confirm_login", ()),
        ):
            with pytest.raises(quart_login.OutOfPlace, match="after the response"):
                await getattr(site.lib, name)(*args)
        seen.append(site.lib.current_user.name)

    @site.route("/start")
    async def view() -> str:
        tasks.append(asyncio.create_task(outlive()))
        return "started"

    browser = await logged_in(site)
    assert await browser.get("/start") == (200, "started")
    answered.set()
    await asyncio.gather(*tasks)
    assert seen == ["user 1", "user 1"]
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("looked", [False, True])
async def test_089_a_stream_cannot_log_in_though_nobody_looked_before_it(looked: bool) -> None:
    site = FlaskSite()
    raised: list[Exception] = []

    @site.route("/stream")
    async def view() -> Any:
        if looked:
            assert not site.lib.current_user.is_authenticated

        def stream() -> Any:
            yield "begun "
            try:
                site.lib.login_user(site.users[1])
            except quart_login.OutOfPlace as error:
                raised.append(error)
            yield "ended"

        return site.web.Response(site.web.stream_with_context(stream()))

    browser = site.browser()
    assert await browser.get("/stream") == (200, "begun ended")
    assert len(raised) == 1
    assert browser.jar == {}


async def test_090_a_background_task_is_nobody_s_or_the_request_s_and_cannot_log_in() -> None:
    site: Any = QuartSite()
    seen: list[Any] = []

    async def background() -> None:
        user = site.lib.current_user
        seen.append(user.name if user.is_authenticated else "anonymous")
        with pytest.raises(quart_login.OutOfPlace):
            await site.lib.login_user(site.users[2])
        seen.append("refused")

    @site.route("/start")
    async def view() -> str:
        site.app.add_background_task(background)
        return "started"

    async with site.app.test_app():
        browser = await logged_in(site)
        assert await browser.get("/start") == (200, "started")
    assert seen in (["user 1", "refused"], ["anonymous", "refused"])
    assert await browser.get("/me") == (200, "user 1")


async def test_092_every_place_of_a_request_sees_one_user() -> None:
    site: Any = QuartSite()

    def name() -> str:
        return str(site.lib.current_user.name)

    async def name_later() -> str:
        await asyncio.sleep(0)
        return name()

    @site.route("/places")
    async def view() -> Any:
        quart = site.web
        return [
            name(),
            *await asyncio.gather(name_later(), name_later()),
            await asyncio.create_task(quart.copy_current_request_context(name_later)()),
            await run_sync(name)(),
            await asyncio.to_thread(name),
        ]

    one, two = await logged_in(site), await logged_in(site, "/in/2")
    for browser, expected in ((one, "user 1"), (two, "user 2")):
        answer = await browser.get("/places")
        assert answer.text.count(expected) == 6
        assert answer.text.count("user") == 6


async def test_092_copied_into_a_thread_a_flask_request_keeps_its_user() -> None:
    site: Any = FlaskSite()

    @site.route("/thread")
    async def view() -> str:
        found: list[str] = []

        @site.web.copy_current_request_context
        def look() -> None:
            found.append(site.lib.current_user.name)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return found[0]

    assert await (await logged_in(site)).get("/thread") == (200, "user 1")
    assert (await site.browser().get("/private")).status == 401


# --- 98: sockets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["login_user", "logout_user", "confirm_login"])
async def test_098_nobody_logs_in_or_out_inside_a_socket(name: str) -> None:
    site: Any = QuartSite()

    @site.app.websocket("/socket")
    async def socket() -> None:
        args = (site.users[2],) if name == "login_user" else ()
        try:
            await getattr(site.lib, name)(*args)
        except RuntimeError as error:
            await site.web.websocket.send(f"{name}: {error}")

    browser = await logged_in(site)
    cookie = "; ".join(f"{key}={value}" for key, value in browser.jar.items())
    headers = {**browser.headers, "Cookie": cookie}
    async with site.app.test_client().websocket("/socket", headers=headers) as client:
        text = await client.receive()
    assert text.startswith(f"{name}: {name}() was called in a websocket")
    assert await browser.get("/me") == (200, "user 1")


# --- 100: caches ---------------------------------------------------------------------------------


def varies(answer: Any) -> bool:
    return "cookie" in answer.headers.get("Vary", "").lower()


PRIVATE = ["/me", "/private", "/very", "/is-fresh", "/is-remembered", "/template", "/guest", "/ask"]


def add_pages(site: Site) -> None:
    @site.route("/template")
    async def template() -> str:
        return await site.render("{{ current_user.is_authenticated }}")

    @site.route("/guest")
    async def guest() -> str:
        return "hello" if site.lib.current_user.is_anonymous else "hello again"

    @site.route("/ask")
    async def ask() -> str:
        return "hello" if site.lib.current_user == None else "hello again"  # noqa: E711


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("cookies", ["none", "junk", "session", "remember_token", "both"])
async def test_100_a_page_that_depends_on_the_user_says_so_to_caches(
    site: Site, path: str, cookies: str
) -> None:
    add_pages(site)
    browser = await logged_in(site)
    if cookies == "none":
        browser.jar = {}
    elif cookies == "junk":
        browser.jar = {"remember_token": "junk"}
    elif cookies != "both":
        browser.jar = {cookies: browser.jar[cookies]}
    assert varies(await browser.get(path))


@pytest.mark.parametrize("path", ["/in/1", "/in/1?remember=1", "/out", "/confirm", "/public"])
@pytest.mark.parametrize("junk", [True, False])
async def test_100_an_answer_that_sets_a_cookie_says_so_to_caches(
    site: Site, path: str, junk: bool
) -> None:
    browser = await logged_in(site)
    browser.close()
    if junk:
        browser.jar["remember_token"] = "junk"
    answer = await browser.get(path)
    assert varies(answer) or answer.set_cookies == []


async def test_100_a_redirect_to_the_login_page_says_so_to_caches(site: Site) -> None:
    site.manager.login_view = "login"
    answer = await site.browser().get("/private")
    assert answer.status == 302
    assert varies(answer)


async def test_100_error_pages_that_ask_for_the_user_say_so_to_caches(site: Site) -> None:
    answer = await site.browser().get("/private")
    assert answer.status == 401
    assert varies(answer)


# --- 103, 104: misuse ----------------------------------------------------------------------------


@pytest.mark.parametrize("guard", ["login_required", "fresh_login_required"])
@pytest.mark.parametrize("automatic", [True, False])
async def test_103_a_stranger_s_options_request_does_not_run_the_view(
    site: Site, guard: str, automatic: bool
) -> None:
    ran: list[str] = []

    @site.route(
        "/guarded",
        guard=guard,
        methods=["GET", "POST", "OPTIONS"],
        provide_automatic_options=automatic,
    )
    async def view() -> str:
        ran.append(site.lib.current_user.name)
        return "the secret"

    stranger = await site.browser().open("/guarded", method="OPTIONS")
    assert stranger.status == 200
    assert stranger.text == ""
    assert "POST" in stranger.headers["Allow"]
    stale = await logged_in(site, "/in/2?fresh=0")
    await stale.open("/guarded", method="OPTIONS")
    assert ran == ([] if automatic or guard == "fresh_login_required" else ["user 2"])
    ran.clear()
    await (await logged_in(site)).open("/guarded", method="OPTIONS")
    assert ran == ([] if automatic else ["user 1"])


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_103_a_stranger_s_head_request_does_not_run_the_view(site: Site, method: str) -> None:
    assert (await site.browser().open("/private", method=method)).status == 401


async def test_104_is_authenticated_is_a_plain_bool(site: Site) -> None:
    @site.route("/bool")
    async def view() -> str:
        return repr(site.lib.current_user.is_authenticated)

    assert await site.browser().get("/bool") == (200, "False")
    assert await (await logged_in(site)).get("/bool") == (200, "True")


# --- 105: whose address --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Remote-Addr", "Client-IP", "Via"]
)
async def test_105_a_header_names_no_address(make_site: Any, header: str) -> None:
    site = make_site({"SESSION_PROTECTION": "strong"})
    victim = await logged_in(site, "/in/1")
    # The same client, whatever it says of itself.
    assert await victim.get("/me", headers={header: "203.0.113.7"}) == (200, "user 1")
    # A login whose client said so is not bound to what it said, either.
    liar = site.browser(**{header: "203.0.113.7"})
    assert await liar.get("/in/2") == (200, "True")
    liar.headers.pop(header)
    assert await liar.get("/me") == (200, "user 2")


async def test_105_a_thief_in_another_browser_cannot_name_the_victim_s(make_site: Any) -> None:
    site = make_site({"SESSION_PROTECTION": "strong"})
    victim = await logged_in(site, "/in/1")
    thief = site.browser(**{"User-Agent": "another", "X-Forwarded-For": "127.0.0.1"})
    thief.jar = dict(victim.jar)
    assert await thief.get("/me") == (200, "anonymous")


# --- 108: what is printed ------------------------------------------------------------------------

SECRETS = ["alice@example.org", "the-epoch", "the-key", "1800000000"]


def test_108_what_a_traceback_may_print_tells_no_secret_and_no_id() -> None:
    identity = Identity()
    identity.user = User("alice@example.org")
    token = Token("alice@example.org", 1_800_000_000, None, "the-epoch")
    for thing in (
        identity,
        token,
        Keys("the-key", ("the-key",)),
        Change("the-key"),
        Claim("alice@example.org", Record(epoch="the-epoch"), token),
    ):
        for secret in SECRETS:
            assert secret not in repr(thing), type(thing).__name__
            assert secret not in str(thing), type(thing).__name__


async def test_108_the_log_tells_no_secret_and_no_id(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="quart_login")
    user: Any = User("alice@example.org")
    site.users[user.id] = user
    browser = await logged_in(site, "/in/alice@example.org?remember=1")
    jar = dict(browser.jar)
    user.session_epoch = "another"
    del site.users[user.id]
    await browser.get("/me")
    browser.jar["remember_token"] = jar["remember_token"][:-2]
    await browser.get("/me")
    assert [record for record in caplog.records if record.name == "quart_login"]
    for text in ("alice", "example.org", *(value[:20] for value in jar.values())):
        assert text not in caplog.text


async def test_108_errors_tell_no_id(site: Site) -> None:
    texts: list[str] = []

    @site.route("/log-in")
    async def view() -> str:
        for user_id in ("alice@example.org" * 500, b"alice@example.org", ["alice@example.org"]):
            with pytest.raises(ValueError) as raised:
                await site.login_user(User(user_id))
            texts.append(str(raised.value))
        return "refused"

    assert await site.browser().get("/log-in") == (200, "refused")
    assert len(texts) == 3
    assert "alice" not in "".join(texts)


async def test_108_the_proxy_prints_as_the_user_does(site: Site) -> None:
    @site.route("/repr")
    async def view() -> str:
        return repr(site.lib.current_user)

    site.users["alice@example.org"] = User("alice@example.org")
    browser = await logged_in(site, "/in/alice@example.org")
    answer = await browser.get("/repr")
    assert "User object" in answer.text
    assert "alice" not in answer.text
