"""What type checkers tell an application's developer: these mistakes, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "tests" / "typing").glob("*.py"))

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

#: A line that a checker reports ends with a comment that begins so and names the checker.
MARK = re.compile(r"# E: (?P<checkers>[a-z, ]+)$")


def run(*args: str) -> str:
    command = [sys.executable, "-m", *args, *map(str, FILES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    # 0: nothing to report; 1: something; else it did not run.
    assert done.returncode in (0, 1), done.stderr or done.stdout
    return done.stdout


def mypy() -> list[tuple[Path, int, str]]:
    lines = run("mypy", "--strict", "--output=json", f"--python-version={VERSION}").splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
    return [
        (ROOT / one["file"], one["line"], one["message"])
        for one in found
        if one["severity"] == "error"
    ]


def pyright() -> list[tuple[Path, int, str]]:
    found = json.loads(
        run("pyright", "--outputjson", "--pythonpath", sys.executable, "--pythonversion", VERSION)
    )
    return [
        (Path(one["file"]), one["range"]["start"]["line"] + 1, one["message"])
        for one in found["generalDiagnostics"]
    ]


CHECKERS: dict[str, Callable[[], list[tuple[Path, int, str]]]] = {
    "mypy": cache(mypy),
    "pyright": cache(pyright),
}


def marked(path: Path, checker: str) -> set[int]:
    """Return the lines of *path* that *checker* has to report."""
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = MARK.search(line)
        if match and checker in match["checkers"].split(", "):
            found.add(number)
    return found


def test_there_are_files_to_check() -> None:
    assert [path.name for path in FILES] == ["flask_app.py", "quart_app.py"]
    assert all(len(marked(path, checker)) > 5 for path in FILES for checker in CHECKERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("checker", CHECKERS)
def test_these_mistakes_are_reported_and_nothing_else(checker: str, path: Path) -> None:
    reports = [report for report in CHECKERS[checker]() if report[0] == path]
    lines = {line for _, line, _ in reports}
    expected = marked(path, checker)
    surplus = [f"{line}: {text}" for _, line, text in reports if line not in expected]
    assert not surplus, "\n".join(surplus)
    assert sorted(expected - lines) == [], f"{checker} did not report these lines"


@pytest.mark.parametrize("checker", CHECKERS)
def test_nothing_is_reported_elsewhere(checker: str) -> None:
    assert [report for report in CHECKERS[checker]() if report[0] not in FILES] == []
