"""How does a Quart application get its logins?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from quart import Quart

from ._context import connection, here
from ._core import guard, settings
from ._core import login as core_login
from ._core.claim import may_be_somebody
from ._core.errors import ConfigurationError
from ._core.finish import finish, is_due, tell_late
from ._core.load import announce, known, load
from ._core.manager import BaseLoginManager, UserT
from ._current import current_user, load_user
from ._exchange import exchange, identity_of


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
        self._check(app)
        known_here = getattr(app, "login_manager", None) is self
        app.login_manager = self  # type: ignore[attr-defined]
        if known_here:
            return
        app.before_serving(self._check_keys(app))
        # First of all, so that the application's own hooks see the user; and last of all, so that
        # theirs may still log in and out.
        app.before_request(self._before)
        app.before_websocket(self._before)
        app.after_request(self._after)
        app.after_websocket(self._after_websocket)
        before = (app.before_request_funcs, app.before_websocket_funcs)
        for hooks in (*before, app.after_request_funcs):
            own = cast("list[Any]", hooks[None])
            own.insert(0, own.pop())
        if add_context_processor:
            app.context_processor(_user_context_processor)

    @staticmethod
    def _check(app: Quart) -> None:
        settings.check(app.config)
        if (wrong := settings.unknown_protection(app.config)) is not None:
            raise ConfigurationError(wrong)

    def _check_keys(self, app: Quart) -> Any:
        async def check_keys() -> None:
            """Refuse to serve with settings that cannot work, also those that came later."""
            self._check(app)
            if self._user_callback is not None:
                core_login.check_keys(app, self)

        return check_keys

    # --- around each request ---------------------------------------------------------------------

    async def _before(self) -> None:
        """Load the user, unless nobody needs that."""
        at_hand = exchange()
        if at_hand.manager is not self:
            return  # Another manager took this one's place.
        identity = at_hand.identity
        if identity.loaded:
            return  # Somebody logged in already.
        if at_hand.config.get("LOGIN_LOAD_USER") == "on_demand":
            identity.strict = True
        elif self._user_callback is None and self._request_callback is None:
            pass  # Whoever asks is told that there is no loader.
        elif not may_be_somebody(at_hand):
            identity.loaded = True
        elif not _is_static(at_hand.request.endpoint):
            await load(at_hand)
            if identity.news:
                await announce(at_hand)

    async def _after(self, response: Any) -> Any:
        """Let the response carry what the request decided."""
        place = here()
        identity = None if place is None else identity_of(place[1])
        if place is not None and identity is not None and place[0].login_manager is self:
            if is_due(identity, place[2], self.keys, place[0].config):
                await finish(exchange(), response)
            identity.close()
        return response

    async def _after_websocket(self, response: Any = None) -> Any:
        """Tell those who could not be told while the socket was open."""
        at_hand = exchange()
        await tell_late(at_hand)
        at_hand.identity.close()
        return response

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
        return cast(UserT, await load_user())


def _is_static(endpoint: str | None) -> bool:
    """Is *endpoint* that of an application's or a blueprint's static files?"""
    return endpoint is not None and (endpoint == "static" or endpoint.endswith(".static"))


async def _user_context_processor() -> dict[str, Any]:
    """Give templates `current_user`; where users are loaded on demand, this is a demand."""
    at_hand = connection()
    identity = None if at_hand is None else identity_of(at_hand)
    if identity is not None and identity.strict:
        await known(exchange())
    return {"current_user": current_user}
