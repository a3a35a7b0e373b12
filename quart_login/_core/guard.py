"""What does a stranger, or a user whose login is stale, get instead of the view?

Rule 1.  A view runs for a user who is logged in, and freshly so where that is asked.
Rule 2.  An OPTIONS request of anybody else gets the automatic answer (a browser sends preflight
         requests without cookies); the view's own body does not run.
Rule 3.  If the user could not be loaded, the loader's exception is raised (or status 503, if it
         took too long): the visitor may well be logged in, and must not be sent to log in again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from . import basic, challenge, report
from .authorization import is_basic
from .exchange import Exchange
from .identity import Identity
from .load import authenticated, known
from .login import is_login_fresh
from .negotiation import Client, by_htmx, client_of, depends_on, problem
from .reasons import Reason
from .redirects import location
from .settings import EXEMPT_METHODS, LOGIN_MESSAGE, REFRESH_MESSAGE
from .signals import credential_rejected, user_accessed, user_needs_refresh, user_unauthorized
from .urls import (
    HOST,
    View,
    endpoint_in,
    expand_login_view,
    login_views,
    methods_at,
    next_url,
    with_next,
)
from .withheld import FETCH_SITE, may_be_withheld


def admits(identity: Identity, session: Any) -> bool:
    """Is it plain that a view may run, with nothing to find out and nobody to tell?"""
    user = identity.user
    if user is None or not identity.loaded or identity.news or user.is_authenticated is not True:
        return False
    if not identity.seen:
        if user_accessed.receivers:
            return False
        identity.seen = session.accessed = True
    return True


async def refuse(
    exchange: Exchange, fresh: bool = False, *, fenced: bool = False, max_age: float | None = None
) -> Any:
    """Return the response that takes the view's place, or None where the view may run.

    *max_age* is for how many seconds a login is *fresh*; None is as long as the settings say.
    *fenced* says that it is no decorator that asks (see `fences`): then OPTIONS is as any method,
    and a stranger does not learn which URLs there are.
    """
    if exchange.config.get("LOGIN_DISABLED"):
        return None
    method = getattr(exchange.request, "method", None)
    if method in EXEMPT_METHODS and not (fenced and method == "OPTIONS"):
        return await _exempt(exchange, method, fresh, max_age)
    identity = exchange.identity
    await known(exchange)
    if identity.error is not None:
        if isinstance(identity.error, TimeoutError):
            exchange.web.abort(503)
        raise identity.error
    if not authenticated(exchange):
        identity.discreet = fenced
        return await _answer_of(exchange, exchange.manager.unauthorized, unauthorized)
    if fresh and not is_login_fresh(exchange, max_age):
        return await _answer_of(exchange, exchange.manager.needs_refresh, needs_refresh)
    return None


async def _answer_of(exchange: Exchange, method: Any, own: Callable[[Exchange], Any]) -> Any:
    """Return what the manager's *method* answers: what *own* does, unless it was replaced."""
    if getattr(method, "__func__", None) in exchange.manager.own_answers:
        return in_place(await own(exchange))
    return in_place(await exchange.call(method))


def in_place(answer: Any) -> Any:
    """Return *answer*, which takes the place of a view.  Raises `TypeError` if it is None: whoever
    was to be refused would be let in.
    """
    if answer is None:
        raise TypeError(
            "What refuses a visitor returned None: unauthorized_handler, needs_refresh_handler, or"
            " the LoginManager's unauthorized() or needs_refresh(). Return a response there, or"
            " abort(401)."
        )
    return answer


async def refuse_basic(exchange: Exchange, names: basic.Names) -> Any:
    """Return the response that takes the view's place, or None for who brings the username and
    password that the settings *names* hold.  Raises `ConfigurationError` if they hold none.
    """
    expected = basic.configured(exchange.config, names)
    sent = exchange.authorization()
    given = None if sent is None else basic.read(sent)
    if exchange.config.get("LOGIN_DISABLED") or (given and basic.matches(given, expected)):
        return None
    if getattr(exchange.request, "method", None) == "OPTIONS" and "OPTIONS" in EXEMPT_METHODS:
        return await exchange.options()
    if sent is not None and is_basic(sent):
        reason = Reason.MALFORMED if given is None else Reason.WRONG_PASSWORD
        await report.tell(exchange, credential_rejected, reason=reason)
    raise challenge.demand_basic(exchange)


async def _exempt(
    exchange: Exchange, method: str | None, fresh: bool, max_age: float | None
) -> Any:
    """Answer a method that needs no login."""
    if method != "OPTIONS":
        return None  # The application put it into EXEMPT_METHODS.
    if exchange.manager.loads_users:
        await known(exchange)
        if authenticated(exchange) and (not fresh or is_login_fresh(exchange, max_age)):
            return None
    return await exchange.options()


async def send_away(exchange: Exchange, target: str | None) -> Any:
    """Return the response that sends a user who is logged in to *target*, or None for others.

    *target* is an endpoint or a URL; None is the root of the application.  Who is there already
    stays, as there is nowhere else to go.
    """
    if exchange.config.get("LOGIN_DISABLED"):
        return None
    await known(exchange)
    if not authenticated(exchange):
        return None
    if exchange.is_websocket:
        exchange.web.abort(403)
    root = "/" + exchange.request.root_path.strip("/")  # two slashes would begin a host's name
    url = f"{root.rstrip('/')}/" if target is None else expand_login_view(exchange.web, target)
    return None if _is_here(exchange.request, url) else exchange.redirect(location(url))


def _is_here(request: Any, url: str) -> bool:
    """Is *url* the page that *request* asks for, but perhaps for a slash at its end?"""
    target, path = urlsplit(url), request.root_path.rstrip("/") + request.path
    same_path = unquote(target.path).strip("/") == path.strip("/")
    return same_path and target.netloc in ("", request.host)


class Demand(NamedTuple):
    """What a visitor is asked for."""

    #: What it is called, to a program.
    code: str
    #: What it is called, to people, where the application says nothing.
    detail: str
    #: What people are told on the page that they are sent to, if anything.
    message: str | None
    category: str
    #: The pages where they can do it, and whose these are; the first that is one counts.
    views: Iterable[tuple[View, str]]


async def unauthorized(exchange: Exchange) -> Any:
    """Return the response for a stranger."""
    await report.tell(exchange, user_unauthorized)
    manager = exchange.manager
    if exchange.is_websocket:
        raise challenge.demand(exchange)
    if manager.unauthorized_callback:
        return await exchange.call(manager.unauthorized_callback)
    views: Iterable[tuple[View, str]] = [(manager.login_view, "")]
    if manager.blueprint_login_views:
        views = login_views(
            manager.blueprint_login_views,
            manager.login_view,
            exchange.request.blueprints,
            exchange.app.blueprints,
        )
    message, category = manager.login_message, manager.login_message_category
    demand = Demand("login_required", LOGIN_MESSAGE, message, category, views)
    return await _answer(exchange, demand)


async def needs_refresh(exchange: Exchange) -> Any:
    """Return the response for a user whose login is stale."""
    await report.tell(exchange, user_needs_refresh)
    manager = exchange.manager
    if exchange.is_websocket:
        raise challenge.demand(exchange)
    if manager.needs_refresh_callback:
        return await exchange.call(manager.needs_refresh_callback)
    message, category = manager.needs_refresh_message, manager.needs_refresh_message_category
    views = [(manager.refresh_view, "")]
    demand = Demand("fresh_login_required", REFRESH_MESSAGE, message, category, views)
    return await _answer(exchange, demand)


async def _answer(exchange: Exchange, demand: Demand) -> Any:
    """Send the visitor to where *demand* can be met, or refuse the request."""
    asked = exchange.preferences() if exchange.setting("LOGIN_NEGOTIATE") else None
    client = None if asked is None else client_of(asked)
    if client is Client.PROGRAM:
        detail = await _localized(exchange, demand.message or demand.detail)
        raise _refusal(exchange, asked, demand.code, detail)
    # Who sent a token or a password in a header is in front of no login page.
    view = None if challenge.came(exchange) else await _page(exchange, demand.views)
    if view is None:
        raise _refusal(exchange, asked)
    withheld = _withheld(exchange, asked)
    if demand.message and not withheld:
        message: Any = demand.message
        if exchange.manager.localize_callback is not None:
            message = await _localized(exchange, message)
        await exchange.call(exchange.web.flash, message, demand.category)
    response = _sent_to(exchange, view, client, withheld)
    if asked is not None:
        response.headers["Vary"] = _vary(exchange, asked)
    if client is Client.HTMX:
        return by_htmx(response, exchange.manager.challenges(exchange))
    return response


async def _page(exchange: Exchange, views: Iterable[tuple[View, str]]) -> str | None:
    """Return the first of *views* that is a page."""
    for view, blueprint in views:
        named: Any = await exchange.call(view) if callable(view) else view
        if callable(view) and not (named is None or isinstance(named, str)):
            raise TypeError(
                f"The login view {view!r} must return an endpoint, a URL or None, not {named!r}."
            )
        if named:
            return endpoint_in(blueprint, named)
    return None


def _refusal(
    exchange: Exchange,
    asked: Mapping[str, str] | None,
    code: str = "",
    detail: str | None = None,
) -> Exception:
    """Return status 401, to be raised; an error handler of the application may yet change it."""
    refusal = challenge.demand(exchange)
    if asked is not None:
        page = refusal.get_response() if detail is None else problem(refusal, code, detail)
        page.headers["Vary"] = _vary(exchange, asked)
        refusal.response = page
    return refusal


def _withheld(exchange: Exchange, asked: Mapping[str, str] | None) -> bool:
    """May the browser have a session cookie that it did not send?"""
    request = exchange.request
    site = (request.headers if asked is None else asked).get(FETCH_SITE)
    if site is None:
        return False
    same_site = exchange.app.config.get("SESSION_COOKIE_SAMESITE")
    return may_be_withheld(site, request.method, same_site, exchange.session)


def _sent_to(exchange: Exchange, view: str, client: Client | None, withheld: bool) -> Any:
    """Return the response that sends the visitor to *view*, to come back from there."""
    request, base = exchange.request, expand_login_view(exchange.web, view)
    back: str | None = next_url(
        request,
        base,
        by_htmx=client is Client.HTMX,
        methods_at=None if exchange.identity.discreet else methods_at(exchange.app, request),
    )
    if exchange.setting("USE_SESSION_FOR_NEXT") and not withheld:
        _keep_next(exchange, back)
        back = None
    if back is not None:
        base = with_next(exchange.web, base, back, host=exchange.app.config.get(HOST))
    return exchange.redirect(location(base))


def _vary(exchange: Exchange, asked: Mapping[str, str]) -> str:
    """Return what the answer depended on, as one text: to build a header set is dear."""
    names = depends_on(asked)
    # What would be added later, by `caching` or by the framework, is cheaper here.
    by_cookie = exchange.identity.seen or getattr(exchange.session, "modified", False)
    return f"{names}, Cookie" if by_cookie else names


async def _localized(exchange: Exchange, message: str) -> Any:
    localize = exchange.manager.localize_callback
    return message if localize is None else await exchange.call(localize, message)


def _keep_next(exchange: Exchange, back: str | None) -> None:
    """Keep the page to come back to in the session."""
    keys = exchange.manager.keys
    if back is None:
        exchange.session.pop(keys.next, None)
        return
    if keys.user_id not in exchange.session:
        # A Flask-Login that shares the session drops what is not bound to its client.
        exchange.session[keys.id] = exchange.manager.identifier(exchange)
    exchange.session[keys.next] = back
