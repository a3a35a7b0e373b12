"""Which pages may open a websocket of a Quart application?"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loops import asyncio
from quart import Blueprint, websocket
from sites import QuartSite, Site
from sockets import add_sockets, hear, logged_in, refusal, who

from quart_login import ConfigurationError, LoginManager, allow_origins, load_user, login_required
from quart_login._core.settings import SAFE

FOREIGN = [
    "https://evil.example",
    "http://evil.example",
    "https://localhost",
    "http://localhost:8000",
    "http://localhost.evil.example",
    "http://sub.localhost",
    "null",
    "",
    "http://localhost/",
    "junk",
    "\xff\xfe\x00",
]


@pytest.fixture
def site(make_site: Any) -> Site:
    return add_sockets(make_site())


@pytest.fixture(params=["eager", "on_demand"])
def either(request: pytest.FixtureRequest, make_site: Any) -> Site:
    """Return a site in each mode of loading in turn."""
    return add_sockets(make_site({"LOGIN_LOAD_USER": request.param}))


async def test_097_a_page_of_this_site_opens_a_socket(either: Site) -> None:
    browser = await logged_in(either)
    for origin in ("http://localhost", "http://LOCALHOST:80"):
        assert await hear(browser, "/private-socket", Origin=origin) == "private of user 1"
    assert await hear(browser, "/private-socket") == "private of user 1"


@pytest.mark.parametrize("origin", FOREIGN)
async def test_097_a_page_of_another_site_opens_none(either: Site, origin: str) -> None:
    ran: list[str] = []

    @either.app.websocket("/public-socket")
    async def public_socket() -> None:
        ran.append(who())

    browser = await logged_in(either)
    stranger = either.browser()
    for path in ("/private-socket", "/who", "/public-socket", "/nowhere"):
        assert await refusal(browser, path, Origin=origin) == 403
        assert await refusal(stranger, path, Origin=origin) == 403
    assert ran == []
    assert either.loads == []


async def test_097_neither_hook_nor_loader_runs_for_a_page_of_another_site(site: Site) -> None:
    ran: list[str] = []
    site.app.before_websocket(lambda: ran.append("hook"))
    site.manager.request_loader(lambda handshake: ran.append("request_loader"))
    browser = await logged_in(site, "?remember=1")
    ran.clear()
    with site.hearing() as heard:
        assert await refusal(browser, "/private-socket", Origin="https://evil.example") == 403
    assert ran == heard == site.loads == []


async def test_097_the_page_that_says_403_sees_nobody(site: Site) -> None:
    seen: list[str] = []

    @site.app.errorhandler(403)
    async def forbidden(error: Any) -> tuple[str, int]:
        seen.extend([who(), str((await load_user()).is_authenticated)])
        return "forbidden", 403

    browser = await logged_in(site)
    assert await refusal(browser, "/private-socket", Origin="https://evil.example") == 403
    assert seen == ["anonymous", "False"]
    assert site.loads == []


async def test_097_two_origins_are_none(site: Site) -> None:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    assert (await shake_hands(site, headers)) == 101
    assert (await shake_hands(site, [*headers, headers[-1]])) == 403
    assert (await shake_hands(site, [*headers, (b"origin", b"http://evil.example")])) == 403


async def test_a_request_may_come_from_any_page(site: Site) -> None:
    browser = await logged_in(site)
    answer = await browser.get("/me", headers={"Origin": "https://evil.example"})
    assert answer == (200, "user 1")


async def test_the_log_says_why_and_what_to_do_about_a_proxy(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="quart_login")
    await refusal(site.browser(), "/who", Origin="https://localhost")
    [record] = caplog.records
    assert record.name == "quart_login"
    assert "Origin 'https://localhost' is not that of 'ws://localhost'." in record.getMessage()
    assert "X-Forwarded-Proto" in record.getMessage()
    caplog.clear()
    await refusal(site.browser(), "/who", Origin="http://evil.example\x00\x1b" + "x" * 500)
    [record] = caplog.records
    assert record.getMessage().isprintable()
    assert len(record.getMessage()) < 250
    assert "X-Forwarded-Proto" not in record.getMessage()


# --- what may be allowed -------------------------------------------------------------------------


async def test_an_origin_that_the_settings_list_may_open_every_socket(make_site: Any) -> None:
    site = add_sockets(make_site({"LOGIN_WEBSOCKET_ORIGINS": ["https://partner.example"]}))
    browser = await logged_in(site)
    for origin in ("https://partner.example", "https://Partner.example:443", "http://localhost"):
        assert await hear(browser, "/who", Origin=origin) == "user 1"
    for origin in ("http://partner.example", "https://a.partner.example", *FOREIGN):
        assert await refusal(browser, "/who", Origin=origin) == 403


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_star_lets_every_page_open_every_socket(make_site: Any, origin: str) -> None:
    site = add_sockets(make_site({"LOGIN_WEBSOCKET_ORIGINS": ["*"]}))
    assert await hear(await logged_in(site), "/who", Origin=origin) == "user 1"


@pytest.mark.parametrize("above", [True, False])
async def test_a_socket_of_its_own_may_be_opened_by_more_pages(site: Site, above: bool) -> None:
    decorators = [login_required, allow_origins("https://partner.example")]

    async def view() -> None:
        await websocket.send(who())

    for decorate in decorators if above else reversed(decorators):
        view = decorate(view)
    site.app.add_websocket("/partner", view_func=view)
    browser = await logged_in(site)
    assert await hear(browser, "/partner", Origin="https://partner.example") == "user 1"
    assert await hear(browser, "/partner", Origin="http://localhost") == "user 1"
    assert await refusal(browser, "/partner", Origin="https://evil.example") == 403
    assert await refusal(browser, "/who", Origin="https://partner.example") == 403
    assert await refusal(site.browser(), "/partner", Origin="https://partner.example") == 401


async def test_a_socket_of_a_blueprint_may_be_opened_by_every_page(site: Site) -> None:
    blueprint = Blueprint("prices", "site", url_prefix="/prices")

    @blueprint.websocket("/now")
    @allow_origins("*")
    async def now() -> None:
        await websocket.send("42")

    site.app.register_blueprint(blueprint)
    for origin in FOREIGN:
        assert await hear(site.browser(), "/prices/now", Origin=origin) == "42"


@pytest.mark.parametrize(
    "wrong", [(), ("app.example",), ("https://a.example/",), (None,), (["*"],)]
)
def test_what_is_no_origin_cannot_be_allowed(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="allow_origins"):
        allow_origins(*wrong)


def test_a_decorator_without_its_origins_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="allow_origins"):

        @allow_origins  # type: ignore[arg-type]
        async def view() -> None: ...


def test_one_string_is_refused_at_set_up(make_site: Any) -> None:
    for wrong in ("https://app.example", "*", ["app.example"]):
        with pytest.raises(ConfigurationError, match="LOGIN_WEBSOCKET_ORIGINS"):
            make_site({"LOGIN_WEBSOCKET_ORIGINS": wrong})
    assert SAFE["LOGIN_WEBSOCKET_ORIGINS"] is None


async def test_one_string_that_came_later_opens_nothing(site: Site) -> None:
    site.app.config["LOGIN_WEBSOCKET_ORIGINS"] = "*"
    assert await refusal(site.browser(), "/who", Origin="https://evil.example") == 500


async def test_a_realm_changes_nothing_of_whose_pages_may(site: Site) -> None:
    LoginManager(site.app, name="staff").user_loader(site.load_user)
    browser = await logged_in(site)
    assert await hear(browser, "/who", Origin="http://localhost") == "user 1"
    assert await refusal(browser, "/who", Origin="https://evil.example") == 403
    site.app.config["LOGIN_WEBSOCKET_ORIGINS"] = ["https://evil.example"]
    assert await hear(browser, "/who", Origin="https://evil.example") == "user 1"


# --- below the test client -----------------------------------------------------------------------


async def shake_hands(
    site: Site,
    headers: list[tuple[bytes, bytes]],
    *,
    scheme: str = "ws",
    path: str = "/who",
    extension: bool = True,
) -> int:
    """Return the status that a server answers the handshake with, told as ASGI has it."""
    return status_of(await said_to(site, headers, scheme=scheme, path=path, extension=extension))


async def said_to(
    site: Site, headers: list[tuple[bytes, bytes]], *, scheme: str, path: str, extension: bool
) -> list[Any]:
    """Return what the application says to a server that may offer the denial response."""
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}} if extension else {},
    }
    said: list[Any] = []
    answered = asyncio.Event()
    incoming: list[Any] = [{"type": "websocket.connect"}]

    async def receive() -> Any:
        if incoming:
            return incoming.pop()
        await answered.wait()
        return {"type": "websocket.disconnect", "code": 1005}

    async def send(message: Any) -> None:
        said.append(message)
        over = message["type"].endswith("body") and not message.get("more_body")
        if over or message["type"] == "websocket.close":
            answered.set()

    await site.app(scope, receive, send)
    return said


def status_of(said: list[Any]) -> int:
    """Return the status that *said* makes of a handshake (ASGI's websocket specification)."""
    kind = said[0]["type"]
    statuses = {"websocket.accept": 101, "websocket.close": 403}
    return statuses[kind] if kind in statuses else int(said[0]["status"])


@pytest.mark.parametrize("extension", [True, False])
@pytest.mark.parametrize("path", ["/private-socket", "/very-private-socket"])
async def test_a_server_without_the_denial_response_closes_before_it_accepts(
    site: Site, path: str, extension: bool
) -> None:
    headers = [(b"host", b"localhost")]
    said = await said_to(site, headers, scheme="ws", path=path, extension=extension)
    kinds = [message["type"] for message in said]
    if extension:
        assert status_of(said) == 401
        assert set(kinds) == {"websocket.http.response.start", "websocket.http.response.body"}
    else:
        assert kinds == ["websocket.close"]


@pytest.mark.parametrize("extension", [True, False])
async def test_a_guard_that_comes_after_the_socket_was_accepted_closes_it(
    site: Site, extension: bool
) -> None:
    @login_required
    async def secret() -> None:
        await websocket.send("secret")

    @site.app.websocket("/late")
    async def late() -> None:
        await websocket.accept()
        await secret()

    headers = [(b"host", b"localhost")]
    said = await said_to(site, headers, scheme="ws", path="/late", extension=extension)
    assert [message["type"] for message in said] == ["websocket.accept", "websocket.close"]


@pytest.mark.parametrize("extension", [True, False])
async def test_097_every_kind_of_server_refuses_a_page_of_another_site(
    site: Site, extension: bool
) -> None:
    headers = [(b"host", b"localhost"), (b"origin", b"https://evil.example")]
    assert await shake_hands(site, headers, extension=extension) == 403
    assert site.loads == []


@pytest.mark.parametrize("scheme,page", [("ws", "http"), ("wss", "https")])
async def test_097_the_scheme_is_that_of_the_handshake(site: Site, scheme: str, page: str) -> None:
    host = (b"host", b"app.example")
    for other in ("http", "https"):
        origin = (b"origin", f"{other}://app.example".encode())
        expected = 101 if other == page else 403
        assert await shake_hands(site, [host, origin], scheme=scheme) == expected


BYTES = st.binary(max_size=60).filter(lambda value: not set(value) & set(b"\r\n"))


@settings(max_examples=60, deadline=None)
@given(BYTES)
async def test_p23_no_byte_of_an_origin_opens_a_socket_or_breaks_it(origin: bytes) -> None:
    site = add_sockets(QuartSite())
    headers = [(b"host", b"localhost"), (b"origin", origin)]
    own = origin.lower() in (b"http://localhost", b"http://localhost:80")
    assert await shake_hands(site, headers) == (101 if own else 403)
