"""The three addresses that we answer at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.telemetry import turns

MOST_BYTES = 256 * 1024
"""An activity of ours has a few thousand; anything larger is refused with 413."""

READ_S = 10.0
"""Within which a body has to be here, from its head. Teams sends both at once."""

NAMED = {"Server": "snapshot"}
"""In place of the versions of Python and aiohttp, by which one looks up how to attack them."""

type Receive = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]


def make_web(receive: Receive, missing: Callable[[], Awaitable[list[str]]]) -> web.Application:
    """`missing`: which of the parts that a turn needs do not answer now, by name."""

    async def messages(request: web.Request) -> web.Response:
        # Teams sends nothing compressed, and what claims to be may be broken, or a bomb.
        if "Content-Encoding" in request.headers:
            raise web.HTTPUnsupportedMediaType
        began = time.perf_counter()
        status, body = await receive(request.headers, await _body(request))
        turns.record(time.perf_counter() - began, {"status": status})
        return web.Response(status=status, body=body, content_type="application/json")

    async def alive(_: web.Request) -> web.Response:
        return web.Response()

    async def ready(_: web.Request) -> web.Response:
        away = await missing()
        return web.json_response({"missing": away}, status=503 if away else 200)

    app = web.Application(client_max_size=MOST_BYTES)
    app.on_response_prepare.append(_name_no_versions)
    app.router.add_post("/api/messages", messages)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    return app


async def _name_no_versions(_: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(NAMED)


async def _body(request: web.Request) -> bytes:
    """Raises 408 for a body that trickles, 400 for one that breaks off, 413 for one too large."""
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest from None
