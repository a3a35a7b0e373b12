"""A request whose body comes late: by what was begun before, may a login do what it may not now?"""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

#: A server that says nothing for so many seconds will not say anything.
PATIENCE = 60


class HeldBack:
    """A form for *path* at *url*, sent with *cookie* in two parts.

    The server has seen the headers when this is made, and gets the body by `finish`.
    """

    def __init__(
        self, url: str, path: str, cookie: str, form: dict[str, str], **headers: str
    ) -> None:
        self._body = urlencode(form).encode()
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        self._connection.putrequest("POST", path)
        about = {
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(self._body)),
            # So the server says when it waits for the body.
            "Expect": "100-continue",
            "Connection": "close",
        }
        for name, text in (about | headers).items():
            self._connection.putheader(name, text)
        self._connection.endheaders()
        assert self._connection.sock.recv(1, socket.MSG_PEEK)

    def finish(self) -> HTTPResponse:
        """Send the body, and return the response."""
        self._connection.send(self._body)
        response = self._connection.getresponse()
        response.read()
        return response


class Client:
    """A browser that is at *url*, and shows how its cookies are sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        """What it sends as ``Cookie``."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Return status and text of what *path* answers, to a form if there is one."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        body = None if form is None else urlencode(form)
        sent = {"Cookie": self.cookie, "Connection": "close", **kind}
        connection.request("GET" if form is None else "POST", path, body, sent)
        with connection.getresponse() as response:
            self.take(response)
            text = response.read().decode()
        connection.close()
        return response.status, text

    def take(self, response: HTTPResponse) -> None:
        """Keep the cookies that *response* sets."""
        for line in response.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
