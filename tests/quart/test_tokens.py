"""Tokens and passwords in the header, as only Quart has them: on websockets, and at the start."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from loops import asyncio
from quart import websocket
from quart.testing.connections import WebsocketResponseError
from sites import QuartSite, Site
from sockets import add_sockets, connect, hear, logged_in

from quart_login import ConfigurationError, basic_auth_required, load_user, login_fresh

ONE = {"LOGIN_BASIC_USERNAME": "metrics", "LOGIN_BASIC_PASSWORD": "geheim"}


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


@pytest.fixture(params=["eager", "on_demand"])
def site(request: pytest.FixtureRequest) -> Site:
    return add_sockets(QuartSite({"LOGIN_LOAD_USER": request.param}))


async def bearer(site: Site, user_id: Any = 1) -> str:
    async with site.app.app_context():
        return f"Bearer {site.manager.issue_token(site.users[user_id])}"


async def refused(site: Site, path: str, **headers: str) -> tuple[int, list[str]]:
    """Return the status and the challenges that the handshake at *path* is refused with."""
    async with connect(site.browser(), path, **headers) as connection:
        with pytest.raises(WebsocketResponseError) as caught:
            await connection.receive()
    response = caught.value.response
    return response.status_code, response.headers.getlist("WWW-Authenticate")


async def test_a_token_opens_a_websocket(site: Site) -> None:
    header = await bearer(site)
    heard = await hear(site.browser(), "/private-socket", Authorization=header)
    assert heard == "private of user 1"
    assert site.loads == [1]


async def test_a_token_decides_alone_in_a_websocket_and_writes_nothing(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await logged_in(site, "?remember=1")
    header = await bearer(site, 2)
    heard = await hear(browser, "/private-socket", Authorization=header)
    assert heard == "private of user 2"
    # Quart logs an error for a session that is modified in a websocket.
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("header", "status", "challenge"),
    [
        ("Bearer qlt_junk.junk", 401, 'error="invalid_token"'),
        ("Bearer qlt_a,Bearer qlt_a", 400, 'error="invalid_request"'),
        (basic("1:wrong"), 401, 'Basic realm="login", charset="UTF-8"'),
    ],
)
async def test_a_bad_credential_is_refused_at_the_handshake(
    site: Site, header: str, status: int, challenge: str
) -> None:
    site.manager.login_view = "login"
    site.manager.verify_password(lambda username, password: None)
    said = await refused(site, "/private-socket", Authorization=header)
    assert said[0] == status and challenge in said[1][0]


async def test_a_stranger_and_a_token_that_is_not_fresh_are_told_what_would_do(site: Site) -> None:
    assert await refused(site, "/private-socket") == (401, ['Bearer realm="login"'])
    status, said = await refused(site, "/very-private-socket", Authorization=await bearer(site))
    assert status == 401 and 'error="insufficient_user_authentication"' in said[0]


async def test_a_token_in_a_websocket_is_not_fresh(site: Site) -> None:
    @site.app.websocket("/fresh")
    async def fresh() -> None:
        await load_user()
        await websocket.send(str(login_fresh()))

    header = await bearer(site)
    assert await hear(site.browser(), "/fresh", Authorization=header) == "False"


async def test_a_password_opens_a_websocket(site: Site) -> None:
    site.manager.verify_password(lambda username, password: site.users[int(username)])
    heard = await hear(site.browser(), "/private-socket", Authorization=basic("2:x"))
    assert heard == "private of user 2"


async def test_the_configured_password_opens_a_websocket(site: Site) -> None:
    site.app.config.update(ONE)

    @site.app.websocket("/metrics")
    @basic_auth_required
    async def metrics() -> None:
        await websocket.send("metrics")

    right, wrong = basic("metrics:geheim"), basic("metrics:x")
    assert await hear(site.browser(), "/metrics", Authorization=right) == "metrics"
    for headers in ({}, {"Authorization": wrong}):
        said = await refused(site, "/metrics", **headers)
        assert said == (401, ['Basic realm="login", charset="UTF-8"'])


async def test_on_demand_nobody_is_loaded_for_a_token_until_somebody_asks() -> None:
    site = QuartSite({"LOGIN_LOAD_USER": "on_demand"})
    client = site.browser(Authorization=await bearer(site))
    assert await client.get("/public") == (200, "public")
    assert site.loads == []
    assert await client.get("/private") == (200, "private of user 1")
    assert site.loads == [1]


async def test_a_loader_that_takes_too_long_lets_nobody_in() -> None:
    site = QuartSite({"LOGIN_LOADER_TIMEOUT": 0.01})

    @site.manager.verify_password
    async def verify(username: str, password: str) -> Any:
        await asyncio.sleep(30)

    client = site.browser(Authorization=basic("1:x"))
    assert await client.get("/public") == (200, "public")
    assert (await client.get("/private")).status == 503


@pytest.mark.parametrize("config", [{}, {**ONE, "LOGIN_BASIC_PASSWORD": ""}])
async def test_016_a_view_that_protects_nothing_is_not_served(config: dict[str, str]) -> None:
    site = QuartSite(config)

    @site.app.route("/metrics")
    @basic_auth_required
    async def metrics() -> str:
        return "metrics"

    with pytest.raises(ConfigurationError, match=r"app\.config\['LOGIN_BASIC_"):
        await site.app.startup()
    site.app.config.update(ONE)
    await site.app.startup()
