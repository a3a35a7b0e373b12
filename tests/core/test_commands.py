"""What can be asked on the command line?"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from click import Context
from click.testing import CliRunner
from core.applications import App
from core.paper import Manager
from core.test_audit import GOOD
from core.test_basic import NAMES
from core.test_cookies import FRAMEWORK
from core.test_marks import guarded

from quart_login._core import basic
from quart_login._core.command_line import add_commands
from quart_login._core.commands import _ids, login, table
from quart_login._core.realms import EXTENSION


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "0")


def run(app: App, *args: str) -> Any:
    return CliRunner().invoke(login, list(args), obj=SimpleNamespace(load_app=lambda: app))


def test_the_group_is_added_once_and_takes_nobody_s_place() -> None:
    app, other, own = App(), App(), object()
    other.cli.commands["login"] = own
    for each in (app, app, other):
        add_commands(each)
    assert app.cli.commands == {"login": login}
    assert other.cli.commands == {"login": own}


def test_the_group_brings_its_commands_when_it_is_asked_for_them() -> None:
    result = CliRunner().invoke(login, ["--help"])
    said = [line.split()[0] for line in result.stdout.splitlines()[-6:]]
    assert said == ["check", "purge", "revoke", "routes", "sessions", "token"]


def test_routes_are_a_table_and_problems_stand_below() -> None:
    app = App()
    app.add("/page", "page", guarded(lambda: None))
    app.add("/socket", "socket", guarded(lambda: None), websocket=True)
    result = run(app, "routes", "--strict")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "Rule     Methods    Endpoint  State     By",
        "-------  ---------  --------  --------  ---------",
        "/page    GET        page      required  decorator",
        "/socket  websocket  socket    required  decorator",
    ]
    app.add("/open", "open")
    assert run(app, "routes").exit_code == 0
    result = run(app, "routes", "--strict")
    assert result.exit_code == 1
    assert "GET /open (open): open to everybody" in result.stderr


def test_routes_are_json_for_machines() -> None:
    app = App()
    app.add("/page", "page")
    result = run(app, "routes", "--json")
    [route] = json.loads(result.stdout)
    assert (result.exit_code, route["rule"], route["state"]) == (0, "/page", "open")
    assert run(app, "routes", "--json", "--strict").exit_code == 1


def audited(**config: Any) -> Any:
    """Return an application with a realm, and cookies as the frameworks make them."""
    app: Any = App()
    app.config = {**FRAMEWORK, "SECRET_KEY": "dev", "PERMANENT_SESSION_LIFETIME": 60, **config}
    app.debug = app.testing = False
    app.session_interface = SimpleNamespace()
    app.extensions = {EXTENSION: {None: Manager(), "staff": Manager("staff")}}
    return app


def test_the_check_is_a_table_of_all_realms_and_says_how_much_is_to_mend() -> None:
    result = run(audited(), "check")
    assert result.exit_code == 0
    *lines, last = result.stdout.splitlines()[2:]
    rows = [line for line in lines if not line.startswith(" ")]
    assert any("  [staff] REMEMBER_COOKIE_NAME = 'staff_remember_token'" in row for row in rows)
    assert any("  REMEMBER_COOKIE_NAME = 'remember_token'" in row for row in rows)
    wrong = sum(row.split()[1] == "wrong" for row in rows)
    assert wrong and last == f"{wrong} to mend, of {len(rows)} looked at."
    assert run(audited(), "check", "--strict").exit_code == 1


def test_the_check_heeds_settings_that_came_late_as_a_server_does() -> None:
    app, heard = audited(), []
    for manager in app.extensions[EXTENSION].values():
        manager.heed_late_settings = heard.append
    run(app, "check")
    assert heard == [app, app]


def test_the_check_fits_the_terminal_and_leaves_each_line_whole_for_a_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = run(audited(), "check").stdout.splitlines()
    assert max(map(len, whole)) > 100
    monkeypatch.setenv("COLUMNS", "80")
    narrow = run(audited(), "check").stdout.splitlines()
    assert len(narrow) > len(whole) and max(map(len, narrow)) == 80
    assert " ".join(narrow).split()[-30:] == " ".join(whole).split()[-30:]


def test_the_check_is_json_for_machines() -> None:
    found = json.loads(run(audited(), "check", "--json").stdout)
    assert {row["realm"] for row in found} == {None, "staff"}
    assert run(audited(), "check", "--json", "--strict").exit_code == 1


def test_a_configuration_with_nothing_to_mend_passes() -> None:
    config = {**GOOD, "LOGIN_SECURE_COOKIES": False}
    for family in ("SESSION_COOKIE", "REMEMBER_COOKIE", "STAFF_REMEMBER_COOKIE"):
        config |= {f"{family}_NAME": f"__Host-{family}", f"{family}_SAMESITE": "Lax"}
        config[f"{family}_SECURE"] = True
    result = run(audited(**config), "check", "--strict")
    assert result.exit_code == 0, result.stdout


def test_a_view_that_cannot_work_fails_the_check() -> None:
    app = audited()
    view = app.add("/basic", "basic", guarded(lambda: None))
    basic.mark(view, NAMES, None)
    result = run(app, "check")
    assert result.exit_code == 1 and "LOGIN_BASIC_" in result.stderr


def test_a_table_is_as_wide_as_its_words() -> None:
    assert table(("A", "B"), [("long", "")]) == "A     B\n----  -\nlong"
    assert table(("A", "B"), []) == "A  B\n-  -"


def test_an_id_of_thousands_of_digits_is_nobody_s() -> None:
    for digits in (400, 5000):  # Python refuses to read so many
        assert _ids("1" * digits, False) == ["1" * digits]
    assert _ids("1" * 399, False) == [int("1" * 399), "1" * 399]


def test_what_no_requirement_asks_for_has_a_dash() -> None:
    app = App()
    app.config = {**GOOD, "SESSION_PROTECTION": None}
    app.debug = app.testing = False  # type: ignore[attr-defined]
    app.session_interface = SimpleNamespace()  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = {None: Manager()}
    lines = run(app, "check").stdout.splitlines()
    assert any(line.startswith("-  ") and "SESSION_PROTECTION" in line for line in lines)


def test_methods_are_listed_with_commas() -> None:
    app = App()
    app.add("/form", "form", guarded(lambda: None), methods=["GET", "POST"])
    assert "  GET, POST  " in run(app, "routes").stdout


def test_a_negative_number_is_one() -> None:
    assert _ids("-5", False) == [-5, "-5"]
    assert _ids("-5", True) == ["-5"] and _ids("--5", False) == ["--5"]


def test_a_requirement_is_in_the_table() -> None:
    app = App()
    app.config = dict(GOOD)
    app.debug = app.testing = False  # type: ignore[attr-defined]
    app.session_interface = SimpleNamespace()  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = {None: Manager()}
    assert any(line.startswith("3.3.1  ") for line in run(app, "check").stdout.splitlines())


@pytest.mark.parametrize("asked", ["one", "all"])
def test_the_commands_are_there_though_nobody_had_imported_them(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "quart_login._core.commands")
    monkeypatch.delattr("quart_login._core.commands")
    monkeypatch.setattr(login, "commands", {})
    context = Context(login)
    if asked == "one":
        assert login.get_command(context, "revoke") is not None
    else:
        assert "revoke" in login.list_commands(context)
