"""``quart login check`` and ``flask login check``: is the configuration fit to be deployed?"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask
import pytest
import quart
from sites import Site

from quart_login.stores.memory import MemoryStore

#: A configuration with nothing to mend, in both frameworks.
GOOD = {
    "LOGIN_SECURE_COOKIES": True,
    "LOGIN_CACHE_CONTROL_PRIVATE": True,
    "LOGIN_CLEAR_SESSION_ON_LOGOUT": True,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
    "LOGIN_LIFETIME": timedelta(days=30),
    "REMEMBER_COOKIE_DURATION": timedelta(days=30),
}


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "0")


def run(site: Site, *args: str) -> Any:
    result = site.app.test_cli_runner().invoke(args=["login", "check", *args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_good_configuration_passes_the_strict_check(make_site: Any) -> None:
    result = run(make_site(GOOD), "--strict")
    assert result.exit_code == 0
    assert "  wrong  " not in result.output
    assert result.output.splitlines()[-1].startswith("0 to mend, of ")


def test_the_defaults_are_told_and_fail_the_strict_check_alone(site: Site) -> None:
    result = run(site)
    assert result.exit_code == 0
    head, rule, *lines, last = result.output.splitlines()
    assert head.split(maxsplit=2) == ["ASVS", "State", "What is set, and -> what to set"]
    assert set(rule) == {"-", " "}
    row = "3.3.2   wrong    REMEMBER_COOKIE_SAMESITE = None"
    advice = lines[lines.index(row) + 1]
    assert advice.strip() == "-> LOGIN_SECURE_COOKIES = True, or REMEMBER_COOKIE_SAMESITE = 'Lax'"
    rows = [line for line in lines if not line.startswith(" ")]
    wrong = sum(row.split()[1] == "wrong" for row in rows)
    assert wrong > 8 and last == f"{wrong} to mend, of {len(rows)} looked at."
    assert run(site, "--strict").exit_code == 1


def test_what_only_a_server_side_session_could_do_is_not_met_and_fails_nothing(
    make_site: Any,
) -> None:
    result = run(make_site(GOOD), "--strict")
    rows = [line for line in result.output.splitlines() if line.startswith("7.4.1")]
    assert len(rows) == 1 and "not met" in rows[0] and "stateless" in rows[0]


def test_with_a_store_it_is_met_and_the_limits_are_said(make_site: Any) -> None:
    site = make_site({**GOOD, "LOGIN_IDLE_TIMEOUT": timedelta(days=7)}, sessions=MemoryStore())
    result = run(site, "--strict")
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line for line in result.output.split("\n") if line}
    advice = result.output.partition("limits: ")[2].split("\n")[1]
    assert "a record in MemoryStore" in rows["7.2.2"] and "  ok  " in rows["7.4.1"]
    assert "login 30 days, idle 7 days, remembered 30 days, fresh 1 day" in rows["7.1.1"]
    assert "-> They fit AAL1" in advice
    assert "  not met  stateless" not in result.output


def test_the_drop_in_is_told_what_it_leaves_out(site: Site) -> None:
    lines = run(site).output.splitlines()
    [row] = [line for line in lines if "  LOGIN_CACHE_CONTROL" in line]
    assert row.split()[:2] == ["14.2.2", "wrong" if site.web is flask else "ok"]


def test_machines_get_json(make_site: Any) -> None:
    site = make_site({"SECRET_KEY": "dev"})
    result = run(site, "--json", "--strict")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert all(row.keys() == {"requirement", "state", "found", "advice", "realm"} for row in found)
    [key] = [row for row in found if row["requirement"] == "11.5.1"]
    assert key["state"] == "wrong" and key["found"] == "SECRET_KEY is known to everybody"


def test_each_realm_is_audited(make_site: Any) -> None:
    site = make_site({**GOOD, "STAFF_REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True})
    site.lib.LoginManager(site.app, name="staff")
    result = run(site, "--strict")
    assert result.exit_code == 1
    [row] = [line for line in result.output.splitlines() if "  wrong  " in line]
    assert row.split(maxsplit=2)[0] == "7.3.2"
    assert "[staff] REMEMBER_COOKIE_REFRESH_EACH_REQUEST = True" in row
    assert "[staff] REMEMBER_COOKIE_NAME = '__Host-staff_remember_token'" in result.output
    assert result.output.count("SESSION_COOKIE_NAME") == 2  # 3.3.1 and 3.3.3


def test_settings_that_came_after_the_manager_are_seen(make_site: Any) -> None:
    site = make_site(GOOD)
    site.app.config.update(LOGIN_DISABLED=True, LOGIN_LOAD_USER="lazy")
    output = run(site).output
    assert "LOGIN_DISABLED = True" in output and "LOGIN_LOAD_USER must be one of" in output


def test_secure_cookies_that_were_asked_for_too_late_are_told_where_they_are_not_heeded(
    make_site: Any,
) -> None:
    """Quart heeds them when it begins to serve, and the check looks at that."""
    site = make_site({**GOOD, "LOGIN_SECURE_COOKIES": False})
    site.app.config["LOGIN_SECURE_COOKIES"] = True
    output = run(site).output
    assert ("was set after the LoginManager" in output) == (site.web is flask)
    assert ("ok       SESSION_COOKIE_NAME = '__Host-session'\n" in output) == (site.web is quart)


def test_what_says_the_contrary_of_secure_cookies_fails_the_check(make_site: Any) -> None:
    site = make_site(GOOD)
    site.app.config["SESSION_COOKIE_HTTPONLY"] = False
    result = run(site)
    if site.web is quart:
        assert result.exit_code == 1 and "SESSION_COOKIE_HTTPONLY is off" in result.output


def test_the_check_shows_no_key(make_site: Any) -> None:
    key = "correct horse battery staple"
    site = make_site({"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": ["an old key"]})
    for args in ([], ["--json"]):
        output = run(site, *args).output
        assert "SECRET_KEY is 28 bytes long" in output
        assert not any(word in output for word in (*key.split(), "an old"))


SOURCE = """
import {web}
from {lib} import LoginManager

app = {web}.{kind}(__name__)
app.secret_key = "dev"
login_manager = LoginManager(app)
"""


@pytest.mark.parametrize("web", [flask, quart], ids=lambda web: web.__name__)
def test_the_frameworks_own_command_runs_it(web: Any, tmp_path: Path) -> None:
    name = web.__name__
    lib = "flask_compat" if web is flask else "quart_login"
    source = SOURCE.format(web=name, kind=name.capitalize(), lib=lib)
    (tmp_path / "checked_app.py").write_text(source)
    command = [sys.executable, "-m", name, "--app", "checked_app:app", "login", "check"]
    options: Any = {"capture_output": True, "text": True, "cwd": tmp_path, "timeout": 60}
    shown = subprocess.run(command, **options)
    assert shown.returncode == 0, shown.stderr
    assert "SECRET_KEY is known to everybody" in shown.stdout
    assert subprocess.run([*command, "--strict"], **options).returncode == 1
