"""What says an application that is not set up?"""

from __future__ import annotations

from typing import Any

import pytest
from loops import Quart
from quart import websocket
from sites import KEY, User

from quart_login import (
    ConfigurationError,
    LoginManager,
    MissingLoader,
    QuartLoginClient,
    current_user,
    load_user,
    login_fresh,
    login_required,
    login_user,
    logout_user,
    revoke_user,
)
from quart_login._websocket import watch_of
from quart_login.stores.memory import MemoryStore

MODES = ["eager", "on_demand"]


# --- an application that is not set up -----------------------------------------------------------


def bare_app(**config: Any) -> Quart:
    app = Quart("site", static_folder=None)
    app.config.update(config)

    @app.route("/public")
    async def public() -> str:
        return "public"

    @app.errorhandler(500)
    async def tell(error: Any) -> tuple[str, int]:
        return f"{type(error.original_exception).__name__}: {error.original_exception}", 500

    @app.route("/guarded")
    @login_required
    async def guarded() -> str:
        return "secret"

    @app.route("/look")
    async def look() -> str:
        return str(current_user.is_authenticated)

    @app.route("/in")
    async def log_in() -> str:
        return str(await login_user(User(1)))

    @app.route("/out")
    async def log_out() -> str:
        return str(await logout_user())

    @app.route("/fresh")
    async def fresh() -> str:
        return str(login_fresh())

    @app.route("/load")
    async def load() -> str:
        return str((await load_user()).is_authenticated)

    return app


async def get(app: Quart, path: str) -> tuple[int, str]:
    response = await app.test_client().get(path)
    return response.status_code, await response.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/guarded", "/in", "/out", "/load", "/fresh"])
async def test_without_a_manager_the_error_says_so(path: str) -> None:
    status, text = await get(bare_app(SECRET_KEY=KEY), path)
    assert status == 500
    assert "RuntimeError: This application has no LoginManager" in text
    assert "LoginManager(app)" in text


async def test_without_a_manager_everybody_is_anonymous() -> None:
    assert await get(bare_app(SECRET_KEY=KEY), "/look") == (200, "False")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", ["/guarded", "/out", "/load", "/look"])
async def test_without_a_loader_the_error_says_how_to_register_one(path: str, mode: str) -> None:
    app = bare_app(SECRET_KEY=KEY, LOGIN_LOAD_USER=mode)
    LoginManager(app)
    status, text = await get(app, path)
    assert status == 500
    if path == "/look" and mode == "on_demand":
        assert text.startswith("UserNotLoaded: ")
    else:
        assert text.startswith("MissingLoader: Missing user_loader or request_loader.")
        assert "@login_manager.user_loader" in text


@pytest.mark.parametrize("mode", MODES)
async def test_without_a_loader_a_page_that_does_not_ask_is_served(mode: str) -> None:
    app = bare_app(SECRET_KEY=KEY, LOGIN_LOAD_USER=mode)
    LoginManager(app)
    assert await get(app, "/public") == (200, "public")
    assert issubclass(MissingLoader, ConfigurationError)


def app_with_loader(**config: Any) -> Quart:
    app = bare_app(**config)
    manager: LoginManager[User] = LoginManager(app)

    @manager.user_loader
    async def load(user_id: Any) -> User:
        return User(user_id)

    return app


@pytest.mark.parametrize("key", [None, "", b""])
async def test_an_application_without_a_key_does_not_start(key: Any) -> None:
    app = app_with_loader(SECRET_KEY=key)
    with pytest.raises(ConfigurationError, match=r"SECRET_KEY.*not set"):
        await app.startup()


@pytest.mark.parametrize("key", [None, ""])
async def test_an_application_without_a_key_serves_public_pages_and_no_login(key: Any) -> None:
    # Under a server without the lifespan protocol, nothing is started.
    app = app_with_loader(SECRET_KEY=key)
    assert await get(app, "/public") == (200, "public")
    assert await get(app, "/look") == (200, "False")
    status, text = await get(app, "/in")
    assert status == 500 and text.startswith("ConfigurationError: ") and "SECRET_KEY" in text


async def test_the_key_may_be_set_after_the_manager() -> None:
    app = app_with_loader()
    app.secret_key = KEY
    async with app.test_app():
        assert await get(app, "/in") == (200, "True")


async def test_an_application_without_a_user_loader_needs_no_key() -> None:
    app = bare_app()
    manager: LoginManager[User] = LoginManager(app)

    @manager.request_loader
    async def by_request(request: Any) -> User:
        return User(1)

    async with app.test_app():
        assert await get(app, "/guarded") == (200, "secret")


@pytest.mark.parametrize("fallbacks", [KEY, KEY.encode(), [KEY, ""], [7]])
async def test_fallback_keys_that_are_none_are_refused_at_set_up_or_start(fallbacks: Any) -> None:
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS"):
        app_with_loader(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=fallbacks)
    app = app_with_loader(SECRET_KEY=KEY)
    app.config["SECRET_KEY_FALLBACKS"] = fallbacks
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS"):
        await app.startup()


async def test_a_key_that_can_be_guessed_is_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = app_with_loader(SECRET_KEY="short")
    await app.startup()
    await get(app, "/in")
    await get(app, "/in")
    warnings = [record.message for record in caplog.records if record.name == "quart_login"]
    assert len(warnings) == 1 and "shorter than 16 bytes" in warnings[0]


async def test_a_store_may_come_after_the_manager_and_sockets_and_streams_work() -> None:
    app = Quart("late")
    app.secret_key = KEY
    manager = LoginManager(app)
    manager.sessions = MemoryStore()

    @manager.user_loader
    async def load(user_id: str) -> Any:
        return User(user_id)

    @app.websocket("/socket")
    @login_required
    async def socket() -> None:
        await websocket.send("for users")
        await websocket.receive()

    @app.get("/stream")
    @login_required
    async def stream() -> Any:
        async def body() -> Any:
            yield "for users"

        return body()

    client = QuartLoginClient(app)
    await client.login_as(User("1"))
    assert watch_of(app, manager) is None  # nothing was started up
    async with client.websocket("/socket") as connection:
        assert await connection.receive() == "for users"
    assert await (await client.get("/stream")).get_data(as_text=True) == "for users"
    async with app.test_app():
        watch = watch_of(app, manager)
        async with client.websocket("/socket") as connection:
            assert await connection.receive() == "for users" and len(watch) == 1
            async with app.app_context():
                assert await revoke_user("1") == 1
            assert len(watch) == 0
