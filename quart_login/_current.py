"""Who is `current_user`?

The proxy reaches the user through Quart's own request or websocket.  It cannot wait, so the user is
loaded before the view; or, with ``LOGIN_LOAD_USER = "on_demand"``, by whoever can wait and asks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import quart
from quart import current_app, session
from werkzeug.local import LocalProxy

from ._core.errors import UserNotLoaded
from ._core.exchange import Exchange
from ._core.identity import Identity
from ._core.load import known, touch
from ._core.load import load as load_identity
from ._core.public import publish
from ._core.signals import user_accessed
from ._core.users import AnonymousUserMixin
from ._exchange import bind_identity, connection, exchange, exchange_for, identity_of

P = ParamSpec("P")
T = TypeVar("T")

#: Where on the request the lock is kept that makes its tasks load the user once.
_LOCK = "_quart_login_lock"


def get_user() -> Any:
    """Return the user of the request or websocket at hand; the anonymous user where none is."""
    conn = connection()
    identity = None if conn is None else identity_of(conn)
    if identity is None:
        return _anonymous()
    if not identity.seen:
        _see(identity)
    if identity.user is None:
        identity.user = _anonymous()
    return identity.user


def _anonymous() -> Any:
    manager = getattr(current_app, "login_manager", None) if quart.has_app_context() else None
    return AnonymousUserMixin() if manager is None else manager.anonymous_user()


def _see(identity: Identity) -> None:
    """Note that somebody looks at the user."""
    if not identity.loaded:
        if identity.strict:
            raise UserNotLoaded(
                "current_user was read before it was loaded, and LOGIN_LOAD_USER is 'on_demand'."
                " Put @login_required on the view, or `await load_user()` before you read it."
            )
        current_app.login_manager.require_loader()  # type: ignore[attr-defined]
    identity.seen = True
    touch(session)
    if user_accessed.receivers:
        _tell_accessed(identity)


def _tell_accessed(identity: Identity) -> None:
    """Send `user_accessed` where nothing can wait: coroutine receivers come before the response."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def later(receiver: Any) -> Any:
        return lambda sender, **extra: identity.late.append(partial(receiver, sender, **extra))

    user_accessed.send(app, _async_wrapper=later)


class CurrentUser(LocalProxy[Any]):
    """The proxy behind `current_user`."""

    __slots__ = ()

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is logged in; also true for an inactive user logged in by force."""
        user = get_user()
        conn = connection()
        identity = None if conn is None else identity_of(conn)
        return (identity is not None and identity.forced) or user.is_authenticated

    def __getattr__(self, name: str) -> Any:
        return getattr(get_user(), name)


#: The user of the current request or websocket; the anonymous user where there is none.
current_user: Any = CurrentUser(get_user)


async def load_user() -> Any:
    """Load the user of the request or websocket at hand, if that was not done, and return it.

    Needed with ``LOGIN_LOAD_USER = "on_demand"`` only, in code that asks for `current_user` without
    `login_required`.
    """
    conn = connection()
    if conn is not None:
        await load_once(conn)
    return get_user()


async def load_once(conn: Any) -> None:
    """Load the user of *conn* once, however many tasks of the request ask at the same time."""
    identity = bind_identity(conn)
    here = exchange_for(conn, identity)
    if not identity.loaded:
        async with _lock(conn, here.app):
            await load_identity(here)
    await known(here)


def _lock(conn: Any, app: Any) -> Any:
    """Return the lock of the request *conn*, of the kind that *app*'s event loop knows."""
    lock = conn.__dict__.get(_LOCK)
    if lock is None:
        lock = conn.__dict__[_LOCK] = app.lock_class()
    return lock


def looking(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides by the user, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        get_user()
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")
