"""The servers that are compared, each in a process of its own that tells what it uses."""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from bot.app import App, make_app
from bot.logs import set_up
from bot.rehearsal.server import resident_mib
from bot.settings import Settings
from bot.web import make_web
from cards.verbs import Verb
from snapshot.ports import Kind, Record, SnapshotId
from snapshot.sealing import BALLOT_BYTES, CONTACT_BYTES
from storage.sqlite import SqliteRecords

_SPAWN = multiprocessing.get_context("spawn")
_END_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of the whole process since it began, and its resident memory in MiB."""

    cpu_s: float
    resident_mib: float


@dataclass(frozen=True, slots=True)
class Served:
    """A server in its own process. `pipe` answers anything with its `Usage`, None ends it."""

    name: str
    url: str
    pipe: Connection

    def usage(self) -> Usage:
        self.pipe.send("usage")
        usage: Usage = self.pipe.recv()
        return usage


@contextmanager
def started(name: str, serve: Callable[..., None], *more: Any, **named: Any) -> Iterator[Served]:
    """Run `serve(folder, pipe, *more, **named)` in a new process, with an empty folder of its own.

    Raises RuntimeError when it ends before it serves.
    """
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=serve, args=(Path(folder), theirs, *more), kwargs=named, daemon=True
        )
        process.start()
        # Only the server may hold its end: then we hear of it when the server dies.
        theirs.close()
        try:
            yield Served(name, str(ours.recv()), ours)
            ours.send(None)
        except EOFError:
            raise RuntimeError(f"the server {name!r} ended; it says why above") from None
        finally:
            ours.close()
            process.join(_END_TIMEOUT_S)


# -- ours ---------------------------------------------------------------------------------------


def serve_bot(folder: Path, pipe: Connection, **more_settings: str) -> None:
    """The whole bot, with its worker, on a sample snapshot; on SQLite, unless settings say else."""
    set_up()
    asyncio.run(_serve_bot(folder, pipe, more_settings))


async def _serve_bot(folder: Path, pipe: Connection, more_settings: Mapping[str, str]) -> None:
    places = {
        "SNAPSHOT_STORE": f"sqlite:///{folder / 'snapshot.db'}",
        "SNAPSHOT_KEYS": f"file:{folder / 'keys'}",
    }
    settings = {"SNAPSHOT_ENV": "local", "SNAPSHOT_SAMPLE": "1", **places, **more_settings}
    if settings["SNAPSHOT_ENV"] != "local":
        # Nobody opens a sample in production, so one is opened before.
        async with _app({**settings, "SNAPSHOT_ENV": "local"}):
            del settings["SNAPSHOT_SAMPLE"]
    async with _app(settings) as app, asyncio.TaskGroup() as group:
        worker = group.create_task(app.worker.run(), name="worker")
        await serve(app.web, pipe)
        worker.cancel()


def _app(settings: Mapping[str, str]) -> AbstractAsyncContextManager[App]:
    return make_app(Settings.from_env(settings), lambda: datetime.now(UTC))


# -- what it is set against ---------------------------------------------------------------------


def serve_stock(
    folder: Path, pipe: Connection, card: bytes, metadata: str = "", ca_file: str = ""
) -> None:
    """A bot as Microsoft's samples build it, that answers every button with the same card.

    It checks tokens where `metadata` says where the keys are; `ca_file` is what it trusts there.
    """
    # Late, so that the other servers' memory stays free of it.
    from tests.bench.stock import Config, Registered, checks_tokens, make_stock

    if metadata:
        checks_tokens(metadata, ca_file)
    config = Registered if metadata else Config
    asyncio.run(serve(make_stock(orjson.loads(card), config()), pipe))


def serve_floor(folder: Path, pipe: Connection, answer: bytes) -> None:
    """A bare handler that reads and durably writes a record as large as an envelope.

    It answers with bytes that were made before.
    """
    asyncio.run(_serve_floor(folder, pipe, answer))


async def _serve_floor(folder: Path, pipe: Connection, answer: bytes) -> None:
    snapshot = SnapshotId("floor")
    body = {
        "ballot": _as_long_as_sealed(BALLOT_BYTES),
        "contact": _as_long_as_sealed(CONTACT_BYTES),
    }
    async with SqliteRecords(folder / "snapshot.db") as records:

        async def receive(_: object, raw: bytes) -> tuple[int, bytes]:
            activity = orjson.loads(raw)
            id = activity["from"]["aadObjectId"]
            if activity["value"]["action"]["verb"] == Verb.BEGIN:
                await records.create(Record(snapshot, Kind.ENVELOPE, id, body))
            else:
                await records.replace(await records.read(snapshot, Kind.ENVELOPE, id))
            return 200, answer

        async def nothing() -> list[str]:
            return []

        await serve(make_web(receive, nothing), pipe)


def _as_long_as_sealed(size: int) -> str:
    """Sealing pads to `size` bytes and writes them as base64."""
    return "A" * (4 * size // 3)


# -- in each process ----------------------------------------------------------------------------


async def serve(app: web.Application, pipe: Connection) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    pipe.send(f"http://{host}:{port}")
    await asyncio.to_thread(_tell_usage, pipe)
    await runner.cleanup()


def _tell_usage(pipe: Connection) -> None:
    try:
        while pipe.recv():
            pipe.send(Usage(time.process_time(), resident_mib()))
    except EOFError:
        return
