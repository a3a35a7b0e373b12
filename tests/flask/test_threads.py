"""Does a thread or a greenlet, which serves one request after another, ever mix their users?"""

from __future__ import annotations

import http.client
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sites import Browser, Site, User
from werkzeug.serving import WSGIRequestHandler, make_server

from flask_compat import current_user, login_user, logout_user
from quart_login._core.step import step

THREADS, REQUESTS = 40, 25


def who() -> str:
    return current_user.name if current_user.is_authenticated else "anonymous"


def give_way() -> None:
    """Let other threads go on."""
    time.sleep(0)


@pytest.fixture
def crowd(site: Site) -> Iterator[Site]:
    """Return a site with 40 users, while threads take turns as often as they can."""
    site.users.update({number: User(number) for number in range(THREADS)})

    @site.manager.user_loader
    def load(user_id: Any) -> Any:
        give_way()
        return site.users[user_id]

    @site.route("/look")
    async def look() -> str:
        seen = set()
        for _ in range(5):
            seen.add(who())
            give_way()
        return ", ".join(seen)

    @site.route("/in-out/<int:number>")
    async def in_out(number: int) -> str:
        story = [who()]
        login_user(site.users[number])
        give_way()
        story.append(who())
        logout_user()
        give_way()
        story.append(who())
        return ", ".join(story)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield site
    sys.setswitchinterval(interval)


def browsers_of(site: Site) -> list[tuple[Browser, str]]:
    """Return browsers, every fourth of them anonymous, and whom each must see."""
    found = []
    for number in range(THREADS):
        browser = site.browser()
        if number % 4:
            step(browser.get(f"/in/{number}?remember={number % 2}"))
            if number % 8 == 5:
                browser.close()
        found.append((browser, f"user {number}" if number % 4 else "anonymous"))
    return found


def in_threads(serve: Callable[[int], list[tuple[str, str]]]) -> None:
    """Let 40 threads *serve* at once; each returns what was seen and what must have been."""
    start = threading.Barrier(THREADS)

    def worker(number: int) -> list[tuple[str, str]]:
        start.wait(timeout=30)
        return serve(number)

    with ThreadPoolExecutor(THREADS) as pool:
        results = [pair for found in pool.map(worker, range(THREADS)) for pair in found]
    assert len(results) == THREADS * REQUESTS
    assert [pair for pair in results if pair[0] != pair[1]] == []


@pytest.mark.parametrize("outer", ["no context", "application context", "request context"])
def test_088_forty_threads_see_their_request_s_user_alone(crowd: Site, outer: str) -> None:
    browsers = browsers_of(crowd)

    def around() -> Any:
        if outer == "application context":
            return crowd.app.app_context()
        return crowd.app.test_request_context("/") if outer == "request context" else nullcontext()

    def serve(number: int) -> list[tuple[str, str]]:
        # The thread is used again, for one browser after another.
        dice = random.Random(number)
        with around():
            turns = [dice.choice(browsers) for _ in range(REQUESTS)]
            return [(step(browser.get("/look")).text, name) for browser, name in turns]

    in_threads(serve)


def test_forty_threads_log_in_and_out_apart(crowd: Site) -> None:
    def serve(number: int) -> list[tuple[str, str]]:
        dice = random.Random(number)
        turns = [dice.randrange(THREADS) for _ in range(REQUESTS)]
        return [
            (
                step(crowd.browser().get(f"/in-out/{turn}")).text,
                f"anonymous, user {turn}, anonymous",
            )
            for turn in turns
        ]

    in_threads(serve)


def test_a_threaded_server_keeps_its_clients_apart(crowd: Site) -> None:
    class QuietHandler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # One connection, and one thread, for many requests.

        def log(self, *args: Any) -> None: ...

    # A login is bound to its client's address: here it is that of the server's own clients.
    crowd.app.config["SESSION_PROTECTION"] = None
    browsers = browsers_of(crowd)
    server = make_server("127.0.0.1", 0, crowd.app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def serve(number: int) -> list[tuple[str, str]]:
        dice, found = random.Random(number), []
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        for _ in range(REQUESTS):
            browser, name = dice.choice(browsers)
            cookies = "; ".join(f"{key}={value}" for key, value in browser.jar.items())
            connection.request("GET", "/look", headers={**browser.headers, "Cookie": cookies})
            found.append((connection.getresponse().read().decode(), name))
        connection.close()
        return found

    try:
        in_threads(serve)
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()
    assert not thread.is_alive()


def test_forty_greenlets_see_their_request_s_user_alone() -> None:
    # In a process of its own: gevent replaces the standard library's threads and sockets.
    script = Path(__file__).with_name("greenlets.py")
    done = subprocess.run(
        [sys.executable, str(script), str(THREADS), str(REQUESTS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{THREADS * REQUESTS} requests, 0 mixed"
