"""A store that says "changed" for ever holds nobody for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from snapshot import session
from snapshot.closing import begin_close
from snapshot.envelope import State
from snapshot.lead_lists import Row
from snapshot.leads import add, lead_id, note_install, stop
from snapshot.mix import move
from snapshot.opening import correct, extend
from snapshot.ports import Changed, Exists, Kind, Record, Records, Unavailable
from snapshot.roll import extend_roll
from tests.core.exampleshire import INSTRUMENT, OPENED, Area, person
from tests.core.watching import Watched

ADDRESS = "ann@example.org"


async def _is_closed(area: Area, records: Records) -> None:
    await begin_close(area.running, records, OPENED)


async def _is_extended(area: Area, records: Records) -> None:
    later = area.running.snapshot.deadline + timedelta(days=7)
    await extend(area.running, records, later, "snow", OPENED)


async def _is_corrected(area: Area, records: Records) -> None:
    right = replace(area.running.snapshot.contacts, front_door_name="The front desk")
    await correct(area.running, records, right, 0, OPENED)


async def _has_a_lead_less(area: Area, records: Records) -> None:
    await stop(area.running, records, lead_id(area.running, ADDRESS))


async def _installs(area: Area, records: Records) -> None:
    await note_install(area.running, records, person("ada"), OPENED)


async def _has_one_more_on_its_roll(area: Area, records: Records) -> None:
    await extend_roll(records, area.running.snapshot.id, ["1" * 32])


async def _moves_an_envelope(area: Area, records: Records) -> None:
    id, (head,) = area.running.snapshot.id, await _envelopes(area)
    await move(records, id, head, State.SUBMITTED, State.OPEN)


async def _pauses_its_session(area: Area, records: Records) -> None:
    await session.pause(area.running, records)


async def _envelopes(area: Area) -> list[str]:
    return [h.id for h in await area.records.heads(area.running.snapshot.id, Kind.ENVELOPE)]


@pytest.mark.parametrize(
    "change",
    [
        _is_closed,
        _is_extended,
        _is_corrected,
        _has_a_lead_less,
        _installs,
        _has_one_more_on_its_roll,
        _moves_an_envelope,
        _pauses_its_session,
    ],
)
async def test_it_ends_as_if_the_store_were_away(
    area: Area, change: Callable[[Area, Records], Awaitable[None]]
) -> None:
    await add(area.running, area.records, [Row(1, ADDRESS)])
    await area.people_send({"police": 1})
    await note_install(area.running, area.records, person("ada"), OPENED)
    await extend_roll(area.records, area.running.snapshot.id, ["0" * 32])
    await session.start(area.running, area.records, INSTRUMENT, "a meeting")

    async def somebody_was_faster(record: Record) -> None:
        raise Changed if record.etag else Exists

    async with asyncio.timeout(60):
        with pytest.raises(Unavailable):
            await change(area, Watched(area.records, somebody_was_faster))
