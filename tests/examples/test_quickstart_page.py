"""Does docs/quickstart.md lead from an empty directory to what it says?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
*STEPS, TESTS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
[SET_UP] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with what the steps write there."""
    (tmp_path / "app.py").write_text("\n\n".join(STEPS))
    (tmp_path / "test_app.py").write_text(f"from app import app, users\n{TESTS}")
    return tmp_path


def run(directory: Path, *command: str) -> str:
    command = (sys.executable, "-m", *command)
    # From its own directory, the checkout's packages are found as well.
    paths = {"PYTHONPATH": f"{directory}:{ROOT}", "PATH": "", "HOME": str(directory)}
    done = subprocess.run(command, cwd=directory, env=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_tests_pass_where_a_reader_runs_them(directory: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:dash", "-o", "asyncio_mode=auto")
    said = run(directory, "pytest", *options, "-c", "/dev/null", "test_app.py")
    assert f"{TESTS.count('async def test_')} passed" in said


def test_with_a_store_they_pass_as_well(directory: Path) -> None:
    path = directory / "app.py"
    plain = "login_manager = LoginManager(app)\n"
    assert path.read_text().count(plain) == 1
    path.write_text(path.read_text().replace(plain, SET_UP))
    test_its_tests_pass_where_a_reader_runs_them(directory)
    assert (directory / "sessions.db").is_file()


def test_the_command_shows_what_is_protected(directory: Path) -> None:
    routes = run(directory, "quart", "--app", "app", "login", "routes")
    states = dict(re.findall(r"^(/\S*) .* (open|required|fresh|exempt) ", routes, re.M))
    assert states["/account"] == "required" and states["/password"] == "fresh"
    assert states["/"] == "open" and states["/login"] == "exempt"


def test_its_steps_are_numbered() -> None:
    steps = re.findall(r"^## (\d+)\. ", PAGE, re.M)
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))
