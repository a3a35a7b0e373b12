"""Flask-Login's `flask_login.login_manager`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar, cast, overload

from flask import Flask, current_app, has_app_context
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.wrappers import Response

from quart_login._core import (
    basic,
    bearer,
    caching,
    cookies,
    guard,
    listing,
    onward,
    realms,
    remember,
    report,
    settings,
)
from quart_login._core import login as core_login
from quart_login._core.claim import may_be_somebody
from quart_login._core.command_line import add_commands
from quart_login._core.decision import LoginDecision
from quart_login._core.errors import ConfigurationError
from quart_login._core.events import logger
from quart_login._core.exchange import Exchange
from quart_login._core.finish import finish, is_due
from quart_login._core.identity import Identity
from quart_login._core.load import known, load, touch
from quart_login._core.manager import BaseLoginManager, UserT
from quart_login._core.signals import user_loaded_from_header
from quart_login._core.step import step
from quart_login._core.store import Store
from quart_login._core.tokens import Token, keys_of

from ._context import here
from ._endings import Ending
from ._exchange import anywhere, bind_user, exchange, stepped_method
from ._fence import watch
from ._streams import follow, is_streamed
from .cookie_session import LeanCookieSessionInterface
from .utils import (
    CurrentUser,
    _create_identifier,
    _user_context_processor,
    acting_as,
    anonymous,
    basic_guarded,
    check_first,
    freshly_guarded,
    get_user,
    guarded,
    refuse_loops,
)

#: Whether responses that depend on the user are kept from shared caches.
_PRIVATE: Final = "LOGIN_CACHE_CONTROL_PRIVATE"

#: The interfaces that write the session as the framework does, and say ``Vary`` as it does.
_SECURE_COOKIES: Final = (SecureCookieSessionInterface, LeanCookieSessionInterface)

V = TypeVar("V", bound=Callable[..., Any])
R = TypeVar("R")


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

    An application may have several, each a realm of its own (customers and staff, say) with
    another *name*: ``staff = LoginManager(app, name="staff")``.  Use its methods then,
    ``@staff.login_required``; the module's functions serve the manager without a name, or the one
    with *default_names*, which keeps the logins from before it had a name.

    With *sessions*, a store of `quart_login.stores`, each login is kept there until it ends: users
    see their logins, and end them.
    """

    defaults = settings.FLASK_LOGIN

    visitor = "flask_compat._visitor"

    def __init__(
        self,
        app: Flask | None = None,
        add_context_processor: bool = True,
        *,
        sessions: Store | None = None,
        name: str | None = None,
        default_names: bool = False,
    ) -> None:
        super().__init__(name, default_names, sessions)
        self._current_user = CurrentUser(self)
        self._header_callback: Callable[[str], Any] | None = None
        if app is not None:
            self.init_app(app, add_context_processor)

    def init_app(self, app: Flask, add_context_processor: bool = True) -> None:
        """Give *app* its logins, and its templates `current_user`.

        Raises `ConfigurationError` or `TypeError` for settings that cannot work.
        """
        if hasattr(app, "before_serving"):
            raise ConfigurationError(
                "flask_compat serves Flask, and this is a Quart application. For Quart take"
                " LoginManager from quart_login."
            )
        refuse_loops(self.sessions)
        config = self.config_of(app)
        cookies.secure(app.config, settings.reader(config), self.realm)
        settings.check(config)
        if (wrong := settings.unknown_protection(config)) is not None:
            logger.warning("%s Sessions are not protected.", wrong)  # as Flask-Login, but said
        is_new = realms.join(app, self, replaces=True)
        if self.realm is None:
            app.login_manager = self  # type: ignore[attr-defined]
        if not is_new:
            return
        add_commands(app)
        check_first(app)
        app.after_request(self._update_remember_cookie)
        # Last of all, so that the application's own hooks may still log in and out.
        hooks = cast("list[Any]", app.after_request_funcs[None])
        hooks.insert(0, hooks.pop())
        if add_context_processor:
            own = _user_context_processor if self.realm is None else self._give_templates_the_user
            app.context_processor(own)

    # --- for views -------------------------------------------------------------------------------

    def unauthorized(self) -> Any:
        """Return the response for a stranger: what `unauthorized_handler` says, or a redirect.

        The visitor is sent to the login view of the blueprint, or of the application, with the page
        to come back to.  Where there is none, it is status 401.
        """
        return step(guard.unauthorized(exchange(self)))

    def needs_refresh(self) -> Any:
        """Return the response for a stale login: what `needs_refresh_handler` says, or a redirect
        to `refresh_view`.  Where there is none, it is status 401.
        """
        return step(guard.needs_refresh(exchange(self)))

    own_answers = (unauthorized, needs_refresh)

    @property
    def current_user(self) -> UserT:
        """The user of the current request, as the application's user class."""
        return cast(UserT, self._current_user)

    def login_user(
        self,
        user: UserT,
        remember: bool = False,
        duration: timedelta | None = None,
        force: bool = False,
        fresh: bool = True,
        *,
        method: str | None = None,
    ) -> bool:
        """Log *user* in, as `flask_compat.login_user` does.

        *method* says how they proved who they are, for those who list their login sessions:
        ``"passkey"``, say.  A fresh login is by ``"password"`` if nothing is said.
        """
        return step(
            core_login.log_in(exchange(self), user, remember, duration, force, fresh, method)
        )

    def logout_user(self) -> bool:
        """Log the current user out, as `flask_compat.logout_user` does."""
        return step(core_login.logout_user(exchange(self)))

    def confirm_login(self) -> None:
        """Make the current login fresh, as `flask_compat.confirm_login` does."""
        step(core_login.confirm_login(exchange(self)))

    def redirect_next(self, fallback: str = "/", next_field: str = "next") -> Response:
        """Return a redirect to where the visitor goes, as `flask_compat.redirect_next` does."""
        return step(onward.redirect_next(exchange(self), fallback, next_field))

    # As the functions of these names, for this manager's users.
    list_sessions = stepped_method(listing.list_sessions)
    revoke_session = stepped_method(listing.revoke_session)
    revoke_other_sessions = stepped_method(listing.revoke_other_sessions)
    revoke_user = stepped_method(listing.revoke_user)
    purge_sessions = stepped_method(listing.purge_sessions)

    def login_fresh(self) -> bool:
        """Return whether the current login is fresh, as `flask_compat.login_fresh` does."""
        get_user(self)
        return core_login.login_fresh(exchange(self))

    def login_decision(self) -> LoginDecision:
        """Return why the request is anonymous, or how its user came; see
        `flask_compat.login_decision`.
        """
        get_user(self)
        return core_login.login_decision(exchange(self))

    def report_login_failure(
        self,
        identifier: object = None,
        *,
        reason: str | None = None,
        user: UserT | None = None,
        **extra: Any,
    ) -> None:
        """Tell that a login failed, as `flask_compat.report_login_failure` does."""
        step(
            report.report_login_failure(
                exchange(self), identifier, reason=reason, user=user, **extra
            )
        )

    def login_remembered(self) -> bool:
        """Return whether a remember cookie came, as `flask_compat.login_remembered` does."""
        return core_login.login_remembered(exchange(self))

    def login_required(self, func: V) -> V:
        """Let only this manager's users into the view *func*; see `flask_compat.login_required`."""
        return cast(V, guarded(func, fresh=False, manager=self))

    @overload
    def fresh_login_required(self, func: V) -> V: ...

    @overload
    def fresh_login_required(self, *, max_age: timedelta | float) -> Callable[[V], V]: ...

    def fresh_login_required(
        self, func: Any = None, *, max_age: timedelta | float | None = None
    ) -> Any:
        """Let only users into *func* who typed their password not long ago; see
        `flask_compat.fresh_login_required`.
        """
        return freshly_guarded(func, max_age, self)

    @overload
    def basic_auth_required(self, func: V, /) -> V: ...

    @overload
    def basic_auth_required(
        self, /, *, username_key: str = ..., password_key: str = ...
    ) -> Callable[[V], V]: ...

    def basic_auth_required(
        self,
        func: Any = None,
        /,
        *,
        username_key: str = "LOGIN_BASIC_USERNAME",
        password_key: str = "LOGIN_BASIC_PASSWORD",
    ) -> Any:
        """Let only who knows this realm's username and password into the view *func*; see
        `flask_compat.basic_auth_required`.
        """
        return basic_guarded(func, basic.Names(username_key, password_key), self)

    def issue_token(self, user: UserT, *, lifetime: timedelta | float | None = None) -> str:
        """Return a bearer token for *user* in this realm; see `flask_compat.issue_token`."""
        return bearer.issue(current_app, self, user, lifetime)

    def outside(self, app: Flask, work: Callable[..., Coroutine[Any, Any, R]], *args: Any) -> R:
        """Return what ``work(exchange, *args)`` does outside of requests."""
        with app.app_context():
            at_hand = anywhere(self)
            step(listing.check_store(at_hand))  # as Quart does when it starts
            return step(work(at_hand, *args))

    @overload
    def anonymous_required(self, target: V, /) -> V: ...

    @overload
    def anonymous_required(self, target: str | None = None, /) -> Callable[[V], V]: ...

    def anonymous_required(self, target: Any = None, /) -> Any:
        """Send this manager's users away from a view, to *target*; see
        `flask_compat.anonymous_required`.
        """
        return anonymous(target, self)

    def acting_as(self, user: UserT) -> acting_as[UserT]:
        """Let *user* be this manager's current user in a ``with`` block; see
        `flask_compat.acting_as`.
        """
        return acting_as(user, realm=self.realm)

    def watch_fences(self, app: Any) -> None:
        """Look at each request to *app*."""
        watch(app)

    def _give_templates_the_user(self) -> dict[str, Any]:
        """Give templates ``current_staff``, if that is the realm; see `_user_context_processor`."""
        return {f"current_{self.realm}": self._current_user}

    # --- what the core asks ----------------------------------------------------------------------

    @property
    def asks_requests(self) -> bool:
        """May a request name its user by something else than a session or a remember cookie?"""
        return self._request_callback is not None or self._header_callback is not None

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

    @property
    def _session_identifier_generator(self) -> Callable[[], Any]:
        """Returns what a session is bound to; replace it to bind sessions to something else."""
        return self.own_identifier or _create_identifier

    @_session_identifier_generator.setter
    def _session_identifier_generator(self, generator: Callable[[], Any]) -> None:
        self.own_identifier = None if generator is _create_identifier else generator

    def _load_user(self) -> None:
        """Load the user of the request at hand, anew, and let everybody know."""
        at_hand = exchange(self)
        at_hand.identity.loaded = at_hand.identity.seen = False
        step(self._load_anew(at_hand))

    async def _load_anew(self, at_hand: Exchange) -> None:
        await load(at_hand)
        await known(at_hand)

    def _update_request_context_with_user(self, user: Any = None) -> None:
        """Let *user*, or the anonymous user, be the user of the request at hand."""
        identity = exchange(self).identity
        bind_user(self, identity, user)
        identity.error = None

    def _update_remember_cookie(self, response: Any) -> Any:
        """Let the response carry what the request decided."""
        place = here()
        assert place is not None
        app, request, session = place
        if self.realm is None and app.login_manager is not self:
            return response  # Another manager took this one's place.
        held, config = request.__dict__, app.config if self.realm is None else self.config_of(app)
        identity = looked = held.get(self.attribute)
        if identity is None:
            identity = held[self.attribute] = Identity()  # Nobody looked; a stream may yet.
        elif is_due(identity, session, self.keys, config):
            step(finish(exchange(self), response))
        if session or looked:
            depends = identity.seen or caching.depends(identity, session, self.keys, config)
            if depends:
                private = identity.by_header or config.get(_PRIVATE, self.defaults[_PRIVATE])
                caching.mark(response, private, app.config["DEBUG"])
            if getattr(session, "accessed", False) and _says_vary(app, session, depends):
                session.accessed = False
        identity.closed, identity.error = True, None
        if type(response.response) is not list and is_streamed(response):
            if may_be_somebody(exchange(self)):
                touch(session)  # The body may ask, and the headers go first.
                caching.mark_stream(response, identity.by_header or self.setting(app, _PRIVATE))
            follow(response, place, None if self.sessions is None else Ending(exchange(self)))
        return response

    def _set_cookie(self, response: Any) -> None:
        here = exchange(self)
        token = Token(here.session[self.keys.user_id])
        keys = keys_of(here.config)
        change = remember.issue(token, keys, here.setting, self.clock())
        remember.apply(change, response, here.setting)

    def _clear_cookie(self, response: Any) -> None:
        remember.apply(remember.DELETE, response, exchange(self).setting)

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

    #: These two as they are here.  Dependants replace them, in a class, in a manager or in this
    #: very class; then they are called, which costs.
    own_load = _load_user
    own_bind = _update_request_context_with_user


def _says_vary(app: Flask, session: Any, said: bool) -> bool:
    """Does the response say ``Vary: Cookie``, *said* or not, without the framework's looking at
    whether *session* was accessed?  (It looks in the headers then, which is dear.)
    """
    plain = type(session) is SecureCookieSession
    if not plain or type(app.session_interface) not in _SECURE_COOKIES:
        return False  # There it may mean something else, too.
    return said or session.modified  # As it writes the cookie, it says so in any case.
