from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

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
