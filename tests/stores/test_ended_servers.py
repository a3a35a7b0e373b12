"""Do websockets and streams end with their login when real servers serve them, in two processes?

One process ends logins; the other has the sockets.  The times that it takes are printed (-s).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, IncompleteRead
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from servers import CLOSES_LATE, await_port, free_port
from servers import SERVERS as ALL
from stores.postgres import Postgres
from stores.redis_server import RedisServer, wait_until
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket

from quart_login._core.held import SLOWLY

HERE = Path(__file__).parent

#: Uvicorn speaks websockets in several ways, which say good-bye each in its own.
SERVERS = {
    **{name: command for name, command in ALL.items() if name not in CLOSES_LATE},
    "uvicorn-websockets": ALL["uvicorn-h11"].replace("--ws wsproto", "--ws websockets"),
}

#: The promise: within a second.  (The tests may share their processor, so they allow for more, but
#: not for as much as the slow look takes that makes up for lost messages.)
IN_TIME = 5.0


#: What uvicorn has to say of a response that was cut, and we of a server that is away.
EXPECTED = (
    "ERROR:    ASGI callable returned without completing response.",
    "cannot be asked which have ended (ConnectionError)",
    "cannot be asked which have ended (TimeoutError)",
    "cannot be asked which have ended (OperationalError)",
)


@dataclass
class Site:
    """A process that serves the application."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(
        self, path: str, cookie: str = "", statuses: tuple[int, ...] = (200,)
    ) -> tuple[str, str]:
        """Return the text and the cookie of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers=self.headers(cookie))
        answer = connection.getresponse()
        text = answer.read().decode()
        sent = answer.getheader("Set-Cookie")
        connection.close()
        assert answer.status in statuses, (answer.status, text)
        return text, sent.split(";")[0] if sent else cookie

    def log_in(self, user_id: str) -> str:
        return self.get(f"/in/{user_id}")[1]

    @staticmethod
    def headers(cookie: str) -> dict[str, str]:
        return {"User-Agent": "test", **({"Cookie": cookie} if cookie else {})}

    @contextmanager
    def open(self, cookie: str, path: str = "/echo") -> Iterator[ClientConnection]:
        """Open a websocket, whose view has begun when this returns."""
        with open_websocket(
            f"ws://127.0.0.1:{self.port}{path}",
            additional_headers={"Cookie": cookie},
            user_agent_header="test",
            proxy=None,
        ) as connection:
            if path == "/echo":
                connection.send("hello")
            assert connection.recv(timeout=20)
            yield connection
            if connection.state is State.OPEN:
                # Quart-Trio logs it as an error if a client just leaves.
                connection.send("enough")
                code_of(connection)

    def stream(self, cookie: str, path: str = "/stream") -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers=self.headers(cookie))
        return connection, connection.getresponse()

    def stop(self) -> str:
        """Stop the server; return what it said."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return self.log.read_text()


def start(server: str, store: str, log: Path, **environ: str) -> Site:
    port = free_port()
    command = {**ALL, **SERVERS}[server].format(app="served_ended:app", port=port)
    loop = {"QUART_LOGIN_LOOP": "trio" if server.endswith("-trio") else ""}
    paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=HERE,
            stdout=file,
            stderr=file,
            env={**os.environ, "PYTHONPATH": paths, "STORE": store, **loop, **environ},
        )
    return Site(port, process, log)


@contextmanager
def serving(server: str, store: str, where: Path, count: int = 2, **environ: str) -> Iterator[Any]:
    """Serve the application in so many processes, which must have nothing to complain of."""
    with ExitStack() as stack:
        sites = [start(server, store, where / f"log {n}", **environ) for n in range(count)]
        for site in sites:
            stack.callback(site.process.wait)
            stack.callback(site.process.kill)
        for site in sites:
            await_port(site.process, site.port, site.log)
        yield sites
        said = "".join(site.stop() for site in sites)
    for expected in EXPECTED:
        said = said.replace(expected, "")
    assert "Traceback" not in said and "ERROR" not in said.upper(), said


def time_to_end(connection: ClientConnection, end: Callable[[], Any]) -> float:
    """Return the seconds from *end* to the close of the websocket."""
    end()
    began = time.monotonic()
    assert code_of(connection) == 4401
    return time.monotonic() - began


def code_of(connection: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            connection.recv(timeout=20)
    received = closed.value.rcvd
    return 0 if received is None else received.code


def is_open(connection: ClientConnection, user_id: str) -> bool:
    connection.send("hello")
    return connection.recv(timeout=20) == f"{user_id}: hello"


#: Each store and driver, and the server that it is served by here; each of them serves some.
KINDS = {
    "redis-async": "uvicorn-h11",
    "redis": "hypercorn-trio",
    "asyncpg": "hypercorn",
    "psycopg-async": "uvicorn-httptools",
    "psycopg": "hypercorn-trio",
    "sqlite": "uvicorn-h11",
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return what tells the application which store it has."""
    if kind == "sqlite":
        return f"sqlite {tmp_path / 'sessions.sqlite'}"
    if kind.startswith("redis"):
        server: RedisServer = request.getfixturevalue("redis_server")
        server.clear()
        return f"{kind} {server.url}"
    return sql(kind, request.getfixturevalue("postgres"))


def sql(kind: str, postgres: Postgres) -> str:
    way = "sql" if kind == "psycopg" else "sql-async"
    return f"{way} {postgres.url(kind.removesuffix('-async'))}"


def test_096_a_socket_in_another_process_closes_within_a_second(
    kind: str, store: str, tmp_path: Path
) -> None:
    times = []
    with serving(KINDS[kind], store, tmp_path) as (one, other):
        kept = one.log_in("alice")
        bob = one.log_in("bob")
        with other.open(kept) as elsewhere, other.open(bob) as of_bob:
            for number in range(6):
                cookie = one.log_in("alice")
                page, whose = ("/out", cookie) if number < 3 else ("/revoke-others", kept)
                with other.open(cookie, "/wait" if number % 2 else "/echo") as connection:
                    times.append(time_to_end(connection, partial(one.get, page, whose)))
            assert is_open(elsewhere, "alice") and is_open(of_bob, "bob")
            times.append(time_to_end(elsewhere, lambda: one.get("/revoke-user/alice")))
            assert is_open(of_bob, "bob")
    print(f"{kind} on {KINDS[kind]}: {min(times) * 1000:.0f} to {max(times) * 1000:.0f} ms")
    assert max(times) < IN_TIME


def test_096_a_stream_in_another_process_is_cut(kind: str, store: str, tmp_path: Path) -> None:
    with serving(KINDS[kind], store, tmp_path) as (one, other):
        for path in ("/stream", "/endless"):
            cookie = one.log_in("alice")
            connection, answer = other.stream(cookie, path)
            assert answer.read(5) in (b"first", b"more;")
            one.get("/out", cookie)
            began = time.monotonic()
            with pytest.raises((IncompleteRead, ConnectionError)):
                answer.read()
            seconds = time.monotonic() - began
            connection.close()
            print(f"{kind} on {KINDS[kind]} {path}: {seconds * 1000:.0f} ms")
            assert seconds < IN_TIME


@pytest.mark.parametrize("server", list(SERVERS))
def test_096_in_one_process_it_closes_before_the_logout_is_answered(
    server: str, tmp_path: Path
) -> None:
    with serving(server, f"sqlite {tmp_path / 'sessions.sqlite'}", tmp_path, count=1) as (site,):
        cookies = [site.log_in("alice") for _ in range(4)]
        with (
            site.open(cookies[0]) as one,
            site.open(cookies[1], "/wait") as two,
            site.open(cookies[2]) as three,
        ):
            connection, answer = site.stream(cookies[0])
            assert answer.read(5) == b"first"
            for cookie, socket_of in ((cookies[0], one), (cookies[1], two)):
                site.get("/out", cookie)
                seconds = time_to_end(socket_of, lambda: None)
                print(f"{server}: {seconds * 1000:.1f} ms after the logout")
                assert seconds < 0.5
            with pytest.raises((IncompleteRead, ConnectionError)):
                answer.read()
            connection.close()
            assert is_open(three, "alice")
        # And nothing is left behind.
        wait_until(lambda: site.get("/connections")[0] == "1")


@pytest.mark.parametrize("server", sorted(CLOSES_LATE))
@pytest.mark.parametrize("path", ["/echo", "/wait"])
def test_096_where_a_server_closes_late_nothing_passes_any_more(
    server: str, path: str, tmp_path: Path
) -> None:
    """The application is done with it; the client learns of that when it sends something."""
    with serving(server, f"sqlite {tmp_path / 'sessions.sqlite'}", tmp_path, count=1) as (site,):
        cookie = site.log_in("alice")
        connection, answer = site.stream(cookie)
        assert answer.read(5) == b"first"
        with site.open(cookie, path) as of_alice:
            assert path == "/wait" or is_open(of_alice, "alice")
            began = time.monotonic()
            assert site.get("/out", cookie)[0] == "True"
            assert time.monotonic() - began < IN_TIME
            if version("quart") < "0.23":  # From then on Quart waits for the server's farewell.
                wait_until(lambda: site.get("/connections")[0] == "1")
            with pytest.raises(ConnectionClosed):
                of_alice.send("hello")
                of_alice.recv(timeout=20)
            wait_until(lambda: site.get("/connections")[0] == "1")
        with pytest.raises((IncompleteRead, ConnectionError)):
            answer.read()
        connection.close()


@pytest.mark.parametrize("server", list(SERVERS))
def test_096_a_client_that_does_not_answer_holds_nobody_up(server: str, tmp_path: Path) -> None:
    """It reads nothing, and does not say good-bye."""
    with serving(server, f"sqlite {tmp_path / 'sessions.sqlite'}", tmp_path, count=1) as (site,):
        cookie = site.log_in("alice")
        with socket.create_connection(("127.0.0.1", site.port), timeout=20) as rude:
            request = [
                "GET /wait HTTP/1.1",
                "Host: 127.0.0.1",
                "User-Agent: test",
                f"Cookie: {cookie}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version: 13",
            ]
            rude.sendall(("\r\n".join(request) + "\r\n\r\n").encode())
            while b"ready" not in rude.recv(65536):
                pass
            began = time.monotonic()
            assert site.get("/out", cookie)[0] == "True"
            assert time.monotonic() - began < IN_TIME
            said = b"the login has ended"
            frame = bytes([0x88, 2 + len(said)]) + (4401).to_bytes(2) + said
            assert rude.recv(65536).startswith(frame)


def test_096_a_login_that_runs_out_closes_its_socket(tmp_path: Path) -> None:
    store = f"sqlite {tmp_path / 'sessions.sqlite'}"
    with serving("hypercorn", store, tmp_path, count=1, LIFETIME="2") as (site,):
        began = time.monotonic()
        with site.open(site.log_in("alice")) as connection:
            seconds = time_to_end(connection, lambda: None)
        print(f"closed {time.monotonic() - began:.2f} s after a login for 2 s")
        assert 1 < seconds < 2 + IN_TIME


@pytest.mark.parametrize("kind", ["redis-async", "redis"])
def test_096_redis_may_be_restarted_in_between(kind: str, tmp_path: Path) -> None:
    """A Redis that keeps nothing forgets all logins: every socket is closed as it comes back.
    Later ones close with their logins, as if nothing had been.
    """
    redis = RedisServer()
    try:
        with serving("hypercorn", f"{kind} {redis.url}", tmp_path) as (one, other):
            cookie = one.log_in("alice")
            with other.open(cookie) as connection:
                redis.stop()
                time.sleep(1.5)
                assert is_open(connection, "alice")
                redis.start()
                seconds = time_to_end(connection, lambda: None)
                print(f"{kind}: {seconds * 1000:.0f} ms after Redis came back")
                assert seconds < IN_TIME
            # By a connection from before, perhaps: what changes something is not tried twice.
            one.get("/revoke-user/nobody", statuses=(200, 503))
            cookie, kept = one.log_in("alice"), one.log_in("alice")
            with other.open(cookie) as connection, other.open(kept) as elsewhere:
                seconds = time_to_end(connection, lambda: one.get("/out", cookie))
                print(f"{kind}: {seconds * 1000:.0f} ms after a logout then")
                assert seconds < IN_TIME
                assert is_open(elsewhere, "alice")
    finally:
        redis.remove()


@pytest.mark.parametrize("kind", ["asyncpg", "psycopg-async", "psycopg"])
def test_096_who_listens_to_postgres_may_be_cut_off(
    kind: str, postgres: Postgres, tmp_path: Path
) -> None:
    """What ends while nobody hears is found when the connection is made anew."""
    with serving("hypercorn", sql(kind, postgres), tmp_path) as (one, other):
        cookie, kept = one.log_in("alice"), one.log_in("alice")
        with other.open(cookie) as connection, other.open(kept) as elsewhere:
            [[listening]] = postgres.run(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            )
            assert listening == 1
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            postgres.run(
                "DELETE FROM login_session WHERE id = (SELECT id FROM login_session"
                " ORDER BY created LIMIT 1)"
            )
            seconds = time_to_end(connection, lambda: None)
            print(f"{kind}: {seconds * 1000:.0f} ms")
            assert seconds < IN_TIME
            assert is_open(elsewhere, "alice")


@pytest.mark.parametrize("kind", ["asyncpg", "psycopg-async", "psycopg"])
def test_096_a_login_that_runs_out_closes_its_socket_though_postgres_hangs(
    kind: str, postgres: Postgres, tmp_path: Path
) -> None:
    with serving("hypercorn", sql(kind, postgres), tmp_path, count=1, LIFETIME="4") as (site,):
        with site.open(site.log_in("alice")) as connection:
            postgres.suspend()
            try:
                seconds = time_to_end(connection, lambda: None)
            finally:
                postgres.resume()
        print(f"{kind}: closed {seconds:.2f} s after a login for 4 s")
        assert seconds < 4 + IN_TIME


def listening(postgres: Postgres) -> list[int]:
    """Return the processes of the server where somebody listens, or did last."""
    rows = postgres.run(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"
    )
    return [process for (process,) in rows]


@pytest.mark.parametrize("kind", ["asyncpg", "psycopg-async", "psycopg"])
def test_096_a_line_to_postgres_that_is_lost_without_a_word_stops_nobody(
    kind: str, postgres: Postgres, tmp_path: Path
) -> None:
    """One process of the server hangs for who listens: what ends is looked for all the same."""
    wait_until(lambda: not listening(postgres))  # Those of another test are gone.
    with serving("hypercorn", sql(kind, postgres), tmp_path) as (one, other):
        cookie, kept = one.log_in("alice"), one.log_in("alice")
        with other.open(cookie) as connection, other.open(kept) as elsewhere:
            wait_until(lambda: listening(postgres))
            [process] = listening(postgres)
            os.kill(process, signal.SIGSTOP)
            try:
                seconds = time_to_end(connection, lambda: one.get("/out", cookie))
                print(f"{kind}: {seconds:.2f} s")
                assert seconds < SLOWLY + IN_TIME
                assert is_open(elsewhere, "alice")
            finally:
                os.kill(process, signal.SIGCONT)
