"""Do coroutine functions work in Flask, as views, loaders, handlers and receivers?

Flask runs each with asgiref, so these tests are plain functions: no event loop runs here.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import flask
import pytest
from sites import SIGNALS, Browser, Site

from flask_compat import current_user, fresh_login_required, login_required, login_user
from quart_login._core.step import step


def get(browser: Browser, path: str, **headers: str) -> Any:
    return step(browser.get(path, headers=headers))


def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    get(browser, f"/in/1{query}")
    site.loads.clear()
    return browser


def use_async_loader(site: Site) -> None:
    @site.manager.user_loader
    async def load(user_id: Any) -> Any:
        site.loads.append(user_id)
        await asyncio.sleep(0)
        return await site.find(user_id)


def add_async_views(site: Site) -> None:
    @site.app.route("/async-me")
    async def async_me() -> str:
        await asyncio.sleep(0)
        return current_user.name if current_user.is_authenticated else "anonymous"

    @site.app.route("/async-private")
    @login_required
    async def async_private() -> str:
        await asyncio.sleep(0)
        return f"private of {current_user.name}"

    @site.app.route("/async-very")
    @fresh_login_required
    async def async_very() -> str:
        await asyncio.sleep(0)
        return f"very private of {current_user.name}"

    @site.app.route("/async-in")
    async def async_log_in() -> str:
        login_user(site.users[2])
        await asyncio.sleep(0)
        return current_user.name

    @site.app.route("/tasks")
    async def tasks() -> str:
        async def name() -> str:
            await asyncio.sleep(0)
            return current_user.name

        return str(set(await asyncio.gather(name(), name(), asyncio.to_thread(step, name_now()))))

    async def name_now() -> str:
        return current_user.name


def test_async_views_know_the_user(site: Site) -> None:
    add_async_views(site)
    browser = logged_in(site)
    assert get(browser, "/async-me") == (200, "user 1")
    assert get(browser, "/async-private") == (200, "private of user 1")
    assert get(browser, "/async-very") == (200, "very private of user 1")
    assert get(browser, "/tasks") == (200, "{'user 1'}")
    assert site.loads == [1] * 4


def test_async_views_are_guarded(site: Site) -> None:
    add_async_views(site)
    visitor, stale = site.browser(), logged_in(site, "?fresh=0")
    assert get(visitor, "/async-me") == (200, "anonymous")
    assert get(visitor, "/async-private").status == 401
    assert get(visitor, "/async-very").status == 401
    assert get(stale, "/async-private") == (200, "private of user 1")
    assert get(stale, "/async-very").status == 401


def test_an_async_view_may_log_in(site: Site) -> None:
    add_async_views(site)
    browser = site.browser()
    assert get(browser, "/async-in") == (200, "user 2")
    assert get(browser, "/me") == (200, "user 2")


def test_an_async_loader_serves_plain_views(site: Site) -> None:
    use_async_loader(site)
    browser = logged_in(site, "?remember=1")
    assert get(browser, "/me") == (200, "user 1")
    assert get(browser, "/private") == (200, "private of user 1")
    browser.close()
    assert get(browser, "/very").status == 401
    assert get(browser, "/me") == (200, "user 1")
    assert site.loads == [1] * 4


def test_an_async_loader_serves_async_views_behind_a_guard(site: Site) -> None:
    use_async_loader(site)
    add_async_views(site)
    browser = logged_in(site)
    assert get(browser, "/async-private") == (200, "private of user 1")
    assert get(browser, "/async-very") == (200, "very private of user 1")
    assert site.loads == [1, 1]


def test_an_async_loader_serves_an_async_view_after_a_hook_has_looked(site: Site) -> None:
    use_async_loader(site)
    add_async_views(site)

    @site.app.before_request
    def look() -> None:
        assert current_user is not None and current_user.get_id() is not False

    assert get(logged_in(site), "/async-me") == (200, "user 1")


def test_an_async_loader_cannot_be_asked_inside_an_async_view(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    # asgiref runs no second loop in one thread: nobody is logged in, and the log says why.
    use_async_loader(site)
    add_async_views(site)
    browser = logged_in(site)
    cookies = dict(browser.jar)
    assert get(browser, "/async-me") == (200, "anonymous")
    assert site.loads == []
    assert "You cannot use AsyncToSync in the same thread" in caplog.text
    assert browser.jar == cookies
    gc.collect()  # A coroutine that was made and never awaited is warned of now, and here.


@pytest.mark.parametrize("known", [True, False])
def test_an_async_request_loader(site: Site, known: bool) -> None:
    @site.manager.request_loader
    async def load(request: Any) -> Any:
        await asyncio.sleep(0)
        return site.users[2] if "X-Key" in request.headers else None

    headers = {"X-Key": "key"} if known else {}
    expected = (200, "user 2") if known else (200, "anonymous")
    assert get(site.browser(), "/me", **headers) == expected


def test_a_plain_loader_may_return_a_coroutine(site: Site) -> None:
    async def find(user_id: Any) -> Any:
        await asyncio.sleep(0)
        return site.users[user_id]

    browser = logged_in(site)
    site.manager.user_loader(lambda user_id: find(user_id))
    assert get(browser, "/private") == (200, "private of user 1")


def test_an_object_with_an_async_call_may_be_the_loader(site: Site) -> None:
    class Loader:
        async def __call__(self, user_id: Any) -> Any:
            await asyncio.sleep(0)
            return site.users[user_id]

    browser = logged_in(site)
    site.manager.user_loader(Loader())
    assert get(browser, "/private") == (200, "private of user 1")


def test_async_handlers_answer(site: Site) -> None:
    @site.manager.unauthorized_handler
    async def unauthorized() -> Any:
        await asyncio.sleep(0)
        return f"who are you, {flask.request.path}?", 418

    @site.manager.needs_refresh_handler
    async def needs_refresh() -> Any:
        await asyncio.sleep(0)
        return f"again, {current_user.name}", 418

    assert get(site.browser(), "/private") == (418, "who are you, /private?")
    assert get(logged_in(site, "?fresh=0"), "/very") == (418, "again, user 1")


def test_an_async_localize_callback_translates(site: Site) -> None:
    async def localize(message: str) -> str:
        await asyncio.sleep(0)
        return message.upper()

    @site.route("/messages")
    async def messages() -> str:
        return str(flask.get_flashed_messages())

    site.manager.login_view = "login"
    site.manager.localize_callback = localize
    browser = site.browser()
    get(browser, "/private")
    assert get(browser, "/messages") == (200, "['PLEASE LOG IN TO ACCESS THIS PAGE.']")


def test_async_receivers_see_the_user(site: Site) -> None:
    heard: dict[str, list[str]] = {}

    def receiver(name: str) -> Any:
        async def receive(sender: Any, **extra: Any) -> None:
            await asyncio.sleep(0)
            assert sender is site.app
            seen = current_user.name if current_user.is_authenticated else "anonymous"
            heard.setdefault(name, []).append(seen)

        return receive

    receivers = {name: receiver(name) for name in SIGNALS}
    for name, signal in SIGNALS.items():
        signal.connect(receivers[name], sender=site.app)
    browser = logged_in(site, "?remember=1")
    get(browser, "/private", **{"User-Agent": "another browser"})
    get(browser, "/confirm")
    browser.close()
    get(browser, "/very")
    get(browser, "/out")
    get(browser, "/private")
    browser.set_session(_user_id=7, _id="another client's")
    get(browser, "/me")
    for name, signal in SIGNALS.items():
        signal.disconnect(receivers[name], sender=site.app)
    assert heard == {
        "user_logged_in": ["user 1"],
        "user_accessed": ["user 1"] * 4 + ["anonymous"] * 2,
        "session_protected": ["user 1", "anonymous"],
        "user_login_confirmed": ["user 1"],
        "user_loaded_from_cookie": ["user 1"],
        "user_needs_refresh": ["user 1"],
        "user_logged_out": ["user 1"],
        "user_unauthorized": ["anonymous"],
        "credential_rejected": ["anonymous"],
    }
