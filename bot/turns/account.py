"""Facilitators and moderators answer for what they do, so it is noted: see `snapshot.acts`."""

from __future__ import annotations

import structlog

from bot.logs import where
from bot.turns.turn import Turn
from bot.turns.visit import Service, Visit
from snapshot.acts import Act, Did, Role, append
from snapshot.opening import Running
from snapshot.ports import RecordsError

_log = structlog.get_logger()


async def did(visit: Visit, what: Did, about: str = "") -> None:
    """Of a facilitator."""
    await note(visit.turn, visit.service, visit.running, Role.FACILITATOR, what, about)


async def moderator_did(visit: Visit, what: Did, about: str = "") -> None:
    await note(visit.turn, visit.service, visit.running, Role.MODERATOR, what, about)


async def note(
    turn: Turn, service: Service, running: Running, role: Role, what: Did, about: str = ""
) -> None:
    """What is done stays done if it cannot be noted: then the operator's log says so."""
    act = Act(service.clock(), role, what, about, turn.person)
    try:
        await append(running, service.records, act)
    except RecordsError as error:
        _log.error("act not noted", snapshot=running.snapshot.id, did=what, **where(error))
