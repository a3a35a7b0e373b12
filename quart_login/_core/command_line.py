"""How does an application's command line know commands that nobody has asked for yet?

They are imported when somebody asks for one: the processes that serve an application never do.
"""

from __future__ import annotations

from typing import Any

import click


class Commands(click.Group):
    """A group whose commands are in `commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        _bring()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        _bring()
        return super().get_command(ctx, cmd_name)


def _bring() -> None:
    from . import commands  # noqa: F401  # which puts them into the group


login = Commands("login", help="Ask what this application's logins are like, and end them.")


def add_commands(app: Any) -> None:
    """Let *app*'s command line have these commands; a command ``login`` of its own stays."""
    if login.name not in app.cli.commands:
        app.cli.add_command(login)
