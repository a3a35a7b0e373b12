"""Requests built by hand, below the test clients: any byte may stand in any header.

Test clients refuse or repair what a hostile client simply sends.
"""

from __future__ import annotations

import io
from typing import Any

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode
from loops import asyncio
from sites import Answer, Site
from werkzeug.datastructures import Headers

RawHeaders = list[tuple[bytes, bytes]]


async def send_raw(
    site: Site,
    path: str,
    headers: RawHeaders,
    method: str = "GET",
    query: bytes = b"",
    body: bytes = b"",
) -> Answer:
    """Send *headers*, *query* and *body* as they are to the application of *site*."""
    if body:
        headers = [*headers, (b"Content-Length", b"%d" % len(body))]
    if site.web.__name__ == "flask":
        return _by_wsgi(site.app, path, headers, method, query, body)
    return await by_asgi(site.app, path, headers, method, query, body)


def _by_wsgi(
    app: Any, path: str, headers: RawHeaders, method: str, query: bytes, sent_body: bytes
) -> Answer:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query.decode("latin1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent_body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = "HTTP_" + name.decode("latin1").upper().replace("-", "_")
        if key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            key = key.removeprefix("HTTP_")
        # As servers do (gunicorn, Werkzeug's own): one environ entry for a repeated header.
        joint = "; " if key == "HTTP_COOKIE" else ","
        text = value.decode("latin1")
        environ[key] = f"{environ[key]}{joint}{text}" if key in environ else text
    started: list[Any] = []
    body = app.wsgi_app(environ, lambda status, sent, exc_info=None: started.append((status, sent)))
    text = b"".join(body).decode()
    body.close()
    status, sent = started[-1]
    return _answer(int(status.split()[0]), Headers(sent), text)


class ClientGone(Exception):
    """The client was gone before it had an answer."""


async def by_asgi(
    app: Any,
    path: str,
    headers: RawHeaders,
    method: str = "GET",
    query: bytes = b"",
    body: bytes = b"",
    gone: Any = None,
) -> Answer:
    """Send a request to the ASGI application *app*; once the event *gone* is set, so is the client.

    Raises `ClientGone` if there was no answer before.
    """
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "extensions": {},
    }
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []
    # Who has an answer leaves, too.
    done = asyncio.Event() if gone is None else gone

    async def receive() -> Any:
        if incoming:
            return incoming.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    try:
        await app.asgi_app(scope, receive, send)
    except BaseExceptionGroup as group:  # as trio has it
        [error] = group.exceptions
        raise error from None
    if not sent and gone is not None:
        raise ClientGone
    start = next(m for m in sent if m["type"] == "http.response.start")
    text = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    pairs = [(k.decode("latin1"), v.decode("latin1")) for k, v in start["headers"]]
    return _answer(start["status"], Headers(pairs), text.decode())


def _answer(status: int, headers: Headers, text: str) -> Answer:
    return Answer(status, text, headers, headers.getlist("Set-Cookie"))


def same_credential(one: str, other: str) -> bool:
    """Are both the same signed text, though the signature may be written differently?

    Base64 leaves bits of the last letter unused, and its decoder skips what is no letter of it.
    """
    (head, dot, tail), (other_head, _, other_tail) = one.rpartition("."), other.rpartition(".")
    if one == other or not dot or head != other_head:
        return one == other
    try:
        # As bytes, as signers do: it is their number that decides on the padding.
        return base64_decode(tail.encode()) == base64_decode(other_tail.encode())
    except BadData:
        return False
