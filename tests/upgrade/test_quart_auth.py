"""Quart-Auth's calls become quart_login's."""

from __future__ import annotations

import asyncio
from textwrap import dedent
from types import ModuleType
from typing import Any

from .conftest import Upgrade

APP = """
from quart import Quart, redirect, url_for
from quart_auth import (
    AuthUser,
    QuartAuth,
    Unauthorized,
    current_user,
    login_required,
    login_user,
    logout_user,
)


class User(AuthUser):
    def __init__(self, auth_id):
        super().__init__(auth_id)
        self.greeting = f"Hello, {self.auth_id}!"


app = Quart(__name__)
app.secret_key = "secret"
auth = QuartAuth(app)


@app.get("/login/<name>")
async def login(name):
    login_user(User(name), remember=True)
    return redirect(url_for("index"))


@app.get("/logout")
async def logout():
    logout_user()
    return "bye"


@app.get("/")
@login_required
async def index():
    return f"{current_user.auth_id}: {current_user.greeting}"


@app.get("/who")
async def who():
    if await current_user.is_authenticated:
        return current_user.auth_id
    return "nobody"


@app.errorhandler(Unauthorized)
async def stranger(*_):
    return "log in first", 401
"""

UPGRADED = """
from quart import Quart, redirect, url_for
from quart_login import (
    UserMixin,
    LoginManager,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from werkzeug.exceptions import Unauthorized


class User(UserMixin):
    def __init__(self, auth_id):
        self.id = auth_id
        self.greeting = f"Hello, {self.id}!"


app = Quart(__name__)
app.secret_key = "secret"
auth = LoginManager(app)


@app.get("/login/<name>")
async def login(name):
    await login_user(User(name), remember=True)
    return redirect(url_for("index"))


@app.get("/logout")
async def logout():
    await logout_user()
    return "bye"


@app.get("/")
@login_required
async def index():
    return f"{current_user.get_id()}: {current_user.greeting}"


@app.get("/who")
async def who():
    if current_user.is_authenticated:
        return current_user.get_id()
    return "nobody"


@app.errorhandler(Unauthorized)
async def stranger(*_):
    return "log in first", 401
"""


#: What is told of every `QuartAuth`.
ADOPT = (
    "everybody is logged out, unless you call `adopt_quart_auth(app)` after it: see"
    " docs/coming-from-quart-auth.md"
)


def test_an_application_of_users_of_its_own(upgrade: Upgrade) -> None:
    upgraded = upgrade(APP)
    assert upgraded.text == UPGRADED.lstrip("\n")
    assert upgraded.told == [
        "app.py:13: who is anonymous is no `User` now, but `LoginManager.anonymous_user`",
        "app.py:21: `LoginManager` needs a `user_loader`, which finds the user of an id (a text)",
        f"app.py:21: {ADOPT}",
        "app.py:39: `get_id()` is a text, also where Quart-Auth's id was a number",
        "app.py:45: `get_id()` is a text, also where Quart-Auth's id was a number",
    ]


def test_it_runs_with_the_loader_that_was_asked_for(upgrade: Upgrade) -> None:
    module: Any = ModuleType("app")
    exec(upgrade(APP).text, vars(module))
    module.auth.user_loader(module.User)

    async def visit() -> None:
        client = module.app.test_client()
        response = await client.get("/")
        assert (response.status_code, await response.get_data()) == (401, b"log in first")
        await client.get("/login/ann")
        assert await (await client.get("/")).get_data() == b"ann: Hello, ann!"
        assert await (await client.get("/who")).get_data() == b"ann"
        await client.get("/logout")
        assert await (await client.get("/who")).get_data() == b"nobody"

    asyncio.run(visit())


def test_what_has_no_counterpart_is_told(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from quart import current_app as app
        from quart_auth import AuthUser, QuartAuth, login_user, renew_login

        app.config["QUART_AUTH_COOKIE_SECURE"] = False
        auth = QuartAuth(app, duration=60)

        async def login(user):
            login_user(AuthUser(user.id))
            renew_login()
        """
    )
    assert "    await login_user(AuthUser(user.id))\n    renew_login()\n" in upgraded.text
    assert "from quart_auth import AuthUser, renew_login\n" in upgraded.text
    assert upgraded.told == [
        "app.py:2: `AuthUser` of `quart_auth` is left: "
        "log in the object that your `user_loader` returns for that id",
        "app.py:2: `renew_login` of `quart_auth` is left: "
        "delete it, and set REMEMBER_COOKIE_REFRESH_EACH_REQUEST = True",
        'app.py:4: "QUART_AUTH_COOKIE_SECURE" is read by `adopt_quart_auth` alone: '
        "set LOGIN_SECURE_COOKIES to the same",
        "app.py:5: `LoginManager` has no `duration`: "
        "set REMEMBER_COOKIE_DURATION, and PERMANENT_SESSION_LIFETIME; "
        "give it to `adopt_quart_auth` as it was",
        "app.py:5: `LoginManager` needs a `user_loader`, which finds the user of an id (a text)",
        f"app.py:5: {ADOPT}",
        "app.py:8: log in the object that your `user_loader` returns for `user.id`, not `AuthUser`",
    ]


def test_a_manager_without_a_name_is_given_one_by_which_a_loader_is_attached(
    upgrade: Upgrade,
) -> None:
    upgraded = upgrade(
        """
        from quart import Quart
        from quart_auth import QuartAuth

        app = Quart(__name__)
        QuartAuth(app)
        """
    )
    assert upgraded.text.endswith("\napp = Quart(__name__)\nlogin_manager = LoginManager(app)\n")


def test_a_name_that_is_taken_is_left_alone(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from quart import Quart
        from quart_auth import QuartAuth

        app, login_manager = Quart(__name__), None
        QuartAuth(app)
        """
    )
    assert upgraded.text.endswith("\nLoginManager(app)\n")


def test_an_application_that_keeps_the_logins_is_not_told_to(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from quart import current_app as app
        from quart_auth import QuartAuth
        from quart_login.quart_auth import adopt_quart_auth

        app.config["QUART_AUTH_COOKIE_NAME"] = "auth"
        app.config["QUART_AUTH_MODE"] = "cookie"
        auth = QuartAuth(app)
        auth.user_loader(find)
        adopt_quart_auth(app)
        """
    )
    assert upgraded.told == [
        'app.py:6: "QUART_AUTH_MODE" means nothing now: tokens are accepted beside cookies:'
        " see docs/tokens.md"
    ]
    assert "adopt_quart_auth(app)" in upgraded.text


def test_a_class_without_a_constructor_is_given_one(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        '''
        from quart_auth import AuthUser

        class User(AuthUser):
            """Who writes."""

        class Guest(AuthUser):
            pass
        '''
    )
    assert upgraded.text == dedent(
        '''
        from quart_login import UserMixin

        class User(UserMixin):
            """Who writes."""

            def __init__(self, auth_id):
                self.id = auth_id

        class Guest(UserMixin):
            def __init__(self, auth_id):
                self.id = auth_id
        '''
    ).lstrip("\n")


def test_a_class_that_says_itself_who_is_authenticated_is_left(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from quart_auth import AuthUser

        class User(AuthUser):
            @property
            async def is_authenticated(self):
                return await self.is_there()
        """
    )
    assert "class User(AuthUser):" in upgraded.text
    assert "app.py:3: derive `User` from `UserMixin`, with an `id`" in upgraded.told
