"""A real store with somebody who watches, and may do something, before each write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from snapshot.ports import Head, Kind, Record, Records, SnapshotId

type BeforeWrite = Callable[[Record], Awaitable[None]]


async def _do_nothing(record: Record) -> None:
    pass


@dataclass
class Watched:
    """Implements `Records` with another store; `verbs` are those that were used, in order."""

    inner: Records
    before_write: BeforeWrite = _do_nothing
    verbs: list[str] = field(default_factory=list)

    async def create(self, record: Record) -> Record:
        await self._writing("create", record)
        return await self.inner.create(record)

    async def replace(self, record: Record) -> Record:
        await self._writing("replace", record)
        return await self.inner.replace(record)

    async def delete(self, record: Record) -> None:
        await self._writing("delete", record)
        await self.inner.delete(record)

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        self.verbs.append("read")
        return await self.inner.read(snapshot, kind, id)

    async def heads(self, snapshot: SnapshotId, kind: Kind, state: str = "") -> list[Head]:
        self.verbs.append("heads")
        return await self.inner.heads(snapshot, kind, state)

    async def first(self, snapshot: SnapshotId, kind: Kind, state: str, most: int) -> list[Record]:
        self.verbs.append("first")
        return await self.inner.first(snapshot, kind, state, most)

    async def read_all(self, snapshot: SnapshotId, kind: Kind) -> list[Record]:
        self.verbs.append("read_all")
        return await self.inner.read_all(snapshot, kind)

    async def forget(self) -> None:
        self.verbs.append("forget")
        await self.inner.forget()

    async def _writing(self, verb: str, record: Record) -> None:
        await self.before_write(record)
        self.verbs.append(verb)


@dataclass
class AtWrite:
    """Does something once, before the write of this number (from 0)."""

    number: int
    act: Callable[[], Awaitable[object]]
    writes: int = 0

    async def __call__(self, record: Record) -> None:
        self.writes += 1
        if self.writes == self.number + 1:
            await self.act()

    @property
    def came_to_it(self) -> bool:
        return self.writes > self.number


@dataclass
class Slow(Watched):
    """Somebody else does something once, after a record was read and before it arrives."""

    act: Callable[[], Awaitable[object]] = field(kw_only=True)
    kind: Kind = Kind.SNAPSHOT
    is_done: bool = False

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        try:
            return await super().read(snapshot, kind, id)
        finally:
            if kind is self.kind and not self.is_done:
                self.is_done = True
                await self.act()
