"""An administrator gives the app to 10,000 people, and two processes greet them.

`python -m tests.bench.installs`: on SQLite, as fast as the processes take it; Teams tells of every
tenth install twice. Fails where anything that was promised does not hold.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from bot.rehearsal.teams import Call
from tests.bench.turn import say
from tests.ledger.checking import MOST_A_SECOND, most_within, taken
from tests.ports import free_port
from tests.stories.conftest import Clock
from tests.stories.opening import BotOnDemand
from tests.stories.processes import Serving, Spread

PEOPLE = 10_000
TWICE = 10
AT_ONCE = 50
ANSWERED_WITHIN_S = 2.7
MOST_GROWTH_MB = 40.0
PATIENCE_S = 900.0


@dataclass
class Run:
    calls: Sequence[Call] = ()
    statuses: set[int] = field(default_factory=set)
    answered_s: list[float] = field(default_factory=list)
    installed_s: float = 0.0
    greeted_s: float = 0.0
    mb: list[tuple[float, float]] = field(default_factory=list)

    def figures(self) -> list[tuple[str, str, bool]]:
        """Name, figure, and whether it is as it should be."""
        got, most = taken(self.calls), most_within(self.calls, 1.0)
        middle, longest = statistics.median(self.answered_s), max(self.answered_s)
        grown = max(after - before for before, after in self.mb)
        mb = ", ".join(f"{before:.0f} -> {after:.0f}" for before, after in self.mb)
        return [
            ("updates", f"{len(self.answered_s):,} in {self.installed_s:.0f} s", True),
            ("answered with", str(sorted(self.statuses)), self.statuses == {200}),
            (
                "answered within",
                f"{middle * 1000:.0f} ms, at most {longest * 1000:.0f} ms",
                longest <= ANSWERED_WITHIN_S,
            ),
            ("greeted", f"{len(got):,} in {self.greeted_s:.0f} s", len(got) == PEOPLE),
            ("greeted twice", str(sum(n > 1 for n in got.values())), set(got.values()) == {1}),
            ("most in any second", f"{most} (at most {MOST_A_SECOND})", most <= MOST_A_SECOND),
            ("memory of each process", f"{mb} MB", grown <= MOST_GROWTH_MB),
        ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(Path(folder))).figures()
    say("Installs", *(f"  {n:24} {'' if ok else 'MISSED: '}{what}" for n, what, ok in figures))
    sys.exit(not all(ok for *_, ok in figures))


async def run(folder: Path) -> Run:
    opener = BotOnDemand(folder, free_port(), clock=Clock(datetime.now(UTC)))
    await opener.starts()
    await opener.opens_a_snapshot()
    await opener.stops()
    done = Run()
    async with AsyncExitStack() as stack:
        bots = [
            await stack.enter_async_context(
                Serving(folder, {**opener.environment, "PORT": str(free_port())})
            )
            for _ in range(2)
        ]
        teams = await stack.enter_async_context(Spread("", bots=bots))
        await teams.deliver(teams.person("Somebody").activity("message", text="start"))
        teams.calls.clear()
        before = [bot.memory_mb for bot in bots]
        started = time.monotonic()
        with Progress() as progress:
            await install(teams, done, progress)
            done.installed_s = time.monotonic() - started
            await greet(teams, progress)
            done.greeted_s = time.monotonic() - started
        done.mb = [(mb, bot.memory_mb) for mb, bot in zip(before, bots, strict=True)]
        done.calls = teams.calls
    return done


async def install(teams: Spread, done: Run, progress: Progress) -> None:
    updates = [
        person.activity("installationUpdate", action="add")
        for number in range(PEOPLE)
        for person in [teams.person(f"Person {number}")] * (2 if number % TWICE == 0 else 1)
    ]
    told = progress.add_task("Installed", total=len(updates))
    waiting = iter(updates)

    async def deliver() -> None:
        for update in waiting:
            at = time.monotonic()
            done.statuses.add((await teams.deliver(update)).status)
            done.answered_s.append(time.monotonic() - at)
            progress.advance(told)

    await asyncio.gather(*(deliver() for _ in range(AT_ONCE)))


async def greet(teams: Spread, progress: Progress) -> None:
    greeting = progress.add_task("Greeted", total=PEOPLE)
    until = time.monotonic() + PATIENCE_S
    while (greeted := len(taken(teams.calls))) < PEOPLE and time.monotonic() < until:
        progress.update(greeting, completed=greeted)
        await asyncio.sleep(0.5)
    await asyncio.sleep(3.0)  # whatever comes twice would come now


if __name__ == "__main__":
    main()
