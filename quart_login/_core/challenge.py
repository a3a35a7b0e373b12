"""How is a client told which credentials would let it in?

Rule 1.  Every refusal names one, at least (RFC 9110, section 15.5.2), in ``WWW-Authenticate``.
Rule 2.  Who sent no credential is told no error; who sent one is told what is wrong with it, in
         the words of RFC 6750 (section 3.1) and RFC 9470, and never whose it was.
Rule 3.  Who used one scheme is answered in that scheme: a browser that is offered Basic shows a
         dialogue, and a program that sent a token has no use for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from werkzeug import exceptions

from .reasons import Reason

if TYPE_CHECKING:
    from .exchange import Exchange

#: What a client is told of a token that was refused; of all others, that it is not valid.
_SAID: Final[dict[Reason | None, str]] = {
    Reason.EXPIRED: "The token has expired",
    Reason.EPOCH_CHANGED: "The token was revoked",
}


class Challenging(exceptions.HTTPException):
    """A refusal that says which credentials would do."""

    challenges: tuple[str, ...] = ()

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Return the headers of the response."""
        said = (("WWW-Authenticate", challenge) for challenge in self.challenges)
        return [*super().get_headers(*args, **kwargs), *said]


class Unauthorized(Challenging, exceptions.Unauthorized):
    """Status 401, with its challenges."""


class BadRequest(Challenging, exceptions.BadRequest):
    """Status 400 for a credential that is none (RFC 6750, section 3.1: ``invalid_request``)."""


def came(exchange: Exchange) -> bool:
    """Did a token or a password come in the request's header, good or bad?  (Then it is no person
    in front of a login page who is refused.)
    """
    return exchange.identity.scheme is not None


def demand(exchange: Exchange) -> Challenging:
    """Return the refusal of this request, to be raised."""
    return _refusal(exchange.manager.challenges(exchange), is_malformed(exchange))


def is_malformed(exchange: Exchange) -> bool:
    """Was a token sent in a way that nobody can read, so that status 400 is what it deserves?"""
    identity = exchange.identity
    return identity.scheme == "bearer" and identity.refused is Reason.MALFORMED


def demand_basic(exchange: Exchange) -> Challenging:
    """Return the refusal of who brought no username and password, or wrong ones."""
    return _refusal([_basic(exchange)], False)


def _refusal(challenges: Iterable[str], malformed: bool) -> Challenging:
    refusal = BadRequest() if malformed else Unauthorized()
    refusal.challenges = tuple(challenges)
    return refusal


def challenges(exchange: Exchange) -> list[str]:
    """Return the values of ``WWW-Authenticate`` for a request that is refused now."""
    identity = exchange.identity
    if identity.by_header and identity.refused is None:
        # Let in, so it is a fresh login that is missing, and no header is one (RFC 9470).
        said = "Type the password again, in a session: nothing else is fresh"
        return [_bearer(exchange, "insufficient_user_authentication", said)]
    if identity.scheme == "basic":
        return [_basic(exchange)]
    if identity.scheme == "bearer":
        return [_refused(exchange, identity.refused)]
    possible = [_bearer(exchange)] if exchange.setting("LOGIN_BEARER_TOKENS") else []
    if exchange.manager.verify_callback is not None and not _is_a_script(exchange):
        possible.append(_basic(exchange))
    return possible


def _is_a_script(exchange: Exchange) -> bool:
    """Was the request sent by a page in a browser, which would show a dialogue for Basic?"""
    headers = exchange.request.headers
    return "X-Requested-With" in headers or headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _refused(exchange: Exchange, reason: Reason | None) -> str:
    if reason is Reason.MALFORMED:
        said = "Send one Authorization header, with one token"
        return _bearer(exchange, "invalid_request", said)
    return _bearer(exchange, "invalid_token", _SAID.get(reason, "The token is not valid"))


def _bearer(exchange: Exchange, error: str | None = None, said: str = "") -> str:
    realm = f"Bearer realm={quoted(_realm(exchange))}"
    if error is None:
        return realm
    return f"{realm}, error={quoted(error)}, error_description={quoted(said)}"


def _basic(exchange: Exchange) -> str:
    return f'Basic realm={quoted(_realm(exchange))}, charset="UTF-8"'


def _realm(exchange: Exchange) -> str:
    text = exchange.setting("LOGIN_REALM")
    return str(exchange.manager.name or "login") if text is None else str(text)


def quoted(text: str) -> str:
    """Return *text* as a quoted-string, which RFC 9110 (section 11.5) asks for."""
    shown = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
