"""What a survey turn costs, as a ratio: `make bench`.

The bot answers real HTTP in a process of its own, and so does a bare aiohttp handler that reads
and durably writes a record of the same size in the same store and sends back a card that was made
before. Rounds alternate, since machines are noisy; each figure is the median of the rounds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from rich.progress import track

from bot.app import make_app
from bot.rehearsal.teams import Teams
from bot.settings import Settings
from bot.web import make_web
from snapshot.ports import Kind, Record, SnapshotId
from snapshot.sealing import BALLOT_BYTES
from storage.sqlite import SqliteRecords

ROUNDS = 5
PEOPLE = 16
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Served:
    """A server in its own process. `pipe` answers anything with the CPU seconds that it used."""

    name: str
    url: str
    pipe: Connection

    def cpu_s(self) -> float:
        self.pipe.send("cpu")
        return float(self.pipe.recv())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bot = start("bot", serve_bot, Path(folder) / "bot")
        floor = start("floor", serve_floor, Path(folder) / "floor")
        try:
            ratio(bot, floor)
        finally:
            for served in (bot, floor):
                served.pipe.send(None)


def ratio(bot: Served, floor: Served) -> None:
    used: dict[str, list[float]] = {bot.name: [], floor.name: []}
    for number in track(range(ROUNDS), description="Rounds", console=None):
        for served in (bot, floor):
            used[served.name].append(asyncio.run(one_round(served, number)))
    cost = {name: statistics.median(found) for name, found in used.items()}
    lines = [f"{name:6} {1000 * each:6.2f} ms of CPU a turn" for name, each in cost.items()]
    lines.append(f"ratio  {cost[bot.name] / cost[floor.name]:6.2f} (goal: at most 3)")
    sys.stdout.write("\n".join(lines) + "\n")


async def one_round(served: Served, number: int) -> float:
    """CPU seconds of the server for each answered statement, 16 people at once."""
    async with aiohttp.ClientSession() as session:
        snapshot = await (await session.get(f"{served.url}/snapshot")).text()
        people = [Answering(snapshot, f"{number}-{i}", served.url) for i in range(PEOPLE)]
        await asyncio.gather(*(p.begin(session) for p in people))
        before = served.cpu_s()
        turns = sum(await asyncio.gather(*(p.answer_all(session) for p in people)))
        return (served.cpu_s() - before) / turns


@dataclass(frozen=True, slots=True)
class Answering:
    snapshot: str
    name: str
    url: str

    async def begin(self, session: aiohttp.ClientSession) -> None:
        await self._post(session, "survey.begin", agency="police")

    async def answer_all(self, session: aiohttp.ClientSession) -> int:
        for statement in STATEMENTS:
            await self._post(
                session, "survey.answer", statement=statement, option="mostly", revision=0
            )
        return len(STATEMENTS)

    async def _post(self, session: aiohttp.ClientSession, verb: str, **data: Any) -> None:
        teams = Teams(self.url)
        teams.url = "http://127.0.0.1:1"
        action = {
            "type": "Action.Execute",
            "verb": verb,
            "data": {"snapshot": self.snapshot, **data},
        }
        person = teams.person(self.name)
        person.object_id = self.name
        activity = person.activity(
            "invoke", name="adaptiveCard/action", value={"action": action, "trigger": "manual"}
        )
        async with session.post(
            f"{self.url}/api/messages",
            data=orjson.dumps(activity),
            headers={"Content-Type": "application/json"},
        ) as answer:
            body = await answer.read()
            if b'"statusCode":200' not in body or b"no longer" in body:
                raise RuntimeError("the turn was not answered as it should be")


STATEMENTS = [
    f"{d}{n}"
    for d, last in (("AW", 4), ("PV", 4), ("IR", 5), ("EA", 5), ("RS", 4))
    for n in range(1, last + 1)
]


# -- the servers, each in its own process --------------------------------------------------------


def start(name: str, target: Callable[[Path, Connection], None], folder: Path) -> Served:
    folder.mkdir()
    ours, theirs = _SPAWN.Pipe()
    _SPAWN.Process(target=target, args=(folder, theirs), daemon=True).start()
    return Served(name, str(ours.recv()), ours)


def serve_bot(folder: Path, pipe: Connection) -> None:
    asyncio.run(_serve_bot(folder, pipe))


async def _serve_bot(folder: Path, pipe: Connection) -> None:
    settings = Settings.from_env(
        {
            "SNAPSHOT_ENV": "local",
            "SNAPSHOT_STORE": f"sqlite:///{folder / 'snapshot.db'}",
            "SNAPSHOT_KEYS": f"file:{folder / 'keys'}",
            "SNAPSHOT_SAMPLE": "1",
        }
    )
    async with make_app(settings, lambda: datetime.now(UTC)) as app:
        (running,) = await app.service.directory.all()
        await _serve(app.web, running.snapshot.id, pipe)


def serve_floor(folder: Path, pipe: Connection) -> None:
    asyncio.run(_serve_floor(folder, pipe))


async def _serve_floor(folder: Path, pipe: Connection) -> None:
    ballot = "A" * (4 * BALLOT_BYTES // 3)
    snapshot = SnapshotId("floor")
    card = orjson.dumps({"statusCode": 200, "value": {"text": "x" * 4_500}})
    async with SqliteRecords(folder / "snapshot.db") as records:

        async def receive(_: object, raw: bytes) -> tuple[int, bytes]:
            activity = orjson.loads(raw)
            id = activity["from"]["aadObjectId"]
            if activity["value"]["action"]["verb"] == "survey.begin":
                await records.create(Record(snapshot, Kind.ENVELOPE, id, {"ballot": ballot}))
            else:
                await records.replace(await records.read(snapshot, Kind.ENVELOPE, id))
            return 200, card

        async def always() -> bool:
            return True

        await _serve(make_web(receive, always), snapshot, pipe)


async def _serve(app: web.Application, snapshot: str, pipe: Connection) -> None:
    async def which(_: web.Request) -> web.Response:
        return web.Response(text=snapshot)

    app.router.add_get("/snapshot", which)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    pipe.send(f"http://{host}:{port}")
    await asyncio.to_thread(_tell_cpu, pipe)
    await runner.cleanup()


def _tell_cpu(pipe: Connection) -> None:
    while pipe.recv():
        pipe.send(time.process_time())


if __name__ == "__main__":
    main()
