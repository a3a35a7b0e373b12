"""One application, in Flask and in Quart: a test that is written once runs on both.

A `Site` is the application.  Its views are coroutines; Flask steps them.  A `Browser` keeps cookies
and asks for pages: ``assert await browser.get("/me") == (200, "alice")``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import flask
import quart
from loops import Quart
from werkzeug.http import parse_cookie

import flask_compat
import quart_login
from quart_login._core import signals
from quart_login._core.step import step

KEY = "0123456789abcdef0123456789abcdef"

SIGNALS = {name: signal for name, signal in vars(signals).items() if hasattr(signal, "receivers")}


class User(quart_login.UserMixin):
    def __init__(self, id: Any, active: bool = True) -> None:
        self.id = id
        self.name = f"user {id}"
        self.active = active

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> Any:
        return self.id


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, *args: float, **kwargs: float) -> None:
        self.now += timedelta(*args, **kwargs).total_seconds()


@dataclass
class Answer:
    """What came back.  It equals ``(status, text)``."""

    status: int
    text: str
    headers: Any
    set_cookies: list[str] = field(default_factory=list)

    def __eq__(self, other: object) -> bool:
        return (self.status, self.text) == other

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")

    def cookie(self, name: str) -> str | None:
        """Return the one Set-Cookie header for *name*, whole, or None."""
        found = [line for line in self.set_cookies if line.startswith(f"{name}=")]
        assert len(found) <= 1, f"{name} was set more than once: {found}"
        return found[0] if found else None


class Browser:
    """Keeps cookies by name, and sends them."""

    def __init__(self, site: Site, headers: dict[str, str] | None = None) -> None:
        self.site = site
        self.jar: dict[str, str] = {}
        self.headers = {"User-Agent": "test browser", **(headers or {})}

    async def get(self, path: str, **kwargs: Any) -> Answer:
        return await self.open(path, method="GET", **kwargs)

    async def post(self, path: str, **kwargs: Any) -> Answer:
        return await self.open(path, method="POST", **kwargs)

    async def open(
        self, path: str, *, method: str, headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {**self.headers, **(headers or {})}
        if self.jar:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in list(self.jar.items()))
        answer = await self.site.send(path, method, sent)
        for line in answer.set_cookies:
            name, value = line.split(";", 1)[0].split("=", 1)
            if "Max-Age=0" in line or "Expires=Thu, 01 Jan 1970" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return answer

    def close(self) -> None:
        """Close the browser: it forgets its session, and keeps the remember cookie."""
        self.jar.pop("session", None)

    def session(self) -> dict[str, Any]:
        """Return what is in the session cookie."""
        if "session" not in self.jar:
            return {}
        serializer = self.site.app.session_interface.get_signing_serializer(self.site.app)
        return serializer.loads(parse_cookie(f"s={self.jar['session']}")["s"])

    def set_session(self, **values: Any) -> None:
        """Put a session into the browser, signed as the framework signs it."""
        serializer = self.site.app.session_interface.get_signing_serializer(self.site.app)
        self.jar["session"] = serializer.dumps(values)


class Site:
    """An application with users 1, 2, 'zoë' and the inactive 3."""

    lib: Any
    web: Any
    app_class: Any

    def __init__(self, config: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self.app = self.make_app()
        self.app.config.update(SECRET_KEY=KEY, SERVER_NAME=None)
        self.app.config.update(config or {})
        self.users = {u.id: u for u in (User(1), User(2), User("zoë"), User(3, active=False))}
        self.clock = Clock()
        self.loads: list[Any] = []
        self.manager = self.lib.LoginManager(self.app, **kwargs)
        self.manager.clock = self.clock
        self.manager.user_loader(self.load_user)
        self.add_views()

    # --- what a test may replace ---------------------------------------------------------------

    async def find(self, user_id: Any) -> Any:
        """Return the user with *user_id*; a test may replace it."""
        found = self.users.get(user_id)
        # Flask-Login's form of the remember cookie turns an int into a str.
        return self.users.get(int(user_id)) if found is None and str(user_id).isdigit() else found

    @property
    def load_user(self) -> Any:
        raise NotImplementedError

    # --- views ---------------------------------------------------------------------------------

    def route(
        self,
        path: str,
        *,
        guard: str | None = None,
        methods: list[str] | None = None,
        **options: Any,
    ) -> Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]:
        """Add the coroutine function as a view, behind the decorator named *guard*."""

        def add(view: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
            coloured = self.colour(view)
            if guard is not None:
                coloured = getattr(self.lib, guard)(coloured)
            endpoint = options.pop("endpoint", path.strip("/") or "index")
            self.app.add_url_rule(
                path,
                endpoint.replace("/", "-").replace(".", "-"),
                coloured,
                methods=methods or ["GET"],
                **options,
            )
            return view

        return add

    def args(self) -> Any:
        return self.web.request.args

    def add_views(self) -> None:
        lib, session = self.lib, self.web.session

        @self.route("/in/<user_id>")
        async def log_in(user_id: str) -> str:
            user = self.users[int(user_id) if user_id.isdigit() else user_id]
            args = self.args()
            options: dict[str, Any] = {
                name: bool(int(args[name]))
                for name in ("remember", "force", "fresh")
                if name in args
            }
            if "seconds" in args:
                options["duration"] = timedelta(seconds=float(args["seconds"]))
            if "permanent" in args:
                session.permanent = True
            return str(await self.login_user(user, **options))

        @self.route("/out")
        async def log_out() -> str:
            result = await self.logout_user()
            if "clear" in self.args():
                session.clear()
            return str(result)

        @self.route("/confirm")
        async def confirm() -> str:
            await self.confirm_login()
            return "confirmed"

        @self.route("/me")
        async def me() -> str:
            user = lib.current_user
            return user.name if user.is_authenticated else "anonymous"

        @self.route("/public")
        async def public() -> str:
            return "public"

        @self.route("/private", guard="login_required", methods=["GET"])
        async def private() -> str:
            return f"private of {lib.current_user.name}"

        @self.route("/very", guard="fresh_login_required")
        async def very() -> str:
            return f"very private of {lib.current_user.name}"

        @self.route("/is-fresh")
        async def is_fresh() -> str:
            return str(lib.login_fresh())

        @self.route("/is-remembered")
        async def is_remembered() -> str:
            return str(lib.login_remembered())

        @self.route("/put/<key>/<value>")
        async def put(key: str, value: str) -> str:
            session[key] = value
            return "put"

        @self.route("/get/<key>")
        async def get(key: str) -> str:
            return str(session.get(key))

        @self.route("/login")
        async def login() -> str:
            return "login page"

        @self.route("/refresh")
        async def refresh() -> str:
            return "refresh page"

    # --- what differs --------------------------------------------------------------------------

    def make_app(self) -> Any:
        raise NotImplementedError

    def colour(self, view: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """Return the coroutine function *view* as this framework likes it."""
        raise NotImplementedError

    async def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call *fn*, which Quart awaits and Flask does not."""
        raise NotImplementedError

    async def send(self, path: str, method: str, headers: Any) -> Answer:
        raise NotImplementedError

    # --- for tests -----------------------------------------------------------------------------

    @property
    def reads_old_sessions(self) -> bool:
        """Does the framework read sessions that a former key signed?  (Flask since 3.1, Quart since
        0.21.)
        """
        return "SECRET_KEY_FALLBACKS" in self.app_class.default_config

    async def login_user(self, user: Any, **options: Any) -> Any:
        return await self.call(self.lib.login_user, user, **options)

    async def logout_user(self) -> Any:
        return await self.call(self.lib.logout_user)

    async def confirm_login(self) -> Any:
        return await self.call(self.lib.confirm_login)

    async def render(self, source: str, **context: Any) -> str:
        return await self.call(self.web.render_template_string, source, **context)

    def browser(self, **headers: str) -> Browser:
        return Browser(self, headers)

    @contextmanager
    def hearing(self, *names: str) -> Any:
        """Collect the signals as ``(name, extra)``, in order."""
        heard: list[Any] = []
        receivers = []
        for name in names or SIGNALS:
            receiver = functools.partial(self._hear, heard, name)
            SIGNALS[name].connect(receiver, sender=self.app)
            receivers.append((SIGNALS[name], receiver))
        try:
            yield heard
        finally:
            for signal, receiver in receivers:
                signal.disconnect(receiver, sender=self.app)

    @staticmethod
    def _hear(heard: list[Any], name: str, sender: Any, **extra: Any) -> None:
        # Quart's signals bring the wrapper for plain receivers along in some releases.
        heard.append((name, extra))


class FlaskSite(Site):
    lib = flask_compat
    web = flask
    app_class = flask.Flask

    def make_app(self) -> Any:
        return self.app_class("site", static_folder=None)

    @property
    def load_user(self) -> Any:
        def load(user_id: Any) -> Any:
            self.loads.append(user_id)
            return step(self.find(user_id))

        return load

    def colour(self, view: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(view)
        def stepped(**kwargs: Any) -> Any:
            return step(view(**kwargs))

        del stepped.__wrapped__  # Flask would see a coroutine function
        return stepped

    async def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    async def send(self, path: str, method: str, headers: Any) -> Answer:
        client = self.app.test_client(use_cookies=False)
        response = client.open(path, method=method, headers=list(headers.items()))
        text = response.text
        response.close()  # a static file
        return Answer(
            response.status_code,
            text,
            response.headers,
            response.headers.getlist("Set-Cookie"),
        )


class QuartSite(Site):
    lib = quart_login
    web = quart
    app_class = Quart

    def make_app(self) -> Any:
        return self.app_class("site", static_folder=None)

    @property
    def load_user(self) -> Any:
        async def load(user_id: Any) -> Any:
            self.loads.append(user_id)
            return await self.find(user_id)

        return load

    def colour(self, view: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        return view

    async def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await fn(*args, **kwargs)

    async def send(self, path: str, method: str, headers: Any) -> Answer:
        client = self.app.test_client(use_cookies=False)
        response = await client.open(path, method=method, headers=dict(headers))
        return Answer(
            response.status_code,
            await response.get_data(as_text=True),
            response.headers,
            response.headers.getlist("Set-Cookie"),
        )


SITES = {"flask": FlaskSite, "quart": QuartSite}

__all__ = [
    "KEY",
    "SITES",
    "Answer",
    "Browser",
    "Clock",
    "FlaskSite",
    "QuartSite",
    "Site",
    "User",
]
