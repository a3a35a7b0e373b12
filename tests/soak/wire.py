"""A browser, as far as that is a jar of cookies and a line that is kept open."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie

import h11

#: Seconds that an answer may take.
PATIENCE = 15.0

#: Seconds after which a line that was not used is not used again: servers hang up then.
IDLE = 2.0


class Broken(Exception):
    """The line was cut."""


class Browser:
    """Asks one server, and keeps what cookies it sets."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None) -> None:
        self.port, self.cookies = port, dict(cookies or {})
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter, h11.Connection] | None = None
        self._used = 0.0

    async def ask(self, method: str, path: str) -> tuple[int, str]:
        """Return status and text of the answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(method, path)
        except (OSError, h11.ProtocolError, TimeoutError) as error:
            await self.close()
            raise Broken(repr(error)) from error

    def forget(self) -> None:
        self.cookies.clear()

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line[1].close()

    async def _ask(self, method: str, path: str) -> tuple[int, str]:
        clock = asyncio.get_running_loop().time
        if clock() - self._used > IDLE:
            await self.close()
        self._used = clock()
        if self._line is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            self._line = reader, writer, h11.Connection(h11.CLIENT)
        reader, writer, protocol = self._line
        headers = [("Host", "127.0.0.1"), ("User-Agent", "soak"), ("Content-Length", "0")]
        if self.cookies:
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers.append(("Cookie", cookie))
        request = h11.Request(method=method, target=path, headers=_latin(headers))
        writer.write(protocol.send(request) or b"")
        writer.write(protocol.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        status, body = 0, b""
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Response):
                status = event.status_code
                self._keep(
                    [
                        value.decode("latin1")
                        for name, value in event.headers
                        if name == b"set-cookie"
                    ]
                )
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                raise h11.RemoteProtocolError(repr(event))
        if protocol.our_state is h11.MUST_CLOSE or protocol.their_state is not h11.DONE:
            await self.close()
        else:
            protocol.start_next_cycle()
        return status, body.decode()

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def _latin(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin1")) for name, value in headers]
