"""Does a test client that begins as somebody behave as a browser that logged in?"""

from __future__ import annotations

from typing import Any

import pytest
from quart import Response, stream_with_context, websocket
from quart.testing.connections import WebsocketResponseError
from sites import Site

from quart_login import QuartLoginClient, current_user, fresh_login_required, login_required

PROTECTIONS = [None, "basic", "strong"]


@pytest.fixture(params=PROTECTIONS)
def site(request: pytest.FixtureRequest, make_site: Any) -> Site:
    """Return a site, under each session protection in turn, whose test client can log in."""
    site = make_site({"SESSION_PROTECTION": request.param})
    site.app.test_client_class = QuartLoginClient

    @site.route("/stream", guard="login_required")
    async def stream() -> Any:
        @stream_with_context
        async def body() -> Any:
            yield f"streamed to {current_user.name}"

        return Response(body())

    @site.app.websocket("/socket")
    @login_required
    async def socket() -> None:
        await websocket.send(f"sent to {current_user.name}")

    @site.app.websocket("/fresh-socket")
    @fresh_login_required
    async def fresh_socket() -> None:
        await websocket.send(f"sent to {current_user.name}")

    return site


async def get(client: Any, path: str) -> tuple[int, str]:
    response = await client.get(path)
    return response.status_code, await response.get_data(as_text=True)


async def refused(client: Any, path: str) -> int:
    async with client.websocket(path) as connection:
        with pytest.raises(WebsocketResponseError) as caught:
            await connection.receive()
    return int(caught.value.response.status_code)


async def test_the_client_is_its_user_in_every_request(site: Site) -> None:
    client = site.app.test_client(user=site.users[1])
    for _ in range(3):
        assert await get(client, "/private") == (200, "private of user 1")
        assert await get(client, "/very") == (200, "very private of user 1")


async def test_the_client_is_its_user_in_a_request_piece_by_piece(site: Site) -> None:
    client = site.app.test_client(user=site.users[1])
    for _ in range(2):
        async with client.request("/stream") as connection:
            await connection.send_complete()
            assert await connection.receive() == b"streamed to user 1"
        response = await connection.as_response()
        assert response.status_code == 200


async def test_the_client_is_its_user_in_a_websocket(site: Site) -> None:
    client = site.app.test_client(user=site.users[1])
    for path in ("/socket", "/fresh-socket", "/socket"):
        async with client.websocket(path) as connection:
            assert await connection.receive() == "sent to user 1"


async def test_a_stale_client_is_stale(site: Site) -> None:
    client = site.app.test_client(user=site.users[1], fresh_login=False)
    assert await refused(client, "/fresh-socket") == 401
    async with client.websocket("/socket") as connection:
        assert await connection.receive() == "sent to user 1"
    assert await get(client, "/private") == (200, "private of user 1")
    assert (await get(client, "/very"))[0] == 401


async def test_a_client_without_a_user_is_anonymous(site: Site) -> None:
    for client in (site.app.test_client(), site.app.test_client(user=None)):
        assert await get(client, "/me") == (200, "anonymous")
        assert (await get(client, "/private"))[0] == 401
        assert await refused(client, "/socket") == 401


async def test_two_clients_are_two_users(site: Site) -> None:
    one, other = (site.app.test_client(user=site.users[number]) for number in (1, 2))
    assert await get(one, "/me") == (200, "user 1")
    assert await get(other, "/me") == (200, "user 2")
    assert await get(one, "/me") == (200, "user 1")


async def test_a_client_that_logged_out_stays_logged_out(site: Site) -> None:
    client = site.app.test_client(user=site.users[1])
    assert await get(client, "/out") == (200, "True")
    assert await get(client, "/me") == (200, "anonymous")
    assert await refused(client, "/socket") == 401


async def test_a_client_can_begin_as_the_current_user(site: Site) -> None:
    @site.route("/client", guard="login_required")
    async def make_client() -> str:
        return (await get(site.app.test_client(user=current_user), "/me"))[1]

    assert await get(site.app.test_client(user=site.users[2]), "/client") == (200, "user 2")


async def test_the_client_keeps_the_session_it_has(site: Site) -> None:
    client = site.app.test_client(user=site.users[1])
    async with client.session_transaction() as session:
        session["language"] = "de"
    assert await get(client, "/get/language") == (200, "de")
    assert await get(client, "/me") == (200, "user 1")


async def test_a_socket_knows_whom_the_client_became(site: Site) -> None:
    client = site.app.test_client()
    assert await refused(client, "/socket") == 401
    await client.login_as(site.users[2], fresh=False)
    async with client.websocket("/socket") as socket:
        assert await socket.receive() == "sent to user 2"
    assert await refused(client, "/fresh-socket") == 401
    client.close_browser()
    assert await refused(client, "/socket") == 401
