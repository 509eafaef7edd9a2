"""`python -m bot purge`: everything of a snapshot, deleted for good."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.turns.visit import Service
from snapshot.destroying import destroy, in_the_way
from snapshot.ports import DIRECTORY, Keys, Kind, Missing, SnapshotId
from snapshot.purging import Deleted, is_over, left, purge


class CannotPurge(Exception):
    """The message says why, to whoever runs the bot."""


async def purge_snapshot(service: Service, keys: Keys, id: str) -> AsyncIterator[Deleted]:
    """Raises `CannotPurge`. One that is stopped, since its key is lost, can be purged as well."""
    try:
        record = await service.records.read(DIRECTORY, Kind.SNAPSHOT, id)
    except Missing:
        raise CannotPurge(f"There is no snapshot {id}.") from None
    if not is_over(record):
        raise CannotPurge(f"{id} has not closed yet. Close it in its channel first.")
    running = await service.directory.find(id, fresh=True)
    if running and not running.key_is_gone:
        if reason := await in_the_way(running, service.records):
            raise CannotPurge(f"{id} cannot be purged yet: {reason}.")
        await destroy(running, service.records)
    async for deleted in purge(record, service.records, keys):
        yield deleted
    if kinds := await left(service.records, SnapshotId(id)):
        raise CannotPurge(f"There is still some of {id}: {', '.join(kinds)}. Do it once more.")
