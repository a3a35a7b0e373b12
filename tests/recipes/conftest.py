from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def blocks(name: str, language: str) -> list[str]:
    """Return the blocks of the recipe *name* that are in *language*."""
    text = (RECIPES / f"{name}.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


@pytest.fixture
def cook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return a function that runs the Python code of a recipe, and returns it as a module."""
    monkeypatch.chdir(tmp_path)
    cooked: list[str] = []

    def cook(name: str) -> ModuleType:
        module = ModuleType(f"recipe_{name.replace('-', '_')}")
        sys.modules[module.__name__] = module
        cooked.append(module.__name__)
        for number, block in enumerate(blocks(name, "python")):
            exec(compile(block, f"{name}.md, block {number + 1}", "exec"), vars(module))
        return module

    yield cook
    for name in cooked:
        del sys.modules[name]
