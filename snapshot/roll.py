"""The roll of those who have been released, pinned beside the keys.

Whoever may write to the database can put old rows back: a mix could then be run again with one
person more or less, and the difference would be that person's answers. So each batch is committed
twice: its journal in the database, sealed under a key of its own, and the pin beside the keys,
which holds that key and a digest of everybody released so far. Without the pin a journal is noise,
and who is on the roll is never opened again. See docs/decisions/0007-the-roll.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Self

from snapshot.attempts import Attempts
from snapshot.errors import Tampered
from snapshot.ports import (
    Changed,
    Exists,
    Keys,
    Kind,
    Missing,
    PinChanged,
    Record,
    Records,
    SnapshotId,
)
from snapshot.snapshot import Snapshot

_ROLL = "roll"


@dataclass(frozen=True, slots=True)
class Pin:
    """What stands beside a snapshot's key. `number` grows with each change.

    `roll`: digest of the tags that have been released; `journal` and `key`: digest of the last
    journal that counts, and what opens it. The others only ever go one way, so that an old copy of
    the database is known for one: `closed`: it takes no more answers; `extensions`: how often the
    deadline was moved; `corrections`: how often contacts were; `mixed`: the ISO date of the last
    mixing by the calendar.
    """

    number: int = 0
    roll: str = ""
    journal: str = ""
    key: str = ""
    closed: bool = False
    extensions: int = 0
    mixed: str = ""
    corrections: int = 0

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        return cls(**json.loads(text)) if text else cls()

    def as_text(self) -> str:
        """Exactly as it was written, also by a version that knew of no corrections."""
        told = asdict(self)
        if not self.corrections:
            del told["corrections"]
        return json.dumps(told)

    @property
    def of_roll(self) -> str:
        """The digest of everybody released so far, which is nobody before the first mixing."""
        return self.roll or digest(())

    def opens(self, journal: Record) -> bool:
        """Whether this is the journal that counts."""
        return bool(self.journal) and self.journal == digest([journal.body["sealed"]])


def digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


async def pinned(keys: Keys, snapshot: SnapshotId) -> Pin:
    return Pin.from_text(await keys.pinned(snapshot))


async def pin(keys: Keys, snapshot: SnapshotId, before: Pin, after: Pin) -> Pin:
    """Put a newer pin in place of `before`. Raises `PinChanged` if that is no longer the one."""
    was = before.as_text() if before.number else None
    after = replace(after, number=before.number + 1)
    await keys.pin(snapshot, after.as_text(), was=was)
    return after


async def pin_closed(keys: Keys, snapshot: SnapshotId) -> None:
    """From here on a record that says that the snapshot is open is an old one."""
    await _pin_once(keys, snapshot, lambda now: replace(now, closed=True))


async def pin_changes(keys: Keys, snapshot: Snapshot) -> None:
    """From here on settings with fewer extensions or corrections are old ones."""
    await _pin_once(
        keys,
        snapshot.id,
        lambda now: replace(
            now,
            extensions=max(now.extensions, len(snapshot.extensions)),
            corrections=max(now.corrections, len(snapshot.corrections)),
        ),
    )


async def pin_mixed(keys: Keys, snapshot: SnapshotId, day: date) -> None:
    """The mixing of a day has been done, and is not to be done again."""
    await _pin_once(keys, snapshot, lambda now: replace(now, mixed=max(now.mixed, day.isoformat())))


async def is_mixed(keys: Keys, snapshot: SnapshotId, day: date) -> bool:
    return (await pinned(keys, snapshot)).mixed >= day.isoformat()


async def _pin_once(keys: Keys, snapshot: SnapshotId, step: Callable[[Pin], Pin]) -> None:
    while (after := step(before := await pinned(keys, snapshot))) != before:
        with suppress(PinChanged):
            await pin(keys, snapshot, before, after)


async def released(keys: Keys, records: Records, snapshot: SnapshotId) -> frozenset[str]:
    """The tags on the roll. Raises `Tampered` if it is not the one that was pinned.

    Only ever asked while no journal waits to be carried out.
    """
    tags = await _read(records, snapshot)
    if digest(tags) != (await pinned(keys, snapshot)).of_roll:
        raise Tampered(snapshot)
    return tags


async def is_behind(keys: Keys, records: Records, snapshot: SnapshotId) -> bool:
    """Whether this is a copy of the database from before a mixing that the pin knows of.

    Not while one is under way, whose journal stands there.
    """
    while True:
        known = await pinned(keys, snapshot)
        if await _is_roll(records, snapshot, known):
            return False
        if await records.heads(snapshot, Kind.JOURNAL):
            return False
        # One that ended just now has left its roll; one that began since has left another pin.
        is_behind = not await _is_roll(records, snapshot, known)
        if await pinned(keys, snapshot) == known:
            return is_behind


async def _is_roll(records: Records, snapshot: SnapshotId, known: Pin) -> bool:
    return digest(await _read(records, snapshot)) == known.of_roll


async def extend_roll(records: Records, snapshot: SnapshotId, tags: Iterable[str]) -> None:
    """Write down who has been released by now; what is on the roll stays on it."""
    tags = frozenset(tags)
    attempts = Attempts()
    while True:
        attempts.begin()
        try:
            found = await records.read(snapshot, Kind.ROLL, _ROLL)
        except Missing:
            try:
                await records.create(Record(snapshot, Kind.ROLL, _ROLL, {"tags": sorted(tags)}))
            except Exists:
                continue
            return
        if tags <= set(found.body["tags"]):
            return
        try:
            await records.replace(replace(found, body={"tags": sorted(tags)}))
        except Changed:
            continue
        return


async def _read(records: Records, snapshot: SnapshotId) -> frozenset[str]:
    try:
        return frozenset((await records.read(snapshot, Kind.ROLL, _ROLL)).body["tags"])
    except Missing:
        return frozenset()
