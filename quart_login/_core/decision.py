"""Why is this request anonymous, or how did its user come?

Loading leaves a note on the `Identity` where something out of the ordinary happens, and nothing
where a session's login is simply good: the answer is put together when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from itsdangerous import BadData, BadSignature, SignatureExpired

from .exchange import Exchange
from .identity import Identity
from .reasons import Reason

#: What brought a user: see `LoginDecision.source`.
Source: TypeAlias = Literal[
    "session", "remember_cookie", "request_loader", "token", "password", "login"
]

SOURCES: Final[tuple[Source, ...]] = get_args(Source)


@dataclass(frozen=True, slots=True)
class LoginDecision:
    """Why a request is anonymous, or how its user came.  It names no user and holds no secret."""

    #: Is somebody logged in?
    authenticated: bool
    #: What brought the user: ``"session"``, ``"remember_cookie"``, ``"request_loader"``,
    #: ``"token"`` or ``"password"`` (in the ``Authorization`` header), or ``"login"`` for a login
    #: in this very request; None for nobody.
    source: Source | None = None
    #: Why nobody is logged in; None for somebody.
    reason: Reason | None = None
    #: Is the login fresh?
    fresh: bool = False


def source_of(identity: Identity) -> Source:
    """Return what brought the user: a session, if nothing says otherwise."""
    return identity.source or ("request_loader" if identity.by_request else "session")


def why(exchange: Exchange) -> Reason:
    """Return why nobody is logged in."""
    identity = exchange.identity
    if not identity.loaded:
        return Reason.NOT_LOADED
    return identity.reason or _unread_session(exchange) or Reason.NO_CREDENTIAL


def _unread_session(exchange: Exchange) -> Reason | None:
    """Return why the framework ignored the session cookie, if it did: it does so silently.

    (Where sessions are kept on the server, their interface alone could tell.)
    """
    app = exchange.app
    sent = exchange.request.cookies.get(exchange.config.get("SESSION_COOKIE_NAME"))
    make = getattr(app.session_interface, "get_signing_serializer", None)
    serializer = None if make is None or not sent else make(app)
    if serializer is None:
        return None
    try:
        serializer.loads(sent, max_age=int(app.permanent_session_lifetime.total_seconds()))
    except SignatureExpired:
        return Reason.EXPIRED
    except BadSignature as error:
        return Reason.MALFORMED if error.payload is None else Reason.BAD_SIGNATURE
    except BadData:
        return Reason.MALFORMED
    return None
