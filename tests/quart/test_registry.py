"""A registry of login sessions under an event loop: handshakes, and requests that are cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from loops import asyncio
from registry import CountingStore, copy, logged_in, registered
from sites import Browser, QuartSite
from sockets import add_sockets, hear, refusal

from quart_login import user_logged_in, user_logged_out, user_login_confirmed


@pytest.fixture
def site() -> Any:
    return add_sockets(registered(QuartSite, {"LOGIN_STORE_TIMEOUT": None}))


# --- handshakes ----------------------------------------------------------------------------------


async def test_a_handshake_with_a_remember_cookie_alone_is_the_user_s(site: Any) -> None:
    """No response of its own reaches the browser, so it replaces nothing."""
    browser = copy(await logged_in(site, "/in/1?remember=1"), "remember_token")
    [before] = site.manager.sessions.all()
    for _ in range(3):
        assert await hear(browser, "/private-socket") == "private of user 1"
        assert await refusal(browser, "/very-private-socket") == 401
    [after] = site.manager.sessions.all()
    assert (after.remember, after.digest) == (before.remember, before.digest)
    assert await browser.get("/private") == (200, "private of user 1")
    late = copy(browser, "remember_token")
    browser.close()
    await browser.get("/me")
    assert await hear(late, "/who") == "user 1"  # a moment later
    site.clock.advance(seconds=61)
    await browser.get("/me")
    assert await hear(late, "/who") == "anonymous"  # and now it is theft
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("names", [("session",), ("remember_token",), ()])
@pytest.mark.parametrize("end", ["/out", "revoke", "epoch", "gone", "expired"])
async def test_p5_no_handshake_after_the_end(site: Any, names: tuple[str, ...], end: str) -> None:
    user: Any = site.users[1]
    user.session_epoch = 1
    browser = await logged_in(site, "/in/1?remember=1")
    late = copy(browser, *names)
    assert await hear(late, "/who") == "user 1"
    if end == "/out":
        await browser.get("/out")
    elif end == "revoke":
        await site.browser().get("/revoke-user/1")
    elif end == "epoch":
        user.session_epoch = 2
    elif end == "gone":
        del site.users[1]
    else:
        site.clock.advance(days=400)
    assert await refusal(late, "/private-socket") == 401
    assert await hear(late, "/who") == "anonymous"


async def test_a_view_s_own_age_of_the_password_counts_at_a_handshake(site: Any) -> None:
    from quart import websocket

    from quart_login import fresh_login_required

    @site.app.websocket("/transfer")
    @fresh_login_required(max_age=300)
    async def transfer() -> None:
        await websocket.send("transfer")

    browser = await logged_in(site)
    site.clock.advance(seconds=300)
    assert await hear(browser, "/transfer") == "transfer"
    site.clock.advance(seconds=1)
    assert await refusal(browser, "/transfer") == 401
    assert await refusal(copy(browser, "nothing"), "/transfer") == 401


async def test_a_store_that_fails_refuses_the_handshake(site: Any) -> None:
    browser = await logged_in(site)
    site.manager.sessions.before["get"] = RuntimeError("down")
    assert await refusal(browser, "/private-socket") == 503
    assert await hear(browser, "/who") == "anonymous"


@pytest.mark.parametrize("form", ["quart-login", "flask-login"])
async def test_a_handshake_with_an_old_remember_cookie_moves_nothing(site: Any, form: str) -> None:
    old = await logged_in(QuartSite({"REMEMBER_COOKIE_FORMAT": form}), "/in/1?remember=1")
    browser = site.browser()
    browser.jar["remember_token"] = old.jar["remember_token"]
    for _ in range(2):  # No response could bring what takes its place, and nobody could end it.
        assert await hear(browser, "/who") == "anonymous"
    assert site.manager.sessions.all() == []
    assert await browser.get("/private") == (200, "private of user 1")
    assert "session" in browser.jar and await hear(browser, "/who") == "user 1"


# --- cancelled: a client that is gone ------------------------------------------------------------


class Gate:
    """Lets a test cancel a request at its n-th wait: for the store, or for a receiver."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.waits = 0
        self.stops_at = -1
        self.stopped = asyncio.Event()

    async def meanwhile(self, when: str, name: str) -> None:
        await self.wait()

    async def receiver(self, sender: Any, **extra: Any) -> None:
        await self.wait()

    async def wait(self) -> None:
        self.waits += 1
        if self.waits == self.stops_at + 1:
            self.stopped.set()
            await asyncio.Event().wait()

    @contextmanager
    def closed(self, number: int) -> Iterator[None]:
        self.waits, self.stops_at, self.stopped = 0, number, asyncio.Event()
        store = self.site.manager.sessions
        signals = (user_logged_in, user_logged_out, user_login_confirmed)
        store.meanwhile = self.meanwhile
        for signal in signals:
            signal.connect(self.receiver, sender=self.site.app)
        try:
            yield
        finally:
            store.meanwhile = None
            for signal in signals:
                signal.disconnect(self.receiver, sender=self.site.app)


async def cancelled(site: Any, browser: Browser, path: str, number: int) -> bool:
    """Let *browser* ask for *path* and be gone at the wait of that number; was there one?

    As a server tells it: ``http.disconnect`` comes while the request is handled.
    """
    gate = Gate(site)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"user-agent", b"test browser"),
            (b"cookie", cookies.encode()),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "extensions": {},
    }
    incoming = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if incoming:
            return incoming.pop()
        await gate.stopped.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            gate.stopped.set()

    with gate.closed(number):
        await site.app.asgi_app(scope, receive, send)
    assert bool(sent) == (gate.waits <= number), "it was cancelled, and answered"
    return not sent


PATHS = ["/in/1", "/in/2?remember=1", "/out", "/confirm", "/me", "/revoke-others", "/sessions"]


@pytest.mark.parametrize("names", [("session",), ("remember_token",), ()])
@pytest.mark.parametrize("path", PATHS)
async def test_095_a_client_that_is_gone_at_any_wait_leaves_no_half(
    site: Any, path: str, names: tuple[str, ...]
) -> None:
    """P14: as for the server, either all has happened or nothing; what is left logs nobody in who
    holds no cookie of it, and nobody keeps a login that a logout ended.
    """
    store: CountingStore = site.manager.sessions
    for number in range(20):
        browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
        jar, [before] = dict(browser.jar), store.all()
        if not await cancelled(site, browser, path, number):
            break
        assert browser.jar == jar
        after = {login.id for login in store.all() if not login.user_id.startswith("!")}
        assert after <= {before.id}, f"{path} left another login at wait {number}"
        answer = await browser.get("/private")
        # What a confirmation brings is with the response alone: if that is lost, it is a new login.
        lost = path == "/confirm" and names == ("session",) and store.all()[0].version
        entitled = after and not lost
        assert answer == (200, "private of user 1") if entitled else answer.status == 401
        if lost:
            assert await browser.get("/in/1") == (200, "True")
            assert len(store.all()) == 1
        store._sessions.clear()
        store._ids.clear()
    assert 1 < number < 19


async def test_095_a_crowd_of_clients_that_are_gone_does_no_harm_to_others(site: Any) -> None:
    other = await logged_in(site, "/in/2?remember=1")
    for number in range(30):
        browser = await logged_in(site, "/in/1?remember=1")
        browser.close()
        await cancelled(site, browser, PATHS[number % len(PATHS)], number % 6)
        assert await other.get("/me") == (200, "user 2")
    assert len([one for one in site.manager.sessions.all() if one.user_id == "#2"]) == 1


# --- at once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", [2, 5, 16])
async def test_p9_tasks_at_once_with_one_remember_cookie(site: Any, requests: int) -> None:
    store: CountingStore = site.manager.sessions

    async def meanwhile(when: str, name: str) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    store.meanwhile = meanwhile
    browser = copy(await logged_in(site, "/in/1?remember=1"), "remember_token")
    for _ in range(5):
        copies = [copy(browser) for _ in range(requests)]
        answers = await asyncio.gather(*(one.get("/private") for one in copies))
        assert all(answer == (200, "private of user 1") for answer in answers)
        [winner] = [one for one in copies if "session" in one.jar]
        browser = copy(winner, "remember_token")
    assert len(store.all()) == 1


async def test_p8_requests_at_once_with_a_logout_do_not_bring_it_back(site: Any) -> None:
    store: CountingStore = site.manager.sessions
    for steps in range(12):

        async def meanwhile(when: str, name: str, steps: int = steps) -> None:
            for _ in range(steps if when == "after" else 2):
                await asyncio.sleep(0)

        store.meanwhile = meanwhile
        browser = await logged_in(site, "/in/1?remember=1")
        others = [copy(browser), copy(browser, "session"), copy(browser, "remember_token")]
        paths = ("/confirm", "/put/a/b", "/private")
        await asyncio.gather(
            *(one.get(path) for one, path in zip(others, paths, strict=True)), browser.get("/out")
        )
        for one in (*others, browser):
            assert await one.get("/me") == (200, "anonymous")
        assert store.all() == []


async def test_several_tasks_of_one_request_find_the_login_once(site: Any) -> None:
    from quart_login import current_user, load_user

    site.app.config["LOGIN_LOAD_USER"] = "on_demand"

    @site.app.route("/tasks")
    async def tasks() -> str:
        async def look() -> str:
            await load_user()
            return str(current_user.name)

        return " ".join(await asyncio.gather(*(look() for _ in range(5))))

    browser = copy(await logged_in(site, "/in/1?remember=1"), "remember_token")
    site.manager.sessions.asked.clear()
    assert await browser.get("/tasks") == (200, " ".join(["user 1"] * 5))
    assert site.manager.sessions.asked == {"get": 1, "swap": 1}
