"""What an operator sees and does of snapshots' keys: `python -m bot keys`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.acts import operator_did
from bot.turns.visit import Service
from snapshot.acts import Did
from snapshot.destroying import destroy, due_on, in_the_way
from snapshot.ports import DIRECTORY, Kind
from snapshot.roll import is_behind


class CannotDestroy(Exception):
    """The message says why."""


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """`key`: in use, destroyed, or stopped (gone, another one, or settings that were changed).

    `is_old`: this is a copy of the database from before its last mixing.

    `recoverable`: the day until which a destroyed key can still be brought back.
    """

    snapshot: str
    phase: str
    key: str
    due: date | None = None
    recoverable: date | None = None
    is_old: bool = False


async def key_statuses(service: Service) -> list[KeyStatus]:
    """Of every snapshot, those that are stopped too."""
    known = {str(r.snapshot.id): r for r in await service.directory.kept()}
    found = []
    for record in await service.records.read_all(DIRECTORY, Kind.SNAPSHOT):
        running = known.get(record.id)
        if running is None:
            found.append(KeyStatus(record.id, record.state, "stopped"))
        elif running.key_is_gone:
            until = await running.keys.recoverable_until(record.id)
            found.append(KeyStatus(record.id, record.state, "destroyed", recoverable=until))
        else:
            due = due_on(running, service.setting.key_days)
            is_old = await is_behind(running.keys, service.records, running.snapshot.id)
            found.append(KeyStatus(record.id, record.state, "in use", due, is_old=is_old))
    return found


async def destroy_key(service: Service, id: str) -> date | None:
    """Before its day, if somebody wants that: the day until which it can still be brought back.

    Raises `CannotDestroy`.
    """
    running = await service.directory.find_kept(id)
    if running is None:
        raise CannotDestroy(f"There is no snapshot {id} that could be taken up.")
    if reason := await in_the_way(running, service.records):
        raise CannotDestroy(f"The key of {id} cannot be destroyed yet: {reason}.")
    await destroy(running, service.records)
    await operator_did(service, running, Did.DESTROYED_KEY)
    return await running.keys.recoverable_until(id)
