"""The log of what was done to a snapshot: `python -m bot acts`, and what an operator adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from bot.turns.visit import Service
from snapshot.acts import Act, Did, Line, Role, append, read_log
from snapshot.opening import Running


class NoActs(Exception):
    """The message says why."""


async def operator_did(service: Service, running: Running, what: Did) -> None:
    await append(running, service.records, Act(service.clock(), Role.OPERATOR, what))


async def say_acts(service: Service, id: str) -> Sequence[str]:
    """A line for each, the first one first. Raises `NoActs`."""
    running = await service.directory.find_kept(id)
    if running is None:
        raise NoActs(f"There is no snapshot {id} that could be taken up.")
    return [_say(line) for line in await read_log(running, service.records)]


def _say(line: Line) -> str:
    act = line.act
    if act is None:
        return f"{line.number}\t{'missing' if line.is_missing else 'cannot be read'}"
    who = f"{act.person.tenant}/{act.person.object_id}" if act.person else ""
    at = act.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return "\t".join((str(line.number), at, act.role, who, act.did, act.about)).rstrip()
