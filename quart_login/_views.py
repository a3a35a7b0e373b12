"""Who may enter a view?"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from quart import current_app

from ._context import here
from ._core.guard import admits, refuse
from ._exchange import exchange, identity_of

V = TypeVar("V", bound=Callable[..., Any])


def login_required(func: V) -> V:
    """Let only users who are logged in into the view *func*.

    Others get what `LoginManager.unauthorized` returns; a websocket is refused with status 401
    before it is accepted.  Put it below ``@app.route``.
    """
    return cast(V, _guarded(func, fresh=False))


def fresh_login_required(func: V) -> V:
    """Let only users into the view *func* who typed their password in this session, not long ago.

    Others get what `LoginManager.needs_refresh` returns, or `LoginManager.unauthorized` if they are
    not logged in.
    """
    return cast(V, _guarded(func, fresh=True))


def admitted() -> bool:
    """Is it plain that a view may run?  (Mostly it is, and nothing need be made to say so.)"""
    place = here()
    identity = None if place is None else identity_of(place[1])
    return place is not None and identity is not None and admits(identity, place[2])


def _guarded(func: Any, *, fresh: bool) -> Any:
    if iscoroutinefunction(func):

        @wraps(func)
        async def decorated_view(*args: Any, **kwargs: Any) -> Any:
            if fresh or not admitted():
                refusal = await refuse(exchange(), fresh)
                if refusal is not None:
                    return refusal
            return await func(*args, **kwargs)

    else:

        @wraps(func)
        async def decorated_view(*args: Any, **kwargs: Any) -> Any:
            refusal = await refuse(exchange(), fresh)
            if refusal is not None:
                return refusal
            return await current_app.ensure_async(func)(*args, **kwargs)

    return decorated_view
