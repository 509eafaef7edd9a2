"""Whoever has got the app is to be greeted, once: noted in the ledger until it is done.

An administrator may give it to ten thousand people at once, so nobody is greeted before it is their
turn, and Teams may tell of it twice. What is noted is sealed under the snapshot's own key, and so
is its name: who has got the app, and when, could be laid beside when an envelope was made. It stays
an hour or two, the address only until the greeting has gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from snapshot.deleting import delete_unchanged
from snapshot.ledger import OPEN, Entry, find, id_of, note
from snapshot.opening import Running
from snapshot.ports import Kind, Records
from snapshot.sealing import CONTACT_BYTES, Person

_WHAT = "greeting"


@dataclass(frozen=True, slots=True)
class Greeting:
    """Where it goes, and in which language."""

    address: Mapping[str, str]
    language: str


async def note_greeting(
    running: Running, records: Records, person: Person, greeting: Greeting, now: datetime
) -> bool:
    """False for who has been noted within this hour or the last."""
    sealer, id = running.sealer, running.snapshot.id
    recipient = sealer.name(_WHAT, person.tenant, person.object_id)
    this_hour, last_hour = _hours(now)
    if await find(records, id, id_of(last_hour, recipient)):
        return False
    sealed = sealer.seal(asdict(greeting), _WHAT, recipient, size=CONTACT_BYTES)
    return await note(records, id, this_hour, recipient, now, sealed)


def is_greeting(entry: Entry) -> bool:
    return _is_greeting(entry.record.id)


def opened(running: Running, entry: Entry) -> Greeting:
    """Raises `Damaged`."""
    return Greeting(**running.sealer.open(entry.sealed, _WHAT, entry.recipient))


async def forget_greetings(running: Running, records: Records, now: datetime) -> None:
    """Those that are done with, once Teams will not tell of the same install again."""
    hours, id = _hours(now), running.snapshot.id
    heads = await records.heads(id, Kind.MESSAGE)
    done = [h.id for h in heads if _is_greeting(h.id) and h.state not in OPEN]
    old = [id for id in done if not id.startswith(hours)]
    await delete_unchanged(records, id, Kind.MESSAGE, old)


def _is_greeting(id: str) -> bool:
    return id.startswith(f"{_WHAT}-")


def _hours(now: datetime) -> tuple[str, str]:
    """What a greeting of this hour is called, and one of the last."""
    this_hour, last_hour = (
        f"{_WHAT}-{at.astimezone(UTC):%Y-%m-%dT%H}" for at in (now, now - timedelta(hours=1))
    )
    return this_hour, last_hour
