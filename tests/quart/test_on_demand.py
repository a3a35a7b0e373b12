"""When is the user loaded with ``LOGIN_LOAD_USER = "on_demand"``?"""

from __future__ import annotations

from typing import Any

import pytest
from loops import Quart, asyncio
from quart import render_template_string
from sites import KEY, Browser, Site

from quart_login import (
    LoginManager,
    current_user,
    load_user,
    login_user,
)
from quart_login import login_required as quart_login_required


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    site.loads.clear()
    return browser


# --- on demand -----------------------------------------------------------------------------------


@pytest.fixture
def lazy(make_site: Any) -> Site:
    return make_site({"LOGIN_LOAD_USER": "on_demand"})


async def test_on_demand_a_page_that_does_not_ask_loads_nobody(lazy: Site) -> None:
    browser = await logged_in(lazy, "?remember=1")
    with lazy.hearing() as heard:
        assert await browser.get("/public") == (200, "public")
        browser.close()
        assert await browser.get("/public") == (200, "public")
    assert lazy.loads == [] and heard == []


async def test_on_demand_login_required_loads(lazy: Site) -> None:
    browser = await logged_in(lazy)
    assert await browser.get("/private") == (200, "private of user 1")
    assert await browser.get("/very") == (200, "very private of user 1")
    assert lazy.loads == [1, 1]
    assert (await lazy.browser().get("/private")).status == 401


async def test_on_demand_a_rendered_template_loads(lazy: Site) -> None:
    @lazy.route("/page")
    async def page() -> str:
        return await render_template_string("{{ current_user.name }}")

    @lazy.route("/streamed")
    async def streamed() -> Any:
        return await lazy.web.stream_template_string("{{ current_user.name }}")

    browser = await logged_in(lazy)
    assert await browser.get("/page") == (200, "user 1")
    assert await browser.get("/streamed") == (200, "user 1")
    assert lazy.loads == [1, 1]


async def test_on_demand_load_user_loads(lazy: Site) -> None:
    @lazy.route("/load")
    async def load() -> str:
        return f"{(await load_user()).name}, {current_user.name}"

    @lazy.route("/load-by-manager")
    async def load_by_manager() -> str:
        return f"{(await lazy.manager.load_user()).name}, {lazy.manager.current_user.name}"

    browser = await logged_in(lazy)
    assert await browser.get("/load") == (200, "user 1, user 1")
    assert await browser.get("/load-by-manager") == (200, "user 1, user 1")
    assert lazy.loads == [1, 1]


async def test_on_demand_load_user_of_a_visitor_is_anonymous(lazy: Site) -> None:
    @lazy.route("/load")
    async def load() -> str:
        return str((await load_user()).is_anonymous and current_user.is_anonymous)

    assert await lazy.browser().get("/load") == (200, "True")
    assert lazy.loads == []


@pytest.mark.parametrize("path", ["/me", "/is-fresh"])
@pytest.mark.parametrize("user", [None, 1])
async def test_on_demand_a_look_without_loading_is_an_error_that_says_what_to_do(
    lazy: Site, path: str, user: int | None
) -> None:
    @lazy.app.errorhandler(500)
    async def tell(error: Any) -> tuple[str, int]:
        return f"{type(error.original_exception).__name__}: {error.original_exception}", 500

    browser = await logged_in(lazy) if user else lazy.browser()
    answer = await browser.get(path)
    assert answer.status == 500
    assert answer.text.startswith("UserNotLoaded: current_user was read before it was loaded")
    assert "@login_required" in answer.text and "await load_user()" in answer.text
    assert lazy.loads == []


async def test_on_demand_a_login_needs_no_loading(lazy: Site) -> None:
    @lazy.route("/now")
    async def now() -> str:
        await login_user(lazy.users[2])
        return current_user.name

    browser = await logged_in(lazy)
    assert await browser.get("/now") == (200, "user 2")
    assert lazy.loads == []


async def test_on_demand_a_logout_loads_the_user_it_tells_of(lazy: Site) -> None:
    browser = await logged_in(lazy)
    with lazy.hearing("user_logged_out") as heard:
        await browser.get("/out")
    assert heard == [("user_logged_out", {"user": lazy.users[1]})]
    assert lazy.loads == [1]


async def test_on_demand_twenty_tasks_load_once(lazy: Site) -> None:
    @lazy.manager.user_loader
    async def slow(user_id: Any) -> Any:
        lazy.loads.append(user_id)
        for _ in range(10):
            await asyncio.sleep(0)
        return lazy.users[user_id]

    @lazy.route("/twenty")
    async def twenty() -> str:
        users = await asyncio.gather(*(load_user() for _ in range(20)))
        return str({user.name for user in users})

    browser = await logged_in(lazy)
    assert await browser.get("/twenty") == (200, "{'user 1'}")
    assert lazy.loads == [1]


async def test_on_demand_twenty_guarded_functions_load_once(lazy: Site) -> None:
    @lazy.manager.user_loader
    async def slow(user_id: Any) -> Any:
        lazy.loads.append(user_id)
        await asyncio.sleep(0)
        return lazy.users[user_id]

    @quart_login_required
    async def resolve() -> str:
        return current_user.name

    @lazy.route("/twenty")
    async def twenty() -> str:
        return str(set(await asyncio.gather(*(resolve() for _ in range(20)))))

    browser = await logged_in(lazy)
    assert await browser.get("/twenty") == (200, "{'user 1'}")
    assert lazy.loads == [1]


@pytest.mark.parametrize("gone", [False, True])
async def test_on_demand_a_login_during_the_loading_stands(lazy: Site, gone: bool) -> None:
    begun, proceed = asyncio.Event(), asyncio.Event()

    @lazy.manager.user_loader
    async def slow(user_id: Any) -> Any:
        begun.set()
        await proceed.wait()
        return None if gone and user_id == 1 else lazy.users[user_id]

    @lazy.route("/race")
    async def race() -> str:
        loading = asyncio.create_task(load_user())
        await begun.wait()
        await login_user(lazy.users[2])
        proceed.set()
        await loading
        return current_user.name

    browser = await logged_in(lazy)
    assert await browser.get("/race") == (200, "user 2")
    assert await browser.get("/private") == (200, "private of user 2")


@pytest.mark.parametrize("mode", ["eager", "on_demand"])
@pytest.mark.parametrize("path", ["/private", "/public", "/load"])
async def test_a_loader_that_asks_for_the_user_does_not_wait_for_itself(
    make_site: Any, mode: str, path: str
) -> None:
    site = make_site({"LOGIN_LOAD_USER": mode})
    seen: list[Any] = []

    @site.manager.user_loader
    async def load(user_id: Any) -> Any:
        await render_template_string("a mail, say")
        seen.append((await load_user()).get_id())
        return site.users[user_id]

    @site.route("/load")
    async def load_page() -> str:
        return (await load_user()).name

    browser = await logged_in(site)
    answer = await asyncio.wait_for(browser.get(path), timeout=2)
    expected = {"/private": "private of user 1", "/public": "public", "/load": "user 1"}
    assert answer == (200, expected[path])
    assert set(seen) <= {None} and len(seen) <= 1


@pytest.mark.parametrize("value", ["lazy", "", None, True])
def test_an_unknown_way_of_loading_is_refused_at_once(value: Any) -> None:
    app = Quart("site", static_folder=None)
    app.config.update(SECRET_KEY=KEY, LOGIN_LOAD_USER=value)
    with pytest.raises(RuntimeError, match=r"LOGIN_LOAD_USER must be one of .*on_demand"):
        LoginManager(app)
