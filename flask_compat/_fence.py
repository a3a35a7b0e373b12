"""Who stands at the fence in Flask?"""

from __future__ import annotations

from typing import Any, cast

from flask import Flask

from quart_login._core.fences import asking, come_first

from ._context import here
from .utils import refusal


def stop_strangers() -> Any:
    """Return the response for a stranger where `LoginManager.require_login` protects, or None."""
    place = here()
    assert place is not None
    for manager in asking(place[0], place[1]):
        answer = refusal(False, manager, fenced=True)
        if answer is not None:
            return answer
    return None


def watch(app: Flask) -> None:
    """Let each request to *app* be looked at."""
    app.before_request(stop_strangers)
    come_first(cast("list[Any]", app.before_request_funcs[None]))
