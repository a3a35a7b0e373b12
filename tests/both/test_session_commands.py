"""``quart login sessions``, ``revoke`` and ``purge``, and the same of ``flask``, as they run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import flask
import pytest
import quart
from loops import TRIO, asyncio
from registry import CountingStore, copy, logged_in, make_site
from sites import Browser
from sqlalchemy import create_engine

from quart_login.stores.sqlalchemy import SQLAlchemyStore
from quart_login.stores.sqlite import SQLiteStore

#: A busy disk is waited for.
PATIENT = {"LOGIN_STORE_TIMEOUT": 20}


@pytest.fixture(params=["flask", "quart"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    store = SQLiteStore(tmp_path / "sessions.db", timeout=10)
    yield make_site(request.param, PATIENT, sessions=store)
    store.close()


def run(site: Any, *args: str) -> Any:
    result = site.app.test_cli_runner().invoke(args=["login", *args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def found(site: Any, user_id: str, *args: str) -> list[dict[str, Any]]:
    result = run(site, "sessions", user_id, "--json", *args)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def logins(site: Any, *paths: str) -> list[Browser]:
    return [asyncio.run(logged_in(site, path)) for path in paths]


def me(browser: Browser) -> str:
    return asyncio.run(browser.get("/me")).text


def test_a_table_shows_the_sessions_of_a_user_the_last_used_first(site: Any) -> None:
    logins(site, "/in/1?remember=1")
    site.clock.advance(hours=1)
    logins(site, "/in/1", "/in/2")
    head, _, first, second = run(site, "sessions", "1").output.splitlines()
    assert head.split("  ")[0] == "Id" and head.endswith("  Agent         Remembered")
    assert "2027-01-15 09:00:00" in first and first.endswith("no")
    assert "2027-01-15 08:00:00" in second and second.endswith("yes")
    assert "password" in first and "test browser" in first


def test_machines_get_json_without_anything_that_authenticates(site: Any) -> None:
    [browser] = logins(site, "/in/1?remember=1")
    [session] = found(site, "1")
    assert session.keys() == {
        *("id", "created", "seen", "expires", "fresh_since", "method", "agent", "address"),
        "remembered",
    }
    assert (session["created"], session["remembered"]) == (site.clock(), True)
    secret = browser.session()["_login_session"].partition(".")[2]
    assert secret not in run(site, "sessions", "1", "--json").output


def test_nobody_has_none_and_that_is_no_error(site: Any) -> None:
    result = run(site, "sessions", "nobody")
    assert (result.exit_code, result.output) == (
        0,
        f"No login sessions in {site.manager.sessions!r}.\n",
    )
    assert found(site, "nobody") == []


def test_an_application_starts_as_often_as_it_is_asked(site: Any) -> None:
    for _ in range(3):
        assert run(site, "purge").exit_code == 0


def test_one_of_a_users_sessions_is_ended(site: Any) -> None:
    here, there = logins(site, "/in/1", "/in/1")
    id = there.session()["_login_session"].partition(".")[0]
    result = run(site, "revoke", "1", id)
    assert (result.exit_code, result.output) == (0, "Ended: 1.\n")
    assert (me(here), me(there)) == ("user 1", "anonymous")
    assert len(found(site, "1")) == 1


def test_all_of_a_users_sessions_are_ended_and_nobody_elses(site: Any) -> None:
    *mine, other = logins(site, "/in/1", "/in/1?remember=1", "/in/2")
    result = run(site, "revoke", "1", "--all")
    assert (result.exit_code, result.output) == (0, "Ended: 2.\n")
    assert [me(browser) for browser in (*mine, other)] == ["anonymous", "anonymous", "user 2"]
    assert run(site, "revoke", "1", "--all").output == f"Ended: 0, in {site.manager.sessions!r}.\n"


def test_a_session_of_another_user_is_not_ended_and_that_is_said(site: Any) -> None:
    [mine, other] = logins(site, "/in/1", "/in/2")
    [id] = [session["id"] for session in found(site, "2")]
    [my_id] = [session["id"] for session in found(site, "1")]
    result = run(site, "revoke", "1", my_id, id, "junk\x1b[2J")
    assert result.exit_code == 1
    assert (
        result.output == f"Ended: 1.\nError: The user has no login session {id}, junk\ufffd[2J.\n"
    )
    assert (me(mine), me(other)) == ("anonymous", "user 2")


@pytest.mark.parametrize("args", [(), ("an-id", "--all")])
def test_which_ones_must_be_said(site: Any, args: tuple[str, ...]) -> None:
    [browser] = logins(site, "/in/1")
    result = run(site, "revoke", "1", *args)
    assert result.exit_code == 2 and "--all" in result.output
    assert me(browser) == "user 1"


def test_a_user_who_is_gone_may_have_sessions_to_end(site: Any) -> None:
    logins(site, "/in/1")
    del site.users[1]
    site.manager._user_callback = None
    assert len(found(site, "1")) == 1
    assert run(site, "revoke", "1", "--all").output == "Ended: 1.\n"


def test_a_number_is_an_int_and_a_text(site: Any) -> None:
    logins(site, "/in/1")
    assert len(found(site, "1")) == 1


def test_an_id_may_begin_with_a_dash(site: Any) -> None:
    site.users[-1] = site.users["-1"] = type(site.users[1])(-1)
    store = site.manager.sessions
    store.make_id = lambda user_id: "-a" * 11
    [browser] = logins(site, "/in/-1")
    assert [session["id"] for session in found(site, "-1")] == ["-a" * 11]
    assert run(site, "revoke", "-1", "-a" * 11).output == "Ended: 1.\n"
    assert me(browser) == "anonymous"
    assert run(site, "revoke", "-1", "--al").exit_code == 1


@pytest.mark.parametrize("typed", ["", "9" * 5000])
def test_what_is_nobodys_id_is_said_to_be_none(site: Any, typed: str) -> None:
    for args in (("sessions",), ("revoke", "--all")):
        result = run(site, *args, typed)
        assert result.exit_code == 1 and "no user's id" in result.output


def test_a_realm_has_sessions_of_its_own(site: Any) -> None:
    store = site.manager.sessions
    staff = site.lib.LoginManager(site.app, name="staff", sessions=store)
    staff.clock = site.clock
    logins(site, "/in/1")
    assert found(site, "1", "--realm", "staff") == []
    ended = run(site, "revoke", "1", "--all", "--realm", "staff").output
    assert ended == f"Ended: 0, in {store!r}.\n"
    assert len(found(site, "1")) == 1
    result = run(site, "sessions", "1", "--realm", "office")
    assert result.exit_code == 1 and "There is no such LoginManager" in result.output


def test_what_is_over_is_purged_and_nothing_else(site: Any) -> None:
    logins(site, "/in/1")
    site.clock.advance(days=20)
    [browser] = logins(site, "/in/2")
    site.clock.advance(days=11)
    result = run(site, "purge")
    assert (result.exit_code, result.output) == (0, "Removed: 1.\n")
    assert me(browser) == "user 2"


def test_a_revocation_is_told_as_any(site: Any) -> None:
    logins(site, "/in/1")
    with site.hearing("login_session_ended") as heard:
        run(site, "revoke", "1", "--all")
    [(_, told)] = heard
    assert (told["user_id"], told["reason"]) == (1, "revoked")


def test_old_remember_cookies_end_with_all(site: Any) -> None:
    store, site.manager.sessions = site.manager.sessions, None
    [old] = logins(site, "/in/1?remember=1")
    site.manager.sessions = store
    site.clock.advance(seconds=1)
    run(site, "revoke", "1", "--all")
    assert me(copy(old, "remember_token")) == "anonymous"


@pytest.mark.parametrize("kind", ["flask", "quart"])
@pytest.mark.parametrize("args", [("sessions", "1"), ("revoke", "1", "--all"), ("purge",)])
def test_without_a_store_it_says_what_to_do(kind: str, args: tuple[str, ...]) -> None:
    result = run(make_site(kind, sessions=None), *args)
    assert result.exit_code == 1 and "Error: Login sessions can be listed" in result.output


@pytest.mark.parametrize("kind", ["flask", "quart"])
@pytest.mark.parametrize(
    ("args", "method"),
    [
        (("sessions", "1"), "list"),
        (("revoke", "1", "--all"), "delete_user"),
        (("revoke", "1", "an-id" * 4 + "22"), "get"),
        (("purge",), "purge"),
    ],
)
def test_a_store_that_fails_is_an_error_that_names_no_secret(
    kind: str, args: tuple[str, ...], method: str
) -> None:
    store = CountingStore()
    store.before[method] = ConnectionError("redis://:secret@host")
    result = run(make_site(kind, sessions=store), *args)
    assert result.exit_code == 1 and "secret" not in result.output
    assert "Error: The store of login sessions failed: ConnectionError.\n" in result.output


@pytest.mark.parametrize("kind", ["flask", "quart"])
def test_a_store_in_memory_is_said_to_be_this_process_s(kind: str) -> None:
    result = run(make_site(kind), "sessions", "1")
    assert result.exit_code == 0
    assert "CountingStore keeps login sessions in the process that made them" in result.stderr


@pytest.mark.parametrize("kind", ["flask", "quart"])
def test_a_terminal_gets_no_control_characters(kind: str, tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "sessions.db", timeout=10)
    site = make_site(kind, PATIENT, sessions=store)
    browser = site.browser(**{"User-Agent": "\x1b[31mred\x9b2J" + "x" * 200})
    assert asyncio.run(browser.get("/in/1")) == (200, "True")
    [connection] = store._all
    connection.execute("UPDATE login_session SET method = 'a' || char(10, 27, 8238) || 'b'")
    output = run(site, "sessions", "1").output
    assert len(output.splitlines()) == 3 and output.replace("\n", "").isprintable()
    assert "a\ufffd\ufffd\ufffdb" in output and "x" * 60 not in output
    store.close()


@pytest.mark.parametrize("kind", ["flask", "quart"])
def test_a_store_is_made_ready_before_it_is_asked(kind: str, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/app.db")
    site = make_site(kind, PATIENT, sessions=SQLAlchemyStore(engine, create=True))
    assert run(site, "purge").output == "Removed: 0.\n"
    engine.dispose()
    bare = create_engine(f"sqlite:///{tmp_path}/bare.db")
    result = run(make_site(kind, PATIENT, sessions=SQLAlchemyStore(bare)), "purge")
    assert result.exit_code == 1 and "create=True" in result.output
    bare.dispose()


SOURCE = """
import {web}
from {lib} import LoginManager, UserMixin
from quart_login.stores.sqlite import SQLiteStore

class User(UserMixin):
    id = "alice"

app = {web}.{kind}(__name__)
app.secret_key = "0123456789abcdef0123456789abcdef"
login_manager = LoginManager(app, sessions=SQLiteStore("sessions.db"))

@login_manager.user_loader
def load(user_id):
    return User()
"""


@pytest.mark.skipif(TRIO, reason="the application of the other process is Quart's or Flask's")
@pytest.mark.parametrize("web", [flask, quart], ids=lambda web: web.__name__)
def test_a_login_of_this_process_is_ended_by_a_command_in_another(web: Any, tmp_path: Path) -> None:
    name = web.__name__
    source = SOURCE.format(
        web=name, kind=name.capitalize(), lib="flask_compat" if web is flask else "quart_login"
    )
    (tmp_path / "the_app.py").write_text(source)
    store = SQLiteStore(tmp_path / "sessions.db", timeout=10)
    site = make_site(name, PATIENT, sessions=store)
    site.clock.now = 0  # as in the other process: the time
    site.manager.clock = type(site.manager)().clock
    site.users["alice"] = type(site.users[1])("alice")
    [browser] = logins(site, "/in/alice")

    def command(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", name, "--app", "the_app:app", "login", *args],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    [session] = json.loads(command("sessions", "alice", "--json"))
    assert browser.session()["_login_session"].startswith(session["id"])
    assert me(browser) == "user alice"
    assert command("revoke", "alice", session["id"]) == "Ended: 1.\n"
    assert me(browser) == "anonymous"
    assert command("sessions", "alice") == f"No login sessions in {store!r}.\n"
    assert command("purge") == "Removed: 0.\n"
    store.close()
