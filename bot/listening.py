"""Where requests come in: within a time, and each to its end before the process ends.

A proxy in front may do some of this too. Nothing here counts on it.
"""

from __future__ import annotations

import asyncio
from typing import cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.logs import where
from bot.web import NAMED

HEAD_S = 10.0
"""Within which the head of a request has to be here: of the first from when somebody connected, of
others from its first byte. Bodies: `bot.web`.
"""

LINGERS_S = 2.0
"""How long what nobody wants to read of a body is still taken, so that the answer arrives."""

GOES_ON_S = 1.0
"""How long connections that are there may bring one more request, once nobody can connect."""

_LOOKS = 50

ENDS_WITHIN_S = 8.0
"""Then a turn is given up. It takes 2.7 s, and what it sends may take longer."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_log = structlog.get_logger()


class Connection(web.RequestHandler):
    """As aiohttp has it, with a time for the head; and what is no HTTP is not worth a log line.

    Its own answers quote what came, and each would be a line for whoever wants to fill a disk.
    """

    _half: asyncio.TimerHandle | None = None
    _is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._waits()

    def data_received(self, data: bytes) -> None:
        if self._half is None and not self._is_answering:
            self._waits()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._is_whole()
        super().connection_lost(exc)

    def begins(self) -> None:
        self._is_whole()
        self._is_answering = True

    def ends(self) -> None:
        self._is_answering = False

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it quotes what came
    ) -> web.StreamResponse:
        if exc is not None and status >= 500:
            _log.error("request failed", **where(exc))
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer has been sent already")
        answer = web.Response(status=status, headers=NAMED)
        answer.force_close()
        return answer

    def _waits(self) -> None:
        self._half = asyncio.get_running_loop().call_later(HEAD_S, self._is_too_slow)

    def _is_whole(self) -> None:
        if self._half is not None:
            self._half.cancel()
            self._half = None

    def _is_too_slow(self) -> None:
        self._half = None
        if self.transport is not None:
            self.transport.write(_TOO_SLOW)
        self.force_close()


class Listening:
    """Answers at an address; `until_cancelled` then answers what has come, and ends.

    Raises OSError when it cannot listen there.
    """

    def __init__(self, app: web.Application) -> None:
        app.middlewares.append(self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=ENDS_WITHIN_S)
        self._is_ending = False

    async def starts(self, host: str, port: int) -> None:
        await self._runner.setup()
        self._server = cast("web.Server", self._runner.server)  # there is one from now on
        self._listener = await asyncio.get_running_loop().create_server(self._connect, host, port)

    @property
    def port(self) -> int:
        found: int = self._listener.sockets[0].getsockname()[1]
        return found

    async def until_cancelled(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.ends()

    async def ends(self) -> None:
        """From now on an answer says that its connection ends with it: the next goes elsewhere."""
        self._is_ending = True
        self._listener.close()
        for _ in range(_LOOKS):
            if not self._server.connections:
                break
            await asyncio.sleep(GOES_ON_S / _LOOKS)
        await self._runner.cleanup()

    def _connect(self) -> Connection:
        # Teams compresses nothing, so what is compressed is refused as it is.
        return Connection(
            self._server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # it is what aiohttp itself passes for none
            auto_decompress=False,
            lingering_time=LINGERS_S,
        )

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = cast("Connection", request.protocol)
        connection.begins()
        try:
            answer = await handler(request)
        except web.HTTPException as refusal:
            refusal.force_close()
            raise
        finally:
            connection.ends()
        if self._is_ending:
            answer.force_close()
        return answer
