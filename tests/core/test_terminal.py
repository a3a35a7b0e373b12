"""What does a terminal show of a user's login sessions, and how are they ended from there?"""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from core.paper import NOW, Manager, Paper

from quart_login._core import terminal
from quart_login._core.commands import login
from quart_login._core.errors import StoreUnavailable
from quart_login._core.listing import ListedSession
from quart_login._core.step import step
from quart_login.stores._contract_kit import session
from quart_login.stores.memory import MemoryStore

ONE = ListedSession(
    id="an-id",
    created=NOW,
    seen=NOW + 60,
    expires=NOW + 3600,
    fresh_since=None,
    method="password",
    agent="a browser",
    address="192.0.2.7",
    remembered=False,
    current=False,
)


class Outside(Manager):
    """A manager whose store needs no waiting."""

    def outside(self, app: Any, work: Any, *args: Any) -> Any:
        paper = Paper()
        paper.app, paper.manager, paper.request = app, self, None
        paper.identity.loaded = True
        self.waited_for: list[Any] = []
        ask = paper.ask

        async def noted(*args: Any, **options: Any) -> Any:
            self.waited_for.append(paper.setting("LOGIN_STORE_TIMEOUT"))
            return await ask(*args, **options)

        paper.ask = noted  # type: ignore[method-assign]
        return step(work(paper, *args))


@pytest.fixture
def app() -> Any:
    """Return an application whose store has a session of user 7, and two of user "7"."""
    app = Paper().app
    manager = Outside()
    manager.clock = lambda: NOW
    manager.sessions = MemoryStore()
    manager.sessions.is_private = False  # type: ignore[misc]
    for number, user in enumerate(("#7", "7", "7")):
        one = session(number, user, id=f"{number}" * 22, created=NOW - 60, seen=NOW - number)
        step(manager.sessions.add(None, one))  # type: ignore[arg-type]
    app.extensions = {"quart_login": {None: manager}}
    return app


def run(app: Any, *args: str) -> Any:
    return CliRunner().invoke(login, list(args), obj=SimpleNamespace(load_app=lambda: app))


def left(app: Any) -> list[str]:
    kept = app.extensions["quart_login"][None].sessions._sessions.values()
    return [one.id[0] for one in kept if not one.user_id.startswith("!")]  # no notes


def test_a_row_has_a_cell_for_each_head() -> None:
    row = terminal.row(replace(ONE, remembered=True))
    assert dict(zip(terminal.HEAD, row, strict=True)) == {
        "Id": "an-id",
        "Created": "2027-01-15 08:00:00",
        "Last seen": "2027-01-15 08:01:00",
        "Expires": "2027-01-15 09:00:00",
        "Method": "password",
        "Address": "192.0.2.7",
        "Agent": "a browser",
        "Remembered": "yes",
    }


def test_a_long_name_of_a_browser_is_cut_in_the_table_alone() -> None:
    long = replace(ONE, agent="x" * 61)
    assert terminal.row(long)[6] == "x" * 57 + "..."
    assert terminal.row(replace(ONE, agent="x" * 60))[6] == "x" * 60
    assert terminal.as_dict(long)["agent"] == "x" * 61


@pytest.mark.parametrize("bad", ["\x1b[2J", "\n", "\x9b", "\u202e", "\u2066", "\x00", "\x7f"])
def test_no_cell_does_anything_to_a_terminal(bad: str) -> None:
    told = replace(ONE, id=bad, method=bad, address=bad, agent=bad)
    assert all(cell.isprintable() for cell in terminal.row(told))
    assert terminal.shown("zoë \U0001f98a") == "zoë \U0001f98a"


@pytest.mark.parametrize(("time", "year"), [(1e30, "9999"), (float("inf"), "9999"), (-5.0, "1970")])
def test_a_time_that_no_date_names_is_the_nearest_one(time: float, year: str) -> None:
    assert terminal.row(replace(ONE, expires=time))[3].startswith(year)


def test_what_is_typed_as_a_number_is_an_int_and_a_text(app: Any) -> None:
    found = json.loads(run(app, "sessions", "7", "--json").stdout)
    assert [one["id"][0] for one in found] == ["0", "1", "2"]
    assert "current" not in found[0]


def test_a_table_or_a_word(app: Any) -> None:
    head, _, *rows = run(app, "sessions", "7").stdout.splitlines()
    assert head.startswith("Id  ") and [row[0] for row in rows] == ["0", "1", "2"]
    result = run(app, "sessions", "8")
    assert (result.exit_code, result.output) == (0, "No login sessions in <MemoryStore of 3>.\n")


def test_some_are_ended_and_what_is_not_there_is_said(app: Any) -> None:
    result = run(app, "revoke", "7", "0" * 22, "2" * 22, "9" * 22)
    assert (result.exit_code, left(app)) == (1, ["1"])
    assert result.stdout == "Ended: 2.\n" and "9" * 22 in result.stderr
    assert run(app, "revoke", "8", "1" * 22).exit_code == 1
    assert left(app) == ["1"]
    result = run(app, "revoke", "7", "1" * 22)
    assert (result.exit_code, result.output, left(app)) == (0, "Ended: 1.\n", [])


def test_all_are_ended(app: Any) -> None:
    result = run(app, "revoke", "7", "--all")
    assert (result.exit_code, result.stdout, left(app)) == (0, "Ended: 3.\n", [])


@pytest.mark.parametrize("args", [(), ("--all", "0" * 22)])
def test_it_must_be_said_which(app: Any, args: tuple[str, ...]) -> None:
    assert run(app, "revoke", "7", *args).exit_code == 2
    assert left(app) == ["0", "1", "2"]


def test_what_is_over_is_removed(app: Any) -> None:
    app.extensions["quart_login"][None].clock = lambda: NOW + 10**9
    assert run(app, "purge").stdout == "Removed: 3.\n"
    assert left(app) == []


def test_an_operator_waits_longer_than_a_visitor(app: Any) -> None:
    run(app, "revoke", "7", "--all")
    waited_for = app.extensions["quart_login"][None].waited_for
    assert waited_for and set(waited_for) == {terminal.PATIENCE}


@pytest.mark.parametrize("args", [("sessions", "7"), ("revoke", "7", "--all"), ("purge",)])
def test_a_store_that_fails_is_named_by_the_kind_of_failure(app: Any, args: Any) -> None:
    async def fail(*args: Any, **options: Any) -> Any:
        raise ConnectionError("redis://user:secret@host")

    store = app.extensions["quart_login"][None].sessions
    store.list = store.delete_user = store.add = store.purge = fail
    result = run(app, *args)
    assert (result.exit_code, result.output) == (
        1,
        "Error: The store of login sessions failed: ConnectionError.\n",
    )


def test_so_is_one_that_says_no_more(app: Any) -> None:
    def outside(*args: Any) -> Any:
        raise StoreUnavailable

    app.extensions["quart_login"][None].outside = outside
    assert "failed: StoreUnavailable." in run(app, "purge").output


def test_a_store_of_one_process_is_told_of(app: Any) -> None:
    del app.extensions["quart_login"][None].sessions.is_private
    result = run(app, "sessions", "7")
    assert result.exit_code == 0 and "MemoryStore keeps login sessions in" in result.stderr


@pytest.mark.parametrize("args", [("sessions", "7"), ("revoke", "7", "--all"), ("purge",)])
def test_without_a_store_it_is_said_what_to_do(app: Any, args: Any) -> None:
    app.extensions["quart_login"][None].sessions = None
    result = run(app, *args)
    assert result.exit_code == 1 and "sessions=SQLiteStore" in result.output


def test_a_store_that_does_not_say_whether_others_share_it_is_not_told_of(app: Any) -> None:
    manager = app.extensions["quart_login"][None]
    store = manager.sessions
    names = ("list", "get", "delete", "delete_user", "purge", "add")
    manager.sessions = SimpleNamespace(**{name: getattr(store, name) for name in names})
    result = run(app, "sessions", "7")
    assert (result.exit_code, result.stderr) == (0, "")


def test_who_is_not_remembered_has_a_no() -> None:
    assert terminal.row(ONE)[-1] == "no"


def test_the_first_second_of_all_is_a_time() -> None:
    assert terminal.row(replace(ONE, created=0.0))[1] == "1970-01-01 00:00:00"
    assert terminal.row(replace(ONE, created=-1.0))[1] == "1970-01-01 00:00:00"


def test_what_does_something_to_a_terminal_is_a_mark_there() -> None:
    assert terminal.shown("a\x1bb") == "a\ufffdb"
