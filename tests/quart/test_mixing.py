"""Does anybody ever see another's user, when many are there at once?"""

from __future__ import annotations

import random
from typing import Any

import pytest
from loops import asyncio, run_sync
from quart import (
    copy_current_request_context,
    copy_current_websocket_context,
    has_websocket_context,
    websocket,
)
from quart.testing.connections import WebsocketResponseError
from sites import Browser, Site, User

from quart_login import current_user, load_user, login_required, login_user, logout_user


def who() -> str:
    return current_user.name if current_user.is_authenticated else "anonymous"


async def who_later() -> str:
    await asyncio.sleep(0)
    return who()


async def rest(dice: random.Random) -> None:
    """Let others go on, for a random number of turns of the loop."""
    for _ in range(dice.randrange(8)):
        await asyncio.sleep(0)


async def loiter(dice: random.Random) -> set[str]:
    """Look at the user again and again, while others have their turns."""
    seen = set()
    for _ in range(4):
        await rest(dice)
        seen.add(who())
    return seen


@pytest.fixture
def crowd(make_site: Any) -> Site:
    """Return a site with 100 users whose loader, views and tasks wait at random."""
    return crowded(make_site({}))


def crowded(site: Site) -> Site:
    dice = random.Random(1)
    site.users.update({number: User(number) for number in range(100)})

    @site.manager.user_loader
    async def load(user_id: Any) -> Any:
        await rest(dice)
        return site.users[user_id]

    @site.route("/tasks")
    async def tasks() -> str:
        await load_user()
        seen = await loiter(dice)
        found = await asyncio.gather(
            asyncio.create_task(loiter(dice)),
            copy_current_request_context(loiter)(dice),
            asyncio.create_task(loiter(dice)),
        )
        return ", ".join(sorted(seen.union(*found)))

    @site.route("/threads")
    async def threads() -> str:
        await load_user()
        return ", ".join({await run_sync(who)(), who(), await run_sync(who)()})

    @site.route("/in-out/<int:number>")
    async def in_out(number: int) -> str:
        story = [who()]
        await rest(dice)
        await login_user(site.users[number])
        story += sorted(await loiter(dice))
        await logout_user()
        story += sorted(await asyncio.create_task(loiter(dice)))
        return ", ".join(story)

    return site


async def browsers_of(site: Site, count: int = 100) -> list[tuple[Browser, str]]:
    """Return browsers, every fourth of them anonymous, and whom each must see."""
    found = []
    for number in range(count):
        browser = site.browser()
        if number % 4:
            await browser.get(f"/in/{number}?remember={number % 2}")
            if number % 8 == 5:
                browser.close()
        found.append((browser, f"user {number}" if number % 4 else "anonymous"))
    return found


async def nobody_sees_another(site: Site, path: str, times: int, count: int = 100) -> None:
    pairs = await browsers_of(site, count) * times
    random.Random(2).shuffle(pairs)
    answers = await asyncio.gather(*(browser.get(path) for browser, _ in pairs))
    assert [answer.text for answer in answers] == [name for _, name in pairs]


async def test_a_thousand_requests_with_three_tasks_each_see_themselves_alone(crowd: Site) -> None:
    await nobody_sees_another(crowd, "/tasks", times=10)


async def test_a_thousand_requests_see_themselves_alone_on_demand(make_site: Any) -> None:
    site = crowded(make_site({"LOGIN_LOAD_USER": "on_demand"}))
    await nobody_sees_another(site, "/tasks", times=10)


async def test_threads_see_their_request_s_user_alone(crowd: Site) -> None:
    await nobody_sees_another(crowd, "/threads", times=2)


async def test_a_hundred_logins_and_logouts_at_once_stay_apart(crowd: Site) -> None:
    answers = await asyncio.gather(
        *(crowd.browser().get(f"/in-out/{number}") for number in range(100))
    )
    assert [answer.text for answer in answers] == [
        f"anonymous, user {number}, anonymous" for number in range(100)
    ]


async def test_under_an_outer_application_context_the_next_client_is_anonymous(
    site: Site,
) -> None:
    async with site.app.app_context():
        first, second = site.browser(), site.browser()
        await first.get("/in/1")
        assert await first.get("/me") == (200, "user 1")
        assert await second.get("/me") == (200, "anonymous")
        assert (await second.get("/private")).status == 401
        assert await first.get("/me") == (200, "user 1")
        assert who() == "anonymous"


async def test_under_an_outer_application_context_a_hundred_clients_see_themselves_alone(
    crowd: Site,
) -> None:
    async with crowd.app.app_context():
        await nobody_sees_another(crowd, "/tasks", times=1)


async def test_under_an_outer_request_context_a_hundred_clients_see_themselves_alone(
    crowd: Site,
) -> None:
    async with crowd.app.test_request_context("/"):
        await login_user(crowd.users[99])
        await nobody_sees_another(crowd, "/tasks", times=1)
        assert who() == "user 99"


async def test_requests_one_after_another_in_one_context_see_themselves_alone(crowd: Site) -> None:
    # As a server does that runs the pipelined requests of a connection in one task.
    pairs = await browsers_of(crowd, 20)

    async def connection() -> None:
        for browser, name in pairs * 2:
            assert await browser.get("/tasks") == (200, name)

    await asyncio.create_task(connection())


async def test_two_applications_in_one_process_do_not_share_users(make_site: Any) -> None:
    one, other = make_site(), make_site()

    @one.route("/ask-the-other")
    async def ask_the_other() -> str:
        return ", ".join([who(), (await other.browser().get("/me")).text, who()])

    browser = one.browser()
    await browser.get("/in/1")
    assert await browser.get("/ask-the-other") == (200, "user 1, anonymous, user 1")


async def test_a_request_made_inside_a_socket_has_a_user_of_its_own(site: Site) -> None:
    @site.app.websocket("/socket")
    async def socket() -> None:
        inner = site.browser()
        await inner.get("/in/2")
        seen = [who(), (await inner.get("/me")).text]
        seen += [who(), (await site.browser().get("/me")).text, who()]
        await websocket.send(", ".join(seen))

    browser = site.browser()
    await browser.get("/in/1")
    headers = {**browser.headers, "Cookie": f"session={browser.jar['session']}"}
    client = site.app.test_client(use_cookies=False)
    async with client.websocket("/socket", headers=headers) as connection:
        assert await connection.receive() == "user 1, user 2, user 1, anonymous, user 1"


async def test_a_socket_opened_inside_a_request_has_a_user_of_its_own(site: Site) -> None:
    inner = site.browser()

    def cookies() -> dict[str, str]:
        sent = {**inner.headers}
        if inner.jar:
            sent["Cookie"] = f"session={inner.jar['session']}"
        return sent

    @site.app.websocket("/socket")
    async def socket() -> None:
        seen = [who(), await asyncio.create_task(who_later())]
        seen.append(await copy_current_websocket_context(who_later)())
        seen.append((await site.browser().get("/me")).text)
        async with site.app.test_request_context("/"):
            seen.append(who())
        await websocket.send(", ".join([*seen, who()]))

    @site.app.websocket("/guarded")
    @login_required
    async def guarded() -> None:
        await websocket.send(who())

    @site.route("/outer")
    async def outer() -> str:
        client = site.app.test_client(use_cookies=False)
        async with client.websocket("/socket", headers=cookies()) as connection:
            seen = [who(), await connection.receive(), who()]
        async with client.websocket("/guarded", headers=cookies()) as connection:
            try:
                seen.append(await connection.receive())
            except WebsocketResponseError as refused:
                seen.append(str(refused.response.status_code))
        return "; ".join([*seen, who()])

    browser = site.browser()
    await browser.get("/in/1")
    nobody = ", ".join(["anonymous"] * 6)
    assert await browser.get("/outer") == (200, f"user 1; {nobody}; user 1; 401; user 1")
    await inner.get("/in/2")
    heard = "user 2, user 2, user 2, anonymous, anonymous, user 2"
    assert await browser.get("/outer") == (200, f"user 1; {heard}; user 1; user 2; user 1")


async def test_sockets_and_requests_at_once_see_themselves_alone(crowd: Site) -> None:
    dice = random.Random(3)

    @crowd.app.websocket("/socket")
    async def socket() -> None:
        assert has_websocket_context()
        for _ in range(3):
            await websocket.receive()
            await websocket.send(", ".join(await asyncio.create_task(loiter(dice))))

    async def talk(browser: Browser) -> set[Any]:
        cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
        client = crowd.app.test_client(use_cookies=False)
        headers = {**browser.headers, "Cookie": cookies}
        async with client.websocket("/socket", headers=headers) as connection:
            heard = set()
            for _ in range(3):
                await connection.send("who?")
                heard.add(await connection.receive())
                heard.add((await browser.get("/tasks")).text)
            return heard

    pairs = await browsers_of(crowd)
    assert await asyncio.gather(*(talk(browser) for browser, _ in pairs)) == [
        {name} for _, name in pairs
    ]
