"""Which bearer tokens are ours, and whom do they name?

``qlt_payload.signature``: base64 of a JSON list, signed by itsdangerous under a salt of its own, so
that no token is good for another purpose (ASVS 9.2) nor, with ``LOGIN_AUDIENCE``, for another
application, nor in another realm.  It is known by its prefix; other bearer tokens are not judged.

Rule 1.  A token names the end of its life, and the server ends it: there is no token without one.
Rule 2.  Whoever issues a token for a user who could not be let in is told so at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from .authorization import PREFIX
from .errors import ConfigurationError, UnusableUser
from .realms import missing_manager
from .reasons import Reason
from .settings import CLOCK_TOLERANCE, COOKIE_LIMIT, LONGEST_LIFE, seconds, token_lifetime
from .tokens import Keys, keys_of, sign, unsign
from .users import UserId, checked_activity, checked_id, epoch_of, is_id, unwrap

if TYPE_CHECKING:
    from .manager import BaseLoginManager

#: The purpose that bearer tokens are signed for.  A new form takes a new number.
SALT: Final = "quart-login.bearer-token.1"


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a verified bearer token says."""

    user_id: UserId
    #: When it was issued, and when it ends, in seconds since 1970.
    issued: int
    expires: float
    #: The digest of the user's session epoch.
    epoch: str | None = None

    def __repr__(self) -> str:
        return "<Bearer>"


def salt(audience: str | None) -> str:
    """Return the salt of tokens that are good for *audience* alone."""
    return SALT if audience is None else f"{SALT}|{audience}"


# --- issuing -------------------------------------------------------------------------------------


def issue_token(web: Any, user: Any, *, lifetime: timedelta | float | None = None) -> str:
    """Return a bearer token for *user*, to be sent as ``Authorization: Bearer <token>``.

    It is good for *lifetime*, a `timedelta` or a number of seconds, or else for
    ``LOGIN_TOKEN_LIFETIME``, and ends earlier if the user's ``session_epoch`` changes.  It can be
    issued in a request and outside, wherever there is an application context, and waits for
    nothing.

    Raises `UnusableUser` (a `ValueError`) if the user is not active or has an id that cannot be
    kept, `ValueError` for a *lifetime* that is not positive, `TypeError` for one that is no time,
    and `ConfigurationError` without ``SECRET_KEY``.
    """
    app = web.current_app
    manager = getattr(app, "login_manager", None)
    if manager is None:
        raise RuntimeError(missing_manager(app))
    return issue(app, manager, user, lifetime)


def issue(
    app: Any, manager: BaseLoginManager[Any], user: Any, lifetime: timedelta | float | None
) -> str:
    """Return a token for *user* in the realm of *manager*; see `issue_token`."""
    user = unwrap(user)
    if getattr(user, "is_anonymous", False) is True:
        raise UnusableUser("The anonymous user gets no token: log somebody in first.")
    keys = keys_of(manager.config_of(app))
    if not checked_activity(user):
        raise UnusableUser(
            f"This {type(user).__name__} is not active, so no request with the token would be let"
            " in. Issue it when the account is."
        )
    user_id = checked_id(user, manager.id_attribute)
    now = manager.clock()
    life = _life(lifetime, manager.setting(app, "LOGIN_TOKEN_LIFETIME"))
    token = Bearer(user_id, int(now), round(now + life, 3), epoch_of(user))
    return write(token, keys, manager.setting(app, "LOGIN_AUDIENCE"))


def write(token: Bearer, keys: Keys, audience: str | None) -> str:
    """Return *token* as text.  Raises `UnusableUser` if it is too long to be read."""
    payload = [token.user_id, token.issued, token.expires, token.epoch]
    text = sign(payload, keys, salt(audience))
    if len(text) > COOKIE_LIMIT:
        raise UnusableUser(
            f"The token would be {len(text)} bytes long, and {COOKIE_LIMIT} is what servers"
            " surely take in a header. Let get_id() return a shorter id."
        )
    return PREFIX + text


def _life(lifetime: object, default: object) -> float:
    """Return for how many seconds a token is issued."""
    if lifetime is None:
        return token_lifetime(default)
    try:
        life = seconds(lifetime, "lifetime", float)
    except ConfigurationError as error:
        raise TypeError(
            f"lifetime must be a datetime.timedelta or a number of seconds, not {lifetime!r}."
        ) from error
    if not 0 < life < LONGEST_LIFE:
        raise ValueError(f"lifetime must be a time that passes, not {lifetime!r}.")
    return life


# --- reading -------------------------------------------------------------------------------------


def read(text: str, keys: Keys, audience: str | None, now: float) -> Bearer | Reason:
    """Return the token that *text* is at *now*, or why it is none."""
    found = unsign(text[len(PREFIX) :], keys, salt(audience)) if text.startswith(PREFIX) else None
    match found:
        case ([user_id, int(issued), int() | float() as expires, None | str() as epoch], _) if (
            is_id(user_id)
        ):
            # Issued in the future?  A clock that jumped back must not give it a longer life.
            alive = issued - CLOCK_TOLERANCE <= now < expires
            return Bearer(user_id, issued, expires, epoch) if alive else Reason.EXPIRED
    return Reason.BAD_SIGNATURE


def is_issued_by(manager: BaseLoginManager[Any], app: Any, text: str) -> bool:
    """Was *text* signed in the realm of *manager*, whenever that was?"""
    try:
        keys = keys_of(manager.config_of(app))
    except ConfigurationError:
        return False
    audience = manager.setting(app, "LOGIN_AUDIENCE")
    return unsign(text[len(PREFIX) :], keys, salt(audience)) is not None


def superseded(token: Bearer, user: Any) -> bool:
    """Was *token* issued in an earlier session epoch of *user*?"""
    return token.epoch is not None and token.epoch != epoch_of(user)
