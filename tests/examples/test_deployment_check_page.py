"""Is what docs/deployment-check.md shows what the command prints?"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import quart

from quart_login import LoginManager
from quart_login.stores.memory import MemoryStore

PAGE = (Path(__file__).parents[2] / "docs" / "deployment-check.md").read_text("utf-8")
SHOWN = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)

#: The settings of the page's second application.
LIMITS = {
    "LOGIN_SECURE_COOKIES": True,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
    "REMEMBER_COOKIE_DURATION": timedelta(days=30),
    "LOGIN_LIFETIME": timedelta(days=30),
    "LOGIN_IDLE_TIMEOUT": timedelta(days=7),
    "LOGIN_MAX_SESSIONS": 5,
}


@pytest.mark.parametrize(("shown", "config"), list(zip(SHOWN, [{}, LIMITS], strict=True)))
def test_the_command_prints_each_line(
    shown: str, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    app = quart.Quart("shop")
    app.secret_key = "0123456789abcdef0123456789abcdef"
    app.config.update(config)
    LoginManager(app, sessions=MemoryStore() if config else None)
    printed = app.test_cli_runner().invoke(args=["login", "check"]).output
    for entry in re.split(
        r"^(?! )", shown.removeprefix("$ quart --app shop login check\n"), flags=re.M
    ):
        assert entry in printed
