"""What can be asked on the command line?  ``quart login ...`` and ``flask login ...``

This is the one module that knows Click, which both frameworks bring.  A command is a function on
the group `login` that takes the application first (`with_app`); it prints, and another module
decides what.  What is worth an exit status of 1 for a machine is that with ``--strict`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from .audit import Finding, State, audit_all
from .basic import check_views
from .bearer import issue
from .errors import ConfigurationError, LoginError
from .realms import manager_named
from .routes import Route, problems, routes

P = ParamSpec("P")
T = TypeVar("T")


@click.group("login")
def login() -> None:
    """Ask what this application's logins are like."""


def with_app(fn: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give the command *fn* the application that ``--app`` names, before its own arguments."""

    @wraps(fn)
    def command(*args: P.args, **kwargs: P.kwargs) -> T:
        # Both frameworks' `ScriptInfo` can do that.
        return fn(click.get_current_context().obj.load_app(), *args, **kwargs)

    return command


def add_commands(app: Any) -> None:
    """Let *app*'s command line have these commands; a command ``login`` of its own stays."""
    if login.name not in app.cli.commands:
        app.cli.add_command(login)


# --- the commands --------------------------------------------------------------------------------


@login.command("routes")
@click.option("--strict", is_flag=True, help="Exit with status 1 if there is something to mend.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
@with_app
def show_routes(app: Any, strict: bool, as_json: bool) -> None:
    """Show which routes are open, and what guards the others."""
    found = routes(app)
    wrong = problems(found)
    if as_json:
        click.echo(json.dumps([route.as_dict() for route in found], indent=2))
    else:
        click.echo(table(("Rule", "Methods", "Endpoint", "State", "By"), map(_row, found)))
    for line in wrong:
        click.echo(f"problem: {line}", err=True)
    if strict and wrong:
        click.get_current_context().exit(1)


def _row(route: Route) -> tuple[str, ...]:
    methods = "websocket" if route.websocket else ", ".join(route.methods)
    return route.rule, methods, route.endpoint, route.state, route.by


@login.command("check")
@click.option("--strict", is_flag=True, help="Exit with status 1 if a setting must be mended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
@with_app
def check_configuration(app: Any, strict: bool, as_json: bool) -> None:
    """Compare the configuration with OWASP ASVS 5.0 (V3.3, V7 and what they rest on)."""
    try:
        check_views(app)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    found = audit_all(app)
    wrong = [finding for finding in found if finding.state is State.WRONG]
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        click.echo(table(("ASVS", "State", "What is set", "What to set"), map(_line, found)))
        click.echo(f"{len(wrong)} to mend, of {len(found)} looked at.")
    if strict and wrong:
        click.get_current_context().exit(1)


def _line(finding: Finding) -> tuple[str, ...]:
    found = finding.found if finding.realm is None else f"[{finding.realm}] {finding.found}"
    return finding.requirement or "-", finding.state, found, finding.advice


@login.command("token")
@click.argument("user_id")
@click.option("--lifetime", type=float, help="For how many seconds; else LOGIN_TOKEN_LIFETIME.")
@click.option("--realm", help="The name of the LoginManager, if there are several.")
@click.option("--text", is_flag=True, help="The id is a text, though it looks like a number.")
@with_app
def print_token(
    app: Any, user_id: str, lifetime: float | None, realm: str | None, text: bool
) -> None:
    """Print a bearer token for the user whom the user_loader finds by USER_ID."""
    try:
        manager = manager_named(app, realm)
        found = (manager.find_user(app, key) for key in _ids(user_id, text))
        user = next((user for user in found if user is not None), None)
        if user is None:
            raise click.ClickException("The user_loader knows no such user.")
        click.echo(issue(app, manager, user, lifetime))
    except (LoginError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _ids(typed: str, text: bool) -> list[str | int]:
    """Return what may be meant by *typed*, the likeliest first."""
    is_number = not text and typed.isascii() and typed.isdigit()
    return [int(typed), typed] if is_number and str(int(typed)) == typed else [typed]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return *rows* under their *head*, in columns."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
