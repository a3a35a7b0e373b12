"""Flask-Login's `flask_login.signals`, and the signals that it does not have."""

import warnings
from typing import TYPE_CHECKING

from quart_login._core.signals import (
    credential_rejected,
    identity_mismatch,
    login_session_ended,
    remember_theft_detected,
    session_protected,
    user_accessed,
    user_loaded_from_cookie,
    user_loaded_from_request,
    user_logged_in,
    user_logged_out,
    user_login_confirmed,
    user_login_failed,
    user_needs_refresh,
    user_unauthorized,
)
from quart_login._core.signals import user_loaded_from_header as _user_loaded_from_header

__all__ = [
    "credential_rejected",
    "identity_mismatch",
    "login_session_ended",
    "remember_theft_detected",
    "session_protected",
    "user_accessed",
    "user_loaded_from_cookie",
    "user_loaded_from_request",
    "user_logged_in",
    "user_logged_out",
    "user_login_confirmed",
    "user_login_failed",
    "user_needs_refresh",
    "user_unauthorized",
]


if not TYPE_CHECKING:  # or every misspelt name would be one

    def __getattr__(name):
        if name == "user_loaded_from_header":
            warnings.warn(
                "'user_loaded_from_header' is deprecated and will be removed in Flask-Login 0.7."
                " Use 'user_loaded_from_request' instead.",
                DeprecationWarning,
                stacklevel=2,
            )
            return _user_loaded_from_header
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
