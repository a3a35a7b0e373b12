"""Who needs no database imports none."""

from __future__ import annotations

import subprocess
import sys

import pytest

DRIVERS = {
    "sqlite3",
    "_sqlite3",
    "sqlalchemy",
    "psycopg",
    "asyncpg",
    "aiosqlite",
    "redis",
    "pytest",
}
OTHERS = {"quart", "flask", "flask_compat", "asyncio"}


def modules_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("", set()),
        (".memory", set()),
        (".sqlite", {"sqlite3", "_sqlite3"}),
    ],
)
def test_a_store_imports_its_driver_alone(name: str, needs: set[str]) -> None:
    modules = modules_after(f"import quart_login.stores{name}")
    assert modules & (DRIVERS | OTHERS) == needs


def test_the_store_of_sqlalchemy_imports_no_shell_and_no_driver() -> None:
    modules = modules_after("import quart_login.stores.sqlalchemy")
    assert modules & DRIVERS == {"sqlalchemy"}
    assert not modules & {"quart", "flask", "flask_compat"}


@pytest.mark.parametrize(
    ("name", "driver"), [("redis", "redis"), ("sqlalchemy", "'sqlalchemy[asyncio]'")]
)
def test_a_store_whose_driver_is_missing_says_what_to_install(name: str, driver: str) -> None:
    script = f"import sys; sys.modules[{name!r}] = None; import quart_login.stores.{name}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert last.endswith(f": pip install {driver}")


def test_the_contract_needs_pytest_alone() -> None:
    modules = modules_after("import quart_login.stores.contract")
    assert modules & (DRIVERS | {"quart", "flask", "pytest_asyncio"}) == {"pytest"}
