"""Flask-Login's `flask_login.login_manager`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from flask import Flask, current_app, has_app_context

from quart_login._core import guard, remember, settings
from quart_login._core import login as core_login
from quart_login._core.claim import logger
from quart_login._core.exchange import Exchange
from quart_login._core.finish import finish, is_due
from quart_login._core.identity import Identity
from quart_login._core.load import known, load
from quart_login._core.manager import BaseLoginManager, UserT
from quart_login._core.signals import user_loaded_from_header
from quart_login._core.step import step
from quart_login._core.tokens import Token, keys_of

from ._context import here
from ._exchange import ATTRIBUTE, bind_user, exchange, identity_of
from .utils import _create_identifier, _user_context_processor, current_user


def _deprecated(name: str, instead: str) -> None:
    warnings.warn(
        f"'{name}' is deprecated and will be removed in Flask-Login 0.7. Use {instead} instead.",
        DeprecationWarning,
        stacklevel=3,
    )


class LoginManager(BaseLoginManager[UserT]):
    """The settings and callbacks of an application's logins.

    Create it with the application, ``LoginManager(app)``, or before it and call `init_app`.  As
    ``LoginManager[User](app)`` it knows the application's user class.
    """

    defaults = settings.FLASK_LOGIN

    def __init__(self, app: Flask | None = None, add_context_processor: bool = True) -> None:
        super().__init__()
        self._header_callback: Callable[[str], Any] | None = None
        #: Returns what a session is bound to; replace it to bind sessions to something else.
        self._session_identifier_generator: Callable[[], Any] = _create_identifier
        # Dependants replace these two; then they are called, which costs.
        kind = type(self)
        self.loads_itself = kind._load_user is not LoginManager._load_user
        self.binds_itself = (
            kind._update_request_context_with_user
            is not LoginManager._update_request_context_with_user
        )
        if app is not None:
            self.init_app(app, add_context_processor)

    def init_app(self, app: Flask, add_context_processor: bool = True) -> None:
        """Give *app* its logins, and its templates `current_user`.

        Raises `ConfigurationError` or `TypeError` for settings that cannot work.
        """
        settings.check(app.config)
        if (wrong := settings.unknown_protection(app.config)) is not None:
            logger.warning("%s Sessions are not protected.", wrong)  # as Flask-Login, but said
        known_here = getattr(app, "login_manager", None) is self
        app.login_manager = self  # type: ignore[attr-defined]
        if known_here:
            return
        app.after_request(self._update_remember_cookie)
        # Last of all, so that the application's own hooks may still log in and out.
        hooks = cast("list[Any]", app.after_request_funcs[None])
        hooks.insert(0, hooks.pop())
        if add_context_processor:
            app.context_processor(_user_context_processor)

    # --- for views -------------------------------------------------------------------------------

    def unauthorized(self) -> Any:
        """Return the response for a stranger: what `unauthorized_handler` says, or a redirect.

        The visitor is sent to the login view of the blueprint, or of the application, with the page
        to come back to.  Where there is none, it is status 401.
        """
        return step(guard.unauthorized(exchange()))

    def needs_refresh(self) -> Any:
        """Return the response for a stale login: what `needs_refresh_handler` says, or a redirect
        to `refresh_view`.  Where there is none, it is status 401.
        """
        return step(guard.needs_refresh(exchange()))

    @property
    def current_user(self) -> UserT:
        """The user of the current request, as the application's user class."""
        return cast(UserT, current_user)

    def login_user(
        self,
        user: UserT,
        remember: bool = False,
        duration: timedelta | None = None,
        force: bool = False,
        fresh: bool = True,
    ) -> bool:
        """Log *user* in, as `flask_compat.login_user` does."""
        return step(core_login.login_user(exchange(), user, remember, duration, force, fresh))

    # --- what the core asks ----------------------------------------------------------------------

    def identifier(self, exchange: Exchange) -> str:
        """Return what a session is bound to."""
        if self._session_identifier_generator is _create_identifier:
            return super().identifier(exchange)
        return self._session_identifier_generator()  # type: ignore[no-any-return]

    @property
    def asks_requests(self) -> bool:
        """May a request name its user by something else than a session or a remember cookie?"""
        return super().asks_requests or self._header_callback is not None

    def request_loaders(self, exchange: Exchange) -> list[tuple[Callable[[Any], Any], Any, Any]]:
        """Return who else may know the user of the request: callback, argument, signal."""
        loaders = super().request_loaders(exchange)
        if loaders or self._header_callback is None:
            return loaders
        header = exchange.request.headers.get(exchange.setting("AUTH_HEADER_NAME"))
        if header is None:
            return []
        return [(self._header_callback, header, user_loaded_from_header)]

    # --- Flask-Login's private names that large dependants call -----------------------------------

    def _load_user(self) -> None:
        """Load the user of the request at hand, anew, and let everybody know."""
        at_hand = exchange()
        at_hand.identity.loaded = at_hand.identity.seen = False
        step(self._load_anew(at_hand))

    async def _load_anew(self, at_hand: Exchange) -> None:
        await load(at_hand)
        await known(at_hand)

    def _update_request_context_with_user(self, user: Any = None) -> None:
        """Let *user*, or the anonymous user, be the user of the request at hand."""
        identity = exchange().identity
        bind_user(self, identity, user)
        identity.error = None

    def _update_remember_cookie(self, response: Any) -> Any:
        """Let the response carry what the request decided."""
        place = here()
        assert place is not None
        app, request, session = place
        if app.login_manager is not self:
            return response  # Another manager took this one's place.
        identity = identity_of(request)
        if identity is None:
            identity = request.__dict__[ATTRIBUTE] = Identity()  # Nobody looked; a stream may yet.
        elif is_due(identity, session, self.keys, app.config):
            step(finish(exchange(), response))
        identity.close()
        return response

    def _set_cookie(self, response: Any) -> None:
        here = exchange()
        token = Token(here.session[self.keys.user_id])
        keys = keys_of(here.app.config)
        change = remember.issue(token, keys, here.setting, self.clock())
        remember.apply(change, response, here.setting)

    def _clear_cookie(self, response: Any) -> None:
        remember.apply(remember.DELETE, response, exchange().setting)

    # --- deprecated by Flask-Login 0.6.3, and served as it serves them ---------------------------

    def setup_app(self, app: Flask, add_context_processor: bool = True) -> None:
        """Use `init_app`."""
        _deprecated("setup_app", "'init_app'")
        self.init_app(app, add_context_processor)

    def header_loader(self, callback: Callable[[str], Any]) -> Callable[[str], Any]:
        """Use `request_loader`."""
        _deprecated("header_loader", "'request_loader'")
        self._header_callback = callback
        return callback

    @property
    def _login_disabled(self) -> bool:
        """Use ``app.config["LOGIN_DISABLED"]``."""
        _deprecated("_login_disabled", "'LOGIN_DISABLED' in 'app.config'")
        return has_app_context() and bool(current_app.config.get("LOGIN_DISABLED", False))

    @_login_disabled.setter
    def _login_disabled(self, newvalue: bool) -> None:
        _deprecated("_login_disabled", "'LOGIN_DISABLED' in 'app.config'")
        current_app.config["LOGIN_DISABLED"] = newvalue
