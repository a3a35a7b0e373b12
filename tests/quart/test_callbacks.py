"""May every callback and view be a coroutine function, a plain one, or something in between?"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from loops import asyncio
from quart import current_app, get_flashed_messages, request
from sites import SIGNALS, Browser, Site

from quart_login import current_user


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    return browser


# --- the colours ---------------------------------------------------------------------------------


def plain(fn: Callable[..., Any]) -> Any:
    return fn


def coroutine_function(fn: Callable[..., Any]) -> Any:
    async def coloured(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args, **kwargs)

    return coloured


def plain_returning_a_coroutine(fn: Callable[..., Any]) -> Any:
    coloured = coroutine_function(fn)
    return lambda *args, **kwargs: coloured(*args, **kwargs)


def wrapped(fn: Callable[..., Any]) -> Any:
    coloured = coroutine_function(fn)

    @functools.wraps(coloured)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return coloured(*args, **kwargs)

    return wrapper


def partial_of_a_plain_function(fn: Callable[..., Any]) -> Any:
    return functools.partial(lambda extra, *args, **kwargs: fn(*args, **kwargs), "extra")


def partial_of_a_coroutine_function(fn: Callable[..., Any]) -> Any:
    async def coloured(extra: str, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args, **kwargs)

    return functools.partial(coloured, "extra")


def method(fn: Callable[..., Any]) -> Any:
    class Repository:
        async def find(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            return fn(*args, **kwargs)

    return Repository().find


def object_with_async_call(fn: Callable[..., Any]) -> Any:
    class Loader:
        async def __call__(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            return fn(*args, **kwargs)

    return Loader()


def object_with_call(fn: Callable[..., Any]) -> Any:
    class Loader:
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

    return Loader()


def plain_returning_a_future(fn: Callable[..., Any]) -> Any:
    async def coloured(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    class Deferred:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.asked = coloured(*args, **kwargs)

        def __await__(self) -> Any:
            return self.asked.__await__()

    return lambda *args, **kwargs: Deferred(*args, **kwargs)


COLOURS = [
    plain,
    coroutine_function,
    plain_returning_a_coroutine,
    wrapped,
    partial_of_a_plain_function,
    partial_of_a_coroutine_function,
    method,
    object_with_async_call,
    object_with_call,
    plain_returning_a_future,
]

every_colour = pytest.mark.parametrize("colour", COLOURS, ids=lambda colour: colour.__name__)
both_colours = pytest.mark.parametrize("colour", [plain, coroutine_function])


@every_colour
async def test_a_user_loader_of_any_colour(site: Site, colour: Any) -> None:
    asked: list[Any] = []

    def load(user_id: Any) -> Any:
        asked.append((user_id, request.path, current_app.name))
        return site.users[user_id]

    assert site.manager.user_loader(loader := colour(load)) is loader
    browser = await logged_in(site, "?remember=1")
    assert await browser.get("/private") == (200, "private of user 1")
    browser.close()
    assert await browser.get("/private") == (200, "private of user 1")
    assert asked == [(1, "/private", "site")] * 2


@every_colour
async def test_a_user_loader_of_any_colour_may_know_nobody(site: Site, colour: Any) -> None:
    browser = await logged_in(site)
    site.manager.user_loader(colour(lambda user_id: None))
    assert (await browser.get("/private")).status == 401


@every_colour
async def test_a_user_loader_of_any_colour_may_raise(site: Site, colour: Any) -> None:
    def broken(user_id: Any) -> Any:
        raise LookupError(user_id)

    browser = await logged_in(site)
    site.manager.user_loader(colour(broken))
    assert (await browser.get("/private")).status == 500
    assert await browser.get("/me") == (200, "anonymous")


@every_colour
async def test_a_request_loader_of_any_colour(site: Site, colour: Any) -> None:
    def load(req: Any) -> Any:
        return site.users.get(int(req.args.get("user", "0")))

    assert site.manager.request_loader(loader := colour(load)) is loader
    with site.hearing("user_loaded_from_request") as heard:
        assert await site.browser().get("/private?user=2") == (200, "private of user 2")
        assert (await site.browser().get("/private")).status == 401
    assert heard == [("user_loaded_from_request", {"user": site.users[2]})]


async def test_a_plain_loader_runs_in_a_thread_and_a_coroutine_on_the_loop(site: Site) -> None:
    threads: list[threading.Thread] = []

    def load(user_id: Any) -> Any:
        threads.append(threading.current_thread())
        return site.users[user_id]

    browser = await logged_in(site)
    site.manager.user_loader(load)
    await browser.get("/private")
    site.manager.user_loader(coroutine_function(load))
    await browser.get("/private")
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


@every_colour
async def test_an_unauthorized_handler_of_any_colour(site: Site, colour: Any) -> None:
    site.manager.unauthorized_handler(colour(lambda: (f"who are you, {request.path}?", 418)))
    assert await site.browser().get("/private") == (418, "who are you, /private?")


@every_colour
async def test_a_needs_refresh_handler_of_any_colour(site: Site, colour: Any) -> None:
    site.manager.needs_refresh_handler(colour(lambda: (f"again, {current_user.name}", 418)))
    browser = await logged_in(site, "?fresh=0")
    assert await browser.get("/very") == (418, "again, user 1")


@every_colour
async def test_a_localize_callback_of_any_colour(site: Site, colour: Any) -> None:
    @site.route("/messages")
    async def messages() -> str:
        return str(get_flashed_messages(with_categories=True))

    site.manager.login_view = site.manager.refresh_view = "login"
    site.manager.localize_callback = colour(str.upper)
    browser = site.browser()
    await browser.get("/private")
    expected = "[('message', 'PLEASE LOG IN TO ACCESS THIS PAGE.')]"
    assert await browser.get("/messages") == (200, expected)
    await browser.get("/in/1?fresh=0")
    await browser.get("/very")
    expected = "[('message', 'PLEASE REAUTHENTICATE TO ACCESS THIS PAGE.')]"
    assert await browser.get("/messages") == (200, expected)


@both_colours
async def test_receivers_of_every_signal_see_the_user(site: Site, colour: Any) -> None:
    heard: dict[str, list[str]] = {}

    def receiver(name: str) -> Any:
        def receive(sender: Any, **extra: Any) -> None:
            assert sender is site.app
            seen = current_user.name if current_user.is_authenticated else "anonymous"
            heard.setdefault(name, []).append(seen)

        return colour(receive)

    receivers = {name: receiver(name) for name in SIGNALS}
    for name, signal in SIGNALS.items():
        signal.connect(receivers[name], sender=site.app)
    site.manager.request_loader(lambda req: site.users[2] if "api" in req.args else None)
    browser = await logged_in(site, "?remember=1")
    await browser.get("/private", headers={"User-Agent": "another browser"})
    await browser.get("/very", headers={"User-Agent": "another browser"})
    await browser.get("/confirm")
    browser.close()
    await browser.get("/public")
    await browser.get("/out")
    await browser.get("/private?api=1")
    browser.set_session(_user_id=7)
    await browser.get("/private")
    browser.set_session(_user_id=1)
    browser.jar["remember_token"] = "1|forged"
    await browser.get("/public")
    site.manager.user_loader(coroutine_function(lambda user_id: site.users[2]))
    await browser.get("/public")
    for name, signal in SIGNALS.items():
        signal.disconnect(receivers[name], sender=site.app)
    assert {name: set(seen) for name, seen in heard.items()} == {
        "user_logged_in": {"user 1"},
        "user_accessed": {"user 1", "user 2", "anonymous"},
        "session_protected": {"user 1", "anonymous"},
        "user_needs_refresh": {"user 1"},
        "user_login_confirmed": {"user 1"},
        "user_loaded_from_cookie": {"user 1"},
        "user_logged_out": {"user 1"},
        "user_loaded_from_request": {"user 2"},
        "user_unauthorized": {"anonymous"},
        "credential_rejected": {"user 1", "anonymous"},
        "identity_mismatch": {"anonymous"},
    }
