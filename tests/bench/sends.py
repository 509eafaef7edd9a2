"""What a message that nobody asked for costs, beside the stock adapter's: part of `make bench`.

Our delivery takes from its ledger on SQLite, keeps its pace and notes what came of each message;
the stock CloudAdapter's `continue_conversation` only sends. Both send the same card to the same
server, each from a process of its own. Then whether memory stays flat, however many recipients.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web
from rich.progress import Progress, track

from bot.delivery import Letter, Not
from bot.rehearsal.server import resident_mib
from bot.teams.bot import message_with
from bot.teams.connector import new_session
from snapshot.ledger import Entry
from storage.sqlite import SqliteRecords
from tests.bench.servers import Served, serve, started
from tests.bench.turn import packages, say
from tests.ledger.sender import HERE, Work, Writer, a_reply, delivery_of, note_all

ROUNDS = 5
OURS_A_ROUND = 600
STOCK_A_ROUND = 30
AT_LEAST = 20.0

FEW, MANY = 1_000, 50_000
STEP = 500
MOST_GROWTH = 0.05
"""Of some 100 MiB that is about 100 bytes for each recipient: less than a kept head would take."""

HURRY = 30
"""How many times as fast the pace goes: what it costs is counted, and nobody has to wait for it."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """How many have been noted and sent by now; CPU seconds of the sending alone; MiB."""

    steps: int
    cpu_s: float
    resident_mib: float


def main() -> None:
    with started("teams", serve_teams) as teams:
        with (
            started("ours", serve_ours, teams.url) as ours,
            started("stock", serve_stock, teams.url) as stock,
        ):
            ours_ms, stock_ms = compared(ours, stock)
        with started("ours", serve_ours, teams.url) as ours:
            few, many = grown(ours)
    ratio = statistics.median(stock_ms) / statistics.median(ours_ms)
    growth = many / few - 1
    met = "met" if ratio >= AT_LEAST else "missed"
    say(
        f"ours   {_ms(ours_ms)} of CPU a message, ledger and pace with it",
        f"stock  {_ms(stock_ms)} of CPU a message ({packages('botbuilder-integration-aiohttp')})",
        f"stock / ours {ratio:5.1f} (goal: at least {AT_LEAST:g}, {met})",
        f"resident {few:.1f} MiB at most over {FEW:,} recipients, {many:.1f} over {MANY:,}:"
        f" {growth:+.1%} (goal: flat, at most {MOST_GROWTH:+.0%})",
    )
    if ratio < AT_LEAST or growth > MOST_GROWTH:
        sys.exit(1)


def compared(ours: Served, stock: Served) -> tuple[list[float], list[float]]:
    """Milliseconds of CPU for each message, in each round."""
    sends(ours, STOCK_A_ROUND)  # what is only done once is not counted
    sends(stock, STOCK_A_ROUND)
    rounds = [
        (sends(ours, OURS_A_ROUND)[-1], sends(stock, STOCK_A_ROUND)[-1])
        for _ in track(range(ROUNDS), description="Rounds")
    ]
    return (
        [each.cpu_s * 1000 / OURS_A_ROUND for each, _ in rounds],
        [each.cpu_s * 1000 / STOCK_A_ROUND for _, each in rounds],
    )


def grown(ours: Served) -> tuple[float, float]:
    """The most resident memory in MiB, with few and then with many that are due at once."""
    few = sends(ours, FEW)
    with Progress() as progress:
        bar = progress.add_task("Noted and sent", total=2 * MANY)
        many = sends(ours, MANY, lambda steps: progress.update(bar, completed=steps))
    return max(each.resident_mib for each in few), max(each.resident_mib for each in many)


def sends(
    served: Served, how_many: int, tell: Callable[[int], None] = lambda _: None
) -> list[Progressed]:
    served.pipe.send(how_many)
    found: list[Progressed] = []
    while not found or found[-1].steps < 2 * how_many:
        found.append(served.pipe.recv())
        tell(found[-1].steps)
    return found


def _ms(rounds: Sequence[float]) -> str:
    middle, low, high = (f(rounds) for f in (statistics.median, min, max))
    return f"{middle:6.2f} ms ({low:.2f} to {high:.2f})"


# -- in each process ------------------------------------------------------------------------------


def serve_teams(_: Path, pipe: Connection) -> None:
    """Takes every message, and keeps none."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=b'{"id":"1"}', content_type="application/json", status=201)

    app = web.Application()
    app.router.add_post("/v3/conversations/{conversation}/activities", take)
    app.router.add_post("/v3/conversations/{conversation}/activities/{id}", take)
    asyncio.run(serve(app, pipe))


def serve_ours(folder: Path, pipe: Connection, url: str) -> None:
    asyncio.run(_serve_ours(folder, pipe, url))


async def _serve_ours(folder: Path, pipe: Connection, url: str) -> None:
    async with (
        SqliteRecords(folder / "snapshot.db") as records,
        new_session() as session,
    ):
        work = Work(url, hurry=HURRY)
        delivery, writer = delivery_of(work, records, session), Writer(work, a_reply())
        pipe.send("ready")
        begun = 0
        while how_many := await asyncio.to_thread(pipe.recv):
            for first in range(0, how_many, STEP):
                some = range(begun, begun + min(STEP, how_many - first))
                await note_all(records, (f"{n:032x}" for n in some))
                begun = some.stop
                pipe.send(Progressed(first, 0.0, resident_mib()))
            telling = Telling(pipe, writer, how_many)
            await delivery.deliver(HERE, telling)
            pipe.send(telling.progress(2 * how_many))


@dataclass
class Telling:
    """Tells from time to time how far the sending is."""

    pipe: Connection
    writer: Writer
    noted: int
    written: int = 0

    def __post_init__(self) -> None:
        self.began_at = time.process_time()

    async def __call__(self, entry: Entry) -> Letter | Not:
        self.written += 1
        if self.written % STEP == 0 and self.written < self.noted:
            self.pipe.send(self.progress(self.noted + self.written))
        return await self.writer(entry)

    def progress(self, steps: int) -> Progressed:
        return Progressed(steps, time.process_time() - self.began_at, resident_mib())


def serve_stock(_: Path, pipe: Connection, url: str) -> None:
    # Late, so that the other senders' memory stays free of it.
    from tests.bench.stock import send_unasked

    pipe.send("ready")
    card = message_with(a_reply())
    while how_many := pipe.recv():
        began_at = time.process_time()
        asyncio.run(send_unasked(card, url, how_many))
        pipe.send(Progressed(2 * how_many, time.process_time() - began_at, resident_mib()))


if __name__ == "__main__":
    main()
