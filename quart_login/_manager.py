"""How does a Quart application get its logins?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from quart import Quart

from ._core import guard, load, settings
from ._core import login as core_login
from ._core.errors import ConfigurationError
from ._core.finish import finish
from ._core.identity import Identity
from ._core.manager import BaseLoginManager, UserT
from ._current import current_user, get_user, load_once
from ._exchange import (
    ATTRIBUTE,
    connection,
    exchange,
    exchange_for,
    identity_of,
)


class LoginManager(BaseLoginManager[UserT]):
    """The settings and callbacks of an application's logins.

    Create it with the application, ``LoginManager(app)``, or before it and call `init_app`.  As
    ``LoginManager[User](app)`` it knows the application's user class.
    """

    defaults = settings.SAFE

    def __init__(self, app: Quart | None = None, add_context_processor: bool = True) -> None:
        super().__init__()
        if app is not None:
            self.init_app(app, add_context_processor)

    def init_app(self, app: Quart, add_context_processor: bool = True) -> None:
        """Give *app* its logins, and its templates `current_user`.

        Raises `ConfigurationError` or `TypeError` for settings that cannot work.
        """
        settings.check(app.config)
        app.login_manager = self  # type: ignore[attr-defined]
        app.before_serving(self._check_keys(app))
        # First of all, so that the application's own hooks see the user; and last of all, so that
        # theirs may still log in and out.
        app.before_request(self._before)
        app.before_websocket(self._before)
        app.after_request(self._after)
        before = (app.before_request_funcs, app.before_websocket_funcs)
        for hooks in (*before, app.after_request_funcs):
            own = cast("list[Any]", hooks[None])
            own.insert(0, own.pop())
        if add_context_processor:
            app.context_processor(_user_context_processor)

    def _check_keys(self, app: Quart) -> Any:
        async def check_keys() -> None:
            """Refuse to serve without a key, or with one that is not one."""
            if self._user_callback is not None:
                core_login.check_keys(app, self)

        return check_keys

    # --- around each request ---------------------------------------------------------------------

    async def _before(self) -> None:
        """Load the user, unless nobody needs that."""
        conn = connection()
        if identity_of(conn) is not None:
            return  # Somebody logged in already.
        identity = conn.__dict__[ATTRIBUTE] = Identity()
        exchange = exchange_for(conn, identity)
        identity.strict = exchange.setting("LOGIN_LOAD_USER") == "on_demand"
        if identity.strict or _is_static(conn.endpoint) or not self._has_loader():
            return
        if not load.may_be_somebody(exchange):
            identity.loaded = True
            return
        await load.load(exchange)
        await load.announce(exchange)

    async def _after(self, response: Any) -> Any:
        """Let the response carry what the request decided."""
        conn = connection()
        identity = identity_of(conn)
        if identity is not None:
            await finish(exchange_for(conn, identity), response)
        return response

    def _has_loader(self) -> bool:
        return self._user_callback is not None or self._request_callback is not None

    # --- for views -------------------------------------------------------------------------------

    async def unauthorized(self) -> Any:
        """Return the response for a stranger: what `unauthorized_handler` says, or a redirect.

        The visitor is sent to the login view of the blueprint, or of the application, with the page
        to come back to.  Where there is none, and in a websocket, it is status 401.
        """
        return await guard.unauthorized(exchange())

    async def needs_refresh(self) -> Any:
        """Return the response for a stale login: what `needs_refresh_handler` says, or a redirect
        to `refresh_view`.  Where there is none, and in a websocket, it is status 401.
        """
        return await guard.needs_refresh(exchange())

    @property
    def current_user(self) -> UserT:
        """The user of the current request, as the application's user class."""
        return cast(UserT, current_user)

    async def login_user(
        self,
        user: UserT,
        remember: bool = False,
        duration: timedelta | None = None,
        force: bool = False,
        fresh: bool = True,
    ) -> bool:
        """Log *user* in, as `quart_login.login_user` does."""
        return await core_login.login_user(exchange(), user, remember, duration, force, fresh)

    async def load_user(self) -> UserT:
        """Load the user of the current request, if that was not done, and return it."""
        conn = connection()
        if conn is not None:
            await load_once(conn)
        return cast(UserT, get_user())


def _is_static(endpoint: str | None) -> bool:
    """Is *endpoint* that of an application's or a blueprint's static files?"""
    return endpoint is not None and (endpoint == "static" or endpoint.endswith(".static"))


async def _user_context_processor() -> dict[str, Any]:
    """Give templates `current_user`; where users are loaded on demand, this is a demand."""
    conn = connection()
    identity = None if conn is None else identity_of(conn)
    if identity is not None and identity.strict:
        await load_once(conn)
    return {"current_user": current_user}


__all__ = ["ConfigurationError", "LoginManager"]
