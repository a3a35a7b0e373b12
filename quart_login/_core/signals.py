"""What happened?  The signals, sent with the application as their sender."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from blinker import Namespace

_signals = Namespace()

#: A user was logged in.  Also sent: *user*.
user_logged_in = _signals.signal("logged-in")

#: A user was logged out; `current_user` is still that user.  Also sent: *user*.
user_logged_out = _signals.signal("logged-out")

#: The application told that somebody failed to log in.  Also sent: *identifier*, *reason*, *user*
#: (or None), *remote_addr*, and whatever else the application said.
user_login_failed = _signals.signal("login-failed")

#: A user came back by the remember cookie.  Also sent: *user*.
user_loaded_from_cookie = _signals.signal("loaded-from-cookie")

#: The request loader found a user.  Also sent: *user*.
user_loaded_from_request = _signals.signal("loaded-from-request")

#: The header loader found a user (deprecated by Flask-Login, served by `flask_compat`).
user_loaded_from_header = _signals.signal("loaded-from-header")

#: A login was confirmed and is fresh again.  (Not sent for a login.)
user_login_confirmed = _signals.signal("login-confirmed")

#: `LoginManager.unauthorized` was called.
user_unauthorized = _signals.signal("unauthorized")

#: `LoginManager.needs_refresh` was called.
user_needs_refresh = _signals.signal("needs-refresh")

#: `current_user` was looked at for the first time in this request.
user_accessed = _signals.signal("accessed")

#: A session came from another client than the one it was made for: stale now, or dropped.
session_protected = _signals.signal("session-protected")

#: A credential was presented and refused.  Also sent: *reason*, a `Reason`.
credential_rejected = _signals.signal("credential-rejected")

#: Two credentials named different users, or the loader returned another user than it was asked
#: for.  `credential_rejected` follows with the same *reason*.
identity_mismatch = _signals.signal("identity-mismatch")

#: A login session ended: by logout, revocation, or for what a `Reason` says.  Also sent:
#: *session_id* (str), *user_id* (as the user class returned it) and *reason*.
login_session_ended = _signals.signal("login-session-ended")

#: A remember cookie was copied: one that had been replaced was used again.  Its login session has
#: ended.  Also sent: *session_id* and *user_id*.
remember_theft_detected = _signals.signal("remember-theft-detected")

UserT_contra = TypeVar("UserT_contra", contravariant=True)
UserT_co = TypeVar("UserT_co", covariant=True)


class UserReceiver(Protocol[UserT_contra]):
    """A receiver of a signal that carries a user: ``def receiver(sender, user, **extra)``."""

    def __call__(self, sender: Any, *, user: UserT_contra) -> Any: ...


class UserSignal(Protocol[UserT_co]):
    """A signal that carries a user, as type checkers see it on a ``LoginManager[User]``."""

    def connect(self, receiver: UserReceiver[UserT_co], sender: Any = ..., weak: bool = ...) -> Any:
        """Call *receiver* whenever the signal is sent (by *sender*)."""

    def disconnect(self, receiver: UserReceiver[UserT_co], sender: Any = ...) -> None:
        """Call *receiver* no more."""
