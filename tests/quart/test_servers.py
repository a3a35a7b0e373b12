"""Do real servers, which serve many requests on one connection, ever mix their users?"""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from loops import TRIO
from pipelines import Cookies, log_in, pipeline, raw, texts
from servers import CLOSES_LATE, await_port, free_port
from servers import SERVERS as ALL
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket

HERE = Path(__file__).parent

SERVERS = {name: command for name, command in ALL.items() if name.endswith("-trio") is TRIO}

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


#: Which server listens at each port.
SERVER_AT: dict[int, str] = {}


def refusal(port: int, status: int) -> int:
    """Return the status of a websocket that is refused with *status*."""
    return 403 if SERVER_AT[port] in CLOSES_LATE else status


_REFUSED = re.compile(
    r"\[ERROR\] Application callable raised an exception\n(?:(?!\[ERROR\]).*\n)*?"
    # Quart 0.23 puts it into a group, and granian names that alone.
    r"(?:RuntimeError: Unsupported ASGI message|ExceptionGroup: .* \(1 sub-exception\))\n"
)


@pytest.fixture(scope="module", params=list(SERVERS))
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of each server in turn, which must have nothing to complain of."""
    port = free_port()
    SERVER_AT[port] = request.param
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, *SERVERS[request.param].format(app="served:app", port=port).split()]
    paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "PYTHONPATH": paths}
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=HERE, stdout=file, stderr=file, env=environ)
    try:
        await_port(server, port, log)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    text = log.read_text()
    if (
        SERVER_AT[port] in CLOSES_LATE
    ):  # It has what Quart sends where a websocket is refused for wrong.
        text = _REFUSED.sub("", text)
    assert "Traceback" not in text and "ERROR" not in text.upper(), text


# --- a client that shakes hands ------------------------------------------------------------------


def shake_hands(port: int, path: str, cookies: Cookies, **headers: str) -> tuple[int, bytes]:
    """Begin a websocket; return the answer's status and what the server sent first."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(raw(path, cookies, {**HANDSHAKE, **headers}))
        received = b""
        while b"\r\n\r\n" not in received:
            received += (part := connection.recv(65536))
            assert part, received
        status = int(received.split(b" ", 2)[1])
        frame = received.partition(b"\r\n\r\n")[2]
        while status == 101 and len(frame) < 2:
            frame += connection.recv(65536)
        while status == 101 and len(frame) < 2 + frame[1]:
            frame += connection.recv(65536)
    return status, frame[2 : 2 + frame[1]] if status == 101 else b""


# --- the tests -----------------------------------------------------------------------------------


def test_085_four_requests_on_one_connection_see_their_own_user(port: int) -> None:
    alice, bob = log_in(port, "alice"), log_in(port, "bob")
    remembered = {"remember_token": bob["remember_token"]}
    for second in (bob, remembered) * 20:
        seen = texts(port, ("/me", alice), ("/me", {}), ("/me", second), ("/me", {}))
        assert seen == ["alice", "None", "bob", "None"]


def test_085_a_login_and_a_logout_are_not_those_of_the_next_request(port: int) -> None:
    for _ in range(10):
        answers = pipeline(port, ("/in/alice", {}), ("/me", {}), ("/in/bob", {}), ("/private", {}))
        assert [answer.status for answer in answers] == [200, 200, 200, 401]
        assert [answer.text for answer in answers[:3]] == ["alice", "None", "bob"]  # type: ignore[attr-defined]
        bob = log_in(port, "bob")
        assert texts(port, ("/out", bob), ("/me", bob)) == ["None", "bob"]


def test_many_connections_at_once_see_their_own_users(port: int) -> None:
    users = {name: log_in(port, name) for name in ("alice", "bob", "carol", "dave")}

    def connect(number: int) -> None:
        dice = random.Random(number)
        for _ in range(10):
            names = [dice.choice([*users, "None"]) for _ in range(8)]
            requests = [("/me", users.get(name, {})) for name in names]
            assert texts(port, *requests) == names

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(connect, range(8)))


def test_a_chunked_streamed_page_sees_its_user_to_its_end(port: int) -> None:
    alice, bob = log_in(port, "alice"), log_in(port, "bob")
    for _ in range(10):
        answers = pipeline(
            port, ("/stream", alice), ("/stream", {}), ("/me", bob), ("/stream", bob)
        )
        assert [answer.text for answer in answers] == [  # type: ignore[attr-defined]
            "alice;alice;alice;",
            "None;None;None;",
            "bob",
            "bob;bob;bob;",
        ]
        assert answers[0].getheader("Transfer-Encoding") == "chunked"


@pytest.mark.parametrize("path", ["/bare-stream", "/plain-stream"])
def test_a_streamed_page_without_a_context_sees_its_user_and_leaves_nobody(
    port: int, path: str
) -> None:
    alice, bob = log_in(port, "alice"), log_in(port, "bob")
    for _ in range(10):
        seen = texts(port, (path, alice), ("/me", {}), (path, {}), ("/me", bob), (path, bob))
        assert seen == ["alice;" * 3, "None", "None;" * 3, "bob", "bob;" * 3]


def test_many_streamed_pages_at_once_see_their_own_users(port: int) -> None:
    users = {name: log_in(port, name) for name in ("alice", "bob", "carol", "dave")}

    def read(number: int) -> None:
        dice = random.Random(number)
        for _ in range(10):
            names = [dice.choice([*users, "None"]) for _ in range(4)]
            requests = [("/bare-stream", users.get(name, {})) for name in names]
            assert texts(port, *requests) == [f"{name};" * 3 for name in names]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(8)))


def test_a_client_that_leaves_a_streamed_page_leaves_nobody_behind(port: int) -> None:
    alice = log_in(port, "alice")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(raw("/bare-stream", alice, {}))
            connection.recv(1)
        assert texts(port, ("/me", {}), ("/bare-stream", {})) == ["None", "None;" * 3]


def test_a_stranger_s_websocket_is_refused_with_401(port: int) -> None:
    junk = {"session": "forged", "remember_token": "1|forged"}
    for cookies in ({}, junk):
        assert shake_hands(port, "/socket", cookies)[0] == refusal(port, 401)


def test_a_user_s_websocket_knows_its_user(port: int) -> None:
    for name in ("alice", "bob"):
        cookies = log_in(port, name)
        assert shake_hands(port, "/socket", cookies) == (101, name.encode())
        del cookies["session"]
        assert shake_hands(port, "/socket", cookies) == (101, name.encode())
    assert shake_hands(port, "/socket", {})[0] == refusal(port, 401)


def test_a_token_s_websocket_knows_its_user_and_no_cookie_s(port: int) -> None:
    alice, [token] = log_in(port, "alice"), texts(port, ("/token/bob", {}))
    for cookies in ({}, alice):
        said = shake_hands(port, "/socket", cookies, Authorization=f"Bearer {token}")
        assert said == (101, b"bob")
        assert shake_hands(port, "/socket", cookies, Authorization=f"Bearer {token}x")[
            0
        ] == refusal(port, 401)
        twice = f"Bearer {token}\r\nAuthorization: Bearer {token}"
        assert shake_hands(port, "/socket", cookies, Authorization=twice)[0] == refusal(port, 400)


def test_p22_in_a_fence_a_stranger_is_refused_whatever_there_is(port: int) -> None:
    paths = ["/fenced/page", "/fenced/nope", "/fenced", "//fenced//socket"]
    answers = pipeline(port, *((path, {}) for path in paths))
    assert [answer.status for answer in answers] == [401] * len(paths)
    for path in ("/fenced/socket", "/fenced/page", "/fenced/nope"):
        assert shake_hands(port, path, {})[0] == refusal(port, 401)
    assert shake_hands(port, "/fenced/open-socket", {}) == (101, b"None")


def test_p22_in_a_fence_a_user_finds_what_there_is(port: int) -> None:
    alice = log_in(port, "alice")
    answers = pipeline(port, ("/fenced/page", alice), ("/fenced/nope", alice))
    assert [answer.status for answer in answers] == [200, 404]
    assert shake_hands(port, "/fenced/socket", alice) == (101, b"alice")
    assert shake_hands(port, "/fenced/nope", alice)[0] == refusal(port, 404)


def chat(port: int, cookies: Cookies, path: str = "/chat", **options: Any) -> ClientConnection:
    """Open a websocket as a program does that speaks it whole."""
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = {"Cookie": cookie} if cookie else {}
    url = f"ws://127.0.0.1:{port}{path}"
    # A bare address, without what the environment says of proxies.
    return open_websocket(
        url, additional_headers=headers, user_agent_header="test", proxy=None, **options
    )


@contextmanager
def chatting(port: int, cookies: Cookies, **options: Any) -> Iterator[ClientConnection]:
    """Open /chat, and take leave of it: Quart-Trio logs it as an error if a client is gone, and
    hypercorn on trio, if both sides close at once.
    """
    with chat(port, cookies, **options) as connection:
        yield connection
        connection.send("enough")
        await_end(port, connection)


def await_end(port: int, connection: ClientConnection) -> None:
    """Wait until the server closes the websocket, if it does that in time."""
    if SERVER_AT[port] in CLOSES_LATE:
        return
    with pytest.raises(ConnectionClosed):
        connection.recv(timeout=20)


def test_p3_fifty_websockets_with_users_of_their_own_never_see_another_s(port: int) -> None:
    dice = random.Random(50)
    names = [f"user-{number}" for number in range(50)]
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(chatting(port, log_in(port, name))) for name in names}
        alice = log_in(port, "alice")
        for _ in range(6):
            dice.shuffle(names)
            for name in names:
                sockets[name].send(str(dice.randrange(9)))
            assert texts(port, ("/me", alice), ("/me", {})) == ["alice", "None"]
            dice.shuffle(names)
            for name in names:
                assert sockets[name].recv(timeout=20) == name


def test_p3_fifty_websockets_at_once_in_threads_never_see_another_s(port: int) -> None:
    def talk(number: int) -> None:
        dice, name = random.Random(number), f"user-{number}"
        with chatting(port, log_in(port, name)) as connection:
            for _ in range(10):
                connection.send(str(dice.randrange(9)))
                assert connection.recv(timeout=20) == name

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(talk, range(50)))


@pytest.mark.parametrize("path", ["/chat", "/partner", "/nowhere"])
def test_097_a_page_of_another_site_opens_no_websocket(port: int, path: str) -> None:
    alice = log_in(port, "alice")
    origins = ["https://evil.example", f"https://127.0.0.1:{port}", "http://127.0.0.1", "null"]
    for origin in origins:
        for cookies in (alice, {}):
            with pytest.raises(InvalidStatus) as refused:
                chat(port, cookies, path, origin=origin)
            assert refused.value.response.status_code == 403


def test_097_a_page_of_this_site_or_of_a_partner_opens_its_websocket(port: int) -> None:
    alice = log_in(port, "alice")
    with chatting(port, alice, origin=f"http://127.0.0.1:{port}") as connection:
        connection.send("1")
        assert connection.recv(timeout=20) == "alice"
    with chat(port, alice, "/partner", origin="https://partner.example") as connection:
        assert connection.recv(timeout=20) == "alice"
        await_end(port, connection)
    with pytest.raises(InvalidStatus) as refused:
        chat(port, {}, origin=f"http://127.0.0.1:{port}")
    assert refused.value.response.status_code == refusal(port, 401)
