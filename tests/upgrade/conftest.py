"""Files before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from quart_login.upgrade.convert import convert


@dataclass
class Upgraded:
    """What became of some files, by their names, and what was told: ``name:line: what``."""

    files: dict[str, str]
    told: list[str]

    @property
    def text(self) -> str:
        """The only file."""
        [text] = self.files.values()
        return text


Upgrade = Callable[..., Upgraded]


@pytest.fixture
def upgrade(tmp_path: Path) -> Upgrade:
    """Return a function that upgrades a text, or several as files, and once more, for nothing."""

    def run(given: str | dict[str, str]) -> Upgraded:
        texts = {"app.py": given} if isinstance(given, str) else given
        for name, content in texts.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(content).lstrip("\n"), "utf-8")
        outcome = convert([tmp_path])
        for change in outcome.changes:
            compile(change.after, str(change.path), "exec")
            change.path.write_bytes(change.after)
        assert convert([tmp_path]).changes == [], "a second run changes something"
        files = {
            path.relative_to(tmp_path).as_posix(): path.read_text("utf-8")
            for path in tmp_path.rglob("*.py")
        }
        told = [
            f"{one.path.relative_to(tmp_path).as_posix()}:{one.line}: {one.what}"
            for one in outcome.findings
        ]
        return Upgraded(files, told)

    return run
