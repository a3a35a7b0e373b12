"""What users of this field asked for and never got: each test under its row in the survey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sites import Browser, Site, User

from quart_login import QuartLoginClient


async def logged_in(site: Site, path: str = "/in/1?remember=1") -> Browser:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return browser


def add_blueprints(site: Site) -> Any:
    """Return two blueprints, the second within the first, each with a protected page."""
    outer, inner = (site.web.Blueprint(name, __name__) for name in ("outer", "inner"))

    async def page() -> str:
        return "page"

    for blueprint in (outer, inner):
        guarded = site.lib.login_required(site.colour(page))
        blueprint.add_url_rule(f"/{blueprint.name}-page", "page", guarded)
    outer.register_blueprint(inner)
    site.app.register_blueprint(outer)
    return outer, inner


# --- 15: no user is None -------------------------------------------------------------------------


async def test_ask_15_the_anonymous_user_may_be_none(site: Site) -> None:
    site.manager.anonymous_user = lambda: None

    @site.route("/is-none")
    async def view() -> str:
        user = site.lib.current_user
        return f"{user == None} {bool(user)}"  # noqa: E711

    browser = site.browser()
    assert await browser.get("/is-none") == (200, "True False")
    assert (await browser.get("/private")).status == 401
    assert (await browser.get("/very")).status == 401
    assert await browser.get("/is-fresh") == (200, "False")
    assert await browser.get("/out") == (200, "True")
    await browser.get("/in/1")
    assert await browser.get("/is-none") == (200, "False True")
    await browser.get("/out")
    assert await browser.get("/is-none") == (200, "True False")


async def test_ask_15_the_anonymous_user_may_be_the_application_s_own(site: Site) -> None:
    class Guest(site.lib.AnonymousUserMixin):  # type: ignore[misc, name-defined]
        name = "guest"

    site.manager.anonymous_user = Guest
    assert await site.browser().get("/me") == (200, "anonymous")

    @site.manager.unauthorized_handler
    def refuse() -> str:
        return f"not you, {site.lib.current_user.name}"

    assert await site.browser().get("/private") == (200, "not you, guest")


# --- 16: the test client -------------------------------------------------------------------------


@pytest.mark.parametrize("protection", ["basic", "strong", None])
async def test_ask_16_the_test_client_passes_session_protection_and_is_fresh(
    make_site: Any, protection: str | None
) -> None:
    site = make_site({"LOGIN_TEST_CLIENT_IDENTIFIED": True, "SESSION_PROTECTION": protection})
    in_flask = site.web.__name__ == "flask"
    site.app.test_client_class = site.lib.FlaskLoginClient if in_flask else QuartLoginClient
    for fresh, status in ((True, 200), (False, 401)):
        client = site.app.test_client(user=site.users[1], fresh_login=fresh)
        for path, expected in (("/private", 200), ("/very", status), ("/very", status)):
            answer = await site.call(client.get, path)
            assert answer.status_code == expected


# --- 17: an invalid cookie and the request loader ------------------------------------------------


@pytest.mark.parametrize("junk", ["junk", "1|é", "1|junk", "", "expired", "gone", "inactive"])
async def test_ask_17_an_invalid_remember_cookie_does_not_block_the_request_loader(
    site: Site, junk: str
) -> None:
    site.manager.request_loader(lambda request: site.users[2])
    browser = site.browser()
    browser.jar["remember_token"] = junk
    if junk in ("expired", "gone", "inactive"):
        browser = await logged_in(site, "/in/1?remember=1&seconds=10")
        browser.close()
    if junk == "expired":
        site.clock.advance(seconds=11)
    elif junk == "gone":
        del site.users[1]
    elif junk == "inactive":
        site.users[1].active = False
    assert await browser.get("/private") == (200, "private of user 2")
    assert browser.jar == {}


async def test_ask_17_nor_does_a_session_that_was_dropped(make_site: Any) -> None:
    site = make_site({"SESSION_PROTECTION": "strong"})
    site.manager.request_loader(lambda request: site.users[2])
    browser = await logged_in(site)
    browser.headers["User-Agent"] = "another"
    assert await browser.get("/private") == (200, "private of user 2")


async def test_ask_17_nor_does_the_session_of_a_visitor_under_strong_protection(
    make_site: Any,
) -> None:
    site = make_site({"SESSION_PROTECTION": "strong"})
    site.manager.request_loader(lambda request: site.users[2])
    browser = site.browser()
    await browser.get("/put/cart/7")
    browser.headers["User-Agent"] = "another"
    assert await browser.get("/private") == (200, "private of user 2")
    assert await browser.get("/get/cart") == (200, "7")


# --- 18: the current user in signals -------------------------------------------------------------


async def test_ask_18_current_user_works_in_every_receiver(site: Site) -> None:
    heard: list[Any] = []
    names = [
        "user_logged_in",
        "user_logged_out",
        "user_loaded_from_cookie",
        "user_loaded_from_request",
        "user_login_confirmed",
        "user_unauthorized",
        "user_needs_refresh",
        "user_accessed",
        "session_protected",
    ]
    receivers = []
    for name in names:

        def receiver(sender: Any, name: str = name, **extra: Any) -> None:
            user = site.lib.current_user
            heard.append((name, user.name if user.is_authenticated else "anonymous"))

        receivers.append(receiver)
        getattr(site.lib, name).connect(receiver, sender=site.app)

    async def told(browser: Browser, path: str) -> list[Any]:
        heard.clear()
        await browser.get(path)
        return list(heard)

    browser = site.browser()
    assert ("user_unauthorized", "anonymous") in await told(browser, "/private")
    assert ("user_logged_in", "user 1") in await told(browser, "/in/1?remember=1")
    assert await told(browser, "/me") == [("user_accessed", "user 1")]
    assert ("user_login_confirmed", "user 1") in await told(browser, "/confirm")
    browser.close()
    assert ("user_loaded_from_cookie", "user 1") in await told(browser, "/me")
    assert ("user_needs_refresh", "user 1") in await told(browser, "/very")
    browser.headers["User-Agent"] = "another"
    assert ("session_protected", "user 1") in await told(browser, "/me")
    assert ("user_logged_out", "user 1") in await told(browser, "/out")
    site.manager.request_loader(lambda request: site.users[2])
    assert ("user_loaded_from_request", "user 2") in await told(browser, "/me")


# --- 19: a stale id ------------------------------------------------------------------------------


async def test_ask_19_a_stale_id_does_not_stay_in_the_session(site: Site) -> None:
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/theme/dark")
    del site.users[1]
    await browser.get("/me")
    assert {"_user_id", "_fresh", "_id"} & browser.session().keys() == set()
    site.loads.clear()
    await browser.get("/me")
    assert site.loads == []


async def test_ask_19_a_stale_id_makes_no_redirect_loop(site: Site) -> None:
    site.manager.login_view = "home"

    @site.route("/home")
    async def home() -> Any:
        if site.web.session.get("_user_id") is not None:
            return site.web.redirect("/private")
        return "please log in"

    browser = await logged_in(site, "/in/1")
    del site.users[1]
    answer = await browser.get("/private")
    for _ in range(3):
        if answer.location:
            answer = await browser.get(answer.location)
    assert answer == (200, "please log in")


# --- 25: blueprints ------------------------------------------------------------------------------


async def test_ask_25_a_blueprint_s_login_view_flashes_the_message(site: Site) -> None:
    add_blueprints(site)
    site.manager.blueprint_login_views = {"outer": "/outer-login"}
    site.manager.login_message = "Who are you?"
    browser = site.browser()
    answer = await browser.get("/outer-page")
    assert answer.location == "/outer-login?next=%2Fouter-page"
    assert ("message", "Who are you?") in [tuple(m) for m in browser.session()["_flashes"]]


async def test_ask_25_set_login_view_works_in_any_order(site: Site) -> None:
    outer, _ = add_blueprints(site)

    async def set_views() -> None:
        site.lib.set_login_view("/outer-login", outer)
        site.lib.set_login_view("/login")
        site.lib.set_login_view("/other-login", outer)

    if site.web.__name__ == "flask":
        with site.app.app_context():
            await set_views()
    else:
        async with site.app.app_context():
            await set_views()
    browser = site.browser()
    assert (await browser.get("/outer-page")).location == "/other-login?next=%2Fouter-page"
    assert (await browser.get("/private")).location == "/login?next=%2Fprivate"


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        ({"outer.inner": "/a"}, "/a"),
        ({"inner": "/a"}, "/a"),
        ({"outer": "/b"}, "/b"),
        ({"outer": "/b", "outer.inner": "/a"}, "/a"),
        ({"outer": "/b", "outer.inner": None}, "/b"),
        ({"other": "/c"}, "/login"),
        ({"outer": None}, "/login"),
    ],
)
async def test_ask_25_a_nested_blueprint_has_its_own_login_view_or_its_parent_s(
    site: Site, views: dict[str | None, str | None], expected: str
) -> None:
    add_blueprints(site)
    site.manager.login_view = "/login"
    site.manager.blueprint_login_views = views
    answer = await site.browser().get("/inner-page")
    assert answer.location == f"{expected}?next=%2Finner-page"


# --- 27: how often the loader runs ---------------------------------------------------------------


async def test_ask_27_static_files_load_nobody(make_site: Any, tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("body {}")

    class WithFiles(make_site):  # type: ignore[misc]
        def make_app(self) -> Any:
            return self.app_class("site", static_folder=str(tmp_path), static_url_path="/static")

    site = WithFiles()
    browser = await logged_in(site)
    site.loads.clear()
    assert await browser.get("/static/page.css") == (200, "body {}")
    assert site.loads == []


async def test_ask_27_a_template_loads_the_user_no_more(site: Site) -> None:
    @site.route("/templates")
    async def view() -> str:
        page = "{{ current_user.name }} "
        return await site.render(page) + await site.render(page) + await site.render(page)

    browser = await logged_in(site)
    site.loads.clear()
    assert await browser.get("/templates") == (200, "user 1 user 1 user 1 ")
    assert site.loads == [1]


async def test_ask_27_a_visitor_loads_nobody(site: Site) -> None:
    browser = site.browser()
    await browser.get("/put/cart/7")
    for path in ("/me", "/private", "/public", "/is-fresh"):
        await browser.get(path)
    assert site.loads == []


# --- 31: tests do not share users ----------------------------------------------------------------


async def test_ask_31_a_second_test_client_is_nobody(site: Site) -> None:
    async def look() -> None:
        one, two = site.app.test_client(), site.app.test_client()
        await site.call(one.get, "/in/1")
        answer = await site.call(two.get, "/private")
        assert answer.status_code == 401
        answer = await site.call(one.get, "/private")
        assert answer.status_code == 200

    await look()
    if site.web.__name__ == "flask":
        with site.app.app_context():
            await look()
    else:
        async with site.app.app_context():
            await look()


# --- 35: the page to come back to ----------------------------------------------------------------


def add_post_only(site: Site) -> None:
    @site.route("/post-only", guard="login_required", methods=["POST"])
    async def view() -> str:
        return "posted"

    @site.route("/both-ways", guard="login_required", methods=["GET", "POST"])
    async def either() -> str:
        return "seen"


@pytest.mark.parametrize(
    ("path", "referrer", "expected"),
    [
        ("/post-only", None, "/login"),
        ("/post-only", "http://localhost/form?a=1", "/login?next=%2Fform%3Fa%3D1"),
        ("/post-only", "https://evil.example/form", "/login"),
        ("/post-only", "http://localhost@evil.example/form", "/login"),
        ("/post-only", "http://localhost//evil.example", "/login?next=%2Fevil.example"),
        ("/post-only", "javascript:alert(1)", "/login"),
        ("/post-only", "http://[", "/login"),
        ("/both-ways", None, "/login?next=%2Fboth-ways"),
    ],
)
async def test_ask_35_a_post_comes_back_to_a_page_that_can_be_fetched(
    site: Site, path: str, referrer: str | None, expected: str
) -> None:
    add_post_only(site)
    site.manager.login_view = "login"
    headers = {"Host": "localhost"} | ({} if referrer is None else {"Referer": referrer})
    answer = await site.browser().post(path, headers=headers)
    assert (answer.status, answer.location) == (302, expected)


async def test_ask_35_no_stale_next_is_left_after_the_logout(make_site: Any) -> None:
    site = make_site({"USE_SESSION_FOR_NEXT": True})
    site.manager.login_view = "login"
    browser = site.browser()
    await browser.get("/private")
    assert await browser.get("/get/next") == (200, "/private")
    await browser.get("/in/1")
    assert await browser.get("/get/next") == (200, "/private")
    await browser.get("/out")
    assert await browser.get("/get/next") == (200, "None")


async def test_ask_35_strong_protection_does_not_eat_next(make_site: Any) -> None:
    site = make_site({"USE_SESSION_FOR_NEXT": True, "SESSION_PROTECTION": "strong"})
    site.manager.login_view = "login"
    browser = site.browser()
    await browser.get("/private")
    browser.headers["User-Agent"] = "another"
    assert await browser.get("/get/next") == (200, "/private")
    await browser.get("/in/1")
    assert await browser.get("/get/next") == (200, "/private")


async def test_ask_35_a_visitor_after_a_logout_comes_back_to_the_page_just_asked_for(
    make_site: Any,
) -> None:
    site = make_site({"USE_SESSION_FOR_NEXT": True})
    site.manager.login_view = "login"
    browser = await logged_in(site, "/in/1")
    await browser.get("/put/draft/x")
    await browser.get("/out")
    await browser.get("/private")
    await browser.get("/in/2")
    assert await browser.get("/get/next") == (200, "/private")
    assert await browser.get("/get/draft") == (200, "None")


# --- 36: inactive users --------------------------------------------------------------------------


@pytest.mark.parametrize("keep", ["session", "remember_token", "request"])
async def test_ask_36_an_inactive_user_passes_nowhere(site: Site, keep: str) -> None:
    class Plain:
        """A user without `UserMixin`."""

        name, is_active, is_authenticated, is_anonymous = "plain", True, True, False

        def get_id(self) -> str:
            return "plain"

    user: Any = Plain()
    site.users["plain"] = user
    browser = await logged_in(site, "/in/plain?remember=1")
    if keep == "request":
        browser.jar = {}
        site.manager.request_loader(lambda request: user)
    else:
        browser.jar = {keep: browser.jar[keep]}
    assert await browser.get("/private") == (200, "private of plain")
    user.is_active = False
    for path in ("/private", "/very"):
        assert (await browser.get(path)).status == 401
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


async def test_ask_36_a_user_who_is_active_again_logs_in_again(site: Site) -> None:
    user: User = site.users[1]
    browser = await logged_in(site)
    user.active = False
    await browser.get("/me")
    user.active = True
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/in/1") == (200, "True")
    assert await browser.get("/me") == (200, "user 1")
