"""What do all views use?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from quart import current_app

from quart_login import current_user

from .database import Database, User
from .news import News
from .passwords import Passwords
from .throttle import Throttle

#: Where the application keeps them.
EXTENSION: Final = "notes"


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    news: News
    passwords: Passwords
    throttle: Throttle


def services() -> Services:
    """Return the services of the current application."""
    return cast(Services, current_app.extensions[EXTENSION])


def me() -> User:
    """Return the current user, in a view that only users get to."""
    return cast(User, current_user)
