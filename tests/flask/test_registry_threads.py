"""A registry of login sessions under threads, as servers of Flask have them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from registry import CountingStore, copy, registered
from sites import Answer, Browser, FlaskSite

from flask_compat import _in_time
from flask_compat._in_time import InTime
from quart_login._core.step import step
from quart_login.stores.sqlite import SQLiteStore


class Jostled(CountingStore):
    """Lets other threads go first, at random."""

    chance = random.Random(14)

    def step_aside(self) -> None:
        time.sleep(self.chance.random() * 0.002)


def _jostled(name: str) -> Any:
    async def method(self: Any, exchange: Any, *args: Any, **options: Any) -> Any:
        self.step_aside()
        found = await getattr(CountingStore, name)(self, exchange, *args, **options)
        self.step_aside()
        return found

    return method


for _name in ("get", "add", "swap", "touch", "delete", "delete_user", "list"):
    setattr(Jostled, _name, _jostled(_name))


@pytest.fixture(params=[None, 5])
def site(request: pytest.FixtureRequest) -> Any:
    """Return a site whose store is asked without a limit of time, or with one."""
    return registered(FlaskSite, {"LOGIN_STORE_TIMEOUT": request.param}, sessions=Jostled())


def get(browser: Browser, path: str) -> Answer:
    answer: Answer = step(browser.get(path))
    return answer


def logged_in(site: Any, path: str = "/in/1") -> Browser:
    browser: Browser = site.browser()
    assert get(browser, path) == (200, "True")
    return browser


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run *works*, each in a thread, beginning together; return what they returned."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        gate.wait()
        results[number] = work()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def asks(browser: Browser, path: str) -> Callable[[], Answer]:
    return lambda: get(browser, path)


@pytest.mark.parametrize("requests", [2, 8, 16])
def test_p9_threads_at_once_with_one_remember_cookie(site: Any, requests: int) -> None:
    browser = copy(logged_in(site, "/in/1?remember=1"), "remember_token")
    for _ in range(5):
        copies = [copy(browser) for _ in range(requests)]
        answers = at_once(*(asks(one, "/private") for one in copies))
        assert all(answer == (200, "private of user 1") for answer in answers)
        [winner] = [one for one in copies if "session" in one.jar]
        browser = copy(winner, "remember_token")
    assert len(site.manager.sessions.all()) == 1


def test_p8_threads_at_once_with_a_logout_do_not_bring_it_back(site: Any) -> None:
    for _ in range(15):
        browser = logged_in(site, "/in/1?remember=1")
        others = [copy(browser), copy(browser, "session"), copy(browser, "remember_token")]
        paths = ("/confirm", "/put/a/b", "/private")
        at_once(*map(asks, others, paths), asks(browser, "/out"))
        for one in (*others, browser):
            assert get(one, "/me") == (200, "anonymous")
        assert site.manager.sessions.all() == []


@pytest.mark.parametrize("reached", ["end_oldest", "refuse"])
@pytest.mark.parametrize("most", [1, 3])
def test_logins_at_once_keep_to_the_maximum(site: Any, reached: str, most: int) -> None:
    site.app.config.update(LOGIN_MAX_SESSIONS=most, LOGIN_MAX_SESSIONS_REACHED=reached)
    for _ in range(5):
        browsers = [site.browser() for _ in range(10)]
        at_once(*(asks(one, "/in/1?remember=1") for one in browsers))
        assert [get(one, "/me").text for one in browsers].count("user 1") == most
        with site.app.app_context():
            assert site.lib.revoke_user(1) == most


def test_revocations_at_once_with_logins_leave_what_came_later_alone(site: Any) -> None:
    """P5: who was logged in before it began is out when it has returned."""
    for _ in range(10):
        before = [logged_in(site, "/in/1?remember=1") for _ in range(3)]
        left = [copy(one, "remember_token") for one in before]
        fresh, admin = [site.browser() for _ in range(3)], site.browser()
        at_once(
            asks(admin, "/revoke-user/1"),
            *(asks(one, "/in/1") for one in fresh),
            *(asks(one, "/me") for one in (*before, *left)),
        )
        for one in (*before, *left):
            assert get(one, "/me") == (200, "anonymous")
        for one in fresh:
            assert get(one, "/me").text in ("user 1", "anonymous")
        with site.app.app_context():
            site.lib.revoke_user(1)


def test_confirmations_at_once_leave_one_proof(site: Any) -> None:
    for _ in range(10):
        browser = logged_in(site)
        copies = [copy(browser) for _ in range(4)]
        at_once(*(asks(one, "/confirm") for one in copies))
        good = [one for one in copies if get(copy(one), "/me") == (200, "user 1")]
        assert len(good) == 1
        assert get(good[0], "/very") == (200, "very private of user 1")


# --- who waits for a store -----------------------------------------------------------------------


@contextmanager
def hanging(site: Any) -> Iterator[None]:
    site.manager.sessions.hangs = True
    try:
        yield
    finally:
        site.manager.sessions.resume()


def _count() -> int:
    """Return how many threads there are for stores."""
    return [thread.name for thread in threading.enumerate()].count("login-store")


def test_110_a_hundred_and_more_threads_may_hang_and_no_request_waits_longer() -> None:
    site = registered(FlaskSite, {"LOGIN_STORE_TIMEOUT": 0.05})
    browser = logged_in(site)
    others = _count()  # Quart has a pool of its own, and tests of it may have run before.
    with hanging(site):
        for _ in range(3):
            begun = time.monotonic()
            answers = at_once(*(asks(copy(browser), "/private") for _ in range(60)))
            assert time.monotonic() - begun < 5
            assert {answer.status for answer in answers} == {503}
        assert get(site.browser(), "/public") == (200, "public")
        assert _count() - others <= _in_time.MOST
    for _ in range(200):
        if get(copy(browser), "/me") == (200, "user 1"):
            break
        time.sleep(0.02)
    assert get(browser, "/private") == (200, "private of user 1")


def test_what_a_store_brings_too_late_nobody_reads() -> None:
    """The answer to one request's question is never another's."""
    site = registered(FlaskSite, {"LOGIN_STORE_TIMEOUT": 0.05})
    one, other = logged_in(site, "/in/1"), logged_in(site, "/in/2")
    with hanging(site):
        at_once(*(asks(copy(one), "/private") for _ in range(8)))
    for _ in range(50):
        assert get(copy(other), "/me").text in ("user 2", "anonymous")
    assert get(other, "/me") == (200, "user 2")


# --- who ends by itself --------------------------------------------------------------------------


class Bounded:
    """Says for how long its methods block."""

    def __init__(self, gives_up_after: float) -> None:
        self.gives_up_after = gives_up_after

    def thread(self) -> str:
        return threading.current_thread().name


def thread_of(waits: InTime, fn: Callable[[], Any]) -> str:
    name: str = step(waits.call(fn))
    return name


def test_who_ends_by_itself_in_time_is_called_and_others_get_a_thread() -> None:
    mine = threading.current_thread().name
    assert thread_of(InTime(5), Bounded(4).thread) == mine
    assert thread_of(InTime(5), Bounded(6).thread) == "login-store"
    assert thread_of(InTime(5), lambda: threading.current_thread().name) == "login-store"


def test_who_ends_by_itself_gets_a_thread_once_too_little_time_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(_in_time, "monotonic", lambda: now[0])
    mine, waits, store = threading.current_thread().name, InTime(5), Bounded(4)
    assert thread_of(waits, store.thread) == mine
    now[0] += 2
    assert thread_of(waits, store.thread) == "login-store"
    now[0] += 3
    with pytest.raises(TimeoutError):
        thread_of(waits, store.thread)


def test_what_a_store_that_ends_by_itself_has_others_do_gets_a_thread() -> None:
    """The promise is for its own methods: what a class on top of it calls may hang."""

    class Hangs(CountingStore):
        gives_up_after = 0.0

    site = registered(FlaskSite, {"LOGIN_STORE_TIMEOUT": 0.05}, sessions=Hangs())
    browser = logged_in(site)
    with hanging(site):
        assert get(copy(browser), "/private").status == 503
    assert get(browser, "/private") == (200, "private of user 1")


def test_sqlite_is_asked_without_a_thread_once_a_connection_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, threads = SQLiteStore(tmp_path / "sessions.sqlite", timeout=2), list[str]()
    do = SQLiteStore._do

    def noted(self: SQLiteStore, *args: Any) -> Any:
        threads.append(threading.current_thread().name)
        return do(self, *args)

    monkeypatch.setattr(SQLiteStore, "_do", noted)
    site = registered(FlaskSite, {"LOGIN_STORE_TIMEOUT": 5}, sessions=store)
    mine = threading.current_thread().name
    assert store.gives_up_after == 8  # A connection is opened first, which waits for more locks.
    with site.app.app_context():
        assert site.lib.revoke_user(1) == 0
    assert threads[0] == "login-store"
    assert store.gives_up_after == 2
    browser = logged_in(site)
    assert get(browser, "/private") == (200, "private of user 1")
    assert set(threads[1:]) == {mine}
    store.close()
