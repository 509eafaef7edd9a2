"""Whoever talks to the bot in a private chat may be a lead of whom only an address is known.

Teams does not say an address with what people do, so it is asked for: not while somebody waits for
their answer, but when the worker looks round, and only where there are leads to be found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

import structlog

from bot.logs import where
from bot.roster import is_about
from bot.turns.turn import Address
from bot.turns.visit import Service, takes_answers
from snapshot.leads import Index, index, lead_id, note_person
from snapshot.ledger import revive
from snapshot.opening import Running
from snapshot.ports import RecordsError
from snapshot.sealing import Person

MOST_REMEMBERED = 20_000
"""People, of whom each takes some hundred bytes."""

LOOK_TIMEOUT_S = 15.0
_AT_ONCE = 8

type Member = Callable[[str, str, str], Awaitable[Mapping[str, Any]]]
"""What Teams knows of somebody: from service URL, conversation and user id."""

_ADDRESSES = ("email", "userPrincipalName")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Met:
    """Somebody who has talked to the bot. `id` is what Teams calls them in that chat."""

    person: Person
    address: Address
    id: str


class Meeting:
    """Those who have talked since the worker looked last, kept in memory alone."""

    def __init__(self, member: Member, turn: Callable[[str], Awaitable[None]]) -> None:
        """`turn` waits until one call may be made about a tenant."""
        self._member = member
        self._turn = turn
        self._waiting: dict[Person, Met] = {}
        self._asked: dict[tuple[str, Person], frozenset[str]] = {}
        self._urls: dict[str, str] = {}

    def note(self, met: Met) -> None:
        self._waiting.pop(met.person, None)
        self._waiting[met.person] = met
        _forget_the_first(self._waiting)
        self._urls[met.person.tenant] = met.address.service_url
        _forget_the_first(self._urls)

    def service_url(self, tenant: str) -> str | None:
        """Through which Teams has last told of this tenant."""
        return self._urls.get(tenant)

    async def look(self, service: Service, found: Sequence[Running]) -> None:
        """Whoever of them is a lead can be written to from now on.

        One who cannot be looked up is when they talk again. What else is due waits for
        `LOOK_TIMEOUT_S` at most; who has not had their turn by then has it the next time.
        """
        waiting, self._waiting = self._waiting, {}
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                for running in found if waiting else ():
                    if takes_answers(service, running):
                        await self._look_in(running, service, waiting)
                waiting.clear()
        except TimeoutError:
            _log.warning("leads not matched in time")
        except RecordsError as error:
            _log.warning("leads not matched", **where(error))
        self._waiting = waiting | self._waiting

    async def _look_in(
        self, running: Running, service: Service, waiting: Mapping[Person, Met]
    ) -> None:
        people = [m for m in waiting.values() if running.snapshot.is_for(m.person.tenant)]
        leads = await index(running, service.records) if people else None
        if leads is None or not leads.heads:
            return
        for some in batched(people, _AT_ONCE):
            await asyncio.gather(*(self._match(running, service, leads, met) for met in some))

    async def _match(self, running: Running, service: Service, leads: Index, met: Met) -> None:
        try:
            for id in await self._leads(running, leads, met):
                chat = met.address.as_json()
                await note_person(running, service.records, id, met.person, chat)
                await revive(service.records, running.snapshot.id, id, service.clock())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are looked up
            _log.warning("lead not matched", snapshot=running.snapshot.id, **where(error))

    async def _leads(self, running: Running, leads: Index, met: Met) -> Sequence[str]:
        """The ids of the leads that somebody is."""
        if known := leads.of_person(met.person):
            return known
        unresolved = leads.unresolved
        if not unresolved:
            return []
        return [*(await self._ids(running, met) & unresolved)]

    async def _ids(self, running: Running, met: Met) -> frozenset[str]:
        """What they would be called as a lead. Of an address, nothing else is kept."""
        key = (running.snapshot.id, met.person)
        if key not in self._asked:
            where = met.address
            await self._turn(met.person.tenant)
            found = await self._member(where.service_url, where.conversation, met.id)
            # The id is only what Teams calls them here; who they are, the verified activity said.
            said = (found.get(name) for name in _ADDRESSES if is_about(found, met.person))
            self._asked[key] = frozenset(
                lead_id(running, address) for address in said if isinstance(address, str)
            )
            _forget_the_first(self._asked)
        return self._asked[key]


def _forget_the_first(known: dict[Any, Any]) -> None:
    if len(known) > MOST_REMEMBERED:
        del known[next(iter(known))]
