"""Is what docs/users.md and docs/typing.md say true?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from quart import websocket

import quart_login
from quart_login import QuartLoginClient, UserMixin

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "users.md").read_text("utf-8")
TYPES = (DOCS / "typing.md").read_text("utf-8")


def blocks_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


BLOCKS = blocks_of(PAGE)


def run(*blocks: str) -> dict[str, Any]:
    """Run *blocks* as one module, and return what it defines."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, "users.md", "exec"), namespace)
    return namespace


def block(word: str) -> str:
    """Return the one further block that *word* is in."""
    (found,) = [block for block in BLOCKS[1:] if word in block]
    return found


def test_what_the_mixin_has_is_said() -> None:
    said = re.findall(r"^\| `(\w+)(?:\(\))?` \|", PAGE, re.M)
    assert set(said) == {name for name in vars(UserMixin) if not name.startswith("_")}


async def test_loading_on_demand_tells_who_is_there() -> None:
    namespace = run(BLOCKS[0], block("load_current_user"))
    app = namespace["app"]
    stranger, alice = app.test_client(), QuartLoginClient(app, user=namespace["users"]["alice"])
    for client, greeting in ((stranger, "Hello, stranger!"), (alice, "Hello, you!")):
        assert await (await client.get("/greeting")).get_data(as_text=True) == greeting


async def test_the_request_loader_knows_a_key_in_requests_and_websockets() -> None:
    namespace = run(BLOCKS[0], block("request_loader"))
    app, ((key, _),) = namespace["app"], namespace["api_keys"].items()

    @app.websocket("/socket")
    @quart_login.login_required
    async def socket() -> None:
        await websocket.send(quart_login.current_user.id)

    client = app.test_client()
    assert (await client.get("/")).status_code == 401
    assert (await client.get("/", headers={"X-API-Key": "wrong"})).status_code == 401
    page = await client.get("/", headers={"X-API-Key": key})
    assert await page.get_data(as_text=True) == "Hello, alice!"
    async with client.websocket("/socket", headers={"X-API-Key": key}) as connection:
        assert await connection.receive() == "alice"


async def test_the_epoch_ends_the_older_logins_of_its_user() -> None:
    namespace = run(BLOCKS[0], block("session_epoch"))
    member = namespace["users"]["alice"] = namespace["Member"]("alice", "hash 1")
    client = QuartLoginClient(namespace["app"], user=member)
    assert (await client.get("/")).status_code == 200
    member.password_hash = "hash 2"
    assert (await client.get("/")).status_code == 401


async def test_the_browser_that_changes_the_epoch_stays_remembered_as_said() -> None:
    said = "await login_user(current_user, remember=login_remembered())"
    assert f"`{said}`" in PAGE
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
        assert (await elsewhere.get("/")).status_code == 401
        here.cookie_jar.clear("localhost.local", "/", "session")


async def test_a_manager_of_a_user_class_lets_its_user_in() -> None:
    namespace = run(*blocks_of(TYPES))
    client = QuartLoginClient(namespace["app"], user=namespace["users"]["alice"])
    assert await (await client.get("/")).get_data(as_text=True) == "alice"


TYPED = ["users", "typing", "quickstart", "quickstart-flask", "configuration"]


@pytest.mark.parametrize("page", TYPED)
def test_the_blocks_are_typed(page: str, tmp_path: Path) -> None:
    files: dict[str, list[str]] = {"app.py": [], "test_app.py": []}
    for block in blocks_of((DOCS / f"{page}.md").read_text("utf-8")):
        # A quickstart's tests are a file of their own.
        files["test_app.py" if block.startswith("from app import ") else "app.py"].append(block)
    for name, told in files.items():
        (tmp_path / name).write_text("\n".join(told))
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\ncache_dir = /dev/null\n")
    command = [sys.executable, "-m", "mypy", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr
