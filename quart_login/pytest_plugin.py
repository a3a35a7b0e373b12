"""What does a suite get from this library?  For Quart and for Flask, in pytest.

pytest finds this module by itself, in every suite of an environment that has the package.  So it
imports nothing but pytest: what is asked for is imported when somebody asks.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._core.routes import Route


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("login audit", "login audit, by quart-login")
    group.addoption(
        "--login-audit",
        action="store_true",
        help="Audit the application's logins: cookies, caches, routes, websockets, settings.",
    )
    group.addoption(
        "--login-app",
        metavar="MODULE:APP",
        help="The application to audit, as for `flask --app`. Default: the fixture `app`.",
    )
    group.addoption(
        "--login-audit-methods",
        metavar="POST,...",
        help="Methods that may change something, and that the audit may call.",
    )
    parser.addini("login_audit", "Audit the application's logins.", type="bool", default=False)
    parser.addini("login_app", "The application to audit, as for --login-app.")
    parser.addini("login_audit_methods", "As --login-audit-methods.", type="args")
    parser.addini(
        "login_audit_skip",
        "Names of what the audit leaves out, as it shows them; * is anything.",
        type="linelist",
    )
    parser.addini("login_audit_scripts", "Cookies that scripts read on purpose.", type="args")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "login_audit: what --login-audit asks the application.")
    if not (config.getoption("--login-audit") or config.getini("login_audit")):
        return
    plugins = ["collecting"]
    if config.pluginmanager.hasplugin("asyncio"):  # pytest-asyncio, whose loop fixtures run on
        plugins.append("on_asyncio")
    for name in plugins:
        module = import_module(f"._audit.{name}", __package__)
        config.pluginmanager.register(module, module.__name__)


@pytest.fixture
def guarded_routes(app: Any) -> list[Route]:
    """Fail if routes of the suite's `app` are open without a mark; return all its routes."""
    __tracebackhide__ = True
    from ._core.routes import assert_routes_guarded, routes

    try:
        assert_routes_guarded(app)
    except AssertionError as wrong:
        pytest.fail(str(wrong), pytrace=False)
    return routes(app)
