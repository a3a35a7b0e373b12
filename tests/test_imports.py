"""The dependency rule: the core knows no framework and no loop, and no shell knows the other."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import flask_compat
import quart_login

QUART_LOGIN = Path(quart_login.__file__).parent
FLASK_COMPAT = Path(flask_compat.__file__).parent
CORE = sorted(path for path in (QUART_LOGIN / "_core").glob("*.py"))

FRAMEWORKS = {"quart", "flask"}
LOOPS = {"asyncio", "anyio", "trio", "hypercorn"}

#: The modules of the core that know the command line.  Click comes with the frameworks.
COMMANDS = {"command_line", "commands"}

#: The modules of the core that wait, and the two things they wait with.
WAITS = {
    "load",
    "login",
    "guard",
    "finish",
    "onward",
    "header",
    "report",
    "sessions",
    "asking",
    "brought",
    "ending",
    "registered",
    "moving",
    "listing",
    "beginning",
    "terminal",
    "watching",
}
HOW = {"exchange", "step"}

#: What is asked of a store: methods that others write, which wait.
PROTOCOLS = {"store"}

#: These decide, and are given the exchange that their decision is about.
GIVEN_THE_EXCHANGE = {"claim", "decision", "events", "kit", "opening"}


def imported_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after *statement*."""
    script = f"import sys\n{statement}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(run.stdout))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def running(node: ast.AST) -> list[ast.AST]:
    """Return the nodes below *node*, but for what only type checkers read."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        if is_for_checkers(child):
            assert isinstance(child, ast.If)
            found += [part for branch in child.orelse for part in (branch, *running(branch))]
        else:
            found += [child, *running(child)]
    return found


def imports_of(path: Path, package: str) -> set[str]:
    """Return the whole names of what the module at *path* imports."""
    names: set[str] = set()
    for node in running(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def siblings_of(path: Path) -> set[str]:
    """Return which modules of the core the core's module at *path* imports."""
    return imports_of(path, "quart_login._core") & {f"quart_login._core.{p.stem}" for p in CORE}


# --- in a fresh interpreter ----------------------------------------------------------------------


def test_flask_compat_imports_neither_quart_nor_a_loop() -> None:
    modules = imported_by("import flask_compat")
    assert "flask" in modules
    assert not modules & ({"quart"} | LOOPS)


@pytest.mark.parametrize(
    "name", ["config", "login_manager", "mixins", "signals", "test_client", "utils", "__about__"]
)
def test_no_module_of_flask_compat_imports_quart_or_a_loop(name: str) -> None:
    assert not imported_by(f"import flask_compat.{name}") & ({"quart"} | LOOPS)


def test_flask_compat_imports_no_module_of_quart_logins_shell() -> None:
    ours = {name for name in imported_by("import flask_compat") if name.startswith("quart_login")}
    assert ours <= {"quart_login"} | {
        name for name in ours if f"{name}.".startswith("quart_login._core.")
    }


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_imports_no_framework_and_no_loop(path: Path) -> None:
    name = "quart_login._core" + ("" if path.stem == "__init__" else f".{path.stem}")
    modules = imported_by(f"import {name}")
    assert name in modules
    assert not modules & (FRAMEWORKS | LOOPS | {"flask_compat"})


def test_quart_login_imports_nothing_until_a_name_is_used() -> None:
    assert not imported_by("import quart_login") & (FRAMEWORKS | LOOPS)
    assert not imported_by("import quart_login; quart_login.__doc__") & (FRAMEWORKS | LOOPS)
    assert imported_by("import quart_login; quart_login.login_required") >= {"quart"}
    assert imported_by("from quart_login import LoginManager") >= {"quart"}


def test_the_core_brings_click_for_its_commands_alone() -> None:
    others = [path.stem for path in CORE if path.stem not in {"__init__", *COMMANDS}]
    statement = "import " + ", ".join(f"quart_login._core.{name}" for name in others)
    assert "click" not in imported_by(statement)
    for name in COMMANDS:
        assert "click" in imported_by(f"import quart_login._core.{name}")


@pytest.mark.parametrize("shell", ["flask_compat", "quart_login._api"])
def test_what_no_server_needs_is_imported_by_whoever_asks_for_it(shell: str) -> None:
    modules = imported_by(f"import {shell}")
    for name in ("commands", "audit", "routes", "terminal", "kit", "quart_auth"):
        assert f"quart_login._core.{name}" not in modules
    assert not modules & {
        "quart_login.testing",
        "flask_compat.test_client",
        "flask_compat._in_time",
    }


def test_quart_login_never_imports_flask_compat() -> None:
    assert "flask_compat" not in imported_by(
        "from quart_login import *; import quart_login.testing"
    )


# --- in the source -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_no_import_in_the_core_reaches_out_of_it(path: Path) -> None:
    for name in imports_of(path, "quart_login._core"):
        assert name.split(".")[0] not in FRAMEWORKS | LOOPS | {"flask_compat"}, name
        assert name.split(".")[0] != "click" or path.stem in COMMANDS, name
        assert not name.startswith("quart_login") or name.startswith("quart_login._core"), name


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_no_module_of_the_core_needs_the_commands(path: Path) -> None:
    """So that Click is imported by a framework, or by whoever asks for the commands."""
    if path.stem not in COMMANDS:
        assert not siblings_of(path) & {f"quart_login._core.{name}" for name in COMMANDS}


@pytest.mark.parametrize(
    "path", sorted(FLASK_COMPAT.glob("**/*.py")), ids=lambda path: f"flask_compat.{path.stem}"
)
def test_flask_compat_reaches_into_the_core_alone(path: Path) -> None:
    for name in imports_of(path, "flask_compat"):
        assert name.split(".")[0] not in {"quart"} | LOOPS, name
        assert not name.startswith("quart_login") or name.startswith("quart_login._core"), name


@pytest.mark.parametrize(
    "path",
    sorted(path for path in QUART_LOGIN.glob("**/*.py") if path not in CORE),
    ids=lambda path: f"quart_login.{path.stem}",
)
def test_quart_login_never_reaches_into_flask_compat(path: Path) -> None:
    for name in imports_of(path, "quart_login"):
        assert name.split(".")[0] not in {"flask_compat", "flask"}, name


DECIDES = [path for path in CORE if path.stem not in WAITS | HOW | PROTOCOLS]


@pytest.mark.parametrize("path", DECIDES, ids=lambda path: path.stem)
def test_a_module_that_decides_waits_for_nothing(path: Path) -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(tree_of(path)) if isinstance(node, waiting)]


@pytest.mark.parametrize("path", DECIDES, ids=lambda path: path.stem)
def test_a_module_that_decides_imports_none_that_waits(path: Path) -> None:
    waiting = WAITS | HOW - ({"exchange"} if path.stem in GIVEN_THE_EXCHANGE else set())
    # A command waits for nothing itself: it hands what waits to a manager, which knows how.
    waiting -= {"terminal", "listing"} if path.stem in COMMANDS else set()
    assert not siblings_of(path) & {f"quart_login._core.{name}" for name in waiting}


def test_the_modules_that_wait_are_those() -> None:
    waiting = {
        path.stem
        for path in CORE
        if any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree_of(path)))
    }
    assert waiting == WAITS | PROTOCOLS | {"exchange"}


@pytest.mark.parametrize("name", sorted(WAITS))
def test_every_coroutine_of_the_core_takes_its_exchange_first(name: str) -> None:
    tree = tree_of(QUART_LOGIN / "_core" / f"{name}.py")
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            first = [*node.args.posonlyargs, *node.args.args][0]
            assert first.arg == "exchange", node.name


VERBS = {
    f"exchange.{verb}"
    for verb in (
        "call",
        "call_loader",
        "ask",
        "ask_long",
        "ended",
        "notify",
        "options",
        "form",
        "load_user",
    )
}


@pytest.mark.parametrize("name", sorted(WAITS))
def test_the_core_awaits_nothing_but_its_exchange_and_itself(name: str) -> None:
    """Each ``await`` is of a verb of the exchange, or of a coroutine that is given the exchange."""
    tree = tree_of(QUART_LOGIN / "_core" / f"{name}.py")
    for node in ast.walk(tree):
        if isinstance(node, ast.Await):
            assert isinstance(node.value, ast.Call), ast.unparse(node)
            called, args = node.value.func, [ast.unparse(arg) for arg in node.value.args]
            of_exchange = ast.unparse(called) in VERBS
            assert of_exchange or args[:1] == ["exchange"], ast.unparse(node)
