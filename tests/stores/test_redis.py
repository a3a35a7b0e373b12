"""What a store in Redis does that others do not: one key for a user, made ids, expiry, channels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import redis
from stores.redis_kinds import ALL, ALONE, Kind, RedisKept, close, on
from stores.redis_server import wait_until

from quart_login._core.errors import ConfigurationError
from quart_login.stores import Store, new_id
from quart_login.stores._contract_kit import DAY, HOUR, IDS, NOW, USER_IDS, after
from quart_login.stores._rows import UnreadableRecord
from quart_login.stores.redis import RedisStore

SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")


def lifetime(kept: RedisKept, id: str) -> float:
    """Return for how many seconds the server keeps the sessions of the user of *id*."""
    return float(kept.server.run("PTTL", kept.key(id))) / 1000


def about(seconds: float) -> Any:
    """Return what equals *seconds*, or a little less: the test takes its time, too."""
    return pytest.approx(seconds - 30, abs=30)


class Counting:
    """An exchange that knows how often it waited."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.calls: list[str] = []

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        self.calls.append(args[0])
        return await self.exchange.call(fn, *args)


# --- one key, one round trip ---------------------------------------------------------------------


@on(*ALL)
async def test_120_all_sessions_of_a_user_are_in_one_key(kept: RedisKept) -> None:
    """So there is no index that a record could be missing from."""
    sessions = [kept.new(number) for number in range(3)]
    for one in sessions:
        await kept.add(one)
    assert kept.server.run("HLEN", kept.key(sessions[0].id)) == 3
    assert {kept.key(one.id) for one in sessions} == {kept.key(sessions[0].id)}
    nodes = getattr(kept.server, "nodes", [kept.server])
    assert sum(node.run("DBSIZE") for node in nodes) == 1


@on(*ALL)
async def test_when_the_last_session_ends_nothing_is_left(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    await kept.delete(one.id)
    assert kept.server.run("EXISTS", kept.key(one.id)) == 0


@on(*ALL, channel="ended")
async def test_everything_is_one_round_trip(kept: RedisKept) -> None:
    first, second, third = (kept.new(number) for number in range(3))
    uses: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("add", (first,), {}),
        ("add", (second,), {"limit": 1}),
        ("get", (second.id,), {}),
        ("touch", (second.id, NOW + 9), {}),
        ("swap", (second, after(second)), {}),
        ("list", ("7",), {}),
        ("delete", (second.id,), {}),
        ("add", (third,), {}),
        ("delete_user", ("7",), {}),
    ]
    for again in (False, True):
        for name, args, options in uses:
            counting = Counting(kept.way.exchange)
            await getattr(kept.store, name)(counting, *args, **options)
            assert not again or len(counting.calls) == 1, name


@on(*ALL)
async def test_a_get_runs_no_script(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    before = kept.server.calls("evalsha"), kept.server.calls("hget")
    for _ in range(10):
        assert await kept.get(one.id) == one
    assert (kept.server.calls("evalsha"), kept.server.calls("hget") - 10) == before


@on(*ALL)
async def test_no_command_looks_at_all_keys(kept: RedisKept) -> None:
    await kept.add(kept.new())
    await kept.purge(NOW)
    assert kept.server.calls("keys") == 0


# --- ids -----------------------------------------------------------------------------------------


def store(**options: Any) -> RedisStore:
    """Return a store that nobody asks for a session."""
    return RedisStore.from_url("redis://127.0.0.1:1", is_async=False, **options)


def test_an_id_looks_like_any_other_stores() -> None:
    for user_id in USER_IDS:
        assert SHAPE.fullmatch(store().make_id(user_id))
        assert SHAPE.fullmatch(new_id(user_id))


def test_no_two_ids_are_the_same() -> None:
    one = store()
    assert len({one.make_id("7") for _ in range(1000)}) == 1000
    assert len({new_id("7") for _ in range(1000)}) == 1000


def test_the_ids_of_a_user_begin_alike_and_no_one_elses() -> None:
    tags = [{store().make_id(user_id)[:6] for _ in range(3)} for user_id in USER_IDS]
    assert all(len(tag) == 1 for tag in tags)
    assert len(set.union(*tags)) == len(USER_IDS)


def test_a_tag_key_makes_ids_that_tell_nothing_without_it() -> None:
    tags = [
        store(**options).make_id("7")[:6]
        for options in ({}, {"tag_key": b"a" * 16}, {"tag_key": b"b" * 16}, {"tag_key": b"a" * 16})
    ]
    assert tags[1] == tags[3]
    assert len(set(tags)) == 3


@on(*ALL)
async def test_an_id_of_another_make_is_refused_and_kept_nowhere(kept: RedisKept) -> None:
    for id in (new_id("7"), kept.make_id("8"), kept.make_id("7")[:21], "", *IDS):
        one = kept.new(id=id)
        with pytest.raises(ValueError, match=r"RedisStore\.make_id"):
            await kept.add(one)
        with pytest.raises(ValueError, match=r"RedisStore\.make_id"):
            await kept.swap(one, after(one))
        assert await kept.get(id) is None
    assert await kept.list("7") == []


@on(*ALL)
async def test_junk_is_no_session_and_asks_nobody(kept: RedisKept) -> None:
    counting = Counting(kept.way.exchange)
    junk = ("", "x", "a" * 21, "a" * 23, "a" * 21 + "\n", "{}" * 11, "é" * 22, "*" * 22, "\0" * 22)
    for id in junk:
        assert await kept.store.get(counting, id) is None
        assert await kept.store.delete(counting, id) is None
        await kept.store.touch(counting, id, NOW)
    assert counting.calls == []


class _OneTag(RedisStore):
    """A store for which all users have the same tag."""

    def _tag(self, user_id: str) -> str:
        return "AAAAAA"


@on(*ALL)
async def test_two_users_of_one_tag_are_two(kept: RedisKept) -> None:
    both = replace(kept, store=_OneTag(kept.store._client))  # type: ignore[attr-defined]
    mine, theirs = both.new(1, "7"), both.new(2, "8")
    assert await both.add(mine, limit=1) == []
    assert await both.add(theirs, limit=1) == []
    assert kept.server.run("HLEN", both.key(mine.id)) == 2
    assert await both.list("7") == [mine]
    assert await both.add(both.new(3, "7"), limit=1) == [mine]
    assert len(await both.delete_user("7")) == 1
    assert await both.list("8") == [theirs]
    assert await both.swap(theirs, replace(after(theirs), user_id="8"))


# --- expiry --------------------------------------------------------------------------------------


@on(*ALL)
async def test_redis_forgets_a_session_an_hour_after_it_expired(kept: RedisKept) -> None:
    one = kept.new(expires=NOW + DAY)
    await kept.add(one)
    assert lifetime(kept, one.id) == about(DAY + HOUR)


@on(*ALONE)
async def test_whatever_the_time_is_here_and_there(kept: RedisKept) -> None:
    for number, now in enumerate((0.0, NOW - 9999 * DAY, NOW + 9999 * DAY)):
        one = kept.new(user_id=f"user {number}", created=now, seen=now, expires=now + DAY)
        await kept.add(one)
        assert lifetime(kept, one.id) == about(DAY + HOUR)
        assert await kept.get(one.id) == one


@on(*ALL)
async def test_the_last_session_of_a_user_to_expire_keeps_all(kept: RedisKept) -> None:
    for days in (2, 9, 1):
        one = kept.new(days, created=NOW, expires=NOW + days * DAY)
        await kept.add(one)
    assert lifetime(kept, one.id) == about(9 * DAY + HOUR)


@on(*ALL)
async def test_a_session_that_a_swap_prolongs_is_kept_so_long(kept: RedisKept) -> None:
    one = kept.new(created=NOW, seen=NOW, expires=NOW + DAY)
    await kept.add(one)
    longer = after(one, expires=NOW + 5 * DAY, seen=NOW + HOUR)
    assert await kept.swap(one, longer)
    assert lifetime(kept, one.id) == about(5 * DAY)
    assert await kept.swap(longer, after(longer, expires=NOW + 2 * HOUR))
    assert lifetime(kept, one.id) == about(5 * DAY)


@on(*ALONE)
async def test_neither_a_touch_nor_an_end_shortens_what_is_left(kept: RedisKept) -> None:
    one, other = (kept.new(number, created=NOW, expires=NOW + DAY) for number in (1, 2))
    await kept.add(one)
    await kept.add(other)
    await kept.touch(one.id, NOW + 20 * HOUR)
    await kept.delete(other.id)
    assert lifetime(kept, one.id) == about(DAY + HOUR)


@on(*ALONE)
async def test_an_end_in_a_thousand_years_is_kept(kept: RedisKept) -> None:
    one = kept.new(expires=NOW + 365_000 * DAY)
    await kept.add(one)
    assert lifetime(kept, one.id) == about(100 * 365 * DAY)
    assert await kept.get(one.id) == one


@on(*ALONE)
async def test_what_redis_let_expire_is_no_session(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    kept.server.run("PEXPIRE", kept.key(one.id), 1)
    wait_until(lambda: not kept.server.run("EXISTS", kept.key(one.id)))
    assert await kept.get(one.id) is None
    assert await kept.list("7") == []
    assert await kept.swap(one, after(one)) is False


@on(*ALL)
async def test_many_logins_leave_no_more_over_than_alive(kept: RedisKept) -> None:
    for day in range(200):
        now = NOW + day * DAY
        await kept.add(kept.new(day, created=now, seen=now, expires=now + 5 * DAY))
        assert len(await kept.list("7")) <= 16
    alive = [one for one in await kept.list("7") if one.expires > now]
    assert len(alive) == 5


@on(*ALONE)
async def test_what_was_over_within_the_hour_is_left(kept: RedisKept) -> None:
    for number in range(40):
        await kept.add(kept.new(number, created=NOW, seen=NOW - HOUR, idle=1.0))
    assert len(await kept.list("7")) == 40


@on(*ALL)
async def test_a_purge_minds_its_own_keys(kept: RedisKept) -> None:
    theirs = ("login:plain", "login:{sixsix}:x", "log:{abcdef}", "xlogin:{abcdef}")
    for key in theirs:
        kept.server.run("HSET", key, "field", "0 1.0 1.0 1.0 -\n\n")
    kept.server.run("SET", "login:{String}", "0 1.0 1.0 1.0 -\n\n")
    for number in range(30):
        await kept.add(kept.new(number, f"user {number}", expires=NOW + number))
    assert await kept.purge(NOW + 20) == 20
    for key in (*theirs, "login:{String}"):
        assert kept.server.run("EXISTS", key) == 1
    for number in range(30):
        assert len(await kept.list(f"user {number}")) == (number >= 20)


@on("sync")
async def test_prefixes_are_apart(kept: RedisKept) -> None:
    staff = replace(kept, store=RedisStore(kept.store._client, "staff"))  # type: ignore[attr-defined]
    one = kept.new()
    await kept.add(one)
    assert await staff.get(one.id) is None
    assert await staff.purge(one.expires + 1) == 0
    assert await kept.get(one.id) == one


# --- the channel ---------------------------------------------------------------------------------


class Listener:
    """Hears what is published on a channel, at some node."""

    def __init__(self, server: Any, channel: str) -> None:
        node = getattr(server, "nodes", [server])[-1]
        self._client = node.client()
        self._pubsub = self._client.pubsub()
        self._pubsub.subscribe(channel)
        assert self._pubsub.get_message(timeout=5)["type"] == "subscribe"

    def hear(self) -> list[str]:
        message = self._pubsub.get_message(timeout=5)
        assert message is not None
        return sorted(message["data"].decode().split(" "))

    def hears_nothing(self, server: Any) -> bool:
        for _ in range(50):  # Between nodes of a cluster, a message may be lost.
            server.run("PUBLISH", "ended", "the last")
            message = self._pubsub.get_message(timeout=0.2)
            if message is not None:
                return bool(message["data"] == b"the last")
        return False

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._pubsub.close()
        self._client.close()


@on(*ALL, channel="ended")
async def test_the_ids_of_ended_sessions_are_published(kept: RedisKept) -> None:
    sessions = [kept.new(number) for number in range(5)]
    ids = [one.id for one in sessions]
    with Listener(kept.server, "ended") as listener:
        for one in sessions[:3]:
            await kept.add(one)
        await kept.delete(ids[0])
        assert listener.hear() == [ids[0]]
        await kept.add(sessions[3], limit=2)
        assert listener.hear() == [ids[1]]
        await kept.delete_user("7")
        assert listener.hear() == sorted([ids[2], ids[3]])


@on(*ALL, channel="ended")
async def test_nothing_else_is_published(kept: RedisKept) -> None:
    one, other = kept.new(1), kept.new(2)
    with Listener(kept.server, "ended") as listener:
        await kept.add(one, limit=9)
        await kept.touch(one.id, NOW + 60)
        await kept.swap(one, after(one))
        await kept.delete(other.id)
        await kept.delete_user("8")
        await kept.delete_user("7", but=one.id)
        await kept.add(other, limit=1, evict=False)
        assert listener.hears_nothing(kept.server)


@on("sync")
async def test_the_channel_is_named_after_the_prefix(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    with Listener(kept.server, "login:ended") as listener:
        await kept.delete(one.id)
        assert listener.hear() == [one.id]


@on("sync", channel=False)
async def test_without_a_channel_nothing_is_published(kept: RedisKept) -> None:
    await kept.add(kept.new())
    await kept.delete_user("7")
    assert kept.server.calls("publish") == 0


@on("sync", channel="ended")
async def test_where_publishing_is_forbidden_nobody_is_half_logged_out(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    kept.server.run("ACL", "SETUSER", "mute", "on", ">mute", "~*", "+@all", "resetchannels")
    mute = kept.kind.open(channel="ended", username="mute", password="mute")
    try:
        for end in (partial(mute.delete, id=one.id), partial(mute.delete_user, user_id="7")):
            with pytest.raises(redis.ResponseError):
                await end(kept.way.exchange)
            assert await kept.get(one.id) == one
    finally:
        await close(mute)
        kept.server.run("ACL", "DELUSER", "mute")


# --- what cannot be read -------------------------------------------------------------------------


def spoil(record: bytes) -> list[bytes]:
    """Return *record*, spoilt in many ways."""
    head, user, rest = record.split(b"\n")
    version, seen, created, expires, idle = head.split(b" ")
    return [
        *(b"", b"\xff\xfe", b"\x80\x04N.", b"null", b"{}", b"[]", b"\n\n", b"0", record[:-1]),
        *(record[:40], record[1:], record + b"\n", record.replace(b" ", b""), b"x" * 100_000),
        *(b"\n".join((head, user)), b"\n".join((head, rest, user)), b"\n".join((head, b"7", rest))),
        *(b"\n".join((head, b'"8"', rest)), b"\n".join((head, user, b"[" * 100_000))),
        *(b"\n".join((head, user, other)) for other in (b"[]", b"1", b'"0123456789"', b"null")),
        b" ".join((b"x", seen, created, expires, idle)) + b"\n" + user + b"\n" + rest,
        b" ".join((version, b"nan", created, expires, idle)) + b"\n" + user + b"\n" + rest,
        b" ".join((version, seen, created, b"inf", idle)) + b"\n" + user + b"\n" + rest,
        b" ".join((version, seen, created, b"1e999", idle)) + b"\n" + user + b"\n" + rest,
        b" ".join((version, seen, created, expires, b"")) + b"\n" + user + b"\n" + rest,
        record.replace(b"true]", b"2]"),
        record.replace(b"true]", b"null]"),
        record.replace(b'["', b'[null,"'),
        record.replace(b'["0', b"[null,0"),
        record.replace(b"true]", b"true,true]"),
        record.replace(b'""', b"7", 1),
    ]


@on(*ALL)
async def test_a_spoilt_record_is_no_session(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    key = kept.key(one.id)
    record = kept.server.run("HGET", key, one.id)
    for spoilt in spoil(record):
        assert spoilt != record
        kept.server.run("HSET", key, one.id, spoilt)
        for look in (partial(kept.get, one.id), partial(kept.list, "7")):
            with pytest.raises(UnreadableRecord) as raised:
                await look()
            assert one.digest not in str(raised.value)
            assert raised.value.__suppress_context__ or raised.value.__context__ is None
    kept.server.run("HSET", key, one.id, record)
    assert await kept.get(one.id) == one


@on("sync", "async", decode_responses=True)
async def test_a_client_that_decodes_is_not_confused_by_one(kept: RedisKept) -> None:
    one, other = kept.new(1), kept.new(2)
    await kept.add(one)
    await kept.add(other)
    for spoilt in (b"\xff\xfe", b"\xc3" * 70_000):
        kept.server.run("HSET", kept.key(one.id), one.id, spoilt)
        for _ in range(3):
            for look in (partial(kept.get, one.id), partial(kept.list, "7")):
                with pytest.raises(ValueError):
                    await look()
            assert await kept.get(other.id) == other


@on(*ALL)
async def test_a_spoilt_record_is_not_swapped_or_touched(kept: RedisKept) -> None:
    one = kept.new()
    await kept.add(one)
    kept.server.run("HSET", kept.key(one.id), one.id, "spoilt")
    for change in (partial(kept.touch, one.id, NOW + 9), partial(kept.swap, one, after(one))):
        with pytest.raises(UnreadableRecord):
            await change()
    assert kept.server.run("HGET", kept.key(one.id), one.id) == b"spoilt"


@on(*ALL)
async def test_a_spoilt_record_keeps_nobody_logged_in(kept: RedisKept) -> None:
    spoilt, well = kept.new(1), kept.new(2)
    for end in (partial(kept.delete, spoilt.id), partial(kept.delete_user, "7")):
        await kept.delete_user("7")
        await kept.add(spoilt)
        await kept.add(well)
        kept.server.run("HSET", kept.key(spoilt.id), spoilt.id, "spoilt")
        assert await end() in (None, [well])
        assert await kept.get(spoilt.id) is None
    assert await kept.list("7") == []


@on(*ALL)
async def test_a_spoilt_record_keeps_nobody_out(kept: RedisKept) -> None:
    for spoilt in (
        *("spoilt", '0 nan 1.0 1e10 -\n"7"\n[]', '0 1e10 1.0 inf -\n"7"\n[]'),
        *('0 1e10 1.0 1e10 x\n"7"\n[]', '0 1e10 1.0 1e10 -\n"7"'),
    ):
        first, second, third = (kept.new(number) for number in range(3))
        await kept.add(first)
        kept.server.run("HSET", kept.key(first.id), first.id, spoilt)
        assert await kept.add(second, limit=1, evict=False) == []
        assert await kept.add(third, limit=1) == [second]
        assert await kept.purge(NOW) == 0
        assert await kept.delete_user("7") == [third]


@on(*ALL)
async def test_an_id_is_kept_once(kept: RedisKept) -> None:
    one, other = kept.new(1), kept.new(2)
    await kept.add(one)
    await kept.add(other)
    for limit in (None, 1):
        with pytest.raises(ValueError, match="of this id"):
            await kept.add(replace(one, method="another"), limit=limit)
    assert await kept.list("7") == [other, one]


@on(*ALL)
async def test_a_record_of_another_user_is_no_session(kept: RedisKept) -> None:
    mine, theirs = kept.new(1, "7"), kept.new(2, "8")
    await kept.add(mine)
    await kept.add(theirs)
    record = kept.server.run("HGET", kept.key(theirs.id), theirs.id)
    kept.server.run("HSET", kept.key(mine.id), mine.id, record)
    with pytest.raises(UnreadableRecord):
        await kept.get(mine.id)


@on(*ALL)
async def test_another_type_of_key_is_an_error_and_stays(kept: RedisKept) -> None:
    one = kept.new()
    kept.server.run("SET", kept.key(one.id), "somebody's own")
    uses = (
        partial(kept.get, one.id),
        partial(kept.list, "7"),
        partial(kept.add, one),
        partial(kept.swap, one, after(one)),
        partial(kept.touch, one.id, NOW),
        partial(kept.delete, one.id),
        partial(kept.delete_user, "7"),
    )
    for use in uses:
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            await use()
    assert kept.server.run("GET", kept.key(one.id)) == b"somebody's own"


@on("sync")
async def test_what_could_not_be_read_is_not_written(kept: RedisKept) -> None:
    for fields in (
        {"expires": float("nan")},
        {"expires": float("inf")},
        {"idle": float("nan")},
        {"agent": None},
        {"digest": b"x"},
        {"version": 1.5},
        {"confirmed": None},
    ):
        with pytest.raises((ValueError, TypeError)):
            await kept.add(kept.new(**fields))
    assert await kept.list("7") == []


@on("sync")
async def test_whole_seconds_are_times_too(kept: RedisKept) -> None:
    one = kept.new(created=1, seen=1, expires=9, idle=5, fresh_since=1, rotated=1)
    await kept.add(one)
    assert await kept.get(one.id) == one


@on("sync")
async def test_a_limit_of_none_at_all_is_a_mistake(kept: RedisKept) -> None:
    for limit in (0, -1):
        with pytest.raises(ValueError, match="limit"):
            await kept.add(kept.new(), limit=limit)


# --- scripts -------------------------------------------------------------------------------------


@on(*ALL)
async def test_a_server_that_forgot_its_scripts_is_told_again(kept: RedisKept) -> None:
    one = kept.new()
    nodes = getattr(kept.server, "nodes", [kept.server])
    uses = (
        partial(kept.add, one),
        partial(kept.touch, one.id, one.seen + 1),
        partial(kept.swap, one, after(one, seen=one.seen + 1)),
        partial(kept.purge, NOW),
        partial(kept.delete, one.id),
        partial(kept.delete_user, "7"),
    )
    for use in uses:
        for node in nodes:
            node.run("SCRIPT", "FLUSH")
        await use()
    assert await kept.list("7") == []


# --- check ---------------------------------------------------------------------------------------


@on(*ALL, channel="ended")
async def test_check_finds_no_fault_and_leaves_no_trace(kept: RedisKept) -> None:
    await kept.check()
    nodes = getattr(kept.server, "nodes", [kept.server])
    assert sum(node.run("DBSIZE") for node in nodes) == 0


@on(*ALONE)
async def test_check_refuses_a_replica(kept: RedisKept) -> None:
    kept.server.run("REPLICAOF", "127.0.0.1", "1")
    try:
        with pytest.raises(ConfigurationError, match="refuses what RedisStore needs"):
            await kept.check()
    finally:
        kept.server.run("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize(
    "rules", ["+@all -@scripting", "+@all -hdel", "+@all resetkeys ~other:*", "+@all resetchannels"]
)
def test_check_refuses_a_user_who_may_not(redis_server: Any, rules: str) -> None:
    redis_server.run("ACL", "SETUSER", "lame", "on", ">lame", "~*", "&*", *rules.split(" "))
    kind = Kind("sync", redis_server)
    lame = kind.open(channel="ended", username="lame", password="lame")

    async def test() -> None:
        with pytest.raises(ConfigurationError, match="refuses what RedisStore needs"):
            await lame.check(kind.way().exchange)
        await close(lame)

    try:
        kind.way().run(test())
    finally:
        redis_server.run("ACL", "DELUSER", "lame")


@on("sync")
async def test_a_repr_tells_the_prefix_and_no_password(kept: RedisKept) -> None:
    url = "redis://me:s3cret@127.0.0.1:1"
    shown = repr(RedisStore.from_url(url, is_async=False, prefix="staff", tag_key=b"k3y" * 9))
    assert "staff" in shown
    assert "s3cret" not in shown and "k3y" not in shown
    assert isinstance(kept.store, Store)
