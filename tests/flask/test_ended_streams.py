"""What becomes of a streamed response of Flask's when its login ends?  (P23)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import registry
from sites import Browser

from flask_compat import _endings
from quart_login._core.held import GRACE, LoginEnded


class Store(registry.CountingStore):
    """Says how often it was asked which sessions last."""

    async def alive(self, exchange: Any, ids: Any) -> Any:
        self.asked["alive"] += 1
        if "alive" in self.before:
            raise self.before["alive"]
        return await super().alive(exchange, ids)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the clock that is never set, for the test to move."""
    moment = [1000.0]
    monkeypatch.setattr(_endings.Ending, "monotonic", staticmethod(lambda: moment[0]))
    return moment


@pytest.fixture
def site() -> Any:
    site = registry.make_site("flask", sessions=Store())
    site.heard = []

    def body(lazily: bool) -> Iterator[str]:
        try:
            for number in range(1000):
                yield f"{site.lib.current_user.name if lazily else number};"
        finally:
            site.heard.append("closed")

    @site.app.get("/stream")
    def stream() -> Any:
        assert site.lib.current_user.name
        return body(False)

    @site.app.get("/lazy")
    def lazy() -> Any:
        return body(True)

    return site


def stream_of(browser: Browser, path: str = "/stream") -> Any:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.items())
    client = browser.site.app.test_client(use_cookies=False)
    return client.get(path, headers={**browser.headers, "Cookie": cookies}, buffered=False)


@pytest.mark.parametrize("path", ["/stream", "/lazy"])
async def test_096_a_stream_is_cut_at_its_next_step(site: Any, at: list[float], path: str) -> None:
    one, other = await registry.logged_in(site), await registry.logged_in(site)
    cut, whole = stream_of(one, path), stream_of(other, path)
    pieces, others = cut.iter_encoded(), whole.iter_encoded()
    assert next(pieces) and next(others)
    await one.get("/out")
    assert next(pieces)  # A look may be a second old.
    at[0] += 1.0
    with pytest.raises(LoginEnded):
        next(pieces)
    with pytest.raises((LoginEnded, StopIteration)):
        next(pieces)
    for _ in range(50):
        at[0] += 1.0
        assert next(others)
    cut.close()
    whole.close()
    assert site.heard == ["closed", "closed"]


async def test_the_store_is_asked_once_a_second_at_most(site: Any, at: list[float]) -> None:
    store, browser = site.manager.sessions, await registry.logged_in(site)
    response = stream_of(browser)
    pieces = response.iter_encoded()
    for _ in range(100):
        next(pieces)
    assert store.asked["alive"] == 0
    for seconds in range(1, 4):
        at[0] += 1.0
        for _ in range(10):
            next(pieces)
        assert store.asked["alive"] == seconds
    response.close()


async def test_096_a_login_that_ran_out_cuts_its_stream(at: list[float]) -> None:
    site = registry.make_site("flask", {"LOGIN_LIFETIME": 3600}, sessions=Store())

    @site.app.get("/stream")
    def stream() -> Any:
        assert site.lib.current_user.name
        return (f"{number};" for number in range(1000))

    response = stream_of(await registry.logged_in(site))
    pieces = response.iter_encoded()
    for seconds, over in ((3600, False), (1, True)):
        site.clock.advance(seconds=seconds)
        at[0] += 1.0
        if over:
            with pytest.raises(LoginEnded):
                next(pieces)
        else:
            next(pieces)
    response.close()


async def test_a_store_that_fails_for_long_cuts_the_stream(site: Any, at: list[float]) -> None:
    store, browser = site.manager.sessions, await registry.logged_in(site)
    response = stream_of(browser)
    pieces = response.iter_encoded()
    next(pieces)
    for answers in (True, False):
        store.before["alive"] = OSError()
        for seconds in (1.0, GRACE / 2, GRACE / 2):
            at[0] += seconds
            next(pieces)
        if answers:
            del store.before["alive"]
        at[0] += 1.0
        if answers:
            next(pieces)
    with pytest.raises(LoginEnded):
        next(pieces)
    response.close()


async def test_nobody_s_stream_asks_nothing(site: Any, at: list[float]) -> None:
    @site.app.get("/free")
    def free() -> Any:
        return (f"{number};" for number in range(10))

    response = stream_of(site.browser(), "/free")
    for _ in response.iter_encoded():
        at[0] += 1.0
    assert site.manager.sessions.reads() == 0 and site.manager.sessions.asked["alive"] == 0
    response.close()
