"""What can be asked on the command line?  ``quart login ...`` and ``flask login ...``

This module and `command_line` alone know Click, which both frameworks bring.  A command is a
function on the group `login` that takes the application first (`with_app`); it prints, and
another module decides what.  What is worth an exit status of 1 for a machine is that with
``--strict`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import wraps
from shutil import get_terminal_size
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import click

from . import terminal
from .audit import audit_all
from .basic import check_views
from .bearer import issue
from .command_line import login
from .errors import ConfigurationError, LoginError, StoreUnavailable
from .findings import State, report
from .listing import list_sessions, purge_sessions, revoke_user
from .realms import manager_named, managers_of
from .routes import Route, problems, routes

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


#: A number of so many digits is nobody's id.
_DIGITS: Final = 400


def with_app(fn: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give the command *fn* the application that ``--app`` names, before its own arguments."""

    @wraps(fn)
    def command(*args: P.args, **kwargs: P.kwargs) -> T:
        # Both frameworks' `ScriptInfo` can do that.
        return fn(click.get_current_context().obj.load_app(), *args, **kwargs)

    return command


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
        for manager in managers_of(app).values():
            manager.heed_late_settings(app)
        check_views(app)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    found = audit_all(app)
    wrong = [finding for finding in found if finding.state is State.WRONG]
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        # What is no terminal, a file or grep, gets each text whole, in a line.
        click.echo(report(found, get_terminal_size((0, 0)).columns))
        click.echo(f"{len(wrong)} to mend, of {len(found)} looked at.")
    if strict and wrong:
        click.get_current_context().exit(1)


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
        user = manager.outside(app, terminal.find_user, _ids(user_id, text))
        if user is None:
            raise click.ClickException("The user_loader knows no such user.")
        click.echo(issue(app, manager, user, lifetime))
    except (LoginError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _ids(typed: str, text: bool) -> list[str | int]:
    """Return what may be meant by *typed*, the likeliest first."""
    digits = typed.removeprefix("-")
    is_number = not text and digits.isascii() and digits.isdigit() and len(digits) < _DIGITS
    return [int(typed), typed] if is_number and str(int(typed)) == typed else [typed]


# --- login sessions ------------------------------------------------------------------------------


def _of_a_user(fn: F) -> F:
    """Let the command *fn* be told whose login sessions are meant."""
    fn = click.option("--realm", help="The name of the LoginManager, if there are several.")(fn)
    return click.argument("user_id")(fn)


#: An id, of a user or of a login session, may begin with a dash; it is no option.
_DASHES: Final = {"ignore_unknown_options": True}


@login.command("sessions", context_settings=_DASHES)
@_of_a_user
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
@with_app
def show_sessions(app: Any, user_id: str, realm: str | None, as_json: bool) -> None:
    """Show the login sessions of the user USER_ID, the last used first; times are UTC."""
    found = _ask_store(app, realm, list_sessions, user_id)
    if as_json:
        click.echo(json.dumps([terminal.as_dict(one) for one in found], indent=2))
    elif found:
        click.echo(table(terminal.HEAD, map(terminal.row, found)))
    else:
        click.echo(f"No login sessions in {_store(app, realm)}.")


@login.command("revoke", context_settings=_DASHES)
@_of_a_user
@click.argument("session_ids", metavar="[SESSION_ID]...", nargs=-1)
@click.option("--all", "all_of_them", is_flag=True, help="End all that the user has.")
@with_app
def end_sessions(
    app: Any,
    user_id: str,
    session_ids: tuple[str, ...],
    realm: str | None,
    all_of_them: bool,
) -> None:
    """End login sessions of the user USER_ID: those named, or all of them."""
    if all_of_them == bool(session_ids):
        raise click.UsageError("Name the login sessions to end (`sessions` shows them), or --all.")
    if all_of_them:
        count = _ask_store(app, realm, revoke_user, user_id)
        click.echo(f"Ended: {count}." if count else f"Ended: 0, in {_store(app, realm)}.")
        return
    missing = _ask_store(app, realm, terminal.end, user_id, session_ids)
    click.echo(f"Ended: {len(session_ids) - len(missing)}.")
    if missing:
        raise click.ClickException(
            f"The user has no login session {', '.join(map(terminal.shown, missing))}."
        )


@login.command("purge")
@click.option("--realm", help="The name of the LoginManager, if there are several.")
@with_app
def remove_sessions(app: Any, realm: str | None) -> None:
    """Remove from the store what is over; nobody is logged out by it."""
    count = _ask_store(app, realm, purge_sessions)
    click.echo(f"Removed: {count}.")


def _store(app: Any, realm: str | None) -> str:
    """Return which store was asked: another than the server's would have nothing to say."""
    return repr(manager_named(app, realm).sessions)


def _ask_store(
    app: Any, realm: str | None, work: Callable[..., Coroutine[Any, Any, T]], *args: Any
) -> T:
    """Return what *work* does with the store of the manager named *realm*."""
    try:
        manager = manager_named(app, realm)
        if getattr(manager.sessions, "is_private", False):
            click.echo(_PRIVATE.format(type(manager.sessions).__name__), err=True)
        found: T = manager.outside(app, terminal.patiently, work, *args)
        return found
    except StoreUnavailable as error:
        cause = type(error.__cause__ or error).__name__
        raise click.ClickException(f"The store of login sessions failed: {cause}.") from error
    except (LoginError, ValueError) as error:
        raise click.ClickException(str(error)) from error


#: What is said of a store that a command cannot share with a server.
_PRIVATE: Final = (
    "note: {} keeps login sessions in the process that made them, and this one is another."
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return *rows* under their *head*, in columns."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
