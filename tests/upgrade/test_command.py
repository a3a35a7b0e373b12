"""What the command prints, writes and returns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quart_login.upgrade import convert
from quart_login.upgrade.__main__ import main
from quart_login.upgrade.writing import NotWritten, write_all

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
    assert printed.err == "1 file to change, 0 places to look at\n"
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


def test_finish_takes_the_decorators_and_their_import_away(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--write", "shop"]) == 0
    assert main(["--finish", "shop"]) == 0
    assert "\n-@must_await\n" in capsys.readouterr().out
    assert file.read_text() == AFTER
    assert main(["--finish", "--write", "shop"]) == 0
    assert file.read_text() == FINISHED
    assert main(["--write", "shop"]) == 0
    assert file.read_text() == FINISHED


def test_finish_keeps_what_stands_between_and_tells_of_other_uses(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(
        "import quart_login.must_await as m\nfrom quart_login.must_await import must_await\n\n\n"
        "@staticmethod\n# why\n@must_await\n# what\nasync def f():\n    pass\n\n\n"
        "@m.must_await\nasync def g():\n    pass\n\n\nh = must_await(g)\n"
    )
    assert main(["--finish", "--write", "shop"]) == 1
    assert f"{file}:18: `must_await` is more than a decorator here" in capsys.readouterr().err
    text = file.read_text()
    assert "import must_await\n" in text
    assert "@staticmethod\n# why\n# what\nasync def f" in text and "\n\nasync def g" in text


def test_where_must_await_means_something_else_it_has_another_name(file: Path) -> None:
    file.write_text(BEFORE + "\n\nmust_await = 1\n")
    assert main(["--write", "shop"]) == 0
    assert "import must_await as quart_login_must_await\n" in file.read_text()
    assert "@quart_login_must_await\nasync def say" in file.read_text()
    assert main(["--finish", "--write", "shop"]) == 0
    assert file.read_text() == FINISHED + "\n\nmust_await = 1\n"


FORMS = {
    "CRLF": b"from flask import g\r\n\r\nx = 1\r\n",
    "CR": b"from flask import g\rx = 1\r",
    "no end": b"from flask import g",
    "latin-1": "# coding: latin-1\nfrom flask import g  # \xe9\n".encode("latin-1"),
    "form feed": b"x = 1\n\x0c\nfrom flask import g\n",
    "separators": "from flask import g\nx = '\u2028 \x0b \x1c'\n".encode(),
    "a mark": b"\xef\xbb\xbffrom flask import g\n",
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_line_ends_and_encodings_are_kept_also_in_the_diff(
    file: Path, data: bytes, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file.write_bytes(data)
    assert main(["shop"]) == 0
    diff = capfdbinary.readouterr().out
    assert main(["--write", "shop"]) == 0
    after = file.read_bytes()
    assert after == data.replace(b"flask", b"quart")
    if shutil.which("patch"):
        file.write_bytes(data)
        subprocess.run(["patch", "-p1", "--binary"], input=diff, check=True, capture_output=True)
        assert file.read_bytes() == after


def test_folders_that_are_not_the_projects_own_are_left_and_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (".venv", "node_modules", "build", "__pycache__", ".empty"):
        Path("shop", name).mkdir()
        Path("shop", name, "views.txt" if name == ".empty" else "views.py").write_text(BEFORE)
    assert main(["--write", "shop"]) == 0
    assert Path("shop", ".venv", "views.py").read_text() == BEFORE
    assert Path("shop", "build", "views.py").read_text() == BEFORE
    assert "passed over, as others' code: shop/.venv, shop/build, shop/node_modules\n" in (
        capsys.readouterr().err
    )


# --- files that are none, or cannot be read -------------------------------------------------------


def left(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Run the command, which sees to the other file all the same, and return what it tells."""
    assert main(["--write", "shop"]) == 1
    assert Path("shop", "views.py").read_text() == AFTER
    return capsys.readouterr().err.splitlines()[:-1]


def test_a_pipe_and_a_link_to_nowhere_are_told(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("shop/pipe.py")
    os.symlink("nowhere.py", "shop/link.py")
    Path("shop/folder.py").mkdir()
    assert left(capsys) == [
        "shop/link.py:1: left as it is: a link to nowhere",
        "shop/pipe.py:1: left as it is: no regular file",
    ]
    assert main(["shop/pipe.py"]) == 1


@pytest.mark.parametrize(
    "nested",
    ["(" * 3000 + "1" + ")" * 3000, "+".join("1" * 5000), "f" + ".f()" * 200, "not " * 3000 + "1"],
    ids=["parentheses", "a sum", "calls", "not"],
)
def test_what_is_nested_too_deeply_is_told(
    file: Path, nested: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("shop/deep.py").write_text(f"from flask import g\nx = {nested}\n")
    [told] = left(capsys)
    assert told.endswith("left as it is, as it is nested too deeply")
    assert "flask" in Path("shop/deep.py").read_text()


@pytest.mark.parametrize("nested", ["[" * 140 + "]" * 140, "f" + ".f()" * 70, "-" * 140 + "1"])
def test_what_is_nested_deeply_is_read(file: Path, nested: str) -> None:
    file.write_text(f"from flask import g\nx = {nested}\n")
    assert main(["--write", "shop"]) == 0
    assert "quart" in file.read_text()


def test_a_function_of_one_name_is_defined_twice(file: Path) -> None:
    file.write_text(
        "from flask import flash\nif __name__:\n    def say():\n        flash('x')\n"
        "else:\n    def say():\n        pass\ndef page():\n    say()\n"
    )
    assert main(["--write", "shop"]) == 0
    assert file.read_text().count("async def say") == 2 and "await say()" in file.read_text()


# --- writing --------------------------------------------------------------------------------------


def test_links_are_written_through_and_none_leads_out(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("outside.py").write_text(BEFORE)
    os.symlink("../outside.py", "shop/out.py")
    Path("shop/deep").mkdir()
    os.symlink("../views.py", "shop/deep/again.py")
    os.symlink(Path("outside.py").absolute(), "shop/.views.py.upgrade")
    [told] = left(capsys)
    assert told.startswith("shop/out.py:1: left as it is: a link to /")
    assert Path("outside.py").read_text() == BEFORE
    assert Path("shop/deep/again.py").is_symlink() and Path("shop/out.py").is_symlink()
    assert main(["--write", "shop/out.py"]) == 0, "who names a link means what it leads to"
    assert Path("outside.py").read_text() == AFTER and Path("shop/out.py").is_symlink()


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_all_files_are_written_or_none(
    file: Path,
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a", "b", "z"):
        Path("shop", f"{name}.py").write_text(BEFORE)
    calls, replace = [], os.replace

    def fail_once(here: object, there: object) -> None:
        calls.append(there)
        if len(calls) == 3:
            raise error
        replace(here, there)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", fail_once)
    if isinstance(error, OSError):
        assert main(["--write", "shop"]) == 2
        assert capsys.readouterr().err == "nothing was written: full\n"
    else:
        with pytest.raises(KeyboardInterrupt):
            main(["--write", "shop"])
    assert {path.read_text() for path in Path("shop").iterdir()} == {BEFORE}
    assert sorted(os.listdir("shop")) == ["a.py", "b.py", "views.py", "z.py"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(file: Path) -> None:
    with pytest.raises(NotWritten, match="has changed"):
        write_all([(file, b"something else", b"new")])
    assert file.read_text() == BEFORE and os.listdir("shop") == ["views.py"]


def test_a_fault_of_the_program_is_no_success_and_writes_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(convert, "Kinds", lambda project: {}["a tree" * 1000])
    assert main(["--write", "shop"]) == 2
    assert capsys.readouterr().err.startswith(
        "nothing was done, by a fault of this program: 'a tree"
    )
    assert file.read_text() == BEFORE


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
