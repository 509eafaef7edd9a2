"""Deleting many records, whatever others do with them meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import batched

from snapshot.attempts import Attempts
from snapshot.ports import Changed, Kind, Missing, Records, SnapshotId

type Name = tuple[Kind, str]
"""The kind and the id of a record."""

_AT_ONCE = 16


async def names_of(records: Records, snapshot: SnapshotId, kinds: Sequence[Kind]) -> list[Name]:
    return [(kind, head.id) for kind in kinds for head in await records.heads(snapshot, kind)]


async def delete_all(
    records: Records, snapshot: SnapshotId, names: Sequence[Name]
) -> AsyncIterator[int]:
    """Tells now and then how many are gone. What is gone already is no trouble."""
    done = 0
    for some in batched(names, _AT_ONCE):
        await asyncio.gather(*(delete(records, snapshot, *name) for name in some))
        done += len(some)
        yield done


async def delete_unchanged(
    records: Records, snapshot: SnapshotId, kind: Kind, ids: Sequence[str]
) -> None:
    """But for those that somebody changes meanwhile, who is not done with them."""

    async def delete_one(id: str) -> None:
        with suppress(Missing, Changed):
            await records.delete(await records.read(snapshot, kind, id))

    for some in batched(ids, _AT_ONCE):
        await asyncio.gather(*map(delete_one, some))


async def delete(records: Records, snapshot: SnapshotId, kind: Kind, id: str) -> None:
    attempts = Attempts()
    while True:
        attempts.begin()
        try:
            await records.delete(await records.read(snapshot, kind, id))
            return
        except Missing:
            return
        except Changed:
            continue
