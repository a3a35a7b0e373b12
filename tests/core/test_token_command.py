"""What does ``login token`` print?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from core.paper import KEY, NOW, Manager, Paper, User

from quart_login._core import basic
from quart_login._core.bearer import Bearer, read
from quart_login._core.commands import login
from quart_login._core.errors import ConfigurationError
from quart_login._core.realms import manager_named
from quart_login._core.step import step
from quart_login._core.tokens import Keys

USERS = {7: User(7), "8": User("8"), "zoë": User("zoë"), 9: User(9, active=False)}


class Finding(Manager):
    """A manager whose loader needs no waiting."""

    def outside(self, app: Any, work: Any, *args: Any) -> Any:
        paper = Paper()
        paper.manager = self
        return step(work(paper, *args))


def make_app(*names: str | None) -> Any:
    app = Paper().app
    app.extensions = {"quart_login": {}}
    for name in names or (None,):
        manager = Finding(name)
        manager.clock = lambda: NOW
        manager.user_loader(USERS.get)
        app.extensions["quart_login"][name] = manager
    return app


def run(app: Any, *args: str) -> Any:
    return CliRunner().invoke(login, ["token", *args], obj=SimpleNamespace(load_app=lambda: app))


@pytest.mark.parametrize("typed", ["7", "8", "zoë"])
def test_a_token_for_the_user_whom_the_loader_finds(typed: str) -> None:
    result = run(make_app(), typed)
    assert result.exit_code == 0
    found = read(result.output.strip(), Keys(KEY), None, NOW)
    assert isinstance(found, Bearer)
    assert found.user_id == (7 if typed == "7" else typed)


def test_without_a_loader_nobody_is_found_and_that_is_said() -> None:
    app = make_app()
    app.extensions["quart_login"][None]._user_callback = None
    result = run(app, "7")
    assert result.exit_code == 1 and "There is no user_loader" in result.output


def test_its_life_may_be_given() -> None:
    result = run(make_app(), "7", "--lifetime", "1.5")
    found = read(result.output.strip(), Keys(KEY), None, NOW)
    assert isinstance(found, Bearer) and found.expires == NOW + 1.5


def test_an_id_of_digits_may_be_meant_as_text() -> None:
    assert run(make_app(), "8", "--text").exit_code == 0
    assert run(make_app(), "7", "--text").exit_code == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nobody"], "The user_loader knows no such user."),
        (["07"], "The user_loader knows no such user."),
        (["\N{ARABIC-INDIC DIGIT SEVEN}"], "The user_loader knows no such user."),
        (["9"], "is not active"),
        (["7", "--lifetime", "-1"], "lifetime must be a time that passes"),
        (["7", "--lifetime", "soon"], "not a valid float"),
        (["7", "--realm", "staff"], "There is no such LoginManager here"),
    ],
)
def test_what_cannot_be_is_said_and_no_token_printed(args: list[str], said: str) -> None:
    result = run(make_app(), *args)
    assert result.exit_code != 0
    assert said in result.output and "qlt_" not in result.output


def test_a_realm_is_named() -> None:
    app = make_app(None, "staff")
    one, other = run(app, "7"), run(app, "7", "--realm", "staff")
    audience = app.extensions["quart_login"]["staff"].setting(app, "LOGIN_AUDIENCE")
    assert isinstance(read(one.output.strip(), Keys(KEY), None, NOW), Bearer)
    assert isinstance(read(other.output.strip(), Keys(KEY), audience, NOW), Bearer)


def test_the_only_manager_need_not_be_named() -> None:
    assert manager_named(make_app("staff"), None).name == "staff"
    with pytest.raises(ConfigurationError, match="there are: office, staff"):
        manager_named(make_app("staff", "office"), None)


def test_016_the_check_says_which_view_protects_nothing() -> None:
    def view() -> None: ...

    app = make_app()
    app.view_functions = {"it": view}
    basic.mark(view, basic.Names(), None)
    result = CliRunner().invoke(login, ["check"], obj=SimpleNamespace(load_app=lambda: app))
    assert result.exit_code == 1 and "LOGIN_BASIC_USERNAME" in result.output
