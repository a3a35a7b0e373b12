"""Flask-Login's interface for Flask, on the logic of quart-login.

    import flask_compat as flask_login

The logic is written once, as coroutines; here each is run to its end at once, without an event
loop (see `quart_login._core.step`).

(PYTEST_DONT_REWRITE: who imports this before pytest starts is not to be warned of that.)
"""

from typing import TYPE_CHECKING

from quart_login._core.decision import LoginDecision
from quart_login._core.errors import (
    ConfigurationError,
    CookieTooLarge,
    LoginError,
    MissingLoader,
    OutOfPlace,
    StoreUnavailable,
    UnusableUser,
)
from quart_login._core.listing import ListedSession
from quart_login._core.marks import login_exempt
from quart_login._core.reasons import Reason

from . import signals as _signals
from .__about__ import __version__
from .config import (
    AUTH_HEADER_NAME,
    COOKIE_DURATION,
    COOKIE_HTTPONLY,
    COOKIE_NAME,
    COOKIE_SECURE,
    ID_ATTRIBUTE,
    LOGIN_MESSAGE,
    LOGIN_MESSAGE_CATEGORY,
    REFRESH_MESSAGE,
    REFRESH_MESSAGE_CATEGORY,
)
from .login_manager import LoginManager
from .mixins import AnonymousUserMixin, UserMixin
from .signals import (
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
from .utils import (
    acting_as,
    anonymous_required,
    basic_auth_required,
    confirm_login,
    current_user,
    decode_cookie,
    encode_cookie,
    expand_login_view,
    fresh_login_required,
    issue_token,
    list_sessions,
    login_decision,
    login_fresh,
    login_remembered,
    login_required,
    login_url,
    login_user,
    logout_user,
    make_next_param,
    purge_sessions,
    redirect_next,
    report_login_failure,
    revoke_other_sessions,
    revoke_session,
    revoke_user,
    safe_next,
    set_login_view,
)

__all__ = [
    "AUTH_HEADER_NAME",
    "COOKIE_DURATION",
    "COOKIE_HTTPONLY",
    "COOKIE_NAME",
    "COOKIE_SECURE",
    "ID_ATTRIBUTE",
    "LOGIN_MESSAGE",
    "LOGIN_MESSAGE_CATEGORY",
    "REFRESH_MESSAGE",
    "REFRESH_MESSAGE_CATEGORY",
    "AnonymousUserMixin",
    "ConfigurationError",
    "CookieTooLarge",
    "FlaskLoginClient",
    "ListedSession",
    "LoginDecision",
    "LoginError",
    "LoginManager",
    "MissingLoader",
    "OutOfPlace",
    "Reason",
    "StoreUnavailable",
    "UnusableUser",
    "UserMixin",
    "__version__",
    "acting_as",
    "anonymous_required",
    "authenticated_client",
    "basic_auth_required",
    "confirm_login",
    "credential_rejected",
    "current_user",
    "decode_cookie",
    "encode_cookie",
    "expand_login_view",
    "fresh_login_required",
    "identity_mismatch",
    "issue_token",
    "list_sessions",
    "login_decision",
    "login_exempt",
    "login_fresh",
    "login_remembered",
    "login_required",
    "login_session_ended",
    "login_url",
    "login_user",
    "logout_user",
    "make_next_param",
    "purge_sessions",
    "redirect_next",
    "remember_theft_detected",
    "report_login_failure",
    "revoke_other_sessions",
    "revoke_session",
    "revoke_user",
    "safe_next",
    "session_protected",
    "set_login_view",
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


if TYPE_CHECKING:
    from .test_client import FlaskLoginClient, authenticated_client
else:  # or every misspelt name would be one

    def __getattr__(name):
        if name == "user_loaded_from_header":
            return getattr(_signals, name)
        if name in ("FlaskLoginClient", "authenticated_client"):
            # They bring what tests need (Click's runner, a debugger), and servers load neither.
            from . import test_client

            return getattr(test_client, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
