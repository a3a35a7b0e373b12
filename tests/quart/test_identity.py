"""Is `current_user` the same in every place of a request, and nobody where there is none?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from loops import asyncio, run_sync
from quart import (
    Response,
    copy_current_request_context,
    render_template_string,
    stream_with_context,
)
from sites import Browser, Site

from quart_login import (
    current_user,
    load_user,
    login_user,
    logout_user,
)


def who() -> str:
    return current_user.name if current_user.is_authenticated else "anonymous"


async def who_later() -> str:
    await asyncio.sleep(0)
    return who()


async def child_task() -> str:
    return await asyncio.create_task(who_later())


async def grandchild_task() -> str:
    return await asyncio.create_task(child_task())


async def gathered() -> str:
    first, second = await asyncio.gather(who_later(), who_later())
    assert first == second
    return first


async def task_group() -> str:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(who_later())
    return task.result()


async def copied_context() -> str:
    return await asyncio.create_task(copy_current_request_context(who_later)())


async def copied_context_of_a_plain_function() -> str:
    return await copy_current_request_context(who)()


async def thread() -> str:
    return await run_sync(who)()


async def to_thread() -> str:
    return await asyncio.to_thread(who)


async def template() -> str:
    return await render_template_string(
        "{{ current_user.name if current_user.is_authenticated else 'anonymous' }}"
    )


async def loaded_again() -> str:
    user = await load_user()
    assert user == current_user._get_current_object()
    return who()


PLACES = (
    child_task,
    grandchild_task,
    gathered,
    task_group,
    copied_context,
    copied_context_of_a_plain_function,
    thread,
    to_thread,
    template,
    loaded_again,
)


@pytest.fixture
def everywhere(site: Site) -> Site:
    """Return a site whose page asks in every place of a request who is there.

    The page's text is a set: one name, if all places agree.
    """

    async def ask_everywhere() -> Response:
        seen = {"view": who()}
        seen |= {place.__name__: await place() for place in PLACES}

        @stream_with_context
        async def body() -> AsyncIterator[str]:
            seen["stream"] = who()
            await asyncio.sleep(0)
            seen["stream, later"] = who()
            seen["stream, child task"] = await child_task()
            yield str(sorted(set(seen.values())))

        return Response(body())

    @site.route("/everywhere")
    async def everywhere() -> Any:
        return await ask_everywhere()

    @site.route("/log-in-everywhere")
    async def log_in_everywhere() -> Any:
        assert who() == "anonymous"
        await login_user(site.users[1])
        return await ask_everywhere()

    @site.route("/log-out-everywhere")
    async def log_out_everywhere() -> Any:
        assert who() == "user 1"
        await logout_user()
        return await ask_everywhere()

    @site.app.after_request
    async def after_request(response: Any) -> Any:
        response.headers["X-After"] = who()
        return response

    return site


async def everybody_agrees_on(name: str, browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer == (200, f"['{name}']")
    assert answer.headers["X-After"] == name


# --- in every place of a request ----------------------------------------------------------------


async def test_every_place_of_a_request_sees_the_user_of_its_session(everywhere: Site) -> None:
    browser = everywhere.browser()
    await browser.get("/in/1")
    await everybody_agrees_on("user 1", browser, "/everywhere")


async def test_every_place_of_a_request_sees_the_remembered_user(everywhere: Site) -> None:
    browser = everywhere.browser()
    await browser.get("/in/zoë?remember=1")
    browser.close()
    await everybody_agrees_on("user zoë", browser, "/everywhere")


async def test_every_place_of_a_request_sees_the_user_of_the_request_loader(
    everywhere: Site,
) -> None:
    @everywhere.manager.request_loader
    async def by_header(request: Any) -> Any:
        return everywhere.users.get(int(request.headers["X-User"]))

    browser = everywhere.browser(**{"X-User": "2"})
    await everybody_agrees_on("user 2", browser, "/everywhere")


async def test_every_place_of_a_request_sees_the_anonymous_user(everywhere: Site) -> None:
    await everybody_agrees_on("anonymous", everywhere.browser(), "/everywhere")


async def test_every_place_sees_who_logged_in_within_the_request(everywhere: Site) -> None:
    await everybody_agrees_on("user 1", everywhere.browser(), "/log-in-everywhere")


async def test_every_place_sees_that_somebody_logged_out_within_the_request(
    everywhere: Site,
) -> None:
    browser = everywhere.browser()
    await browser.get("/in/1")
    await everybody_agrees_on("anonymous", browser, "/log-out-everywhere")


async def test_every_place_agrees_on_demand_when_the_view_has_loaded_the_user(
    make_site: Any,
) -> None:
    site = make_site({"LOGIN_LOAD_USER": "on_demand"})

    @site.route("/everywhere", guard="login_required")
    async def everywhere() -> Any:
        return str({who(), *[await place() for place in PLACES]})

    browser = site.browser()
    await browser.get("/in/1")
    site.loads.clear()
    assert await browser.get("/everywhere") == (200, "{'user 1'}")
    assert site.loads == [1]


async def test_it_is_the_very_same_object_everywhere(site: Site) -> None:
    async def itself() -> Any:
        return current_user._get_current_object()

    @site.route("/objects")
    async def objects() -> str:
        mine = await itself()
        others = [
            await asyncio.create_task(itself()),
            await copy_current_request_context(itself)(),
            await run_sync(current_user._get_current_object)(),
            await load_user(),
        ]
        return str([other is mine for other in others])

    browser = site.browser()
    assert await browser.get("/objects") == (200, "[True, True, True, True]")
    await browser.get("/in/1")
    assert await browser.get("/objects") == (200, "[True, True, True, True]")


async def test_a_child_task_that_was_started_before_sees_a_login_and_a_logout(site: Site) -> None:
    @site.route("/steps")
    async def steps() -> str:
        proceed, seen = asyncio.Event(), asyncio.Event()
        story: list[str] = []

        async def child() -> None:
            for _ in range(3):
                await proceed.wait()
                proceed.clear()
                story.append(who())
                seen.set()

        async def let_child_look() -> None:
            proceed.set()
            await seen.wait()
            seen.clear()

        task = asyncio.create_task(child())
        await let_child_look()
        await login_user(site.users[2])
        await let_child_look()
        await logout_user()
        await let_child_look()
        await task
        return ", ".join(story)

    assert await site.browser().get("/steps") == (200, "anonymous, user 2, anonymous")


async def test_a_login_in_a_child_task_is_the_request_s_login(site: Site) -> None:
    @site.route("/child-logs-in")
    async def child_logs_in() -> str:
        await asyncio.create_task(login_user(site.users[1]))
        return who()

    browser = site.browser()
    assert await browser.get("/child-logs-in") == (200, "user 1")
    assert await browser.get("/me") == (200, "user 1")


async def test_a_login_in_a_copied_context_is_the_request_s_login(site: Site) -> None:
    @site.route("/copy-logs-in")
    async def copy_logs_in() -> str:
        await copy_current_request_context(login_user)(site.users[1])
        return who()

    browser = site.browser()
    assert await browser.get("/copy-logs-in") == (200, "user 1")
    assert await browser.get("/me") == (200, "user 1")


async def test_the_application_s_before_request_hooks_may_log_in(site: Site) -> None:
    @site.app.before_request
    async def log_in() -> None:
        await login_user(site.users[2])

    assert await site.browser().get("/private") == (200, "private of user 2")


async def test_an_after_request_hook_may_log_in(site: Site) -> None:
    @site.app.after_request
    async def log_in(response: Any) -> Any:
        await login_user(site.users[2], remember=True)
        return response

    browser = site.browser()
    answer = await browser.get("/public")
    assert answer.cookie("remember_token") and answer.cookie("session")
    assert await browser.get("/me") == (200, "user 2")


async def test_error_pages_see_the_user(site: Site) -> None:
    @site.app.errorhandler(404)
    @site.app.errorhandler(500)
    async def error_page(error: Any) -> tuple[str, int]:
        return await render_template_string("{{ current_user.name }}"), error.code

    @site.route("/broken")
    async def broken() -> str:
        raise RuntimeError("broken")

    browser = site.browser()
    await browser.get("/in/1")
    assert await browser.get("/nowhere") == (404, "user 1")
    assert await browser.get("/broken") == (500, "user 1")
