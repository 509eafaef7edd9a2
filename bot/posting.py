"""Publications go out to their channels, each once, and to one channel as they came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.delivery import NO_LETTER, Delivery, Letter, Not
from bot.turns.posts import address_of, post_of, recipient_of
from bot.turns.visit import Service
from snapshot.ledger import CHANNELS, OPEN, Entry, MessageState, find, id_of, note
from snapshot.opening import Running
from snapshot.ports import Record
from snapshot.publication import mark_sent, topic_of, unsent


@dataclass(frozen=True, slots=True)
class _Post:
    publication: Record
    entry: Entry

    @property
    def place_in_line(self) -> tuple[bool, str]:
        """One that was tried before comes first; the others have kept when they were noted."""
        return self.entry.state == MessageState.DUE, self.entry.record.group


class Posting:
    def __init__(self, service: Service, delivery: Delivery) -> None:
        self._service = service
        self._delivery = delivery

    async def post_all(self, running: Running) -> AsyncIterator[str]:
        """Post what is recorded and can be posted now; the topic of each that was.

        One that does not arrive is tried again later, before all that came after it.
        """
        lines = await self._lines(running)
        for line in lines:
            for post in line:
                entry = await self._hand_over(running, post)
                if entry and entry.state == MessageState.SENT:
                    await mark_sent(self._service.records, post.publication)
                    yield topic_of(post.publication.id)
                elif entry and entry.state in OPEN and entry.why != NO_LETTER:
                    break

    async def _lines(self, running: Running) -> list[list[_Post]]:
        """What waits for each channel, in order."""
        waiting = await unsent(self._service.records, running.snapshot.id)
        found = [
            _Post(publication, entry)
            for publication in waiting
            if (entry := await self._entry(running, publication))
        ]
        found.sort(key=lambda post: post.place_in_line)
        return [[p for p in found if p.entry.recipient == channel] for channel in CHANNELS]

    async def _entry(self, running: Running, publication: Record) -> Entry | None:
        """None where it is not known yet where the channel is."""
        if address_of(self._service, running, publication) is None:
            return None
        records, snapshot = self._service.records, running.snapshot.id
        what, recipient = f"post-{publication.id}", recipient_of(publication)
        await note(records, snapshot, what, recipient, self._service.clock())
        return await find(records, snapshot, id_of(what, recipient))

    async def _hand_over(self, running: Running, post: _Post) -> Entry | None:
        async def write(_: Entry) -> Letter | Not:
            # An extension or a close may be newer than what was read of the snapshot.
            fresh = await self._service.directory.find(running.snapshot.id, fresh=True)
            newest = fresh or running
            reply = await post_of(self._service, newest, post.publication)
            address = address_of(self._service, newest, post.publication)
            return Letter(address, reply) if address and reply else Not()

        return await self._delivery.post(running.snapshot.id, post.entry.record.id, write)
