"""What does `import quart_login` offer?"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from ._core import bearer as _bearer
from ._core import codec as _codec
from ._core import listing as _listing
from ._core import login as _login
from ._core import onward as _onward
from ._core import redirects as _redirects
from ._core import report as _report
from ._core import urls as _urls
from ._core.decision import LoginDecision
from ._core.errors import (
    ConfigurationError,
    CookieTooLarge,
    LoginError,
    MissingLoader,
    OutOfPlace,
    StoreUnavailable,
    UnusableUser,
    UserNotLoaded,
)
from ._core.listing import ListedSession
from ._core.marks import login_exempt
from ._core.reasons import Reason
from ._core.settings import (
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
from ._core.signals import (
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
from ._core.users import AnonymousUserMixin, UserMixin
from ._current import acting_as, current_user, load_user, looking
from ._exchange import awaited, awaited_anywhere, decided, on_the_web
from ._manager import LoginManager
from ._origins import allow_origins
from ._views import (
    anonymous_required,
    basic_auth_required,
    fresh_login_required,
    login_required,
)

login_user = awaited(_login.login_user)
logout_user = awaited(_login.logout_user)
confirm_login = awaited(_login.confirm_login)
login_fresh = looking(_login.login_fresh)
login_remembered = decided(_login.login_remembered)
login_decision = decided(_login.login_decision)
report_login_failure = awaited(_report.report_login_failure)
list_sessions = awaited_anywhere(_listing.list_sessions)
revoke_session = awaited_anywhere(_listing.revoke_session)
revoke_other_sessions = awaited_anywhere(_listing.revoke_other_sessions)
revoke_user = awaited_anywhere(_listing.revoke_user)
purge_sessions = awaited_anywhere(_listing.purge_sessions)
redirect_next = awaited(_onward.redirect_next)
safe_next = on_the_web(_redirects.safe_next)
login_url = on_the_web(_urls.login_url)
expand_login_view = on_the_web(_urls.expand_login_view)
set_login_view = on_the_web(_urls.set_login_view)
encode_cookie = on_the_web(_codec.encode_cookie)
decode_cookie = on_the_web(_codec.decode_cookie)
issue_token = on_the_web(_bearer.issue_token)
make_next_param = _urls.make_next_param

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
    "ListedSession",
    "LoginDecision",
    "LoginError",
    "LoginManager",
    "MissingLoader",
    "OutOfPlace",
    "QuartLoginClient",
    "Reason",
    "StoreUnavailable",
    "UnusableUser",
    "UserMixin",
    "UserNotLoaded",
    "__version__",
    "acting_as",
    "allow_origins",
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
    "load_user",
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
    from .testing import QuartLoginClient, authenticated_client

    __version__: str
else:

    def __getattr__(name):
        if name in ("QuartLoginClient", "authenticated_client"):
            # They bring what tests need, and servers load neither.
            return getattr(_import_module(".testing", __package__), name)
        if name == "__version__":
            return _import_module("importlib.metadata").version("quart-login")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
