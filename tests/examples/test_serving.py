"""The examples behind a real server: started by the README's command, asked over HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

ROOT = Path(__file__).parents[2]
ALICE = {"username": "alice", "password": "follow the white rabbit", "remember": "on"}

COMMANDS = {
    "basic": ["hypercorn", "examples/basic.py:app", "--bind", "127.0.0.1:0"],
    "basic_flask": ["flask", "--app", "examples/basic_flask.py", "run", "--port", "0"],
}

#: A server that says nothing for so many seconds will not say anything.
PATIENCE = 60


@pytest.fixture
def url(name: str) -> Iterator[str]:
    """Serve the example by its own command, on a port that the system chooses."""
    program, *options = COMMANDS[name]
    server = subprocess.Popen(
        [Path(sys.executable).with_name(program), *options],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "SECRET_KEY"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(PATIENCE, os.killpg, (server.pid, signal.SIGKILL))
    watchdog.start()
    try:
        yield _address(server)
    finally:
        server.terminate()
        _, errors = server.communicate()
        watchdog.cancel()
    assert server.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in errors
    assert "Warning" not in errors


def _address(server: subprocess.Popen[str]) -> str:
    """Return the address that *server* says it runs on."""
    assert server.stderr is not None
    said = []
    for line in server.stderr:
        said.append(line)
        if found := re.search(r"Running on (http://[\d.:]+)", line):
            return found[1]
    raise AssertionError("".join(said))


class Browser:
    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar))

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Return status, path and text of the page that *path* leads to."""
        data = None if form is None else urlencode(form).encode()
        try:
            response = self.opener.open(self.url + path, data, timeout=PATIENCE)
        except HTTPError as error:
            response = error
        with response:
            return response.status, urlsplit(response.url).path, response.read().decode()


def raw(url: str, cookie: bytes) -> HTTPResponse:
    """Ask for the start page with the bytes *cookie* as they are."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    connection.putrequest("GET", "/")
    connection.putheader("Cookie", cookie)
    connection.putheader("Connection", "close")
    connection.endheaders()
    return connection.getresponse()


def test_a_visit_over_http(url: str) -> None:
    browser = Browser(url)
    assert browser.open("/protected")[:2] == (200, "/login")
    status, _, text = browser.open("/login?next=/protected", ALICE | {"password": "wrong"})
    assert (status, 'role="alert"' in text) == (422, True)
    status, path, text = browser.open("/login?next=/protected", ALICE)
    assert (status, path) == (200, "/protected")
    assert "logged in as <strong>alice</strong>" in text

    browser.jar.clear(_domain(browser), "/", "session")
    assert browser.open("/protected")[:2] == (200, "/protected")
    assert browser.open("/account")[:2] == (200, "/confirm")
    assert browser.open("/confirm?next=/account", ALICE)[:2] == (200, "/account")

    status, path, text = browser.open("/logout", {})
    assert (status, path) == (200, "/")
    assert "Nobody is logged in" in text
    assert "remember_token" not in {cookie.name for cookie in browser.jar}
    assert browser.open("/protected")[:2] == (200, "/login")

    # Flask-Login answers these with status 500.
    for junk in (b"1|\xe9", "1|é".encode(), rb'"1|\351"'):
        response = raw(url, b"remember_token=" + junk)
        assert response.status == 200
        assert "Nobody is logged in" in response.read().decode()
        assert response.headers["Set-Cookie"].startswith("remember_token=; ")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_what_has_no_body_is_answered(url: str, method: str) -> None:
    for path, statuses in (("/", (200,)), ("/protected", (200, 302))):
        connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        connection.request(method, path, headers={"Connection": "close"})
        assert connection.getresponse().status in statuses
        connection.close()


def _domain(browser: Browser) -> str:
    return next(cookie.domain for cookie in browser.jar)
