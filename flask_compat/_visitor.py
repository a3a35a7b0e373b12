"""How does an audit visit a Flask application?"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

from flask import Flask, request_started
from werkzeug.datastructures import Headers
from werkzeug.wsgi import ClosingIterator

from quart_login._core.answers import HEARD, Answer, NoAnswer, Sent
from quart_login._core.kit import ATTRIBUTE
from quart_login._core.step import step

from ._alarm import in_time
from .test_client import FlaskLoginClient

R = TypeVar("R")

#: Seconds for which an answer is waited for.
PATIENCE: Final = 5.0


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

    async def send(
        self, sent: Sent, first: Callable[[], Any] | None = None, whole: bool = True
    ) -> Answer:
        """Return what *sent* brings; *first* is called when the request begins.

        *whole* says whether the body is wanted, too.  Raises `NoAnswer`.
        """
        told: set[str] = set()
        client = _Client(self._app, self._app.response_class, use_cookies=False)
        with ExitStack() as hearing:
            for signal, name in HEARD:
                hearing.enter_context(signal.connected_to(_noting(told, name), sender=self._app))
            if first is not None:
                begin = _beginning(first)
                hearing.enter_context(request_started.connected_to(begin, sender=self._app))
            try:
                return in_time(PATIENCE, partial(self._tried, client, sent, told, whole))
            except TimeoutError:
                raise NoAnswer(f"within {PATIENCE:g} seconds") from None

    def _tried(self, client: FlaskLoginClient, sent: Sent, told: set[str], whole: bool) -> Answer:
        try:
            return self._answer(client, sent, told, whole)
        except Exception as error:  # A view's, which the application lets pass in tests.
            return Answer(500, told=frozenset(told), error=error)

    def _answer(self, client: FlaskLoginClient, sent: Sent, told: set[str], whole: bool) -> Answer:
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
            ends = "Content-Length" in response.headers or sent.method == "HEAD"
            body = response.get_data() if whole and ends else None
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


class _Client(FlaskLoginClient):
    """A client that has its answer when the application has begun it.

    (Werkzeug's waits for the first piece of the body, which a stream may send tomorrow.)
    """

    def run_wsgi_app(
        self, environ: Any, buffered: bool = False
    ) -> tuple[Iterable[bytes], str, Headers]:
        begun: list[Any] = []
        written: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            if exc_info:
                raise exc_info[1].with_traceback(exc_info[2])
            begun[:] = status, Headers(headers)
            return written.append

        answer = self.application(environ, start_response)
        pieces = iter(answer)
        while not begun:  # as by a generator, which begins with its first piece
            written.extend([next(pieces)])
        body = ClosingIterator(chain(written, pieces), getattr(answer, "close", None))
        return body, begun[0], begun[1]


def _noting(told: set[str], name: str) -> Callable[..., None]:
    def note(sender: Any, **extra: Any) -> None:
        told.add(name)

    return note


def _beginning(first: Callable[[], Any]) -> Callable[..., None]:
    def begin(sender: Any, **extra: Any) -> None:
        first()

    return begin
