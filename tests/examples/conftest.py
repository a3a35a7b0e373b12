from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _load(name: str) -> ModuleType:
    """Run the file of the example *name* anew, and return it as a module."""
    spec = spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


@pytest.fixture(scope="session")
def load_example() -> Callable[[str], ModuleType]:
    """Return a function that runs an example's file anew."""
    return _load


@pytest.fixture(params=["basic", "basic_flask"])
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of each example in turn."""
    return request.param


@pytest.fixture
def example(name: str) -> ModuleType:
    """Return each example in turn, as its file says it."""
    return _load(name)


@pytest.fixture(scope="session")
def names_of_tests() -> set[str]:
    """Return the names of all tests, for pages that name some."""
    trees = (ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.fixture(autouse=True)
def the_real_flask_login() -> Iterator[None]:
    """Give `flask_login` its own modules back after a block that gave it ours."""

    def modules() -> dict[str, Any]:
        return {name: sys.modules[name] for name in sys.modules if is_flask_login(name)}

    before = modules()
    yield
    for name in modules():
        del sys.modules[name]
    sys.modules.update(before)


def is_flask_login(name: str) -> bool:
    return name.partition(".")[0] == "flask_login"
