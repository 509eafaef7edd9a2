"""Opening a snapshot, changing what may change, and taking it up again after a restart.

What was fixed at opening stands twice in the record: plainly, and sealed. They must agree. So does
the phase once it is no longer open: nobody starts a close by changing a word in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from snapshot.attempts import Attempts
from snapshot.errors import Damaged, NotLater, NotOpen, Overtaken, Tampered, WrongKey
from snapshot.ports import (
    DIRECTORY,
    Changed,
    KeyExists,
    KeyMissing,
    Keys,
    KeysError,
    KeysUnavailable,
    Kind,
    Record,
    Records,
)
from snapshot.roll import Pin, pin_changes, pinned
from snapshot.sealing import Sealer
from snapshot.snapshot import Contacts, Correction, Extension, Phase, Snapshot

SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Running:
    """A snapshot whose key opens and whose settings are those that were frozen.

    `service` seals what is still kept when the snapshot's own key is destroyed. `key_is_gone`: it
    has been; what was published can still be shown.
    """

    snapshot: Snapshot
    sealer: Sealer
    service: Sealer
    record: Record
    keys: Keys
    key_is_gone: bool = False

    @property
    def phase(self) -> Phase:
        return Phase(self.record.state)

    @property
    def channel(self) -> str | None:
        """The facilitator's channel, sealed under the service's key; None: not yet known."""
        channel: str | None = self.record.body.get("channel")
        return channel

    @property
    def moderators(self) -> str | None:
        """The moderators' channel, sealed under the service's key; None: none has registered."""
        moderators: str | None = self.record.body.get("moderators")
        return moderators

    @property
    def moderator_code(self) -> str:
        """Whoever knows it may register the moderators' channel. Random, like the key."""
        return self.sealer.code("moderators")

    @property
    def closed(self) -> str | None:
        """The ISO date of the close, once there was one."""
        closed: str | None = self.record.body.get("closed")
        return closed

    def with_record(self, record: Record) -> Running:
        """As the record says now. Raises `Tampered`."""
        return (
            self if record == self.record else verify(record, self.sealer, self.service, self.keys)
        )


async def open_snapshot(
    records: Records, keys: Keys, snapshot: Snapshot, *, channel: str | None = None
) -> Running:
    """Freeze the settings and make the key. Raises `Exists` for a known id.

    Raises `KeyMissing` when the service's key has been lost.
    """
    service = await begin_service(records, keys)
    sealer = Sealer(await _key(keys, snapshot.id), snapshot.id)
    body = {
        **_settings(snapshot, sealer),
        "key_check": sealer.seal(snapshot.id, "key-check"),
        "channel": channel,
        "moderators": None,
        "closed": None,
    }
    record = Record(DIRECTORY, Kind.SNAPSHOT, snapshot.id, body, state=Phase.OPEN)
    return Running(snapshot, sealer, service, await records.create(record), keys)


async def begin_service(records: Records, keys: Keys) -> Sealer:
    """As `service_sealer`; the key is made as long as the store holds nothing sealed under it."""
    try:
        return await service_sealer(keys)
    except KeyMissing:
        if await records.heads(DIRECTORY, Kind.SNAPSHOT):
            raise
    return Sealer(await _key(keys, SERVICE), SERVICE)


async def service_sealer(keys: Keys) -> Sealer:
    """Seals what outlives a snapshot, such as its channel. Raises `KeyMissing`."""
    return Sealer(await keys.read(SERVICE), SERVICE)


async def _key(keys: Keys, id: str) -> bytes:
    """The snapshot's key. One that is there already is left from an opening that was cut short."""
    try:
        return await keys.create(id)
    except KeyExists:
        return await keys.read(id)


def _settings(snapshot: Snapshot, sealer: Sealer) -> dict[str, Any]:
    settings = snapshot.as_json()
    return {"settings": settings, "settings_seal": sealer.seal(settings, "settings")}


async def extend(
    running: Running, records: Records, deadline: datetime, reason: str, now: datetime
) -> Running:
    """Move the deadline, later only; the old one and the reason are kept.

    Raises as `_change`, and `NotLater`.
    """
    # In the hour that comes twice, a local time is equal to no time of another zone.
    deadline = deadline.astimezone(UTC)

    def moved(snapshot: Snapshot) -> Snapshot:
        if (deadline, reason) == _last_extension(snapshot):
            return snapshot  # the same tap, delivered again
        if deadline <= snapshot.deadline:
            raise NotLater
        extensions = (*snapshot.extensions, Extension(snapshot.deadline, reason))
        return replace(snapshot, deadline=deadline, extensions=extensions)

    return await _change(running, records, moved, now)


async def correct(
    running: Running, records: Records, contacts: Contacts, seen: int, now: datetime
) -> Running:
    """Put right whom people can turn to; what stood there is kept.

    `seen`: how many corrections there were when it was looked at. Raises as `_change`, and
    `Overtaken` when somebody else has corrected them since.
    """

    def corrected(snapshot: Snapshot) -> Snapshot:
        if contacts == snapshot.contacts:
            return snapshot  # the same tap, delivered again
        if seen != len(snapshot.corrections):
            raise Overtaken
        corrections = (*snapshot.corrections, Correction(snapshot.contacts))
        return replace(snapshot, contacts=contacts, corrections=corrections)

    return await _change(running, records, corrected, now)


async def _change(
    running: Running, records: Records, step: Callable[[Snapshot], Snapshot], now: datetime
) -> Running:
    """Plain and sealed settings change in one write, unless `step` changes nothing.

    Raises `NotOpen` from the deadline on: by then people have been told that it has closed. Raises
    `Tampered`.
    """
    attempts = Attempts()
    while True:
        attempts.begin()
        known = await pinned(running.keys, running.snapshot.id)
        # What the caller knows may be from before somebody else's change.
        found = await records.read(DIRECTORY, Kind.SNAPSHOT, running.snapshot.id)
        running = running.with_record(found)
        if running.phase is not Phase.OPEN or now >= running.snapshot.deadline:
            raise NotOpen(running.phase)
        await check_not_old(running, known)
        changed = step(running.snapshot)
        if changed == running.snapshot:
            return running
        body = {**running.record.body, **_settings(changed, running.sealer)}
        with suppress(Changed):
            record = await records.replace(replace(running.record, body=body))
            await pin_changes(running.keys, changed)
            return replace(running, snapshot=changed, record=record)


def _last_extension(snapshot: Snapshot) -> tuple[datetime, str] | None:
    last = snapshot.extensions[-1:]
    return (snapshot.deadline, last[0].reason) if last else None


async def take_up(record: Record, keys: Keys) -> Running:
    """Check a snapshot's record against its key.

    Raises `WrongKey` when its key or the service's is gone or another one, `Tampered` when settings
    differ or the record is old, also if it was changed after it was read, and `KeysUnavailable`
    when nobody can tell.
    """
    try:
        sealer = Sealer(await keys.read(record.id), record.id)
        sealer.open(record.body["key_check"], "key-check")
        service = await service_sealer(keys)
    except KeysUnavailable:
        raise
    except (KeysError, Damaged, ValueError, KeyError) as error:
        raise WrongKey(record.id) from error
    running = verify(record, sealer, service, keys)
    await check_not_old(running, await pinned(keys, running.snapshot.id))
    return running


async def check_not_old(running: Running, known: Pin) -> None:
    """Raises `Tampered` if this is an old copy of the record: `known` tells of something newer.

    A record that is read after its pin is never older, whoever changes both in between. A change by
    a process which died before it could pin that is pinned now.
    """
    snapshot = running.snapshot
    reopened = known.closed and running.phase is Phase.OPEN
    moved_since = known.extensions > len(snapshot.extensions)
    corrected_since = known.corrections > len(snapshot.corrections)
    if reopened or moved_since or corrected_since:
        raise Tampered(snapshot.id)
    await pin_changes(running.keys, snapshot)


def verify(record: Record, sealer: Sealer, service: Sealer, keys: Keys) -> Running:
    """Raises `Tampered` when settings or phase are not those that were sealed."""
    snapshot = Snapshot.from_json(_checked_settings(record, sealer))
    if record.state not in set(Phase):
        raise Tampered(record.id)
    running = Running(snapshot, sealer, service, record, keys)
    if running.phase is not Phase.OPEN and not _is_sealed(running):
        raise Tampered(record.id)
    return running


def in_phase(running: Running, phase: Phase, closed: str | None) -> Record:
    """The record as it has to be in a later phase; `closed` is the day of the close."""
    seal = running.sealer.seal([phase, closed], "phase")
    body = {**running.record.body, "closed": closed, "phase_seal": seal}
    return replace(running.record, state=phase, body=body)


def _is_sealed(running: Running) -> bool:
    try:
        sealed = running.sealer.open(running.record.body["phase_seal"], "phase")
    except (Damaged, KeyError):
        return False
    return bool(sealed == [running.phase, running.closed])


def _checked_settings(record: Record, sealer: Sealer) -> dict[str, Any]:
    try:
        sealed: dict[str, Any] = sealer.open(record.body["settings_seal"], "settings")
    except (Damaged, KeyError) as error:
        raise Tampered(record.id) from error
    if sealed != record.body.get("settings"):
        raise Tampered(record.id)
    return sealed
