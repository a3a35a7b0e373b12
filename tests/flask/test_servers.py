"""Do real servers, whose threads or greenlets serve one request after another, mix their users?"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pipelines import log_in, pipeline, raw, texts
from servers import await_port, free_port

HERE = Path(__file__).parent

_GUNICORN = "-m gunicorn --bind 127.0.0.1:{port} --workers 1 --log-level warning --timeout 300"

SERVERS = {
    "gunicorn-threads": f"{_GUNICORN} --worker-class gthread --threads 8 served:app",
    "gunicorn-gevent": f"{_GUNICORN} --worker-class gevent served:app",
    "waitress": "-m waitress --listen=127.0.0.1:{port} --threads=8 served:app",
}

USERS = ["alice", "bob", "carol", "dave"]


@pytest.fixture(scope="module", params=list(SERVERS))
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of each server in turn, which must have nothing to complain of."""
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, *SERVERS[request.param].format(port=port).split()]
    paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with log.open("w") as file:
        server = subprocess.Popen(
            command, cwd=HERE, stdout=file, stderr=file, env={**os.environ, "PYTHONPATH": paths}
        )
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
    assert "Traceback" not in text and "[ERROR]" not in text, text


def test_085_requests_on_one_connection_see_their_own_user(port: int) -> None:
    alice, bob = log_in(port, "alice"), log_in(port, "bob")
    remembered = {"remember_token": bob["remember_token"]}
    for second in (bob, remembered, bob):
        for _ in range(7):
            seen = texts(port, ("/me", alice), ("/me", {}), ("/me", second), ("/me", {}))
            assert seen == ["alice", "None", "bob", "None"]


def test_085_a_login_and_a_logout_are_not_those_of_the_next_request(port: int) -> None:
    for _ in range(10):
        answers = pipeline(port, ("/in/alice", {}), ("/me", {}), ("/in/bob", {}), ("/private", {}))
        assert [answer.status for answer in answers] == [200, 200, 200, 401]
        bob, carol = log_in(port, "bob"), log_in(port, "carol")
        seen = texts(port, ("/out", bob), ("/me", carol), ("/me", bob), ("/in-out/dave", {}))
        assert seen == ["None", "carol", "None", "None, dave, None"]


@pytest.mark.parametrize("path", ["/me", "/stream", "/bare-stream"])
def test_p3_many_connections_at_once_see_their_own_users(port: int, path: str) -> None:
    users = {name: log_in(port, name) for name in USERS}

    def connect(number: int) -> None:
        dice = random.Random(number)
        for _ in range(10):
            names = [dice.choice([*users, "None"]) for _ in range(6)]
            # A stream comes last: waitress closes the connection after one.
            paths = ["/me"] * 5 + [path]
            requests = [
                (path, users.get(name, {})) for path, name in zip(paths, names, strict=True)
            ]
            last = names[5] if path == "/me" else f"{names[5]};" * 3
            assert texts(port, *requests) == [*names[:5], last]

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(connect, range(12)))


def test_p5_p9_logins_remembered_users_and_logouts_at_once(port: int) -> None:
    """Each browser its own story, many at a time, on connections of many requests."""

    def connect(number: int) -> None:
        dice = random.Random(number)
        for turn in range(6):
            name = f"user-{number}-{turn}"
            cookies = log_in(port, name)
            closed = {"remember_token": cookies["remember_token"]}
            seen = texts(port, *[("/me", dice.choice([cookies, closed])) for _ in range(4)])
            # Whoever begins a session anew by the remember cookie ends the session before.
            assert set(seen) <= {name, "None"} and seen[0] == name
            assert texts(port, ("/me", closed), ("/out", closed)) == [name, "None"]
            assert texts(port, ("/me", closed), ("/me", cookies)) == ["None", "None"]

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(connect, range(12)))


def test_a_client_that_leaves_a_streamed_page_leaves_nobody_behind(port: int) -> None:
    alice = log_in(port, "alice")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(raw("/bare-stream", alice, {}))
            connection.recv(1)
        assert texts(port, ("/me", {}), ("/bare-stream", {})) == ["None", "None;" * 3]
