"""When is the user loaded, and how often?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from loops import Quart, asyncio
from quart import Blueprint, render_template_string
from sites import KEY, Browser, QuartSite, Site

from quart_login import (
    current_user,
    load_user,
    login_user,
    logout_user,
    user_accessed,
)
from quart_login import login_required as quart_login_required


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    site.loads.clear()
    return browser


# --- before the view -----------------------------------------------------------------------------


async def test_the_user_is_loaded_before_the_view(site: Site) -> None:
    @site.route("/loads")
    async def loads() -> str:
        return str(site.loads)

    browser = await logged_in(site)
    assert await browser.get("/loads") == (200, "[1]")


async def test_the_user_is_loaded_before_the_hooks_of_the_application(site: Site) -> None:
    seen: list[Any] = []

    @site.app.before_request
    async def look() -> None:
        seen.append(current_user.get_id())

    @site.app.before_request
    def look_in_a_thread() -> None:
        seen.append(current_user.get_id())

    browser = await logged_in(site)
    seen.clear()
    await browser.get("/public")
    assert seen == [1, 1]


async def test_the_user_is_loaded_before_hooks_that_were_registered_before_the_manager() -> None:
    seen: list[Any] = []

    class Early(QuartSite):
        def make_app(self) -> Any:
            app = super().make_app()

            @app.before_request
            async def look() -> None:
                seen.append(current_user.get_id())

            @app.before_websocket
            async def look_at_the_handshake() -> None:
                seen.append(current_user.get_id())

            return app

    site = Early()

    @site.app.websocket("/socket")
    async def socket() -> None:
        await site.web.websocket.send("hello")

    browser = await logged_in(site)
    seen.clear()
    await browser.get("/public")
    headers = {**browser.headers, "Cookie": f"session={browser.jar['session']}"}
    client = site.app.test_client(use_cookies=False)
    async with client.websocket("/socket", headers=headers) as connection:
        await connection.receive()
    assert seen == [1, 1]


async def test_after_request_hooks_that_were_registered_before_the_manager_may_log_out() -> None:
    class Early(QuartSite):
        def make_app(self) -> Any:
            app = super().make_app()

            @app.after_request
            async def log_out(response: Any) -> Any:
                if self.web.request.path == "/leave":
                    await logout_user()
                return response

            return app

    browser = await logged_in(Early(), "?remember=1")
    await browser.get("/leave")
    assert browser.jar == {}


async def test_a_request_without_a_credential_calls_no_loader(site: Site) -> None:
    browser = site.browser()
    await browser.get("/put/cart/full")
    for path in ("/public", "/me", "/private", "/nowhere"):
        await browser.get(path)
    assert site.loads == []


async def test_a_request_with_a_credential_that_does_not_count_calls_no_loader(
    site: Site,
) -> None:
    browser = site.browser()
    browser.jar.update(session="forged", remember_token="1|forged")
    assert await browser.get("/me") == (200, "anonymous")
    assert site.loads == []


async def test_the_request_loader_is_asked_for_every_request_but_static_files(
    tmp_path: Path,
) -> None:
    site = static_site(tmp_path)
    asked: list[str] = []

    @site.manager.request_loader
    async def by_request(request: Any) -> None:
        asked.append(request.path)

    for path in ("/public", "/me", "/static/style.css", "/pages/static/style.css"):
        assert (await site.browser().get(path)).status == 200
    assert asked == ["/public", "/me"]


def static_app(folder: Path) -> Quart:
    where = {"static_folder": str(folder), "static_url_path": "/static"}
    app = Quart("site", **where)
    app.register_blueprint(Blueprint("pages", "site", url_prefix="/pages", **where))
    return app


def static_site(folder: Path) -> Site:
    (folder / "style.css").write_text("style")

    class StaticSite(QuartSite):
        def make_app(self) -> Any:
            return static_app(folder)

    return StaticSite()


@pytest.mark.parametrize("path", ["/static/style.css", "/pages/static/style.css"])
@pytest.mark.parametrize("closed", [False, True])
async def test_static_files_load_nobody(tmp_path: Path, path: str, closed: bool) -> None:
    site = static_site(tmp_path)
    browser = await logged_in(site, "?remember=1")
    if closed:
        browser.close()  # Now the remember cookie is all that names the user.
    with site.hearing() as heard:
        answer = await browser.get(path)
    assert answer == (200, "style")
    assert site.loads == [] and heard == []
    assert answer.set_cookies == []
    # Quart 0.23 says that every answer varies, even without a manager.
    app = static_app(tmp_path)
    app.secret_key = KEY
    plain = await app.test_client().get(path)
    assert answer.headers.get("Vary") == plain.headers.get("Vary")


# --- once ----------------------------------------------------------------------------------------


def add_busy_page(site: Site) -> None:
    """Add a page that asks for the user in many ways."""

    @site.route("/busy", guard="login_required")
    async def busy() -> str:
        names = await asyncio.gather(*(read() for _ in range(5)), render(), loaded())
        return ", ".join({current_user.name, *names})

    @quart_login_required
    async def read() -> str:
        return current_user.name

    async def render() -> str:
        return await render_template_string("{{ current_user.name }}")

    async def loaded() -> str:
        return (await load_user()).name

    @site.app.after_request
    async def look(response: Any) -> Any:
        response.headers["X-User"] = str(current_user.get_id())
        return response


@pytest.mark.parametrize("mode", ["eager", "on_demand"])
@pytest.mark.parametrize("closed", [False, True])
async def test_a_request_loads_its_user_once(make_site: Any, mode: str, closed: bool) -> None:
    site = make_site({"LOGIN_LOAD_USER": mode})
    browser = await logged_in(site, "?remember=1")
    if closed:
        browser.close()
    add_busy_page(site)
    answer = await browser.get("/busy")
    assert answer == (200, "user 1") and answer.headers["X-User"] == "1"
    assert site.loads == [1]


@pytest.mark.parametrize("mode", ["eager", "on_demand"])
async def test_a_request_asks_the_request_loader_once(make_site: Any, mode: str) -> None:
    site = make_site({"LOGIN_LOAD_USER": mode})
    add_busy_page(site)
    asked: list[str] = []

    @site.manager.request_loader
    async def by_request(request: Any) -> Any:
        asked.append(request.path)
        return site.users[2]

    assert await site.browser().get("/busy") == (200, "user 2")
    assert asked == ["/busy"]


@pytest.mark.parametrize("mode", ["eager", "on_demand"])
async def test_a_login_loads_nobody(make_site: Any, mode: str) -> None:
    site = make_site({"LOGIN_LOAD_USER": mode})

    @site.route("/fresh")
    async def fresh() -> str:
        await login_user(site.users[2])
        return f"{current_user.name}, {(await load_user()).name}"

    assert await site.browser().get("/fresh") == (200, "user 2, user 2")
    assert site.loads == []


# --- user_accessed -------------------------------------------------------------------------------


async def test_user_accessed_is_sent_when_the_user_is_first_looked_at(site: Site) -> None:
    events: list[str] = []

    def accessed(sender: Any, **extra: Any) -> None:
        assert sender is site.app
        events.append(f"accessed by {current_user.name}")

    @site.route("/look")
    async def look() -> str:
        events.append("view")
        assert current_user.is_authenticated
        events.append("looked")
        assert current_user == site.users[1]
        return await render_template_string("{{ current_user.name }}")

    browser = await logged_in(site)
    with user_accessed.connected_to(accessed, sender=site.app):
        await browser.get("/public")
        assert events == []
        await browser.get("/look")
    assert events == ["view", "accessed by user 1", "looked"]


async def test_a_coroutine_receiver_of_user_accessed_is_done_before_the_response(
    site: Site,
) -> None:
    events: list[str] = []

    async def accessed(sender: Any, **extra: Any) -> None:
        assert sender is site.app
        await asyncio.sleep(0)
        events.append(f"accessed by {current_user.name}")

    browser = await logged_in(site)
    with user_accessed.connected_to(accessed, sender=site.app):
        await browser.get("/public")
        assert events == []
        await browser.get("/me")
        assert events == ["accessed by user 1"]
        await browser.get("/private")
    assert events == ["accessed by user 1"] * 2


async def test_user_accessed_is_sent_for_the_anonymous_user_too(site: Site) -> None:
    with site.hearing("user_accessed") as heard:
        await site.browser().get("/public")
        assert heard == []
        await site.browser().get("/me")
    assert heard == [("user_accessed", {})]
