"""Which pages may open a websocket of this application?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from quart import abort

from ._core.errors import ConfigurationError
from ._core.events import note_refusal
from ._core.origins import is_allowed, named, own, parse
from ._exchange import QuartExchange

V = TypeVar("V", bound=Callable[..., Any])

#: Where a view keeps the origins that may open its websocket, beside the application's.
_ATTRIBUTE: Final = "_quart_login_origins"


def allow_origins(*origins: str) -> Callable[[V], V]:
    """Let pages of *origins* open the websocket that the view serves, too.

        @app.websocket("/prices")
        @allow_origins("https://partner.example")
        async def prices() -> None: ...

    An origin is ``scheme://host`` or ``scheme://host:port``; ``"*"`` lets every page open it.  Only
    where no cookie matters is that safe: the page's visitor is logged in here, perhaps.  Put it
    below ``@app.websocket``.  Raises `ConfigurationError` for what is no origin.
    """
    if not origins or not all(isinstance(origin, str) for origin in origins):
        raise ConfigurationError("allow_origins takes origins: @allow_origins('https://a.example')")
    named(origins, "allow_origins")

    def mark(view: V) -> V:
        setattr(view, _ATTRIBUTE, origins)
        return view

    return mark


def check_origin(exchange: QuartExchange) -> None:
    """Refuse, with status 403, the handshake of a page that may not open the websocket.

    That is a matter of the application, whatever realms it has, so the setting is read there.
    """
    socket = exchange.request
    sent = socket.headers.getlist("Origin")
    if not sent:
        return
    origin, host = ", ".join(sent), socket.headers.get("Host", "")
    allowed = exchange.app.config.get("LOGIN_WEBSOCKET_ORIGINS")
    if is_allowed(origin, socket.scheme, host, allowed) or view_allows(
        exchange.app, socket.endpoint, origin
    ):
        return
    exchange.bind(None)
    said = (
        f"A websocket was refused: its Origin {origin!r:.100} is not that of"
        f" {f'{socket.scheme}://{host}'!r:.105}.{_hint(origin, socket.scheme, host)}"
    )
    note_refusal(exchange, "websocket_refused", "foreign_origin", said)
    abort(403)


def view_allows(app: Any, endpoint: str | None, origin: str) -> bool:
    """Does *app*'s view at *endpoint* say that pages of *origin* may open its websocket?"""
    view = app.view_functions.get(endpoint)
    listed = getattr(view, _ATTRIBUTE, ())
    return bool(listed) and is_allowed(origin, "", "", listed)


def _hint(origin: str, scheme: str, host: str) -> str:
    """Return what to do if it was a proxy that ended TLS."""
    if scheme == "ws" and parse(origin) is not None and parse(origin) == own("wss", host):
        return (
            " If a proxy in front ends TLS, let the server believe its X-Forwarded-Proto, or list"
            " the origin in LOGIN_WEBSOCKET_ORIGINS."
        )
    return ""
