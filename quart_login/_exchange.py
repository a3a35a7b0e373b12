"""How does the core wait in Quart?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from inspect import CO_COROUTINE, iscoroutinefunction, signature
from typing import Any, ClassVar, Concatenate, Final, ParamSpec, TypeVar, cast

import quart
from blinker import Signal

from ._context import here
from ._core.errors import OutOfPlace
from ._core.exchange import Exchange
from ._core.identity import ATTRIBUTE, Identity
from ._core.load import is_loading, load
from ._core.negotiation import ASKED
from ._core.public import is_coroutine_function, publish
from ._core.realms import missing_manager
from ._core.settings import seconds
from ._core.store import SessionId
from ._loops import in_time
from ._threads import FOR_STORES
from ._websocket import watch_of

P = ParamSpec("P")
T = TypeVar("T")

#: Where on the request the lock is kept that makes its tasks load the user once.
_LOCK: Final = "_quart_login_lock"

#: The headers of `negotiation.ASKED`, as a scope names them.
_ASKED: Final = {name.lower().encode(): name for name in ASKED}

#: Quart 0.23 hands its one context to `make_default_options_response`.
_OPTIONS_TAKES_CONTEXT: Final = (
    "ctx" in signature(quart.Quart.make_default_options_response).parameters
)


class QuartExchange(Exchange):
    """A request to a Quart application."""

    __slots__ = ()

    web: ClassVar[Any] = quart

    @property
    def is_websocket(self) -> bool:  # type: ignore[override]
        return isinstance(self.request, quart.Websocket)

    async def call(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        if is_coroutine_function(fn) or iscoroutinefunction(fn):  # also a partial of one
            return await fn(*args)  # type: ignore[misc, no-any-return]
        # A plain function may block, so Quart runs it in a thread; it may also return an awaitable,
        # which trio's threads hand over in a box only.
        [result] = await self.app.ensure_async(_boxed)(fn, *args)
        return cast(T, await result if hasattr(result, "__await__") else result)

    def call_loader(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> Awaitable[T]:
        limit = self.config.get("LOGIN_LOADER_TIMEOUT")
        if limit is None:
            code = getattr(fn, "__code__", None)
            if code is not None and code.co_flags & CO_COROUTINE:
                return fn(*args)  # type: ignore[return-value]  # `call`, with no more to wait for
            return self.call(fn, *args)
        return in_time(seconds(limit, "LOGIN_LOADER_TIMEOUT", float), self.call, fn, *args)

    async def ask(self, method: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        limit = self.setting("LOGIN_STORE_TIMEOUT")
        if limit is None:
            return await method(FOR_STORES, *args, **options)
        limit = seconds(limit, "LOGIN_STORE_TIMEOUT", float)
        return await in_time(limit, partial(method, FOR_STORES, *args, **options))

    def for_store(self) -> Any:
        return FOR_STORES

    async def notify(self, signal: Signal, **extra: Any) -> None:
        if signal.receivers:
            told = {**self.manager.signal_data, **extra}
            await signal.send_async(self.app, _sync_wrapper=self.app.ensure_async, **told)

    async def ended(self, ids: Sequence[SessionId]) -> None:
        watch = watch_of(self.app, self.manager)
        if watch is not None:
            await watch.end(ids)

    def bind(self, user: Any, *, forced: bool = False) -> None:
        identity = self.identity
        identity.user, identity.forced, identity.loaded = user, forced, True
        if identity.login_session is not None and self.is_websocket:
            watch = watch_of(self.app, self.manager)
            if watch is not None:
                watch.hold_websocket(self.request, identity)

    async def options(self) -> Any:
        if _OPTIONS_TAKES_CONTEXT:
            context = quart.globals.app_ctx._get_current_object()
            return await self.app.make_default_options_response(context)
        return await self.app.make_default_options_response()

    async def form(self) -> Mapping[str, str]:
        return cast("Mapping[str, str]", await self.request.form)

    def authorization(self) -> str | None:
        return authorization_of(self.request)

    def client(self) -> tuple[str | None, str | None]:
        return self.look()[:2]

    def look(self) -> tuple[str | None, str | None, bool]:
        agent, authorizes = None, False
        for name, value in self.request.scope["headers"]:
            if name == b"user-agent":
                agent = value if agent is None else agent
            elif name == b"authorization":
                authorizes = True
        return (
            self.request.remote_addr,
            None if agent is None else agent.decode("latin1"),
            authorizes,
        )

    def preferences(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, value in self.request.scope["headers"]:
            if name in _ASKED:
                found.setdefault(_ASKED[name], value.decode("latin1"))
        return found

    def redirect(self, url: str) -> Any:
        return self.app.redirect(url)

    async def load_user(self) -> None:
        if is_loading(self.identity):
            return
        # Tasks of one request may ask at the same time; the first loads for all.
        held = self.request.__dict__
        lock = held.get(_LOCK)
        if lock is None:
            lock = held[_LOCK] = self.app.lock_class()
        async with lock:
            if quart.has_app_context():
                await load(self)
                return
            async with self.app.app_context():  # A streamed body has none, and loaders need one.
                await load(self)


def authorization_of(connection: Any) -> str | None:
    """Return the ``Authorization`` header of *connection*; several, joined by commas."""
    sent = None
    # The scope's headers are bytes in lower case: quicker to look through than the request's.
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            sent = value if sent is None else sent + b"," + value
    return None if sent is None else sent.decode("latin1")


def _boxed(fn: Callable[..., Any], *args: Any) -> list[Any]:
    return [fn(*args)]


def identity_of(connection: Any, attribute: str = ATTRIBUTE) -> Identity | None:
    """Return what is known of who makes the request *connection*, if anything is."""
    return connection.__dict__.get(attribute)  # type: ignore[no-any-return]


def exchange(manager: Any = None) -> QuartExchange:
    """Return the exchange of the request or websocket at hand, as *manager*, or the default one,
    sees it.
    """
    place = here()
    if place is None:
        raise OutOfPlace(
            "There is no request here, so nobody to log in or out, or to ask for. Call this in a"
            " view. (quart_login serves Quart; for Flask there is flask_compat.)"
        )
    app, connection, session = place
    if manager is None:
        manager = getattr(app, "login_manager", None) or default_manager(app)
    held = connection.__dict__
    identity = held.get(manager.attribute)
    if identity is None:
        identity = held[manager.attribute] = Identity()
    return QuartExchange(app, manager, connection, session, identity)


def anywhere(manager: Any = None) -> QuartExchange:
    """Return the exchange of the request at hand; or one without a request, for code that has but
    the application at hand: a job, a command.
    """
    if here() is not None:
        return exchange(manager)
    if not quart.has_app_context():
        raise OutOfPlace(
            "There is no application here. Call this in a view, or in a block of"
            ' "async with app.app_context():".'
        )
    app = quart.current_app._get_current_object()  # type: ignore[attr-defined]
    identity = Identity()
    identity.loaded = True
    return QuartExchange(app, manager or default_manager(app), None, {}, identity)


def default_manager(app: Any) -> Any:
    """Return the manager of *app* whom the functions serve that are no manager's methods."""
    try:
        return app.login_manager
    except AttributeError:
        raise RuntimeError(missing_manager(app)) from None


def awaited(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Give *fn* the current exchange, and await it."""

    async def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return await fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")


def awaited_anywhere(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Give *fn* the current exchange, or one without a request, and await it."""

    async def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return await fn(anywhere(), *args, **kwargs)

    return publish(fn, bound, "quart_login")


def awaited_method(
    fn: Callable[Concatenate[Exchange, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make *fn* a method of a manager, which it serves."""

    async def bound(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await fn(anywhere(self), *args, **kwargs)

    return publish(fn, bound, "quart_login", method=True)


def decided(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides without waiting, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")


def on_the_web(fn: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give *fn*, which makes URLs or cookies, this framework's module."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        return fn(quart, *args, **kwargs)

    return publish(fn, bound, "quart_login")
