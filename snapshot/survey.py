"""What one person does in one snapshot: a read and at most a write, unless two devices meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from snapshot.envelope import SEALED, Ballot, Contact, Envelope, State
from snapshot.errors import Busy, Damaged, NotOffered, NotOpen
from snapshot.instrument import DomainId, Instrument
from snapshot.opening import Running
from snapshot.ports import Changed, Exists, Kind, Missing, Record, Records, SnapshotId
from snapshot.sealing import BALLOT_BYTES, CONTACT_BYTES, Person, Sealer, Tag

_ATTEMPTS = 20


class Survey:
    """The envelopes of one snapshot. Whether it still takes answers, the caller has checked.

    Every step may be repeated, and then changes nothing. Two devices of one person, or a
    message that Teams sends again, meet in the compare-and-set of the store. `known` is the
    person's envelope as it was read a moment ago, which saves reading it again. `chat`: where they
    talk to the bot now; None: not known.
    """

    def __init__(
        self,
        running: Running,
        instrument: Instrument,
        records: Records,
        known: Envelope | None = None,
        chat: Mapping[str, str] | None = None,
    ) -> None:
        self._known = known
        self._chat = chat
        self._snapshot = running.snapshot
        self._sealer = running.sealer
        self._instrument = instrument
        self._records = records

    async def envelope(self, person: Person) -> Envelope | None:
        """Raises `Damaged` when it does not open, or holds what no ballot holds."""
        tag = self._sealer.tag(person)
        try:
            record = await self._records.read(self._snapshot.id, Kind.ENVELOPE, tag)
        except Missing:
            return None
        return from_record(record, self._sealer)

    async def begin(self, person: Person, agency: str, contact: Contact) -> Envelope:
        """Make the person's envelope, or choose another agency in one without answers.

        Raises `NotOffered` for an agency that this snapshot does not offer.
        """
        cell = self._snapshot.cell_of(agency)
        if cell is None:
            raise NotOffered
        tag = self._sealer.tag(person)
        envelope = Envelope(tag, State.OPEN, Ballot(cell.id), self._seal(contact, tag))
        try:
            await self._records.create(to_record(envelope, self._snapshot.id, self._sealer))
        except Exists:
            return await self._change(person, lambda e: e.begun_in(cell.id))
        return envelope

    async def answer(self, person: Person, statement: str, option: str, revision: int) -> Envelope:
        """Raises `NotOffered`, or `NotOpen` when answers are no longer taken."""
        about = self._instrument.statement(statement)
        chosen = self._instrument.option(option)
        if about is None or chosen is None:
            raise NotOffered
        return await self._change(person, lambda e: e.answered(about.id, chosen.id, revision))

    async def comment(
        self, person: Person, comments: Mapping[DomainId, str], revision: int
    ) -> Envelope:
        """Keep what was written in place of what was there. Raises `NotOffered`, `NotOpen`.

        A box without words is no comment. What may be kept (`comments.fits`, `screening`), the
        caller has checked.
        """
        if not {d.id for d in self._instrument.domains} >= set(comments):
            raise NotOffered
        written = {domain: text for domain, text in comments.items() if text.strip()}
        return await self._change(person, lambda e: e.commented(written, revision))

    def contact(self, envelope: Envelope) -> Contact | None:
        """How to reach the person, as long as that is kept. Raises `Damaged`."""
        if envelope.contact is None:
            return None
        return Contact(**self._sealer.open(envelope.contact, "contact", envelope.tag))

    async def settle(self, person: Person, **changes: Any) -> None:
        """Change parts of the contact, such as `language` or `quiet`, as long as it is kept."""

        def settled(envelope: Envelope) -> Envelope:
            contact = self.contact(envelope)
            if contact is None or envelope.state not in (State.OPEN, State.SUBMITTED):
                return envelope
            after = replace(contact, **changes)
            if after == contact:
                return envelope
            return replace(envelope, contact=self._seal(after, envelope.tag))

        await self._change(person, settled)

    async def meet(self, person: Person) -> None:
        """They have talked to the bot and saved nothing: remember their chat if it has moved.

        A write, since it is then that a reminder would go astray. It is one of those that an answer
        makes, and tells no more. Who has sent their answers gets no reminder, so nothing is written
        of them: nobody sees that they came back.
        """
        await self._change(person, lambda envelope: envelope)

    async def submit(self, person: Person) -> Envelope:
        """Raises `NotComplete`, `NotOpen`."""
        return await self._change(person, lambda e: e.submitted(self._instrument))

    async def withdraw(self, person: Person) -> Envelope:
        """Raises `NotOpen` when it is too late."""
        return await self._change(person, Envelope.withdrawn)

    async def _change(self, person: Person, step: Callable[[Envelope], Envelope]) -> Envelope:
        for attempt in range(_ATTEMPTS):
            before = self._known if self._known and not attempt else await self.envelope(person)
            if before is None:
                raise NotOpen("not begun")
            after = self._with_chat(before, step(before))
            if after is before:
                return before
            try:
                await self._records.replace(to_record(after, self._snapshot.id, self._sealer))
            except Changed:
                continue
            return after
        raise Busy

    def _with_chat(self, before: Envelope, after: Envelope) -> Envelope:
        """`after`, or `before` if there is nothing to write.

        The contact is sealed anew with each write. Otherwise one in which it changes would show
        that somebody's chat has moved, or that they want no more reminders.
        """
        contact = self.contact(after)
        if contact is None:
            return after
        met = replace(contact, address=self._chat or contact.address)
        has_moved = met != contact and after.state is State.OPEN
        if after is before and not has_moved:
            return before
        return replace(after, contact=self._seal(met, after.tag))

    def _seal(self, contact: Contact, tag: Tag) -> str:
        return self._sealer.seal(asdict(contact), "contact", tag, size=CONTACT_BYTES)


def to_record(envelope: Envelope, snapshot: SnapshotId, sealer: Sealer) -> Record:
    """Seal an envelope for the store. Its plain fields are for looking it up, never believed."""
    ballot = envelope.ballot
    sealed = ballot and sealer.seal(ballot.as_json(), "ballot", envelope.tag, size=BALLOT_BYTES)
    return Record(
        snapshot,
        Kind.ENVELOPE,
        envelope.tag,
        {"ballot": sealed, "contact": envelope.contact},
        state=envelope.state,
        group=ballot.cell if ballot else "",
        etag=envelope.etag,
    )


def from_record(record: Record, sealer: Sealer) -> Envelope:
    """Raises `Damaged`."""
    try:
        tag, state = Tag(record.id), State(record.state)
        ballot = None
        if state in SEALED:
            ballot = Ballot.from_json(sealer.open(record.body["ballot"], "ballot", tag))
        return Envelope(tag, state, ballot, record.body["contact"], record.etag)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Damaged from None
