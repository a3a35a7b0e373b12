"""How does a Quart application get its logins?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar, cast, overload

from quart import Quart, current_app
from quart.sessions import SecureCookieSession, SecureCookieSessionInterface
from quart.wrappers.response import DataBody, IterableBody
from werkzeug.wrappers import Response

from ._context import begin_websocket, connection, here
from ._core import (
    basic,
    bearer,
    caching,
    cookies,
    guard,
    listing,
    onward,
    realms,
    report,
    settings,
)
from ._core import login as core_login
from ._core.claim import may_be_somebody, may_name_somebody
from ._core.command_line import add_commands
from ._core.decision import LoginDecision
from ._core.errors import ConfigurationError
from ._core.fences import is_static
from ._core.finish import finish, is_due, tell_late
from ._core.identity import Identity
from ._core.load import announce, known, load, touch
from ._core.manager import BaseLoginManager, UserT
from ._core.store import Store
from ._current import CurrentUser, acting_as, get_user, user_loaded
from ._exchange import (
    QuartExchange,
    anywhere,
    authorization_of,
    awaited_method,
    exchange,
    identity_of,
)
from ._fence import watch as watch_requests
from ._loops import run
from ._origins import check_origin
from ._streams import Cutting, cutting, follow
from ._views import anonymous, basic_guarded, freshly_guarded, guarded
from ._watch import Watch
from ._websocket import watch_of
from .cookie_session import LeanCookieSessionInterface

#: Whether responses that depend on the user are kept from shared caches.
_PRIVATE: Final = "LOGIN_CACHE_CONTROL_PRIVATE"

#: The interfaces that write the session as the framework does, and say ``Vary`` as it does.
_SECURE_COOKIES: Final = (SecureCookieSessionInterface, LeanCookieSessionInterface)

V = TypeVar("V", bound=Callable[..., Any])
R = TypeVar("R")


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

    defaults = settings.SAFE

    visitor = "quart_login._visitor"

    def __init__(
        self,
        app: Quart | None = None,
        add_context_processor: bool = True,
        *,
        sessions: Store | None = None,
        name: str | None = None,
        default_names: bool = False,
    ) -> None:
        super().__init__(name, default_names, sessions)
        self._current_user = CurrentUser(self)
        if app is not None:
            self.init_app(app, add_context_processor)

    def init_app(self, app: Quart, add_context_processor: bool = True) -> None:
        """Give *app* its logins, and its templates `current_user`.

        Raises `ConfigurationError` or `TypeError` for settings that cannot work.
        """
        if not hasattr(app, "before_serving"):
            raise ConfigurationError(
                f"quart_login serves Quart, and this is {type(app).__name__}. For Flask take"
                " LoginManager from flask_compat."
            )
        self._check(app)
        if not realms.join(app, self, replaces=False):
            return
        if self.realm is None:
            app.login_manager = self  # type: ignore[attr-defined]
        add_commands(app)
        app.before_serving(self._check_keys(app))
        app.while_serving(self._check_store)  # after what is before serving made its tables, say
        # First of all, so that the application's own hooks see the user; and last of all, so that
        # theirs may still log in and out.
        app.before_request(self._before)
        app.before_websocket(self._before_websocket)
        app.after_request(self._after)
        app.after_websocket(self._after_websocket)
        if self.sessions is not None:
            self._watch(app)
        before = (app.before_request_funcs, app.before_websocket_funcs)
        for hooks in (*before, app.after_request_funcs):
            own = cast("list[Any]", hooks[None])
            own.insert(0, own.pop())
        if add_context_processor:
            app.context_processor(self._give_templates_the_user)

    def heed_late_settings(self, app: Any) -> None:
        cookies.secure(app.config, settings.reader(self.config_of(app)), self.realm)

    def _check(self, app: Quart) -> None:
        config = self.config_of(app)
        self.heed_late_settings(app)
        settings.check(config)
        if (wrong := settings.unknown_protection(config)) is not None:
            raise ConfigurationError(wrong)

    def _check_keys(self, app: Quart) -> Any:
        async def check_keys() -> None:
            """Refuse to serve with settings that cannot work, also those that came later."""
            self._check(app)
            if self.sessions is not None and watch_of(app, self) is None:
                self._watch(app)
            realms.check_cookies(app)
            basic.check_views(app)
            if self._user_callback is not None:
                core_login.check_keys(app, self)

        return check_keys

    def _watch(self, app: Quart) -> None:
        """Let websockets and streams end with their login."""
        watch = Watch(app, self)

        async def let_go(error: BaseException | None) -> None:
            at_hand = connection()
            if at_hand is not None:
                watch.let_go(at_hand)

        app.teardown_websocket(let_go)
        if not issubclass(app.asgi_http_class, Cutting):
            app.asgi_http_class = cutting(app.asgi_http_class)

    def _check_store(self) -> Any:
        """Refuse to serve with a store that cannot work."""
        return _WhenItStarts(lambda: listing.check_store(anywhere(self)))

    # --- around each request ---------------------------------------------------------------------

    async def _before(self) -> None:
        """Load the user, unless nobody needs that."""
        place = here()
        assert place is not None
        app, connection, session = place
        held, config = (
            connection.__dict__,
            app.config if self.realm is None else self.config_of(app),
        )
        identity = held.get(self.attribute)
        if identity is None:
            identity = held[self.attribute] = Identity()
        if identity.loaded:
            return  # Somebody logged in already.
        if config.get("LOGIN_LOAD_USER") == "on_demand":
            identity.strict = True
        elif self._user_callback is None and not self.loads_users:
            pass  # Whoever asks is told that there is no loader.
        elif (
            self.keys.user_id not in session
            and (self.sessions is None or self.keys.record not in session)
            and not may_name_somebody(self, config, connection, session)
            and authorization_of(connection) is None
        ):
            identity.loaded = True
        elif (rule := connection.url_rule) is None or not is_static(app, rule.endpoint):
            at_hand = QuartExchange(app, self, connection, session, identity)
            await load(at_hand)
            if identity.news:
                await announce(at_hand)

    async def _before_websocket(self) -> None:
        """Load the user, unless it is another site's page that opens the websocket."""
        begin_websocket()
        at_hand = exchange(self)
        check_origin(at_hand)
        # None where a test has given the manager its store after `init_app`, and starts nothing up.
        watch = None if self.sessions is None else watch_of(at_hand.app, self)
        if watch is not None:
            watch.begin(at_hand.request)
        await self._before()

    async def _after(self, response: Any) -> Any:
        """Let the response carry what the request decided."""
        place = here()
        identity = None if place is None else place[1].__dict__.get(self.attribute)
        if place is None or identity is None:
            return response
        app, _, session = place
        config = app.config if self.realm is None else self.config_of(app)
        if is_due(identity, session, self.keys, config):
            await finish(exchange(self), response)
        depends = identity.seen or caching.depends(identity, session, self.keys, config)
        if depends:
            private = identity.by_header or config.get(_PRIVATE, self.defaults[_PRIVATE])
            caching.mark(response, private, app.config["DEBUG"])
        if getattr(session, "accessed", False) and _says_vary(app, session, depends):
            session.accessed = False
        identity.closed, identity.error = True, None
        if type(response.response) is not DataBody and isinstance(response.response, IterableBody):
            self._let_stream(response, place, identity)
        return response

    def _let_stream(self, response: Any, place: Any, identity: Identity) -> None:
        """Let the body of *response*, which is yet to come, see the user and end with the login."""
        app, _, session = place
        if may_be_somebody(exchange(self)):
            touch(session)  # The body may ask, and the headers go first.
            caching.mark_stream(response, identity.by_header or self.setting(app, _PRIVATE))
        steps = follow(response.response, place)
        watch = None if self.sessions is None else watch_of(app, self)
        if watch is not None and (identity.login_session or not identity.loaded):
            steps.may_be_cut(partial(watch.hold_stream, identity))

    async def _after_websocket(self, response: Any = None) -> Any:
        """Tell those who could not be told while the socket was open."""
        at_hand = exchange(self)
        await tell_late(at_hand)
        at_hand.identity.close()
        return response

    # --- for views -------------------------------------------------------------------------------

    async def unauthorized(self) -> Any:
        """Return the response for a stranger: what `unauthorized_handler` says, or a redirect.

        The visitor is sent to the login view of the blueprint, or of the application, with the page
        to come back to.  Where there is none, and in a websocket, it is status 401.
        """
        return await guard.unauthorized(exchange(self))

    async def needs_refresh(self) -> Any:
        """Return the response for a stale login: what `needs_refresh_handler` says, or a redirect
        to `refresh_view`.  Where there is none, and in a websocket, it is status 401.
        """
        return await guard.needs_refresh(exchange(self))

    own_answers = (unauthorized, needs_refresh)

    @property
    def current_user(self) -> UserT:
        """The user of the current request, as the application's user class."""
        return cast(UserT, self._current_user)

    async def login_user(
        self,
        user: UserT,
        remember: bool = False,
        duration: timedelta | None = None,
        force: bool = False,
        fresh: bool = True,
        *,
        method: str | None = None,
    ) -> bool:
        """Log *user* in, as `quart_login.login_user` does.

        *method* says how they proved who they are, for those who list their login sessions:
        ``"passkey"``, say.  A fresh login is by ``"password"`` if nothing is said.
        """
        return await core_login.log_in(
            exchange(self), user, remember, duration, force, fresh, method
        )

    async def logout_user(self) -> bool:
        """Log the current user out, as `quart_login.logout_user` does."""
        return await core_login.logout_user(exchange(self))

    async def confirm_login(self) -> None:
        """Make the current login fresh, as `quart_login.confirm_login` does."""
        await core_login.confirm_login(exchange(self))

    async def redirect_next(self, fallback: str = "/", next_field: str = "next") -> Response:
        """Return a redirect to where the visitor was going, as `quart_login.redirect_next` does."""
        return await onward.redirect_next(exchange(self), fallback, next_field)

    # As the functions of these names, for this manager's users.
    list_sessions = awaited_method(listing.list_sessions)
    revoke_session = awaited_method(listing.revoke_session)
    revoke_other_sessions = awaited_method(listing.revoke_other_sessions)
    revoke_user = awaited_method(listing.revoke_user)
    purge_sessions = awaited_method(listing.purge_sessions)

    def login_fresh(self) -> bool:
        """Return whether the current login is fresh, as `quart_login.login_fresh` does."""
        get_user(self)
        return core_login.login_fresh(exchange(self))

    def login_decision(self) -> LoginDecision:
        """Return why the request is anonymous, or how its user came; see
        `quart_login.login_decision`.
        """
        return core_login.login_decision(exchange(self))

    async def report_login_failure(
        self,
        identifier: object = None,
        *,
        reason: str | None = None,
        user: UserT | None = None,
        **extra: Any,
    ) -> None:
        """Tell that a login failed, as `quart_login.report_login_failure` does."""
        await report.report_login_failure(
            exchange(self), identifier, reason=reason, user=user, **extra
        )

    def login_remembered(self) -> bool:
        """Return whether a remember cookie came, as `quart_login.login_remembered` does."""
        return core_login.login_remembered(exchange(self))

    def acting_as(self, user: UserT) -> acting_as[UserT]:
        """Let *user* be this manager's current user in an ``async with`` block; see
        `quart_login.acting_as`.
        """
        return acting_as(user, realm=self.realm)

    async def load_user(self) -> UserT:
        """Load the user of the current request, if that was not done, and return it."""
        return cast(UserT, await user_loaded(self))

    def login_required(self, func: V) -> V:
        """Let only this manager's users into the view *func*; see `quart_login.login_required`."""
        return cast(V, guarded(func, fresh=False, manager=self))

    @overload
    def fresh_login_required(self, func: V) -> V: ...

    @overload
    def fresh_login_required(self, *, max_age: timedelta | float) -> Callable[[V], V]: ...

    def fresh_login_required(
        self, func: Any = None, *, max_age: timedelta | float | None = None
    ) -> Any:
        """Let only users into *func* who typed their password not long ago; see
        `quart_login.fresh_login_required`.
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
        `quart_login.basic_auth_required`.
        """
        return basic_guarded(func, basic.Names(username_key, password_key), self)

    def issue_token(self, user: UserT, *, lifetime: timedelta | float | None = None) -> str:
        """Return a bearer token for *user* in this realm; see `quart_login.issue_token`."""
        return bearer.issue(current_app, self, user, lifetime)

    def outside(self, app: Quart, work: Callable[..., Coroutine[Any, Any, R]], *args: Any) -> R:
        """Return what ``work(exchange, *args)`` does outside of requests and event loops, with
        *app* started up as to serve.
        """
        found: R = run(app, self._outside, app, work, *args)
        return found

    async def _outside(
        self, app: Quart, work: Callable[..., Coroutine[Any, Any, R]], *args: Any
    ) -> R:
        async with app.app_context():
            await app.startup()  # Loaders and stores use what it opens: connections, say.
            try:
                found: R = await work(anywhere(self), *args)
                return found
            finally:
                await app.shutdown()

    @overload
    def anonymous_required(self, target: V, /) -> V: ...

    @overload
    def anonymous_required(self, target: str | None = None, /) -> Callable[[V], V]: ...

    def anonymous_required(self, target: Any = None, /) -> Any:
        """Send this manager's users away from a view, to *target*; see
        `quart_login.anonymous_required`.
        """
        return anonymous(target, self)

    def watch_fences(self, app: Any) -> None:
        """Look at each request and handshake to *app*."""
        watch_requests(app)

    async def _give_templates_the_user(self) -> dict[str, Any]:
        """Give templates `current_user` (``current_staff``, if that is the realm); where users are
        loaded on demand, this is a demand.
        """
        at_hand = connection()
        identity = None if at_hand is None else identity_of(at_hand, self.attribute)
        if identity is not None and identity.strict:
            await known(exchange(self))
        return {f"current_{self.realm or 'user'}": self._current_user}


class _WhenItStarts:
    """Calls *check* whenever an application starts: in tests it may do so many times.  (Quart asks
    a generator at each start and at each end, and one written with ``yield`` has but one of each.)
    """

    def __init__(self, check: Callable[[], Awaitable[None]]) -> None:
        self._check = check
        self._serves = False

    async def __anext__(self) -> None:
        if self._serves:
            self._serves = False
            raise StopAsyncIteration
        await self._check()
        self._serves = True


def _says_vary(app: Quart, session: Any, said: bool) -> bool:
    """Does the response say ``Vary: Cookie``, *said* or not, without the framework's looking at
    whether *session* was accessed?  (It looks in the headers then, which is dear.)
    """
    plain = type(session) is SecureCookieSession
    if not plain or type(app.session_interface) not in _SECURE_COOKIES:
        return False  # There it may mean something else, too.
    return said or session.modified  # As it writes the cookie, it says so in any case.
