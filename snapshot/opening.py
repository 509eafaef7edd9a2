"""Opening a snapshot, and taking it up again after a restart.

What was fixed at opening stands twice in the record: plainly, and sealed. They must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from snapshot.errors import Damaged, Tampered, WrongKey
from snapshot.ports import DIRECTORY, Keys, KeysError, Kind, Record, Records
from snapshot.sealing import Sealer
from snapshot.snapshot import Phase, Snapshot


@dataclass(frozen=True, slots=True)
class Running:
    """A snapshot whose key opens and whose settings are those that were frozen."""

    snapshot: Snapshot
    sealer: Sealer
    record: Record

    @property
    def phase(self) -> Phase:
        return Phase(self.record.state)

    @property
    def channel(self) -> str | None:
        """The facilitator's channel, sealed under the service's key; None: not yet known."""
        channel: str | None = self.record.body["channel"]
        return channel

    @property
    def closed(self) -> str | None:
        """The ISO date of the close, once there was one."""
        closed: str | None = self.record.body["closed"]
        return closed

    def with_record(self, record: Record) -> Running:
        return replace(self, record=record)


async def open_snapshot(
    records: Records, keys: Keys, snapshot: Snapshot, *, channel: str | None = None
) -> Running:
    """Freeze the settings and make the key. Raises `KeyExists` or `Exists` for a known id."""
    sealer = Sealer(await keys.create(snapshot.id), snapshot.id)
    settings = snapshot.as_json()
    body = {
        "settings": settings,
        "settings_seal": sealer.seal(settings, "settings"),
        "key_check": sealer.seal(snapshot.id, "key-check"),
        "channel": channel,
        "closed": None,
    }
    record = Record(DIRECTORY, Kind.SNAPSHOT, snapshot.id, body, state=Phase.OPEN)
    return Running(snapshot, sealer, await records.create(record))


async def take_up(record: Record, keys: Keys) -> Running:
    """Check a snapshot's record against its key.

    Raises `WrongKey` when the key is gone or another one, `Tampered` when settings differ.
    """
    try:
        sealer = Sealer(await keys.read(record.id), record.id)
        sealer.open(record.body["key_check"], "key-check")
    except (KeysError, Damaged, ValueError, KeyError) as error:
        raise WrongKey(record.id) from error
    snapshot = Snapshot.from_json(_checked_settings(record, sealer))
    if record.state not in set(Phase):
        raise Tampered(record.id)
    return Running(snapshot, sealer, record)


def _checked_settings(record: Record, sealer: Sealer) -> dict[str, Any]:
    try:
        sealed: dict[str, Any] = sealer.open(record.body["settings_seal"], "settings")
    except (Damaged, KeyError) as error:
        raise Tampered(record.id) from error
    if sealed != record.body.get("settings"):
        raise Tampered(record.id)
    return sealed
