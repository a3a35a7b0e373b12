"""A site with a registry of login sessions, in both frameworks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

from sites import SITES, Browser, Site

from quart_login.stores import LoginSession
from quart_login.stores.memory import MemoryStore


class CountingStore(MemoryStore):
    """Counts what is asked of it, and fails where a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        #: What is raised by the method of this name, before or after it took effect.
        self.before: dict[str, Exception] = {}
        self.after: dict[str, Exception] = {}
        #: What happens meanwhile: awaited before and after each method, with ``"before"`` or
        #: ``"after"`` and its name.  It may raise, or send another request.
        self.meanwhile: Callable[[str, str], Awaitable[None]] | None = None
        #: Does it answer nobody?  `resume` ends that.
        self.hangs = False
        self._resumed = Event()

    def resume(self) -> None:
        self.hangs = False
        self._resumed.set()

    async def hang(self, exchange: Any) -> None:
        """Answer nobody: a thread waits for that."""
        await exchange.call(self._resumed.wait, 30)

    def all(self) -> list[LoginSession]:
        return list(self._sessions.values())

    def reads(self) -> int:
        return self.asked["get"] + self.asked["list"]

    def writes(self) -> int:
        return sum(self.asked.values()) - self.reads()


def _counted(name: str) -> Any:
    async def method(self: Any, exchange: Any, *args: Any, **options: Any) -> Any:
        self.asked[name] += 1
        if name in self.before:
            raise self.before[name]
        if self.hangs:
            await self.hang(exchange)
        if self.meanwhile is not None:
            await self.meanwhile("before", name)
        found = await getattr(MemoryStore, name)(self, exchange, *args, **options)
        if self.meanwhile is not None:
            await self.meanwhile("after", name)
        if name in self.after:
            raise self.after[name]
        return found

    return method


for _name in ("get", "add", "swap", "touch", "delete", "delete_user", "list", "purge"):
    setattr(CountingStore, _name, _counted(_name))


def make_site(kind: str, config: dict[str, Any] | None = None, **options: Any) -> Any:
    """Return a site of *kind* with a registry, and views that list and end logins."""
    return registered(SITES[kind], config, **options)


def registered(site_class: Any, config: dict[str, Any] | None = None, **options: Any) -> Any:
    """Return a site of *site_class* with a registry, and views that list and end logins."""
    options.setdefault("sessions", CountingStore())
    site = site_class(config, **options)
    add_views(site)
    return site


def add_views(site: Site) -> None:
    lib: Any = site.lib

    @site.route("/sessions", guard="login_required")
    async def sessions() -> str:
        found = await site.call(lib.list_sessions)
        return " ".join(f"{one.id}{'*' if one.current else ''}" for one in found)

    @site.route("/revoke/<id>", guard="login_required")
    async def revoke(id: str) -> str:
        return str(await site.call(lib.revoke_session, id))

    @site.route("/revoke-others", guard="login_required")
    async def revoke_others() -> str:
        return str(await site.call(lib.revoke_other_sessions))

    @site.route("/revoke-user/<int:id>")
    async def revoke_user(id: int) -> str:
        return str(await site.call(lib.revoke_user, id))

    @site.route("/why")
    async def why() -> str:
        lib.current_user.is_authenticated  # noqa: B018 (Flask loads when somebody looks)
        return str(lib.login_decision().reason)


async def logged_in(site: Site, path: str = "/in/1") -> Browser:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return browser


def copy(browser: Browser, *names: str) -> Browser:
    """Return another browser with the cookies of *browser*, or those of these *names*."""
    other = browser.site.browser()
    other.jar = {k: v for k, v in browser.jar.items() if not names or k in names}
    return other
