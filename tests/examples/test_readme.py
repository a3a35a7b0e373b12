"""Is what README.md says true?"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from quart import websocket

import flask_compat
import quart_login
from quart_login._core import errors, settings, signals

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Return the section of README.md with this title."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """Return the rows of the table in a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(text: str) -> list[str]:
    """Return what *text* quotes as code."""
    return re.findall(r"`([^`]+)`", text)


def run(*blocks: str) -> dict[str, Any]:
    """Run *blocks* as one module, and return what it defines."""
    namespace: dict[str, Any] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    return namespace


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


# --- the code ------------------------------------------------------------------------------------


def test_the_first_block_is_short() -> None:
    assert len(BLOCKS[0].splitlines()) <= 50


async def test_the_first_block_logs_in() -> None:
    client = run(BLOCKS[0])["app"].test_client()
    assert (await client.get("/")).headers["Location"] == "/login?next=%2F"
    assert '<input name="name">' in await (await client.get("/login")).get_data(as_text=True)
    form = {"name": "alice", "password": "wrong"}
    assert (await client.post("/login", form=form)).status_code == 200
    assert (await client.get("/")).status_code == 302
    form = {"name": "alice", "password": "follow the white rabbit"}
    assert (await client.post("/login", form=form)).headers["Location"] == "/"
    assert await (await client.get("/")).get_data(as_text=True) == "Hello, alice!"


@pytest.mark.parametrize("number", range(1, len(BLOCKS)))
async def test_each_further_block_runs_in_an_application_such_as_the_first(number: int) -> None:
    namespace = run(BLOCKS[0], BLOCKS[number])
    async with namespace["app"].test_app():
        response = await namespace["app"].test_client().get("/login")
        assert response.status_code in (200, 404)


def block(word: str) -> str:
    """Return the one further block that *word* is in."""
    (found,) = [block for block in BLOCKS[1:] if word in block]
    return found


async def test_the_block_on_loading_tells_who_is_there() -> None:
    client = run(BLOCKS[0], block("load_current_user"))["app"].test_client()
    assert await (await client.get("/greeting")).get_data(as_text=True) == "Hello, stranger!"
    form = {"name": "alice", "password": "follow the white rabbit"}
    await client.post("/login", form=form)
    assert await (await client.get("/greeting")).get_data(as_text=True) == "Hello, you!"


async def test_the_block_on_request_loaders_knows_a_key_in_requests_and_websockets() -> None:
    namespace = run(BLOCKS[0], block("request_loader"))
    app, ((key, _),) = namespace["app"], namespace["api_keys"].items()

    @app.websocket("/socket")
    @quart_login.login_required
    async def socket() -> None:
        await websocket.send(quart_login.current_user.id)

    client = app.test_client()
    assert (await client.get("/")).status_code == 302
    assert (await client.get("/", headers={"X-API-Key": "wrong"})).status_code == 302
    page = await client.get("/", headers={"X-API-Key": key})
    assert await page.get_data(as_text=True) == "Hello, alice!"
    async with client.websocket("/socket", headers={"X-API-Key": key}) as connection:
        assert await connection.receive() == "alice"


def test_the_block_on_extensions_gives_them_these_modules() -> None:
    run(block("sys.modules"))
    for name in ("", ".utils", ".login_manager", ".mixins", ".signals", ".config", ".test_client"):
        assert import_module(f"flask_login{name}") is import_module(f"flask_compat{name}")


def test_the_names_to_import_from_flask_compat_are_there() -> None:
    namespace = run(block("import flask_compat as flask_login"))
    assert namespace["flask_login"] is flask_compat
    assert namespace["LoginManager"] is flask_compat.LoginManager


def test_the_blocks_are_typed(tmp_path: Path) -> None:
    # Two define or import anew what the first block does; test_typing looks at such code.
    anew = [block("LoginManager[User]"), block("import flask_compat as flask_login")]
    told = [each for each in BLOCKS[1:] if each not in anew]
    (tmp_path / "readme.py").write_text("\n".join([BLOCKS[0], *told]))
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\ncache_dir = /dev/null\n")
    command = [sys.executable, "-m", "mypy", "readme.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


async def test_the_block_on_testing_begins_logged_in() -> None:
    client = run(BLOCKS[0], block("QuartLoginClient"))["client"]
    assert await (await client.get("/")).get_data(as_text=True) == "Hello, alice!"


async def test_the_block_on_typing_lets_its_user_in() -> None:
    namespace = run(BLOCKS[0], block("LoginManager[User]"))
    app = namespace["app"]
    app.test_client_class = quart_login.QuartLoginClient
    client = app.test_client(user=namespace["users"]["alice"])
    assert await (await client.get("/")).get_data(as_text=True) == "alice"


async def test_the_block_on_events_hears_of_a_forged_login(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = run(BLOCKS[0], block("connect_via"))["app"].test_client()
    await client.get("/", headers={"Cookie": f"remember_token=1|{'0' * 128}"})
    assert "Somebody tried a forged login." in caplog.messages


async def test_the_block_on_the_epoch_ends_the_older_logins_of_its_user() -> None:
    namespace = run(BLOCKS[0], block("session_epoch"))
    member = namespace["users"]["alice"] = namespace["Member"]("alice", "hash 1")
    app = namespace["app"]
    app.test_client_class = quart_login.QuartLoginClient
    client = app.test_client(user=member)
    assert (await client.get("/")).status_code == 200
    member.password_hash = "hash 2"
    assert (await client.get("/")).status_code == 302


async def test_the_browser_that_changes_the_epoch_stays_remembered_as_said() -> None:
    said = "await login_user(current_user, remember=login_remembered())"
    assert f"`{said}`" in section("Ending the logins of a user")
    namespace = run(BLOCKS[0], block("session_epoch"))
    member = namespace["users"]["alice"] = namespace["Member"]("alice", "hash 1")
    app = namespace["app"]

    @app.post("/in")
    async def enter() -> str:
        return str(await quart_login.login_user(member, remember=True))

    @app.post("/password")
    async def change() -> str:
        member.password_hash = "hash 2"
        # What `said` says, as a view has it.
        stays = quart_login.login_user(
            quart_login.current_user, remember=quart_login.login_remembered()
        )
        return str(await stays)

    here, elsewhere = app.test_client(), app.test_client()
    for client in (here, elsewhere):
        await client.post("/in")
    await here.post("/password")
    for _ in range(2):
        assert (await here.get("/")).status_code == 200
        assert (await elsewhere.get("/")).status_code == 302
        here.cookie_jar.clear("localhost.local", "/", "session")


# --- the commands and links ----------------------------------------------------------------------


def test_each_command_is_one_line_that_names_what_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert all(extra in extras for extra in re.findall(r"\[(\w+)\]", command))
        assert all((ROOT / path).is_file() for path in re.findall(r"[\w/]+\.py", command))
        for module in re.findall(r"-m (examples\.\w+)", command):
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file()


def test_each_link_to_a_file_leads_to_one() -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", prose)
    assert "docs/differences.md" in links
    assert [link for link in links if not (ROOT / link).is_file()] == []


# --- the tables ----------------------------------------------------------------------------------


def test_what_is_said_to_be_awaited_is_a_coroutine_function_and_the_rest_is_not() -> None:
    for awaited, plain in rows("What is awaited, and what is plain"):
        for name in names(awaited):
            assert iscoroutinefunction(lookup(name)), name
        for name in names(plain):
            known = hasattr(quart_login, name)
            assert not (known and iscoroutinefunction(lookup(name))), name
            assert known or name in ("is_authenticated", "bool", "async def"), name


def lookup(name: str) -> Any:
    value: Any = quart_login
    for part in name.split("."):
        value = getattr(value, part)
    return value


#: How README.md writes a default.
WRITTEN = {
    timedelta(days=365): "365 days",
    timedelta(days=1): "1 day",
    timedelta(hours=1): "1 hour",
}

#: Settings that are the framework's, or a manager's.
ELSEWHERE = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "SESSION_PROTECTION"}


def written(default: Any) -> str:
    if default is None or isinstance(default, (bool, int, float, tuple)):
        return f"`{default}`"
    return WRITTEN.get(default) or f'`"{default}"`'


def test_every_setting_is_named_with_its_default() -> None:
    said = {names(key)[0]: default for key, default, _ in rows("Configuration")}
    expected = {
        key: written(default)
        if default == settings.FLASK_LOGIN[key]
        else f"{written(default)}; `flask_compat`: {written(settings.FLASK_LOGIN[key])}"
        for key, default in settings.SAFE.items()
    }
    assert {key: said[key] for key in said if key not in ELSEWHERE} == expected
    assert said.keys() >= ELSEWHERE


def test_session_protection_is_basic_by_default_as_said() -> None:
    (said,) = (row[1] for row in rows("Configuration") if "`SESSION_PROTECTION`" in row[0])
    for shell in (quart_login, flask_compat):
        assert said.endswith(f'`"{shell.LoginManager().session_protection}"`')


#: The section on them.
ATTRIBUTES = "Attributes of the login manager"


@pytest.mark.parametrize("shell", [quart_login, flask_compat], ids=lambda shell: shell.__name__)
def test_every_attribute_of_the_manager_is_named_with_its_default(shell: Any) -> None:
    said = {names(name)[0]: names(default)[0] for name, default, _ in rows(ATTRIBUTES)}
    manager = shell.LoginManager()
    assert said.pop("clock") == "time.time"
    assert abs(manager.clock() - time.time()) < 60
    assert said.pop("anonymous_user") == manager.anonymous_user.__name__
    for name, default in said.items():
        value = getattr(manager, name)
        assert (f'"{value}"' if isinstance(value, str) else str(value)) == default, name
    internal = {"keys", "warned_of_weak_key", "warned_of_http", "loads_itself", "binds_itself"}
    internal |= {"name", "realm", "attribute", "signal_data"}  # see docs/realms.md
    callbacks = {"unauthorized_callback", "needs_refresh_callback"}
    there = {name for name in vars(manager) if not name.startswith("_")} - internal - callbacks
    assert said.keys() | {"clock", "anonymous_user"} == there


def test_every_signal_is_named() -> None:
    said = {names(row[0])[0] for row in rows("Events")}
    there = {name for name, value in vars(signals).items() if hasattr(value, "receivers")}
    # The header loader's is deprecated, and flask_compat's alone.
    assert said == there - {"user_loaded_from_header"}


def test_every_error_is_named_with_what_it_is() -> None:
    said = {names(row[0])[0]: names(row[0])[1:] for row in rows("Errors")}
    there = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.LoginError)
    }
    assert said.keys() == there.keys()
    for name, bases in said.items():
        assert [base.__name__ for base in there[name].__mro__ if base.__name__ in bases] == bases


def test_the_version_in_the_changes_is_the_packages() -> None:
    changes = (ROOT / "CHANGES.md").read_text()
    newest = re.search(r"^## Version (\S+)$", changes, re.MULTILINE)
    assert newest is not None
    assert newest[1] == quart_login.__version__
