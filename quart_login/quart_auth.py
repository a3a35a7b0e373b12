"""How do users who were logged in by Quart-Auth stay logged in?

    login_manager = LoginManager(app)
    adopt_quart_auth(app, until="2027-12-31")

Quart-Auth itself is not needed any more, nor imported.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from quart import Quart

from ._core import quart_auth, realms
from ._core.errors import ConfigurationError
from ._core.manager import BaseLoginManager
from ._core.quart_auth import SerializerClass

__all__ = ["adopt_quart_auth"]


def adopt_quart_auth(
    app: Quart,
    login_manager: BaseLoginManager[Any] | None = None,
    *,
    until: date | datetime | str | None = None,
    remember: bool = False,
    user_id: Callable[[Any], str | int] = str,
    cookie_domain: str | None = None,
    cookie_http_only: bool | None = None,
    cookie_name: str | None = None,
    cookie_path: str | None = None,
    cookie_samesite: str | None = None,
    cookie_secure: bool | None = None,
    duration: timedelta | float | None = None,
    salt: str | bytes | None = None,
    serializer_class: SerializerClass = quart_auth.serializer_class,
) -> None:
    """Let the cookie that Quart-Auth set log its user in, once, and be replaced.

    Call it after ``LoginManager(app)``; *login_manager* is the application's default one, unless
    it is given.  A request that brings the cookie, and no login of ours, is its user's, whom the
    `user_loader` finds.  The login is never a fresh one.  The response removes the cookie.  A
    cookie that is junk, too old, or of a user who is gone or not active is removed, too.

    *until* is the day from which no such cookie counts: a `date`, a `datetime` or ISO 8601, in UTC.

    *remember* says that users get a remember cookie for what is left of the old cookie's time.  The
    cookie does not tell whether it was to outlive the browser.  Without *remember*, the login ends
    with the browser's session.

    *user_id* makes, of the id that Quart-Auth knew, the one that ``get_id()`` returns: `str` unless
    said, `int` where your ids are numbers.  An id that it raises `ValueError`, `TypeError` or
    `LookupError` for is nobody's.

    The rest is as it was given to ``QuartAuth``, for what was; *duration* in seconds, or a
    `timedelta`.  What is not given is read from the configuration, ``QUART_AUTH_COOKIE_NAME`` and
    so on, and is Quart-Auth's default otherwise.

    Raises `ConfigurationError` (a `RuntimeError`) for what cannot work.
    """
    manager = _manager_of(app, login_manager)
    given = {
        "QUART_AUTH_COOKIE_DOMAIN": cookie_domain,
        "QUART_AUTH_COOKIE_HTTP_ONLY": cookie_http_only,
        "QUART_AUTH_COOKIE_NAME": cookie_name,
        "QUART_AUTH_COOKIE_PATH": cookie_path,
        "QUART_AUTH_COOKIE_SAMESITE": cookie_samesite,
        "QUART_AUTH_COOKIE_SECURE": cookie_secure,
        "QUART_AUTH_DURATION": duration,
        "QUART_AUTH_SALT": salt,
    }
    cookie = quart_auth.described(
        app.config,
        given,
        until=until,
        remember=remember,
        user_id=user_id,
        serializer_class=serializer_class,
    )
    _check(app, manager, cookie.name)
    before, manager.adopted = manager.adopted, cookie
    try:
        realms.check_cookies(app)
    except ConfigurationError:
        manager.adopted = before
        raise


def _manager_of(app: Quart, manager: BaseLoginManager[Any] | None) -> BaseLoginManager[Any]:
    """Return *manager*, or *app*'s default one.  Raises `ConfigurationError` if it is not there."""
    managers = realms.managers_of(app)
    if manager is None and None not in managers:
        raise ConfigurationError(realms.missing_manager(app))
    found = managers[None] if manager is None else manager
    if found not in managers.values():
        raise ConfigurationError("Call login_manager.init_app(app) first, adopt_quart_auth then.")
    return found


def _check(app: Quart, manager: BaseLoginManager[Any], name: str) -> None:
    """Raise `ConfigurationError` where the cookie *name* would be read in vain, or by two."""
    if any(one.cookie_name == name for one in app.extensions.get("QUART_AUTH", [])):
        raise ConfigurationError(
            f"QuartAuth(app) is still there, and the cookie {name!r} is its own. Delete that first."
        )
    if manager.sessions is not None and not manager.setting(app, "LOGIN_ADOPT_REMEMBER_COOKIES"):
        raise ConfigurationError(
            "LOGIN_ADOPT_REMEMBER_COOKIES is off, so no cookie from before the store of login"
            " sessions counts. Drop that, or adopt_quart_auth."
        )
