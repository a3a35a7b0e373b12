"""Flask-Login's `flask_login.utils`: the current user, and what is done with it.

The names that begin with an underscore are Flask-Login's private ones that large dependants call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from flask import current_app, has_app_context
from werkzeug.local import LocalProxy

from quart_login._core import codec, login, tokens, urls
from quart_login._core.exchange import Exchange
from quart_login._core.guard import refuse
from quart_login._core.load import is_loading, known
from quart_login._core.protection import fingerprint
from quart_login._core.public import publish
from quart_login._core.settings import COOKIE_NAME, EXEMPT_METHODS
from quart_login._core.step import step
from quart_login._core.users import AnonymousUserMixin, flag

from ._context import request_at_hand
from ._exchange import decided, exchange, identity_of, on_the_web, stepped

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V", bound=Callable[..., Any])


# --- the current user ----------------------------------------------------------------------------


def _get_user() -> Any:
    """Return the user of the request at hand, loaded now if need be; None without a request."""
    request = request_at_hand()
    return None if request is None else _user_of(request)


def _user_of(request: Any) -> Any:
    identity = identity_of(request)
    if identity is None or not identity.loaded:
        if identity is not None and is_loading(identity):
            return _anonymous()
        at_hand = exchange()
        step(known(at_hand))
        identity = at_hand.identity
    if identity.user is None:
        identity.user = _anonymous()
    return identity.user


def _anonymous() -> Any:
    manager = getattr(current_app, "login_manager", None) if has_app_context() else None
    return AnonymousUserMixin() if manager is None else manager.anonymous_user()


def _get_user_or_anonymous() -> Any:
    user = _get_user()
    return _anonymous() if user is None else user


class CurrentUser(LocalProxy[Any]):
    """The proxy behind `current_user`."""

    __slots__ = ()

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is logged in; also true for an inactive user logged in by force."""
        user = _get_user_or_anonymous()
        request = request_at_hand()
        identity = None if request is None else identity_of(request)
        if identity is not None and identity.forced and identity.user is user:
            return True
        return flag(user.is_authenticated)

    def __getattr__(self, name: str) -> Any:
        return getattr(_get_user_or_anonymous(), name)


#: The user of the current request; the anonymous user where there is none.
current_user: Any = CurrentUser(_get_user_or_anonymous)


def _user_context_processor() -> dict[str, Any]:
    """Give templates the proxy `current_user`: one that ignores it loads nobody."""
    return {"current_user": current_user}


# --- what is done with it ------------------------------------------------------------------------


def _looking(fn: Callable[Concatenate[Exchange, P], T]) -> Callable[P, T]:
    """Give *fn*, which decides by the user, the current exchange."""

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        _get_user()
        return fn(exchange(), *args, **kwargs)

    return publish(fn, bound, "flask_compat")


login_user = stepped(login.login_user)
logout_user = stepped(login.logout_user)
confirm_login = stepped(login.confirm_login)
login_fresh = _looking(login.login_fresh)
login_remembered = decided(login.login_remembered)

encode_cookie = on_the_web(codec.encode_cookie)
decode_cookie = on_the_web(codec.decode_cookie)
make_next_param = urls.make_next_param
expand_login_view = on_the_web(urls.expand_login_view)
login_url = on_the_web(urls.login_url)
set_login_view = on_the_web(urls.set_login_view)


# --- who may enter a view ------------------------------------------------------------------------


def login_required(func: V) -> V:
    """Let only users who are logged in into the view *func*.

    Others get what `LoginManager.unauthorized` returns.  Put it below ``@app.route``.
    """
    return cast(V, _guarded(func, fresh=False))


def fresh_login_required(func: V) -> V:
    """Let only users into the view *func* who typed their password in this session, not long ago.

    Others get what `LoginManager.needs_refresh` returns, or `LoginManager.unauthorized` if they are
    not logged in.
    """
    return cast(V, _guarded(func, fresh=True))


def _guarded(func: Any, *, fresh: bool) -> Any:
    is_async = iscoroutinefunction(func)

    @wraps(func)
    def decorated_view(*args: Any, **kwargs: Any) -> Any:
        refusal = _refusal(fresh)
        if refusal is not None:
            return refusal
        if is_async:
            return current_app.ensure_sync(func)(*args, **kwargs)
        return func(*args, **kwargs)

    return decorated_view


_loaded_user = _get_user


def _refusal(fresh: bool) -> Any:
    """Return the response that takes the view's place, or None where the view may run."""
    if _get_user is _loaded_user:
        return step(refuse(exchange(), fresh))
    # A test put another function into the place of `_get_user`: whom that returns is the user.
    manager = current_app.login_manager  # type: ignore[attr-defined]
    if not _get_user_or_anonymous().is_authenticated:
        return manager.unauthorized()
    return manager.needs_refresh() if fresh and not login_fresh() else None


# --- Flask-Login's private names -----------------------------------------------------------------


def _create_identifier() -> str:
    """Return the fingerprint of the request's client."""
    return fingerprint(*exchange().client())


def _get_remote_addr() -> str | None:
    """Return the address of the connection; ``X-Forwarded-For`` is never read."""
    return exchange().client()[0]


def _secret_key(key: str | bytes | None = None) -> bytes:
    """Return *key*, or ``SECRET_KEY``, as bytes."""
    return tokens.key_bytes(current_app.config["SECRET_KEY"] if key is None else key)


def _cookie_digest(payload: str, key: str | bytes | None = None) -> str:
    """Return the signature of *payload* in Flask-Login's form."""
    return tokens.legacy_digest(payload, _secret_key(key))


__all__ = [
    "COOKIE_NAME",
    "EXEMPT_METHODS",
    "CurrentUser",
    "confirm_login",
    "current_user",
    "decode_cookie",
    "encode_cookie",
    "expand_login_view",
    "fresh_login_required",
    "login_fresh",
    "login_remembered",
    "login_required",
    "login_url",
    "login_user",
    "logout_user",
    "make_next_param",
    "set_login_view",
]
