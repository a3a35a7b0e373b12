"""Flask-Login's `flask_login.utils`: the current user, and what is done with it.

The names that begin with an underscore are Flask-Login's private ones that large dependants call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

from flask import Flask, current_app, has_app_context
from werkzeug.local import LocalProxy

from quart_login._core import (
    basic,
    bearer,
    codec,
    listing,
    login,
    marks,
    onward,
    realms,
    redirects,
    report,
    tokens,
    urls,
)
from quart_login._core.acting import ActingAs, acted, innermost
from quart_login._core.errors import ConfigurationError
from quart_login._core.exchange import Exchange
from quart_login._core.guard import in_place, refuse, refuse_basic, send_away
from quart_login._core.identity import ATTRIBUTE
from quart_login._core.load import is_loading, known
from quart_login._core.protection import fingerprint
from quart_login._core.public import publish
from quart_login._core.settings import COOKIE_NAME, EXEMPT_METHODS, seconds
from quart_login._core.step import step
from quart_login._core.store import Store
from quart_login._core.users import AnonymousUserMixin, flag

from ._context import here, request_at_hand
from ._exchange import (
    anywhere,
    decided,
    exchange,
    identity_of,
    on_the_web,
    stepped,
    stepped_anywhere,
)

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V", bound=Callable[..., Any])


# --- the current user ----------------------------------------------------------------------------


def _get_user() -> Any:
    """Return the user of the request at hand, loaded now if need be; None without a request."""
    request = request_at_hand()
    if request is None:
        return None
    identity = request.__dict__.get(ATTRIBUTE)
    # Mostly somebody looked before.
    if identity is not None and identity.loaded and identity.user is not None:
        return identity.user
    return _user_of(request, None)


def _user_of(request: Any, manager: Any) -> Any:
    identity = request.__dict__.get(ATTRIBUTE if manager is None else manager.attribute)
    if identity is None or not identity.loaded:
        if identity is not None and is_loading(identity):
            return _anonymous(manager)
        at_hand = exchange(manager)
        step(known(at_hand))
        identity = at_hand.identity
    if identity.user is None:
        identity.user = _anonymous(manager)
    return identity.user


def _anonymous(manager: Any) -> Any:
    if manager is None:
        place = here()
        app = current_app if place is None and has_app_context() else place and place[0]
        manager = getattr(app, "login_manager", None)
    return AnonymousUserMixin() if manager is None else manager.anonymous_user()


def get_user(manager: Any = None) -> Any:
    """Return the user of the request at hand, as *manager*, or the default one, knows it; the
    anonymous user where there is no request.
    """
    if innermost.get() is not None and (user := _acted(manager)) is not None:
        return user
    if manager is None or manager.realm is None:
        user = _get_user()  # a test may have put another function there
    else:
        request = request_at_hand()
        user = None if request is None else _user_of(request, manager)
    return _anonymous(manager) if user is None else user


def _acted(manager: Any) -> Any:
    """Return the user as whom this code acts, or None."""
    return acted(None if manager is None else manager.realm, request_at_hand())


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
        user = get_user(self._manager)
        request = request_at_hand()
        attribute = ATTRIBUTE if self._manager is None else self._manager.attribute
        identity = None if request is None else identity_of(request, attribute)
        if identity is not None and identity.forced and identity.user is user:
            return True
        return flag(user.is_authenticated)

    def __getattr__(self, name: str) -> Any:
        return getattr(get_user(self._manager), name)


#: The user of the current request; the anonymous user where there is none.
current_user: Any = CurrentUser()


class acting_as(ActingAs[U]):
    """Let *user* be `current_user` in a ``with`` block.

        with acting_as(user):
            mail = render_template("weekly.txt")

    For jobs, commands and scripts, with or without an application at hand, and in a request for a
    part of it; never in another request.  Blocks nest.  Nobody is logged in by it: `login_user`,
    `logout_user` and `confirm_login` raise `OutOfPlace`.  Raises `UnusableUser` (a `ValueError`) if
    *user* is none.
    """

    def __init__(self, user: U, *, realm: str | None = None) -> None:
        super().__init__(user, realm, request_at_hand)


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
login_decision = _looking(login.login_decision)
report_login_failure = stepped(report.report_login_failure)

list_sessions = stepped_anywhere(listing.list_sessions)
revoke_session = stepped_anywhere(listing.revoke_session)
revoke_other_sessions = stepped_anywhere(listing.revoke_other_sessions)
revoke_user = stepped_anywhere(listing.revoke_user)
purge_sessions = stepped_anywhere(listing.purge_sessions)

encode_cookie = on_the_web(codec.encode_cookie)
decode_cookie = on_the_web(codec.decode_cookie)
issue_token = on_the_web(bearer.issue_token)
redirect_next = stepped(onward.redirect_next)
safe_next = on_the_web(redirects.safe_next)
make_next_param = urls.make_next_param
expand_login_view = on_the_web(urls.expand_login_view)
login_url = on_the_web(urls.login_url)
set_login_view = on_the_web(urls.set_login_view)


# --- who may enter a view ------------------------------------------------------------------------


def login_required(func: V) -> V:
    """Let only users who are logged in into the view *func*.

    Others get what `LoginManager.unauthorized` returns.  Put it below ``@app.route``.
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


def guarded(func: Any, *, fresh: bool, manager: Any = None, max_age: float | None = None) -> Any:
    """Let only users of *manager*, or of the default one, into the view *func*."""
    is_async = iscoroutinefunction(func)

    @wraps(func)
    def decorated_view(*args: Any, **kwargs: Any) -> Any:
        answer = refusal(fresh, manager, max_age=max_age)
        if answer is not None:
            return answer
        if is_async:
            return current_app.ensure_sync(func)(*args, **kwargs)
        return func(*args, **kwargs)

    marks.mark(decorated_view, func, marks.FRESH if fresh else marks.REQUIRED, manager)
    return decorated_view


@overload
def anonymous_required(target: V, /) -> V: ...


@overload
def anonymous_required(target: str | None = None, /) -> Callable[[V], V]: ...


def anonymous_required(target: Any = None, /) -> Any:
    """Let only strangers into the view: a login page, say.

    As ``@anonymous_required`` it sends users who are logged in to ``/``, the root of the
    application; as ``@anonymous_required("index")`` to an endpoint or URL (never to ``next``, which
    a user without the right to be there would be sent back from).  Where that is this very page,
    the view runs.  The view is exempt from `LoginManager.require_login`.
    """
    return anonymous(target)


def anonymous(target: Any, manager: Any = None) -> Any:
    """Let only strangers into a view, as *manager*, or the default one, knows them."""
    if callable(target):
        return _keep_out_users(target, None, manager)
    return partial(_keep_out_users, target=target, manager=manager)


def _keep_out_users(func: Any, target: str | None, manager: Any) -> Any:
    @wraps(func)
    def decorated_view(*args: Any, **kwargs: Any) -> Any:
        answer = step(send_away(exchange(manager), target))
        if answer is not None:
            return answer
        return current_app.ensure_sync(func)(*args, **kwargs)

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

    An application that serves such a view without both settings raises `ConfigurationError` at its
    first request.
    """
    return basic_guarded(func, basic.Names(username_key, password_key))


def basic_guarded(func: Any, names: basic.Names, manager: Any = None) -> Any:
    """Protect the view *func* by the settings *names*; None returns what protects a view."""
    if func is None:
        return partial(basic_guarded, names=names, manager=manager)

    @wraps(func)
    def decorated_view(*args: Any, **kwargs: Any) -> Any:
        refusal = step(refuse_basic(exchange(manager), names))
        return current_app.ensure_sync(func)(*args, **kwargs) if refusal is None else refusal

    marks.mark(decorated_view, func, marks.BASIC, manager)
    basic.mark(decorated_view, names, None if manager is None else manager.realm)
    return decorated_view


def refuse_loops(store: Store | None) -> None:
    """Raise `ConfigurationError` for a *store* that needs an event loop: Flask has none."""
    if getattr(store, "is_async", False):
        raise ConfigurationError(
            f"{store!r} needs an event loop, and Flask has none. Give it the blocking client or"
            " engine: redis.Redis, sqlalchemy.create_engine."
        )


def check_first(app: Flask) -> None:
    """Let *app*'s first request, whatever it is for, fail where such a view protects nothing."""

    def check() -> None:
        basic.check_views(app)
        for manager in realms.managers_of(app).values():
            refuse_loops(manager.sessions)  # It may have been given one since.
            step(listing.check_at_request(anywhere(manager)))
        # Once is enough.  A new list: Flask is going through the old one.
        hooks = app.before_request_funcs[None]
        app.before_request_funcs[None] = [hook for hook in hooks if hook is not check]

    app.before_request(check)
    hooks = cast("list[Any]", app.before_request_funcs[None])
    hooks.insert(0, hooks.pop())


_loaded_user = _get_user


def refusal(
    fresh: bool, manager: Any, *, fenced: bool = False, max_age: float | None = None
) -> Any:
    """Return the response that takes the view's place, or None where the view may run; see
    `guard.refuse`.
    """
    if _get_user is _loaded_user or (manager is not None and manager.realm is not None):
        return step(refuse(exchange(manager), fresh, fenced=fenced, max_age=max_age))
    # A test put another function into the place of `_get_user`: whom that returns is the user.
    manager = current_app.login_manager  # type: ignore[attr-defined]
    if not get_user().is_authenticated:
        return in_place(manager.unauthorized())
    return in_place(manager.needs_refresh()) if fresh and not login_fresh() else None


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
    "acting_as",
    "basic_auth_required",
    "confirm_login",
    "current_user",
    "decode_cookie",
    "encode_cookie",
    "expand_login_view",
    "fresh_login_required",
    "issue_token",
    "list_sessions",
    "login_decision",
    "login_fresh",
    "login_remembered",
    "login_required",
    "login_url",
    "login_user",
    "logout_user",
    "make_next_param",
    "purge_sessions",
    "report_login_failure",
    "revoke_other_sessions",
    "revoke_session",
    "revoke_user",
    "set_login_view",
]
