"""Who is `current_user`?

The proxy reaches the user through Quart's own request or websocket.  It cannot wait, so the user is
loaded before the view; or, with ``LOGIN_LOAD_USER = "on_demand"``, by whoever can wait and asks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from quart import current_app, has_app_context
from werkzeug.local import LocalProxy

from ._context import connection, here
from ._core.errors import UserNotLoaded
from ._core.exchange import Exchange
from ._core.identity import Identity
from ._core.load import is_loading, known, touch
from ._core.public import publish
from ._core.signals import user_accessed
from ._core.users import AnonymousUserMixin, flag
from ._exchange import ATTRIBUTE, exchange, identity_of

P = ParamSpec("P")
T = TypeVar("T")


def get_user() -> Any:
    """Return the user of the request or websocket at hand; the anonymous user where none is."""
    at_hand = connection()
    identity: Identity | None = None if at_hand is None else at_hand.__dict__.get(ATTRIBUTE)
    if identity is None:
        return _anonymous()
    # Mostly somebody looked before, and somebody is logged in.
    return identity.user if identity.seen and identity.user is not None else _user_of(identity)


def _user_of(identity: Identity) -> Any:
    if not identity.seen and not is_loading(identity):
        _see(identity)
    if identity.user is None:
        identity.user = _anonymous()
    return identity.user


def _anonymous() -> Any:
    manager = getattr(current_app, "login_manager", None) if has_app_context() else None
    return AnonymousUserMixin() if manager is None else manager.anonymous_user()


def _see(identity: Identity) -> None:
    """Note that somebody looks at the user."""
    place = here()
    assert place is not None
    app, _, session = place
    if not identity.loaded:
        if identity.strict:
            raise UserNotLoaded(
                "current_user was read before it was loaded, and LOGIN_LOAD_USER is 'on_demand'."
                " Put @login_required on the view, or `await load_user()` before you read it."
            )
        app.login_manager.require_loader()
    identity.seen = True
    touch(session)
    if user_accessed.receivers:
        _tell_accessed(identity, app)


def _tell_accessed(identity: Identity, app: Any) -> None:
    """Send `user_accessed` where nothing can wait: coroutine receivers come before the response."""
    late = identity.late = identity.late or []

    def later(receiver: Any) -> Any:
        return lambda sender, **extra: late.append(partial(receiver, sender, **extra))

    user_accessed.send(app, _async_wrapper=later)


class CurrentUser(LocalProxy[Any]):
    """The proxy behind `current_user`."""

    __slots__ = ()

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is logged in; also true for an inactive user logged in by force."""
        at_hand = connection()
        identity = None if at_hand is None else identity_of(at_hand)
        if identity is None:
            return False
        user = _user_of(identity)
        return identity.forced or flag(user.is_authenticated)

    def __getattr__(self, name: str) -> Any:
        return getattr(get_user(), name)


#: The user of the current request or websocket; the anonymous user where there is none.
current_user: Any = CurrentUser(get_user)


async def load_user() -> Any:
    """Load the user of the request or websocket at hand, if that was not done, and return it.

    Needed with ``LOGIN_LOAD_USER = "on_demand"`` only, in code that asks for `current_user` without
    `login_required`.
    """
    if connection() is not None:
        await known(exchange())
    return get_user()


def looking(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides by the user, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        get_user()
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")
