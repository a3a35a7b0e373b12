"""What takes too long, or has no end, is left; an audit always has one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from audit.applications import BOTH, CONFTEST, Audited, Auditing, source

RunAudit = Callable[..., Audited]

#: Suites are processes of their own here: they must come to an end, too.
IMPATIENT = """

from {package} import _visitor

_visitor.PATIENCE = 0.5


def pytest_sessionfinish():
    print("begun:", sorted(shop.begun.items()))
"""

#: What is asked by whom, and how often.
COUNTED = """
from collections import Counter

begun = Counter()
"""

#: A view that gives up by itself is one that fails.
GIVES_UP = """
@app.get("/gives-up")
@login_exempt
ASYNC def gives_up():
    raise TimeoutError
"""

FLASK = """
from queue import Queue

nothing = Queue()


@app.get("/events")
@login_required
def events():
    def stream():
        begun["stream"] += 1
        yield nothing.get()
    return app.response_class(stream(), mimetype="text/event-stream")


@app.get("/poll")
@login_required
def poll():
    begun["poll"] += 1
    try:
        return nothing.get()
    except Exception:
        return "what a view catches does not hold the alarm"


@app.get("/late")
@login_exempt
def late():
    def stream():
        try:
            yield "x"
        finally:
            nothing.get()
    return app.response_class(stream(), headers={"Content-Length": 1})
"""

QUART = """
import asyncio
import threading


@app.get("/events")
@login_required
async def events():
    async def stream():
        begun["stream"] += 1
        yield b"x"
        await asyncio.Event().wait()
    return stream()


@app.get("/flood")
@login_required
async def flood():
    async def stream():
        begun["flood"] += 1
        while True:
            yield b"x"
    return stream()


@app.get("/poll")
@login_required
async def poll():
    begun["poll"] += 1
    await asyncio.Event().wait()


@app.get("/stubborn")
@login_required
async def stubborn():
    begun["stubborn"] += 1
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass


@app.get("/thread")
@login_required
def thread():
    begun["thread"] += 1
    threading.Event().wait()


@app.websocket("/stubborn/socket")
@login_required
async def stubborn_socket():
    await websocket.accept()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass


@app.websocket("/flood/socket")
@login_required
async def flood_socket():
    while True:
        await websocket.send("x" * 1000)
"""


@pytest.fixture
def slowly(pytester: pytest.Pytester, run_audit: RunAudit) -> RunAudit:
    """Return a function that audits what is slow, in a process of its own."""

    def audited(framework: str, asked: str, *options: str) -> Audited:
        code = FLASK if framework == "flask" else QUART
        package = "flask_compat" if framework == "flask" else "quart_login"
        conftest = CONFTEST + IMPATIENT.format(package=package)
        pytester.makepyfile(shop=source(framework, COUNTED, code), conftest=conftest)
        return run_audit("-s", "-k", asked, *options, apart=True)

    return audited


NO_LOOP = ("-p", "no:asyncio", "-o", "filterwarnings=ignore::pytest.PytestConfigWarning")


def test_a_stream_of_flask_is_not_begun(slowly: RunAudit) -> None:
    found = slowly("flask", "events")
    assert set(found.outcomes) == {f"P{number} /events GET" for number in (17, 18, 22)} | {
        "P22 /events HEAD"
    }
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    assert "begun: []" in found.text


def test_a_view_of_flask_that_waits_is_left(slowly: RunAudit) -> None:
    found = slowly("flask", "poll or late")
    assert found.failed == [], found.text
    assert "P22 /poll GET" in found.with_outcome("PASSED")  # The stranger was refused.
    assert set(found.skipped) == {
        "P17 /poll GET",
        "P18 /poll GET",
        "P17 /late GET",
        "P18 /late GET",
    }
    assert "No answer to a user within 0.5 seconds" in found.text
    assert "login_audit_skip" in found.text
    assert "begun: [('poll', 1)]" in found.text  # And not again.


@pytest.mark.parametrize("options", [(), NO_LOOP], ids=["fixtures' loop", "own loop"])
def test_a_stream_of_quart_is_begun_once_by_each(
    slowly: RunAudit, options: tuple[str, ...]
) -> None:
    found = slowly("quart", "(events or flood) and not websocket", *options)
    assert len(found.outcomes) == 8
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    assert "begun: [('flood', 2), ('stream', 2)]" in found.text


@pytest.mark.parametrize("options", [(), NO_LOOP], ids=["fixtures' loop", "own loop"])
@pytest.mark.parametrize("view", ["poll", "stubborn", "thread"])
def test_a_view_of_quart_that_waits_is_left(
    slowly: RunAudit, view: str, options: tuple[str, ...]
) -> None:
    found = slowly("quart", f"{view} and not websocket", *options)
    assert found.skipped == [f"P17 /{view} GET", f"P18 /{view} GET"], found.text
    assert set(found.with_outcome("PASSED")) == {f"P22 /{view} GET", f"P22 /{view} HEAD"}
    assert "No answer to a user within 0.5 seconds" in found.text
    assert f"begun: [('{view}', 1)]" in found.text


@pytest.mark.parametrize("options", [(), NO_LOOP], ids=["fixtures' loop", "own loop"])
def test_a_websocket_that_nothing_ends_is_left(slowly: RunAudit, options: tuple[str, ...]) -> None:
    found = slowly("quart", "stubborn and websocket", *options)
    # It is closed all the same, when its login is ended.
    assert len(found.outcomes) == 3
    assert set(found.outcomes.values()) == {"PASSED"}, found.text


def test_a_websocket_that_sends_without_end_lets_others_run(slowly: RunAudit) -> None:
    found = slowly("quart", "flood and websocket")
    assert len(found.outcomes) == 3
    assert set(found.outcomes.values()) == {"PASSED"}, found.text


@BOTH
@pytest.mark.parametrize("testing", [True, False])
def test_a_view_that_gives_up_by_itself_fails(
    audit: Auditing, framework: str, testing: bool
) -> None:
    code = f"{GIVES_UP}\napp.testing = {testing}\n"
    found = audit(framework, code, options=("-k", "gives-up"))
    assert found.skipped == ["P17 /gives-up GET", "P18 /gives-up GET"], found.text
    assert "It failed for a stranger" in found.text
    assert "No answer" not in found.text
