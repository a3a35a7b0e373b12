"""What does a stranger, or a user whose login is stale, get instead of the view?

Rule 1.  A view runs for a user who is logged in, and freshly so where that is asked.
Rule 2.  An OPTIONS request of anybody else gets the automatic answer (a browser sends preflight
         requests without cookies); the view's own body does not run.
Rule 3.  If the user could not be loaded, the loader's exception is raised (or status 503, if it
         took too long): the visitor may well be logged in, and must not be sent to log in again.
"""

from __future__ import annotations

from typing import Any

from .exchange import Exchange
from .identity import Identity
from .load import authenticated, known
from .login import login_fresh
from .settings import EXEMPT_METHODS
from .signals import user_accessed, user_needs_refresh, user_unauthorized
from .urls import expand_login_view, login_url, login_view_for, next_url


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


async def refuse(exchange: Exchange, fresh: bool = False) -> Any:
    """Return the response that takes the view's place, or None where the view may run."""
    if exchange.config.get("LOGIN_DISABLED"):
        return None
    method = getattr(exchange.request, "method", None)
    if method in EXEMPT_METHODS:
        return await _exempt(exchange, method, fresh)
    identity = exchange.identity
    await known(exchange)
    if identity.error is not None:
        if isinstance(identity.error, TimeoutError):
            exchange.web.abort(503)
        raise identity.error
    if not authenticated(exchange):
        return await exchange.call(exchange.manager.unauthorized)
    if fresh and not login_fresh(exchange):
        return await exchange.call(exchange.manager.needs_refresh)
    return None


async def _exempt(exchange: Exchange, method: str | None, fresh: bool) -> Any:
    """Answer a method that needs no login."""
    if method != "OPTIONS":
        return None  # The application put it into EXEMPT_METHODS.
    if exchange.manager._user_callback or exchange.manager._request_callback:
        await known(exchange)
        if authenticated(exchange) and (not fresh or login_fresh(exchange)):
            return None
    return await exchange.options()


async def unauthorized(exchange: Exchange) -> Any:
    """Return the response for a stranger."""
    await exchange.notify(user_unauthorized)
    manager = exchange.manager
    if exchange.is_websocket:
        exchange.web.abort(401)
    if manager.unauthorized_callback:
        return await exchange.call(manager.unauthorized_callback)
    view = login_view_for(
        manager.blueprint_login_views, manager.login_view, exchange.request.blueprints
    )
    return await _send_to(exchange, view, manager.login_message, manager.login_message_category)


async def needs_refresh(exchange: Exchange) -> Any:
    """Return the response for a user whose login is stale."""
    await exchange.notify(user_needs_refresh)
    manager = exchange.manager
    if exchange.is_websocket:
        exchange.web.abort(401)
    if manager.needs_refresh_callback:
        return await exchange.call(manager.needs_refresh_callback)
    return await _send_to(
        exchange,
        manager.refresh_view,
        manager.needs_refresh_message,
        manager.needs_refresh_message_category,
    )


async def _send_to(exchange: Exchange, view: str | None, message: str | None, category: str) -> Any:
    """Redirect to *view*, and show *message* there; 401 where there is no such view."""
    if not view:
        exchange.web.abort(401)
        raise AssertionError  # pragma: no cover
    if message:
        await _flash(exchange, message, category)
    base = expand_login_view(exchange.web, view)
    back = next_url(exchange.request, base)
    if exchange.setting("USE_SESSION_FOR_NEXT"):
        _keep_next(exchange, back)
        back = None
    return exchange.web.redirect(login_url(exchange.web, base, back))


async def _flash(exchange: Exchange, message: str, category: str) -> None:
    localize = exchange.manager.localize_callback
    if localize is not None:
        message = await exchange.call(localize, message)
    await exchange.call(exchange.web.flash, message, category)


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
