"""What is asked of each contender?"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from hashlib import sha512

KEY = "0123456789abcdef0123456789abcdef"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0"

#: What every contender keeps of the client in the session: 128 characters that do not compress.
CLIENT = sha512(AGENT.encode()).hexdigest()

#: The rows: where the request goes, and what it brings.
ROWS = {
    "protected": "protected, session cookie",
    "public": "public, anonymous",
    "public_in": "public, logged in, user not asked for",
    "remember": "remember cookie only",
    "anonymous": "protected, anonymous, without flash",
    "anonymous_flash": "protected, anonymous, with flash",
    "login": "the request that logs in",
}
PATHS = {
    "protected": "/private",
    "public": "/public",
    "public_in": "/public",
    "remember": "/private",
    "anonymous": "/private",
    "anonymous_flash": "/flashing",
    "login": "/in",
}
STATUS = {"anonymous": 302, "anonymous_flash": 302}


class User:
    is_active = is_authenticated = True
    is_anonymous = False

    def __init__(self, id: str) -> None:
        self.id = id
        self.name = f"user {id}"

    def get_id(self) -> str:
        return self.id


USERS = {str(number): User(str(number)) for number in range(1000)}


@dataclass
class Contender:
    """An application, and how to send it a request."""

    send: object  # (path, cookie) -> (status, set-cookie lines)
    requests: dict = field(default_factory=dict)

    def prepare(self, rows) -> Contender:
        """Log in, keep the cookies, and check that every row is answered as it should be."""
        jar = {}
        for line in self.send("/in-remember", "")[1]:
            name, value = line.split(";", 1)[0].split("=", 1)
            jar[name] = value
        remember = f"remember_token={jar.pop('remember_token', '')}"
        session = "; ".join(f"{name}={value}" for name, value in jar.items())
        cookies = {"protected": session, "public_in": session, "remember": remember}
        for row in rows:
            self.requests[row] = (PATHS[row], cookies.get(row, ""))
            status = self.send(*self.requests[row])[0]
            assert status == STATUS.get(row, 200), (row, status)
        return self

    def time(self, row: str, requests: int, clock=time.process_time) -> float:
        """Return the microseconds that one request takes by *clock*.

        (By that of this process, what others on the machine do does not count.)
        """
        path, cookie = self.requests[row]
        send = self.send
        gc.collect()
        gc.disable()
        start = clock()
        for _ in range(requests):
            send(path, cookie)
        spent = clock() - start
        gc.enable()
        return spent / requests * 1e6
