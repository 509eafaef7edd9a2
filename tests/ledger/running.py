"""A run of reminders by real processes on a real store, in front of a Teams that fails."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.app import without_serving
from bot.delivery import CLAIM_S
from bot.rehearsal.teams import Teams
from bot.settings import Settings
from bot.worker import Worker
from snapshot.ledger import MessageState
from storage.cosmos_calls import Patience
from storage.keyfiles import KeyFiles
from tests.ledger.area import CHANGING, MIDWAY, REACHABLE, Area, Counts, open_area
from tests.ledger.checking import Weather, taken
from tests.ledger.judging import Found
from tests.ledger.process import READY, Clock

ROOT = Path(__file__).parents[2]

BEGINS = MIDWAY + timedelta(minutes=90)
"""By the clocks that are right; those that jump by an hour stay within the hours for reminders."""

CHANGE_AT = 0.4
"""So many of all have got theirs when some change their mind."""

GIVEN_UP_AFTER_S = 150.0
"""Without a call: more than a claim and a failed look take."""

type Tell = Callable[[str, int, int], object]
"""Hears what is counted, how many of it there are, and of how many."""


@dataclass
class Morning:
    """A clock by which it is the morning of the reminder; it goes on, and can be moved."""

    moved: timedelta = field(default_factory=lambda: BEGINS - datetime.now(UTC))

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


@dataclass
class Stage:
    """What a run may do: start processes, kill them, work itself, wait."""

    folder: Path
    environment: Mapping[str, str]
    teams: Teams
    area: Area
    worker: Worker
    clock: Morning
    tell: Tell
    changed_at: float | None = None
    killed_after: list[int] = field(default_factory=list)
    wrong_clocks: int = 0
    all: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def ends(self) -> None:
        for process in self.all:
            process.kill()
            process.communicate()
        self.all.clear()

    @property
    def got(self) -> int:
        return len(taken(self.teams.calls))

    @property
    def most(self) -> int:
        """So many may get one: who changes their mind may have got it before."""
        return len(self.area.chats(*REACHABLE, *CHANGING))

    def starts(self, *, ahead_s: float = 0.0, jump_s: float = 0.0, after_s: float = 0.0) -> int:
        """Its number. The clock is ahead by so much of one that is right: see `Clock`."""
        self.wrong_clocks += bool(ahead_s or jump_s)
        clock = Clock(self.clock.moved.total_seconds(), ahead_s, jump_s, after_s)
        command = [sys.executable, "-m", "tests.ledger.process", clock.as_text()]
        env = {"PATH": os.environ["PATH"], **self.environment}
        with (self.folder / "bot.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the words stand above
                command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=log
            )
        self.all.append(process)
        return len(self.all) - 1

    def kills(self, number: int) -> None:
        self.all[number].kill()
        self.killed_after.append(len(self.teams.calls))

    async def works(self) -> None:
        """As one more process, until nothing is left.

        A minute passes at once when nothing is left but what a dead one had claimed.
        """
        async with asyncio.timeout(GIVEN_UP_AFTER_S):
            await self._works()

    async def _works(self) -> None:
        while True:
            await self.worker.do_due()
            left = await self.area.open()
            if left == {MessageState.CLAIMED}:
                self.clock.moved += timedelta(seconds=CLAIM_S)
            if not left:
                return
            await asyncio.sleep(0.5)

    async def until_it_works(self, number: int) -> None:
        said = self.all[number].stdout
        assert said
        assert await asyncio.to_thread(said.readline) == READY, "it says why in its log"

    async def for_some_time(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self._looks()

    async def until_got(self, how_many: int) -> None:
        while self.got < how_many:
            await self._looks()

    async def until_done(self) -> bool:
        """Nothing is left to do, and then all are asked to end. False: nothing happens any more."""
        seen, since, look_at = -1, 0.0, 0.0
        while True:
            await self._looks()
            now, calls = time.monotonic(), len(self.teams.calls)
            if calls > seen:
                seen, since = calls, now
            elif now - since > GIVEN_UP_AFTER_S:
                return False
            elif now - since > 1.0 and now >= look_at:
                if await self.area.is_done():
                    break
                # Looking must not keep a slow server busy.
                look_at = time.monotonic() + 20 * (time.monotonic() - now)
        for process in self.all:
            process.terminate()
        return all([await asyncio.to_thread(process.wait, 60) in (0, -9) for process in self.all])

    async def _looks(self) -> None:
        await asyncio.sleep(0.1)
        self.tell("Sent", self.got, self.most)
        if self.changed_at is None and self.got >= CHANGE_AT * self.most:
            await self.area.some_change_their_mind()
            self.changed_at = time.monotonic()


type Play = Callable[[Stage], Awaitable[None]]


async def reminded(
    folder: Path,
    counts: Counts,
    weather: Weather,
    play: Play,
    *,
    store: Mapping[str, str] | None = None,
    tell: Tell = lambda *_: None,
) -> Found:
    """Let a play be played on SQLite in this folder, or on a `store` that these settings name."""
    environment = {
        "SNAPSHOT_ENV": "local",
        "SNAPSHOT_STORE": f"sqlite:///{folder / 'snapshot.db'}",
        "SNAPSHOT_KEYS": f"file:{folder / 'keys'}",
        **(store or {}),
    }
    async with _stage(folder, environment, counts, weather, tell) as stage:
        area, teams = stage.area, stage.teams
        before, used_s, began_at = await area.versions(), _children_s(), time.monotonic()
        await play(stage)
        is_done = await stage.until_done()
        stage.ends()
        return Found(
            area,
            teams.calls,
            frozenset(sent.activity["summary"] for sent in teams.sent),
            killed_after=stage.killed_after,
            wrong_clocks=stage.wrong_clocks,
            is_done=is_done,
            changed_at=stage.changed_at or began_at,
            took_s=time.monotonic() - began_at,
            cpu_s=_children_s() - used_s,
            sent=await area.sent(),
            to_email=await area.to_email(),
            left_over=len(await area.left_over()),
            is_untouched=await area.versions() == before,
            logged=(folder / "bot.log").read_text(encoding="utf-8"),
        )


@asynccontextmanager
async def _stage(
    folder: Path, environment: Mapping[str, str], counts: Counts, weather: Weather, tell: Tell
) -> AsyncIterator[Stage]:
    """With everybody in it, and nobody reminded."""
    clock, total, added = Morning(), sum(counts.values()), 0

    def add(more: int) -> None:
        nonlocal added
        added += more
        tell("Added", added, total)

    with pytest.MonkeyPatch.context() as patch:
        # Who looks on must not give up where the server of the tests is busy.
        patch.setattr("storage.cosmos.Patience", partial(Patience, 120.0, 60.0))
        async with (
            Teams("", befalls=weather) as teams,
            without_serving(Settings.from_env(environment), clock) as app,
        ):
            service = app.service
            keys, instrument = KeyFiles(folder / "keys"), service.pack.instrument
            area = await open_area(service.records, keys, instrument, counts)
            weather.blocked = area.refused
            await area.add_all(teams.url, add)
            stage = Stage(folder, environment, teams, area, app.worker, clock, tell)
            try:
                yield stage
            finally:
                stage.ends()


def _children_s() -> float:
    """CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
