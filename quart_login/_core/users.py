"""What must a user be, and is this object one?

Rule 1.  An id is a non-empty `str` or an `int`, of exactly that type: these come back equal from
         every cookie.  Anything else is refused at login, where its developer sees it.
Rule 2.  Whoever the loader returns must carry the id that it was asked for, and be active.
Rule 3.  A flag is a plain value.  A method or an awaitable is always true, so it is not a flag.
"""

from __future__ import annotations

from hashlib import sha256
from inspect import isawaitable
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from werkzeug.local import LocalProxy

from .errors import UnusableUser
from .reasons import Reason

UserId: TypeAlias = str | int

#: What a user class without session epochs has in place of one.  (None is an epoch like any: of a
#: password that was never changed, say.)
_NONE_OFFERED: Final = object()

#: No id is longer, in bytes.  (One of this length fits the remember cookie, unless it is full of
#: quotes and control characters; then the login says so.)
MAX_ID_BYTES: Final = 2048

#: Python refuses to print an int of more digits (`sys.set_int_max_str_digits`).
MAX_ID_BITS: Final = 1024


@runtime_checkable
class User(Protocol):
    """What this library asks of a user.

    A user may also offer ``session_epoch``: a `str` or `int` (attribute or property) that changes
    when older logins must end, a counter or the password's hash for example.  Only a digest of it
    leaves the server.
    """

    @property
    def is_authenticated(self) -> bool: ...

    @property
    def is_active(self) -> bool: ...

    @property
    def is_anonymous(self) -> bool: ...

    def get_id(self) -> str | int | None: ...


class UserMixin:
    """The usual answers of a user: active, and named by the attribute ``id``."""

    # A class that defines __eq__ alone cannot be hashed.
    __hash__ = object.__hash__

    @property
    def is_active(self) -> bool:
        """May this user be logged in?  Override it to lock accounts."""
        return True

    @property
    def is_authenticated(self) -> bool:
        """Whether the user counts as logged in: if active.

        ``current_user.is_authenticated`` is also true for an inactive user who was logged in with
        ``force=True``.
        """
        return self.is_active

    @property
    def is_anonymous(self) -> bool:
        """Always false."""
        return False

    def get_id(self) -> str | int | None:
        """Return ``str(self.id)``.  Raises `NotImplementedError` where there is no ``id``."""
        try:
            return str(self.id)  # type: ignore[attr-defined]
        except AttributeError:
            raise NotImplementedError("No `id` attribute - override `get_id`") from None

    def __eq__(self, other: object) -> bool:
        """Two users are equal if their ids are."""
        if isinstance(other, UserMixin):
            return self.get_id() == other.get_id()
        return NotImplemented

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal


class AnonymousUserMixin:
    """The user of a request that nobody is logged in to."""

    @property
    def is_authenticated(self) -> bool:
        """Always false."""
        return False

    @property
    def is_active(self) -> bool:
        """Always false."""
        return False

    @property
    def is_anonymous(self) -> bool:
        """Always true."""
        return True

    def get_id(self) -> str | int | None:
        """Return None."""
        return None


def unwrap(user: Any) -> Any:
    """Return the object behind a proxy such as `current_user`, which must not hold itself."""
    while isinstance(user, LocalProxy):
        user = user._get_current_object()
    return user


def flag(value: object) -> bool:
    """Is the flag *value* set?  Raises `UnusableUser` for a method or an awaitable."""
    if value is True or value is False:
        return value is True
    if callable(value) or isawaitable(value):
        raise UnusableUser(
            f"is_active and is_authenticated must be plain values, not {type(value).__name__}:"
            " make them properties. A method is always true."
        )
    return bool(value)


def checked_activity(user: Any) -> bool:
    """Return whether *user* is active.  Raises `UnusableUser` if it is no user."""
    if user is None:
        raise UnusableUser("None is no user. Did the look-up of the user find nobody?")
    if isinstance(user, (str, bytes, int)):
        # (What it is stays untold: it may be anything that a visitor typed.)
        raise UnusableUser(
            f"This is no user, but of type {type(user).__name__}. Give the object that your"
            " user_loader returns for that id."
        )
    try:
        active, authenticated = user.is_active, user.is_authenticated
        if active is True and authenticated is True:
            return True
        flag(authenticated)  # A method here is a mistake, and better seen now.
        return flag(active)
    except AttributeError as error:
        raise UnusableUser(f"{error}. Derive the class from UserMixin.") from error


def is_id(value: object) -> bool:
    """Can *value* be a user's id?"""
    if type(value) is int:
        return value.bit_length() <= MAX_ID_BITS
    if type(value) is not str or not 0 < len(value) <= MAX_ID_BYTES:
        return False
    return value.isascii() or _fits(value)


def _fits(text: str) -> bool:
    try:
        return len(text.encode()) <= MAX_ID_BYTES
    except UnicodeEncodeError:  # a lone surrogate
        return False


def id_of(user: Any, id_attribute: str) -> Any:
    """Return the id of *user*, whatever it is."""
    return getattr(user, id_attribute)()


def checked_id(user: Any, id_attribute: str) -> UserId:
    """Return the id of *user*.  Raises `UnusableUser` (a `ValueError`) if it cannot be one."""
    if getattr(user, id_attribute, None) is None:
        raise UnusableUser(
            f"{type(user).__name__} has no {id_attribute}(). Derive the class from UserMixin."
        )
    user_id = id_of(user, id_attribute)
    if not is_id(user_id):
        raise UnusableUser(
            f"{type(user).__name__}.{id_attribute}() must return a non-empty str of at most"
            f" {MAX_ID_BYTES} bytes or an int (these exact types), not {_describe(user_id)}."
        )
    return user_id  # type: ignore[no-any-return]


def _describe(value: object) -> str:
    """Say what *value* is without telling what it holds."""
    length = f" of length {len(value)}" if isinstance(value, str) else ""
    return type(value).__name__ + length


def same_id(one: object, other: object) -> bool:
    """Do both name the same user?

    Flask-Login turns an int id into a str whenever it restores it from its cookie, so the text
    decides.
    """
    return one == other or (is_id(one) and is_id(other) and str(one) == str(other))


def epoch_of(user: Any) -> str | None:
    """Return a digest of the session epoch of *user*, or None where the class offers none."""
    epoch = getattr(user, "session_epoch", _NONE_OFFERED)
    if epoch is _NONE_OFFERED:
        if hasattr(type(user), "session_epoch"):
            raise UnusableUser(
                f"{type(user).__name__}.session_epoch raised AttributeError. Let it return a str or"
                " an int: a login without one would outlive each change of it."
            )
        return None
    # The epoch may be a password's hash; 128 bits of its digest tell it from the next one.
    text = f"quart-login.epoch|{epoch}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def objection(user: Any, id_attribute: str, user_id: UserId | None = None) -> Reason | None:
    """Return why *user* may not be logged in, or is not the one with *user_id*; or None."""
    if user is None or getattr(user, "is_anonymous", False) is True:
        return Reason.USER_GONE
    try:
        active, authenticated = user.is_active, user.is_authenticated
        if active is not True or authenticated is not True:
            active = flag(active)
            flag(authenticated)
        found = getattr(user, id_attribute)()
    except (AttributeError, TypeError, NotImplementedError, UnusableUser):
        return Reason.NOT_A_USER
    if user_id is not None and found != user_id and not same_id(found, user_id):
        return Reason.USER_MISMATCH
    return None if active else Reason.USER_INACTIVE
