"""Designated safeguarding leads: who is reminded, how to reach them, and who wants no more of it.

Sealed under the service's key, all at one length, since they have nothing to do with answers: the
snapshot's own key opens none of them. A record is named by a keyed hash of the address, so nobody
is kept twice, and a list of addresses matches nothing without the key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import batched
from typing import Any

from snapshot.attempts import Attempts
from snapshot.deleting import delete
from snapshot.lead_lists import MOST_ROWS, Row, normal_address
from snapshot.ledger import recipient_of
from snapshot.opening import Running
from snapshot.ports import Changed, Exists, Head, Kind, Missing, Record, Records, Unavailable
from snapshot.sealing import LEAD_BYTES, Person

MOST_LEADS = MOST_ROWS
"""In one snapshot."""

SILENT_FOR = timedelta(days=1)
"""How long after we have installed the app for somebody Teams may tell us that it is there."""

_AT_ONCE = 32
_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Before a lead is written again, where the store did not answer: a small one may be in haste."""
_ASKED = "!"
"""Comes before the hex digits by which a person is named, and after nothing."""

_TITLES = {
    "cllr",
    "dame",
    "dr",
    "miss",
    "mr",
    "mrs",
    "ms",
    "mx",
    "prof",
    "professor",
    "rev",
    "revd",
    "sir",
}


class LeadState(StrEnum):
    ACTIVE = "active"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Lead:
    """Name and organisation may be empty.

    `chat`: where the bot talks to them, as `bot` writes it down. `why`: the reason for which they
    cannot be reached in Teams; empty: none is known. `asked`: when they were looked for last, and
    not found; empty: never.
    """

    id: str
    address: str
    name: str = ""
    organisation: str = ""
    person: Person | None = None
    chat: Mapping[str, str] | None = None
    stopped: bool = False
    why: str = ""
    asked: str = ""

    @property
    def is_out_of_reach(self) -> bool:
        """Only an e-mail reaches them, and they want to be reached."""
        return not self.stopped and (self.person is None or bool(self.why))

    def is_sought(self, since: datetime) -> bool:
        """Whether only their address is known, and they have not been looked for since a time."""
        return self.person is None and self.asked < _second(since)

    @property
    def first_name(self) -> str:
        """As one would greet them; empty where the name does not tell ("Mrs Smith", "Smith, A")."""
        first = self.name.partition(" ")[0]
        is_plain = len(first) > 1 and first.replace("-", "").replace("'", "").isalpha()
        return first if is_plain and first.casefold() not in _TITLES else ""


@dataclass(frozen=True, slots=True)
class Added:
    """How many were new, how many had been there; `over`: for whom there was no room."""

    new: int
    known: int
    over: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """What can be told of the leads of a snapshot without opening any of them."""

    running: Running
    heads: Sequence[Head]

    def of_person(self, person: Person) -> list[str]:
        """Their ids: somebody may be on the list under two addresses."""
        group = _group(self.running, person)
        return [head.id for head in self.heads if head.group == group]

    @property
    def unresolved(self) -> frozenset[str]:
        """The ids of those of whom only the address is known."""
        return frozenset(head.id for head in self.heads if head.group[:1] in ("", _ASKED))


def lead_id(running: Running, address: str) -> str:
    """32 hex digits; another one in each snapshot."""
    return running.service.name("lead", running.snapshot.id, normal_address(address))


async def add(
    running: Running,
    records: Records,
    rows: Iterable[Row],
    told: Callable[[int], None] = lambda _: None,
) -> Added:
    """Whoever is there stays as they are, stopped or not, but for a name that was missing.

    Ended half-way, it leaves whole leads, and done again it adds the others. `told` hears now and
    then how many more rows have been seen to.
    """
    known = {head.id for head in await records.heads(running.snapshot.id, Kind.LEAD)}
    rows_by_id = {lead_id(running, row.address): row for row in rows}
    new = [id for id in rows_by_id if id not in known]
    room = max(MOST_LEADS - len(known), 0)
    over = tuple(rows_by_id[id] for id in new[room:])

    async def create(id: str) -> bool:
        lead = _lead(id, rows_by_id[id])
        try:
            await records.create(_record(running, lead))
        except Exists:  # somebody adds the same list
            return await fill_in(id)
        return True

    async def fill_in(id: str) -> bool:
        row = rows_by_id[id]
        if row.name or row.organisation:
            await _change(running, records, id, lambda lead: _filled_in(lead, row))
        return False

    created = await _some_at_once(create, new[:room], told)
    await _some_at_once(fill_in, [id for id in rows_by_id if id in known], told)
    return Added(sum(created), len(rows_by_id) - sum(created) - len(over), over)


async def stop(running: Running, records: Records, id: str) -> None:
    """No more reminders to this lead, for good."""
    await _change(running, records, id, lambda lead: replace(lead, stopped=True))


async def note_person(
    running: Running, records: Records, id: str, person: Person, chat: Mapping[str, str] | None
) -> None:
    """Who an address belongs to. With a chat, which is new or has moved, they can be reached."""

    def noted(lead: Lead) -> Lead:
        if chat is None:
            return replace(lead, person=person)
        return replace(lead, person=person, chat=chat, why="")

    await _change(running, records, id, noted)


async def not_found_since(
    running: Running, records: Records, since: datetime, most: int
) -> list[Lead]:
    """Those of whom only an address is known, and who have not been looked for since a time.

    So many at most, those first who never were. Nobody who has stopped. Raises `Damaged`.
    """
    page = await records.first(running.snapshot.id, Kind.LEAD, LeadState.ACTIVE, most)
    return [opened(running, r) for r in page if r.group < f"{_ASKED}{_second(since)}"]


async def note_asked(running: Running, records: Records, id: str, at: datetime) -> None:
    """That they were looked for, and not found."""
    await _change(running, records, id, lambda lead: replace(lead, asked=_second(at)))


async def note_found(
    running: Running, records: Records, id: str, person: Person, chat: Mapping[str, str]
) -> None:
    """Who an address belongs to, unless they have talked to the bot meanwhile."""

    def noted(lead: Lead) -> Lead:
        return lead if lead.person else replace(lead, person=person, chat=chat)

    await _change(running, records, id, noted)


async def note_install(running: Running, records: Records, person: Person, now: datetime) -> None:
    """That we are about to install the app for somebody, who has not asked for it."""
    body = {"until": _second(now + SILENT_FOR)}
    record = Record(running.snapshot.id, Kind.INSTALL, _group(running, person), body)
    attempts = Attempts()
    while True:
        attempts.begin()
        with suppress(Exists):
            await records.create(record)
            return
        with suppress(Changed, Missing):
            known = await records.read(record.snapshot, record.kind, record.id)
            await records.replace(replace(record, etag=known.etag))
            return


async def was_installed_by_us(
    running: Running, records: Records, person: Person, now: datetime
) -> bool:
    """Whether it was we who have just installed the app for somebody."""
    try:
        found = await records.read(running.snapshot.id, Kind.INSTALL, _group(running, person))
    except Missing:
        return False
    return _second(now) < str(found.body.get("until"))


async def mark_unreachable(running: Running, records: Records, id: str, why: str) -> None:
    await _change(running, records, id, lambda lead: replace(lead, why=why))


async def all_leads(running: Running, records: Records) -> list[Lead]:
    """Every lead, by id. Raises `Damaged`."""
    found = await records.read_all(running.snapshot.id, Kind.LEAD)
    # Ten thousand seals take a third of a second.
    return await asyncio.to_thread(lambda: [opened(running, record) for record in found])


async def index(running: Running, records: Records) -> Index:
    return Index(running, await records.heads(running.snapshot.id, Kind.LEAD))


async def by_person(running: Running, records: Records, person: Person) -> list[Lead]:
    found = (await index(running, records)).of_person(person)
    leads = [await by_id(running, records, id) for id in found]
    return [lead for lead in leads if lead and lead.person == person]


async def by_address(running: Running, records: Records, address: str) -> Lead | None:
    return await by_id(running, records, lead_id(running, address))


async def by_id(running: Running, records: Records, id: str) -> Lead | None:
    try:
        return opened(running, await records.read(running.snapshot.id, Kind.LEAD, id))
    except Missing:
        return None


async def erase(running: Running, records: Records, lead: Lead) -> None:
    """Delete all that is kept of a lead: themselves first, so that nothing more is noted."""
    id = running.snapshot.id
    await delete(records, id, Kind.LEAD, lead.id)
    if lead.person:
        await delete(records, id, Kind.INSTALL, _group(running, lead.person))
    for message in await messages_to(running, records, lead):
        await delete(records, id, Kind.MESSAGE, message.id)


async def messages_to(running: Running, records: Records, lead: Lead) -> list[Head]:
    """What the ledger holds of the messages to a lead."""
    heads = await records.heads(running.snapshot.id, Kind.MESSAGE)
    return [head for head in heads if recipient_of(head.id) == lead.id]


def opened(running: Running, record: Record) -> Lead:
    """A lead as they are kept. Raises `Damaged`."""
    # What somebody has broken by hand holds nothing.
    sealed = record.body.get("sealed", "")
    written = running.service.open(sealed, "lead", running.snapshot.id, record.id)
    person = written["person"] and Person(**written["person"])
    # Whoever can change a word in the database brings nobody's reminders back.
    stopped = written["stopped"] or record.state == LeadState.STOPPED
    return Lead(**{**written, "id": record.id, "person": person, "stopped": stopped})


def _lead(id: str, row: Row) -> Lead:
    return Lead(id, normal_address(row.address), row.name, row.organisation)


def _filled_in(lead: Lead, row: Row) -> Lead:
    return replace(
        lead, name=lead.name or row.name, organisation=lead.organisation or row.organisation
    )


async def _change(
    running: Running, records: Records, id: str, change: Callable[[Lead], Lead]
) -> None:
    """Until nobody else comes in between. A lead who is not there stays away."""
    attempts = Attempts()
    while True:
        attempts.begin()
        try:
            record = await records.read(running.snapshot.id, Kind.LEAD, id)
        except Missing:
            return
        lead = opened(running, record)
        changed = change(lead)
        if changed == lead:
            return
        with suppress(Changed):
            await records.replace(replace(_record(running, changed), etag=record.etag))
            return


def _record(running: Running, lead: Lead) -> Record:
    """The group is a keyed hash too: it finds a person's own reminders without opening any."""
    written: dict[str, Any] = {**asdict(lead), "id": ""}
    sealed = running.service.seal(written, "lead", running.snapshot.id, lead.id, size=LEAD_BYTES)
    return Record(
        running.snapshot.id,
        Kind.LEAD,
        lead.id,
        {"sealed": sealed},
        state=LeadState.STOPPED if lead.stopped else LeadState.ACTIVE,
        group=_group(running, lead.person) if lead.person else _not_found(lead),
    )


def _not_found(lead: Lead) -> str:
    """By it, stores give those first who have waited longest."""
    return f"{_ASKED}{lead.asked}" if lead.asked else ""


def _second(at: datetime) -> str:
    """In UTC, so that they compare by their characters."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _group(running: Running, person: Person) -> str:
    parts = (running.snapshot.id, person.tenant, person.object_id)
    return running.service.name("lead-person", *parts)


async def _some_at_once[T](
    work: Callable[[str], Awaitable[T]], ids: Sequence[str], told: Callable[[int], None]
) -> list[T]:
    found: list[T] = []
    for some in batched(ids, _AT_ONCE):
        found += await asyncio.gather(*(_patiently(work, id) for id in some))
        told(len(some))
    return found


async def _patiently[T](work: Callable[[str], Awaitable[T]], id: str) -> T:
    for pause_s in _PAUSES_S:
        try:
            return await work(id)
        except Unavailable:
            await asyncio.sleep(pause_s)
    return await work(id)
