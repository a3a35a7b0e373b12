"""Who may enter a view?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast, overload

from quart import current_app

from ._context import here
from ._core import basic, marks
from ._core.guard import admits, refuse, refuse_basic, send_away
from ._core.identity import ATTRIBUTE
from ._core.settings import seconds
from ._exchange import exchange

V = TypeVar("V", bound=Callable[..., Any])


def login_required(func: V) -> V:
    """Let only users who are logged in into the view *func*.

    Others get what `LoginManager.unauthorized` returns; a websocket is refused with status 401
    before it is accepted.  Put it below ``@app.route``.
    """
    return cast(V, guarded(func, fresh=False))


@overload
def fresh_login_required(func: V) -> V: ...


@overload
def fresh_login_required(*, max_age: timedelta | float) -> Callable[[V], V]: ...


def fresh_login_required(func: Any = None, *, max_age: timedelta | float | None = None) -> Any:
    """Let only users into the view *func* who typed their password in this session, not long ago.

    Not longer ago than *max_age* (a `timedelta` or seconds), or else ``LOGIN_FRESH_DURATION``:
    ``@fresh_login_required(max_age=timedelta(minutes=10))``.  (A login from Flask-Login carries no
    time, and is too old for any *max_age*.)  Others get what `LoginManager.needs_refresh` returns,
    or `LoginManager.unauthorized` if they are not logged in.
    """
    return freshly_guarded(func, max_age)


def freshly_guarded(func: Any, max_age: timedelta | float | None, manager: Any = None) -> Any:
    """Let only users with a fresh login into the view *func*; None returns what does."""
    age = None if max_age is None else seconds(max_age, "max_age", float)
    if func is None:
        return partial(guarded, fresh=True, manager=manager, max_age=age)
    return guarded(func, fresh=True, manager=manager, max_age=age)


@overload
def anonymous_required(target: V, /) -> V: ...


@overload
def anonymous_required(target: str | None = None, /) -> Callable[[V], V]: ...


def anonymous_required(target: Any = None, /) -> Any:
    """Let only strangers into the view: a login page, say.

    As ``@anonymous_required`` it sends users who are logged in to ``/``, the root of the
    application; as ``@anonymous_required("index")`` to an endpoint or URL (never to ``next``, which
    a user without the right to be there would be sent back from).  Where that is this very page,
    the view runs.  A websocket is refused with status 403.  The view is exempt from
    `LoginManager.require_login`.
    """
    return anonymous(target)


def anonymous(target: Any, manager: Any = None) -> Any:
    """Let only strangers into a view, as *manager*, or the default one, knows them."""
    if callable(target):
        return _keep_out_users(target, None, manager)
    return partial(_keep_out_users, target=target, manager=manager)


def _keep_out_users(func: Any, target: str | None, manager: Any) -> Any:
    @wraps(func)
    async def decorated_view(*args: Any, **kwargs: Any) -> Any:
        answer = await send_away(exchange(manager), target)
        if answer is not None:
            return answer
        return await current_app.ensure_async(func)(*args, **kwargs)

    marks.mark(decorated_view, func, marks.ANONYMOUS, manager)
    return decorated_view


@overload
def basic_auth_required(func: V, /) -> V: ...


@overload
def basic_auth_required(
    *, username_key: str = ..., password_key: str = ...
) -> Callable[[V], V]: ...


def basic_auth_required(
    func: Any = None,
    /,
    *,
    username_key: str = "LOGIN_BASIC_USERNAME",
    password_key: str = "LOGIN_BASIC_PASSWORD",
) -> Any:
    """Let only who knows one username and password into the view *func*: those in the settings
    *username_key* and *password_key*.

    They are asked for by HTTP Basic authentication, and have nothing to do with users: see
    `LoginManager.verify_password` for those.  Others get status 401.  Use it bare or called.

    An application that serves such a view without both settings raises `ConfigurationError`.
    """
    return basic_guarded(func, basic.Names(username_key, password_key))


def basic_guarded(func: Any, names: basic.Names, manager: Any = None) -> Any:
    """Protect the view *func* by the settings *names*; None returns what protects a view."""
    if func is None:
        return partial(basic_guarded, names=names, manager=manager)

    @wraps(func)
    async def decorated_view(*args: Any, **kwargs: Any) -> Any:
        refusal = await refuse_basic(exchange(manager), names)
        if refusal is not None:
            return refusal
        return await current_app.ensure_async(func)(*args, **kwargs)

    marks.mark(decorated_view, func, marks.BASIC, manager)
    basic.mark(decorated_view, names, None if manager is None else manager.realm)
    return decorated_view


def admitted(manager: Any) -> bool:
    """Is it plain that a view may run?  (Mostly it is, and nothing need be made to say so.)"""
    place = here()
    if place is None:
        return False
    identity = place[1].__dict__.get(ATTRIBUTE if manager is None else manager.attribute)
    return identity is not None and admits(identity, place[2])


def guarded(func: Any, *, fresh: bool, manager: Any = None, max_age: float | None = None) -> Any:
    """Let only users of *manager*, or of the default one, into the view *func*."""
    if iscoroutinefunction(func):

        @wraps(func)
        async def decorated_view(*args: Any, **kwargs: Any) -> Any:
            if fresh or not admitted(manager):
                refusal = await refuse(exchange(manager), fresh, max_age=max_age)
                if refusal is not None:
                    return refusal
            return await func(*args, **kwargs)

    else:

        @wraps(func)
        async def decorated_view(*args: Any, **kwargs: Any) -> Any:
            refusal = await refuse(exchange(manager), fresh, max_age=max_age)
            if refusal is not None:
                return refusal
            return await current_app.ensure_async(func)(*args, **kwargs)

    marks.mark(decorated_view, func, marks.FRESH if fresh else marks.REQUIRED, manager)
    return decorated_view
