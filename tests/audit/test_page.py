"""Is what docs/testing.md says of the audit true?"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from audit.applications import Audited

import quart_login.pytest_plugin
from quart_login._audit import collecting
from quart_login._core.visits import SAFE, UNUSUAL

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## The login audit") :]

APPLICATION, *_ = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
_, SHOWN, FIXTURE = re.findall(r"^```text\n(.*?)^```$", SECTION, re.M | re.S)

CONFTEST = f"""
import pytest

import shop
from shop import users


@pytest.fixture
def app():
    return shop.app


{FIXTURE}
"""


@pytest.fixture
def found(pytester: pytest.Pytester, run_audit: Callable[..., Audited]) -> Audited:
    """Return what came of an audit of the page's own application, with its cookies secured."""
    safe = 'app.config["LOGIN_SECURE_COOKIES"] = True\nlogin_manager = LoginManager(app)'
    pytester.makepyfile(
        shop=APPLICATION.replace("login_manager = LoginManager(app)", safe), conftest=CONFTEST
    )
    return run_audit()


def test_what_is_shown_is_what_comes(found: Audited) -> None:
    shown = re.findall(r"^login-audit::(.*) PASSED$", SHOWN, re.M)
    assert shown == [name for name in found.with_outcome("PASSED") if name in shown]
    kinds = {f"`{name.partition(' ')[0]}`" for name in found.outcomes} | {"`P23`"}
    assert set(re.findall(r"^\| (`(?:check|P\d+)`)", SECTION, re.M)) == kinds


def test_every_fixture_and_setting_is_named() -> None:
    for name in collecting._FIXTURES:
        assert f"`{name}`" in SECTION
    source = Path(quart_login.pytest_plugin.__file__).read_text("utf-8")
    named = re.findall(r'"(--login-[a-z-]+|login_[a-z_]+)"', source)
    for name in named:
        assert name == "login_audit" or name in SECTION
    assert {"--login-audit", "--login-app", "login_audit_skip"} <= set(named)


def test_the_methods_that_are_called_are_those() -> None:
    assert f"`{'`, `'.join(SAFE)}` and `{UNUSUAL}`" in SECTION
