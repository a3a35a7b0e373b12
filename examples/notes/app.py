"""How is the application put together?"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from quart import (
    Quart,
    current_app,
    has_request_context,
    has_websocket_context,
    redirect,
    render_template,
    request,
    url_for,
)
from redis.asyncio import Redis
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from quart_login import LoginManager, current_user, login_exempt, purge_sessions
from quart_login.stores import Store
from quart_login.stores.redis import RedisStore
from quart_login.stores.sqlalchemy import SQLAlchemyStore

from . import accounts, devices, live, notes
from .database import Database, User
from .home import database_in, home, key_in
from .news import News, RedisNews
from .passwords import Passwords
from .proxies import behind
from .services import EXTENSION, Services
from .shield import raise_shield
from .throttle import Throttle

#: Seconds between two times that what is over is removed.
_PURGED_EVERY: Final = 3600


def create_app(settings: Mapping[str, Any] | None = None) -> Quart:
    """Return the application.

    *settings* go before those of the environment, such as ``NOTES_DATABASE``, a URL, and
    ``NOTES_LOGIN_IDLE_TIMEOUT``; the key is there as ``SECRET_KEY``.  What nobody says is in the
    directory ``NOTES_DATA``; see `home`.
    """
    app = Quart(__name__)
    app.config.update(
        SECRET_KEY=os.environ.get("SECRET_KEY"),
        DATA=None,
        DATABASE=None,
        REDIS=None,
        PROXIES=0,
        MAX_CONTENT_LENGTH=64 * 1024,
        SESSION_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_DURATION=timedelta(days=30),
        # With HTTPS: the cookies are the host's alone, and by HTTPS alone. The command sets it.
        LOGIN_SECURE_COOKIES=False,
        LOGIN_MAX_SESSIONS=20,
    )
    app.config.from_prefixed_env("NOTES")
    app.config.update(settings or {})
    at_home = _at_home(app.config)
    base = Database(app.config["DATABASE"])
    if at_home:
        app.before_serving(base.make_tables)  # The command line may come before the server.
    app.after_serving(base.close)
    store, news = _sessions(app, base, app.config["REDIS"])
    app.extensions[EXTENSION] = Services(base, news, Passwords(), Throttle(base))

    _log_in_and_out(app, base, store)
    raise_shield(app)
    for part in (accounts, notes, live, devices):
        app.register_blueprint(part.blueprint)
    app.add_url_rule("/", view_func=welcome)
    app.register_error_handler(HTTPException, show_error)
    for trouble in (OperationalError, InterfaceError, ConnectionError):
        app.register_error_handler(trouble, show_trouble)
    app.context_processor(_for_templates)
    app.template_filter("ago")(ago)
    app.template_filter("moment")(moment)
    app.before_serving(_log_with_times)
    app.while_serving(lambda: _beside(app))
    if app.config["PROXIES"]:
        app.asgi_app = behind(app.config["PROXIES"], app.asgi_app)  # type: ignore[method-assign]
    return app


def _at_home(config: MutableMapping[str, Any]) -> bool:
    """Set what nobody has set.  Is the database one of these?"""
    if config["SECRET_KEY"] is None:
        config["SECRET_KEY"] = key_in(home(config["DATA"]))
    if config["DATABASE"] is not None:
        return False
    config["DATABASE"] = database_in(home(config["DATA"]))
    return True


def _sessions(app: Quart, database: Database, redis: str | None) -> tuple[Store, News]:
    """Return where login sessions are kept, and who tells the open pages what is new."""
    if not redis:
        return SQLAlchemyStore(database.engine, database.login_sessions), News()
    client = Redis.from_url(redis, decode_responses=True)
    app.after_serving(client.aclose)
    return RedisStore.from_url(redis, is_async=True), RedisNews(client)


def _log_in_and_out(app: Quart, database: Database, store: Store) -> None:
    login_manager = LoginManager[User](app, sessions=store)
    login_manager.login_view = "accounts.login"
    login_manager.refresh_view = "accounts.confirm"
    # These pages say themselves what is asked. A message would be kept in the session; and a form
    # of another site, which brings no cookies, would put that session in the place of the user's.
    login_manager.login_message = login_manager.needs_refresh_message = None
    login_manager.user_loader(database.user)
    # Every page is for users, but those that say they are not.
    login_manager.require_login(app, exempt_static=True)


@login_exempt
async def welcome() -> Any:
    if current_user.is_authenticated:
        return redirect(url_for("notes.index"))
    return await render_template("welcome.html")


# --- errors --------------------------------------------------------------------------------------

_SAID: Final = {
    403: ("Refused", "This was not sent by one of our own pages, so nothing was changed."),
    404: ("Not here", "There is no such page, or it is not yours."),
    405: ("Not so", "This page is not for that."),
    413: ("Too much", "That is more than a note can be."),
    503: ("One moment", "What we need does not answer just now. Please try again soon."),
}


async def show_error(error: HTTPException) -> Any:
    if has_websocket_context() or error.code is None or error.code < 400:
        return error
    title, text = _SAID.get(error.code, ("Sorry", "Something went wrong. It was not you."))
    page = await render_template("error.html", title=title, text=text, code=error.code)
    response = error.get_response()
    response.set_data(page)
    return response


async def show_trouble(error: Exception) -> Any:
    """Say that the database, or what else is asked, does not answer: it is nobody's mistake."""
    if has_websocket_context():
        raise error
    current_app.logger.error("%s: %s", type(error).__name__, error)
    return await show_error(ServiceUnavailable())


# --- what is done beside requests ----------------------------------------------------------------


async def _log_with_times() -> None:
    """Let what is logged say when, as the server's own lines do."""
    logger = logging.getLogger("quart_login")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        line = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
        handler.setFormatter(logging.Formatter(line, "[%Y-%m-%d %H:%M:%S %z]"))
        logger.addHandler(handler)


async def _beside(app: Quart) -> AsyncGenerator[None, None]:
    at_hand: Services = app.extensions[EXTENSION]
    ending = asyncio.Event()
    listening = asyncio.create_task(at_hand.news.listen())
    purging = asyncio.create_task(_purge(app, at_hand, ending))
    yield
    ending.set()  # Cancelled, it might leave a connection behind.
    while not listening.done():  # redis-py may lose a cancellation while it connects.
        listening.cancel()
        await asyncio.wait([listening], timeout=0.1)
    await asyncio.gather(listening, purging, return_exceptions=True)


async def _purge(app: Quart, at_hand: Services, ending: asyncio.Event) -> None:
    while not ending.is_set():
        # Whatever the store is up to, it is tried again; nobody is logged in by what is left.
        with suppress(Exception):
            async with app.app_context():
                await purge_sessions()
            await at_hand.throttle.purge()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PURGED_EVERY):
                await ending.wait()


# --- for templates -------------------------------------------------------------------------------


async def _for_templates() -> dict[str, Any]:
    return {"here": request.endpoint if has_request_context() else None, "describe": describe}


describe = devices.describe


def ago(seconds: float) -> str:
    """Return how long ago the moment *seconds* (since 1970) was."""
    minutes = int(time.time() - seconds) // 60
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if count := minutes // size:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def moment(seconds: float) -> str:
    """Return the moment *seconds* (since 1970) as HTML's ``<time>`` has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
