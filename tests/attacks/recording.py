"""What whoever keeps the history of a database has: every version of every record, and its time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshot.ports import Head, Kind, Record, Records, SnapshotId

type Places = Mapping[str, int | str]
"""What a store tells of where and when something was put, by the name of the order that it gives.

Only the order of the values counts.
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One write, as a change feed tells it. `second` is what Cosmos DB calls `_ts`."""

    second: int
    verb: str
    record: Record


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a naive store. `second` is when it was written, since the opening."""

    id: str
    second: int
    body: Mapping[str, Any]


@dataclass
class Recorded:
    """Implements `Records` with another store; stands for a feed of all versions and deletes.

    Only writes that the store took are in `history`, and in `latest` by kind and id. `now` tells
    the second.
    """

    inner: Records
    now: Callable[[], int]
    history: list[Version] = field(default_factory=list)
    latest: dict[tuple[Kind, str], Record] = field(default_factory=dict)

    async def create(self, record: Record) -> Record:
        return self._noted("create", await self.inner.create(record))

    async def replace(self, record: Record) -> Record:
        return self._noted("replace", await self.inner.replace(record))

    async def delete(self, record: Record) -> None:
        await self.inner.delete(record)
        self._noted("delete", record)

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

    def _noted(self, verb: str, record: Record) -> Record:
        self.history.append(Version(self.now(), verb, record))
        self.latest[record.kind, record.id] = record
        return record
