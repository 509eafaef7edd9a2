"""`python -m bot purge`: everything of a snapshot, deleted for good."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.turns.visit import Service
from snapshot.destroying import destroy, in_the_way, take_up_either
from snapshot.errors import SnapshotError
from snapshot.ports import (
    DIRECTORY,
    Keys,
    KeysUnavailable,
    Kind,
    Missing,
    Record,
    Records,
    SnapshotId,
)
from snapshot.purging import Deleted, is_over, left, purge
from snapshot.snapshot import Phase


class CannotPurge(Exception):
    """The message says why, to whoever runs the bot."""


async def purge_snapshot(
    service: Service, keys: Keys, id: str, *, stopped: bool = False
) -> AsyncIterator[Deleted]:
    """Raises `CannotPurge`. `stopped`: also one that never closed, and whose key is lost."""
    try:
        record = await service.records.read(DIRECTORY, Kind.SNAPSHOT, id)
    except Missing:
        raise CannotPurge(f"There is no snapshot {id}.") from None
    if is_over(record):
        await _end_key(service, id)
    else:
        await _check_stopped(record, service.records, keys, stopped)
    async for deleted in purge(record, service.records, keys):
        yield deleted
    if kinds := await left(service.records, SnapshotId(id)):
        raise CannotPurge(f"There is still some of {id}: {', '.join(kinds)}. Do it once more.")


async def _end_key(service: Service, id: str) -> None:
    """Raises `CannotPurge` as long as somebody's answers are still to be mixed."""
    running = await service.directory.find_kept(id)
    if running and not running.key_is_gone:
        if reason := await in_the_way(running, service.records):
            raise CannotPurge(f"{id} cannot be purged yet: {reason}.")
        await destroy(running, service.records)


async def _check_stopped(record: Record, records: Records, keys: Keys, stopped: bool) -> None:
    """Raises `CannotPurge` for one that may still close, or of which nobody can tell."""
    id = record.id
    try:
        await take_up_either(record, records, keys)
    except KeysUnavailable as error:
        raise CannotPurge(f"Whether {id} is stopped cannot be told. {error}") from None
    except SnapshotError:
        if stopped:
            return
        raise CannotPurge(
            f"{id} is stopped: its key is lost, or its settings were changed. Look whether the "
            "keys can be brought back. If they cannot: purge it with --stopped."
        ) from None
    if record.state != Phase.CLOSING:
        raise CannotPurge(f"{id} has not closed yet. Close it in its channel first.")
    if not stopped:
        raise CannotPurge(
            f"{id} is closing. If that does not end, since the database is an old copy: "
            "purge it with --stopped."
        )
