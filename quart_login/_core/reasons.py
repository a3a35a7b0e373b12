"""Why was a credential refused?"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a credential was refused.  A reason never tells a secret or whose login it was."""

    BAD_SIGNATURE = "bad_signature"
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
