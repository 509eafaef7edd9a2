"""What is kept of a closed snapshot is deleted on its day; the facilitators are told before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from bot.turns.visit import Service
from snapshot.calendar import day_of
from snapshot.keeping import (
    Part,
    forget_people,
    forget_plan,
    forget_words,
    is_due,
    warn_of_words,
    words_are_due,
)
from snapshot.opening import Running
from snapshot.ports import DIRECTORY, Keys, Kind
from snapshot.purging import purge


class Forgetting:
    """One snapshot at a time; any number of processes may do the same."""

    def __init__(self, service: Service, keys: Keys) -> None:
        self._service = service
        self._keys = keys
        self._looked: dict[tuple[str, Part], date] = {}

    async def forget(self, running: Running) -> AsyncIterator[str]:
        """All that is due, and tell of each that there was something to delete."""
        service, now = self._service, self._service.clock()
        working = service.working_days(running.snapshot.nation)
        if await warn_of_words(running, service.records, service.keeping, now, working):
            yield "deletion-announced"
        today = day_of(running.snapshot, now)
        for part in Part:
            key = (running.snapshot.id, part)
            # Once a day: what is empty costs some reads, and hardly anything comes after.
            if self._looked.get(key) != today and is_due(running, service.keeping, part, now):
                is_deleted = await self._forget(running, part)
                self._looked[key] = today
                if is_deleted:
                    yield f"{part}-deleted"

    async def _forget(self, running: Running, part: Part) -> bool:
        service, records = self._service, self._service.records
        match part:
            case Part.PEOPLE:
                return await forget_people(running, records)
            case Part.WORDS:
                is_time = await words_are_due(running, records, service.keeping, service.clock())
                return is_time and await forget_words(running, records)
            case Part.PLAN:
                area = service.area(running)
                return await self._is_last_of_its_area(running) and await forget_plan(records, area)
            case Part.REST:
                async for _ in purge(running.record, records, self._keys):
                    pass
                await service.directory.all(fresh=True)
                return True

    async def _is_last_of_its_area(self, running: Running) -> bool:
        """Whether no other snapshot still needs the plan, as far as all of them can be read."""
        service, now = self._service, self._service.clock()
        known = await service.directory.kept()
        if len(known) < len(await service.records.heads(DIRECTORY, Kind.SNAPSHOT)):
            return False
        area = service.area(running)
        return all(
            is_due(other, service.keeping, Part.PLAN, now)
            for other in known
            if service.area(other) == area
        )
