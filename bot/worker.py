"""Does what is due: mixes, closes, fills the moderators' queue, and posts what was recorded.

Any process may do any of it, at any time again: the store decides what is left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import structlog
from opentelemetry.trace import StatusCode

from bot import telemetry
from bot.finding import Finding
from bot.forgetting import Forgetting
from bot.logs import where
from bot.meeting import Meeting
from bot.posting import Posting
from bot.reminding import Reminding
from bot.turns.visit import Service
from snapshot.closing import begin_close, finish_close, sweep
from snapshot.destroying import destroy_if_due, due_on
from snapshot.envelope import State
from snapshot.interim import mix_due, publish_interim
from snapshot.moderating import nudge_due, queue_due
from snapshot.opening import Running
from snapshot.ports import KeysUnavailable, Kind, RecordsError
from snapshot.progress import progress_due
from snapshot.publication import record_moves
from snapshot.reminding import next_event
from snapshot.snapshot import Phase

LOOK_EVERY_S = 600.0
"""Seconds: how long it rests at most. Another process may have left something to be done."""

TRY_AGAIN_S = 60.0
SOON_S = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deed:
    """One kind of thing that was done. Nothing in it tells who did or did not answer."""

    did: str
    snapshot: str


class Worker:
    """`dice` must be unpredictable. Without `finding`, leads are known only once they talk."""

    def __init__(
        self,
        service: Service,
        posting: Posting,
        reminding: Reminding,
        dice: Random,
        due: asyncio.Event,
        meeting: Meeting,
        forgetting: Forgetting,
        finding: Finding | None,
    ) -> None:
        self._service = service
        self._posting = posting
        self._reminding = reminding
        self._dice = dice
        self._due = due
        self._meeting = meeting
        self._forgetting = forgetting
        self._finding = finding
        self._has_failed = False

    async def run(self) -> None:
        """Until cancelled. One snapshot's trouble is logged and tried again, and stops no other."""
        async with asyncio.TaskGroup() as group:
            looking: asyncio.Task[None] | None = None
            while True:
                self._due.clear()
                async for deed in self._do_all():
                    _log.info(deed.did, snapshot=deed.snapshot)
                if looking is None or looking.done():
                    looking = group.create_task(self._look_beside(), name="finding")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.rest_s()):
                        await self._due.wait()

    async def _look_beside(self) -> None:
        """Whoever is found is written to at once, if something waits for them."""
        before = self._sought_again_at()
        async for deed in self._look_for_leads():
            _log.info(deed.did, snapshot=deed.snapshot)
            self._due.set()
        if self._sought_again_at() != before:  # that may come before what it rests for
            self._due.set()

    def rest_s(self) -> float:
        """Until the next thing is due; not so long where something has failed or is half done."""
        found = self._service.directory.remembered()
        if self._has_failed or any(r.phase is Phase.CLOSING for r in found):
            return TRY_AGAIN_S
        now = self._service.clock()
        due = [at for r in found if (at := self._next_event(r, now))]
        # One that could be sent and was not waits for another, or for the store.
        soonest = now + timedelta(seconds=TRY_AGAIN_S)
        again = (self._reminding.again_at(r.snapshot.id) for r in found)
        due += [at if at > now else soonest for at in again if at]
        due += [at for at in self._sought_again_at() if at > now]
        until = min(due, default=now + timedelta(seconds=LOOK_EVERY_S))
        # By another clock than ours it may be a moment too early.
        return min(LOOK_EVERY_S, max(SOON_S, (until - now).total_seconds() + SOON_S))

    def _sought_again_at(self) -> list[datetime]:
        if self._finding is None:
            return []
        found = self._service.directory.remembered()
        return [at for r in found if (at := self._finding.again_at(r.snapshot.id))]

    def _next_event(self, running: Running, now: datetime) -> datetime | None:
        service = self._service
        return next_event(
            running.snapshot,
            now,
            service.working_days(running.snapshot.nation),
            phase=running.phase,
            moderated=running.moderators is not None,
            key_due=None if running.key_is_gone else due_on(running, service.setting.key_days),
        )

    async def do_due(self) -> list[Deed]:
        """Everything that is due now."""
        return [deed async for deed in self.deeds()]

    async def deeds(self) -> AsyncIterator[Deed]:
        """Do everything that is due now, and tell of each as it is done."""
        async for deed in self._do_all():
            yield deed
        found = [deed async for deed in self._look_for_leads()]
        for deed in found:
            yield deed
        if found:
            async for deed in self._do_all():
                yield deed

    async def _do_all(self) -> AsyncIterator[Deed]:
        self._has_failed = False
        found = await self._all()
        await self._meeting.look(self._service, found)
        unread = self._service.directory.unread()
        works = [(r, self._do) for r in found] + [(r, self._put_away) for r in unread]
        for running, work in works:
            id = running.snapshot.id
            span = telemetry.tracer.start_span("round", attributes={"snapshot": id})
            try:
                async for did in work(running):
                    span.add_event(did)
                    telemetry.deeds.add(1, {"did": did})
                    yield Deed(did, id)
            except Exception as error:  # noqa: BLE001 - the next snapshot must not wait for this one
                self._has_failed = True
                span.set_status(StatusCode.ERROR)
                _log.error("work failed", snapshot=id, **where(error))
            finally:
                span.end()

    async def _look_for_leads(self) -> AsyncIterator[Deed]:
        """Until nothing more can be learnt now."""
        if self._finding is None:
            return
        for running in self._service.directory.remembered():
            id, is_done = running.snapshot.id, False
            try:
                while not is_done:
                    looked = await self._finding.look(running)
                    is_done = looked.is_done
                    if looked.found:
                        yield Deed("leads-found", id)
            except Exception as error:  # noqa: BLE001 - the next snapshot must not wait for this one
                _log.error("leads not looked up", snapshot=id, **where(error))

    async def _all(self) -> list[Running]:
        try:
            return await self._service.directory.all(fresh=True)
        except RecordsError as error:
            self._has_failed = True
            _log.error("store not reached", **where(error))
            return []

    async def _do(self, running: Running) -> AsyncIterator[str]:
        running = await self._close_if_due(running)
        for work in (
            self._do_while_open,
            self._close,
            self._moderate,
            self._forgetting.forget,
            self._reminding.begin,
            self._post_all,
        ):
            async for did in work(running):
                yield did
            running = self._service.directory.known(running.snapshot.id) or running
        # After the posts, and not at all where something before has failed: a post that came after
        # the sending would tell by its time how many people were written to.
        await self._reminding.send(running)

    async def _close_if_due(self, running: Running) -> Running:
        service = self._service
        closing = await begin_close(running, service.records, service.clock(), only_if_due=True)
        if closing is running:  # what others have noted since this was read may be newer
            return running
        return service.directory.note(closing)

    async def _do_while_open(self, running: Running) -> AsyncIterator[str]:
        if running.phase is not Phase.OPEN:
            return
        service = self._service
        records, now = service.records, service.clock()
        instrument = service.instrument(running)
        if await mix_due(running, instrument, records, now, dice=self._dice, wait=asyncio.sleep):
            await self._alarm_if_damaged(running)
            yield "mixed"
        working = service.working_days(running.snapshot.nation)
        if await publish_interim(running, instrument, records, now, working):
            yield "interim-summary"
        if await progress_due(running, instrument, records, now, working):
            yield "facilitators-nudged"

    async def _moderate(self, running: Running) -> AsyncIterator[str]:
        """Nobody is told of comments who could not read them."""
        service = self._service
        if running.moderators is None:
            return
        records, now = service.records, service.clock()
        working = service.working_days(running.snapshot.nation)
        if await queue_due(running, records, now, working):
            yield "comments-queued"
        rules = service.instrument(running).comments
        if await nudge_due(running, rules, records, now, working):
            yield "moderators-nudged"

    async def _close(self, running: Running) -> AsyncIterator[str]:
        service, id = self._service, running.snapshot.id
        if running.phase is Phase.CLOSING:
            instrument = service.instrument(running)
            await finish_close(
                running, instrument, service.records, dice=self._dice, wait=asyncio.sleep
            )
            await self._alarm_if_damaged(running)
            yield "closed"
            running = await service.directory.find(id, fresh=True) or running
        async for did in self._end_key(running):
            yield did

    async def _put_away(self, running: Running) -> AsyncIterator[str]:
        """What is closed and cannot be read any more."""
        async for did in self._end_key(running):
            yield did
        async for did in self._forgetting.forget(running):
            yield did

    async def _end_key(self, running: Running) -> AsyncIterator[str]:
        if running.phase is Phase.CLOSED and not running.key_is_gone:
            await sweep(running, self._service.records)
            if await self._destroy_key(running):
                yield "key-destroyed"

    async def _destroy_key(self, running: Running) -> bool:
        service = self._service
        days = service.setting.key_days
        was_due = await destroy_if_due(running, service.records, service.clock(), days)
        if was_due:
            await service.directory.all(fresh=True)
            await self._warn_if_recoverable(running)
        return was_due

    async def _warn_if_recoverable(self, running: Running) -> None:
        id = running.snapshot.id
        with suppress(KeysUnavailable):  # `python -m bot keys status` will tell
            if until := await running.keys.recoverable_until(id):
                _log.warning("destroyed key can be recovered", snapshot=id, until=str(until))

    async def _post_all(self, running: Running) -> AsyncIterator[str]:
        if running.phase is Phase.OPEN:
            await record_moves(self._service.records, running.snapshot)
        async for topic in self._posting.post_all(running):
            yield f"posted-{topic}"

    async def _alarm_if_damaged(self, running: Running) -> None:
        id = running.snapshot.id
        damaged = await self._service.records.heads(id, Kind.ENVELOPE, State.DAMAGED)
        if damaged:
            _log.error("damaged envelopes set aside", snapshot=id, how_many=len(damaged))
