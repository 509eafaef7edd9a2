"""`python -m bot purge`: everything of a snapshot, deleted for good."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.turns.visit import Service
from snapshot.destroying import destroy, in_the_way
from snapshot.errors import SnapshotError
from snapshot.opening import take_up
from snapshot.ports import DIRECTORY, Keys, KeysUnavailable, Kind, Missing, Record, SnapshotId
from snapshot.purging import Deleted, is_over, left, purge


class CannotPurge(Exception):
    """The message says why, to whoever runs the bot."""


async def _check_stopped(record: Record, keys: Keys, stopped: bool) -> None:
    """Raises `CannotPurge` for one that can still be closed, or of which nobody can tell."""
    id = record.id
    try:
        await take_up(record, keys)
    except KeysUnavailable as error:
        raise CannotPurge(f"Whether {id} is stopped cannot be told. {error}") from None
    except SnapshotError:
        if stopped:
            return
        raise CannotPurge(
            f"{id} is stopped: its key is lost, or its settings were changed. Look whether the "
            "keys can be brought back. If they cannot: purge it with --stopped."
        ) from None
    raise CannotPurge(f"{id} has not closed yet. Close it in its channel first.")


async def purge_snapshot(
    service: Service, keys: Keys, id: str, *, stopped: bool = False
) -> AsyncIterator[Deleted]:
    """Raises `CannotPurge`. `stopped`: also one that never closed, and whose key is lost."""
    try:
        record = await service.records.read(DIRECTORY, Kind.SNAPSHOT, id)
    except Missing:
        raise CannotPurge(f"There is no snapshot {id}.") from None
    if not is_over(record):
        await _check_stopped(record, keys, stopped)
    running = await service.directory.find(id, fresh=True)
    if running and not running.key_is_gone:
        if reason := await in_the_way(running, service.records):
            raise CannotPurge(f"{id} cannot be purged yet: {reason}.")
        await destroy(running, service.records)
    async for deleted in purge(record, service.records, keys):
        yield deleted
    if kinds := await left(service.records, SnapshotId(id)):
        raise CannotPurge(f"There is still some of {id}: {', '.join(kinds)}. Do it once more.")
