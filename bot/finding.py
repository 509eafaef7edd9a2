"""Leads of whom only an address is known, looked for in Microsoft Graph.

A few at a time and beside all else, so that a Graph that is slow or down holds up nobody. Who is
found is given the app and can be written to; `bot.reminding` takes up what they have missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import structlog

from bot.resolving import Chat, Later, Lookup, Nobody, Refused
from bot.turns.turn import Address
from bot.turns.visit import Service, takes_answers
from snapshot.leads import Lead, by_id, not_found_since, note_asked, note_found, note_install
from snapshot.opening import Running
from snapshot.reminding import look_again_since
from snapshot.sealing import Person

AT_ONCE = 4
"""Leads: Graph slows down whoever asks for much."""

A_ROUND = 200
MOST_PUT_OFF = 50
"""Leads. When so many have been put off in a round, the others would be too."""

FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 600.0
"""After a round that told nothing of anybody, at least; each about twice the last."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Looked:
    """`found`: whether anybody was; `is_done`: whether no more can be asked just now."""

    found: bool
    is_done: bool


@dataclass
class _Round:
    """`until`: when the first of those who were put off may be asked for again."""

    running: Running
    tenants: list[str]
    since: datetime
    waiting: list[Lead]
    found: int = 0
    told: int = 0
    put_off: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Wait:
    """`in_vain`: how many rounds in a row told nothing of anybody."""

    until: datetime
    in_vain: int


class Finding:
    """One snapshot at a time; any number of processes may do the same.

    `url_of` tells through which service URL Teams has last told of a tenant. `dice` need not be
    good ones.
    """

    def __init__(
        self,
        service: Service,
        lookup: Lookup,
        url_of: Callable[[str], str | None],
        dice: Random,
    ) -> None:
        self._service = service
        self._lookup = lookup
        self._url_of = url_of
        self._dice = dice
        self._waits: dict[str, _Wait] = {}
        self._told: set[str] = set()

    def again_at(self, snapshot: str) -> datetime | None:
        """When those who were put off may be asked for again; None: nobody was."""
        wait = self._waits.get(snapshot)
        return wait.until if wait else None

    async def look(self, running: Running) -> Looked:
        """One round. Raises `RecordsError`, `Damaged`."""
        service, id = self._service, running.snapshot.id
        tenants = [t for t in self._lookup.tenants if running.snapshot.is_for(t)]
        if not tenants or not takes_answers(service, running) or self._waits_still(id):
            return Looked(found=False, is_done=True)
        working = service.working_days(running.snapshot.nation)
        since = look_again_since(running.snapshot, service.clock(), working)
        waiting = await not_found_since(running, service.records, since, A_ROUND)
        # In random order, so that two processes rarely ask for the same one.
        self._dice.shuffle(waiting)
        is_last = len(waiting) < A_ROUND
        done = _Round(running, tenants, since, waiting)
        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(self._work(done), name=f"finding-{number}")
        self._note_wait(done)
        return Looked(found=done.found > 0, is_done=is_last or bool(done.until) or not done.told)

    async def _work(self, done: _Round) -> None:
        while done.waiting and done.put_off < MOST_PUT_OFF:
            await self._look_for(done, done.waiting.pop().id)

    async def _look_for(self, done: _Round, id: str) -> None:
        running, records = done.running, self._service.records
        lead = await by_id(running, records, id)
        # Some time has passed since they were listed.
        if lead is None or lead.stopped or not lead.is_sought(done.since):
            return
        found = await self._ask(done, lead)
        if isinstance(found, Later):
            done.put_off += 1
            done.until = min(done.until or found.until, found.until)
            return
        done.told += 1
        if isinstance(found, Address):
            done.found += 1
            return
        if isinstance(found, Refused):
            self._tell_once(running)
        await note_asked(running, records, id, self._service.clock())

    async def _ask(self, done: _Round, lead: Lead) -> Address | Nobody | Later | Refused:
        """Where they can be written to from now on."""
        running, records = done.running, self._service.records
        found = await self._lookup.resolve(lead.address, done.tenants)
        if not isinstance(found, Person):
            return found
        # Before Teams can say that it is there, to whichever process.
        await note_install(running, records, found, self._service.clock())
        reached = await self._lookup.reach(found)
        if not isinstance(reached, Chat):
            return reached
        address = self._address(running, found, reached)
        await note_found(running, records, lead.id, found, address.as_json())
        return address

    def _address(self, running: Running, person: Person, chat: Chat) -> Address:
        directory, tenant = self._service.directory, person.tenant
        channels = (directory.address(running), directory.moderators(running))
        known = (a.service_url for a in channels if a and a.tenant == tenant)
        url = self._url_of(tenant) or next(known, self._lookup.service_url)
        return Address(url, chat.conversation, self._lookup.bot, tenant)

    # -- those who were put off -------------------------------------------------------------------

    def _waits_still(self, snapshot: str) -> bool:
        wait = self._waits.get(snapshot)
        return wait is not None and self._service.clock() < wait.until

    def _note_wait(self, done: _Round) -> None:
        id = done.running.snapshot.id
        before = self._waits.pop(id, None)
        if done.until is None:
            return
        in_vain = 0 if done.told else 1 + (before.in_vain if before else 0)
        wait_s = min(FIRST_WAIT_S * 2.0 ** min(in_vain, 20), LONGEST_WAIT_S) if in_vain else 0.0
        at_least = self._service.clock() + timedelta(seconds=wait_s)
        self._waits[id] = _Wait(max(done.until, at_least), in_vain)

    def _tell_once(self, running: Running) -> None:
        id = running.snapshot.id
        if id not in self._told:
            self._told.add(id)
            _log.warning("leads not looked up", snapshot=id, why="a tenant refuses")
