"""What the core needs from outside: somewhere to keep records, and somewhere else for keys.

Promises are in the docstrings; `tests/contract/` holds every implementation to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NewType, Protocol

SnapshotId = NewType("SnapshotId", str)

DIRECTORY = SnapshotId("directory")
"""The partition that lists the snapshots themselves; what belongs to one is in its own."""


class Kind(StrEnum):
    SNAPSHOT = "snapshot"
    ENVELOPE = "envelope"
    JOURNAL = "journal"
    SLIP = "slip"
    TALLY = "tally"
    COMMENT = "comment"
    THEME = "theme"
    ROLL = "roll"
    PUBLICATION = "publication"
    MESSAGE = "message"
    PACE = "pace"
    LEAD = "lead"
    SESSION = "session"
    PARTNER = "partner"
    ACTION = "action"
    INSTALL = "install"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Head:
    """A record without its body, so that a list of people never pulls a sealed ballot."""

    id: str
    state: str
    group: str


@dataclass(frozen=True, slots=True)
class Record:
    """One item of the store. `body` holds JSON values only; `etag` is set by the store."""

    snapshot: SnapshotId
    kind: Kind
    id: str
    body: Mapping[str, Any]
    state: str = ""
    group: str = ""
    etag: str = ""


class RecordsError(Exception):
    """Root of what a store raises."""


class Exists(RecordsError):
    """There is a record with this id already."""


class Missing(RecordsError):
    """There is no such record."""


class Changed(RecordsError):
    """Somebody changed or deleted the record since it was read."""


class Unavailable(RecordsError):
    """The store did not answer. Whether a write arrived is not known; it may be tried again."""


class Records(Protocol):
    """Every verb is durable when it returns and touches one record only.

    Any verb may raise `Unavailable`.
    """

    async def create(self, record: Record) -> Record:
        """Keep a new record and return it with its etag. Raises `Exists`."""

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        """The record as it is now. Raises `Missing`."""

    async def replace(self, record: Record) -> Record:
        """Keep the record if nobody changed it since it was read. Raises `Changed`."""

    async def delete(self, record: Record) -> None:
        """Delete the record if nobody changed it since it was read. Raises `Changed`."""

    async def heads(self, snapshot: SnapshotId, kind: Kind, state: str = "") -> list[Head]:
        """All records of a kind (in one state, if given) without their bodies, by id."""

    async def first(self, snapshot: SnapshotId, kind: Kind, state: str, most: int) -> list[Record]:
        """Of a kind in one state, those whose `group` comes first, in that order: `most` at most.

        `group` is compared by its characters (ASCII); those with the same one are by id.
        """

    async def read_all(self, snapshot: SnapshotId, kind: Kind) -> list[Record]:
        """All records of a kind, whole, by id. Not for envelopes: see `heads`."""

    async def forget(self) -> None:
        """Leave nothing of overwritten values in the store's own files, where it has any.

        Raises `Unavailable` when somebody is in the way, and is then to be called again.
        """


class KeysError(Exception):
    """Root of what a key store raises. Never holds a key."""


class KeyMissing(KeysError):
    """There is no key of this name."""


class KeyExists(KeysError):
    """There is a key of this name already; keys are never overwritten."""


class PinChanged(KeysError):
    """The pin is no longer what it was thought to be."""


class KeysUnavailable(KeysError):
    """The key store did not answer, or turned us away: nothing is known of the key.

    The message says what to do.
    """


KEY_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""What a key may be called: no name can mean another place, wherever keys are kept."""


class Keys(Protocol):
    """32 random bytes under each name, kept apart from the records and their backups.

    Beside a key there may be a pin: a short text that whoever writes to the records cannot change.
    Any verb may raise `KeysUnavailable`, and `KeyMissing` for a name that is not a `KEY_NAME`.
    """

    async def create(self, name: str) -> bytes:
        """Make and keep a new key. Raises `KeyExists`."""

    async def read(self, name: str) -> bytes:
        """Raises `KeyMissing`."""

    async def destroy(self, name: str) -> None:
        """Destroy a key and its pin, for good. Destroying what is gone changes nothing.

        Where a store keeps what is deleted for some days, `recoverable_until` says so.
        """

    async def recoverable_until(self, name: str) -> date | None:
        """The day until which a destroyed key can be brought back (UTC); None: it cannot."""

    async def recoverable_days(self, name: str) -> int:
        """For how many days this key could be brought back after `destroy`. 0: not at all."""

    async def pinned(self, name: str) -> str | None:
        """The pin beside a key, or None."""

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        """Put a pin in place of the one that is thought to be there. Raises `PinChanged`.

        `value`: at most 1,000 characters. Durable when it returns.
        """
