"""How are two applications one site?

By hypercorn's dispatcher: what begins with ``/new`` is Quart's, all else is Flask's.  To move a
view is to write it in the Quart half, and to send its old URL there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from hypercorn.middleware import AsyncioWSGIMiddleware, DispatcherMiddleware
from quart import Quart

from . import common, flask_half, quart_half


def create_app() -> Quart:
    """Return the Quart half, which serves the Flask half, too.

    So a command line that wants an application of Quart's has one:
    ``quart --app examples.side_by_side.app login sessions alice``.
    """
    store = common.open_store()
    app: Any = quart_half.create_app(store)
    new = app.asgi_app
    old: Any = AsyncioWSGIMiddleware(_with_a_body(flask_half.create_app(store)))
    halves = DispatcherMiddleware({common.NEW: new, "": old})

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        # That the server starts and ends concerns Quart alone. The dispatcher would wait until WSGI
        # has answered, too, which it never does.
        await (new if scope["type"] == "lifespan" else halves)(scope, receive, send)

    app.asgi_app = serve
    return cast(Quart, app)


def _with_a_body(app: Any) -> Callable[..., Iterator[bytes]]:
    """Let each response of *app* have a chunk: hypercorn sends the headers with the first one, and
    so never those of a response without a body, to HEAD or with status 304.
    """

    def answer(environ: Any, start_response: Any) -> Iterator[bytes]:
        body = app(environ, start_response)
        try:
            yield from body
            yield b""
        finally:
            body.close()

    return answer
