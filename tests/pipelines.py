"""A client that sends many requests at once on one connection, and reads the answers in turn."""

from __future__ import annotations

import io
import socket
from http.client import HTTPResponse, IncompleteRead
from typing import Any

Cookies = dict[str, str]


class Answers(io.BytesIO):
    """What a server sent, for `HTTPResponse` to read one answer after another from."""

    def makefile(self, mode: str) -> Answers:
        return self

    def close(self) -> None:
        """Stay open: the next answer follows."""


def raw(path: str, cookies: Cookies, headers: dict[str, str]) -> bytes:
    sent = {"Host": "127.0.0.1", "User-Agent": "test", **headers}
    if cookies:
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def pipeline(port: int, *requests: tuple[str, Cookies]) -> list[HTTPResponse]:
    """Send all *requests* at once on one connection, and return the answers, with their text."""
    last = len(requests) - 1
    sent = [
        raw(path, cookies, {"Connection": "close" if number == last else "keep-alive"})
        for number, (path, cookies) in enumerate(requests)
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"".join(sent))
        received, answers = b"", None
        while answers is None:  # hypercorn on trio leaves the connection open
            received += (part := connection.recv(65536))
            answers = read_answers(received, len(requests))
            assert part or answers, received
    return answers or []


def read_answers(received: bytes, count: int) -> list[HTTPResponse] | None:
    """Return the *count* answers in *received*, or None if they have not all come."""
    stream, answers = Answers(received), []
    for _ in range(count):
        if b"\r\n\r\n" not in received[stream.tell() :]:
            return None
        try:
            answers.append(read_answer(stream))
        except IncompleteRead:
            return None
    return answers


def read_answer(received: Answers) -> Any:
    answer: Any = HTTPResponse(received)  # type: ignore[arg-type]
    answer.begin()
    answer.text = answer.read().decode()
    return answer


def texts(port: int, *requests: tuple[str, Cookies]) -> list[str]:
    return [answer.text for answer in pipeline(port, *requests)]  # type: ignore[attr-defined]


def log_in(port: int, user_id: str) -> Cookies:
    [answer] = pipeline(port, (f"/in/{user_id}", {}))
    lines = answer.headers.get_all("Set-Cookie")
    cookies = dict(line.split(";", 1)[0].split("=", 1) for line in lines)
    assert set(cookies) == {"session", "remember_token"}
    return cookies
