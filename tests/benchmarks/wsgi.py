"""How is a WSGI application sent a request, without a server?"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from benchmarks.contenders import AGENT, Answer


def sender(app: Any) -> Callable[[str, str], Any]:
    def send(path: str, cookie: str) -> Any:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_USER_AGENT": AGENT,
            "REMOTE_ADDR": "1.2.3.4",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if cookie:
            environ["HTTP_COOKIE"] = cookie
        seen = []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
            seen[:] = [status, headers]

        body = app(environ, start_response)
        seen.append(list(body))
        body.close()
        return seen

    return send


def read(seen: Any) -> Answer:
    status, headers, body = seen
    return Answer(int(status[:3]), headers, b"".join(body).decode())
