"""The examples of this repository pass, as they are served over HTTPS; nothing is a false alarm."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from audit.applications import Audited

RunAudit = Callable[..., Audited]

ROOT = Path(__file__).parents[2]

#: What the comment in both basic examples says for HTTPS.
BASIC = """
import pytest

from examples import {name} as example


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setitem(example.app.config, "SESSION_COOKIE_SECURE", {https})
    monkeypatch.setitem(example.app.config, "REMEMBER_COOKIE_SECURE", {https})
    return example.app


@pytest.fixture
def login_audit_user():
    return example.users["alice"]
"""

#: What their settings leave open, for who reads the deployment check.
OF_SETTINGS = {"check 3.3.1", "check 3.3.3", "check 7.3.1", "check 7.3.2"}
OF_THE_DROP_IN = {"check 14.2.2", "check 14.3.1"}

OF_HTTP = {
    "P17 login and logout",
    "P17 /account GET",
    "P17 /confirm GET",
    "P17 /protected GET",
}


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)


@pytest.mark.parametrize("name", ["basic", "basic_flask"])
@pytest.mark.parametrize("https", [True, False])
def test_the_basic_examples(
    pytester: pytest.Pytester, run_audit: RunAudit, name: str, https: bool
) -> None:
    pytester.makeconftest(BASIC.format(name=name, https=https))
    found = run_audit()
    expected = OF_SETTINGS | (OF_THE_DROP_IN if name == "basic_flask" else set())
    assert set(found.failed) == expected | (set() if https else OF_HTTP), found.text
    assert found.skipped == []


NOTES = """
import pytest

from examples.notes.database import User


@pytest.fixture
def login_audit_user():
    return User(id=1, name="alice", folded="alice", session_epoch=0)


@pytest.fixture
def login_audit_other_user():
    return User(id=2, name="robert", folded="robert", session_epoch=0)
"""


async def prepare(url: str) -> None:
    from examples.notes.database import Database, User

    database = Database(url)
    await database.make_tables()
    async with database.session() as session, session.begin():
        for name in ("alice", "robert"):
            session.add(User(name=name, folded=name, password_hash="x"))
    await database.close()


def test_notes(
    pytester: pytest.Pytester, run_audit: RunAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{pytester.path / 'notes.sqlite3'}"
    asyncio.run(prepare(url))
    # As with --https, and with what its documentation leaves to who runs it.
    monkeypatch.setenv("SECRET_KEY", secrets.token_hex(32))
    monkeypatch.setenv("NOTES_DATABASE", url)
    monkeypatch.setenv("NOTES_LOGIN_SECURE_COOKIES", "true")
    monkeypatch.setenv("NOTES_LOGIN_IDLE_TIMEOUT", "86400")
    pytester.makeconftest(NOTES)
    found = run_audit("--login-app", "examples.notes.app:create_app()")
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    assert "P23 /live/socket websocket revoked" in found.outcomes


HALF = """
import pytest

from examples.side_by_side import common, {half} as half


@pytest.fixture(scope="session")
def store():
    return common.open_store()


@pytest.fixture
def app(store):
    return half.create_app(store)


@pytest.fixture
def login_audit_user():
    return half.User("alice")
"""


@pytest.mark.parametrize("half", ["flask_half", "quart_half"])
def test_side_by_side(
    pytester: pytest.Pytester, run_audit: RunAudit, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", secrets.token_hex(32))
    monkeypatch.setenv("SIDE_BY_SIDE_SESSIONS", str(pytester.path / "sessions.sqlite3"))
    monkeypatch.setenv("SIDE_BY_SIDE_LOGIN_SECURE_COOKIES", "true")
    pytester.makeconftest(HALF.format(half=half))
    found = run_audit()
    assert set(found.failed) == {"check 7.3.1", "check 7.3.2"}, found.text
    assert found.skipped == []
