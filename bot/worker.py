"""Does what is due: closes at the deadline, finishes a close, posts the final summary.

Any process may do any of it, at any time again: the store decides what is left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import structlog

from bot.logs import where
from bot.turns.turn import Address, Reply
from bot.turns.visit import Service, closed_date
from cards.summary import summary_card
from snapshot.closing import Outbox, begin_close, final_summary, finish_close, mark_sent, sweep
from snapshot.envelope import State
from snapshot.opening import Running
from snapshot.ports import Kind, RecordsError
from snapshot.snapshot import Phase

LOOK_EVERY_S = 60.0

_log = structlog.get_logger()


class Worker:
    """`post` sends a card to an address as a new thread; `dice` must be unpredictable."""

    def __init__(
        self,
        service: Service,
        post: Callable[[Address, Reply], Awaitable[None]],
        dice: Random,
        due: asyncio.Event,
    ) -> None:
        self._service = service
        self._post = post
        self._dice = dice
        self._due = due
        self._announced: set[str] = set()

    async def run(self) -> None:
        """Until cancelled. One snapshot's trouble is logged and tried again, and stops no other."""
        while True:
            self._due.clear()
            await self.do_due()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def do_due(self) -> None:
        for running in await self._all():
            try:
                await self._do(running)
            except Exception as error:  # noqa: BLE001 - the next snapshot must not wait for this one
                _log.error("work failed", snapshot=running.snapshot.id, **where(error))

    async def _all(self) -> list[Running]:
        try:
            return await self._service.directory.all(fresh=True)
        except RecordsError as error:
            _log.error("store not reached", **where(error))
            return []

    async def _do(self, running: Running) -> None:
        service = self._service
        now = service.clock()
        if running.phase is Phase.OPEN and now >= running.snapshot.deadline:
            running = service.directory.note(await begin_close(running, service.records, now))
        if running.phase is Phase.CLOSING:
            running = await self._finish(running)
        if running.phase is Phase.CLOSED:
            await sweep(running, service.records)
            await self._announce(running)

    async def _finish(self, running: Running) -> Running:
        service, id = self._service, running.snapshot.id
        instrument = service.page(running).instrument
        await finish_close(
            running, instrument, service.records, dice=self._dice, wait=asyncio.sleep
        )
        damaged = await service.records.heads(id, Kind.ENVELOPE, State.DAMAGED)
        if damaged:
            _log.error("damaged envelopes set aside", snapshot=id, how_many=len(damaged))
        _log.info("snapshot closed", snapshot=id)
        return await service.directory.find(id, fresh=True) or running

    async def _announce(self, running: Running) -> None:
        """Post the final summary. A crash before it is marked as sent repeats it at worst."""
        service, id = self._service, running.snapshot.id
        if id in self._announced:
            return
        address = service.directory.address(running)
        found = await final_summary(service.records, id)
        if address is None or found is None:
            return
        summary, publication = found
        if publication.state != Outbox.SENT:
            page = service.page(running)
            shown = summary_card(page, summary, closed_date=closed_date(running, page))
            await self._post(address, Reply(shown, page.words.messages["toast"]))
            await mark_sent(service.records, publication)
        self._announced.add(id)
