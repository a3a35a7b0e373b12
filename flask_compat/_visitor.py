"""How does an audit visit a Flask application?"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar

from flask import Flask, request_started

from quart_login._core.answers import HEARD, Answer, Sent
from quart_login._core.kit import ATTRIBUTE
from quart_login._core.step import step

from .test_client import FlaskLoginClient

R = TypeVar("R")


class Visitor:
    """Visits *app* as whoever *manager* knows.  Its coroutines wait for nothing."""

    runs_on_asyncio = False

    def __init__(self, app: Flask, manager: Any) -> None:
        self._app = app
        self._manager = manager

    def run(self, work: Callable[..., Coroutine[Any, Any, R]], *args: Any) -> R:
        """Return what ``work(*args)`` does."""
        return step(work(*args))

    async def call(self, method: Callable[..., R], *args: Any) -> R:
        """Return what *method* of the manager does outside of requests."""
        with self._app.app_context():
            return method(*args)

    async def log_in(self, user: Any) -> str:
        """Return the ``Cookie`` header of a browser where *user* has just logged in."""
        client = FlaskLoginClient(self._app, self._app.response_class)
        client.login_as(user, realm=self._manager.name)
        jar = client._cookies or {}
        return "; ".join(f"{cookie.key}={cookie.value}" for cookie in jar.values())

    def load(self) -> Any:
        """Load the user of the request at hand."""
        return self._manager.current_user.is_authenticated

    async def send(self, sent: Sent, first: Callable[[], Any] | None = None) -> Answer:
        """Return what *sent* brings; *first* is called when the request begins."""
        told: set[str] = set()
        client = FlaskLoginClient(self._app, self._app.response_class, use_cookies=False)
        with ExitStack() as hearing:
            for signal, name in HEARD:
                hearing.enter_context(signal.connected_to(_noting(told, name), sender=self._app))
            if first is not None:
                begin = _beginning(first)
                hearing.enter_context(request_started.connected_to(begin, sender=self._app))
            try:
                return self._answer(client, sent, told)
            except Exception as error:  # A view's, which the application lets pass in tests.
                return Answer(500, told=frozenset(told), error=error)

    def _answer(self, client: FlaskLoginClient, sent: Sent, told: set[str]) -> Answer:
        root = self._app.config["APPLICATION_ROOT"]
        host = sent.host or self._app.config["SERVER_NAME"] or "localhost"
        response = client.open(
            sent.path,
            method=sent.method,
            base_url=f"https://{host}{root}",
            headers=list(sent.headers),
        )
        try:
            # What says no length is made while it is sent, and may have no end.
            whole = "Content-Length" in response.headers or sent.method == "HEAD"
            body = response.get_data() if whole else None
        finally:
            response.close()
        decision = getattr(response, ATTRIBUTE, None)
        return Answer(
            response.status_code,
            list(response.headers),
            body,
            frozenset(told),
            anonymous=None if decision is None else str(decision.reason or ""),
        )


def _noting(told: set[str], name: str) -> Callable[..., None]:
    def note(sender: Any, **extra: Any) -> None:
        told.add(name)

    return note


def _beginning(first: Callable[[], Any]) -> Callable[..., None]:
    def begin(sender: Any, **extra: Any) -> None:
        first()

    return begin
