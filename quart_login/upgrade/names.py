"""What is a thing of Flask's, Flask-Login's or Quart-Auth's called in Quart and quart_login?

Rule 1  A name becomes another only if that exists in the Quart that is installed.
Rule 2  What has no counterpart keeps its name and its import, and is told (`hint`).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

_LOGIN_MODULES = ("config", "login_manager", "mixins", "signals", "test_client", "utils")

_RENAMED = {
    "flask.Flask": "quart.Quart",
    "flask.app.Flask": "quart.Quart",
    "flask.cli.FlaskGroup": "quart.cli.QuartGroup",
    "flask.testing.FlaskClient": "quart.testing.QuartClient",
    "flask.testing.FlaskCliRunner": "quart.testing.QuartCliRunner",
    "flask.Markup": "markupsafe.Markup",
    "flask.escape": "markupsafe.escape",
    "flask_login.FlaskLoginClient": "quart_login.QuartLoginClient",
    "quart_auth.QuartAuth": "quart_login.LoginManager",
    "quart_auth.AuthManager": "quart_login.LoginManager",
    "quart_auth.Unauthorized": "werkzeug.exceptions.Unauthorized",
    "quart_auth.current_user": "quart_login.current_user",
    "quart_auth.login_required": "quart_login.login_required",
    "quart_auth.login_user": "quart_login.login_user",
    "quart_auth.logout_user": "quart_login.logout_user",
}

_HINTS = {
    "flask._app_ctx_stack": "keep what it holds on `g`",
    "flask._request_ctx_stack": "keep what it holds on `g`, or use `quart.request`",
    "flask.json.JSONEncoder": "write a `quart.json.provider.JSONProvider`",
    "flask.json.JSONDecoder": "write a `quart.json.provider.JSONProvider`",
    "flask.__version__": "ask `importlib.metadata.version('quart')`",
    "flask_login.EXEMPT_METHODS": "write `{'OPTIONS'}`",
    "flask_login.SESSION_KEYS": "do without: quart_login clears its keys itself",
    "flask_login.user_loaded_from_header": "use `user_loaded_from_request` and a `request_loader`",
    "quart_auth.Action": "the library keeps its own account of that; delete it",
    "quart_auth.AuthUser": "log in the object that your `user_loader` returns for that id",
    "quart_auth.authenticated_client": "quart_login's takes a user, not an id",
    "quart_auth.basic_auth_required": "quart_login's asks `verify_password`: see docs/tokens.md",
    "quart_auth.generate_auth_token": "use `quart_login.issue_token(user)`",
    "quart_auth.renew_login": "delete it, and set REMEMBER_COOKIE_REFRESH_EACH_REQUEST = True",
    "quart_auth.UnauthorizedBasicAuth": "it is `werkzeug.exceptions.Unauthorized` now",
}


#: What holds things of the application's.
_HOLDERS = ("g", "current_app", "current_user", "request", "session")


def plain(name: str) -> str:
    """Return *name* without the detours: ``flask_login.utils.login_user`` is of ``flask_login``."""
    for detour in ("flask.ext.login", "flask_compat"):
        if name == detour or name.startswith(f"{detour}."):
            name = "flask_login" + name.removeprefix(detour)
    head, _, rest = name.partition(".")
    if head == "flask_login" and rest.partition(".")[0] in _LOGIN_MODULES:
        return ".".join(filter(None, ["flask_login", rest.partition(".")[2]]))
    return name


def is_old(name: str) -> bool:
    """Is *name* one of those that this program knows to write anew?"""
    return plain(name).partition(".")[0] in ("flask", "flask_login", "quart_auth")


@cache
def becomes(name: str) -> str | None:
    """Return what *name* (a module's, or one in a module) is called now; None if it is gone."""
    name = plain(name)
    if name in _RENAMED:
        return _RENAMED[name]
    head, _, rest = name.partition(".")
    # Of Quart-Auth nothing but what the table says: its names mean other things here.
    package = {"flask": "quart", "flask_login": "quart_login"}.get(head)
    if package is None:
        return None
    target = ".".join(filter(None, [package, rest]))
    return target if _exists(target) else None


def now(name: str) -> str:
    """Return what *name* means after the change: its new name, or its own."""
    if not is_old(name):
        return name
    head, _, rest = plain(name).partition(".")
    first, _, rest = rest.partition(".")
    if rest and first in _HOLDERS:
        # What an application keeps there has the names that it gave.
        return f"{now(f'{head}.{first}')}.{rest}"
    return becomes(name) or name


def hint(name: str) -> str:
    """Return what to do about *name*, which has no counterpart."""
    return _HINTS.get(plain(name), "there is nothing of that name; find another way")


def _exists(name: str) -> bool:
    parent, _, last = name.rpartition(".")
    if not parent:
        return find_spec(name) is not None
    module = _module(parent)
    return module is not None and (_offers(module, last) or _module(name) is not None)


@cache
def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


def _offers(module: ModuleType, name: str) -> bool:
    # Not `hasattr`: quart_login offers its names without having them.
    return name in vars(module) or name in getattr(module, "__all__", ())
