"""What happens when the file of SQLiteStore is locked, full, read-only or damaged?"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stores.machine import do, locked, on, python, sql, start

from quart_login import ConfigurationError
from quart_login.stores._contract_kit import NOW, Kept, after, session, whole
from quart_login.stores._rows import UnreadableRecord
from quart_login.stores.sqlite import SQLiteStore


@pytest.fixture
def path(ram: Path) -> Path:
    return ram / "sessions.sqlite"


@pytest.fixture
def kept(path: Path) -> Iterator[Kept]:
    store = SQLiteStore(path)
    yield on(store)
    store.close()


def writes(kept: Kept) -> dict[str, Any]:
    """Return everything that writes, about `session(1)`, which is there."""
    one = session(1)
    return {
        "add": lambda: kept.add(session(2)),
        "add with a limit": lambda: kept.add(session(2), limit=1),
        "swap": lambda: kept.swap(one, after(one)),
        "touch": lambda: kept.touch(one.id, NOW + 9),
        "delete": lambda: kept.delete(one.id),
        "delete_user": lambda: kept.delete_user("7"),
        "purge": lambda: kept.purge(one.expires + 1),
    }


# --- locked (row 115) ----------------------------------------------------------------------------


def test_115_who_reads_does_not_wait_for_who_writes(kept: Kept, path: Path) -> None:
    do(kept.add(session(1)))
    with locked(path):
        begun = time.monotonic()
        for _ in range(20):
            assert do(kept.get(session(1).id)) == session(1)
            assert do(kept.list("7")) == [session(1)]
        assert time.monotonic() - begun < 0.2


def test_115_who_writes_gives_up_in_time_and_has_done_nothing(kept: Kept, path: Path) -> None:
    do(kept.add(session(1)))
    with locked(path):
        for name, write in writes(kept).items():
            begun = time.monotonic()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                do(write())
            assert 0.15 < time.monotonic() - begun < 1, name
        assert do(kept.list("7")) == [session(1)]
    assert do(kept.delete(session(1).id)) == session(1)


def test_115_who_writes_waits_for_a_short_write(path: Path) -> None:
    store = SQLiteStore(path, timeout=10)
    kept = on(store)
    do(kept.add(session(1)))
    process = start(
        """
        import sqlite3, time
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        time.sleep(0.1)
        connection.execute("UPDATE login_session SET seen = seen + 1")
        connection.execute("COMMIT")
        """,
        path,
    )
    assert process.stdout is not None
    process.stdout.readline()
    # It reads what it changes, so it had to begin with the right to write.
    assert [one.id for one in do(kept.add(session(2), limit=1))] == [session(1).id]
    process.communicate()
    store.close()


def test_a_lock_at_the_start_is_no_mistake_of_the_developer(kept: Kept, path: Path) -> None:
    do(kept.add(session(1)))
    with locked(path), pytest.raises(sqlite3.OperationalError, match="locked"):
        do(kept.check())
    do(kept.check())


# --- full and read-only (row 117) ----------------------------------------------------------------


def test_117_a_full_disk_keeps_nothing_of_a_login_and_still_reads(kept: Kept) -> None:
    do(kept.add(session(1)))
    [connection] = kept.store._all  # type: ignore[attr-defined]
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        do(kept.add(session(2, agent="x" * 50_000), limit=1))
    # The login that failed has ended no other.
    assert do(kept.list("7")) == [session(1)]
    assert do(kept.add(session(2), limit=1)) == [session(1)]


def test_117_a_file_that_may_not_grow_keeps_nothing_of_a_login(path: Path) -> None:
    """A limit of the operating system, which fails in the middle of a write."""
    script = """
        import resource, sqlite3
        kept = open_store(sys.argv[1])
        step(kept.add(session(0)))
        log = os.path.getsize(sys.argv[1] + "-wal")
        resource.setrlimit(resource.RLIMIT_FSIZE, (log + 10_000, resource.RLIM_INFINITY))
        done = [session(0).id]
        try:
            for number in range(1, 50):
                step(kept.add(session(number, agent="x" * 500)))
                done.append(session(number).id)
        except sqlite3.OperationalError:
            print("full")
        assert sorted(step(kept.ids())) == done
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        step(kept.add(session(99)))
        assert sorted(step(kept.ids())) == [*done, session(99).id]
    """
    assert python(script, path) == "full\n"


READ_ONLY = """
    import sqlite3
    kept = open_store(sys.argv[1])
    if os.geteuid() == 0:  # whom no mode hinders
        os.setgid(65534)
        os.setuid(65534)
    try:
        found = step(kept.get(session(1).id))
    except sqlite3.OperationalError:
        print("no answer")
    else:
        assert found == session(1)
        print("read")
    try:
        step(kept.delete(session(1).id))
    except sqlite3.OperationalError as error:
        print(error)
    try:
        step(kept.check())
    except RuntimeError as error:
        print(type(error).__name__)
"""


def test_117_a_file_that_is_read_only_is_read_and_not_written(ram: Path, path: Path) -> None:
    store = SQLiteStore(path)
    do(on(store).add(session(1)))
    for file in ram.iterdir():
        file.chmod(0o444)
    ram.chmod(0o555)
    said = python(READ_ONLY, path).splitlines()
    ram.chmod(0o755)
    assert said == ["read", "attempt to write a readonly database", ConfigurationError.__name__]
    assert do(on(store).get(session(1).id)) == session(1)
    store.close()


def test_117_a_file_without_its_log_that_is_read_only_is_an_error(ram: Path, path: Path) -> None:
    store = SQLiteStore(path)
    do(on(store).add(session(1)))
    store.close()
    path.chmod(0o444)
    ram.chmod(0o555)
    said = python(READ_ONLY, path).splitlines()
    ram.chmod(0o755)
    assert said[0] == "no answer" and said[-1] == ConfigurationError.__name__


# --- damaged -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        "seen = 'soon'",
        "expires = 9e999",
        "expires = x'00'",
        "digest = x'ff'",
        "digest = CAST(x'ff00fe' AS TEXT)",
        "user_id = CAST(x'fe' AS TEXT)",
        "confirmed = 7",
        "idle = 'long'",
        "version = 1.5",
    ],
)
def test_117_a_row_with_wrong_bytes_is_no_session_and_can_be_ended(
    kept: Kept, path: Path, damage: str
) -> None:
    for number in (1, 2):
        do(kept.add(session(number)))
    sql(path, f"UPDATE login_session SET {damage} WHERE id = ?", session(1).id)
    with pytest.raises((UnreadableRecord, sqlite3.OperationalError)) as caught:
        do(kept.get(session(1).id))
    assert session(1).digest not in str(caught.value)
    assert do(kept.get(session(2).id)) == session(2)
    assert do(kept.delete(session(1).id)) is None
    assert do(kept.get(session(1).id)) is None
    assert do(kept.list("7")) == [session(2)]


@pytest.mark.parametrize("damage", ["seen = 'soon'", "digest = CAST(x'ff00fe' AS TEXT)"])
def test_117_one_wrong_row_keeps_none_of_its_users_alive(
    kept: Kept, path: Path, damage: str
) -> None:
    for number in (1, 2):
        do(kept.add(session(number)))
    sql(path, f"UPDATE login_session SET {damage} WHERE id = ?", session(1).id)
    with pytest.raises((UnreadableRecord, sqlite3.OperationalError)):
        do(kept.list("7"))
    assert do(kept.add(session(3), limit=1)) == [session(2)]
    assert do(kept.delete_user("7")) == [session(3)]
    assert sql(path, "SELECT * FROM login_session") == []


def test_117_a_damaged_page_is_an_error_and_no_session(kept: Kept, path: Path) -> None:
    for number in range(200):
        do(kept.add(session(number)))
    kept.store.close()  # type: ignore[attr-defined]
    whole_file = path.read_bytes()
    sessions = {session(number).id: session(number) for number in range(200)}
    failed = 0
    for start_of_page in range(4096, len(whole_file), 4096):
        path.write_bytes(
            whole_file[:start_of_page] + b"\xa5" * 512 + whole_file[start_of_page + 512 :]
        )
        store = SQLiteStore(path)
        for id, one in sessions.items():
            try:
                assert do(on(store).get(id)) in (one, None)
            except (sqlite3.DatabaseError, UnreadableRecord):
                failed += 1
        store.close()
    assert failed > 100


def test_117_a_file_that_was_cut_is_an_error(kept: Kept, path: Path) -> None:
    for number in range(100):
        do(kept.add(session(number)))
    kept.store.close()  # type: ignore[attr-defined]
    with path.open("r+b") as file:
        file.truncate(4096 * 2 + 100)
    with pytest.raises((sqlite3.DatabaseError, ConfigurationError)):
        for number in range(100):
            do(on(SQLiteStore(path)).get(session(number).id))


# --- killed (row 120) ----------------------------------------------------------------------------


def test_120_who_is_killed_in_a_write_has_written_nothing(kept: Kept, path: Path) -> None:
    do(kept.add(whole(1)))
    process = start(
        """
        from quart_login.stores import sqlite
        kept = open_store(sys.argv[1])
        def die(session):
            print("in the middle", flush=True)
            sys.stdin.read()
        sqlite.row_of = die  # after the oldest session has made room
        step(kept.add(session(2), limit=1))
        """,
        path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    process.kill()
    process.communicate()
    assert do(kept.list("7")) == [whole(1)]
    assert do(kept.add(session(3), limit=1)) == [whole(1)]
