"""How does the core wait in Flask?  It does not: it calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from inspect import CO_COROUTINE
from typing import Any, ClassVar, Concatenate, Final, ParamSpec, TypeVar, cast

import flask
from blinker import Signal

from quart_login._core.claim import may_be_somebody
from quart_login._core.errors import OutOfPlace
from quart_login._core.exchange import Exchange
from quart_login._core.identity import ATTRIBUTE, Identity
from quart_login._core.load import is_loading, load
from quart_login._core.negotiation import ASKED
from quart_login._core.public import publish
from quart_login._core.realms import missing_manager
from quart_login._core.settings import seconds
from quart_login._core.step import step

from ._context import here, keep_on_g, streamed

P = ParamSpec("P")
T = TypeVar("T")

#: The methods of a manager that dependants replace, in a class or an object.
_LOAD: Final = "_load_user"
_BIND: Final = "_update_request_context_with_user"

#: The headers of `negotiation.ASKED`, with their names in an environ.
_ASKED: Final = [(name, f"HTTP_{name.upper().replace('-', '_')}") for name in ASKED]


class FlaskExchange(Exchange):
    """A request to a Flask application."""

    __slots__ = ()

    web: ClassVar[Any] = flask
    manager: Any

    async def call(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        code = getattr(fn, "__code__", None)
        if code is not None and code.co_flags & CO_COROUTINE:
            return self.app.ensure_sync(fn)(*args)  # type: ignore[no-any-return]
        result: Any = fn(*args)
        # A plain function may return an awaitable, too.
        if hasattr(result, "__await__"):
            result = self.app.ensure_sync(_result_of)(result)
        return result  # type: ignore[no-any-return]

    async def ask(self, method: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        limit = self.setting("LOGIN_STORE_TIMEOUT")
        if limit is None:
            return await method(self, *args, **options)
        limit = seconds(limit, "LOGIN_STORE_TIMEOUT", float)
        from ._in_time import InTime  # which needs threads: no store, no threads

        return await method(InTime(limit), *args, **options)

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

    def look(self) -> tuple[str | None, str | None, bool]:
        request, sent = self.request, self.request.environ
        return request.remote_addr, sent.get("HTTP_USER_AGENT"), "HTTP_AUTHORIZATION" in sent

    def preferences(self) -> Mapping[str, str]:
        sent = self.request.environ
        return {name: sent[key] for name, key in _ASKED if key in sent}

    def redirect(self, url: str) -> Any:
        return self.app.redirect(url)

    # Nothing here can be ended while it runs.
    call_loader = call

    def load_user(self) -> Awaitable[None]:
        kind = type(self.manager)
        if kind._load_user is not kind.own_load or _LOAD in self.manager.__dict__:
            return self._let_load()
        if streamed.get() is not None and not flask.has_app_context():
            return self._load_in_a_stream()
        if self.manager.keys.user_id in self.session or self.manager._user_callback is None:
            return load(self)
        if may_be_somebody(self):
            return load(self)
        if self.manager.sessions is not None and self.manager.keys.record in self.session:
            return load(self)  # What a logout left is cleared.
        return self._be_nobody()

    async def _be_nobody(self) -> None:
        if not is_loading(self.identity):  # A loader that empties the session is no news of it.
            self.bind(None)

    async def _let_load(self) -> None:
        self.manager._load_user()

    async def _load_in_a_stream(self) -> None:
        # A streamed body has no application context, and loaders need one.
        with self.app.app_context():
            await load(self)

    def bind(self, user: Any, *, forced: bool = False) -> None:
        kind = type(self.manager)
        if kind._update_request_context_with_user is not kind.own_bind or (
            _BIND in self.manager.__dict__
        ):
            self.manager._update_request_context_with_user(user)
            self.identity.forced = forced
        else:
            bind_user(self.manager, self.identity, user, forced)


def bind_user(manager: Any, identity: Identity, user: Any, forced: bool = False) -> None:
    """Let *user*, or the anonymous user, be who makes the request."""
    identity.user = manager.anonymous_user() if user is None else user
    identity.loaded, identity.forced = True, forced
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
        manager = getattr(app, "login_manager", None) or default_manager(app)
    held = request.__dict__
    identity = held.get(manager.attribute)
    if identity is None:
        identity = held[manager.attribute] = Identity()
    return FlaskExchange(app, manager, request, session, identity)


def anywhere(manager: Any = None) -> FlaskExchange:
    """Return the exchange of the request at hand; or one without a request, for code that has but
    the application at hand: a job, a command.
    """
    if here() is not None:
        return exchange(manager)
    if not flask.has_app_context():
        raise OutOfPlace(
            "There is no application here. Call this in a view, or in a block of"
            ' "with app.app_context():".'
        )
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]
    identity = Identity()
    identity.loaded = True
    return FlaskExchange(app, manager or default_manager(app), None, {}, identity)


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


def stepped_anywhere(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[P, T]:
    """Give *fn* the current exchange, or one without a request, and run it to its end."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return step(fn(anywhere(), *args, **kwargs))

    return publish(fn, bound, "flask_compat")


def stepped_method(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], T]:
    """Make *fn* a method of a manager, which it serves."""

    def bound(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return step(fn(anywhere(self), *args, **kwargs))

    return publish(fn, bound, "flask_compat", method=True)


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
