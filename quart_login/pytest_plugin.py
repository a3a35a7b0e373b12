"""May a suite prove that every route is guarded?  For Quart and for Flask, in pytest.

Name it in the ``conftest.py`` at the root of the suite, which has a fixture `app`:

    pytest_plugins = ["quart_login.pytest_plugin"]
"""

from __future__ import annotations

from typing import Any

import pytest

from ._core.routes import Route, assert_routes_guarded, routes


@pytest.fixture
def guarded_routes(app: Any) -> list[Route]:
    """Fail if routes of the suite's `app` are open without a mark; return all its routes."""
    __tracebackhide__ = True
    try:
        assert_routes_guarded(app)
    except AssertionError as wrong:
        pytest.fail(str(wrong), pytrace=False)
    return routes(app)
