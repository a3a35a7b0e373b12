"""Who stands at the fence in Quart?"""

from __future__ import annotations

from typing import Any, cast

from quart import Quart

from ._context import here
from ._core.fences import asking, come_first
from ._core.guard import refuse
from ._exchange import exchange
from ._views import admitted


async def stop_strangers() -> Any:
    """Return the response for a stranger where `LoginManager.require_login` protects, or None."""
    place = here()
    assert place is not None
    for manager in asking(place[0], place[1]):
        if not admitted(manager):
            refusal = await refuse(exchange(manager), fenced=True)
            if refusal is not None:
                return refusal
    return None


def watch(app: Quart) -> None:
    """Let each request and handshake to *app* be looked at."""
    app.before_request(stop_strangers)
    app.before_websocket(stop_strangers)
    for hooks in (app.before_request_funcs, app.before_websocket_funcs):
        come_first(cast("list[Any]", hooks[None]))
