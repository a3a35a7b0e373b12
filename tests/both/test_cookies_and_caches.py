"""What responses say to browsers and caches: rows 66 to 68, 100 and 101 of the survey."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from flask.sessions import SecureCookieSession
from sites import Answer, Browser, Site

from quart_login import ConfigurationError

PRIVATE = {"LOGIN_CACHE_CONTROL_PRIVATE": True}
SECURE = {"LOGIN_SECURE_COOKIES": True}


async def https(site: Site, path: str, headers: Any = None, host: str = "localhost") -> Answer:
    """Ask *site* for *path* over HTTPS."""
    client = site.app.test_client(use_cookies=False)
    if site.web.__name__ == "flask":
        response = client.open(path, base_url=f"https://{host}", headers=headers)
        text = response.text
    else:
        sent = {**(headers or {}), "Host": host}
        response = await client.open(path, scheme="https", headers=sent)
        text = await response.get_data(as_text=True)
    lines = response.headers.getlist("Set-Cookie")
    return Answer(response.status_code, text, response.headers, lines)


class Secure(Browser):
    """A browser that visits its site over HTTPS."""

    async def open(self, path: str, *, method: str = "GET", headers: Any = None) -> Answer:
        site, send = self.site, self.site.send
        site.send = lambda path, method, headers: https(site, path, headers)  # type: ignore[method-assign]
        try:
            return await super().open(path, method=method, headers=headers)
        finally:
            site.send = send  # type: ignore[method-assign]


def attributes(line: str) -> set[str]:
    """Return the attributes of a Set-Cookie *line* that say where the cookie belongs."""
    parts = line.split("; ")[1:]
    return {part for part in parts if not part.startswith(("Expires=", "Max-Age="))}


# --- 66, 67: what browsers keep, and can be told to drop -----------------------------------------


@pytest.mark.parametrize("family", ["REMEMBER_COOKIE", "SESSION_COOKIE"])
@pytest.mark.parametrize(
    "spoilt", [{}, {"SECURE": True, "DOMAIN": "x.example"}, {"SECURE": True, "PATH": "/app"}]
)
async def test_066_a_host_cookie_that_browsers_would_ignore_is_refused_at_set_up(
    make_site: Any, family: str, spoilt: dict[str, Any]
) -> None:
    said = {f"{family}_{word}": value for word, value in spoilt.items()}
    with pytest.raises(ConfigurationError, match="__Host-"):
        make_site({f"{family}_NAME": "__Host-x", **said})
    make_site({f"{family}_NAME": "__Host-x", f"{family}_SECURE": True})


async def test_066_the_applications_root_is_the_sessions_path(make_site: Any) -> None:
    config = {"SESSION_COOKIE_NAME": "__Host-s", "SESSION_COOKIE_SECURE": True}
    with pytest.raises(ConfigurationError, match="SESSION_COOKIE_PATH"):
        make_site({**config, "APPLICATION_ROOT": "/app"})


@pytest.mark.parametrize(
    "config",
    [
        {},
        SECURE,
        {**SECURE, "REMEMBER_COOKIE_DOMAIN": "x.example", "SESSION_COOKIE_DOMAIN": "x.example"},
        {"REMEMBER_COOKIE_PATH": "/", "REMEMBER_COOKIE_SAMESITE": "Strict"},
        {"REMEMBER_COOKIE_HTTPONLY": False},
    ],
)
async def test_067_a_cookie_is_deleted_with_the_attributes_that_it_was_set_with(
    make_site: Any, config: dict[str, Any]
) -> None:
    site = make_site(config)
    name = site.app.config.get("REMEMBER_COOKIE_NAME", "remember_token")
    browser = Secure(site)
    was_set = (await browser.get("/in/1?remember=1")).cookie(name)
    assert was_set is not None and "Max-Age=0" not in was_set
    deleted = (await browser.get("/out")).cookie(name)
    assert deleted is not None and "Max-Age=0" in deleted
    assert attributes(deleted) == attributes(was_set)
    assert name not in browser.jar


# --- LOGIN_SECURE_COOKIES ------------------------------------------------------------------------


async def test_one_setting_makes_all_cookies_secure(make_site: Any) -> None:
    site = make_site(SECURE)
    browser = Secure(site)
    answer = await browser.get("/in/1?remember=1")
    for name in ("__Host-session", "__Host-remember_token"):
        line = answer.cookie(name)
        assert line is not None
        assert attributes(line) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert len(answer.set_cookies) == 2
    assert await browser.get("/me") == (200, "user 1")
    del browser.jar["__Host-session"]
    assert await browser.get("/me") == (200, "user 1")


async def test_a_login_says_so_if_the_setting_came_too_late(make_site: Any) -> None:
    site = make_site()
    site.app.config.update(SECURE)

    @site.route("/late")
    async def late() -> str:
        with pytest.raises(ConfigurationError, match=r"set after LoginManager\(app\)"):
            await site.login_user(site.users[1])
        return "refused"

    assert await site.browser().get("/late") == (200, "refused")


async def test_when_quart_starts_to_serve_a_late_setting_is_heeded(make_site: Any) -> None:
    site = make_site()
    site.app.config.update(SECURE)
    if site.web.__name__ == "flask":
        return  # Flask tells nobody that it starts.
    async with site.app.test_app():
        assert (await Secure(site).get("/in/1")).cookie("__Host-session") is not None


async def test_what_contradicts_the_setting_is_refused_at_set_up(make_site: Any) -> None:
    with pytest.raises(ConfigurationError, match="drop one of them"):
        make_site({**SECURE, "REMEMBER_COOKIE_SECURE": False})


async def test_remembered_users_of_the_former_name_stay_and_their_cookie_is_replaced(
    make_site: Any,
) -> None:
    before = Secure(make_site())
    await before.get("/in/1?remember=1")
    old = {"remember_token": before.jar["remember_token"]}

    forgetful = Secure(make_site(SECURE))
    forgetful.jar = dict(old)
    assert await forgetful.get("/me") == (200, "anonymous")

    browser = Secure(make_site({**SECURE, "REMEMBER_COOKIE_FORMER_NAME": "remember_token"}))
    browser.jar = dict(old)
    assert await browser.get("/me") == (200, "user 1")
    assert browser.jar.keys() == {"__Host-session", "__Host-remember_token"}
    del browser.jar["__Host-session"]
    assert await browser.get("/me") == (200, "user 1")


# --- 68: Secure over http ------------------------------------------------------------------------


async def test_068_a_secure_cookie_over_http_is_warned_of_once_and_loudly(
    make_site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site({"SESSION_COOKIE_SECURE": True})
    away = {"Host": "shop.example"}
    with caplog.at_level(logging.WARNING, "quart_login"):
        await https(site, "/in/1", host="shop.example")
        await site.browser().get("/in/1")
        assert caplog.records == []
        await site.browser(**away).get("/in/1")
        await site.browser(**away).get("/in/2")
    [record] = caplog.records
    assert record.name == "quart_login" and record.levelno == logging.WARNING
    assert "without HTTPS" in record.getMessage()


# --- 100, 101: caches ----------------------------------------------------------------------------


def varies(answer: Answer) -> bool:
    return "cookie" in answer.headers.get("Vary", "").lower()


def plain(answer: Answer) -> dict[str, str]:
    """Return the headers but for those that are of this one response."""
    ours = ("date", "server", "set-cookie", "content-length")
    return {k.lower(): v for k, v in answer.headers.items() if k.lower() not in ours}


@pytest.fixture(params=[{}, PRIVATE, {"LOGIN_CACHE_CONTROL_PRIVATE": False}], ids=repr)
def cached(request: pytest.FixtureRequest, make_site: Any) -> Site:
    """Return a site with each of what the setting can be."""
    return make_site(request.param)


def is_private(site: Site) -> bool:
    """Must the responses of *site* that depend on the user be private?  (In Flask's drop-in, only
    where somebody says so.)
    """
    return site.app.config.get("LOGIN_CACHE_CONTROL_PRIVATE", site.web.__name__ == "quart")


def assert_kept_apart(site: Site, answer: Answer) -> None:
    assert varies(answer), answer.headers
    assert answer.headers.getlist("Cache-Control") == ["private"] * is_private(site)


PERSONAL = ["/me", "/private", "/very", "/is-fresh", "/is-remembered", "/out", "/confirm"]


@pytest.mark.parametrize("path", PERSONAL)
@pytest.mark.parametrize("logged_in", [False, True])
async def test_100_101_a_response_that_depended_on_the_user_is_kept_apart(
    cached: Site, path: str, logged_in: bool
) -> None:
    browser = cached.browser()
    if logged_in:
        await browser.get("/in/1")
    assert_kept_apart(cached, await browser.get(path))


async def test_100_101_so_is_one_that_brings_a_login(cached: Site) -> None:
    browser = cached.browser()
    assert_kept_apart(cached, await browser.get("/in/1?remember=1"))
    browser.close()
    assert_kept_apart(cached, await browser.get("/private"))


async def test_100_101_so_is_one_that_takes_a_credential_away(cached: Site) -> None:
    browser = cached.browser()
    browser.jar["remember_token"] = "junk"
    answer = await browser.get("/me")
    assert answer.cookie("remember_token") is not None
    assert_kept_apart(cached, answer)


async def test_100_101_so_is_the_redirect_to_the_login_page(cached: Site) -> None:
    cached.manager.login_view = "login"
    answer = await cached.browser().get("/private")
    assert answer.status == 302
    assert_kept_apart(cached, answer)


@pytest.mark.parametrize("status", [401, 404, 500, 503])
async def test_100_101_so_is_an_error_page_that_greets_the_user(cached: Site, status: int) -> None:
    cached.app.config["PROPAGATE_EXCEPTIONS"] = False

    @cached.route("/fails")
    async def fails() -> str:
        assert status != 500
        cached.web.abort(status)

    def page(error: Any) -> tuple[str, int]:
        return f"Sorry, {cached.lib.current_user.get_id()}", status

    cached.app.register_error_handler(status, page)
    browser = cached.browser()
    await browser.get("/in/1")
    answer = await browser.get("/fails")
    assert answer == (status, "Sorry, 1")
    assert_kept_apart(cached, answer)


async def test_100_101_so_is_the_error_of_a_loader_that_failed(cached: Site) -> None:
    cached.app.config["PROPAGATE_EXCEPTIONS"] = False
    browser = cached.browser()
    await browser.get("/in/1")

    async def broken(user_id: Any) -> None:
        raise ZeroDivisionError

    cached.find = broken  # type: ignore[method-assign]
    answer = await browser.get("/private")
    assert answer.status == 500
    assert_kept_apart(cached, answer)


async def test_100_101_so_is_the_answer_that_nothing_changed(cached: Site) -> None:
    @cached.route("/tagged")
    async def tagged() -> Any:
        response = await cached.call(
            cached.web.make_response, str(cached.lib.current_user.get_id())
        )
        response.set_etag("1")
        conditional = response.make_conditional(cached.web.request)
        return await conditional if hasattr(conditional, "__await__") else conditional

    browser = cached.browser()
    await browser.get("/in/1")
    assert_kept_apart(cached, await browser.get("/tagged"))
    answer = await browser.get("/tagged", headers={"If-None-Match": '"1"'})
    assert answer == (304, "")
    assert_kept_apart(cached, answer)


async def test_100_101_so_is_a_page_whose_hook_alone_looks(cached: Site) -> None:
    def look(response: Any) -> Any:
        response.headers["X-User"] = str(cached.lib.current_user.is_authenticated)
        return response

    cached.app.after_request(look)
    assert_kept_apart(cached, await cached.browser().get("/public"))


async def test_100_101_so_is_a_stream_that_looks_when_its_headers_are_gone(cached: Site) -> None:
    @cached.route("/stream")
    async def stream() -> Any:
        if cached.web.__name__ == "flask":
            return cached.web.Response(str(cached.lib.current_user.get_id()) for _ in range(1))

        async def body() -> Any:
            yield str(cached.lib.current_user.get_id())

        return body(), 200

    browser = cached.browser()
    assert (await browser.get("/stream")).headers.get("Cache-Control") is None
    await browser.get("/in/1")
    answer = await browser.get("/stream")
    assert answer == (200, "1")
    assert_kept_apart(cached, answer)


async def test_100_101_so_is_a_public_page_with_which_the_framework_sends_the_login_anew(
    cached: Site,
) -> None:
    browser = cached.browser()
    await browser.get("/in/1?permanent=1")
    answer = await browser.get("/public")
    assert answer.cookie("session") is not None
    assert_kept_apart(cached, answer)


async def test_100_101_so_is_one_whose_session_is_kept_by_somebody_who_says_nothing_of_caches(
    cached: Site,
) -> None:
    class Elsewhere(type(cached.app.session_interface)):  # type: ignore[misc]
        def save_session(self, app: Any, session: Any, response: Any) -> None: ...

    cached.app.session_interface = Elsewhere()
    assert_kept_apart(cached, await cached.browser().get("/me"))


async def test_100_101_so_is_one_that_an_api_key_opened_where_there_are_no_sessions(
    cached: Site,
) -> None:
    cached.app.secret_key = None
    cached.manager.request_loader(lambda request: cached.users[1])
    answer = await cached.browser().get("/me")
    assert answer == (200, "user 1")
    assert_kept_apart(cached, answer)


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize("path", ["/public", "/missing", "/login", "/get/theme"])
async def test_100_101_every_other_page_is_let_alone(
    cached: Site, path: str, logged_in: bool
) -> None:
    browser = cached.browser()
    if logged_in:
        await browser.get("/in/1")
    answer = await browser.get(path)
    assert answer.headers.get("Cache-Control") is None
    # Quart from 0.23 on says that every page varies; and one does whose session a view reads, or,
    # before Flask 3.1, anybody, as Quart's `before_request` does.
    framework_says_so = (
        path == "/get/theme"
        or not hasattr(cached.web.globals, "_cv_request")
        or (logged_in and "get" in vars(SecureCookieSession))
    )
    assert not varies(answer) or framework_says_so


async def test_100_101_a_session_of_nobody_is_the_frameworks_business(cached: Site) -> None:
    answer = await cached.browser().get("/put/theme/dark")
    assert answer.cookie("session") is not None and varies(answer)
    assert answer.headers.get("Cache-Control") is None


async def test_100_101_static_files_are_for_everybody(cached: Site, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a {}")
    cached.app.static_folder = str(tmp_path)
    view = cached.app.send_static_file
    cached.app.add_url_rule("/static/<path:filename>", "static", lambda filename: view(filename))
    if cached.web.__name__ == "quart":

        async def send(filename: str) -> Any:
            return await view(filename)

        cached.app.view_functions["static"] = send
    browser = cached.browser()
    before = plain(await browser.get("/static/a.css"))
    await browser.get("/in/1")
    answer = await browser.get("/static/a.css")
    assert answer == (200, "a {}")
    assert plain(answer) == before and "private" not in before.get("cache-control", "")


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("no-store", "no-store"),
        ("private, max-age=60", "private, max-age=60"),
        ("max-age=60", "max-age=60, private"),
        ("public, max-age=60", "max-age=60, private"),
        ("s-maxage=60", "private"),
    ],
)
async def test_101_what_a_view_says_stays_as_far_as_it_shows_nobody_else(
    cached: Site, said: str, sent: str, caplog: pytest.LogCaptureFixture
) -> None:
    @cached.route("/own")
    async def own() -> Any:
        return cached.lib.current_user.get_id() or "", 200, {"Cache-Control": said}

    with caplog.at_level(logging.WARNING, "quart_login"):
        answer = await cached.browser().get("/own")
        assert answer.headers["Cache-Control"] == (sent if is_private(cached) else said)
        assert varies(answer) and caplog.records == []
        cached.app.debug = True
        await cached.browser().get("/own")
    taken_back = is_private(cached) and ("public" in said or "s-maxage" in said)
    assert ["Cache-Control" in record.getMessage() for record in caplog.records] == [
        True
    ] * taken_back


async def test_101_what_a_view_says_of_a_public_page_stays(cached: Site) -> None:
    @cached.route("/all")
    async def everybody() -> Any:
        return "all", 200, {"Cache-Control": "public, s-maxage=60"}

    browser = cached.browser()
    await browser.get("/in/1")
    answer = await browser.get("/all")
    assert answer.headers["Cache-Control"] == "public, s-maxage=60"


# --- Clear-Site-Data -----------------------------------------------------------------------------


async def test_a_logout_clears_the_data_that_the_setting_lists(make_site: Any) -> None:
    site = make_site({"LOGIN_CLEAR_SITE_DATA": ["cache", "storage"]})
    browser = Secure(site)
    for path in ("/in/1", "/me", "/public"):
        assert "Clear-Site-Data" not in (await browser.get(path)).headers
    answer = await browser.get("/out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    await browser.get("/in/1")
    unsafe = site.browser()
    unsafe.jar = browser.jar
    assert "Clear-Site-Data" not in (await unsafe.get("/out")).headers


async def test_what_no_browser_knows_is_refused_at_set_up(make_site: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_CLEAR_SITE_DATA"):
        make_site({"LOGIN_CLEAR_SITE_DATA": ["everything"]})


async def test_101_an_answer_that_takes_a_login_from_the_browser_is_private(site: Site) -> None:
    site.app.config["LOGIN_CACHE_CONTROL_PRIVATE"] = True

    @site.route("/for-all")
    async def for_all() -> Any:
        site.lib.current_user.is_authenticated  # noqa: B018 (Flask loads when somebody looks)
        return "for all", 200, {"Cache-Control": "public, max-age=60"}

    browser = site.browser()
    await browser.get("/in/1")
    del site.users[1]
    answer = await browser.get("/for-all")
    assert answer.set_cookies != []
    assert answer.headers["Cache-Control"] == "max-age=60, private"


async def test_p18_a_page_for_who_came_by_a_header_is_private_in_any_case(site: Site) -> None:
    site.app.config["LOGIN_CACHE_CONTROL_PRIVATE"] = False

    @site.route("/mine", guard="login_required")
    async def mine() -> Any:
        return site.lib.current_user.name, 200, {"Cache-Control": "public, max-age=60"}

    @site.route("/token")
    async def token() -> str:
        return str(site.lib.issue_token(site.users[1]))

    text = (await site.browser().get("/token")).text
    answer = await site.browser(Authorization=f"Bearer {text}").get("/mine")
    assert answer == (200, "user 1")
    assert answer.headers["Cache-Control"] == "max-age=60, private"


class Attentive(SecureCookieSession):
    """A session of an application that asks its own things of `accessed`."""


@pytest.mark.parametrize("own", [False, True])
async def test_a_session_of_the_applications_own_is_told_that_it_was_accessed(
    make_site: Any, own: bool
) -> None:
    site, seen = make_site({}), []

    class Interface(type(site.app.session_interface)):  # type: ignore[misc]
        session_class = Attentive if own else SecureCookieSession

        def should_set_cookie(self, app: Any, session: Any) -> bool:
            seen.append(session.accessed)
            return super().should_set_cookie(app, session)  # type: ignore[no-any-return]

    site.app.session_interface = Interface()
    browser = site.browser()
    await browser.get("/in/1")
    answer = await browser.get("/me")
    assert seen[-1] and answer.headers.getlist("Vary") == ["Cookie"]


@pytest.mark.parametrize("path", ["/me", "/in/1", "/in/1?remember=1", "/private"])
async def test_what_a_response_varies_on_is_said_once(site: Site, path: str) -> None:
    answer = await site.browser().get(path)
    [said] = answer.headers.getlist("Vary")
    assert [name.strip() for name in said.split(",")].count("Cookie") == 1
