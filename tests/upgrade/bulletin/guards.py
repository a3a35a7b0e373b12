"""Who may see a view?"""

from __future__ import annotations

from functools import wraps

from flask import abort, flash
from flask_login import current_user, login_required


def moderator_required(view):
    @wraps(view)
    @login_required
    def inner(*args, **kwargs):
        if current_user.role != "moderator":
            abort(403)
        return view(*args, **kwargs)

    return inner


def at_most(number):
    """Let at most *number* calls through."""

    def decorator(view):
        calls = []

        @wraps(view)
        def counted(*args, **kwargs):
            calls.append(1)
            if len(calls) > number:
                flash("That was often enough.")
                abort(429)
            return view(*args, **kwargs)

        return counted

    return decorator
