"""Three processes serve the same logins: two with Quart, and one with Flask.

P5, P8: a login that one of them ends is used by none, from the moment when that has returned; and
what is in flight then does not bring it back.  P9: requests with one remember cookie, spread over
all, disturb nobody.

``STORE_TRIALS=5000`` makes it so many revocations, for each kind of server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from random import Random
from typing import Any

import pytest
from sqlalchemy import create_engine
from stores.machine import do, on
from stores.registry_worker import PATIENCE, Part, work
from werkzeug.http import parse_cookie

from quart_login.stores.sqlalchemy import SQLAlchemyStore

TRIALS = int(os.environ.get("STORE_TRIALS", "300"))
AT_A_TIME = 20
#: So many requests are sent at once with one remember cookie.
REQUESTS = 20
FRAMEWORKS = ("quart", "quart", "flask")


class Processes:
    """Three processes: ``tell(0, "log_in", paths)``, and ``answer()`` of whoever is done."""

    def __init__(self, parts: Sequence[Part]) -> None:
        spawn = get_context("spawn")
        self.orders = [spawn.Queue() for _ in parts]
        self.answers = spawn.Queue()
        self.told = spawn.Array("i", 1 + len(parts), lock=False)
        self.processes = [
            spawn.Process(target=work, args=(n, part, self.orders[n], self.answers, self.told))
            for n, part in enumerate(parts)
        ]
        for process in self.processes:
            process.start()

    def tell(self, number: int, *order: Any) -> None:
        self.orders[number].put(order)

    def answered(self, *numbers: int) -> dict[int, Any]:
        """Return what the processes *numbers* answer."""
        found = {}
        for _ in numbers:
            number, answer = self.answers.get(timeout=PATIENCE)
            if isinstance(answer, BaseException):
                raise answer
            found[number] = answer
        assert found.keys() == set(numbers)
        return found

    def ask(self, number: int, *order: Any) -> Any:
        self.tell(number, *order)
        return self.answered(number)[number]

    def ask_all(self, *order: Any) -> list[Any]:
        for number in range(len(self.processes)):
            self.tell(number, *order)
        found = self.answered(*range(len(self.processes)))
        return [found[number] for number in sorted(found)]

    def close(self) -> list[int | None]:
        for queue in self.orders:
            queue.put(None)
        for process in self.processes:
            process.join(30)
        return [process.exitcode for process in self.processes]


@pytest.fixture(params=["redis", "postgres"])
def processes(request: pytest.FixtureRequest) -> Iterator[Processes]:
    parts = [Part(framework, url) for framework, url in zip(FRAMEWORKS, urls(request), strict=True)]
    found = Processes(parts)
    try:
        yield found
    finally:
        codes = found.close()
    assert codes == [0, 0, 0]


def urls(request: pytest.FixtureRequest) -> list[str]:
    """Return how each process reaches the server, which is empty."""
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.clear()
        return [server.url] * 3
    postgres = request.getfixturevalue("postgres")
    engine = create_engine(postgres.url("psycopg"))
    do(on(SQLAlchemyStore(engine, create=True)).check())
    engine.dispose()
    return [postgres.url(driver) for driver in ("asyncpg", "psycopg", "psycopg")]


def test_no_process_uses_a_login_after_its_end(processes: Processes) -> None:
    chance, ended, seen = Random(TRIALS), 0, 0
    while ended < TRIALS:
        # Each of them is a user of its own; half are shown by their remember cookies alone.
        users = [(ended + number) % 2 + 1 for number in range(AT_A_TIME)]
        ender = ended // AT_A_TIME % 3
        looks = [number for number in range(3) if number != ender]
        paths = [f"/in/{user}?remember=1" for user in users]
        jars = processes.ask(chance.randrange(3), "log_in", paths)
        ways = [way_to_end(number, users, chance) for number in range(AT_A_TIME)]
        shown = [jar if chance.random() < 0.5 else only_remembered(jar) for jar in jars]
        processes.told[:] = [0] * 4
        processes.tell(ender, "end", jars, ways)
        for number in looks:
            processes.tell(number, "look", shown)
        answers = processes.answered(ender, *looks)
        returned = answers[ender]
        for number in looks:
            for end, (times, last, alive) in zip(returned, answers[number], strict=True):
                assert last <= end, "a look that began after the end saw the login"
                assert alive == 0, "what was issued meanwhile is good"
                seen += times
        ended += AT_A_TIME
    assert seen > ended / 4


def way_to_end(number: int, users: Sequence[int], chance: Random) -> str:
    """Return how the login *number* ends: without the others, but for the last of a user's."""
    user = users[number]
    if user in users[number + 1 :]:
        return "logout"
    return chance.choice(["logout", f"user {user}", f"/in/{user}"])


def only_remembered(jar: dict[str, str]) -> dict[str, str]:
    return {"remember_token": jar["remember_token"]}


def test_one_remember_cookie_in_many_requests_over_all_processes(processes: Processes) -> None:
    chance = Random(TRIALS)
    for number in range(max(TRIALS // 30, 10)):
        processes.ask_all("move_clock", 2_000_000_000.0 + 3600 * number)
        [jar] = processes.ask(number % 3, "log_in", ["/in/1?remember=1"])
        check_crowd(processes, only_remembered(jar), chance, 3600 * number)


def check_crowd(processes: Processes, jar: dict[str, str], chance: Random, since: float) -> None:
    """Let many requests show *jar*; some answers are lost, and the others come in any order."""
    for process, count in enumerate((7, 7, REQUESTS - 14)):
        processes.tell(process, "at_once", jar, count)
    found = processes.answered(0, 1, 2)
    answers = [answer for number in range(3) for answer in found[number]]
    assert [text for text, _ in answers] == ["user 1"] * REQUESTS
    replaced = [lines for _, lines in answers if lines]
    assert len(replaced) == 1, "one request replaces the cookie, and the others set none"
    last, issued = dict(jar), cookies_of(replaced[0])
    for _, lines in chance.sample(answers, chance.randrange(REQUESTS // 2, REQUESTS + 1)):
        last |= cookies_of(lines)
    browser = only_remembered(last)
    # At once, and when the window has ended, the browser's last cookie is good everywhere.
    was_lost = browser == jar
    assert processes.ask(chance.randrange(3), "look_at", last)[0] == "user 1"
    processes.ask_all("move_clock", 2_000_000_000.0 + since + 61)
    text, now = processes.ask(chance.randrange(3), "look_at", browser)
    assert text == "user 1"
    assert now["remember_token"] != browser["remember_token"]
    # What it replaced is not: whoever shows that has copied it.
    stolen = only_remembered(issued) if was_lost else jar
    [(text, _)] = processes.ask(chance.randrange(3), "at_once", stolen, 1)
    assert text == "anonymous"
    [(text, _)] = processes.ask(chance.randrange(3), "at_once", now, 1)
    assert text == "anonymous"


def cookies_of(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        assert "Max-Age=0" not in line
        found |= parse_cookie(line.partition(";")[0])
    return found
