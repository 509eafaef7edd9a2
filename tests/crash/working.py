"""A worker in a process of its own that kills itself at one chosen write."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from random import SystemRandom

from snapshot.closing import begin_close, finish_close
from snapshot.interim import mix_due
from snapshot.opening import take_up
from snapshot.ports import DIRECTORY, Head, Kind, Record, Records, SnapshotId
from snapshot.snapshot import Phase
from storage.cosmos import CosmosRecords
from storage.cosmos_opening import Account
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.core.exampleshire import INSTRUMENT, OPENED
from tests.cosmos.patience import patient

MIXED = OPENED.replace(hour=3) + timedelta(days=1)
"""When a snapshot that is mixed daily has been due for the first time."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a snapshot is kept: keys in `folder`, records beside them or in an account."""

    folder: Path
    account: Account | None = None

    @asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        # So that a busy machine does not decide: whoever gives up here is not killed.
        with patient():
            async with self._records() as records:
                yield records

    def _records(self) -> AbstractAsyncContextManager[Records]:
        if self.account:
            return CosmosRecords(self.account)
        return SqliteRecords(self.folder / "snapshot.db")

    @property
    def keys(self) -> Path:
        return self.folder / "keys"


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass
class Death:
    """This process ends by SIGKILL at write number `at`, from 1; a pin is a write too.

    `writes` says of each what it was.
    """

    at: int = 0
    when: When = When.BEFORE
    writes: list[str] = field(default_factory=list)

    def about_to_write(self, what: str) -> None:
        self.writes.append(what)
        if self.when is When.BEFORE and len(self.writes) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def written[T](self, result: T) -> T:
        if self.when is When.AFTER and len(self.writes) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


@dataclass
class DyingRecords:
    """A real store, with a death that comes at some write."""

    inner: Records
    death: Death

    async def create(self, record: Record) -> Record:
        self.death.about_to_write(_what("made", record))
        return self.death.written(await self.inner.create(record))

    async def replace(self, record: Record) -> Record:
        self.death.about_to_write(_what("changed", record))
        return self.death.written(await self.inner.replace(record))

    async def delete(self, record: Record) -> None:
        self.death.about_to_write(_what("deleted", record))
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


def _what(done: str, record: Record) -> str:
    return " ".join(filter(None, (record.kind, done, record.state and f"({record.state})")))


class DyingKeys(KeyFiles):
    """Real key files, with the same death."""

    def __init__(self, folder: Path, death: Death) -> None:
        super().__init__(folder)
        self._death = death

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        self._death.about_to_write("pin changed")
        await super().pin(name, value, was=was)
        self._death.written(None)


def work_in(place: Place, at: int = 0, when: When = When.BEFORE) -> list[str]:
    """Mix what is open and finish what is closing; what was written, in order."""
    return asyncio.run(_work(place, at, when))


def work_and_close_in(place: Place) -> None:
    """The same after a restart; then close whatever is still open."""
    work_in(place)
    asyncio.run(_begin_close(place))
    work_in(place)


async def _work(place: Place, at: int, when: When) -> list[str]:
    death, dice = Death(at, when), SystemRandom()
    keys = DyingKeys(place.keys, death)
    async with place.records() as real:
        records = DyingRecords(real, death)
        for record in await records.read_all(DIRECTORY, Kind.SNAPSHOT):
            running = await take_up(record, keys)
            if running.phase is Phase.OPEN:
                await mix_due(running, INSTRUMENT, records, MIXED, dice=dice, wait=_no_patience)
            if running.phase is Phase.CLOSING:
                await finish_close(running, INSTRUMENT, records, dice=dice, wait=_no_patience)
        return death.writes


async def _begin_close(place: Place) -> None:
    async with place.records() as records:
        for record in await records.read_all(DIRECTORY, Kind.SNAPSHOT):
            await begin_close(await take_up(record, KeyFiles(place.keys)), records, MIXED)


async def _no_patience(_: float) -> None:
    """Whoever held the lock is dead: this test killed it."""
