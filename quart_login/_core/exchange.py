"""What is one request in progress, and how does the core wait in it?

`Exchange.call` and `Exchange.notify` are the only places where the two shells differ: Quart awaits
what it calls, Flask calls it.  An exchange is made when it is needed and kept nowhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from blinker import Signal

from .identity import Identity
from .negotiation import ASKED
from .realms import keys_of_others
from .settings import SessionKeys
from .store import SessionId

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

    def call_loader(self, fn: Callable[..., T | Awaitable[T]], *args: Any) -> Awaitable[T]:
        """Call the loader *fn*, within ``LOGIN_LOADER_TIMEOUT`` where a call can be ended."""
        return self.call(fn, *args)

    @abstractmethod
    async def ask(self, method: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        """Call *method*, a store's, within ``LOGIN_STORE_TIMEOUT``; raises `TimeoutError`."""

    def for_store(self) -> Any:
        """Return what a store waits with: its `call` is all that there need be of an exchange."""
        return self

    @abstractmethod
    async def notify(self, signal: Signal, **extra: Any) -> None:
        """Send *signal*, with the app as its sender."""

    async def ended(self, ids: Sequence[SessionId]) -> None:
        """Let what this process holds open of the login sessions *ids* end, too."""
        return  # Most have nothing open.

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

    def look(self) -> tuple[str | None, str | None, bool]:
        """Return at one look what `client` does, and whether there is an ``Authorization``."""
        return *self.client(), self.authorization() is not None

    def preferences(self) -> Mapping[str, str]:
        """Return those of the headers in `negotiation.ASKED` that were sent."""
        sent = self.request.headers
        return {name: sent[name] for name in ASKED if name in sent}

    def redirect(self, url: str) -> Any:
        """Return the framework's redirect to *url*."""
        return self.web.redirect(url)

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
