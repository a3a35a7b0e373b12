"""P1 and P2, for any bytes that a client may send, at every kind of site.

What an application without logins cannot answer is the framework's own, and named in `KNOWN`.
Requests come in batches, each from a seed of its own; with ``QUART_LOGIN_LENGTH=nightly`` (see
`length`) there are far more.  ``QUART_LOGIN_SEED`` begins with another one.
"""

from __future__ import annotations

import os
import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from fuzz.drawn import Credential, Draw, Request
from fuzz.kinds import ALL, PASSWORD, Bare, credentials, make
from length import NIGHTLY
from sites import Answer
from werkzeug.sansio.http import parse_cookie
from wire import same_credential, send_raw

KIND = pytest.mark.parametrize(("framework", "kind"), ALL, ids=lambda part: part)

FIRST = int(os.environ.get("QUART_LOGIN_SEED", "1"))
BATCHES, EACH = 1000 if NIGHTLY else 12, 50
#: As many functions are called to quote the longest page to come back to, twice; see `calls`.
MOST_CALLS = 10_000

SEEDS = range(FIRST, FIRST + BATCHES)

#: What the frameworks raise themselves, before anything here is asked, or where a view looks at its
#: query: for one that is no UTF-8, and, in Quart before 0.23, for a Host that is none.
KNOWN = {"UnicodeDecodeError", "BadHost"}


@pytest.fixture(autouse=True)
def silence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")


async def requests(framework: str, kind: str) -> Any:
    """Yield each request with the site that it is for, and with what that issued."""
    site = make(framework, kind)
    for seed in SEEDS:
        issued = await credentials(site, kind)
        draw = Draw(f"{framework} {kind} {seed}", issued)
        for number in range(EACH):
            request = draw.request()
            if kind == "realms" and number % 3 == 0:
                request = request._replace(path="/staff/me", method="GET")
            yield site, issued, request, f"seed {seed}, number {number}"


async def send(site: Any, request: Request) -> Answer | Exception:
    try:
        return await send_raw(
            site, request.path, request.headers, request.method, query=request.query
        )
    except Exception as error:
        return error


def fails(answer: Answer | Exception) -> bool:
    return isinstance(answer, Exception) or answer.status >= 500


def is_known(failure: Answer | Exception) -> bool:
    """Is it the framework's own?  (Quart 0.22 answers with a page that shows the traceback.)"""
    if isinstance(failure, Exception):
        return type(failure).__name__ in KNOWN
    return any(f"<h1>{name}" in failure.text for name in KNOWN)


@KIND
async def test_p2_no_bytes_make_an_error_and_p1_nobody_is_who_they_are_not(
    framework: str, kind: str
) -> None:
    bare, seen = Bare(framework), set()
    async for site, issued, request, where in requests(framework, kind):
        answer = await send(site, request)
        if fails(answer):
            alone = await send(bare, request)
            assert fails(alone), f"{where}: {request} made {answer!r}"
            assert is_known(alone), f"{where}: {alone!r}"
            continue
        assert isinstance(answer, Answer)
        check_user(answer, request, issued, where)
        check_junk(answer, request, issued, where)
        seen.add(answer.text.split(" ")[0])
    # Some got in, by each way.
    assert {"anonymous", "user", *({"staff"} if kind == "realms" else ())} <= seen


def check_user(answer: Answer, request: Request, issued: list[Credential], where: str) -> None:
    """Nobody is logged in but whose credential came, whole."""
    if answer.status != 200:
        return
    came = set(pieces(request))
    entitled = {one.user for one in issued if any(is_it(one, piece) for piece in came)}
    if request.path.endswith("/me"):
        assert answer.text in {"anonymous", *entitled}, f"{where}: {request}"
    elif request.path in ("/private", "/very") and request.method == "GET":
        assert entitled, f"{where}: {request}"
    elif request.path == "/next":
        assert answer.text.startswith("/") and not answer.text.startswith(("//", "/\\"))


def pieces(request: Request) -> Iterator[str]:
    """Return what a server may read as a credential."""
    for name, value in request.headers:
        text = value.decode("latin1")
        if name.lower() == b"authorization":
            yield from (part for one in text.split(",") for part in one.split())
    yield from (text for _, text in cookies(request))


def cookies(request: Request) -> list[tuple[str, str]]:
    sent = [value.decode("latin1") for name, value in request.headers if name.lower() == b"cookie"]
    return list(parse_cookie("; ".join(sent)).items(multi=True))


def is_it(credential: Credential, piece: str) -> bool:
    if credential.place != "Basic":
        return same_credential(credential.text, piece)
    try:
        number = credential.user.split()[1]
        return b64decode(piece) == f"{number}:{PASSWORD}".encode()
    except ValueError:
        return False


def check_junk(answer: Answer, request: Request, issued: list[Credential], where: str) -> None:
    """A remember cookie that is none is removed, unless a header is there that decides alone."""
    names = {name.lower() for name, _ in request.headers}
    if request.path != "/me" or answer.status != 200 or b"authorization" in names:
        return
    sent = dict(reversed(cookies(request)))  # The first of a name counts.
    junk = sent.get("remember_token")
    if junk is None or any(same_credential(one.text, junk) for one in issued):
        return
    line = answer.cookie("remember_token") or ""
    assert line.startswith("remember_token=;") and "Max-Age=0" in line, f"{where}: {request}"


# --- what it costs -------------------------------------------------------------------------------


async def calls(site: Any, request: Request) -> int:
    """Return how many functions, Python's and C's, *site* calls to answer *request*.

    A measure of work that is the same on a machine which others use.
    """
    number = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        await send(site, request)
    finally:
        sys.setprofile(None)
    return number


async def milliseconds(site: Any, request: Request) -> float:
    """Return the processor's time for *request*, the least of a few."""
    found = []
    for _ in range(3):
        begun = time.thread_time()
        await send(site, request)
        found.append(1000 * (time.thread_time() - begun))
    return min(found)


@KIND
async def test_p2_no_bytes_cost_more_than_a_bound(framework: str, kind: str) -> None:
    """What is done because of logins is bounded, however long the headers: in calls; and, where it
    is most, in milliseconds of the processor's time.
    """
    bare, most, longest = Bare(framework), 0, 0.0
    async for site, _, request, where in requests(framework, kind):
        more = await calls(site, request) - await calls(bare, request)
        assert more < MOST_CALLS, f"{where}: {more} calls more for {request}"
        most = max(most, more)
        if more > most / 2 or size(request) > 10_000:
            took = await milliseconds(site, request) - await milliseconds(bare, request)
            longest = max(longest, took)
    print(f"{framework} {kind}: {most} calls, {longest:.1f} ms")
    assert longest < 5


def size(request: Request) -> int:
    return len(request.query) + sum(len(name + value) for name, value in request.headers)
