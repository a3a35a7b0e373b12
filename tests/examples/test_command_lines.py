"""Do the larger examples answer the framework's command line, as README.md shows?

Before they were ever started, too, and with what `python -m` keeps.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def quart(directory: Path, module: str, *args: str) -> str:
    paths = {"PYTHONPATH": str(ROOT)}
    ours = ("SECRET_KEY", "NOTES_", "SIDE_BY_SIDE_")
    rest = {key: text for key, text in os.environ.items() if not key.startswith(ours)}
    command = [sys.executable, "-m", "quart", "--app", module, "login", *args]
    done = subprocess.run(command, cwd=directory, env=rest | paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("module", "user", "kept"),
    [
        ("examples.notes.app", "1", "notes-data"),
        ("examples.side_by_side.app", "alice", "side-by-side-data"),
    ],
)
def test_it_shows_login_sessions_of_the_directory_that_the_readme_names(
    tmp_path: Path, module: str, user: str, kept: str
) -> None:
    assert f".venv/bin/quart --app {module} login sessions {user}\n" in README
    assert f"`{kept}`" in README
    assert quart(tmp_path, module, "sessions", user).startswith("No login sessions in <SQL")
    key = tmp_path / kept / "secret_key"
    made = key.read_text()
    assert re.fullmatch("[0-9a-f]{64}", made) and key.stat().st_mode & 0o077 == 0
    quart(tmp_path, module, "routes", "--strict")
    assert "to mend" in quart(tmp_path, module, "check")
    assert key.read_text() == made
