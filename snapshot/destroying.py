"""The end of a snapshot's key: from then on nobody can open what was sealed, not even from backups.

The record is marked first, so that a key that is gone is never taken for one that was lost.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from snapshot.calendar import day_of
from snapshot.closing import final_summary
from snapshot.envelope import SEALED
from snapshot.errors import Damaged, SnapshotError, Tampered
from snapshot.opening import Running, service_sealer, take_up
from snapshot.ports import (
    KeyMissing,
    Keys,
    KeysError,
    KeysUnavailable,
    Kind,
    Missing,
    Record,
    Records,
)
from snapshot.sealing import KEY_BYTES, Sealer
from snapshot.snapshot import Phase, Snapshot

_CONTEXT = "kept"


class NotYet(StrEnum):
    """Why a key cannot be destroyed now."""

    OPEN = "the snapshot has not closed"
    UNPUBLISHED = "the final figures have not been made"
    SEALED = "somebody's answers are still sealed"


def due_on(running: Running, key_days: int) -> date | None:
    """The day on which the key is due to be destroyed; None before the close."""
    if running.phase is not Phase.CLOSED or running.closed is None:
        return None
    return date.fromisoformat(running.closed) + timedelta(days=key_days)


async def in_the_way(running: Running, records: Records) -> NotYet | None:
    """What has to happen first; None: nothing."""
    if running.phase is not Phase.CLOSED:
        return NotYet.OPEN
    if await final_summary(records, running.snapshot.id) is None:
        return NotYet.UNPUBLISHED
    envelopes = await records.heads(running.snapshot.id, Kind.ENVELOPE)
    journals = await records.heads(running.snapshot.id, Kind.JOURNAL)
    if journals or any(head.state in SEALED for head in envelopes):
        return NotYet.SEALED
    return None


async def destroy_if_due(running: Running, records: Records, now: datetime, key_days: int) -> bool:
    """Destroy the key once its day has come and nothing is in the way; whether it was."""
    due = due_on(running, key_days)
    if running.key_is_gone or due is None or day_of(running.snapshot, now) < due:
        return False
    if await in_the_way(running, records):
        return False
    await destroy(running, records)
    return True


async def destroy(running: Running, records: Records) -> None:
    """Mark the snapshot, then destroy its key. Nothing may be `in_the_way`. May be done again.

    What the record says is sealed for the service: the snapshot's own seal can be checked no more.
    """
    record = running.record
    if not _is_marked(record):
        kept = running.service.seal(_told(record), _CONTEXT, record.id)
        record = await records.replace(replace(record, body={**record.body, "kept": kept}))
    await running.keys.destroy(record.id)


async def take_up_kept(record: Record, keys: Keys) -> Running | None:
    """A snapshot whose key has been destroyed: it can be shown, and opens nothing and nobody.

    None when the key is still there. Raises `Tampered` when the record is not as it was.
    """
    if not _is_marked(record):
        return None
    try:
        await keys.read(record.id)
        return None
    except KeyMissing:
        pass
    return _kept(record, keys, await service_sealer(keys))


async def take_up_either(record: Record, records: Records, keys: Keys) -> Running:
    """With its key or without. Raises as `take_up` and `take_up_kept`.

    Looks twice before it says that something is wrong: the record may have been changed, or its key
    destroyed, after it was read.
    """
    try:
        return await _either(record, keys)
    except KeysUnavailable:
        raise
    except (SnapshotError, KeysError):
        with suppress(Missing):
            record = await records.read(record.snapshot, record.kind, record.id)
        return await _either(record, keys)


async def _either(record: Record, keys: Keys) -> Running:
    return await take_up_kept(record, keys) or await take_up(record, keys)


def _is_marked(record: Record) -> bool:
    return "kept" in record.body


def _kept(record: Record, keys: Keys, service: Sealer) -> Running:
    try:
        sealed = service.open(record.body["kept"], _CONTEXT, record.id)
    except (Damaged, KeyError) as error:
        raise Tampered(record.id) from error
    if sealed != _told(record):
        raise Tampered(record.id)
    nobody = Sealer(secrets.token_bytes(KEY_BYTES), record.id)
    snapshot = Snapshot.from_json(record.body["settings"])
    return Running(snapshot, nobody, service, record, keys, key_is_gone=True)


def _told(record: Record) -> list[object]:
    return [record.body.get("settings"), record.state, record.body.get("closed")]
