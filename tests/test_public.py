"""The public door: Flask-Login's names and signatures, in both shells."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import flask_login
import pytest

import flask_compat
import quart_login
import quart_login.testing
from quart_login._core import (
    claim,
    exchange,
    identity,
    kit,
    proofs,
    registered,
    remember,
    sessions,
    tokens,
)
from quart_login._core.store import LoginSession

SHELLS = {"flask_compat": flask_compat, "quart_login": quart_login}

SUBMODULES = [
    "__about__",
    "config",
    "login_manager",
    "mixins",
    "signals",
    "test_client",
    "utils",
]

FUNCTIONS = [
    "confirm_login",
    "decode_cookie",
    "encode_cookie",
    "fresh_login_required",
    "login_fresh",
    "login_remembered",
    "login_required",
    "login_url",
    "login_user",
    "logout_user",
    "make_next_param",
    "set_login_view",
]

CLASSES = ["LoginManager", "AnonymousUserMixin", "UserMixin"]

#: What Quart awaits.
AWAITED = {
    "login_user",
    "logout_user",
    "confirm_login",
    "load_user",
    "redirect_next",
    "report_login_failure",
    "list_sessions",
    "revoke_session",
    "revoke_other_sessions",
    "revoke_user",
    "purge_sessions",
}
AWAITED_METHODS = {
    "unauthorized",
    "needs_refresh",
    "login_user",
    "logout_user",
    "confirm_login",
    "load_user",
    "redirect_next",
    "report_login_failure",
    "list_sessions",
    "revoke_session",
    "revoke_other_sessions",
    "revoke_user",
    "purge_sessions",
}

#: What stays a plain call in Quart.
PLAIN = {
    "allow_origins",
    "authenticated_client",
    "anonymous_required",
    "login_exempt",
    "basic_auth_required",
    "issue_token",
    "login_decision",
    "login_fresh",
    "login_remembered",
    "login_required",
    "fresh_login_required",
    "login_url",
    "make_next_param",
    "safe_next",
    "expand_login_view",
    "encode_cookie",
    "decode_cookie",
    "set_login_view",
}


@pytest.fixture(params=list(SHELLS))
def shell(request: pytest.FixtureRequest) -> Any:
    return SHELLS[request.param]


def translated(name: str, shell: ModuleType) -> str:
    """Return what Flask-Login's *name* is called in *shell*."""
    return name.replace("Flask", "Quart") if shell is quart_login else name


def shape(fn: Any) -> list[tuple[str, Any, Any]]:
    """Return the parameters of *fn*: their names, kinds and defaults."""
    parameters = inspect.signature(fn).parameters.values()
    return [(p.name, p.kind, p.default) for p in parameters]


def public_functions(module: ModuleType) -> list[str]:
    return sorted(name for name in module.__all__ if inspect.isfunction(getattr(module, name)))


def defined_in(module: ModuleType) -> set[str]:
    """Return the names that *module* defines, and does not import."""
    assert module.__file__ is not None
    names: set[str] = set()
    for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", flask_login.__all__)
def test_every_name_of_flask_login_is_there(name: str, shell: Any) -> None:
    assert translated(name, shell) in shell.__all__
    assert hasattr(shell, translated(name, shell))


def test_all_is_sorted_complete_and_without_doubles(shell: Any) -> None:
    # As ruff sorts it: constants, classes, functions.
    groups = [
        [name for name in shell.__all__ if name.isupper()],
        [name for name in shell.__all__ if name[0].isupper() and not name.isupper()],
        [name for name in shell.__all__ if not name[0].isupper()],
    ]
    assert shell.__all__ == [name for group in groups for name in sorted(group)]
    assert len(set(shell.__all__)) == len(shell.__all__)
    assert all(hasattr(shell, name) for name in shell.__all__)


def test_all_has_every_public_name_but_the_modules(shell: Any) -> None:
    source = shell if shell is flask_compat else importlib.import_module("quart_login._api")
    public = {
        name
        for name, value in vars(source).items()
        if not (name.startswith("_") or inspect.ismodule(value))
    }
    helpers = {"annotations", "Any", "TYPE_CHECKING", "awaited", "decided", "looking", "on_the_web"}
    helpers |= {"awaited_anywhere"}
    asked_for = {"FlaskLoginClient", "QuartLoginClient", "authenticated_client"}
    public |= asked_for & set(shell.__all__)
    assert public - helpers == set(shell.__all__) - {"__version__"}


def test_both_shells_have_the_same_names_but_for_what_only_one_needs() -> None:
    assert set(flask_compat.__all__) ^ set(quart_login.__all__) == {
        "FlaskLoginClient",
        "QuartLoginClient",
        "UserNotLoaded",
        "allow_origins",
        "load_user",
    }


def test_a_star_import_brings_all_of_them(shell: Any) -> None:
    names: dict[str, Any] = {}
    exec(f"from {shell.__name__} import *", names)
    assert set(shell.__all__) == names.keys() - {"__builtins__"}


def test_dir_shows_all_of_them() -> None:
    assert set(quart_login.__all__) <= set(dir(quart_login))
    assert set(flask_compat.__all__) <= set(dir(flask_compat))


@pytest.mark.parametrize("name", ["no_such_name", "__no_such_name__", "_codec", "header_loader"])
def test_a_name_that_is_unknown_is_an_attribute_error(name: str, shell: Any) -> None:
    with pytest.raises(AttributeError, match=f"'{shell.__name__}' has no attribute '{name}'"):
        getattr(shell, name)


def test_a_name_that_is_unknown_cannot_be_imported(shell: Any) -> None:
    with pytest.raises(ImportError, match="no_such_name"):
        exec(f"from {shell.__name__} import no_such_name")


def test_the_version_is_that_of_the_interface() -> None:
    assert flask_compat.__version__ == "0.6.3"
    assert quart_login.__version__ == importlib.metadata.version("quart-login")


def test_deprecated_names_are_served_with_flask_logins_warning() -> None:
    for module in (flask_compat, flask_compat.signals):
        with pytest.warns(DeprecationWarning, match="'user_loaded_from_header' is deprecated"):
            assert module.user_loaded_from_header.name == "loaded-from-header"
    with pytest.raises(AttributeError):
        flask_compat.signals.no_such_name  # noqa: B018


# --- Flask-Login's modules -----------------------------------------------------------------------


@pytest.mark.parametrize("name", SUBMODULES)
def test_every_module_of_flask_login_is_there_with_its_public_names(name: str) -> None:
    theirs = importlib.import_module(f"flask_login.{name}")
    ours = importlib.import_module(f"flask_compat.{name}")
    public = {
        n
        for n in defined_in(theirs)
        if not n.startswith("_") or (n.startswith("__") and n != "__getattr__")
    }
    assert public and all(hasattr(ours, n) for n in public)


def test_flask_login_has_no_module_that_is_not_there() -> None:
    assert flask_login.__file__ is not None
    modules = {path.stem for path in Path(flask_login.__file__).parent.glob("*.py")}
    assert modules == {*SUBMODULES, "__init__"}


@pytest.mark.parametrize("name", sorted(defined_in(importlib.import_module("flask_login.config"))))
def test_constants_are_equal(name: str, shell: Any) -> None:
    theirs = getattr(importlib.import_module("flask_login.config"), name)
    ours = importlib.import_module("flask_compat.config")
    assert getattr(ours, name) == theirs
    if name in flask_login.__all__:
        assert getattr(shell, name) == theirs


@pytest.mark.parametrize(
    "name", [name for name in flask_login.__all__ if hasattr(getattr(flask_login, name), "connect")]
)
def test_signals_have_equal_names_and_are_the_same_in_both_shells(name: str) -> None:
    assert getattr(flask_compat, name).name == getattr(flask_login, name).name
    assert getattr(flask_compat, name) is getattr(quart_login, name)


@pytest.mark.parametrize(
    "name",
    [
        "_get_user",
        "_create_identifier",
        "_cookie_digest",
        "_secret_key",
        "_user_context_processor",
    ],
)
def test_private_functions_that_dependants_call_have_equal_signatures(name: str) -> None:
    theirs = getattr(importlib.import_module("flask_login.utils"), name)
    ours = getattr(importlib.import_module("flask_compat.utils"), name)
    assert shape(ours) == shape(theirs)


# --- signatures ----------------------------------------------------------------------------------


def test_these_are_the_functions_of_flask_login() -> None:
    assert public_functions(flask_login) == FUNCTIONS


@pytest.mark.parametrize("name", [*FUNCTIONS, "expand_login_view"])
def test_functions_have_equal_signatures(name: str, shell: Any) -> None:
    theirs = getattr(flask_login, name, None) or flask_login.utils.expand_login_view
    ours = shape(getattr(shell, name))
    if name == "fresh_login_required":  # may be called, too, for an age
        assert [p[0] for p in ours] == ["func", "max_age"]
        assert ours[0][1] == shape(theirs)[0][1]
    else:
        assert ours == shape(theirs)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "make_next_param"])
def test_functions_look_like_functions_of_their_shell(name: str, shell: Any) -> None:
    fn = getattr(shell, name)
    assert fn.__name__ == name
    assert fn.__module__.startswith(shell.__name__)
    assert not hasattr(fn, "__wrapped__")


def methods_of(cls: type) -> list[str]:
    return [n for n, value in vars(cls).items() if inspect.isfunction(value)]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in methods_of(flask_login.LoginManager)
        if not name.startswith("_")
        or name in ("__init__", "_load_user", "_update_request_context_with_user")
    ],
)
def test_the_managers_methods_have_equal_signatures(name: str, shell: Any) -> None:
    if shell is quart_login and name in (
        "setup_app",
        "header_loader",
        "_load_user",
        "_update_request_context_with_user",
    ):
        # Flask-Login's deprecated and private methods are for its dependants, not for Quart.
        assert not hasattr(shell.LoginManager, name)
        return
    theirs = [p for p in shape(getattr(flask_login.LoginManager, name))]
    ours = [p for p in shape(getattr(shell.LoginManager, name)) if not p[0].startswith("_")]
    if name == "__init__":  # a realm's own, by keyword alone
        assert [p[0] for p in ours[len(theirs) :]] == ["sessions", "name", "default_names"]
        del ours[len(theirs) :]
    assert ours == theirs


def test_the_managers_attributes_have_equal_defaults(shell: Any) -> None:
    theirs, ours = flask_login.LoginManager(), shell.LoginManager()
    for name, value in vars(theirs).items():
        if shell is quart_login and name in ("_header_callback", "_session_identifier_generator"):
            assert not hasattr(ours, name)
        elif callable(value):
            assert getattr(ours, name).__name__ == value.__name__
        else:
            assert getattr(ours, name) == value, name
    assert ours.user_callback is ours.request_callback is None


@pytest.mark.parametrize("name", ["AnonymousUserMixin", "UserMixin"])
def test_the_mixins_have_equal_methods(name: str, shell: Any) -> None:
    theirs, ours = getattr(flask_login, name), getattr(shell, name)
    for member, value in vars(theirs).items():
        if inspect.isfunction(value):
            assert shape(getattr(ours, member)) == shape(value), member
        elif isinstance(value, property):
            assert isinstance(vars(ours)[member], property), member


def test_the_test_clients_take_what_flask_logins_takes() -> None:
    # Flask-Login's own takes them out of its **kwargs.
    for client in (flask_compat.FlaskLoginClient, quart_login.QuartLoginClient):
        parameters = inspect.signature(client).parameters
        keyword_only = {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY}
        assert keyword_only == {"user": None, "fresh_login": True}
        assert [p.kind for p in parameters.values()][-1] is inspect.Parameter.VAR_KEYWORD


# --- what is awaited -----------------------------------------------------------------------------


def test_exactly_these_functions_are_awaited_in_quart() -> None:
    functions = public_functions(quart_login)
    awaited = {n for n in functions if inspect.iscoroutinefunction(getattr(quart_login, n))}
    assert awaited == AWAITED
    assert set(functions) == AWAITED | PLAIN


def test_exactly_these_methods_are_awaited_in_quart() -> None:
    manager = quart_login.LoginManager
    awaited = {
        name
        for name in dir(manager)
        if not name.startswith("_") and inspect.iscoroutinefunction(getattr(manager, name))
    }
    assert awaited == AWAITED_METHODS


def test_nothing_is_awaited_in_flask() -> None:
    manager = flask_compat.LoginManager
    everything = [getattr(flask_compat, name) for name in flask_compat.__all__]
    everything += [getattr(manager, name) for name in dir(manager) if not name.startswith("_")]
    assert not [thing for thing in everything if inspect.iscoroutinefunction(thing)]


# --- docstrings ----------------------------------------------------------------------------------


def own_members(cls: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in inspect.getmembers(cls)
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property))
        and name in {n for base in cls.__mro__ if is_ours(base) for n in vars(base)}
    }


def is_ours(cls: type) -> bool:
    return cls.__module__.split(".")[0] in SHELLS


def test_every_public_function_and_class_has_a_docstring(shell: Any) -> None:
    bare = []
    for name in shell.__all__:
        thing = getattr(shell, name)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            doc = thing.__doc__ if inspect.isclass(thing) else inspect.getdoc(thing)
            if not doc:
                bare.append(name)
    assert bare == []


def test_every_public_method_has_a_docstring(shell: Any) -> None:
    clients = {"flask_compat": "FlaskLoginClient", "quart_login": "QuartLoginClient"}
    bare = [
        f"{name}.{member}"
        for name in [*CLASSES, clients[shell.__name__]]
        for member, value in own_members(getattr(shell, name)).items()
        if not inspect.getdoc(value)
    ]
    assert bare == []


@pytest.mark.parametrize("name", ["", *(f".{name}" for name in SUBMODULES)])
def test_every_module_of_flask_compat_has_a_docstring(name: str) -> None:
    assert importlib.import_module(f"flask_compat{name}").__doc__


def test_every_module_of_quart_login_has_a_docstring() -> None:
    root = Path(quart_login.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in root.glob("**/*.py")]
    assert len(sources) > 20
    assert all(ast.get_docstring(ast.parse(source)) for source in sources)


# --- secrets -------------------------------------------------------------------------------------


def test_nothing_that_holds_a_secret_shows_it() -> None:
    secret = "do-not-show-this"
    held = identity.Identity()
    held.user, held.loaded = secret, True
    held.remember = remember.Change(secret)
    login = LoginSession("id", "7", 0.0, 0.0, 0.0, secret, epoch=secret, remember=secret)
    login = replace(login, former=secret)
    held.login_session = login
    shown = [
        tokens.Keys(secret, (secret,)),
        tokens.Token(secret, epoch=secret),
        remember.Change(secret),
        held,
        proofs.Proof("id", secret),
        proofs.Series(proofs.Proof("id", secret), 0),
        sessions.Opened(login, secret, remember.Change(secret), login),
        registered.Shown(
            proofs.Proof("id", secret),
            claim.Claim(secret),
            proofs.Series(proofs.Proof("id", secret), 0),
        ),
        login,
        kit.Opened({"_login_session": secret}, secret),
    ]
    for thing in shown:
        for text in (repr(thing), str(thing), f"{thing}"):
            assert secret not in text
    # The base class speaks for the exchanges of both shells.
    for cls in (flask_compat._exchange.FlaskExchange, quart_login._exchange.QuartExchange):
        assert cls.__repr__ is exchange.Exchange.__repr__
