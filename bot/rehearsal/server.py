"""The bot in a process of its own, whose clock is moved from outside."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

_SPAWN = multiprocessing.get_context("spawn")
_END_TIMEOUT_S = 10.0

HURRY = 20.0
"""The clock leaps from day to day, so nobody has to wait for the pace that Teams allows either."""


class ServerGone(Exception):
    """The bot has ended, and its log says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bot runs: its settings, the time at which it starts, and what it logs to."""

    environment: Mapping[str, str]
    at: datetime
    log: Path


@dataclass(frozen=True, slots=True)
class Worked:
    """What the worker did, each by its name, and the process's resident memory after it."""

    deeds: tuple[str, ...]
    resident_mib: float


@dataclass
class Server:
    """A bot that does what is due when it is told the time, and not before."""

    url: str
    pipe: Connection
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def moves(self, at: datetime, *, works: bool = True) -> Worked:
        """Move its clock, and have it do what is due then. Raises `ServerGone`."""
        async with self.lock:
            try:
                self.pipe.send((at, works))
                found: Worked = await asyncio.to_thread(self.pipe.recv)
            except (EOFError, OSError):
                raise ServerGone from None
            return found


@asynccontextmanager
async def serving(place: Place) -> AsyncIterator[Server]:
    """Raises `ServerGone`."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_run, args=(place, theirs), daemon=True)
    process.start()
    # Only the server may hold its end: then we hear of it when the server dies.
    theirs.close()
    try:
        yield Server(str(await asyncio.to_thread(ours.recv)), ours)
        ours.send(None)
    except (EOFError, BrokenPipeError):
        raise ServerGone from None
    finally:
        ours.close()
        await asyncio.to_thread(process.join, _END_TIMEOUT_S)


def _run(place: Place, pipe: Connection) -> None:
    """The whole bot. What it logs would stand in the middle of a progress bar."""
    with place.log.open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), 2)
    from bot.logs import set_up

    set_up()
    asyncio.run(_serve(place, pipe))


async def _serve(place: Place, pipe: Connection) -> None:
    from bot.app import make_app
    from bot.settings import Settings

    now = place.at
    settings = Settings.from_env(place.environment)
    async with make_app(settings, lambda: now, hurry=HURRY) as app:
        runner = web.AppRunner(app.web, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        pipe.send(f"http://{host}:{port}")
        while wanted := await asyncio.to_thread(_hear, pipe):
            now, works = wanted
            deeds = [deed.did for deed in await app.worker.do_due()] if works else []
            pipe.send(Worked(tuple(deeds), resident_mib()))
        await runner.cleanup()


def _hear(pipe: Connection) -> tuple[datetime, bool] | None:
    try:
        wanted: tuple[datetime, bool] | None = pipe.recv()
    except EOFError:
        return None
    return wanted


def resident_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (s for s in status.read_text().splitlines() if s.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    # Without /proc only the peak can be had: if that is flat, so is the rest. macOS gives bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
