"""How does Flask's own session cookie cost less?

    app.session_interface = LeanCookieSessionInterface()

See ``docs/cookie-session.md``.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer
from werkzeug.sansio.http import parse_cookie

from quart_login._core.caching import protect
from quart_login._core.cookie_session import COMPRESS_FROM, Parts, keep, parts_of

__all__ = ["LeanCookieSessionInterface"]

#: What Flask writes sessions with.
_TAGGED = SecureCookieSessionInterface.serializer
#: What makes Flask's signer: what another interface signs with may change with each request.
_THEIRS = SecureCookieSessionInterface.get_signing_serializer


class LeanCookieSessionInterface(SecureCookieSessionInterface):
    """Reads and writes the cookies of Flask's own interface, without making the signer each time.

    What a subclass or an application replaces of it (``salt``, ``get_cookie_name``, ...) is heeded.
    """

    #: How many bytes of JSON a session must have to be compressed.  Flask compresses any: 0.
    compress_from: int = COMPRESS_FROM

    _kept: tuple[Parts, URLSafeTimedSerializer | None] | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs the session, or None where there is no key.  It is kept: change
        nothing of it.
        """
        make: Any = super().get_signing_serializer
        plain = self.serializer is _TAGGED and _is_plain(app.json)
        if not plain or make.__func__ is not _THEIRS:
            return make(app)  # type: ignore[no-any-return]
        parts, kept = parts_of(self, app), self._kept
        if kept is None or kept[0] != parts:
            made = make(app)
            kept = self._kept = parts, keep(made, self.compress_from)
        return kept[1]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session that *request* brings, or a new one; None where there is no key."""
        if type(request).cookies is Request.cookies:
            # As the request would find them, but that it looks through all headers for this one.
            sent = request.environ.get("HTTP_COOKIE", "")
            request.__dict__.setdefault("cookies", parse_cookie(sent, request.dict_storage_class))
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Let *response* bring *session* to the browser, if that must be."""
        accessed = session.accessed  # Before Flask 3.1.3, the next line is an access.
        if session.modified or (session and self.should_set_cookie(app, session)):
            super().save_session(app, session, response)
        elif accessed:
            protect(response.headers, False)  # says `Vary: Cookie`, at one look


def _is_plain(provider: Any) -> bool:
    """Is the JSON of *provider*, which tagged JSON is written with, Flask's own?"""
    kind, own = type(provider), provider.__dict__
    return (
        kind.loads is DefaultJSONProvider.loads
        and kind.dumps is DefaultJSONProvider.dumps
        and "loads" not in own
        and "dumps" not in own
    )
