"""A whole application of Flask and Flask-Login, its tests among it, is upgraded and runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import flask_login
import pytest

import quart_login
from quart_login.upgrade.convert import convert

BULLETIN = Path(__file__).parent / "bulletin"

#: More of its tests, which only Quart's test client can say.
UPLOADS = """
from quart.datastructures import FileStorage
import io
from test_pages import app, client, log_in, store

async def test_pictures(client, tmp_path):
    await log_in(client)
    files = {"picture": FileStorage(io.BytesIO(b"a picture"), "picture.png")}
    await client.post("/notices", form={"text": "look"}, files=files)
    [notice] = store.notices
    assert await (await client.get(f"/notices/{notice}/picture")).data == b"a picture"
    files = {"picture": FileStorage(io.BytesIO(b"another"), "picture.png")}
    await client.post(f"/pictures?folder={tmp_path}", files=files)
    assert (tmp_path / "kept").read_bytes() == b"another"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(BULLETIN, tmp_path / "bulletin")
    (tmp_path / "bulletin" / "checks.py").rename(tmp_path / "test_pages.py")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        # Flask-Login says `utcnow`, which Python 3.12 deprecates.
        "filterwarnings =\n    error\n    ignore:datetime.datetime.utcnow:DeprecationWarning\n"
    )
    return tmp_path


def passed(folder: Path) -> str:
    """Run the tests in *folder*, and return how many passed."""
    root = str(Path(quart_login.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, str(folder)])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout.splitlines()[-1].partition(" in ")[0]


def test_the_application_passes_its_own_tests_before_and_after(folder: Path) -> None:
    assert passed(folder) == "9 passed"
    outcome = convert([folder])
    for change in outcome.changes:
        change.path.write_bytes(change.after)
    assert [(one.path.name, "pytest-asyncio" in one.what) for one in outcome.findings] == [
        ("test_pages.py", True)
    ]
    text = "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    assert "flask" not in text.replace("of Flask and Flask-Login", "").lower()
    (folder / "test_uploads.py").write_text(UPLOADS)
    assert passed(folder) == "10 passed"


@pytest.mark.parametrize("package", [flask_login, quart_login], ids=lambda one: one.__name__)
def test_other_peoples_code_stays_python(package: object, tmp_path: Path) -> None:
    """Whatever is in it: each file that is changed compiles, and a second run changes nothing."""
    there = Path(str(vars(package)["__file__"])).parent
    ignored = shutil.ignore_patterns("__pycache__", "upgrade", "_core", "stores")
    shutil.copytree(there, tmp_path / there.name, ignore=ignored)
    for change in convert([tmp_path]).changes:
        compile(change.after, str(change.path), "exec")
        change.path.write_bytes(change.after)
    assert convert([tmp_path]).changes == []
