"""Where are login sessions kept by an application that has Redis, or Valkey?

Rule 1.  All sessions of a user are in one key, a hash from ids to records.  Its name comes from the
         first six characters of each of these ids, which come from the user's id (`make_id`): so
         one command finds a session by its id, one script does anything atomically, in a cluster
         on one node, and what Redis evicts is logged out, wholly.
Rule 2.  What is kept is what is logged in.  There is no list of ended sessions that could be lost.
Rule 3.  Nothing is sent twice, but a look-up whose connection was closed, once; and a script that
         the server had not seen, so did not run.
Rule 4.  The key expires with the last of its sessions, an hour after it, and by the server's own
         clock from the moment of the login: clocks may differ.
Rule 5.  One class serves the blocking and the asyncio client: their ``execute_command`` is a plain
         function and a coroutine function, and `Exchange.call` knows what to do with either.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

try:
    from redis.exceptions import ConnectionError, NoScriptError, ResponseError
except ImportError as error:
    raise ImportError("RedisStore needs redis-py: pip install redis") from error

from .._core.errors import ConfigurationError
from .._core.held import due
from . import Listener, LoginSession, SessionId, new_id
from ._redis_clients import check_client, is_asynchronous, is_cluster, make_client
from ._redis_listener import listener_on
from ._redis_scripts import (
    ADD,
    DELETE,
    DELETE_USER,
    FULL,
    PROBE,
    PURGE,
    SWAP,
    TAKEN,
    TOUCH,
    UNREADABLE,
    Script,
)
from ._rows import (
    UnreadableRecord,
    check_succession,
    last_seen_first,
    parts,
    read,
    row_of,
)

if TYPE_CHECKING:
    from .._core.exchange import Exchange

#: For so many seconds a record stays after its session was over.
_GRACE: Final = 3600.0
#: What is to last for longer (a century, in milliseconds) lasts so long.
_LONGEST: Final = 100 * 365 * 86_400_000

#: How many characters of an id come from the user's: 36 bits.
_TAG: Final = 6

_is_id: Final = re.compile(r"[A-Za-z0-9_-]{22}").fullmatch
_is_prefix: Final = re.compile(r"[A-Za-z0-9_.:-]+").fullmatch

_COMPACT: Final = (",", ":")


class RedisStore:
    """Keeps login sessions in Redis 6.2 or later, or in Valkey.

    *client* is a `redis.Redis` or `redis.RedisCluster`, or one of these from `redis.asyncio`, which
    needs asyncio and does not serve Flask.  It must not repeat commands, wait for more than a
    second, read from replicas or cache: `from_url` makes one.  *prefix* begins the name of every
    key; what shares it shares its sessions.

    The ids of sessions that are ended are published on *channel*, with spaces between them, as part
    of what ends them: processes with open sockets hear it there.  (In a cluster, too, to all nodes:
    PUBLISH, not SPUBLISH, whose channels belong to slots.)  It is named after the prefix, as in
    ``login:ended``, unless you name another; give each prefix its own.  Where clients may not
    publish, give False: those processes ask each second, then.

    Six characters of an id tell, to whom has a user's id to compare, whether the session is that
    user's.  With *tag_key*, at least 16 secret bytes, they tell nothing to who does not have it.
    Every process needs the same; another one ends all sessions.

    A session is ended when the server says so, not its replicas.  A failover may lose what it said
    last, and a snapshot (RDB) may bring back what was ended after it: let the server keep nothing
    on disk, or an append-only file, synced always.

    Raises `ConfigurationError` if *client*, *prefix* or *tag_key* will not do.
    """

    def __init__(
        self,
        client: Any,
        prefix: str = "login",
        *,
        channel: str | bool | None = True,
        tag_key: bytes | None = None,
    ) -> None:
        check_client(client)
        if not _is_prefix(prefix):
            raise ConfigurationError(
                "The prefix of RedisStore is one or more letters, digits or characters of '_.:-',"
                f" and not {prefix!r}."
            )
        if tag_key is not None and len(tag_key) < 16:
            raise ConfigurationError("The tag_key of RedisStore is 16 random bytes, or more.")
        #: Does it need an event loop?
        self.is_async: bool = is_asynchronous(client)
        #: Where the ids of ended sessions are published, if anywhere.
        self.channel = f"{prefix}:ended" if channel is True else channel or None
        self._client = client
        self._command: Callable[..., Any] = client.execute_command
        self._at_once: Callable[..., Any] = self._wait if self.is_async else self._block
        self._prefix = prefix
        self._tag_key = tag_key

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        is_async: bool,
        cluster: bool = False,
        timeout: float = 0.25,
        prefix: str = "login",
        channel: str | bool | None = True,
        tag_key: bytes | None = None,
        **options: Any,
    ) -> RedisStore:
        """Return a store with a client of its own for the server, or *cluster*, at *url*.

        The client tries a command once, and gives up after *timeout* seconds to connect, and as
        many for an answer.  *options* are redis-py's.  (A blocking client of a cluster connects at
        once, and raises what redis-py raises if it cannot.)
        """
        client = make_client(url, is_async, cluster, timeout, options)
        return cls(client, prefix, channel=channel, tag_key=tag_key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._prefix!r} of {type(self._client).__name__}>"

    def make_id(self, user_id: str) -> SessionId:
        """Return a new id for a session of *user_id*, 22 characters as of any other store."""
        return self._tag(user_id) + new_id(user_id)[_TAG:]

    async def get(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        if not _is_id(id):
            return None
        record = await self._look(exchange, "HGET", self._key(id), id)
        return None if record is None else self._read(id, record)

    async def add(
        self,
        exchange: Exchange,
        session: LoginSession,
        *,
        limit: int | None = None,
        evict: bool = True,
    ) -> Sequence[LoginSession] | None:
        """As `Store.add`; the id must be of `make_id`, or it is a ValueError."""
        self._check_id(session)
        if limit is not None and limit < 1:
            raise ValueError("limit must be 1 or more: the new session counts, too")
        record = _write(session)
        answer, *gone = await self._run(
            exchange,
            ADD,
            session.id,
            session.id,
            f"{record.version} {record.seen}{record.rest}",
            record.user,
            _lifetime(session, session.created),
            repr(float(session.created)),
            limit or 0,
            int(evict),
            _GRACE,
            self.channel or "",
        )
        if answer == TAKEN:
            raise ValueError("there is a login session of this id")
        return None if answer == FULL else self._readable(gone)

    async def swap(self, exchange: Exchange, old: LoginSession, new: LoginSession) -> bool:
        check_succession(old, new)
        self._check_id(new)
        record = _write(new)
        answer = await self._run(
            exchange,
            SWAP,
            new.id,
            new.id,
            old.version,
            record.version,
            record.seen,
            record.rest,
            record.user,
            _lifetime(new, new.seen),
        )
        return bool(_known(answer))

    async def touch(self, exchange: Exchange, id: SessionId, seen: float) -> None:
        if _is_id(id):
            _known(await self._run(exchange, TOUCH, id, id, repr(float(seen))))

    async def delete(self, exchange: Exchange, id: SessionId) -> LoginSession | None:
        """As `Store.delete`.  What cannot be read is ended, and None."""
        if not _is_id(id):
            return None
        record = await self._run(exchange, DELETE, id, id, self.channel or "")
        return None if record is None else next(iter(self._readable((id, record))), None)

    async def delete_user(
        self, exchange: Exchange, user_id: str, *, but: SessionId | None = None
    ) -> Sequence[LoginSession]:
        """As `Store.delete_user`.  What cannot be read is ended, and not returned."""
        user, channel = json.dumps(user_id), self.channel or ""
        gone = await self._run(exchange, DELETE_USER, self._tag(user_id), user, but or "", channel)
        return self._readable(gone)

    async def list(self, exchange: Exchange, user_id: str) -> Sequence[LoginSession]:
        records = await self._look(exchange, "HGETALL", self._key(self._tag(user_id)))
        found = [self._read(id, record) for id, record in records.items()]
        # Another user may have the same tag.
        return last_seen_first(one for one in found if one.user_id == user_id)

    async def alive(
        self, exchange: Exchange, ids: Collection[SessionId]
    ) -> Mapping[SessionId, float]:
        found: dict[SessionId, float] = {}
        for some in parts(id for id in ids if _is_id(id)):
            commands = [("HGET", self._key(id), id) for id in some]
            records = await self._twice(exchange, self._at_once, commands)
            kept = ((id, record) for id, record in zip(some, records, strict=True) if record)
            found.update((one.id, due(one)) for one in self._those_readable(kept))
        return found

    def listener(self) -> Listener | None:
        """Return what hears of sessions that end, if there is a channel (and, in a cluster, if this
        version of redis-py can subscribe there).
        """
        return None if self.channel is None else listener_on(self._client, self.channel)

    async def purge(self, exchange: Exchange, now: float) -> int:
        """As `Store.purge`; it goes through the names of all keys on the server, or on each
        primary one of a cluster, and visits those of the store one by one.

        Nothing needs it: Redis forgets a user's sessions when the last one of them has expired.
        It removes earlier what was idle for too long, and what expired before the last one.
        """
        removed = 0
        for scan in await self._scans(exchange):
            cursor: Any = 0
            while True:
                cursor, keys = await exchange.call(scan, *self._scan_from(cursor))
                for key in keys:
                    removed += await self._run_on(exchange, PURGE, _text(key), repr(float(now)))
                if int(cursor) == 0:
                    break
        return removed

    async def check(self, exchange: Exchange) -> None:
        """Raise `ConfigurationError` if the server does not let the store do what it does.

        What the driver raises where no server answers is raised on.
        """
        try:
            await self._run(exchange, PROBE, self.make_id(""), self.channel or "")
        except ResponseError as error:
            raise ConfigurationError(
                "The Redis server refuses what RedisStore needs (scripts, hashes, expiry, and"
                f" publishing if it is given a channel) from this client: {error}"
            ) from error

    # --- commands and scripts --------------------------------------------------------------------

    async def _look(self, exchange: Exchange, *command: str) -> Any:
        """Return what *command*, which changes nothing, finds."""
        return await self._twice(exchange, self._command, *command)

    async def _twice(self, exchange: Exchange, look: Callable[..., Any], *args: Any) -> Any:
        """Call *look*, which changes nothing; once more, if its connection was closed."""
        try:
            return await exchange.call(look, *args)
        except ConnectionError as error:
            if type(error) is not ConnectionError:  # the server answered, or the pool is empty
                raise
        # It was closed while nobody used it, say: the server was restarted.
        return await exchange.call(look, *args)

    def _pipe(self, commands: Sequence[tuple[str, ...]]) -> Any:
        pipe = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return pipe

    def _block(self, commands: Sequence[tuple[str, ...]]) -> Any:
        """Send all *commands* at once, and return what they found."""
        return self._pipe(commands).execute()

    async def _wait(self, commands: Sequence[tuple[str, ...]]) -> Any:
        return await self._pipe(commands).execute()

    async def _run(self, exchange: Exchange, script: Script, tag: str, *args: Any) -> Any:
        """Run *script* on the sessions of the user whose id, or session's id, *tag* begins."""
        return await self._run_on(exchange, script, self._key(tag), *args)

    async def _run_on(self, exchange: Exchange, script: Script, key: str, *args: Any) -> Any:
        try:
            return await exchange.call(self._command, "EVALSHA", script.sha, 1, key, *args)
        except NoScriptError:
            # It did not run (Rule 3): the server is new, or was told to forget its scripts.
            return await exchange.call(self._command, "EVAL", script.source, 1, key, *args)

    async def _scans(self, exchange: Exchange) -> Sequence[Callable[..., Any]]:
        """Return for each primary server what sends it a command."""
        client = self._client
        if not is_cluster(client):
            return [self._command]
        if self.is_async:
            await exchange.call(client.initialize)
            return [node.execute_command for node in client.get_primaries()]
        nodes = map(client.get_redis_connection, client.get_primaries())
        return [node.execute_command for node in nodes]

    def _scan_from(self, cursor: Any) -> tuple[Any, ...]:
        match = f"{self._prefix}:{{{'?' * _TAG}}}"
        return "SCAN", cursor, "MATCH", match, "COUNT", 1000, "TYPE", "hash"

    # --- names -----------------------------------------------------------------------------------

    def _key(self, id: SessionId) -> str:
        return f"{self._prefix}:{{{id[:_TAG]}}}"

    def _tag(self, user_id: str) -> str:
        """Return what the ids of all sessions of *user_id* begin with."""
        text = user_id.encode("utf-8", "surrogatepass")
        key = self._tag_key
        digest = sha256(text).digest() if key is None else hmac.digest(key, text, "sha256")
        return urlsafe_b64encode(digest[:_TAG])[:_TAG].decode()

    def _check_id(self, session: LoginSession) -> None:
        if not _is_id(session.id) or session.id[:_TAG] != self._tag(session.user_id):
            raise ValueError("the id of a login session in Redis is one of RedisStore.make_id()")

    # --- records ---------------------------------------------------------------------------------

    def _read(self, id: bytes | str, record: bytes | str) -> LoginSession:
        """Return the session that *record* is.  Raises `UnreadableRecord`."""
        try:
            session = read(_row(_text(id), record))
        except (ValueError, TypeError, RecursionError):
            raise _unreadable() from None
        if session.id[:_TAG] != self._tag(session.user_id):
            raise _unreadable()
        return session

    def _readable(self, pairs: Sequence[Any]) -> Sequence[LoginSession]:
        """Return those sessions that can be read of ids and records, the last seen first."""
        return last_seen_first(self._those_readable(zip(pairs[::2], pairs[1::2], strict=True)))

    def _those_readable(self, pairs: Iterable[tuple[Any, Any]]) -> Iterator[LoginSession]:
        for id, record in pairs:
            try:
                yield self._read(id, record)
            except UnreadableRecord:
                continue


class _Record(NamedTuple):
    """The parts of a record, as the scripts take them."""

    version: int
    seen: str
    rest: str
    user: str


def _write(session: LoginSession) -> _Record:
    """Return the record of *session*.  Raises ValueError if it could not be read again."""
    row = row_of(session)
    times = (session.created, session.expires, session.idle)
    head = " ".join("-" if time is None else repr(float(time)) for time in times)
    user = json.dumps(session.user_id)
    rest = json.dumps(
        (row[5], _number(row[7]), *row[8:12], *row[13:15], _number(row[15]), row[16]),
        separators=_COMPACT,
    )
    record = _Record(session.version, repr(float(session.seen)), f" {head}\n{user}\n{rest}", user)
    read(_row(session.id, f"{record.version} {record.seen}{record.rest}"))
    return record


def _row(id: SessionId, record: bytes | str) -> tuple[Any, ...]:
    """Return the row (`_rows`) that *record* is.  Raises ValueError."""
    head, user, rest = _text(record).split("\n")
    version, seen, created, expires, idle = head.split(" ")
    user_id, kept = json.loads(f"[{user},{rest}]")
    digest, fresh_since, method, agent, address, epoch, remember, former, rotated, confirmed = kept
    return (
        id,
        user_id,
        float(created),
        float(seen),
        float(expires),
        digest,
        int(version),
        fresh_since,
        method,
        agent,
        address,
        epoch,
        None if idle == "-" else float(idle),
        remember,
        former,
        rotated,
        confirmed,
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _text(value: bytes | str) -> str:
    # Clients may be told to decode.
    return value if isinstance(value, str) else value.decode("ascii")


def _lifetime(session: LoginSession, since: float) -> int:
    """Return for how many milliseconds from *since* Redis keeps *session*."""
    left = max(session.expires - since, 0) + _GRACE
    return int(min(left * 1000, _LONGEST))


def _known(answer: int) -> int:
    if answer == UNREADABLE:
        raise _unreadable()
    return answer


def _unreadable() -> UnreadableRecord:
    return UnreadableRecord("the store holds a login session that cannot be read")


__all__ = ["RedisStore"]
