"""A worker in a process of its own that kills itself at one chosen write."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from random import SystemRandom

from snapshot.closing import begin_close, finish_close
from snapshot.interim import mix_due
from snapshot.opening import take_up
from snapshot.ports import DIRECTORY, Head, Kind, Record, Records, SnapshotId
from snapshot.snapshot import Phase
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.core.exampleshire import INSTRUMENT, OPENED

MIXED = OPENED.replace(hour=3) + timedelta(days=1)
"""When a snapshot that is mixed daily has been due for the first time."""


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass
class Death:
    """This process ends by SIGKILL at write number `at`, from 1; a pin is a write too."""

    at: int = 0
    when: When = When.BEFORE
    writes: int = 0

    def about_to_write(self) -> None:
        self.writes += 1
        if self.when is When.BEFORE and self.writes == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def written[T](self, result: T) -> T:
        if self.when is When.AFTER and self.writes == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


@dataclass
class DyingRecords:
    """A real store, with a death that comes at some write."""

    inner: Records
    death: Death

    async def create(self, record: Record) -> Record:
        self.death.about_to_write()
        return self.death.written(await self.inner.create(record))

    async def replace(self, record: Record) -> Record:
        self.death.about_to_write()
        return self.death.written(await self.inner.replace(record))

    async def delete(self, record: Record) -> None:
        self.death.about_to_write()
        await self.inner.delete(record)
        self.death.written(None)

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        return await self.inner.read(snapshot, kind, id)

    async def heads(self, snapshot: SnapshotId, kind: Kind, state: str = "") -> list[Head]:
        return await self.inner.heads(snapshot, kind, state)

    async def first(self, snapshot: SnapshotId, kind: Kind, state: str, most: int) -> list[Record]:
        return await self.inner.first(snapshot, kind, state, most)

    async def read_all(self, snapshot: SnapshotId, kind: Kind) -> list[Record]:
        return await self.inner.read_all(snapshot, kind)

    async def forget(self) -> None:
        await self.inner.forget()


class DyingKeys(KeyFiles):
    """Real key files, with the same death."""

    def __init__(self, folder: Path, death: Death) -> None:
        super().__init__(folder)
        self._death = death

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        self._death.about_to_write()
        await super().pin(name, value, was=was)
        self._death.written(None)


def work_in(folder: Path, at: int = 0, when: When = When.BEFORE) -> int:
    """Mix what is open and finish what is closing in this folder; how many writes that took."""
    return asyncio.run(_work(folder, at, when))


def work_and_close_in(folder: Path) -> None:
    """The same after a restart; then close whatever is still open."""
    work_in(folder)
    asyncio.run(_begin_close(folder))
    work_in(folder)


async def _work(folder: Path, at: int, when: When) -> int:
    death, dice = Death(at, when), SystemRandom()
    keys = DyingKeys(folder / "keys", death)
    async with SqliteRecords(folder / "snapshot.db") as real:
        records = DyingRecords(real, death)
        for record in await records.read_all(DIRECTORY, Kind.SNAPSHOT):
            running = await take_up(record, keys)
            if running.phase is Phase.OPEN:
                await mix_due(running, INSTRUMENT, records, MIXED, dice=dice, wait=_no_patience)
            if running.phase is Phase.CLOSING:
                await finish_close(running, INSTRUMENT, records, dice=dice, wait=_no_patience)
        return death.writes


async def _begin_close(folder: Path) -> None:
    async with SqliteRecords(folder / "snapshot.db") as records:
        for record in await records.read_all(DIRECTORY, Kind.SNAPSHOT):
            await begin_close(await take_up(record, KeyFiles(folder / "keys")), records, MIXED)


async def _no_patience(_: float) -> None:
    """Whoever held the lock is dead: this test killed it."""
