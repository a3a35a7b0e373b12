"""Is what docs/protecting.md says true?"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import flask
import pytest
import quart
import uvicorn
from held_back import Client, HeldBack
from servers import free_port
from werkzeug.serving import make_server

import flask_compat
import quart_login
from quart_login.stores.sqlite import SQLiteStore

PAGE = (Path(__file__).parents[2] / "docs" / "protecting.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
[TABLE, FIXTURE] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)


def code(translate: Any = str) -> dict[str, Any]:
    """Return what the page's code defines, after *translate* had it."""
    namespace: dict[str, Any] = {"__name__": "protecting"}
    for block in PYTHON:
        exec(compile(translate(block), "protecting.md", "exec"), namespace)
    return namespace


def application(translate: Any = str) -> Any:
    return code(translate)["app"]


def for_flask(block: str) -> str:
    block = re.sub("Quart", "Flask", block.replace("from quart_login", "from flask_compat"))
    block = block.replace("from quart ", "from flask ").replace("async def", "def")
    return block.replace("await ", "")


def test_the_table_is_what_the_command_prints() -> None:
    for app in (application(), application(for_flask)):
        result = app.test_cli_runner().invoke(args=["login", "routes", "--strict"])
        assert (result.exit_code, result.output) == (0, TABLE)


async def test_strangers_see_what_is_open_and_nothing_else() -> None:
    client = application().test_client()
    for path in ("/about", "/login"):
        assert (await client.get(path)).status_code == 200
    for path in ("/", "/api", "/admin/users", "/nope"):
        assert (await client.get(path)).location.startswith("/login")
    assert (await client.options("/api")).status_code == 200
    assert (await client.options("/")).status_code == 302


def test_the_fixture_is_that_of_the_plugin() -> None:
    from quart_login import pytest_plugin

    assert "guarded_routes" in FIXTURE and hasattr(pytest_plugin, "guarded_routes")


# --- a body that comes late, over HTTP -----------------------------------------------------------


class User(quart_login.UserMixin):
    id = "7"


#: What the views were told.
told: list[str] = []


def add_views_to_quart(app: quart.Quart, manager: Any) -> None:
    manager.user_loader(lambda _: User())

    @app.post("/in")
    @quart_login.login_exempt
    async def enter() -> str:
        await quart_login.login_user(User())
        return "in"

    @app.post("/end")
    async def end() -> str:
        return str(await quart_login.revoke_other_sessions())

    @app.post("/tell")
    async def tell() -> str:
        told.append((await quart.request.form)["text"])
        return "told"


def add_views_to_flask(app: flask.Flask, manager: Any) -> None:
    manager.user_loader(lambda _: User())

    @app.post("/in")
    @quart_login.login_exempt
    def enter() -> str:
        flask_compat.login_user(User())
        return "in"

    @app.post("/end")
    def end() -> str:
        return str(flask_compat.revoke_other_sessions())

    @app.post("/tell")
    def tell() -> str:
        told.append(flask.request.form["text"])
        return "told"


def serve_quart(app: Any, port: int, stack: ExitStack) -> None:
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    stack.callback(thread.join)
    stack.callback(setattr, server, "should_exit", True)
    while not server.started and thread.is_alive():
        thread.join(0.01)


def serve_flask(app: Any, port: int, stack: ExitStack) -> None:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    stack.callback(server.server_close)
    stack.callback(thread.join)
    stack.callback(server.shutdown)


@pytest.fixture(params=["quart", "flask"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Serve the page's application in a framework, with a store, and return its URL."""
    there, store, port = code(), SQLiteStore(tmp_path / "logins"), free_port()
    with ExitStack() as stack:
        if request.param == "quart":
            app, manager = there["app"], there["login_manager"]
            add_views_to_quart(app, manager)
            serve = serve_quart
        else:
            app, manager = there["flask_app"], there["flask_manager"]
            add_views_to_flask(app, manager)
            serve = serve_flask
        manager.sessions = store
        app.config["LOGIN_STORE_TIMEOUT"] = 20
        serve(app, port, stack)
        yield f"http://127.0.0.1:{port}"


def test_what_comes_late_is_judged_late(site: str) -> None:
    told.clear()
    here, there = Client(site), Client(site)
    for client in (here, there):
        assert client.ask("/in", {}) == (200, "in")
    assert HeldBack(site, "/tell", there.cookie, {"text": "in time"}).finish().status == 200
    late = HeldBack(site, "/tell", there.cookie, {"text": "late"})
    assert here.ask("/end", {}) == (200, "1")
    assert late.finish().status in (302, 401)
    assert told == ["in time"]
