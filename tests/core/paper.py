"""A request on paper: no framework, no loop.

`Paper` answers at once and keeps what it was told, so that a rule of the core is tested in
microseconds: ``step(load.load(paper))``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from itertools import count, product
from types import SimpleNamespace
from typing import Any, NoReturn

from werkzeug.datastructures import CallbackDict
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from quart_login._core import load, login, record
from quart_login._core.errors import StoreUnavailable
from quart_login._core.exchange import Exchange
from quart_login._core.finish import finish
from quart_login._core.identity import Identity
from quart_login._core.kit import ManualClock
from quart_login._core.manager import BaseLoginManager
from quart_login._core.record import Record
from quart_login._core.remember import Change, issue
from quart_login._core.settings import SAFE
from quart_login._core.step import step
from quart_login._core.store import LoginSession
from quart_login._core.tokens import Token, keys_of
from quart_login.stores.memory import MemoryStore

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
            view_functions={},
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
        #: The login sessions of which it was to be closed what is open.
        self.ended_ids: list[str] = []
        #: The form that came with the request.
        self.fields: Mapping[str, str] = {}
        #: The methods by which the application serves a path.
        self.pages: dict[str, list[str]] = {}
        #: Called whenever a signal is sent, with its name.
        self.hear: Callable[[str], None] = lambda name: None

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        result = fn(*args)
        return await result if isawaitable(result) else result

    async def ask(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await method(self, *args, **options)

    async def ended(self, ids: Sequence[str]) -> None:
        await super().ended(ids)
        self.ended_ids += ids

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
        later = type(self)(self.session, cookies=sent, **request)
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
            "endpoint": None,
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


# --- with a registry of login sessions -----------------------------------------------------------


class Unreachable(Exception):
    """What a store raises that fails."""


class Kept(MemoryStore):
    """Login sessions in memory, which says what it was asked, and fails where a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        #: At which call, counted from the next one, it fails, and whether that had its effect.
        self.fails_at: int | None = None
        self.takes_effect = False
        self.lasting = False
        #: Is called before each call, with its name: for what another request does meanwhile.
        self.meanwhile: Callable[[str], None] = lambda name: None

    def all(self) -> list[LoginSession]:
        return list(self._sessions.values())

    def logins(self) -> list[LoginSession]:
        """Return the logins, without the notes."""
        return [one for one in self.all() if not one.user_id.startswith("!")]

    def one(self) -> LoginSession:
        [login] = self.logins()
        return login

    def put(self, login: LoginSession) -> None:
        """Let *login* be what is kept under its id."""
        self._sessions[login.id] = login
        self._ids.setdefault(login.user_id, set()).add(login.id)

    def fail_at(
        self, number: int | None, *, takes_effect: bool = False, lasting: bool = True
    ) -> None:
        """Let the call *number*, from 0, fail, and the later ones if it is *lasting*; None for
        none.
        """
        self.asked.clear()
        self.fails_at, self.takes_effect, self.lasting = number, takes_effect, lasting

    def counts(self) -> Counter[str]:
        """Return how often each method was called since this was asked."""
        counted = Counter(self.asked)
        self.asked.clear()
        return counted


def _asked(name: str) -> Any:
    async def method(self: Kept, exchange: Any, *args: Any, **options: Any) -> Any:
        number = len(self.asked)
        self.asked.append(name)
        self.meanwhile(name)
        at = self.fails_at
        first = number == at
        if (first and not self.takes_effect) or (at is not None and number > at and self.lasting):
            raise Unreachable
        found = await getattr(MemoryStore, name)(self, exchange, *args, **options)
        if first:
            raise Unreachable
        return found

    return method


for _name in ("get", "add", "swap", "touch", "delete", "delete_user", "list", "purge", "check"):
    setattr(Kept, _name, _asked(_name))


class Browser:
    """A browser that visits an application on paper, with a registry."""

    def __init__(self, it: Paper | None = None, **options: Any) -> None:
        if it is None:
            it = Paper(**options)
            it.manager.sessions, it.manager.clock = Kept(), ManualClock(NOW)
        self.it = it
        self.session: dict[str, Any] = {}
        self.jar: dict[str, str] = {}

    @property
    def store(self) -> Kept:
        store = self.it.manager.sessions
        assert isinstance(store, Kept)
        return store

    @property
    def clock(self) -> ManualClock:
        clock = self.it.manager.clock
        assert isinstance(clock, ManualClock)
        return clock

    @property
    def config(self) -> dict[str, Any]:
        return self.it.app.config  # type: ignore[no-any-return]

    def another(self) -> Browser:
        """Return another browser, which holds nothing."""
        return Browser(self.it)

    def copy(self, *, session: bool = True, cookie: bool = True) -> Browser:
        """Return a browser with a copy of what this one holds."""
        other = self.another()
        other.session = dict(self.session) if session else {}
        other.jar = dict(self.jar) if cookie else {}
        return other

    def close(self) -> None:
        """Forget what a browser forgets that is closed."""
        self.session = {}

    def holds(self) -> tuple[dict[str, Any], dict[str, str]]:
        return dict(self.session), dict(self.jar)

    def request(self, **options: Any) -> Paper:
        """Return a request of this browser."""
        it = self.it.again(self.jar, **options)
        it.session = Session(self.session)
        return it

    def take(self, it: Paper) -> Response:
        """Let the browser have the response to the request *it*."""
        response = it.answer()
        if it.session.modified:
            self.session = dict(it.session)
        for line in set_cookies(response):
            [(name, value)] = parse_cookie(line.split(";", 1)[0]).items()
            self.jar[name] = value
            if not value:
                del self.jar[name]
        return response

    def visit(self, **options: Any) -> Paper:
        """Load the user of a request, and let the browser have the response."""
        it = self.request(**options)
        it.who()
        self.take(it)
        return it

    def who(self) -> Any:
        """Return the user of a request."""
        return self.visit().identity.user

    def do(self, fn: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        """Return what *fn* does in a request, after which the browser has the response."""
        it = self.request()
        try:
            return step(fn(it, *args, **options))  # type: ignore[arg-type]
        finally:
            self.take(it)

    def log_in(self, user: Any, remember: bool = False, **options: Any) -> bool:
        return self.do(login.log_in, user, remember, **options)  # type: ignore[no-any-return]

    def log_out(self) -> None:
        self.do(login.logout_user)


def failures(
    make: Callable[[], Browser], act: Callable[[Browser], Any]
) -> Iterator[tuple[Browser, Exception | None, str]]:
    """Let the store fail at each call that *act* makes, in each way.  Return the browser, what was
    raised, and how it failed; the store works again.
    """
    for lasting, takes_effect in product([False, True], repeat=2):
        for number in count():
            browser, error = make(), None
            browser.store.fail_at(number, takes_effect=takes_effect, lasting=lasting)
            try:
                act(browser)
            except StoreUnavailable as raised:
                error = raised
            asked = list(browser.store.asked)
            browser.store.fail_at(None)
            if len(asked) <= number:
                break  # All calls were made, and none failed.
            how = f"{asked[number]} {'after' if takes_effect else 'before'} {lasting=}"
            yield browser, error, how
