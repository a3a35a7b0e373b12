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
from ._core.acting import ActingAs, acted, innermost
from ._core.errors import UserNotLoaded
from ._core.exchange import Exchange
from ._core.identity import ATTRIBUTE, Identity
from ._core.load import is_loading, known, touch
from ._core.public import publish
from ._core.signals import user_accessed
from ._core.users import AnonymousUserMixin, flag
from ._exchange import default_manager, exchange

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")


def get_user(manager: Any = None) -> Any:
    """Return the user of the request or websocket at hand, as *manager*, or the default one, knows
    it; the anonymous user where there is no request.
    """
    if innermost.get() is not None and (user := _acted(manager)) is not None:
        return user
    at_hand = connection()
    if at_hand is None:
        return _anonymous(manager)
    identity = at_hand.__dict__.get(ATTRIBUTE if manager is None else manager.attribute)
    if identity is None:
        return _anonymous(manager)
    # Mostly somebody looked before, and somebody is logged in.
    if identity.seen and identity.user is not None:
        return identity.user
    return _user_of(identity, manager)


def _acted(manager: Any) -> Any:
    """Return the user as whom this code acts, or None."""
    return acted(None if manager is None else manager.realm, connection())


def _identity(manager: Any) -> Identity | None:
    at_hand = connection()
    if at_hand is None:
        return None
    attribute = ATTRIBUTE if manager is None else manager.attribute
    return at_hand.__dict__.get(attribute)  # type: ignore[no-any-return]


def _user_of(identity: Identity, manager: Any) -> Any:
    if not identity.seen and not is_loading(identity):
        _see(identity, manager)
    if identity.user is None:
        identity.user = _anonymous(manager)
    return identity.user


def _anonymous(manager: Any) -> Any:
    if manager is None:
        place = here()
        app = current_app if place is None and has_app_context() else place and place[0]
        manager = getattr(app, "login_manager", None)
    return AnonymousUserMixin() if manager is None else manager.anonymous_user()


def _see(identity: Identity, manager: Any) -> None:
    """Note that somebody looks at the user."""
    place = here()
    assert place is not None
    app, _, session = place
    if manager is None:
        manager = default_manager(app)
    if not identity.loaded:
        if identity.strict:
            raise UserNotLoaded(
                "current_user was read before it was loaded, and LOGIN_LOAD_USER is 'on_demand'."
                " Put @login_required on the view, or `await load_user()` before you read it."
            )
        manager.require_loader()
    identity.seen = True
    touch(session)
    if user_accessed.receivers:
        _tell_accessed(identity, app, manager)


def _tell_accessed(identity: Identity, app: Any, manager: Any) -> None:
    """Send `user_accessed` where nothing can wait: coroutine receivers come before the response."""
    late = identity.late = identity.late or []

    def later(receiver: Any) -> Any:
        return lambda sender, **extra: late.append(partial(receiver, sender, **extra))

    user_accessed.send(app, _async_wrapper=later, **manager.signal_data)


class CurrentUser(LocalProxy[Any]):
    """The proxy behind `current_user`: that of *manager*, or of the default one."""

    __slots__ = ("_manager",)

    def __init__(self, manager: Any = None) -> None:
        super().__init__(partial(get_user, manager))
        object.__setattr__(self, "_manager", manager)

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is logged in; also true for an inactive user logged in by force."""
        if (acting := _acted(self._manager)) is not None:
            return flag(acting.is_authenticated)
        identity = _identity(self._manager)
        if identity is None:
            return False
        user = _user_of(identity, self._manager)
        return identity.forced or flag(user.is_authenticated)

    def __getattr__(self, name: str) -> Any:
        return getattr(get_user(self._manager), name)


#: The user of the current request or websocket; the anonymous user where there is none.
current_user: Any = CurrentUser()


class acting_as(ActingAs[U]):
    """Let *user* be `current_user` in an ``async with`` (or ``with``) block.

        async with acting_as(user):
            mail = await render_template("weekly.txt")

    For background tasks, commands and scripts, with or without an application at hand, and in a
    request for a part of it.  It holds in tasks that begin in the block, and never in another
    request.  Blocks nest.  Nobody is logged in by it: `login_user`, `logout_user` and
    `confirm_login` raise `OutOfPlace`.  Raises `UnusableUser` (a `ValueError`) if *user* is none.
    """

    def __init__(self, user: U, *, realm: str | None = None) -> None:
        super().__init__(user, realm, connection)

    async def __aenter__(self) -> U:
        return self.__enter__()

    async def __aexit__(self, *error: Any) -> None:
        self.__exit__(*error)


async def load_user() -> Any:
    """Load the user of the request or websocket at hand, if that was not done, and return it.

    Needed with ``LOGIN_LOAD_USER = "on_demand"`` only, in code that asks for `current_user` without
    `login_required`.
    """
    return await user_loaded(None)


async def user_loaded(manager: Any) -> Any:
    """Return the user of the request or websocket at hand, as *manager* finds it."""
    if connection() is not None:
        await known(exchange(manager))
    return get_user(manager)


def looking(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides by the user, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        get_user()
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "quart_login")
