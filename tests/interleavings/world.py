"""Some requests of one browser that are under way at once, and go on when they are told to.

A request is sent with what the browser holds then, waits for the store, loaders and receivers, and
is answered; the answer arrives at some time, or is lost.  Each of these is an `Act`, and `orders`
says which comes next.  What is under way is on paper (`on_paper`), or in Quart (`in_quart`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any, Final, NamedTuple

from core.paper import NOW, User
from interleavings.orders import Act, act

from quart_login._core import listing, load, login, proofs
from quart_login._core.kit import ManualClock
from quart_login.stores.memory import MemoryStore

#: What each method of a store touches.
STORE: Final = {
    "get": act("get", reads="store"),
    "list": act("list", reads="store"),
    **{
        name: act(name, reads="store", writes="store")
        for name in ("add", "swap", "touch", "delete", "delete_user")
    },
}
CALL, NOTIFY, RETURN = act("call"), act("notify"), act("return")
SEND, ARRIVE, CUT = act("send", reads="jar"), act("arrive", writes="jar"), act("cut")

#: The key under which a view notes for whom it wrote the session.
NOTE: Final = "note"

#: Seconds for which Alice has been logged in.
BEGUN: Final = 120


# --- what a request may do -----------------------------------------------------------------------

View = Callable[[Any, Mapping[str, User]], Coroutine[Any, Any, Any]]


async def page(it: Any, users: Mapping[str, User]) -> None:
    pass


async def write(it: Any, users: Mapping[str, User]) -> None:
    user = it.identity.user
    it.session[NOTE] = None if user is None else user.id


async def log_in(it: Any, users: Mapping[str, User]) -> bool:
    return await login.login_user(it, users["alice"])


async def log_in_remembered(it: Any, users: Mapping[str, User]) -> bool:
    return await login.login_user(it, users["alice"], remember=True)


async def log_in_bob(it: Any, users: Mapping[str, User]) -> bool:
    return await login.login_user(it, users["bob"], remember=True)


async def log_out(it: Any, users: Mapping[str, User]) -> bool:
    return await login.logout_user(it)


async def confirm(it: Any, users: Mapping[str, User]) -> bool:
    if it.identity.user is not None:
        await login.confirm_login(it)
    return it.identity.user is not None


async def revoke(it: Any, users: Mapping[str, User]) -> bool:
    """End the login that this request came by, as by its button in a list."""
    current = it.identity.login_session
    return current is not None and await listing.revoke_session(it, current.id)


async def revoke_others(it: Any, users: Mapping[str, User]) -> bool:
    if it.identity.user is not None:
        await listing.revoke_other_sessions(it)
    return it.identity.user is not None


async def revoke_user(it: Any, users: Mapping[str, User]) -> bool:
    await listing.revoke_user(it, users["alice"])
    return True


VIEWS: Final[Mapping[str, View]] = {
    view.__name__: view
    for view in (
        page,
        write,
        log_in,
        log_in_remembered,
        log_in_bob,
        log_out,
        confirm,
        revoke,
        revoke_others,
        revoke_user,
    )
}

#: What the browser holds at first: a session, both, or the remember cookie alone.
STARTS: Final = ("session", "both", "cookie")


# --- who waits -----------------------------------------------------------------------------------


class WaitingStore(MemoryStore):
    """A store in memory that lets others go on before it does something."""

    def __init__(self) -> None:
        super().__init__()
        #: Awaited before each method; and after it, with `RETURN`.
        self.wait: Callable[[Act], Coroutine[Any, Any, None]] | None = None
        #: The ids of all logins that were ended.
        self.ended: set[str] = set()

    def logins(self) -> dict[str, str]:
        """Return whose each login is, without the notes."""
        kept = self._sessions.values()
        return {one.id: one.user_id for one in kept if not one.user_id.startswith("!")}


def _waiting(name: str) -> Any:
    async def method(self: WaitingStore, exchange: Any, *args: Any, **options: Any) -> Any:
        if self.wait is not None:
            await self.wait(STORE[name])
        before = set(self._sessions)
        found = await getattr(MemoryStore, name)(self, exchange, *args, **options)
        self.ended |= before - set(self._sessions)
        if self.wait is not None:
            await self.wait(RETURN)
        return found

    return method


for _name in STORE:
    setattr(WaitingStore, _name, _waiting(_name))


class Held(NamedTuple):
    """What a browser holds: what is in its session, and its cookies.

    (In Quart, one of these is the session's.)
    """

    session: dict[str, Any]
    jar: dict[str, str]

    def without_session(self) -> Held:
        return Held({}, {name: text for name, text in self.jar.items() if name != "session"})

    def without_cookie(self) -> Held:
        return Held(self.session, {k: v for k, v in self.jar.items() if k == "session"})

    def has_both(self) -> bool:
        return bool(self.session) and any(name != "session" for name in self.jar)


class Cut(NamedTuple):
    """How the first request is cut off, and at which of its waits, from 1."""

    how: str
    wait: int


class Sent(ABC):
    """One request: what it does, how far it is, and what came of it."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.what = world, name, name.split()[0]
        self.pending: Act | None = SEND
        self.cut: Cut | None = None
        self._waits = 0
        #: Was it cut off?  (It may have been too short for that.)
        self.is_cut = False
        #: What had ended before it was sent.
        self.ended_before: set[str] = set()
        #: The cookies that it was sent with.
        self.brought: Mapping[str, str] = {}
        #: What the view returned, once it did.
        self.did: Any = None
        #: Who made it, in the end.
        self.user: User | None = None
        self.is_answered = False
        #: What the browser gets: the session, if that was written, and the cookies.
        self.session: dict[str, Any] | None = None
        self.cookies: list[str] = []

    async def advance(self) -> None:
        if self.pending is SEND:
            self.ended_before = set(self.world.store.ended)
            held = self.world.send()
            self.brought = held.jar
            await self.begin(held)
        elif self.pending is ARRIVE:
            self.world.take(self)
            self.pending = None
        elif self.pending is CUT:
            await self._end()
        else:
            await self.go_on()

    async def serve(self, it: Any) -> None:
        """Be the view, for the exchange *it*."""
        await load.known(it)
        self.world.look(self, it)
        self.did = await VIEWS[self.what](it, self.world.users)
        self.user = it.identity.user

    def waits_for(self, what: Act) -> None:
        self._waits += 1
        is_cut = self.cut is not None and self._waits == self.cut.wait
        self.pending = CUT if is_cut else what

    async def _end(self) -> None:
        """Cut it off, where it waits."""
        assert self.cut is not None
        self.is_cut = True
        if self.cut.how == "cancelled":  # It may still clean up, and waits for that.
            await self.cancel()
        else:  # Nothing more of it happens, as if the machine had gone.
            self.pending = None

    def writes(self) -> bool:
        """Does the answer change what the browser holds?"""
        return self.session is not None or bool(self.cookies)

    @abstractmethod
    async def begin(self, held: Held) -> None:
        """Be sent by a browser that holds *held*, and come to the first wait."""

    @abstractmethod
    async def go_on(self) -> None:
        """Come to the next wait."""

    @abstractmethod
    async def cancel(self) -> None:
        """Be cancelled, and come to the next wait."""


class World(ABC):
    """A browser, its requests under way, and a store that lets them wait."""

    def __init__(
        self, start: str, whats: Sequence[str], cut: Cut | None, begun: tuple[Any, Held]
    ) -> None:
        self.start, self.whats, self.cut = start, set(whats), cut
        self.users = {"alice": User("alice"), "bob": User("bob")}
        self.clock, self.store, self.heard = ManualClock(NOW + BEGUN), WaitingStore(), list[str]()
        login, held = begun
        self.store._sessions[login.id] = login
        self.store._ids[login.user_id] = {login.id}
        self.first = login.id
        #: Every credential that was ever given out.
        self.issued = self.parts(held)
        self.held = held.without_session() if start == "cookie" else held
        #: What the browser held when it sent the last request, and what arrived since, unseen.
        self._when_sent, self._unseen = self.held, list[Sent]()
        names = [f"{what} {number}" for number, what in enumerate(whats, 1)]
        self.sent = {name: self.request(name) for name in names}
        self.sent[names[0]].cut = cut
        self.store.wait = self.wait

    def pending(self) -> dict[str, Act]:
        return {name: one.pending for name, one in self.sent.items() if one.pending is not None}

    async def advance(self, name: str) -> None:
        await self.sent[name].advance()

    @abstractmethod
    def request(self, name: str) -> Sent:
        """Return a request by this name, which begins with what it does."""

    @abstractmethod
    async def wait(self, what: Act) -> None:
        """Let a request wait until it may do *what*."""

    @abstractmethod
    async def close(self) -> None:
        """Forget the world: what is under way in it ends, and waits for nobody."""

    @abstractmethod
    async def visit(self, held: Held, heard: list[str] | None = None) -> tuple[str, str] | None:
        """Let a browser that holds *held* visit a page; return the user and the login's id."""

    @abstractmethod
    async def again(self, what: str) -> tuple[Any, Held]:
        """Let the browser do *what* in peace; return what it did, and what the browser has then."""

    @abstractmethod
    def put(self, held: Held, sent: Sent) -> Held:
        """Return what a browser holds that held *held*, and got the answer to *sent*."""

    # --- what happens ----------------------------------------------------------------------------

    def send(self) -> Held:
        """Return what the browser sends with a new request."""
        self._when_sent, self._unseen = self.held, []
        return self.held

    def look(self, sent: Sent, it: Any) -> None:
        """Check what a view sees, as soon as its user is known."""
        user, login = it.identity.user, it.identity.login_session
        assert user in (None, *self.users.values())
        if login is not None:
            assert login.id not in sent.ended_before, "P5: a request is logged in by what had ended"
        check_data(it)

    def answer(self, sent: Sent) -> None:
        """Note what the answer to *sent* gives the browser."""
        sent.is_answered, sent.pending = True, ARRIVE
        if sent.writes():
            self.issued += self.parts(self.put(Held({}, {}), sent))

    def take(self, sent: Sent) -> None:
        """Let the browser have the answer."""
        self._unseen.append(sent)
        self.held = self.put(self.held, sent)

    # --- afterwards ------------------------------------------------------------------------------

    @staticmethod
    def parts(held: Held) -> list[Held]:
        """Return each credential in *held* by itself, and all together."""
        if not held.has_both():
            return [held] if held.session or held.jar else []
        return [held, held.without_cookie(), held.without_session()]

    def outcomes(self) -> Iterator[Held]:
        """Return what the browser may hold in the end, as it is or as any answers were lost.

        (Had one been lost that arrived before a request was sent, then that would have been sent as
        it is before the arrival: which is another order.)
        """
        writing = [sent for sent in self._unseen if sent.writes()]
        for count in range(len(writing) + 1):
            for arrived in combinations(writing, count):
                held = self._when_sent
                for sent in arrived:
                    held = self.put(held, sent)
                yield held

    @contextmanager
    def supposing(self, seconds: float = 0) -> Iterator[None]:
        """Let things happen, so many seconds later, that have not happened afterwards."""
        store = self.store
        kept = dict(store._sessions), {name: set(ids) for name, ids in store._ids.items()}
        ended, waits, store.wait = set(store.ended), store.wait, None
        self.clock.now += seconds
        try:
            yield
        finally:
            self.clock.now -= seconds
            store._sessions, store._ids = kept
            store.ended, store.wait = ended, waits

    def ends_the_first(self) -> bool:
        """Did a request return that ends the login which the browser had?"""
        return any(one.did and one.what in ENDING for one in self.sent.values())

    def given_out(self) -> set[str]:
        """Return the ids of the logins that a browser ever got."""
        found = [proof_in(held) for held in self.issued]
        return {self.first, *(proof.id for proof in found if proof is not None)}


def check_data(it: Any) -> None:
    """Nobody sees what another has put into the session, nor what a user has who is gone."""
    user, whose = it.identity.user, it.session.get(NOTE)
    assert whose is None or (user is not None and whose == user.id), "P7: another's data"


def proof_in(held: Held) -> proofs.Proof | None:
    """Return what the session in *held* proves."""
    return proofs.read(held.session.get("_login_session"))


#: They end the login that the browser had.
ENDING: Final = {"log_out", "revoke", "revoke_user", "log_in", "log_in_remembered", "log_in_bob"}
#: They open another.
OPENING: Final = {"log_in", "log_in_remembered", "log_in_bob"}
