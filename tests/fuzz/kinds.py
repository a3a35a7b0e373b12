"""Each kind of site, in both frameworks, with credentials that it issued; and a bare application,
which knows of no logins.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from typing import Any

from fuzz.drawn import PAGES, Credential
from loops import Quart
from quart_auth import Action, AuthUser, QuartAuth
from registry import CountingStore
from sites import KEY, SITES, Site, User

from quart_login._core.step import step
from quart_login.quart_auth import adopt_quart_auth

PASSWORD = "correct horse"

Issue = Callable[[Site], Awaitable[list[Credential]]]


# --- the sites -----------------------------------------------------------------------------------


def make(framework: str, kind: str) -> Site:
    """Return a new site of *kind*."""
    options = {"sessions": CountingStore()} if kind == "store" else {}
    config = {"LOGIN_STORE_TIMEOUT": None} if kind == "store" else {}
    site = SITES[framework](config, **options)
    add_pages(site)
    CHANGES.get(kind, lambda site: None)(site)
    return site


def add_pages(site: Site) -> None:
    @site.route("/next")
    async def next_page() -> str:
        return str(site.lib.safe_next(site.args().get("next"), "/home"))

    @site.route("/go")
    async def go() -> Any:
        return await site.call(site.lib.redirect_next, "/home")

    site.manager.login_view = "login"


def lean(site: Site) -> None:
    module = import_module(f"{site.lib.__name__}.cookie_session")
    site.app.session_interface = module.LeanCookieSessionInterface()


def with_staff(site: Site) -> None:
    """Add a realm, whose users have the same ids."""
    staff: Any = site.lib.LoginManager(site.app, name="staff")
    staff.clock = site.clock

    async def find(user_id: Any) -> Any:
        return named(f"staff {user_id}") if user_id in (1, 2) else None

    staff.user_loader(coloured(site, find))

    @site.route("/staff/me")
    async def staff_me() -> str:
        user = staff.current_user
        return str(user.name) if user.is_authenticated else "anonymous"

    @site.route("/staff/in/<int:number>")
    async def staff_in(number: int) -> str:
        return str(await site.call(staff.login_user, named(f"staff {number}"), remember=True))


def coloured(site: Site, fn: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return *fn* as the framework of *site* likes it."""
    return fn if site.web.__name__ == "quart" else lambda *args: step(fn(*args))


def named(name: str) -> User:
    user = User(int(name.split()[1]))
    user.name = name
    return user


def with_tokens(site: Site) -> None:
    @site.route("/token/<int:number>")
    async def token(number: int) -> str:
        return str(site.lib.issue_token(site.users[number]))


def with_passwords(site: Site) -> None:
    async def verify(name: str, password: str) -> Any:
        known = password == PASSWORD and name.isascii() and name.isdigit()
        return site.users.get(int(name)) if known else None

    site.manager.verify_password(coloured(site, verify))


def adopting(site: Site) -> None:
    adopt_quart_auth(site.app, user_id=int, remember=True)


CHANGES: dict[str, Callable[[Site], None]] = {
    "lean": lean,
    "realms": with_staff,
    "tokens": with_tokens,
    "passwords": with_passwords,
    "quart-auth": adopting,
}


# --- what they issue -----------------------------------------------------------------------------


async def credentials(site: Site, kind: str) -> list[Credential]:
    """Return what logs users 1 and 2 in, in each way that there is."""
    found = []
    for number in (1, 2):
        found += await cookies(site, f"/in/{number}?remember=1", f"user {number}")
        if kind in ISSUING:
            found += await ISSUING[kind](site, number)
    return found


async def cookies(site: Site, path: str, user: str) -> list[Credential]:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return [Credential(name, text, user) for name, text in browser.jar.items()]


async def of_staff(site: Site, number: int) -> list[Credential]:
    return await cookies(site, f"/staff/in/{number}", f"staff {number}")


async def tokens(site: Site, number: int) -> list[Credential]:
    answer = await site.browser().get(f"/token/{number}")
    return [Credential("Bearer", answer.text, f"user {number}")]


async def passwords(site: Site, number: int) -> list[Credential]:
    text = b64encode(f"{number}:{PASSWORD}".encode()).decode()
    return [Credential("Basic", text, f"user {number}")]


async def from_quart_auth(site: Site, number: int) -> list[Credential]:
    """Return the cookie that the real Quart-Auth set."""
    app = Quart("before", static_folder=None)
    app.secret_key = KEY
    auth: Any = QuartAuth(app)

    @app.get("/in")
    async def enter() -> str:
        auth.login_user(AuthUser(str(number), Action.WRITE))
        return "in"

    answer = await app.test_client().get("/in", scheme="https")
    text = answer.headers["Set-Cookie"].split(";", 1)[0].partition("=")[2]
    return [Credential("QUART_AUTH", text, f"user {number}")]


ISSUING: dict[str, Callable[[Site, int], Awaitable[list[Credential]]]] = {
    "realms": of_staff,
    "tokens": tokens,
    "passwords": passwords,
    "quart-auth": from_quart_auth,
}

KINDS = ["plain", "lean", "store", "realms", "tokens", "passwords"]
ALL = [(framework, kind) for framework in SITES for kind in KINDS] + [("quart", "quart-auth")]


#: Pages of `Site` whose view looks at the query.
READING = {"/next", "/out"}

# --- without logins ------------------------------------------------------------------------------


class Bare:
    """An application of the framework's alone: its pages look at the session and at cookies, and
    one at the query.
    """

    def __init__(self, framework: str) -> None:
        made = SITES[framework]
        self.web = made.web
        self.app = made.app_class("bare", static_folder=None)
        self.app.config.update(SECRET_KEY=KEY, TESTING=True)
        for path in (*{path for path, _ in PAGES} - {"/nowhere"}, "/staff/me"):
            page = self._page(framework, reads_query=path in READING)
            self.app.add_url_rule(path, path.strip("/").replace("/", "-"), page, methods=["GET"])

    def _page(self, framework: str, reads_query: bool) -> Any:
        web = self.web

        def page() -> str:
            seen = web.session.get("a"), web.request.cookies.get("a")
            return str((web.request.args.get("next") if reads_query else "", *seen))

        async def awaited() -> str:
            return page()

        return page if framework == "flask" else awaited
