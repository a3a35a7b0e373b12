"""What is as it should be passes, and is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from audit.applications import BOTH, CONFTEST, FENCE, Audited, Auditing, source

#: What is asked of an application with a fence.
ASKED = {
    "check 3.3.1",
    "check 11.5.1",
    "P17 login and logout",
    "P17 /me GET",
    "P18 /me GET",
    "P22 /me GET",
    "P22 /me HEAD",
    "P22 /me OPTIONS",
    "P22 /me PROPFIND",
    "P22 /about PROPFIND",
    "P22 /notes/<int:id> POST",
    "P22 /no-page-for-the-login-audit GET",
}

#: And of its websockets.
ASKED_OF_SOCKETS = {
    "P22 /live websocket",
    "P23 /live websocket origin",
    "P23 /live websocket revoked",
}


@BOTH
@pytest.mark.parametrize("fence", ["", FENCE], ids=["decorators", "fence"])
def test_an_application_as_it_should_be_passes(audit: Auditing, framework: str, fence: str) -> None:
    found = audit(framework, fence)
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    if fence:
        assert set(found.outcomes) >= ASKED
    if framework == "quart":
        assert set(found.outcomes) >= ASKED_OF_SOCKETS


def test_what_is_not_promised_is_not_asked(audit: Auditing) -> None:
    """Without a fence nobody says that a stranger may not learn which pages there are."""
    names = audit("quart").outcomes
    assert not {name for name in names if "PROPFIND" in name or "no-page" in name}
    assert "P22 /me OPTIONS" not in names  # A preflight request gets its answer.
    assert not {name for name in names if name.startswith("P22 /about")}


@BOTH
@pytest.mark.parametrize(
    ("options", "ini", "called"),
    [
        ((), "", "['GET', 'HEAD']"),
        (("--login-audit-methods", "post"), "", "['GET', 'HEAD', 'POST']"),
        ((), "login_audit_methods = POST PUT", "['GET', 'HEAD', 'POST']"),
    ],
)
def test_what_may_change_something_is_called_if_that_is_allowed(
    audit: Auditing,
    pytester: pytest.Pytester,
    framework: str,
    options: tuple[str, ...],
    ini: str,
    called: str,
) -> None:
    seen = pytester.mkpydir("later")
    (seen / "conftest.py").write_text(
        "def pytest_sessionfinish():\n"
        "    import shop\n"
        "    print('called:', sorted({method for method, _ in shop.calls}))\n"
    )
    (seen / "test_nothing.py").write_text("def test_nothing(): pass\n")
    found = audit(framework, options=(*options, "-s"), ini=ini)
    assert f"called: {called}" in found.text
    assert found.failed == []


@BOTH
def test_patterns_leave_questions_out(audit: Auditing, framework: str) -> None:
    found = audit(framework, ini="login_audit_skip =\n    P18 *\n    * /notes/* *\n    check 3.*\n")
    names = " ".join(found.outcomes)
    assert "P17 /me GET" in names
    assert "P18" not in names and "/notes" not in names and "check 3." not in names
    assert "check 7.3.1" in names


@BOTH
def test_a_test_of_names_may_choose(audit: Auditing, framework: str) -> None:
    found = audit(framework, options=("-k", "P22 and me"))
    assert set(found.outcomes) == {"P22 /me GET", "P22 /me HEAD"}
    assert not audit(framework, options=("-m", "not login_audit")).outcomes


#: Pages that look otherwise each time, whoever asks, and that fail.
RESTLESS = """
import itertools
import secrets
import time

visits = itertools.count()


@app.get("/nonce")
@login_exempt
ASYNC def nonce():
    return f"<script nonce={secrets.token_urlsafe()}></script> at {time.time()}: {next(visits)}"


@app.get("/quotes")
@login_exempt
ASYNC def quotes():
    return secrets.choice(["to be", "not to be", "or is it"])


@app.get("/failing")
@login_exempt
ASYNC def failing():
    raise RuntimeError("no such row")
"""


@BOTH
def test_what_changes_by_itself_is_no_alarm(audit: Auditing, framework: str) -> None:
    for _ in range(3):
        found = audit(framework, RESTLESS, options=("-k", "nonce or quotes or failing"))
        assert found.failed == [], found.text
        assert found.skipped == ["P17 /failing GET", "P18 /failing GET"]
    assert "It failed for a stranger" in found.text
    assert "login_audit_values" in found.text


#: Pages that take turns, and a limit that is soon reached.
TURNS = """
from collections import Counter
from itertools import cycle

turns = {size: cycle(f"turn-{number}" for number in range(size)) for size in (2, 3, 4)}
asked = Counter()


@app.get("/turns/<int:size>")
@login_exempt
ASYNC def take_turns(size):
    return next(turns[size])


@app.before_request
ASYNC def limit():
    asked[request.path] += 1
    if request.path == "/limited" and asked["/limited"] > 1:
        abort(429)


app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())


@app.get("/limited")
@login_required
ASYNC def limited():
    return "limited"
"""

SIZE = """

@pytest.fixture
def login_audit_values():
    return {{"size": {size}}}
"""


@BOTH
@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("others", [True, False], ids=["three", "two"])
def test_pages_that_take_turns_are_no_alarm(
    run_audit: Callable[..., Audited],
    pytester: pytest.Pytester,
    framework: str,
    size: int,
    others: bool,
) -> None:
    people = CONFTEST if others else CONFTEST[: CONFTEST.rindex("@pytest.fixture")]
    conftest = people + SIZE.format(size=size)
    pytester.makepyfile(shop=source(framework, TURNS), conftest=conftest)
    found = run_audit("-k", "turns")
    assert found.outcomes == {"P17 /turns/<int:size> GET": "PASSED"} | {
        "P18 /turns/<int:size> GET": "PASSED"
    }, found.text


@BOTH
def test_a_limit_that_is_reached_is_no_finding(audit: Auditing, framework: str) -> None:
    found = audit(framework, TURNS, options=("-k", "limited"))
    assert set(found.outcomes.values()) == {"SKIPPED"}, found.text
    assert "P22 /limited GET" in found.skipped and "P18 /limited GET" in found.skipped
    assert "A rate limiter answered a stranger (status 429)" in found.text
