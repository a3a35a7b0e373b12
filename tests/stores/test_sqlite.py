"""SQLiteStore: what the contract does not say."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stores.machine import do, on, python, sql, start

from quart_login import ConfigurationError
from quart_login.stores._contract_kit import NOW, Kept, session
from quart_login.stores.sqlite import SQLiteStore


@pytest.fixture
def path(ram: Path) -> Path:
    return ram / "sessions.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path)
    yield store
    store.close()


@pytest.fixture
def kept(store: SQLiteStore) -> Kept:
    return on(store)


def statements_of(store: SQLiteStore) -> list[str]:
    """Return the list of the statements that *store* will run on its one connection."""
    do(on(store).check())
    [connection] = store._all
    seen: list[str] = []
    connection.set_trace_callback(lambda text: seen.append(first_of(text)))
    return seen


def first_of(statement: str) -> str:
    """Return which *statement* it is; of one that begins a transaction, all of it."""
    first = statement.split()[0]
    return statement if first == "BEGIN" else first


# --- how it is made ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ":memory:", "file:sessions?mode=memory"])
def test_sessions_in_memory_are_another_stores(name: str) -> None:
    """Each thread would have sessions of its own."""
    with pytest.raises(ConfigurationError, match="MemoryStore"):
        SQLiteStore(name)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_nobody_waits_for_no_time(path: Path, timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        SQLiteStore(path, timeout=timeout)


def test_nothing_is_opened_before_it_is_used(path: Path) -> None:
    SQLiteStore(path)
    assert not path.exists()


def test_it_serves_both_shells_and_shows_its_path_alone(store: SQLiteStore, path: Path) -> None:
    assert store.is_async is False
    assert repr(store) == f"<SQLiteStore {str(path)!r}>"


def test_the_path_stays_when_the_directory_is_left(
    ram: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ram)
    store = SQLiteStore("sessions.sqlite")
    monkeypatch.chdir("/")
    do(on(store).check())
    store.close()
    assert (ram / "sessions.sqlite").exists()


def test_the_file_is_its_owners_alone(kept: Kept, path: Path) -> None:
    before = os.umask(0)
    try:
        do(kept.add(session(1)))
    finally:
        os.umask(before)
    files = sorted(path.parent.iterdir())
    assert [file.name.removeprefix(path.name) for file in files] == ["", "-shm", "-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_file_is_made_at_first_use_without_a_check(kept: Kept) -> None:
    assert do(kept.get("unknown")) is None
    do(kept.add(session(1)))
    assert do(kept.get(session(1).id)) == session(1)


def test_every_connection_writes_ahead_and_to_the_disk(store: SQLiteStore) -> None:
    do(on(store).check())
    [connection] = store._all

    def setting(name: str) -> Any:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert setting("journal_mode") == "wal"
    assert setting("synchronous") == 2  # FULL: a session that was revoked stays so
    assert setting("busy_timeout") == 200


def test_processes_that_begin_together_make_one_file(path: Path) -> None:
    script = """
        kept = open_store(sys.argv[1], timeout=10)
        sys.stdin.read()
        step(kept.check())
        step(kept.add(session(int(sys.argv[2]))))
    """
    processes = [start(script, path, number) for number in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    for process in processes:
        assert process.wait(60) == 0, process.stderr and process.stderr.read()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
    assert sql(path, "SELECT count(*) FROM login_session") == [(4,)]


def test_whoever_comes_second_finds_the_schema_made(store: SQLiteStore) -> None:
    """Between the look at a new file and its lock, another process may make the tables."""
    do(on(store).add(session(1)))
    store._write(store._create)
    assert do(on(store).list("7")) == [session(1)]


def test_whoever_comes_while_the_file_is_made_waits(path: Path) -> None:
    process = start(
        """
        import sqlite3, time
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        time.sleep(0.1)
        connection.execute("ROLLBACK")
        """,
        path,
    )
    assert process.stdout is not None
    process.stdout.readline()
    store = SQLiteStore(path, timeout=10)
    do(on(store).check())
    process.communicate()
    store.close()


# --- another's file, another's schema (row 125) --------------------------------------------------


def test_125_an_applications_database_is_refused_and_left_alone(path: Path) -> None:
    sql(path, "CREATE TABLE user (id INTEGER)")
    before = path.read_bytes()
    kept = on(SQLiteStore(path))
    for use in (kept.check, lambda: kept.get("id"), lambda: kept.add(session(1))):
        with pytest.raises(ConfigurationError, match="of its own"):
            do(use())
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [0, 2])
def test_125_another_version_of_the_schema_is_refused(kept: Kept, path: Path, version: int) -> None:
    do(kept.add(session(1)))
    kept.store.close()  # type: ignore[attr-defined]
    sql(path, f"PRAGMA user_version = {version}")
    other = on(SQLiteStore(path))
    for use in (other.check, lambda: other.get(session(1).id)):
        with pytest.raises(ConfigurationError, match=f"version {version} of the schema"):
            do(use())


def test_125_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("dear diary, " * 500)
    with pytest.raises(ConfigurationError, match=str(path)):
        do(on(SQLiteStore(path)).check())
    assert path.read_text() == "dear diary, " * 500


def test_125_a_directory_that_is_not_there_is_a_mistake(path: Path) -> None:
    for wrong in (path / "sessions.sqlite", path.parent):
        path.touch()
        with pytest.raises(ConfigurationError, match=str(wrong)):
            do(on(SQLiteStore(wrong)).check())


def test_125_a_disk_that_has_no_write_ahead_log_is_a_mistake(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A database in memory has none either.
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name, **options: connect(":memory:", **options))
    with pytest.raises(ConfigurationError, match="local disk"):
        do(on(SQLiteStore(path)).check())


# --- how it writes (row 116) ---------------------------------------------------------------------


def test_116_every_write_may_write_from_its_beginning(store: SQLiteStore) -> None:
    kept, seen = on(store), statements_of(store)
    one = session(1)
    writes = {
        "add": lambda: kept.add(one),
        "add with a limit": lambda: kept.add(session(2), limit=1),
        "swap": lambda: kept.swap(one, session(1, version=1)),
        "touch": lambda: kept.touch(one.id, NOW + 9),
        "delete": lambda: kept.delete(one.id),
        "delete_user": lambda: kept.delete_user("7"),
        "purge": lambda: kept.purge(NOW),
        "check": kept.check,
    }
    for name, write in writes.items():
        seen.clear()
        do(write())
        begins = [statement for statement in seen if statement.startswith("BEGIN")]
        assert begins == seen[:1] == ["BEGIN IMMEDIATE"] and seen[-1:] == ["COMMIT"], name


def test_a_look_up_is_one_statement(store: SQLiteStore) -> None:
    kept, seen = on(store), statements_of(store)
    do(kept.get("id"))
    do(kept.list("7"))
    assert seen == ["SELECT", "SELECT"]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT * FROM login_session WHERE id = ''", "PRIMARY KEY"),
        ("SELECT * FROM login_session WHERE user_id = ''", "login_session_user_id"),
        ("SELECT id FROM login_session WHERE due < 1 ORDER BY due LIMIT 9", "login_session_due"),
    ],
)
def test_nothing_reads_the_whole_table(kept: Kept, path: Path, statement: str, index: str) -> None:
    do(kept.check())
    [(_, _, _, plan)] = sql(path, f"EXPLAIN QUERY PLAN {statement}")
    assert plan.startswith("SEARCH") and index in plan


# --- connections ---------------------------------------------------------------------------------


def test_a_connection_serves_one_thread_at_a_time_and_many_in_turn(store: SQLiteStore) -> None:
    do(on(store).add(session(1)))
    gate = threading.Barrier(24)

    def look(connection: sqlite3.Connection) -> None:
        gate.wait()  # so that each has one of its own
        connection.execute("SELECT 1")

    threads = [threading.Thread(target=store._do, args=(look,)) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store._idle) == len(store._all) == 16
    do(on(store).get(session(1).id))
    assert len(store._idle) == len(store._all) == 16


def test_what_failed_is_not_used_again_and_did_nothing(store: SQLiteStore, path: Path) -> None:
    do(on(store).add(session(1)))
    [before] = store._all

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM login_session")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._write(fail)
    assert not store._all
    assert do(on(store).list("7")) == [session(1)]
    assert store._all != {before}


def test_a_closed_store_is_of_no_use(kept: Kept, store: SQLiteStore, path: Path) -> None:
    do(kept.add(session(1)))
    for _ in range(2):
        store.close()
    for use in (kept.check, lambda: kept.get(session(1).id)):
        with pytest.raises(RuntimeError, match="closed"):
            do(use())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_store_that_closes_while_it_is_used_lets_go_afterwards(store: SQLiteStore) -> None:
    store._do(lambda connection: store.close())
    assert not store._idle and not store._all


def test_a_store_that_nobody_has_is_closed(path: Path) -> None:
    store = SQLiteStore(path)
    do(on(store).add(session(1)))
    del store
    gc.collect()  # A connection that is left open would be a warning, which is an error here.
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# --- forks ---------------------------------------------------------------------------------------


def test_a_child_that_was_forked_holds_its_own_locks(path: Path) -> None:
    """The parent is the last to close the file, as far as it can see: what the child writes later
    would go to a log that nobody reads.
    """
    script = """
        kept = open_store(sys.argv[1])
        step(kept.add(session(1)))
        there, here = os.pipe(), os.pipe()
        if os.fork() == 0:
            step(kept.get(session(1).id))
            os.write(there[1], b".")
            os.read(here[0], 1)  # the parent has closed its store
            step(kept.delete(session(1).id))
            os._exit(0)
        os.read(there[0], 1)
        step(kept.get(session(1).id))
        kept.store.close()
        os.write(here[1], b".")
        assert os.wait()[1] == 0
    """
    python(script, path)
    assert sql(path, "SELECT * FROM login_session") == []


def test_a_fork_waits_for_a_statement_and_keeps_no_connection(path: Path) -> None:
    script = """
        import threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
        kept = open_store(sys.argv[1], timeout=5)
        step(kept.add(session(1)))
        begun, go_on = threading.Event(), threading.Event()
        def work(connection):
            begun.set()
            go_on.wait()
        thread = threading.Thread(target=kept.store._write, args=(work,))
        thread.start()
        begun.wait()
        threading.Timer(0.05, go_on.set).start()
        child = os.fork()
        if child == 0:
            assert not kept.store._all
            step(kept.touch(session(1).id, NOW + 9))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        thread.join()
        print(step(kept.get(session(1).id)).seen == NOW + 9)
    """
    assert python(script, path) == "True\n"


def test_a_child_that_inherits_a_connection_refuses_to_work(path: Path) -> None:
    """A thread holds a connection for too long, or a server forks without telling Python."""
    script = """
        import threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        kept = open_store(sys.argv[1], timeout=0.05)
        begun, go_on = threading.Event(), threading.Event()
        def work(connection):
            begun.set()
            go_on.wait()
        thread = threading.Thread(target=kept.store._do, args=(work,))
        thread.start()
        begun.wait()
        child = os.fork()
        if child == 0:
            for _ in range(2):
                try:
                    step(kept.get("id"))
                except RuntimeError as error:
                    assert "in each worker" in str(error)
                else:
                    os._exit(1)
            os._exit(0)
        print(os.waitpid(child, 0)[1])
        go_on.set()
        thread.join()
        step(kept.add(session(1)))
    """
    assert python(script, path) == "0\n"


def test_a_store_made_before_a_fork_serves_both(path: Path) -> None:
    script = """
        kept = open_store(sys.argv[1])
        child = os.fork()
        number = 1 if child == 0 else 2
        step(kept.add(session(number)))
        assert step(kept.get(session(number).id)) == session(number)
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(sorted(step(kept.ids())))
    """
    assert python(script, path) == f"{[session(1).id, session(2).id]}\n"


def test_a_purge_of_many_is_many_small_transactions(store: SQLiteStore) -> None:
    """So that a login waits for none of them longer than it may."""
    kept = on(store)
    do(kept.check())
    rows = [(f"{number:022d}", "7", NOW, NOW, float(number)) for number in range(1100)]
    [connection] = store._all
    connection.executemany(
        "INSERT INTO login_session (id, user_id, created, seen, expires, digest, version, method,"
        " agent, address, confirmed, due) VALUES (?, ?, ?, ?, ?, '', 0, '', '', '', 1, 0)",
        rows,
    )
    seen = statements_of(store)
    assert do(kept.purge(NOW)) == 1100
    assert seen.count("BEGIN IMMEDIATE") == seen.count("COMMIT") == 3


def test_a_purge_looks_at_an_active_session_once_an_idle_time(store: SQLiteStore) -> None:
    kept = on(store)
    do(kept.add(session(0, idle=100.0)))
    do(kept.touch(session(0).id, NOW + 90))
    do(kept.purge(NOW + 101))
    [(due,)] = sql(Path(store.path), "SELECT due FROM login_session")
    assert due == NOW + 190
