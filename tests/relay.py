"""A proxy for HTTPS, as organisations have one between a server and the internet."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Relay:
    """`asked`: the heads of the requests that came, which say where to. It knows this machine only.

    `lets_through`: whether anybody gets there.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lets_through = True
        self._taking: list[asyncio.Task[None] | None] = []

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.gather(*filter(None, self._taking))

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._taking.append(asyncio.current_task())
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(asked)
        host, port = asked.split()[1].split(":")
        if not self.lets_through or host != "127.0.0.1":
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        onward, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pass_on(reader, back), _pass_on(onward, writer))
        for end in (back, writer):
            with suppress(ConnectionError):
                await end.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(65_536):
            writer.write(part)
    writer.close()
