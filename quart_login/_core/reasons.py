"""Why is nobody logged in?"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a credential was refused, or why nobody is logged in.

    A reason tells neither a secret nor whose login it was.  See ``docs/events.md``.
    """

    # A credential was refused, and `credential_rejected` was sent.
    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    LEGACY_ENDED = "legacy_ended"
    PROTECTED = "protected"
    OTHER_AUDIENCE = "other_audience"
    USER_GONE = "user_gone"
    USER_INACTIVE = "user_inactive"
    USER_MISMATCH = "user_mismatch"
    NOT_A_USER = "not_a_user"
    EPOCH_CHANGED = "epoch_changed"
    LOADER_FAILED = "loader_failed"
    WRONG_PASSWORD = "wrong_password"
    SESSION_ENDED = "session_ended"
    NOT_REGISTERED = "not_registered"
    REMEMBER_THEFT = "remember_theft"
    STORE_FAILED = "store_failed"

    # Nothing was refused.
    NO_CREDENTIAL = "no_credential"
    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    NOT_LOADED = "not_loaded"
    RECEIVER_FAILED = "receiver_failed"
    TOO_MANY_SESSIONS = "too_many_sessions"
