"""Why nobody is logged in: for each reason a play that ends there, in both shells."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

from registry import CountingStore, copy
from sites import KEY, Browser, Site

from quart_login import LoginDecision, Reason

#: What is said of a request without being the refusal of a credential.
NOT_REFUSED = {
    Reason.NO_CREDENTIAL,
    Reason.LOGGED_OUT,
    Reason.NOT_LOADED,
    Reason.RECEIVER_FAILED,
    Reason.TOO_MANY_SESSIONS,
}

#: Why a login session ended, and no request is nobody's: whoever shows it hears that it ended.
NO_REQUEST_S = {Reason.REVOKED}


def with_why(site: Site) -> Site:
    """Add a page that shows the decision."""

    @site.route("/why")
    async def why() -> str:
        decision = site.lib.login_decision()
        assert isinstance(decision, LoginDecision)
        return f"{decision.source} {decision.reason} {decision.fresh}"

    return site


async def logged_in(site: Site, query: str = "", user: Any = 1) -> Browser:
    browser = site.browser()
    assert await browser.get(f"/in/{user}{query}") == (200, "True")
    return browser


def break_receiver(site: Site, name: str, error: Exception | None = None) -> Any:
    """Let a receiver of the signal raise.  Return it: it is called as long as it is kept."""

    def receiver(sender: Any, **extra: Any) -> None:
        raise error or OSError("the receiver is broken")

    site.kept = receiver  # type: ignore[attr-defined]
    getattr(site.lib, name).connect(receiver, sender=site.app)
    return receiver


# --- every reason --------------------------------------------------------------------------------

Play = Callable[[Any], Awaitable[tuple[Site, Browser]]]
PLAYS: dict[Reason, Play] = {}


def play(reason: Reason) -> Callable[[Play], Play]:
    """Add a play that ends with a browser whose next request is nobody's, for *reason*."""

    def add(fn: Play) -> Play:
        PLAYS[reason] = fn
        return fn

    return add


@play(Reason.NO_CREDENTIAL)
async def nothing_is_sent(make_site: Any) -> Any:
    site = make_site()
    return site, site.browser()


@play(Reason.BAD_SIGNATURE)
async def the_key_changed(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site, "?remember=1")
    browser.close()
    site.app.config["SECRET_KEY"] = KEY[::-1]
    return site, browser


@play(Reason.MALFORMED)
async def the_cookie_is_another_s(make_site: Any) -> Any:
    site = make_site()
    browser = site.browser()
    browser.jar["remember_token"] = "of-another-application"
    return site, browser


@play(Reason.EXPIRED)
async def the_cookie_is_old(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site, "?remember=1&seconds=10")
    browser.close()
    site.clock.advance(seconds=11)
    return site, browser


@play(Reason.LEGACY_ENDED)
async def flask_login_s_cookies_have_ended(make_site: Any) -> Any:
    site = make_site({"REMEMBER_COOKIE_FORMAT": "flask-login"})
    browser = await logged_in(site, "?remember=1")
    browser.close()
    site.app.config["REMEMBER_COOKIE_LEGACY_UNTIL"] = "2000-01-01"
    return site, browser


@play(Reason.PROTECTED)
async def the_session_comes_from_elsewhere(make_site: Any) -> Any:
    site = make_site({"SESSION_PROTECTION": "strong"})
    browser = await logged_in(site)
    browser.headers["User-Agent"] = "another"
    return site, browser


@play(Reason.OTHER_AUDIENCE)
async def the_session_is_another_application_s(make_site: Any) -> Any:
    site = make_site({"LOGIN_AUDIENCE": "shop"})
    browser = await logged_in(site)
    site.app.config["LOGIN_AUDIENCE"] = "blog"
    return site, browser


@play(Reason.USER_GONE)
async def the_user_was_deleted(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site)
    del site.users[1]
    return site, browser


@play(Reason.USER_INACTIVE)
async def the_user_was_locked(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site)
    site.users[1].active = False
    return site, browser


@play(Reason.USER_MISMATCH)
async def the_loader_returns_another(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site)
    site.users[1] = site.users[2]
    return site, browser


@play(Reason.NOT_A_USER)
async def the_loader_returns_something(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site)
    site.users[1] = object()
    return site, browser


@play(Reason.EPOCH_CHANGED)
async def the_password_was_changed(make_site: Any) -> Any:
    site = make_site()
    site.users[1].session_epoch = 1
    browser = await logged_in(site)
    site.users[1].session_epoch = 2
    return site, browser


@play(Reason.WRONG_PASSWORD)
async def the_header_s_password_is_wrong(make_site: Any) -> Any:
    site = make_site()
    site.manager.verify_password(lambda username, password: None)
    browser = site.browser()
    browser.headers["Authorization"] = f"Basic {b64encode(b'alice:hunter2').decode()}"
    return site, browser


@play(Reason.LOADER_FAILED)
async def the_database_is_down(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site)

    async def find(user_id: Any) -> Any:
        raise ConnectionError("the database is down")

    site.find = find
    return site, browser


@play(Reason.RECEIVER_FAILED)
async def the_receiver_is_broken(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site, "?remember=1")
    browser.close()
    break_receiver(site, "user_loaded_from_cookie")
    return site, browser


@play(Reason.LOGGED_OUT)
async def this_request_logged_out(make_site: Any) -> Any:
    site = make_site()

    @site.app.before_request
    @site.colour
    async def hook() -> None:
        if site.web.request.path == "/why":
            await site.logout_user()

    return site, await logged_in(site)


@play(Reason.NOT_LOADED)
async def the_loader_itself_asks(make_site: Any) -> Any:
    site = make_site()
    asked: list[Any] = []
    find = site.find

    async def look(user_id: Any) -> Any:
        asked.append(site.lib.login_decision().reason)
        return await find(user_id)

    @site.app.after_request
    def hook(response: Any) -> Any:
        if asked:
            response.set_data(f"None {asked[0]} False")
        return response

    browser = await logged_in(site)
    site.find = look
    return site, browser


# --- with a registry of login sessions -----------------------------------------------------------


def with_registry(site: Site) -> CountingStore:
    """Let *site* keep its login sessions; return where."""
    site.manager.sessions = CountingStore()
    return site.manager.sessions  # type: ignore[no-any-return]


@play(Reason.SESSION_ENDED)
async def the_login_was_revoked(make_site: Any) -> Any:
    site = make_site()
    with_registry(site)
    browser, other = await logged_in(site), site.browser()
    other.jar = dict(browser.jar)
    assert await other.get("/out") == (200, "True")
    return site, browser


@play(Reason.NOT_REGISTERED)
async def the_session_is_from_before_the_registry(make_site: Any) -> Any:
    site = make_site()
    browser = await logged_in(site)
    with_registry(site)
    return site, browser


async def steal(site: Site, user: Any = 1) -> Browser:
    """Return a browser with a copied remember cookie, whose next request is seen as a theft."""
    browser = await logged_in(site, "?remember=1", user)
    thief = copy(browser, "remember_token")
    browser.close()
    await browser.get("/me")
    await browser.get("/me")  # The cookie that took its place was seen.
    site.clock.advance(seconds=61)
    return thief


@play(Reason.REMEMBER_THEFT)
async def the_cookie_was_copied(make_site: Any) -> Any:
    site = make_site()
    with_registry(site)
    return site, await steal(site)


@play(Reason.STORE_FAILED)
async def the_store_is_down(make_site: Any) -> Any:
    site = make_site()
    store = with_registry(site)
    browser = await logged_in(site)
    store.before["get"] = ConnectionError("the store is down")
    return site, browser


@play(Reason.TOO_MANY_SESSIONS)
async def the_user_has_as_many_as_may_be(make_site: Any) -> Any:
    site = make_site({"LOGIN_MAX_SESSIONS": 1, "LOGIN_MAX_SESSIONS_REACHED": "refuse"})
    with_registry(site)

    @site.app.before_request
    @site.colour
    async def hook() -> None:
        if site.web.request.path == "/why":
            assert await site.login_user(site.users[1]) is False

    await logged_in(site)
    return site, site.browser()
