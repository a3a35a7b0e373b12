"""Which callbacks and settings has the application given?"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast, overload

from . import challenge, fences, realms, settings, signals
from .errors import MissingLoader
from .identity import ATTRIBUTE
from .protection import fingerprint, later_fingerprint
from .signals import UserSignal, user_loaded_from_request
from .store import Store
from .users import AnonymousUserMixin

if TYPE_CHECKING:
    # A default for an unparametrized LoginManager is news to the standard library of Python 3.13.
    from typing_extensions import TypeVar

    from .exchange import Exchange
    from .quart_auth import QuartAuthCookie
    from .urls import View

    UserT = TypeVar("UserT", default=Any)
else:
    from typing import TypeVar

    UserT = TypeVar("UserT")

K = TypeVar("K")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


def _now() -> float:
    # Looked up at each call, so that tests which replace time.time move this clock, too.
    return time.time()


class BaseLoginManager(Generic[UserT]):
    """What both shells' managers have in common."""

    #: The settings that hold where an application says nothing.
    defaults: ClassVar[Mapping[str, Any]] = settings.DEFAULTS

    #: The module of this shell whose ``Visitor`` an audit sends.
    visitor: ClassVar[str]

    #: This shell's own `unauthorized` and `needs_refresh`, which do what the core does.
    own_answers: ClassVar[tuple[Any, ...]] = ()

    #: Returns what a session is bound to, if that is not the client's fingerprint.
    own_identifier: Callable[[], str] | None = None

    #: Quart-Auth's cookie, if it is read; see `quart_auth`.
    adopted: QuartAuthCookie | None = None

    #: The signals, knowing the application's user class.
    user_logged_in: UserSignal[UserT] = cast(Any, signals.user_logged_in)
    user_logged_out: UserSignal[UserT] = cast(Any, signals.user_logged_out)
    user_login_failed: UserSignal[UserT | None] = cast(Any, signals.user_login_failed)
    user_loaded_from_cookie: UserSignal[UserT] = cast(Any, signals.user_loaded_from_cookie)
    user_loaded_from_request: UserSignal[UserT] = cast(Any, signals.user_loaded_from_request)

    def __init__(
        self,
        name: str | None = None,
        default_names: bool = False,
        sessions: Store | None = None,
    ) -> None:
        #: What the realm is called, if the application has several managers.
        self.name = realms.checked_name(name)

        #: What this manager's cookie, session keys and salts are told apart by; None for those of
        #: Flask-Login, which the one default manager of an application has.
        self.realm = None if default_names else self.name

        #: Where on the request this manager keeps what is known of who makes it.
        self.attribute = ATTRIBUTE if self.realm is None else f"{ATTRIBUTE}:{self.realm}"

        #: What receivers of signals are told beside the usual, if the application has several.
        self.signal_data: dict[str, Any] = {} if self.name is None else {"realm": self.name}

        #: A class or factory (a plain callable) of the user of a request that nobody logged in to.
        self.anonymous_user: Callable[[], Any] = AnonymousUserMixin

        #: The endpoint or URL of the login page; or a function (plain or ``async def``) that takes
        #: nothing and returns one, or None for none.
        self.login_view: View = None

        #: Login pages by blueprint name; None as the value means `login_view`.
        self.blueprint_login_views: dict[str | None, View] = {}

        #: The message for visitors who are sent to the login page; None for none.
        self.login_message: str | None = settings.LOGIN_MESSAGE

        #: The category of `login_message`.
        self.login_message_category = settings.LOGIN_MESSAGE_CATEGORY

        #: The endpoint or URL of the page where users type their password again; or a function, as
        #: for `login_view`.
        self.refresh_view: View = None

        #: The message for users who are sent to the refresh page; None for none.
        self.needs_refresh_message: str | None = settings.REFRESH_MESSAGE

        #: The category of `needs_refresh_message`.
        self.needs_refresh_message_category = settings.REFRESH_MESSAGE_CATEGORY

        #: What becomes of a session that comes from another client: ``"basic"`` makes it stale,
        #: ``"strong"`` drops it, None does nothing.  ``SESSION_PROTECTION`` in the config wins.
        self.session_protection: str | None = "basic"

        #: Translates `login_message` and `needs_refresh_message`.
        self.localize_callback: Callable[[str], Any] | None = None

        self.unauthorized_callback: Callable[[], Any] | None = None
        self.needs_refresh_callback: Callable[[], Any] | None = None

        #: The name of the method that returns a user's id.
        self.id_attribute = settings.ID_ATTRIBUTE

        #: Returns the time in seconds since 1970; tests may set another.
        self.clock: Callable[[], float] = _now

        #: Was the developer told that SECRET_KEY is too short?
        self.warned_of_weak_key = False

        #: Was the developer told that browsers ignore the cookies of a login without HTTPS?
        self.warned_of_http = False

        #: Where in the session this manager keeps what it knows.
        self.keys = realms.session_keys(self.realm)

        #: Where login sessions are kept; None where a signed cookie is all there is.
        self.sessions: Store | None = sessions

        self._user_callback: Callable[[Any], Any] | None = None
        self._request_callback: Callable[[Any], Any] | None = None
        self._verify_callback: Callable[[str, str], Any] | None = None

    def setting(self, app: Any, key: str) -> Any:
        """Return *app*'s setting *key*, or this shell's default."""
        return self.config_of(app).get(key, self.defaults[key])

    def config_of(self, app: Any) -> Mapping[str, Any]:
        """Return the configuration of *app*, as this manager sees it."""
        if self.realm is None:
            return app.config  # type: ignore[no-any-return]
        return realms.RealmConfig(app.config, self.realm)

    def protection_mode(self, app: Any) -> str | None:
        """Return the mode of session protection: ``"basic"``, ``"strong"`` or another for none."""
        mode = self.config_of(app).get("SESSION_PROTECTION", self.session_protection)
        return mode  # type: ignore[no-any-return]

    # --- callbacks -------------------------------------------------------------------------------

    @overload
    def user_loader(
        self, callback: Callable[[K], Coroutine[Any, Any, UserT | None]]
    ) -> Callable[[K], Coroutine[Any, Any, UserT | None]]: ...

    @overload
    def user_loader(self, callback: Callable[[K], UserT | None]) -> Callable[[K], UserT | None]: ...

    def user_loader(self, callback: Any) -> Any:
        """Register *callback*, which takes a user's id and returns the user, or None for nobody.

        It may be a coroutine function or a plain one.  The id is what the user's ``get_id()``
        returned, equal in value and type.  If it raises, nobody is logged in.
        """
        self._user_callback = callback
        return callback

    @property
    def user_callback(self) -> Callable[[Any], Any] | None:
        """The callback that `user_loader` registered."""
        return self._user_callback

    @overload
    def request_loader(
        self, callback: Callable[[R], Coroutine[Any, Any, UserT | None]]
    ) -> Callable[[R], Coroutine[Any, Any, UserT | None]]: ...

    @overload
    def request_loader(
        self, callback: Callable[[R], UserT | None]
    ) -> Callable[[R], UserT | None]: ...

    def request_loader(self, callback: Any) -> Any:
        """Register *callback*, which takes the request and returns its user, or None for nobody.

        It is asked when neither the session nor a remember cookie names a user; it creates no
        session.  It may be a coroutine function or a plain one.
        """
        self._request_callback = callback
        return callback

    @property
    def request_callback(self) -> Callable[[Any], Any] | None:
        """The callback that `request_loader` registered."""
        return self._request_callback

    @overload
    def verify_password(
        self, callback: Callable[[str, str], Coroutine[Any, Any, UserT | None]]
    ) -> Callable[[str, str], Coroutine[Any, Any, UserT | None]]: ...

    @overload
    def verify_password(
        self, callback: Callable[[str, str], UserT | None]
    ) -> Callable[[str, str], UserT | None]: ...

    def verify_password(self, callback: Any) -> Any:
        """Register *callback*, which takes a username and a password and returns the user whose
        they are, or None for nobody.

        With it, ``Authorization: Basic`` is accepted wherever a login is, and decides alone whose
        the request is.  The callback may be a coroutine function or a plain one; it gets texts
        without control characters, and is asked at every such request.  If it raises, nobody is
        logged in.
        """
        self._verify_callback = callback
        return callback

    @property
    def verify_callback(self) -> Callable[[str, str], Any] | None:
        """The callback that `verify_password` registered."""
        return self._verify_callback

    def unauthorized_handler(self, callback: F) -> F:
        """Register *callback*, which takes nothing and returns the response for strangers."""
        self.unauthorized_callback = callback
        return callback

    def needs_refresh_handler(self, callback: F) -> F:
        """Register *callback*, which takes nothing and returns the response for stale logins."""
        self.needs_refresh_callback = callback
        return callback

    # --- what needs a login without saying so -----------------------------------------------------

    def require_login(self, app_or_blueprint: Any, *, exempt_static: bool = False) -> None:
        """Let only users who are logged in into *app_or_blueprint*, whatever its views say.

        All of an application is protected: every route and method, OPTIONS and HEAD, too, every
        websocket, and what is no route at all (404, 405).  Of a blueprint it is its routes, those
        of the blueprints nested in it, and, if it has an URL prefix, whatever begins with that.
        Open are views marked with `login_exempt` or `anonymous_required`, the login pages of the
        application's managers, and static files with *exempt_static* alone.

        Call it at any time before the first request; for a blueprint, before that is registered.
        Raises `ConfigurationError` if it was, and `TypeError` for any other object.
        """
        fences.put_up(self, app_or_blueprint, exempt_static)

    # --- what the core asks ----------------------------------------------------------------------

    def unauthorized(self) -> Any:
        """Answer a stranger; each shell says how it waits for that."""
        raise TypeError("BaseLoginManager answers no requests; use a shell's LoginManager.")

    def needs_refresh(self) -> Any:
        """Answer a user whose login is stale; each shell says how it waits for that."""
        raise TypeError("BaseLoginManager answers no requests; use a shell's LoginManager.")

    def watch_fences(self, app: Any) -> None:
        """Look at each request to *app*; each shell says by which hooks."""
        raise TypeError("BaseLoginManager sees no requests; use a shell's LoginManager.")

    def outside(self, app: Any, work: Callable[..., Coroutine[Any, Any, R]], *args: Any) -> R:
        """Return what ``work(exchange, *args)`` does outside of requests, in a command, say; each
        shell says how it waits for that.
        """
        raise TypeError("BaseLoginManager waits for nothing; use a shell's LoginManager.")

    def require_loader(self) -> None:
        """Raise `MissingLoader` unless users can be loaded."""
        if not self.loads_users:
            raise MissingLoader(
                "Missing user_loader or request_loader. Register one:"
                " @login_manager.user_loader on a function that takes an id and returns the user."
            )

    def heed_late_settings(self, app: Any) -> None:
        """Do what is done about the settings of *app* when it begins to be served."""
        return  # Flask tells nobody that it begins.

    @property
    def loads_users(self) -> bool:
        """Is there a callback that could tell who makes a request?"""
        return bool(self._user_callback or self._request_callback or self._verify_callback)

    @property
    def asks_requests(self) -> bool:
        """May a request name its user by something else than a session or a remember cookie?"""
        return self._request_callback is not None

    def request_loaders(self, exchange: Exchange) -> list[tuple[Callable[[Any], Any], Any, Any]]:
        """Return who else may know the user of the request: callback, argument, signal."""
        if self._request_callback is None:
            return []
        return [(self._request_callback, exchange.request, user_loaded_from_request)]

    def challenges(self, exchange: Exchange) -> list[str]:
        """Return the values of ``WWW-Authenticate`` for a request that is refused now."""
        return challenge.challenges(exchange)

    def identifier(self, exchange: Exchange) -> str:
        """Return what a session is bound to: the fingerprint of the client."""
        if self.own_identifier is not None:
            return self.own_identifier()
        address, agent, _ = exchange.look()
        return fingerprint(address, agent)

    def is_same_client(self, exchange: Exchange) -> bool:
        """Was the session made for the client that makes this request?"""
        made_for = exchange.session.get(self.keys.id)
        if made_for == self.identifier(exchange):
            return True
        return made_for is not None and made_for == later_fingerprint(*exchange.client())
