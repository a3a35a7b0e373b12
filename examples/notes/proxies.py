"""Who sends a request that came through proxies?

Each proxy writes from whom, by which scheme and for which host it came: ``X-Forwarded-For``,
``X-Forwarded-Proto`` and ``X-Forwarded-Host``.  So can any visitor: believed is what was written by
the last ones, as many as there are proxies.
"""

from __future__ import annotations

from typing import Any

from hypercorn.middleware import ProxyFixMiddleware


def behind(proxies: int, app: Any) -> Any:
    """Return the ASGI application *app*, which *proxies* stand before, one after the other."""

    async def with_wss(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket" and scope["scheme"] == "https":
            scope = {**scope, "scheme": "wss"}  # Proxies say "https" of a websocket, too.
        await app(scope, receive, send)

    return ProxyFixMiddleware(with_wss, trusted_hops=proxies)
