"""The three addresses that we answer at."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.telemetry import turns

MOST_BYTES = 256 * 1024
"""An activity of ours has a few thousand; anything larger is refused with 413."""

type Receive = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]


def make_web(receive: Receive, missing: Callable[[], Awaitable[list[str]]]) -> web.Application:
    """`missing`: which of the parts that a turn needs do not answer now, by name."""

    async def messages(request: web.Request) -> web.Response:
        # Teams sends nothing compressed, and what claims to be may be broken, or a bomb.
        if "Content-Encoding" in request.headers:
            raise web.HTTPUnsupportedMediaType
        began = time.perf_counter()
        status, body = await receive(request.headers, await request.read())
        turns.record(time.perf_counter() - began, {"status": status})
        return web.Response(status=status, body=body, content_type="application/json")

    async def alive(_: web.Request) -> web.Response:
        return web.Response()

    async def ready(_: web.Request) -> web.Response:
        away = await missing()
        return web.json_response({"missing": away}, status=503 if away else 200)

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/api/messages", messages)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    return app
