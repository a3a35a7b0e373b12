"""What is one request in progress, and how does the core wait in it?

`Exchange.call` and `Exchange.notify` are the only places where the two shells differ: Quart awaits
what it calls, Flask calls it.  An exchange is made when it is needed and kept nowhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from blinker import Signal

from .identity import Identity
from .realms import keys_of_others
from .settings import SessionKeys

if TYPE_CHECKING:
    from .manager import BaseLoginManager

T = TypeVar("T")


class Exchange(ABC):
    """One request, or websocket handshake, in progress, as one manager sees it."""

    __slots__ = ("app", "config", "identity", "manager", "request", "session")

    #: The module `flask` or `quart`: for ``url_for``, ``redirect``, ``abort`` and ``flash``.
    web: ClassVar[Any]
    #: Is this a websocket?  Its session cannot be written: no response of ours carries it.
    is_websocket: bool = False

    def __init__(
        self,
        app: Any,
        manager: BaseLoginManager[Any],
        request: Any,
        session: MutableMapping[str, Any],
        identity: Identity,
    ) -> None:
        self.app = app
        self.config = app.config if manager.realm is None else manager.config_of(app)
        self.manager = manager
        self.request = request
        self.session = session
        self.identity = identity

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @abstractmethod
    async def call(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        """Call *fn*, whatever its colour."""

    async def call_loader(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> T:
        """Call the loader *fn*, within ``LOGIN_LOADER_TIMEOUT`` where a call can be ended."""
        return await self.call(fn, *args)

    @abstractmethod
    async def notify(self, signal: Signal, **extra: Any) -> None:
        """Send *signal*, with the app as its sender."""

    @abstractmethod
    async def options(self) -> Any:
        """Return the framework's automatic answer to an OPTIONS request."""

    @abstractmethod
    async def form(self) -> Mapping[str, str]:
        """Return the fields of the form that came with the request."""

    @abstractmethod
    def authorization(self) -> str | None:
        """Return the request's ``Authorization`` header; several, joined by commas."""

    @abstractmethod
    def client(self) -> tuple[str | None, str | None]:
        """Return the address of the connection, and what the browser calls itself."""

    @abstractmethod
    def load_user(self) -> Awaitable[None]:
        """Let the user be loaded, once."""

    def bind(self, user: Any, *, forced: bool = False) -> None:
        """Let *user* be who makes this request; None is the anonymous user."""
        identity = self.identity
        identity.user, identity.forced, identity.loaded = user, forced, True

    def kept_keys(self) -> set[str]:
        """Return the session keys that a login or logout leaves alone."""
        kept = self.setting("LOGIN_KEEP_SESSION_KEYS")
        return {*kept, *(key for keys in self.others() for key in keys.values())}

    def others(self) -> list[SessionKeys]:
        """Return the session keys of the application's other realms."""
        return keys_of_others(self.app, self.manager)

    def setting(self, key: str) -> Any:
        """Return the application's setting *key*, or the shell's default."""
        return self.config.get(key, self.manager.defaults[key])
