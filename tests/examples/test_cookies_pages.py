"""Is what docs/cookies-and-caches.md and docs/deployment-check.md say true?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from quart_login._core.findings import State
from quart_login._core.site_data import KINDS

DOCS = Path(__file__).parents[2] / "docs"
CACHES = (DOCS / "cookies-and-caches.md").read_text(encoding="utf-8")
CHECK = (DOCS / "deployment-check.md").read_text(encoding="utf-8")


def blocks(page: str) -> str:
    """Return the Python of *page*, in its order."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def ran(page: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(blocks(page), "page", "exec"), names)
    return names


def test_the_code_of_the_page_on_cookies_runs_and_its_settings_can_work() -> None:
    page = ran(CACHES)
    page["login_manager"]._check(page["app"])


def test_the_application_of_the_page_on_the_check_passes_it() -> None:
    app = ran(CHECK)["app"]
    result = app.test_cli_runner().invoke(args=["login", "check", "--strict"])
    assert result.exit_code == 0, result.output


def test_the_example_of_the_flask_application_passes_it() -> None:
    code = blocks(CHECK).replace("quart_login", "flask_compat").replace("quart", "flask")
    code = code.replace("Quart", "Flask")
    more = re.findall(r"`(LOGIN_\w+=True)`", CHECK.partition("In Flask, add")[2])
    assert len(more) == 2
    code = code.replace(
        "LOGIN_SECURE_COOKIES=True,", f"LOGIN_SECURE_COOKIES=True, {', '.join(more)},"
    )
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, "page", "exec"), names)
    result = names["app"].test_cli_runner().invoke(args=["login", "check", "--strict"])
    assert result.exit_code == 0, result.output


def test_every_state_is_explained() -> None:
    assert re.findall(r"^\| `([a-z ]+)` \|", CHECK, re.MULTILINE) == [str(s) for s in State]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_site_data_is_named(kind: str) -> None:
    assert f'`"{kind}"`' in CACHES
