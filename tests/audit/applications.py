"""Applications to audit, in both frameworks: one that is as it should be, and a way to audit them.

Sources are written once: ``ASYNC`` and ``AWAIT`` stand for what Quart says and Flask does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

BOTH = pytest.mark.parametrize("framework", ["flask", "quart"])

BASE = """
from functools import wraps
from datetime import timedelta

from FRAMEWORK import KIND, abort, make_response, redirect, request, session
from PACKAGE import (
    LoginManager, UserMixin, current_user, login_exempt, login_required, login_user, logout_user
)
from quart_login.stores.memory import MemoryStore

app = KIND(__name__)
app.config.update(
    SECRET_KEY="e31be8d24ce5a09f7d36fd0b52ac1b86",
    LOGIN_SECURE_COOKIES=True,
    LOGIN_CACHE_CONTROL_PRIVATE=True,
    LOGIN_CLEAR_SESSION_ON_LOGOUT=True,
    LOGIN_LIFETIME=timedelta(days=30),
    LOGIN_IDLE_TIMEOUT=timedelta(days=1),
    REMEMBER_COOKIE_DURATION=timedelta(days=30),
    PERMANENT_SESSION_LIFETIME=timedelta(days=7),
)
login_manager = LoginManager(app, sessions=MemoryStore())
calls = []


class User(UserMixin):
    def __init__(self, id):
        self.id = id
        self.email = f"{id}@example.org"


users = {id: User(id) for id in ("alice", "bob")}


@login_manager.user_loader
ASYNC def load_user(user_id):
    return users.get(user_id)


@app.get("/about")
@login_exempt
ASYNC def about():
    return "for everybody"


@app.get("/me")
@login_required
ASYNC def me():
    return f"hello {current_user.id}"


@app.route("/notes/<int:id>", methods=["GET", "POST"])
@login_required
ASYNC def note(id):
    calls.append((request.method, id))
    return f"note {id}"


@app.get("/theme")
@login_exempt
ASYNC def theme():
    response = AWAIT make_response("dark")
    response.set_cookie("theme", "dark", secure=True, httponly=True, samesite="Lax")
    return response


@app.get("/light")
@login_exempt
ASYNC def light():
    response = AWAIT make_response("light")
    response.delete_cookie("theme", secure=True, httponly=True, samesite="Lax")
    return response
"""

FENCE = """
login_manager.require_login(app, exempt_static=True)
"""

#: What Quart has and Flask does not.
SOCKET = """
from quart import websocket


@app.websocket("/live")
@login_required
async def live():
    while True:
        await websocket.send(await websocket.receive())


@app.websocket("/greeting")
@login_required
async def greeting():
    await websocket.accept()
    await websocket.receive()
"""

#: The suite of the application's developers.
CONFTEST = """
import pytest

import shop


@pytest.fixture
def app():
    return shop.app


@pytest.fixture
def login_audit_user():
    return shop.users["alice"]


@pytest.fixture
def login_audit_other_user():
    return shop.users["bob"]
"""


#: Warnings are errors there, too.
INI = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""


def source(framework: str, *parts: str) -> str:
    """Return the module of an application of *framework*."""
    quart = framework == "quart"
    said = {
        "ASYNC ": "async " if quart else "",
        "AWAIT ": "await " if quart else "",
        "FRAMEWORK": framework,
        "KIND": framework.capitalize(),
        "PACKAGE": "quart_login" if quart else "flask_compat",
    }
    text = "\n".join([BASE, *([SOCKET] if quart else []), *parts])
    for word, meaning in said.items():
        text = text.replace(word, meaning)
    return text


@dataclass
class Audited:
    """What came of an audit."""

    text: str
    outcomes: dict[str, str]

    @property
    def failed(self) -> list[str]:
        return self.with_outcome("FAILED")

    @property
    def skipped(self) -> list[str]:
        return self.with_outcome("SKIPPED")

    def with_outcome(self, outcome: str) -> list[str]:
        return [name for name, found in self.outcomes.items() if found == outcome]


#: Makes an application of parts, audits it with options, and tells what came of it.
Auditing = Callable[..., Audited]
