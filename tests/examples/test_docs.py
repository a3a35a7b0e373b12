"""The code of each page of the documentation runs as it stands, and its tests pass."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from types import ModuleType

import flask
import pytest
import quart

DOCS = Path(__file__).parents[2] / "docs"

PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.fixture(params=PAGES)
def page(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """Return each page's Python code in turn, run from its beginning to its end."""
    monkeypatch.chdir(tmp_path)  # for the files that it makes
    module = ModuleType(f"docs_{re.sub('[^a-z0-9]', '_', request.param.partition('.')[0])}")
    text = (DOCS / request.param).read_text("utf-8")
    flask_login = {name: sys.modules[name] for name in sys.modules if _is_flask_login(name)}
    sys.modules[module.__name__] = module
    # A page that begins a file `app.py` has tests that import it by that name.
    monkeypatch.setitem(sys.modules, "app", module)
    try:
        for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)):
            exec(compile(block, f"{request.param}, block {number + 1}", "exec"), vars(module))
        for value in list(vars(module).values()):
            if isinstance(value, (flask.Flask, quart.Quart)):
                value.config.setdefault("LOGIN_STORE_TIMEOUT", 20)  # A busy disk is waited for.
        yield module
    finally:
        # One page gives `flask_login` our modules.
        for name in [module.__name__, *filter(_is_flask_login, sys.modules)]:
            del sys.modules[name]
        sys.modules.update(flask_login)


def _is_flask_login(name: str) -> bool:
    return name.partition(".")[0] == "flask_login"


def test_the_code_of_a_page_runs_and_its_tests_pass(page: ModuleType) -> None:
    for name, test in list(vars(page).items()):
        if name.startswith("test_"):
            asyncio.run(test()) if iscoroutinefunction(test) else test()


@pytest.mark.parametrize("name", PAGES)
def test_all_python_of_a_page_is_in_blocks_that_are_run(name: str) -> None:
    fences = set(re.findall(r"^```(\S+)", (DOCS / name).read_text("utf-8"), re.M))
    assert fences & {"py", "py3", "python3", "pycon", "Python", "{code-block}"} == set()


@pytest.mark.parametrize("name", ["../README.md", *PAGES])
def test_no_page_has_its_reader_delete_words_for_flask(name: str) -> None:
    """Where ``await`` is left out of ``if await asyncio.to_thread(...)``, any password is good."""
    text = re.sub(r"\s+", " ", (DOCS / name).read_text("utf-8"))
    asked = r"(without|leave out|delete|omit)( the words?)? `?(async|await)\b"
    assert re.findall(asked, text, re.I) == []


@pytest.mark.parametrize("name", ["../README.md", *PAGES])
def test_nothing_is_installed_by_a_name_that_is_not_published(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert re.findall(r"pip install [^`\n]*quart-login", text) == []


def test_no_link_leads_out_of_the_manual() -> None:
    """Sphinx makes a file to download of what is no page."""
    for name in PAGES:
        prose = re.sub(r"```.*?```|`[^`]*`", "", (DOCS / name).read_text("utf-8"), flags=re.S)
        links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
        paths = [(DOCS / name).parent / link for link in links if not link.startswith("#")]
        assert all(path.resolve().is_relative_to(DOCS) for path in paths), name
        assert all(path.suffix in (".md", ".svg") and path.is_file() for path in paths), name


@pytest.mark.parametrize("name", [page for page in PAGES if re.match("recipes/|quickstart", page)])
def test_a_page_with_a_form_fits_a_phone(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert ("<form" in text) <= ('name="viewport" content="width=device-width"' in text)
