"""What is asked of each contender?

Rule 1.  Each is asked the same: a row of the table is a path, and the cookie that it brings.
Rule 2.  Before its time is taken, each answer is examined: who was served, and which cookies were
         set.  What is fast and wrong has no place in a table.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha512
from pathlib import Path
from typing import Any

KEY = "0123456789abcdef0123456789abcdef"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0"

#: What every contender keeps of the client in the session: 128 characters that do not compress.
CLIENT = sha512(AGENT.encode()).hexdigest()

#: The name of each function that loads a user: their calls are counted.
LOADER = "load"


@dataclass(frozen=True)
class Row:
    """A request, and how it is to be answered."""

    said: str
    path: str
    brings: str = ""  # "session", "remember", or nothing
    status: int = 200
    shows: str = ""  # in the body, or in `Location`
    sets: bool | None = None  # whether the answer sets a cookie; None where it may or may not


ROWS = {
    "protected": Row("protected, session cookie", "/private", "session", 200, "user 7", False),
    "public": Row("public, anonymous", "/public", "", 200, "public", False),
    "public_in": Row(
        "public, logged in, user not asked for", "/public", "session", 200, "public", False
    ),
    "remember": Row("remember cookie only", "/private", "remember", 200, "user 7"),
    "anonymous": Row(
        "protected, anonymous, without flash", "/private", "", 302, "/login?next=", False
    ),
    "anonymous_flash": Row("protected, anonymous, with flash", "/flashing", "", 302, "/login"),
    "login": Row("the request that logs in", "/in", "", 200, "in", True),
}


class User:
    is_active = is_authenticated = True
    is_anonymous = False

    def __init__(self, id: str) -> None:
        self.id = self.identity = self.fs_uniquifier = id
        self.name = f"user {id}"

    def get_id(self) -> str:
        return self.id


USERS = {str(number): User(str(number)) for number in range(1000)}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (line.partition(";")[0].partition("=") for line in self.all("set-cookie"))
        return {name: value for name, _, value in pairs}

    @property
    def varies(self) -> bool:
        return "cookie" in ",".join(self.all("vary")).lower()


@dataclass(frozen=True)
class Facts:
    """What can be counted of one request."""

    loads: int
    varies: bool
    sets: bool
    trips: int | None = None  # commands to the server of the store


@dataclass
class Contender:
    """An application, and how to send it a request."""

    send: Callable[[str, str], Any]  # (path, Cookie)
    read: Callable[[Any], Answer]
    rows: Iterable[str] = tuple(ROWS)
    commands: Callable[[], int] | None = None  # how many the server of the store has had
    may_set: Iterable[str] = ()  # rows that it sets a cookie for, where there is no need
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)

    def prepare(self) -> Contender:
        """Log in, keep the cookies, and examine the answer to every row."""
        jars = {"": {}, "session": self.ask("/in").cookies, "remember": {}}
        if "remember" in self.rows:
            token = self.ask("/in-remember").cookies["remember_token"]
            jars["remember"] = {"remember_token": token}
        for name in self.rows:
            row = ROWS[name]
            cookies = "; ".join(f"{key}={value}" for key, value in jars[row.brings].items())
            self.requests[name] = (row.path, cookies)
            self.facts[name] = self.examine(name, row)
        return self

    def prepare_bare(self, like: Contender) -> Contender:
        """Ask for what *like* is asked for, with its cookies; there is no login to look at."""
        for name in self.rows:
            row = ROWS[name]
            path = row.path if row.status == 200 else "/away"
            self.requests[name] = (path, like.requests[name][1])
            self.facts[name] = self.examine(name, replace(row, sets=False))
        return self

    def ask(self, path: str, cookie: str = "") -> Answer:
        return self.read(self.send(path, cookie))

    def examine(self, name: str, row: Row) -> Facts:
        before = self.commands() if self.commands else 0
        answer, loads = counting_loads(lambda: self.ask(*self.requests[name]))
        trips = self.commands() - before - 1 if self.commands else None  # It counts itself.
        seen = f"{answer.body} {' '.join(answer.all('location'))}"
        assert answer.status == row.status, (name, answer)
        assert row.shows in seen, (name, answer)
        if name not in self.may_set:
            assert row.sets in (None, bool(answer.cookies)), (name, answer)
        return Facts(loads, answer.varies, bool(answer.cookies), trips)

    def examine_again(self, name: str) -> None:
        """Examine, after all, that the answer is what it was."""
        self.examine(name, replace(ROWS[name], sets=self.facts[name].sets))

    def figures(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in asdict(self.facts[name]).items() if value is not None}

    def time(self, name: str, requests: int, clock: Callable[[], float]) -> float:
        """Return the microseconds that one request takes by *clock*."""
        path, cookie = self.requests[name]
        send = self.send
        gc.collect()
        gc.disable()
        start = clock()
        for _ in range(requests):
            send(path, cookie)
        spent = clock() - start
        gc.enable()
        return spent / requests * 1e6


#: By the time of this process, neither others' work nor waiting counts.
of_process, of_wall = time.process_time, time.perf_counter


def counting_loads(call: Callable[[], Any]) -> tuple[Any, int]:
    """Return what *call* returns, and how often it had a user loaded."""
    here, count = str(Path(__file__).parent), 0

    def notice(frame: Any, event: str, _: Any) -> None:
        nonlocal count
        code = frame.f_code
        count += event == "call" and code.co_name == LOADER and code.co_filename.startswith(here)

    before = sys.getprofile()
    sys.setprofile(notice)
    try:
        answer = call()
    finally:
        sys.setprofile(before)
    return answer, count
