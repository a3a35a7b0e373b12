"""Does each quickstart lead from an empty directory to what it says?"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {"quart": "quickstart.md", "flask": "quickstart-flask.md"}


@dataclass
class Page:
    """What a quickstart has its reader write."""

    framework: str
    directory: Path

    def __post_init__(self) -> None:
        self.text = (ROOT / "docs" / PAGES[self.framework]).read_text("utf-8")
        *steps, self.tests = self.blocks("python")
        (self.directory / "app.py").write_text("\n\n".join(steps))
        (self.directory / "test_app.py").write_text(self.tests)
        for settings in self.blocks("ini"):
            (self.directory / "pytest.ini").write_text(settings)

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.M | re.S)

    def run(self, *command: str) -> str:
        command = (sys.executable, "-m", *command)
        # From its own directory, the checkout's packages are found as well.
        here = self.directory
        paths = {"PYTHONPATH": f"{here}:{ROOT}", "PATH": "", "HOME": str(here)}
        done = subprocess.run(command, cwd=here, env=paths, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Page:
    """Return each quickstart in turn, followed to its end in an empty directory."""
    return Page(request.param, tmp_path)


def test_its_tests_pass_where_a_reader_runs_them(page: Page) -> None:
    said = page.run(
        "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash", f"--rootdir={page.directory}"
    )
    assert f"{page.tests.count('def test_')} passed" in said


def test_with_a_store_they_pass_as_well(page: Page) -> None:
    path = page.directory / "app.py"
    plain = "login_manager = LoginManager(app)\n"
    [set_up] = page.blocks("text")
    assert path.read_text().count(plain) == page.text.count(plain) == 1
    path.write_text(path.read_text().replace(plain, set_up))
    test_its_tests_pass_where_a_reader_runs_them(page)
    assert (page.directory / "sessions.db").is_file()


def test_every_password_that_its_tests_send_is_checked(page: Page) -> None:
    """An application that lets any password in fails them: so they would have said it."""
    path = page.directory / "app.py"
    checks = r"if (await asyncio.to_thread\(check_password_hash, |check_password_hash\()"
    careless, times = re.subn(checks, "if max(", path.read_text())
    assert times == 1
    path.write_text(careless)
    with pytest.raises(AssertionError, match="test_a_stranger_is_sent_to_the_login_page"):
        test_its_tests_pass_where_a_reader_runs_them(page)


def test_the_command_shows_what_is_protected(page: Page) -> None:
    routes = page.run(page.framework, "--app", "app", "login", "routes")
    states = dict(re.findall(r"^(/\S*) .* (open|required|fresh|exempt) ", routes, re.M))
    assert states["/account"] == "required" and states["/password"] == "fresh"
    assert states["/"] == "open" and states["/login"] == "exempt"


def test_its_steps_are_numbered(page: Page) -> None:
    steps = re.findall(r"^## (\d+)\. ", page.text, re.M)
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))


def test_both_have_the_same_steps() -> None:
    quart, flask = ((ROOT / "docs" / name).read_text("utf-8") for name in PAGES.values())
    assert re.findall(r"^## .*", quart, re.M) == re.findall(r"^## .*", flask, re.M)
