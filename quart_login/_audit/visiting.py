"""Who visits an application, as whom, and what do they carry?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from .._core import set_cookies, visits
from .._core.answers import Answer, NoAnswer, Sent
from .._core.errors import ConfigurationError
from .._core.realms import manager_named, managers_of
from .._core.users import checked_id, unwrap
from .._core.visits import Visit

#: What is to be done about what waits, for an event, say.
_SLOW: Final = (
    " What waits for something tells nothing: say values for which it need not"
    " (login_audit_values), or leave it out (login_audit_skip)."
)


class Unsuited(Exception):
    """What is asked cannot be asked here; the message says why, and what to do."""


class TooSlow(Unsuited):
    """No answer came in time."""


@dataclass(frozen=True)
class Settings:
    """What a suite says of its audit."""

    #: Methods that may change something, and may be called.
    methods: frozenset[str] = frozenset()
    #: Cookies that scripts read on purpose.
    for_scripts: frozenset[str] = frozenset()


@dataclass
class Audit:
    """An application, and those who visit it."""

    app: Any
    user: Any = None
    other: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = Settings()
    #: The cookies that were set and deleted so far, also in other visits, by their names.
    seen: dict[str, list[set_cookies.SetCookie]] = field(default_factory=dict)
    #: What was so far too slow, by place, method and person, and what is said of that; and answers
    #: that have no end.  Neither is waited for again.
    slow: dict[tuple[str, ...], str] = field(default_factory=dict)
    endless: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.user, self.other = unwrap(self.user), unwrap(self.other)
        self.manager = manager_of(self.app)
        self.visitor: Any = import_module(self.manager.visitor).Visitor(self.app, self.manager)

    @property
    def people(self) -> list[Any]:
        """A stranger, the user and the other one, as far as there are any."""
        return [None, *(user for user in (self.user, self.other) if user is not None)]

    @property
    def login_cookies(self) -> dict[str, str]:
        return set_cookies.families_of(self.app, managers_of(self.app).values())

    def names(self) -> list[str]:
        """Return the texts that name those who visit."""
        users = [user for user in self.people if user is not None]
        ids = [checked_id(user, self.manager.id_attribute) for user in users]
        texts = (set_cookies.names_of(user, id) for user, id in zip(users, ids, strict=True))
        return [text for one in texts for text in one]

    def who(self, person: Any) -> str:
        if person is None:
            return "a stranger"
        return "a user" if person is self.user else "another user"

    # --- visits ----------------------------------------------------------------------------------

    def sent(self, visit: Visit, **headers: str) -> Sent:
        """Return what *visit* sends.  Raises `Unsuited` if a parameter lacks a value."""
        try:
            host, path = visits.address(self.app, visit, self.values)
        except visits.NoValue as error:
            raise Unsuited(f"{error}. Say one in the fixture login_audit_values.") from None
        method = "GET" if visit.is_websocket else visit.method
        return Sent(method, path, host, tuple(headers.items()))

    async def send(self, visit: Visit, person: Any) -> Answer:
        """Return what *person*, whose browser is new, gets.  Raises `TooSlow`."""
        asked = self._asked(visit, person)
        if asked in self.slow:
            raise TooSlow(self.slow[asked])
        async with self.browser(person) as cookies:
            sent = self.sent(visit, **cookies)
            try:
                answer: Answer = await self.visitor.send(sent, whole=asked not in self.endless)
            except NoAnswer as error:
                self.slow[asked] = f"No answer to {self.who(person)} {error}.{_SLOW}"
                raise TooSlow(self.slow[asked]) from None
        if answer.body is None:
            self.endless.add(asked)
        return answer

    def must_be_quick(self, visit: Visit) -> None:
        """Raise `TooSlow` if *visit* was so for one of the people."""
        for person in self.people:
            if (asked := self._asked(visit, person)) in self.slow:
                raise TooSlow(self.slow[asked])

    def _asked(self, visit: Visit, person: Any) -> tuple[str, ...]:
        method = "GET" if visit.method == "HEAD" else visit.method  # mostly the same view
        return visit.place, visit.endpoint or "", method, self.who(person)

    @asynccontextmanager
    async def browser(self, person: Any) -> AsyncIterator[dict[str, str]]:
        """Let *person* be logged in within the block; its value is the header that shows it."""
        if person is None:
            yield {}
            return
        before = await self.sessions(person)
        cookies = await self.visitor.log_in(person)
        if not cookies:
            raise Unsuited(
                "The session cookie of a login does not come back to this host: set SERVER_NAME to"
                " a host of SESSION_COOKIE_DOMAIN, in tests."
            )
        try:
            yield {"Cookie": cookies}
        finally:
            # So that the user's logins do not reach LOGIN_MAX_SESSIONS.
            await self.end(person, await self.sessions(person) - before)

    async def sessions(self, person: Any) -> set[str]:
        """Return the ids of the login sessions of *person*, where a store keeps them."""
        if self.manager.sessions is None:
            return set()
        found = await self.visitor.call(self.manager.list_sessions, person)
        return {login.id for login in found}

    async def end(self, person: Any, ids: set[str]) -> None:
        """End the login sessions *ids* of *person*."""
        for id in ids:
            await self.visitor.call(self.manager.revoke_session, id, person)


def manager_of(app: Any) -> Any:
    """Return the manager whose users visit *app*: the default one, or the only one.

    Raises `Unsuited` if there is none.
    """
    try:
        return manager_named(app, None)
    except ConfigurationError:
        if managers := managers_of(app):
            return next(iter(managers.values()))
        raise Unsuited(
            "This application has no LoginManager: create one, LoginManager(app)."
        ) from None
