"""The end of a snapshot: all that is kept of it is deleted, its key first.

What is left of an interruption is deleted by doing it again. The action plan is the area's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from snapshot.deleting import delete, delete_all, names_of
from snapshot.ports import DIRECTORY, Keys, Kind, Record, Records, SnapshotId
from snapshot.snapshot import Phase

_ITS_OWN = tuple(kind for kind in Kind if kind is not Kind.SNAPSHOT)


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many records of how many."""

    done: int
    of: int


def is_over(record: Record) -> bool:
    """Only what has closed can be purged: until then people may still answer."""
    return record.state == Phase.CLOSED


async def purge(record: Record, records: Records, keys: Keys) -> AsyncIterator[Deleted]:
    """`record` is the snapshot's in the directory, which goes last: until then it can be repeated.

    Sealed copies in backups can be opened by nobody once the key is gone.
    """
    id = SnapshotId(record.id)
    await keys.destroy(id)
    found = await names_of(records, id, _ITS_OWN)
    async for done in delete_all(records, id, found):
        yield Deleted(done, len(found) + 1)
    await delete(records, DIRECTORY, Kind.SNAPSHOT, record.id)
    await records.forget()
    yield Deleted(len(found) + 1, len(found) + 1)


async def left(records: Records, snapshot: SnapshotId) -> Sequence[Kind]:
    """The kinds of which there is still something."""
    return [kind for kind in _ITS_OWN if await records.heads(snapshot, kind)]
