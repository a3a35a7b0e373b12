"""Is what docs/protecting.md says true?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "protecting.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
[TABLE, FIXTURE] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)


def application(translate: Any = str) -> Any:
    """Return the application of the page, after *translate* had its code."""
    namespace: dict[str, Any] = {"__name__": "protecting"}
    for block in PYTHON:
        exec(compile(translate(block), "protecting.md", "exec"), namespace)
    return namespace["app"]


def for_flask(block: str) -> str:
    block = re.sub("Quart", "Flask", block.replace("from quart_login", "from flask_compat"))
    return block.replace("from quart ", "from flask ").replace("async def", "def")


def test_the_table_is_what_the_command_prints() -> None:
    for app in (application(), application(for_flask)):
        result = app.test_cli_runner().invoke(args=["login", "routes", "--strict"])
        assert (result.exit_code, result.output) == (0, TABLE)


async def test_strangers_see_what_is_open_and_nothing_else() -> None:
    client = application().test_client()
    for path in ("/about", "/login"):
        assert (await client.get(path)).status_code == 200
    for path in ("/", "/api", "/admin/users", "/nope"):
        assert (await client.get(path)).location.startswith("/login")
    assert (await client.options("/api")).status_code == 200
    assert (await client.options("/")).status_code == 302


def test_the_fixture_is_that_of_the_plugin() -> None:
    from quart_login import pytest_plugin

    assert "guarded_routes" in FIXTURE and hasattr(pytest_plugin, "guarded_routes")
