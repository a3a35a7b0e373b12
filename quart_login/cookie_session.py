"""How does Quart's own session cookie cost less?

    app.session_interface = LeanCookieSessionInterface()

See ``docs/cookie-session.md``.
"""

from __future__ import annotations

from typing import Any

from itsdangerous import URLSafeTimedSerializer
from quart import Quart, Response
from quart.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug.wrappers import Response as WerkzeugResponse

from ._core.caching import protect
from ._core.cookie_session import COMPRESS_FROM, Parts, keep, parts_of

__all__ = ["LeanCookieSessionInterface"]

#: What Quart writes sessions with.
_TAGGED = SecureCookieSessionInterface.serializer
#: What makes Quart's signer: what another interface signs with may change with each request.
_THEIRS = SecureCookieSessionInterface.get_signing_serializer


class LeanCookieSessionInterface(SecureCookieSessionInterface):
    """Reads and writes the cookies of Quart's own interface, without making the signer each time.

    What a subclass or an application replaces of it (``salt``, ``get_cookie_name``, ...) is heeded.
    """

    #: How many bytes of JSON a session must have to be compressed.  Quart compresses any: 0.
    compress_from: int = COMPRESS_FROM

    _kept: tuple[Parts, URLSafeTimedSerializer | None] | None = None

    def get_signing_serializer(self, app: Quart) -> URLSafeTimedSerializer | None:
        """Return what signs the session, or None where there is no key.  It is kept: change
        nothing of it.
        """
        make: Any = super().get_signing_serializer
        if self.serializer is not _TAGGED or make.__func__ is not _THEIRS:
            return make(app)  # type: ignore[no-any-return]
        parts, kept = parts_of(self, app), self._kept
        if kept is None or kept[0] != parts:
            made = make(app)
            kept = self._kept = parts, keep(made, self.compress_from)
        return kept[1]

    async def save_session(
        self, app: Quart, session: SessionMixin, response: Response | WerkzeugResponse | None
    ) -> None:
        """Let *response*, unless it is None, bring *session* to the browser, if that must be."""
        accessed = session.accessed  # Before Flask 3.1.3, the next line is an access.
        must = session.modified or (session and self.should_set_cookie(app, session))
        if must or response is None:
            await super().save_session(app, session, response)
        elif accessed:
            protect(response.headers, False)  # says `Vary: Cookie`, at one look
