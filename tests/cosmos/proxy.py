"""Stands between the store and the server, and does to requests what networks and clouds do."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Self

import aiohttp
from aiohttp import web

from storage.azure import Connections
from storage.cosmos_opening import Account
from tests.cosmos.server import Server


@dataclass(frozen=True, slots=True)
class Fault:
    """`acts`: the server has done it before things go wrong. `status` 0: the connection is cut.

    `stale`: a read is answered as it was the last time that something else stood there.
    `deaf`: until it answers it does not notice either that nobody waits any more. `until`: what is
    waited for before anything else is done.
    """

    acts: bool = False
    stale: bool = False
    deaf: bool = False
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    until: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A request for items.

    `write` is the mark of what it writes, `reads` the kind that it reads or lists; empty: it
    does not. `lists`: whether it is a list.
    """

    method: str
    write: str
    reads: str = ""
    lists: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def answer(self) -> web.Response:
        return web.Response(status=self.status, headers=self.headers, body=self.content)


type Plan = Callable[[Seen], Fault | None]


def nothing(_: Seen) -> None:
    return None


@dataclass
class Proxy:
    """`plan` says what becomes of each request for items; all others pass.

    `account_says` replaces parts of what the account tells about itself.
    """

    server: Server
    plan: Plan = nothing
    seen: list[Seen] = field(default_factory=list)
    # What each read was answered, one after the other, without those that said the same again.
    told: dict[tuple[str, bytes], list[Told]] = field(default_factory=dict)
    account_says: Mapping[str, object] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            trusted = ssl.create_default_context(cafile=self.server.ca_file)
            self._onward = await stack.enter_async_context(
                aiohttp.ClientSession(connector=Connections(trusted))
            )
            shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            shown.load_cert_chain(self.server.ca_file, self.server.folder / "key.pem")
            app = web.Application(client_max_size=4 * 1024 * 1024)
            app.router.add_route("*", "/{path:.*}", self._take)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=shown).start()
            self.port = int(runner.addresses[0][1])
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def reach(self, account: Account) -> Account:
        """The same database, through here."""
        return replace(account, url=f"https://127.0.0.1:{self.port}/")

    def next(self, *faults: Fault | None) -> None:
        """These befall the next requests, one each (None: nothing does); then all is well."""
        coming = list(faults)
        self.seen.clear()
        self.plan = lambda _: coming.pop(0) if coming else None

    def always(self, fault: Fault) -> None:
        self.seen.clear()
        self.plan = lambda _: fault

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = None
        if "/docs" in request.path:
            seen = _seen(request, body)
            self.seen.append(seen)
            fault = self.plan(seen)
            if seen.reads and (fault is None or fault.stale):
                return await self._read(request, body, is_stale=fault is not None)
        answer = None if fault and not fault.acts else await self._forward(request, body)
        if fault is None:
            return answer or web.Response()
        assert isinstance(request.transport, asyncio.Transport)
        with _deaf(request.transport) if fault.deaf else nullcontext():
            await asyncio.sleep(fault.delay_s)
            if fault.until is not None:
                await fault.until.wait()
        if fault.status:
            return web.Response(status=fault.status, headers=fault.headers, text="{}")
        if fault.delay_s or fault.until is not None:
            return answer or await self._forward(request, body)
        request.transport.abort()
        return web.Response()

    async def _read(self, request: web.Request, body: bytes, *, is_stale: bool) -> web.Response:
        now = await self._ask(request, body)
        before = self.told.setdefault((request.path, body), [])
        if not before or before[-1].content != now.content:
            before.append(now)
        return before[-2 if is_stale else -1 :][0].answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        return (await self._ask(request, body)).answer

    async def _ask(self, request: web.Request, body: bytes) -> Told:
        url = f"https://127.0.0.1:{self.server.port}{request.raw_path}"
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _OWN}
        async with self._onward.request(
            request.method, url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            told = {n: v for n, v in answer.headers.items() if n.lower() not in _OWN}
            content = await answer.read()
        if request.path == "/":
            content = json.dumps({**json.loads(content), **self.account_says}).encode()
        return Told(answer.status, told, content)


@contextmanager
def _deaf(transport: asyncio.Transport) -> Iterator[None]:
    transport.pause_reading()
    try:
        yield
    finally:
        transport.resume_reading()


_OWN = {"host", "content-length", "transfer-encoding", "connection", "keep-alive"}


def _seen(request: web.Request, body: bytes) -> Seen:
    listed = _listed_in(body)
    read = request.match_info["path"].rstrip("/").rpartition("/")[2].partition(":")[0]
    reads = read if request.method == "GET" else listed
    return Seen(request.method, _write_in(body), reads, bool(listed))


def _write_in(body: bytes) -> str:
    try:
        return str(json.loads(body).get("write", ""))
    except (ValueError, AttributeError):
        return ""


def _listed_in(body: bytes) -> str:
    try:
        asked = {each["name"]: each["value"] for each in json.loads(body)["parameters"]}
    except (ValueError, KeyError, TypeError):
        return ""
    return str(asked.get("@kind", ""))
