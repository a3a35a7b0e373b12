"""What is known of who makes this request, and what is an exchange?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import KEY, Paper, User

from quart_login._core import errors, signals
from quart_login._core.exchange import Exchange
from quart_login._core.identity import Identity
from quart_login._core.manager import BaseLoginManager
from quart_login._core.reasons import Reason
from quart_login._core.tokens import keys_of


def test_an_identity_begins_as_nobodys() -> None:
    identity = Identity()
    assert (identity.user, identity.error, identity.remember) == (None, None, None)
    assert not (identity.loaded or identity.strict or identity.seen or identity.forced)
    assert not (identity.stale or identity.closed)
    assert identity.news is identity.late is None


def test_two_requests_share_no_news() -> None:
    one, other = Identity(), Identity()
    one.tell(signals.user_accessed)
    one.loaded = True
    assert other.news is None and not other.loaded


def test_an_identity_keeps_what_is_to_be_told() -> None:
    identity, user = Identity(), User(7)
    identity.tell(signals.user_logged_in, user=user)
    identity.tell(signals.user_accessed)
    assert identity.news == [
        (signals.user_logged_in, {"user": user}),
        (signals.user_accessed, {}),
    ]


def test_identities_and_exchanges_show_no_secret() -> None:
    identity = Identity()
    assert repr(identity) == "<Identity not loaded>"
    identity.user, identity.loaded = User("alice"), True
    assert repr(identity) == "<Identity loaded>"
    paper = Paper({"_user_id": "alice"}, cookies={"remember_token": "alice"})
    assert repr(paper) == "<Paper>"


def test_an_exchange_has_the_parts_of_its_request() -> None:
    app = SimpleNamespace(config={})
    parts: list[Any] = [app, BaseLoginManager(), object(), object(), Identity()]

    class Bare(Exchange):
        web = None
        call = ask = notify = options = client = load_user = None  # type: ignore[assignment]
        authorization = form = None  # type: ignore[assignment]

    bare = Bare(*parts)
    assert [bare.app, bare.manager, bare.request, bare.session, bare.identity] == parts
    assert bare.config is app.config
    assert not bare.is_websocket
    user = User(7)
    bare.bind(user, forced=True)
    assert (bare.identity.user, bare.identity.forced, bare.identity.loaded) == (user, True, True)
    bare.bind(None)
    assert (bare.identity.user, bare.identity.forced, bare.identity.loaded) == (None, False, True)


def test_an_exchange_without_its_verbs_is_none() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Exchange(None, None, None, {}, Identity())  # type: ignore[abstract,arg-type]


def test_an_exchange_reads_the_applications_settings_and_the_shells_defaults() -> None:
    paper = Paper(config={"REMEMBER_COOKIE_NAME": "me", "LOGIN_FRESH_DURATION": None})
    assert paper.setting("REMEMBER_COOKIE_NAME") == "me"
    assert paper.setting("LOGIN_FRESH_DURATION") is None
    assert paper.setting("REMEMBER_COOKIE_PATH") == "/"
    with pytest.raises(KeyError):
        paper.setting("REMEMBER_COOKIE_COLOUR")


# --- errors and reasons --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "family"),
    [
        (errors.ConfigurationError, RuntimeError),
        (errors.MissingLoader, errors.ConfigurationError),
        (errors.UserNotLoaded, RuntimeError),
        (errors.OutOfPlace, RuntimeError),
        (errors.UnusableUser, ValueError),
        (errors.CookieTooLarge, ValueError),
    ],
)
def test_an_error_says_what_can_be_done_about_it(error: type, family: type) -> None:
    assert issubclass(error, errors.LoginError) and issubclass(error, family)


def test_a_reason_is_its_own_text() -> None:
    assert all(str(reason) == reason == reason.name.lower() for reason in Reason)


def test_signals_have_flask_logins_names() -> None:
    named = {name: s.name for name, s in vars(signals).items() if hasattr(s, "receivers")}
    assert named == {
        "user_logged_in": "logged-in",
        "user_logged_out": "logged-out",
        "user_loaded_from_cookie": "loaded-from-cookie",
        "user_loaded_from_request": "loaded-from-request",
        "user_loaded_from_header": "loaded-from-header",
        "user_login_confirmed": "login-confirmed",
        "user_login_failed": "login-failed",
        "user_unauthorized": "unauthorized",
        "user_needs_refresh": "needs-refresh",
        "user_accessed": "accessed",
        "session_protected": "session-protected",
        "credential_rejected": "credential-rejected",
        "identity_mismatch": "identity-mismatch",
        "login_session_ended": "login-session-ended",
        "remember_theft_detected": "remember-theft-detected",
    }


def test_the_key_is_shown_by_no_error() -> None:
    with pytest.raises(TypeError) as caught:
        keys_of({"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": KEY})
    assert KEY not in str(caught.value)


def test_when_the_response_goes_out_the_loaders_error_is_let_go() -> None:
    """Its traceback holds the request, which would hold it in turn."""
    identity = Identity()
    identity.error = OSError("down")
    identity.close()
    assert identity.closed and identity.error is None
