"""What the command prints, writes and returns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quart_login.upgrade.__main__ import main

BEFORE = "from flask import flash\n\n\ndef say():\n    flash('x')  # aloud\n"
FINISHED = "from quart import flash\n\n\nasync def say():\n    await flash('x')  # aloud\n"
AFTER = FINISHED.replace("async", "@must_await\nasync").replace(
    "flash\n", "flash\nfrom quart_login.must_await import must_await\n"
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("shop").mkdir()
    path = Path("shop", "views.py")
    path.write_text(BEFORE)
    return path


def test_it_prints_a_diff_that_patch_takes_and_writes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shop"]) == 0
    printed = capsys.readouterr()
    assert file.read_text() == BEFORE
    assert "+async def say():\n" in printed.out
    assert printed.err == "1 files to change, 0 places to look at\n"
    if shutil.which("patch"):
        subprocess.run(["patch", "-p1"], input=printed.out, text=True, check=True)
        assert file.read_text() == AFTER


def test_it_writes_if_asked_and_then_has_nothing_to_do(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.chmod(0o750)
    assert main(["--write", "shop"]) == 0
    assert (file.read_text(), file.stat().st_mode & 0o777) == (AFTER, 0o750)
    assert os.listdir("shop") == ["views.py"]
    assert capsys.readouterr().out == ""
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == ""


def test_what_is_left_to_do_is_told_beside_the_diff(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(BEFORE + "\n\nsay()\n")
    assert main(["--diff", str(file)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{file}:8: `say` is awaited in Quart, but code outside")
    assert "+async def say():\n" in printed.out


def test_line_ends_and_encodings_are_kept(file: Path) -> None:
    text = "# -*- coding: latin-1 -*-\r\nfrom flask import g  # \xe9\r\n"
    file.write_bytes(text.encode("latin-1"))
    assert main(["--write", "shop"]) == 0
    assert file.read_bytes() == text.replace("flask", "quart").encode("latin-1")


def test_folders_that_are_not_the_projects_own_are_left(file: Path) -> None:
    for name in (".venv", "node_modules", "build"):
        Path("shop", name).mkdir()
        Path("shop", name, "views.py").write_text(BEFORE)
    assert main(["--write", "shop"]) == 0
    assert Path("shop", ".venv", "views.py").read_text() == BEFORE
    assert Path("shop", "build", "views.py").read_text() == BEFORE


def test_a_path_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere"]) == 2
    assert capsys.readouterr().err == "no such file or folder: nowhere\n"


def test_no_path_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "PATH" in capsys.readouterr().err


def test_without_libcst_it_says_what_to_install(file: Path) -> None:
    script = (
        "import sys, runpy; sys.modules['libcst'] = None; sys.argv = ['upgrade', 'shop'];"
        "runpy.run_module('quart_login.upgrade', run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert "pip install libcst" in run.stderr
    assert "Traceback" not in run.stderr
