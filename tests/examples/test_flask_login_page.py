"""Is what docs/coming-from-flask-login.md says true?"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import flask_login

import flask_compat
import quart_login
from quart_login._core import settings

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-flask-login.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(*blocks: str) -> dict[str, Any]:
    """Run *blocks* as one module, and return what it defines."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, "coming-from-flask-login.md", "exec"), namespace)
    return namespace


def test_extensions_get_these_modules() -> None:
    [block] = [block for block in BLOCKS if "sys.modules" in block]
    run(block)
    for name in ("", ".utils", ".login_manager", ".mixins", ".signals", ".config", ".test_client"):
        assert import_module(f"flask_login{name}") is import_module(f"flask_compat{name}")


def test_the_cookies_are_written_in_the_form_that_each_step_says() -> None:
    steps = [block for block in BLOCKS if "REMEMBER_COOKIE_FORMAT" in block]
    app = run(BLOCKS[0], steps[0])["app"]
    assert app.config["REMEMBER_COOKIE_FORMAT"] == "flask-login"
    app = run(BLOCKS[0], *steps)["app"]
    assert app.config["REMEMBER_COOKIE_FORMAT"] == "quart-login"
    settings.check(app.config)


def test_every_name_of_flask_login_is_there() -> None:
    said = set(re.findall(r"`(\w+)", PAGE))
    assert set(flask_login.__all__) - said == set()


def test_the_settings_that_differ_are_those_that_are_named() -> None:
    named = set(re.findall(r"`(LOGIN_\w+)`", PAGE.partition("three differ")[2].partition("## ")[0]))
    for shell, value in ((flask_compat, False), (quart_login, True)):
        assert {shell.LoginManager.defaults[key] for key in named} == {value}
    assert len(named) == 3
