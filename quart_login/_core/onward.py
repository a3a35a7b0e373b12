"""Where does a visitor go after the login?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .errors import OutOfPlace
from .exchange import Exchange
from .redirects import host_of, location, safe_path

#: The methods of a request that the browser may repeat where it is sent (RFC 9110, section 15.4).
_REPEATED = ("GET", "HEAD")


async def redirect_next(
    exchange: Exchange, fallback: str = "/", next_field: str = "next"
) -> Response:
    """Return a redirect to the page that the visitor was on the way to, or to *fallback*, a URL.

    That page is named by the field *next_field* of the query, else by that of the form, else by the
    session (``USE_SESSION_FOR_NEXT``), which forgets it.  A name that leads off this site, or that
    cannot be read, counts as none.  The status is 302, or 303 after a POST and the like, so that
    the page is fetched by GET.  Raises `OutOfPlace` (a `RuntimeError`) in a websocket.
    """
    if exchange.is_websocket:
        raise OutOfPlace("A websocket cannot be redirected. Call redirect_next in a view.")
    path = await _named(exchange, next_field)
    kept = _kept(exchange)
    repeated = exchange.request.method in _REPEATED
    target = path or safe_path(kept, host_of(exchange.request)) or fallback
    response: Response = exchange.web.redirect(location(target), 302 if repeated else 303)
    return response


async def _named(exchange: Exchange, field: str) -> str | None:
    """Return the page that the query names, or the form."""
    request = exchange.request
    path = safe_path(_argument(request, field), host_of(request))
    if path is None and request.method not in _REPEATED:
        path = safe_path((await _form(exchange)).get(field), host_of(request))
    return path


def _argument(request: Any, field: str) -> object:
    """Return *field* of the query; None if the query is no UTF-8."""
    try:
        return request.args.get(field)
    except ValueError:
        return None


async def _form(exchange: Exchange) -> Mapping[str, str]:
    """Return the fields of the form; none if it cannot be read, or is too large."""
    try:
        return await exchange.form()
    except (HTTPException, ValueError):
        return {}


def _kept(exchange: Exchange) -> object:
    """Return the page that the session names, which forgets it: there is one way on."""
    key = exchange.manager.keys.next
    return exchange.session.pop(key) if key in exchange.session else None
