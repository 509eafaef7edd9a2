"""A real bot on a real port, with a stand-in for Teams in front of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Self

import pytest
from aiohttp import web

from bot.app import App, make_app
from bot.logs import set_up
from bot.rehearsal.teams import PersonHere, Teams
from bot.sample import open_sample
from bot.settings import Settings
from bot.teams.bot import TURN_S
from snapshot.opening import Running
from storage.cosmos_calls import Patience
from storage.keyfiles import KeyFiles
from tests.cosmos.patience import patient
from tests.ports import free_port


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def moves(self, **by: int) -> None:
        self.now += timedelta(**by)


@dataclass
class RunningBot:
    """The whole bot in this process, its files in `folder`; `restarts` forgets all but those.

    `content` is the folder of its packs; None is our own.
    """

    folder: Path
    port: int
    clock: Clock = field(default_factory=Clock)
    sample: int = 0
    content: Path | None = None
    more_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process of its own needs to work on the same files."""
        return {
            "SNAPSHOT_ENV": "local",
            "SNAPSHOT_STORE": f"sqlite:///{self.folder / 'snapshot.db'}",
            "SNAPSHOT_KEYS": f"file:{self.folder / 'keys'}",
            "SNAPSHOT_REPORTS": str(self.folder / "reports"),
            "SNAPSHOT_SAMPLE": str(self.sample),
            "SNAPSHOT_CONTENT": str(self.content or ""),
            "PORT": str(self.port),
            **self.more_settings,
        }

    @property
    def settings(self) -> Settings:
        return Settings.from_env(self.environment)

    async def starts(self) -> None:
        set_up()
        self._stack = contextlib.AsyncExitStack()
        self.app: App = await self._stack.enter_async_context(make_app(self.settings, self.clock))
        runner = web.AppRunner(self.app.web, access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self._worker = asyncio.create_task(self.app.worker.run())
        self._stack.push_async_callback(self.stops_working)

    async def stops(self) -> None:
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.starts()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stops()

    async def restarts(self) -> None:
        await self.stops()
        await self.starts()

    async def stops_working(self) -> None:
        """It still answers people, but does nothing that is due."""
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker

    async def opens_a_snapshot(self, *, seed: int = 1, version: str = "") -> Running:
        """With the sample's agencies and nobody's answers yet, of a version of the instrument."""
        service = self.app.service
        instrument = service.pack.instrument
        running = await open_sample(
            service.records,
            KeyFiles(self.folder / "keys"),
            replace(instrument, version=version or instrument.version),
            people=0,
            now=self.clock(),
            dice=Random(seed),
        )
        return service.directory.note(running)


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """An answer that comes too late is an apology, which says how busy this machine is and no more.

    Nor is a probe told that a store is away which is only slow.
    """
    with patient(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.teams.bot.TURN_S", 60.0)
        patch.setattr("bot.readiness.WITHIN_S", 60.0)
        yield


@contextlib.contextmanager
def as_usual() -> Iterator[None]:
    """With the limits that hold outside the tests. What they are not for takes much longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.cosmos.Patience", Patience)
        patch.setattr("bot.teams.bot.TURN_S", TURN_S)
        yield


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[RunningBot]:
    async with RunningBot(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


@pytest.fixture
async def teams(bot: RunningBot) -> AsyncIterator[Teams]:
    async with Teams(bot.url) as here:
        yield here


@pytest.fixture
def channel(teams: Teams) -> str:
    return teams.channel()


@pytest.fixture
async def fay(teams: Teams, channel: str) -> PersonHere:
    """Facilitates, and the snapshot is that of her channel."""
    fay = teams.person("Fay")
    await fay.posts("status", channel)
    return fay
