"""`python -m bot retention`: until when each part of what is kept of a snapshot stays."""

from __future__ import annotations

from bot.turns.visit import Service
from snapshot.keeping import Keeping, Part, kept_until
from snapshot.opening import Running
from snapshot.ports import DIRECTORY, Kind


async def say_kept(service: Service) -> list[str]:
    """A line for each snapshot, those that are stopped too."""
    known = {str(r.snapshot.id): r for r in await service.directory.kept()}
    heads = await service.records.heads(DIRECTORY, Kind.SNAPSHOT)
    return [f"{head.id}: {_say(known.get(head.id), service.keeping)}" for head in heads]


def _say(running: Running | None, keeping: Keeping) -> str:
    if running is None:
        return "stopped, so nothing of it is deleted by itself; see purge"
    days = {part: until for part in Part if (until := kept_until(running, keeping, part))}
    if not days:
        return "has not closed, so nothing of it is deleted yet"
    return ", ".join(f"{part} until {until}" for part, until in days.items())
