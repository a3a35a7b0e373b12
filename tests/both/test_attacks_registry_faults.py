"""A store of login sessions that fails, hangs or forgets: section 3.J of the survey of attacks,
each test under its row's number, as far as no real server is needed.

P13: whatever fails at whichever call, nobody is authenticated by it, and public pages are served.
P14: a login and a logout happen whole or not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from registry import CountingStore, copy, logged_in, registered
from sites import Browser

from quart_login import ConfigurationError
from quart_login.stores.memory import MemoryStore

FAILURE = RuntimeError("the store is down")

WHEN = pytest.mark.parametrize("when", ["before", "after"])
PARTS = pytest.mark.parametrize("names", [("session",), ("remember_token",), ()])


@pytest.fixture
def site(make_site: Any) -> Any:
    return registered(make_site)


def fail(
    store: CountingStore, number: int, when: str, error: BaseException = FAILURE
) -> Callable[[], bool]:
    """Let the call of that *number* fail, *when* it had no effect or *after* it had.

    Return what says whether it did.
    """
    calls: list[str] = []

    async def meanwhile(now: str, name: str) -> None:
        if now == when:
            calls.append(name)
            if len(calls) == number + 1:
                raise error

    store.meanwhile = meanwhile
    return lambda: len(calls) > number


# --- 109, 110: it is down, it hangs --------------------------------------------------------------


@PARTS
async def test_109_a_store_that_is_down_is_503_on_protected_views_and_nobody_on_public_ones(
    site: Any, names: tuple[str, ...]
) -> None:
    browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
    jar = dict(browser.jar)
    site.manager.sessions.before["get"] = FAILURE
    for path in ("/private", "/very", "/sessions", "/revoke-others"):
        answer = await browser.get(path)
        assert answer.status == 503
        assert "user 1" not in answer.text and "store is down" not in answer.text
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/why") == (200, "store_failed")
    assert browser.jar == jar  # It logs nobody out.
    site.manager.sessions.before.clear()
    assert await browser.get("/private") == (200, "private of user 1")


async def test_109_who_brings_no_credential_never_asks_the_store(site: Any) -> None:
    for name in ("get", "add", "list"):
        site.manager.sessions.before[name] = FAILURE
    browser = site.browser()
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/me") == (200, "anonymous")
    assert (await browser.get("/private")).status == 401
    assert site.manager.sessions.asked == {}


@pytest.fixture
def hanging(make_site: Any) -> Iterator[Any]:
    site = registered(make_site, {"LOGIN_STORE_TIMEOUT": 0.02})
    yield site
    site.manager.sessions.resume()


@pytest.mark.parametrize("path", ["/private", "/in/1", "/out", "/confirm", "/sessions", "/me"])
async def test_110_a_store_that_hangs_is_given_up_in_time(hanging: Any, path: str) -> None:
    browser = await logged_in(hanging, "/in/1?remember=1")
    hanging.manager.sessions.hangs = True
    begun = time.monotonic()
    answer = await browser.get(path)
    assert time.monotonic() - begun < 2
    assert answer == (200, "anonymous") if path == "/me" else answer.status == 503
    hanging.manager.sessions.resume()
    expected = "anonymous" if path == "/out" else "user 1"
    assert await browser.get("/me") == (200, expected)


async def test_110_a_store_that_hangs_for_all_threads_costs_time_not_memory(hanging: Any) -> None:
    """One that never answers: each asks once, is given up, and the next is not slower."""
    browser = await logged_in(hanging)
    hanging.manager.sessions.hangs = True
    begun = time.monotonic()
    for _ in range(20):
        assert (await browser.get("/private")).status == 503
    assert time.monotonic() - begun < 10


# --- 111, 118: what is unknown -------------------------------------------------------------------


@WHEN
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("path", ["/in/1", "/in/1?remember=1", "/in/2", "/in/2?remember=1"])
@pytest.mark.parametrize("first", [None, "/in/1", "/in/1?remember=1"])
async def test_111_118_123_a_login_that_may_have_failed_has_failed(
    site: Any, when: str, number: int, path: str, first: str | None
) -> None:
    """P14: nobody is logged in by it, no cookie is set, and nothing is left of it."""
    browser = site.browser() if first is None else await logged_in(site, first)
    store = site.manager.sessions
    jar, session = dict(browser.jar), browser.session()
    before = [login.id for login in store.all()]
    failed = fail(store, number, when)
    answer = await browser.get(path)
    store.meanwhile = None
    if not failed() or answer == (200, "True"):
        # Who was here before could not be read: in Quart nobody was, in Flask it ends unread.
        assert not failed() or (number == 0 and first)
        assert (await browser.get("/me")).text == f"user {path[4]}"
        return
    assert answer.status == 503
    assert browser.jar.get("remember_token") == jar.get("remember_token")
    assert "session" not in browser.jar or browser.session() == session
    assert {login.id for login in store.all()} <= set(before)
    name = (await browser.get("/me")).text
    assert name in (("user 1", "anonymous") if first else ("anonymous",))
    assert (name == "user 1") == bool(store.all())


@WHEN
@pytest.mark.parametrize("number", range(4))
@PARTS
async def test_111_118_122_a_logout_that_may_have_failed_says_so(
    site: Any, when: str, number: int, names: tuple[str, ...]
) -> None:
    """The browser is logged out, and whoever asked hears that a copy may yet be good."""

    @site.route("/careful")
    async def careful() -> str:
        try:
            await site.logout_user()
        except site.lib.StoreUnavailable as error:
            anonymous = not site.lib.current_user.is_authenticated
            return f"{error.code} {anonymous}"
        return "out"

    for path in ("/out", "/careful"):
        browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
        left = copy(browser)
        store = site.manager.sessions
        failed = fail(store, number, when)
        answer = await browser.get(path)
        store.meanwhile = None
        if not failed():
            assert answer == (200, "True" if path == "/out" else "out")
            assert await left.get("/me") == (200, "anonymous")
            continue
        assert browser.jar == {}
        assert await browser.get("/me") == (200, "anonymous")
        if answer.status == 503 or answer == (200, "503 True"):
            assert path == "/careful" or answer.status == 503
        else:  # Only the note of when it was last seen had failed.
            assert await left.get("/me") == (200, "anonymous")
        store._sessions.clear()
        store._ids.clear()


@WHEN
@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("path", ["/confirm", "/me", "/private", "/sessions", "/revoke-others"])
@PARTS
async def test_013_at_whichever_call_it_fails_nobody_gets_more(
    site: Any, when: str, number: int, path: str, names: tuple[str, ...]
) -> None:
    """P13: a page of somebody's is never shown to who could not be told to be them; and nobody is
    logged in afterwards who is not in the store.
    """
    browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
    stranger = await logged_in(site, "/in/2")
    store = site.manager.sessions
    failed = fail(store, number, when)
    answer = await browser.get(path)
    store.meanwhile = None
    if not failed():
        return
    assert answer.status in (200, 503)
    assert await stranger.get("/me") == (200, "user 2")
    name = (await browser.get("/me")).text
    alive = [login for login in store.all() if login.user_id == "#1"]
    assert name == "anonymous" or alive


@pytest.mark.parametrize("odd", [True, 7, "user 1", object(), [], {"user_id": "#1"}])
async def test_117_what_is_no_record_is_no_login(site: Any, odd: Any) -> None:
    """P13: the store returns what is of the wrong type."""
    browser = await logged_in(site)
    site.manager.sessions.get = _returning(odd)
    assert await browser.get("/me") == (200, "anonymous")
    assert (await browser.get("/private")).status >= 500
    assert await browser.get("/public") == (200, "public")


def _returning(odd: Any) -> Any:
    async def get(exchange: Any, id: str) -> Any:
        return odd

    return get


@pytest.mark.parametrize("error", [OSError, TimeoutError, KeyError, MemoryError, StopIteration])
async def test_117_whatever_the_driver_raises_is_503(site: Any, error: type[Exception]) -> None:
    browser = await logged_in(site)
    site.manager.sessions.before["get"] = error("secret-of-the-driver")
    answer = await browser.get("/private")
    assert answer.status == 503
    assert "secret-of-the-driver" not in answer.text


# --- 113, 120: it forgets ------------------------------------------------------------------------


async def test_113_who_was_evicted_is_logged_out(site: Any) -> None:
    browser, other = await logged_in(site, "/in/1?remember=1"), await logged_in(site, "/in/2")
    store: Any = site.manager.sessions
    store._sessions.pop(browser.session()["_login_session"][:22])
    for names in (("session",), ("remember_token",), ()):
        late = copy(browser, *names)
        assert await late.get("/me") == (200, "anonymous")
        assert late.jar == {}
    assert await other.get("/me") == (200, "user 2")


async def test_113_a_store_that_starts_again_empty_logs_everybody_out_and_lets_them_in(
    site: Any,
) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    before = copy(browser)
    store: Any = site.manager.sessions
    store._sessions.clear()
    store._ids.clear()
    assert (await browser.get("/private")).status == 401
    assert await browser.get("/in/1?remember=1") == (200, "True")
    assert await browser.get("/private") == (200, "private of user 1")
    assert await before.get("/me") == (200, "anonymous")


# --- 122 to 125 ----------------------------------------------------------------------------------


async def test_122_a_logout_while_the_store_is_down_is_tried_again_with_a_copy(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    left = copy(browser)
    for name in ("get", "delete", "add", "list"):
        site.manager.sessions.before[name] = FAILURE
    answer = await browser.get("/out")
    assert answer.status == 503
    assert browser.jar == {}
    assert "may" not in answer.text or "store is down" not in answer.text
    site.manager.sessions.before.clear()
    assert await left.get("/me") == (200, "user 1")  # It lives, as was said.
    assert await left.get("/out") == (200, "True")
    assert site.manager.sessions.all() == []


@pytest.mark.parametrize("path", ["/revoke-others", "/revoke-user/1", "/revoke/{id}"])
async def test_122_a_revocation_that_failed_says_so(site: Any, path: str) -> None:
    browser, other = await logged_in(site), await logged_in(site)
    id = other.session()["_login_session"][:22]
    for name in ("delete", "delete_user"):
        site.manager.sessions.before[name] = FAILURE
    assert (await browser.get(path.format(id=id))).status == 503
    assert await other.get("/me") == (200, "user 1")


async def test_123_a_login_while_the_store_is_down_raises_and_sets_no_cookie(site: Any) -> None:
    site.manager.sessions.before["add"] = FAILURE
    browser = site.browser()
    with site.hearing("user_logged_in", "login_session_ended") as heard:
        answer = await browser.get("/in/1?remember=1")
    assert answer.status == 503 and answer.set_cookies == []
    assert heard == []


@PARTS
async def test_124_a_touch_that_fails_ends_no_request_and_lengthens_nothing(
    make_site: Any, names: tuple[str, ...], lines: Any
) -> None:
    site = registered(make_site, {"LOGIN_IDLE_TIMEOUT": 3600})
    browser = await logged_in(site, "/in/1?remember=1")
    browser.close()
    await browser.get("/me")  # so that its successor is to be confirmed
    browser = copy(browser, *(names if "session" in names else ()))
    for name in ("touch", "swap"):
        site.manager.sessions.before[name] = FAILURE
    site.clock.advance(seconds=1800)
    lines.clear()
    assert await browser.get("/private") == (200, "private of user 1")
    [line] = [one for one in lines.records if one.getMessage().startswith("store_failed")]
    assert line.levelno == logging.WARNING
    site.clock.advance(seconds=1801)
    late = copy(browser, "session")
    assert await late.get("/me") == (200, "anonymous")


async def test_125_a_store_that_cannot_work_refuses_to_serve(make_site: Any) -> None:
    class WithoutSchema(MemoryStore):
        async def check(self, exchange: Any) -> None:
            raise ConfigurationError("There is no table. Create it.")

    if make_site.web.__name__ == "quart":
        site = registered(make_site, sessions=WithoutSchema())
        with pytest.raises(ConfigurationError, match="no table"):
            await site.app.startup()
        return
    site = registered(make_site, sessions=WithoutSchema())
    for _ in range(2):
        assert (await site.browser().get("/public")).status == 500


async def test_125_where_no_server_says_that_it_starts_a_store_that_is_down_is_no_mistake(
    make_site: Any, lines: Any
) -> None:
    """Flask looks at its first request, which is a public one here, and must be served."""
    store = CountingStore()
    site = registered(make_site, {"LOGIN_STORE_TIMEOUT": 0.02}, sessions=store)
    for failure in (FAILURE, None):

        async def check(exchange: Any, failure: Any = failure) -> None:
            if failure is None:
                await store.hang(exchange)
            raise failure

        store.check = check  # type: ignore[method-assign]
        browser = site.browser()
        begun = time.monotonic()
        assert await browser.get("/public") == (200, "public")
        assert (await browser.get("/private")).status == 401
        assert await browser.get("/in/1") == (200, "True")
        assert time.monotonic() - begun < 2
    store.resume()
    if site.web.__name__ == "flask":
        assert "store_failed" in lines.text


async def test_120_a_row_whose_user_was_lost_is_no_login(site: Any) -> None:
    """A record under a name that is nobody's: half of a write, or another program's."""
    from dataclasses import replace

    browser: Browser = await logged_in(site)
    store: Any = site.manager.sessions
    [login] = store.all()
    for name in ("", "#", "#x", "#\u00b2", "~", "~staff~1", "!1", "%", "=1", "#01", "\0"):
        store._sessions[login.id] = replace(login, user_id=name)
        assert await copy(browser).get("/me") == (200, "anonymous")
        assert (await copy(browser).get("/private")).status == 401


@pytest.mark.parametrize("path", ["/confirm", "/out"])
async def test_111_a_change_that_never_succeeds_is_given_up(site: Any, path: str) -> None:
    """A store that always says that another request was quicker."""
    browser = await logged_in(site, "/in/1?remember=1")
    asked: list[str] = []

    async def swap(exchange: Any, old: Any, new: Any) -> bool:
        asked.append(old.id)
        assert len(asked) < 1000
        return False

    site.manager.sessions.swap = swap
    assert (await browser.get(path)).status == (503 if path == "/confirm" else 200)
    assert len(asked) < 100


@pytest.mark.parametrize("limit", [0, -1, "1"])
def test_110_a_time_in_which_no_store_can_answer_is_a_mistake(make_site: Any, limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_STORE_TIMEOUT"):
        registered(make_site, {"LOGIN_STORE_TIMEOUT": limit})
