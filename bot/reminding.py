"""Reminders: who gets one is noted in the ledger on its day, and asked again right before it goes.

Nothing tells which practitioners were reminded, or how many: what is noted of them is for everybody
who has begun, goes the same way and takes as long for all, and is deleted as soon as it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from itertools import batched

from bot.delivery import Delivery, Letter, Not
from bot.turns.leads import reminder
from bot.turns.practitioner import greeting, unfinished
from bot.turns.turn import Address
from bot.turns.visit import Service, survey_of, takes_answers
from snapshot.calendar import IsWorkingDay, day_of
from snapshot.deleting import delete_unchanged
from snapshot.envelope import State
from snapshot.errors import Damaged
from snapshot.greeting import forget_greetings, is_greeting, opened
from snapshot.leads import LeadState, all_leads, by_id, index, mark_unreachable
from snapshot.ledger import Entry, MessageState, find, note, recipient_of, release
from snapshot.opening import Running
from snapshot.ports import Kind, Missing
from snapshot.publication import Outbox, Topic, id_of, record, topic_of, which_of
from snapshot.publication import find as find_publication
from snapshot.reminding import (
    Due,
    current,
    current_list,
    lead_reminders,
    may_remind,
    unfinished_reminders,
)
from snapshot.sealing import Tag
from snapshot.snapshot import Phase
from snapshot.survey import from_record

BY_EMAIL = "by e-mail"
"""Why a lead is not written to in Teams: the bot knows an address and nobody who has it."""

_LEADS, _UNFINISHED = f"{Topic.LEADS}-", f"{Topic.UNFINISHED}-"
_AT_ONCE = 16
_BEGUN = (State.OPEN, State.SUBMITTED)


class Reminding:
    """One snapshot at a time; any number of processes may do the same."""

    def __init__(self, service: Service, delivery: Delivery) -> None:
        self._service = service
        self._delivery = delivery
        self._noted: dict[tuple[str, str], int] = {}
        self._again: dict[str, datetime | None] = {}

    def again_at(self, snapshot: str) -> datetime | None:
        """When a message that was put off may be sent; None: none was."""
        return self._again.get(snapshot)

    async def begin(self, running: Running) -> AsyncIterator[str]:
        """Note what is due, and tell what was."""
        working = self._service.working_days(running.snapshot.nation)
        may_begin = may_remind(running.snapshot, self._service.clock(), working)
        if running.phase is Phase.OPEN and may_begin:
            if await self._begin_leads(running, working):
                yield "leads-reminded"
            if await self._begin_unfinished(running, working):
                yield "unfinished-reminded"
            if await self._hand_over_list(running, working):
                yield "leads-to-email"

    async def send(self, running: Running) -> None:
        """What can be sent now. How long that takes tells how many have begun, not who is done."""
        await self._take_up_found(running)
        again = await self._delivery.deliver(
            running.snapshot.id, lambda entry: self._write(running, entry)
        )
        self._again[running.snapshot.id] = again
        await self._mark_unreachable(running)
        await self._forget_unfinished(running)
        await forget_greetings(running, self._service.records, self._service.clock())

    # -- who gets one -----------------------------------------------------------------------------

    async def _begin_leads(self, running: Running, working: IsWorkingDay) -> bool:
        """Leads who are added on its day, or until the next one, get it as well."""
        dues = lead_reminders(running.snapshot, working)
        begun = await self._begun(running, Topic.LEADS)
        due = self._current(running, dues, working, begun)
        if due is None:
            return False
        heads = await self._service.records.heads(running.snapshot.id, Kind.LEAD, LeadState.ACTIVE)
        if not heads:
            return False
        key = (running.snapshot.id, due.id)
        if self._noted.get(key) != len(heads):
            await self._note(running, Topic.LEADS, due, (head.id for head in heads))
            self._noted[key] = len(heads)
        return due.id not in begun and await self._mark(running, Topic.LEADS, due)

    async def _begin_unfinished(self, running: Running, working: IsWorkingDay) -> bool:
        """Once: whoever begins on the same day is not reminded within minutes of it.

        Noted of everybody who has begun, sent or not, so that being noted says nothing.
        """
        dues = unfinished_reminders(running.snapshot, working)
        begun = await self._begun(running, Topic.UNFINISHED)
        due = self._current(running, dues, working, begun)
        if due is None or due.id in begun:
            return False
        heads = await self._service.records.heads(running.snapshot.id, Kind.ENVELOPE)
        tags = (head.id for head in heads if head.state in _BEGUN)
        await self._note(running, Topic.UNFINISHED, due, tags)
        return await self._mark(running, Topic.UNFINISHED, due)

    async def _hand_over_list(self, running: Running, working: IsWorkingDay) -> bool:
        """Of the leads whom only an e-mail reaches, in good time before each reminder."""
        records, snapshot = self._service.records, running.snapshot
        due = current_list(snapshot, self._service.clock(), working)
        if due is None:
            return False
        id = id_of(Topic.EMAIL, due.id)
        if await find_publication(records, snapshot.id, id):
            return False
        wanted = any(lead.is_out_of_reach for lead in await all_leads(running, records))
        body = {"by": day_of(snapshot, due.at).isoformat()}
        state = Outbox.RECORDED if wanted else Outbox.SILENT
        return await record(records, snapshot.id, id, body, state=state) and wanted

    def _current(
        self,
        running: Running,
        dues: tuple[Due, ...],
        working: IsWorkingDay,
        begun: Mapping[str, datetime],
    ) -> Due | None:
        return current(dues, self._service.clock(), running.snapshot, working, begun)

    async def _begun(self, running: Running, topic: Topic) -> dict[str, datetime]:
        """The reminders that have been noted, and when."""
        records, id = self._service.records, running.snapshot.id
        heads = await records.heads(id, Kind.PUBLICATION)
        found = {}
        for head in heads:
            if topic_of(head.id) is topic and (
                marked := await find_publication(records, id, head.id)
            ):
                found[which_of(head.id)] = datetime.fromisoformat(marked.body["at"])
        return found

    async def _note(
        self, running: Running, topic: Topic, due: Due, recipients: Iterable[str]
    ) -> None:
        records, id, now = self._service.records, running.snapshot.id, self._service.clock()
        for some in batched(recipients, _AT_ONCE):
            await asyncio.gather(
                *(note(records, id, id_of(topic, due.id), recipient, now) for recipient in some)
            )

    async def _mark(self, running: Running, topic: Topic, due: Due) -> bool:
        """Only once all are noted, so that one who dies before that has it done again."""
        body = {"at": self._service.clock().isoformat()}
        id = id_of(topic, due.id)
        return await record(
            self._service.records, running.snapshot.id, id, body, state=Outbox.SILENT
        )

    # -- what they get ----------------------------------------------------------------------------

    async def _write(self, running: Running, entry: Entry) -> Letter | Not:
        running = self._service.directory.known(running.snapshot.id) or running
        if running.phase is not Phase.OPEN:
            return Not()
        if is_greeting(entry):
            return await self._to_newcomer(running, entry)
        if entry.what.startswith(_LEADS):
            return await self._to_lead(running, entry)
        if entry.what.startswith(_UNFINISHED):
            return await self._to_practitioner(running, entry)
        return Not()

    async def _to_lead(self, running: Running, entry: Entry) -> Letter | Not:
        lead = await by_id(running, self._service.records, entry.recipient)
        if lead is None or lead.stopped:
            return Not()
        if lead.chat is None:
            return Not(BY_EMAIL)
        which = entry.what.removeprefix(_LEADS).partition("-")[0]
        shown = reminder(self._service, running, lead, which)
        return Letter(Address.from_json(lead.chat), shown, until=running.snapshot.deadline)

    async def _to_practitioner(self, running: Running, entry: Entry) -> Letter | Not:
        """As their envelope is now: who has sent or left, or wants no reminders, gets none."""
        try:
            found = await self._service.records.read(
                running.snapshot.id, Kind.ENVELOPE, Tag(entry.recipient)
            )
            envelope = from_record(found, running.sealer)
            contact = survey_of(self._service, running).contact(envelope)
        except (Missing, Damaged):
            return Not()
        if contact is None:
            return Not()
        if envelope.state is not State.OPEN or contact.quiet:
            return Not(tenant=contact.tenant)
        which = entry.what.removeprefix(_UNFINISHED).partition("-")[0]
        shown = unfinished(self._service, running, contact.language, which)
        return Letter(Address.from_json(contact.address), shown, until=running.snapshot.deadline)

    async def _to_newcomer(self, running: Running, entry: Entry) -> Letter | Not:
        """Of any snapshot that is open to them now."""
        try:
            noted = opened(running, entry)
        except Damaged:
            return Not()
        address = Address.from_json(noted.address)
        found = await self._service.directory.of_tenant(address.tenant)
        open_ones = [r for r in found if takes_answers(self._service, r)]
        if not open_ones:
            return Not()
        shown = greeting(self._service, open_ones, noted.language)
        return Letter(address, shown, until=running.snapshot.deadline)

    # -- what is kept of it -----------------------------------------------------------------------

    async def _take_up_found(self, running: Running) -> None:
        """What leads have missed of whom only an address was known, and now is more."""
        records = self._service.records
        for entry in await self._set_aside(running):
            if entry.why == BY_EMAIL:
                lead = await by_id(running, records, entry.recipient)
                if lead and lead.chat is not None:
                    await release(records, entry, self._service.clock())

    async def _mark_unreachable(self, running: Running) -> None:
        """Leads whom Teams refused stand on the list of those to be e-mailed."""
        for entry in await self._set_aside(running):
            if entry.why != BY_EMAIL:
                await mark_unreachable(running, self._service.records, entry.recipient, entry.why)

    async def _set_aside(self, running: Running) -> list[Entry]:
        """Messages that did not reach a lead whom the bot knows by more than an address."""
        records, id = self._service.records, running.snapshot.id
        heads = await records.heads(id, Kind.MESSAGE, MessageState.UNREACHABLE)
        to_leads = [head for head in heads if head.id.startswith(_LEADS)]
        unknown = (await index(running, records)).unresolved if to_leads else frozenset()
        found = [
            await find(records, id, head.id)
            for head in to_leads
            if recipient_of(head.id) not in unknown
        ]
        return [entry for entry in found if entry and entry.state == MessageState.UNREACHABLE]

    async def _forget_unfinished(self, running: Running) -> None:
        """Once it is marked that all were noted: until then, what is done would be done again."""
        records, id = self._service.records, running.snapshot.id
        done = await records.heads(id, Kind.MESSAGE, MessageState.DONE)
        marked = await self._begun(running, Topic.UNFINISHED) if done else ()
        over = [h.id for h in done if h.id.rpartition(".")[0].removeprefix(_UNFINISHED) in marked]
        await delete_unchanged(records, id, Kind.MESSAGE, over)
