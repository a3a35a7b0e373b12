"""Do the larger examples answer the framework's command line, as README.md shows?

Before they were ever started, too, and with what `python -m` keeps.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import build_opener

import pytest
from browser.served import Server

from examples.notes import home
from examples.side_by_side import common

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
    kept_there = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / kept).iterdir()}
    assert kept_there.keys() >= {"secret_key"} and set(kept_there.values()) == {0}


@pytest.mark.parametrize("name", ["notes", "side_by_side"])
def test_a_directory_that_was_there_shows_nobody_what_is_kept(tmp_path: Path, name: str) -> None:
    tmp_path.chmod(0o755)
    server = Server(name, tmp_path)
    build_opener().open(f"{server.url}/", timeout=60).close()
    server.stop()
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert {name for name, mode in modes.items() if mode} <= {"log"}
    assert len(modes) > 2


def make_key_for_notes(directory: Path) -> str:
    return home.key_in(directory)


def make_key_for_side_by_side(directory: Path) -> str:
    return common.key_in(directory)


@pytest.mark.parametrize("make_key", [make_key_for_notes, make_key_for_side_by_side])
def test_of_two_starts_at_once_both_have_the_same_key(
    tmp_path: Path, make_key: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start is at whichever point of the first."""
    seen, token_hex = [], secrets.token_hex

    def meanwhile(*args: Any) -> str:
        monkeypatch.setattr(secrets, "token_hex", token_hex)
        seen.append(make_key(tmp_path))
        return token_hex(*args)

    monkeypatch.setattr(secrets, "token_hex", meanwhile)
    seen.append(make_key(tmp_path))
    seen.append(make_key(tmp_path))
    assert re.fullmatch("[0-9a-f]{64}", seen[0])
    assert seen == [seen[0]] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
