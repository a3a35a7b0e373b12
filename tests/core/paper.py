"""A request on paper: no framework, no loop.

`Paper` answers at once and keeps what it was told, so that a rule of the core is tested in
microseconds: ``step(load.load(paper))``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, NoReturn

from werkzeug.datastructures import CallbackDict
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from quart_login._core import load, record
from quart_login._core.exchange import Exchange
from quart_login._core.finish import finish
from quart_login._core.identity import Identity
from quart_login._core.manager import BaseLoginManager
from quart_login._core.record import Record
from quart_login._core.remember import Change, issue
from quart_login._core.settings import SAFE
from quart_login._core.step import step
from quart_login._core.tokens import Token, keys_of

KEY = "0123456789abcdef0123456789abcdef"
OLD_KEY = "fedcba9876543210fedcba9876543210"
NOW = 1_800_000_000.0

DAY = 24 * 60 * 60

COOKIE = "remember_token"

AUTOMATIC = "the automatic answer"


@dataclass(eq=False)
class User:
    id: Any
    active: Any = True
    session_epoch: Any = field(default_factory=lambda: None)
    is_anonymous: Any = False

    def __post_init__(self) -> None:
        if self.session_epoch is None:  # a class that offers none
            del self.session_epoch

    @property
    def is_active(self) -> Any:
        return self.active

    @property
    def is_authenticated(self) -> Any:
        return self.active

    def get_id(self) -> Any:
        return self.id


class Session(CallbackDict[str, Any]):
    """A dict that knows whether it was looked at and written, as the frameworks' sessions do."""

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        def on_update(session: Any) -> None:
            session.modified = True

        super().__init__(initial or {}, on_update)
        self.accessed = False
        self.modified = False


class Manager(BaseLoginManager[Any]):
    defaults = SAFE

    def unauthorized(self) -> Any:
        return "for strangers"

    def needs_refresh(self) -> Any:
        return "for stale logins"


class Aborted(Exception):
    """What `Web.abort` raises."""


class Redirect(Response):
    """A redirect.  It equals ``(status, location)``."""

    def __eq__(self, other: object) -> bool:
        return (self.status_code, self.headers.get("Location")) == other


class Web:
    """What the core uses of the modules `flask` and `quart`."""

    def __init__(self, app: Any, request: Any) -> None:
        self.current_app = app
        self.request = request
        self.flashed: list[tuple[str, str]] = []

    def abort(self, status: int) -> NoReturn:
        raise Aborted(status)

    def redirect(self, location: str, code: int = 302) -> Redirect:
        return Redirect("", code, {"Location": location})

    def has_request_context(self) -> bool:
        return self.request is not None

    def flash(self, message: str, category: str) -> None:
        self.flashed.append((message, category))

    def url_for(self, endpoint: str) -> str:
        return f"/url/for/{endpoint}"


class Paper(Exchange):
    """One request, as one manager sees it, that waits for nothing."""

    # Not of the class, as for a shell: each paper has its own.
    web: Any = None  # type: ignore[misc]

    def __init__(
        self,
        session: Mapping[str, Any] | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        cookies: Mapping[str, str] | None = None,
        users: Callable[[Any], Any] | Mapping[Any, Any] | None = None,
        websocket: bool = False,
        **request: Any,
    ) -> None:
        manager = Manager()
        manager.clock = lambda: NOW
        if users is not None:
            manager.user_loader(users if callable(users) else users.get)
        app = SimpleNamespace(
            config={"SECRET_KEY": KEY, "SESSION_COOKIE_NAME": "session", **(config or {})},
            session_interface=SimpleNamespace(),
            login_manager=manager,
            extensions={"quart_login": {None: manager}},
            blueprints={},
            create_url_adapter=lambda request: self,
            debug=False,
            testing=False,
        )
        super().__init__(
            app, manager, make_request(cookies, **request), Session(session), Identity()
        )
        self.is_websocket = websocket
        self.web = Web(app, self.request)
        self.told: list[tuple[str, dict[str, Any]]] = []
        #: The form that came with the request.
        self.fields: Mapping[str, str] = {}
        #: The methods by which the application serves a path.
        self.pages: dict[str, list[str]] = {}
        #: Called whenever a signal is sent, with its name.
        self.hear: Callable[[str], None] = lambda name: None

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        result = fn(*args)
        return await result if isawaitable(result) else result

    async def notify(self, signal: Any, **extra: Any) -> None:
        self.told.append((signal.name, extra))
        self.hear(signal.name)

    async def options(self) -> Any:
        return AUTOMATIC

    async def form(self) -> Mapping[str, str]:
        return self.fields

    def authorization(self) -> str | None:
        return self.request.headers.get("Authorization")

    def client(self) -> tuple[str | None, str | None]:
        return self.request.remote_addr, self.request.headers.get("User-Agent")

    async def load_user(self) -> None:
        await load.load(self)

    def allowed_methods(self, path: str) -> list[str]:
        return self.pages.get(path, [])

    # --- for tests ---------------------------------------------------------------------------

    def again(self, cookies: Mapping[str, str] | None = None, **request: Any) -> Paper:
        """Return the same browser's next request, to the same application."""
        sent = self.request.cookies if cookies is None else cookies
        later = Paper(self.session, cookies=sent, **request)
        later.app, later.config, later.manager = self.app, self.config, self.manager
        later.web = Web(self.app, later.request)
        return later

    def who(self) -> Any:
        """Load the user, as a view that asks does, and return it."""
        step(load.known(self))
        return self.identity.user

    def names(self) -> list[str]:
        """Return the names of the signals that were sent."""
        return [name for name, _ in self.told]

    def reasons(self) -> list[str]:
        """Return why credentials were refused."""
        return [str(extra["reason"]) for name, extra in self.told if name == "credential-rejected"]

    def answer(self) -> Response:
        """Return the response, which carries what the request decided."""
        response = Response()
        step(finish(self, response))
        return response

    def token(self, user_id: Any, **fields: Any) -> dict[str, str]:
        """Return the cookies with a remember token that this application issued a minute ago."""
        change = issue(
            Token(user_id, **{"issued": int(NOW) - 60, **fields}),
            keys_of(self.app.config),
            self.setting,
            NOW,
        )
        assert change.value is not None
        return {self.setting("REMEMBER_COOKIE_NAME"): change.value}


def make_request(cookies: Mapping[str, str] | None = None, **fields: Any) -> SimpleNamespace:
    """Return a request of a browser at 127.0.0.1 for /page, but for *fields*."""
    return SimpleNamespace(
        **{
            "cookies": dict(cookies or {}),
            "headers": {"User-Agent": "paper"},
            "remote_addr": "127.0.0.1",
            "method": "GET",
            "scheme": "http",
            "host": "localhost",
            "root_path": "",
            "path": "/page",
            "query_string": b"",
            "args": {},
            "url_rule": None,
            "blueprints": [],
            **fields,
        }
    )


def about(user_id: Any, **fields: Any) -> str:
    """Return the record of a login of *user_id* with the `Record`'s *fields*."""
    return record.write(Record(**fields), user_id)


def value_of(change: Change | None) -> str:
    """Return the value that *change* sets the remember cookie to."""
    assert change is not None and change.value is not None
    return change.value


def set_cookies(response: Response) -> list[str]:
    """Return the response's Set-Cookie headers."""
    return response.headers.getlist("Set-Cookie")


def cookie_in(response: Response, name: str = COOKIE) -> str:
    """Return the value that *response* sets the cookie *name* to."""
    [line] = [line for line in set_cookies(response) if line.startswith(f"{name}=")]
    return parse_cookie(line.split(";", 1)[0])[name]
