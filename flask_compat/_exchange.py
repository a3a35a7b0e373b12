"""How does the core wait in Flask?  It does not: it calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, ClassVar, Concatenate, Final, ParamSpec, TypeVar, cast

import flask
from blinker import Signal

from quart_login._core.errors import OutOfPlace
from quart_login._core.exchange import Exchange
from quart_login._core.identity import ATTRIBUTE, Identity
from quart_login._core.load import load
from quart_login._core.public import is_coroutine_function, publish
from quart_login._core.realms import missing_manager
from quart_login._core.step import step

from ._context import here, keep_on_g

P = ParamSpec("P")
T = TypeVar("T")

#: The methods of a manager that dependants replace, in a class or an object.
_LOAD: Final = "_load_user"
_BIND: Final = "_update_request_context_with_user"


class FlaskExchange(Exchange):
    """A request to a Flask application."""

    __slots__ = ()

    web: ClassVar[Any] = flask
    manager: Any

    async def call(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        if is_coroutine_function(fn):
            return cast(T, self.app.ensure_sync(fn)(*args))
        result: Any = fn(*args)
        # A plain function may return an awaitable, too.
        if hasattr(result, "__await__"):
            result = self.app.ensure_sync(_result_of)(result)
        return cast(T, result)

    async def notify(self, signal: Signal, **extra: Any) -> None:
        if signal.receivers:
            told = {**self.manager.signal_data, **extra}
            signal.send(self.app, _async_wrapper=self.app.ensure_sync, **told)

    async def options(self) -> Any:
        return self.app.make_default_options_response()

    async def form(self) -> Mapping[str, str]:
        return cast("Mapping[str, str]", self.request.form)

    def authorization(self) -> str | None:
        # A server joins repeated headers with commas.
        return self.request.environ.get("HTTP_AUTHORIZATION")  # type: ignore[no-any-return]

    def client(self) -> tuple[str | None, str | None]:
        return self.request.remote_addr, self.request.environ.get("HTTP_USER_AGENT")

    # Nothing here can be ended while it runs.
    call_loader = call

    def load_user(self) -> Awaitable[None]:
        if self.manager.loads_itself or _LOAD in self.manager.__dict__:
            return self._let_load()
        return load(self) if flask.has_app_context() else self._load_in_a_stream()

    async def _let_load(self) -> None:
        self.manager._load_user()

    async def _load_in_a_stream(self) -> None:
        # A streamed body has no application context, and loaders need one.
        with self.app.app_context():
            await load(self)

    def bind(self, user: Any, *, forced: bool = False) -> None:
        if self.manager.binds_itself or _BIND in self.manager.__dict__:
            self.manager._update_request_context_with_user(user)
        else:
            bind_user(self.manager, self.identity, user)
        self.identity.forced = forced


def bind_user(manager: Any, identity: Identity, user: Any) -> None:
    """Let *user*, or the anonymous user, be who makes the request."""
    identity.user = manager.anonymous_user() if user is None else user
    identity.loaded, identity.forced = True, False
    if manager.realm is None:
        keep_on_g(identity.user)


async def _result_of(awaitable: Awaitable[T]) -> T:
    return await awaitable


def identity_of(request: Any, attribute: str = ATTRIBUTE) -> Identity | None:
    """Return what is known of who makes *request*, if anything is."""
    return request.__dict__.get(attribute)  # type: ignore[no-any-return]


def exchange(manager: Any = None) -> FlaskExchange:
    """Return the exchange of the request at hand, as *manager*, or the default one, sees it."""
    place = here()
    if place is None:
        raise OutOfPlace(
            "There is no request here, so nobody to log in or out, or to ask for. Call this in a"
            " view. (flask_compat serves Flask; for Quart there is quart_login.)"
        )
    app, request, session = place
    if manager is None:
        manager = default_manager(app)
    held = request.__dict__
    identity = held.get(manager.attribute)
    if identity is None:
        identity = held[manager.attribute] = Identity()
    return FlaskExchange(app, manager, request, session, identity)


def default_manager(app: Any) -> Any:
    """Return the manager of *app* whom the functions serve that are no manager's methods."""
    try:
        return app.login_manager
    except AttributeError:
        raise RuntimeError(missing_manager(app)) from None


def stepped(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[P, T]:
    """Give *fn* the current exchange, and run it to its end."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return step(fn(exchange(), *args, **kwargs))

    return publish(fn, bound, "flask_compat")


def decided(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides without waiting, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "flask_compat")


def on_the_web(fn: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give *fn*, which makes URLs or cookies, this framework's module."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(flask, *args, **kwargs)

    return publish(fn, bound, "flask_compat")
