"""Files before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from quart_login.upgrade.convert import Outcome, convert, finish


@dataclass
class Upgraded:
    """What became of some files, by their names, and what was told: ``name:line: what``.

    *marked* are the files with `must_await`, and *files* those after ``--finish``.
    """

    marked: dict[str, str]
    files: dict[str, str]
    told: list[str]

    @property
    def text(self) -> str:
        """The only file."""
        [text] = self.files.values()
        return text


def written(folder: Path, by: Callable[[list[Path]], Outcome]) -> Outcome:
    outcome = by([folder])
    for change in outcome.changes:
        compile(change.after, str(change.path), "exec")
        change.path.write_bytes(change.after)
    return outcome


def read(folder: Path) -> dict[str, str]:
    paths = folder.rglob("*.py")
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}


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
        outcome = written(tmp_path, convert)
        again = convert([tmp_path])
        assert again.changes == [], "a second run changes something"
        marked = read(tmp_path)
        assert not any("must_await" in one.what for one in written(tmp_path, finish).findings)
        assert convert([tmp_path]).changes == [], "a run after `--finish` changes something"
        told = [
            f"{one.path.relative_to(tmp_path).as_posix()}:{one.line}: {one.what}"
            for one in outcome.findings
        ]
        return Upgraded(marked, read(tmp_path), told)

    return run
