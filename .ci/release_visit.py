"""Does the example that was installed let a visitor in and out again?

python release_visit.py http://127.0.0.1:8000
"""

from __future__ import annotations

import sys
import time
from http.cookiejar import CookieJar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

ALICE = {"username": "alice", "password": "follow the white rabbit"}
WELCOME = "You are logged in as <strong>alice</strong>"


class Visitor:
    def __init__(self, site: str) -> None:
        self.site = site
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, form: dict[str, str] | None = None) -> str:
        data = None if form is None else urlencode(form).encode()
        with self._opener.open(self.site + path, data, timeout=30) as response:
            return response.read().decode()

    def wait(self) -> None:
        """Wait until the server answers."""
        until = time.monotonic() + 60
        while True:
            try:
                self.open("/")
                return
            except HTTPError:
                raise
            except URLError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)


def main() -> None:
    visitor = Visitor(sys.argv[1])
    visitor.wait()
    assert "Nobody is logged in" in visitor.open("/")
    assert "Please log in" in visitor.open("/protected")
    assert WELCOME in visitor.open("/login?next=/protected", ALICE)
    assert "Only users who are logged in see this." in visitor.open("/protected")
    assert "Nobody is logged in" in visitor.open("/logout", {})
    assert "Please log in" in visitor.open("/protected")
    print("in and out again")


if __name__ == "__main__":
    main()
