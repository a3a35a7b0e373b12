"""Does the reference in docs/api name everything that there is?"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import flask_compat
import quart_login
from quart_login import stores
from quart_login._core import errors

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / "api").glob("*.md")}


def documented() -> set[str]:
    """Return the full names of what the pages document."""
    found = set()
    for text in PAGES.values():
        module = ""
        for directive, name in re.findall(r"^\.\. (?:py:)?(\w+):: ([\w.]+)", text, re.M):
            if directive in ("currentmodule", "module", "automodule"):
                module = name
            else:
                found.add(
                    name if name.startswith(("quart_login", "flask_")) else f"{module}.{name}"
                )
    return found


THERE = documented()


def names_of(module: Any) -> list[str]:
    return [f"{module.__name__}.{name}" for name in module.__all__]


def test_all_of_quart_login_is_there() -> None:
    assert [name for name in names_of(quart_login) if name not in THERE] == []


def test_all_of_flask_compat_is_there_or_the_same_as_quart_logins() -> None:
    missing = [name for name in flask_compat.__all__ if f"flask_compat.{name}" not in THERE]
    assert missing
    for name in missing:
        assert f"quart_login.{name}" in THERE
        if name != "__version__":
            assert getattr(flask_compat, name) is getattr(quart_login, name), name


def test_all_of_what_stores_need_is_there() -> None:
    assert [name for name in names_of(stores) if name not in THERE] == []


def test_all_of_the_other_modules_is_there() -> None:
    for path in (ROOT / "quart_login").glob("[!_]*.py"):
        module = import_module(f"quart_login.{path.stem}")
        missing = [name for name in getattr(module, "__all__", ()) if not is_there(module, name)]
        assert missing == [], path


def is_there(module: Any, name: str) -> bool:
    return {f"{module.__name__}.{name}", f"quart_login.{name}"} & THERE != set()


def test_each_store_is_there() -> None:
    for name in ("memory.MemoryStore", "sqlite.SQLiteStore"):
        assert f"quart_login.stores.{name}" in THERE
    for name in ("redis.RedisStore", "sqlalchemy.SQLAlchemyStore"):
        assert f"quart_login.stores.{name}" in THERE


def test_what_is_there_exists() -> None:
    own = [name for name in THERE if name.rpartition(".")[0] in ("quart_login", "flask_compat")]
    for name in own:
        module = quart_login if name.startswith("quart") else flask_compat
        assert hasattr(module, name.rpartition(".")[2]), name


def test_every_error_is_named_with_what_it_is() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGES["errors"], re.M)
    said = {names[0]: names[1:] for row in rows if (names := re.findall(r"`([^`]+)`", row))}
    there = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.LoginError)
    }
    assert said.keys() == there.keys()
    for name, bases in said.items():
        assert [base.__name__ for base in there[name].__mro__ if base.__name__ in bases] == bases
