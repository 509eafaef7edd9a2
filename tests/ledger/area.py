"""A snapshot on the morning of a reminder: real leads and envelopes, and what each has to get.

Whatever names a person has the word `CANARY` in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import batched
from random import Random

from bot.rehearsal.teams import chat_of
from bot.sample import open_sample
from bot.turns.turn import Address
from snapshot.envelope import Ballot, Contact, Envelope, State
from snapshot.instrument import Instrument
from snapshot.lead_lists import Row
from snapshot.leads import add, all_leads, lead_id, note_person, stop
from snapshot.ledger import OPEN, MessageState, recipient_of
from snapshot.opening import Running
from snapshot.ports import Keys, Kind, Records
from snapshot.sealing import CONTACT_BYTES, Person, Tag
from snapshot.snapshot import Mixing
from snapshot.survey import Survey, to_record

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MIDWAY = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
"""Then leads are reminded, and so is whoever has begun and not finished."""

MIDWAY_ID = "midway"

TENANT = "tenant-of-exampleshire"
CANARY = "canary"
TOAST = "Safeguarding snapshot"

_AT_ONCE = 32


class Part(StrEnum):
    """What somebody is to the reminder."""

    LEAD = "lead"
    BY_EMAIL = "lead whom only an e-mail reaches"
    LEAD_BLOCKED = "lead who has blocked the bot"
    STOPPED = "lead who wants no reminders"
    STOPS = "lead who stops them in the middle of the run"
    UNFINISHED = "practitioner who has begun"
    BLOCKED = "practitioner who has blocked the bot"
    FINISHED = "practitioner who has sent"
    QUIET = "practitioner who wants no reminders"
    WITHDRAWN = "practitioner who has left"
    FINISHES = "practitioner who sends in the middle of the run"

    @property
    def is_lead(self) -> bool:
        return self in (Part.LEAD, Part.BY_EMAIL, Part.LEAD_BLOCKED, Part.STOPPED, Part.STOPS)


REACHABLE = (Part.LEAD, Part.UNFINISHED)
REFUSED = (Part.LEAD_BLOCKED, Part.BLOCKED)
TO_EMAIL = (Part.BY_EMAIL, Part.LEAD_BLOCKED)
LEFT_ALONE = (Part.BY_EMAIL, Part.STOPPED, Part.FINISHED, Part.QUIET, Part.WITHDRAWN)
CHANGING = (Part.STOPS, Part.FINISHES)

type Counts = Mapping[Part, int]


def some(leads: int, unfinished: int) -> Counts:
    """So many leads on the list and envelopes that are open, and others beside them."""

    def share(percent: int, of: int) -> int:
        return max(1, of * percent // 100)

    of_leads = {
        Part.BY_EMAIL: share(4, leads),
        Part.LEAD_BLOCKED: share(1, leads),
        Part.STOPPED: share(2, leads),
        Part.STOPS: share(4, leads),
    }
    of_unfinished = {
        Part.BLOCKED: share(1, unfinished),
        Part.FINISHES: share(10, unfinished),
    }
    return {
        Part.LEAD: leads - sum(of_leads.values()),
        **of_leads,
        Part.UNFINISHED: unfinished - sum(of_unfinished.values()),
        **of_unfinished,
        Part.FINISHED: share(30, unfinished),
        Part.QUIET: share(3, unfinished),
        Part.WITHDRAWN: share(3, unfinished),
    }


@dataclass(frozen=True, slots=True)
class Known:
    """`id`: of their record, a lead's or an envelope's."""

    person: Person
    id: str

    @property
    def chat(self) -> str:
        return chat_of(self.person.object_id)


@dataclass(frozen=True, slots=True)
class Area:
    """A snapshot that runs, and its people, once they are added."""

    running: Running
    instrument: Instrument
    records: Records
    people: Mapping[Part, Sequence[Known]]

    def chats(self, *parts: Part) -> frozenset[str]:
        return frozenset(known.chat for part in parts for known in self.people[part])

    def ids(self, *parts: Part) -> frozenset[str]:
        return frozenset(known.id for part in parts for known in self.people[part])

    @property
    def refused(self) -> frozenset[str]:
        """The chats in which Teams answers 403."""
        return self.chats(*REFUSED)

    @property
    def survey(self) -> Survey:
        return Survey(self.running, self.instrument, self.records)

    # -- what people do ---------------------------------------------------------------------------

    async def add_all(self, url: str, tell: Callable[[int], object] = lambda _: None) -> None:
        """Teams is at `url`. `tell` hears each time how many more are there."""
        for part, people in self.people.items():
            for few in batched(people, _AT_ONCE):
                await (self._add_leads if part.is_lead else self._begin)(part, few, url)
                tell(len(few))

    async def some_change_their_mind(self) -> None:
        """From now on those who stop or finish want no reminder any more."""
        await _each(self._stop, self.people[Part.STOPS])
        await _each(self._send, self.people[Part.FINISHES])

    async def _add_leads(self, part: Part, few: Sequence[Known], url: str) -> None:
        rows = [Row(0, address_of(k.person), f"{CANARY} {part}", CANARY) for k in few]
        await add(self.running, self.records, rows)
        if part is Part.BY_EMAIL:
            return

        async def talk(known: Known) -> None:
            chat = chat_with(known, url).as_json()
            await note_person(self.running, self.records, known.id, known.person, chat)

        await _each(talk, few)
        if part is Part.STOPPED:
            await _each(self._stop, few)

    async def _begin(self, part: Part, few: Sequence[Known], url: str) -> None:
        """All statements are answered, and nothing is sent."""
        sealer, id = self.running.sealer, self.running.snapshot.id
        option = self.instrument.practice.options[0].id
        answers = {s.id: option for s in self.instrument.statements}
        cell = self.running.snapshot.cells[0].id

        async def begin(known: Known) -> None:
            tag, chat = Tag(known.id), chat_with(known, url).as_json()
            contact = Contact(
                TENANT, known.person.object_id, chat, "en-GB", quiet=part is Part.QUIET
            )
            sealed = sealer.seal(asdict(contact), "contact", tag, size=CONTACT_BYTES)
            ballot = Ballot(cell, answers, revision=len(answers))
            await self.records.create(
                to_record(Envelope(tag, State.OPEN, ballot, sealed), id, sealer)
            )

        await _each(begin, few)
        if part is Part.FINISHED:
            await _each(self._send, few)
        if part is Part.WITHDRAWN:
            await _each(self._withdraw, few)

    async def _send(self, known: Known) -> None:
        await self.survey.submit(known.person)

    async def _withdraw(self, known: Known) -> None:
        await self.survey.withdraw(known.person)

    async def _stop(self, known: Known) -> None:
        await stop(self.running, self.records, known.id)

    # -- what the store holds ---------------------------------------------------------------------

    async def is_done(self) -> bool:
        """Nothing waits any more, nothing is kept of practitioners, and leads are on their list."""
        if await self.open():
            return False
        id = self.running.snapshot.id
        begun = {h.id for h in await self.records.heads(id, Kind.PUBLICATION)}
        if not {f"leads-{MIDWAY_ID}", f"unfinished-{MIDWAY_ID}"} <= begun or await self.left_over():
            return False
        return await self.to_email() == self.ids(*TO_EMAIL)

    async def open(self) -> set[MessageState]:
        """The states in which messages wait to be taken."""
        id = self.running.snapshot.id
        return {s for s in OPEN if await self.records.first(id, Kind.MESSAGE, s, 1)}

    async def left_over(self) -> list[str]:
        """Messages to practitioners of which the ledger still knows."""
        heads = await self.records.heads(self.running.snapshot.id, Kind.MESSAGE)
        return [h.id for h in heads if h.id.startswith("unfinished")]

    async def sent(self) -> frozenset[str]:
        """The leads who got one, by the ledger."""
        id = self.running.snapshot.id
        heads = await self.records.heads(id, Kind.MESSAGE, MessageState.SENT)
        return frozenset(recipient_of(head.id) for head in heads)

    async def to_email(self) -> frozenset[str]:
        """The leads on the facilitators' list."""
        found = await all_leads(self.running, self.records)
        return frozenset(lead.id for lead in found if lead.is_out_of_reach)

    async def versions(self) -> Mapping[str, str]:
        """Of the envelopes that nobody but the bot could have touched in the run."""
        theirs = self.ids(*(p for p in Part if not p.is_lead and p is not Part.FINISHES))
        found = await self.records.read_all(self.running.snapshot.id, Kind.ENVELOPE)
        return {record.id: record.etag for record in found if record.id in theirs}


async def open_area(records: Records, keys: Keys, instrument: Instrument, counts: Counts) -> Area:
    """Nothing is mixed before the close, so that who has sent stays in an envelope of their own."""
    unmixed = replace(instrument, mixing_defaults=((None, Mixing.CLOSE),))
    running = await open_sample(records, keys, unmixed, people=0, now=OPENED, dice=Random())
    people = {
        part: [_known(running, part, number) for number in range(many)]
        for part, many in counts.items()
    }
    return Area(running, instrument, records, people)


def _known(running: Running, part: Part, number: int) -> Known:
    person = Person(TENANT, f"{CANARY}-{part.name.lower()}-{number}")
    if part.is_lead:
        return Known(person, lead_id(running, address_of(person)))
    return Known(person, running.sealer.tag(person))


def address_of(person: Person) -> str:
    return f"{person.object_id}@school.example"


def chat_with(known: Known, url: str) -> Address:
    return Address(url, known.chat, "28:snapshot-bot", TENANT)


async def _each[T](work: Callable[[T], Awaitable[object]], people: Iterable[T]) -> None:
    for few in batched(people, _AT_ONCE):
        await asyncio.gather(*(work(one) for one in few))
