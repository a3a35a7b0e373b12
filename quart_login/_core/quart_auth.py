"""Whom did Quart-Auth's cookie log in?

Rule 1.  Its cookie counts as a remember cookie from before: once, for what is left of its time, and
         never as a fresh login.  One of ours takes its place, or the session alone does.
Rule 2.  The cookie does not say whether it was to outlive the browser: only the browser knows.  So
         that is the application's to say, and not to is what holds where it says nothing.
Rule 3.  It is removed with the attributes that it was set with, or a browser keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha512
from typing import Any, Final

from itsdangerous import BadSignature, URLSafeTimedSerializer

from .cookies import Cookie, objection
from .errors import ConfigurationError
from .reasons import Reason
from .settings import CLOCK_TOLERANCE, COOKIE_LIMIT, LONGEST_LIFE, moment, seconds
from .tokens import Key, Keys, Token
from .users import UserId, is_id

#: Makes what reads the cookie, of the keys, the newest last, and the salt.
SerializerClass = Callable[[list[Key], Any], Any]

#: What Quart-Auth's settings are called, and what holds where an application says nothing.
DEFAULTS: Final[Mapping[str, Any]] = {
    "QUART_AUTH_COOKIE_DOMAIN": None,
    "QUART_AUTH_COOKIE_HTTP_ONLY": True,
    "QUART_AUTH_COOKIE_NAME": "QUART_AUTH",
    "QUART_AUTH_COOKIE_PATH": "/",
    "QUART_AUTH_COOKIE_SAMESITE": "Lax",
    "QUART_AUTH_COOKIE_SECURE": True,
    "QUART_AUTH_DURATION": 365 * 24 * 60 * 60,
    "QUART_AUTH_SALT": "quart auth salt",
}

#: A payload, compressed or not, the time of issue, and a signature.
_FORM: Final = re.compile(r"\.?[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def serializer_class(keys: Any, salt: Any) -> URLSafeTimedSerializer:
    """Return what reads the cookie, unless an application had a class of its own."""
    return URLSafeTimedSerializer(keys, salt, signer_kwargs={"digest_method": sha512})


@dataclass(frozen=True, slots=True)
class QuartAuthCookie:
    """How a manager reads Quart-Auth's cookie, and what becomes of it."""

    name: str
    #: The arguments of ``delete_cookie``.
    attributes: Mapping[str, Any]
    salt: str | bytes
    #: For how many seconds a cookie is good.
    duration: float
    #: From when on none is, in seconds since 1970; None for never.
    until: float | None
    #: Does a remember cookie take its place?
    remember: bool
    #: Makes the id that the user loader takes of the one in the cookie.
    user_id: Callable[[Any], UserId]
    serializer_class: SerializerClass

    def __repr__(self) -> str:
        return f"<QuartAuthCookie {self.name!r}>"

    def read(self, text: str, keys: Keys, now: float) -> Token | Reason:
        """Return the token that the cookie *text* is at *now*, or why it is none."""
        said = self._unsign(text, keys)
        if isinstance(said, Reason):
            return said
        auth_id, issued = said
        user_id = self._id_of(auth_id)
        if user_id is None:
            return Reason.MALFORMED
        if self.until is not None and now >= self.until:
            return Reason.LEGACY_ENDED
        if not -CLOCK_TOLERANCE <= now - issued <= self.duration:
            return Reason.EXPIRED
        return Token(user_id, issued, self.duration, foreign=True)

    def _unsign(self, text: str, keys: Keys) -> tuple[Any, int] | Reason:
        """Return the id in the cookie, and when that was issued; or why there is none."""
        if len(text) > COOKIE_LIMIT or not _FORM.fullmatch(text):
            return Reason.MALFORMED
        try:
            reader = self.serializer_class([*keys.fallbacks, keys.current], self.salt)
            auth_id, issued = reader.loads(text, return_timestamp=True)
        except BadSignature:
            return Reason.BAD_SIGNATURE
        except Exception:  # An application's own class may raise anything.
            return Reason.MALFORMED
        return auth_id, int(issued.timestamp())

    def _id_of(self, auth_id: object) -> UserId | None:
        """Return the id that the user loader takes, or None if *auth_id* names nobody.

        (``renew_login`` gave strangers a cookie, too: it holds ``null``.)
        """
        if not is_id(auth_id):
            return None
        try:
            user_id = self.user_id(auth_id)
        except (TypeError, ValueError, LookupError):
            return None  # A name, say, where ids are numbers now; or one that a mapping lacks.
        return user_id if is_id(user_id) else None

    def remove(self, response: Any) -> None:
        """Let *response* remove the cookie from the browser."""
        response.delete_cookie(self.name, **self.attributes)


def described(
    config: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    until: object,
    remember: bool,
    user_id: Callable[[Any], UserId],
    serializer_class: SerializerClass,
) -> QuartAuthCookie:
    """Return the cookie that *config* describes, but for what is *given*, not None.

    Raises `ConfigurationError` for what no cookie can be.
    """
    said = {
        key: config.get(key, default) if given.get(key) is None else given[key]
        for key, default in DEFAULTS.items()
    }
    _check(config, said)
    return QuartAuthCookie(
        said["QUART_AUTH_COOKIE_NAME"],
        {
            "domain": said["QUART_AUTH_COOKIE_DOMAIN"],
            "path": said["QUART_AUTH_COOKIE_PATH"],
            "secure": said["QUART_AUTH_COOKIE_SECURE"],
            "httponly": said["QUART_AUTH_COOKIE_HTTP_ONLY"],
            "samesite": said["QUART_AUTH_COOKIE_SAMESITE"],
        },
        said["QUART_AUTH_SALT"],
        seconds(said["QUART_AUTH_DURATION"], "QUART_AUTH_DURATION", float),
        moment(until, "until"),
        bool(remember),
        user_id,
        serializer_class,
    )


def _check(config: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for what makes no sense, or opens a door."""
    if config.get("QUART_AUTH_MODE", "cookie") != "cookie":
        raise ConfigurationError(
            "QUART_AUTH_MODE is not 'cookie', so there is no cookie to adopt. Programs get new"
            " tokens by issue_token."
        )
    if not 0 < seconds(said["QUART_AUTH_DURATION"], "QUART_AUTH_DURATION", float) < LONGEST_LIFE:
        raise ConfigurationError("QUART_AUTH_DURATION must be positive.")
    own_salt = said["QUART_AUTH_SALT"] != DEFAULTS["QUART_AUTH_SALT"]
    if config.get("LOGIN_AUDIENCE") is not None and not own_salt:
        raise ConfigurationError(
            "Quart-Auth's cookie names no audience but its salt, and this is the one that every"
            " application has: with LOGIN_AUDIENCE it is refused. Unset one of LOGIN_AUDIENCE and"
            " adopt_quart_auth, or name the salt."
        )
    wrong = objection(_cookie(said))
    if wrong is not None:
        raise ConfigurationError(wrong)


def _cookie(said: Mapping[str, Any]) -> Cookie:
    def attribute(word: str) -> Any:
        return said[f"QUART_AUTH_COOKIE_{word}"]

    return Cookie(
        "QUART_AUTH_COOKIE",
        attribute("NAME"),
        attribute("DOMAIN"),
        attribute("PATH"),
        bool(attribute("SECURE")),
        bool(attribute("HTTP_ONLY")),
        attribute("SAMESITE"),
        False,
    )
