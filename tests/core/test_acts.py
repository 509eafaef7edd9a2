"""The log of acts: only ever added to, in order, and no entry can be changed or made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from snapshot.acts import SAME_WITHIN, Act, Did, Line, Role, append, read_log
from snapshot.ports import Kind, Record
from snapshot.sealing import Person
from tests.core.exampleshire import Area

FAY = Person("tenant", "fay-canary")
"""No seal in base64 has a hyphen, so none holds this by chance."""
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def act(did: Did = Did.EXTENDED, about: str = "1", minutes: int = 0) -> Act:
    return Act(AT + timedelta(minutes=minutes), Role.FACILITATOR, did, about, FAY)


async def notes(area: Area, *acts: Act) -> None:
    for each in acts:
        await append(area.running, area.records, each)


async def log(area: Area) -> list[Line]:
    return list(await read_log(area.running, area.records))


async def entries(area: Area) -> list[Record]:
    return await area.records.read_all(area.running.snapshot.id, Kind.ACT)


async def test_what_was_done_is_read_back_in_order(area: Area) -> None:
    assert await log(area) == []
    wanted = [act(Did.OPENED, ""), act(), Act(AT, Role.OPERATOR, Did.DESTROYED_KEY)]
    await notes(area, *wanted)
    assert await log(area) == [Line(n, each) for n, each in enumerate(wanted, start=1)]


async def test_of_many_at_once_each_has_its_own_number(area: Area) -> None:
    await asyncio.gather(
        *(append(area.running, area.records, act(about=str(n))) for n in range(12))
    )
    found = await log(area)
    assert [line.number for line in found] == list(range(1, 13))
    assert {line.act.about for line in found if line.act} == {str(n) for n in range(12)}


async def test_a_tap_that_is_delivered_twice_is_noted_once(area: Area) -> None:
    await notes(area, act(), act(), replace(act(), at=AT + SAME_WITHIN / 2))
    assert len(await log(area)) == 1
    await notes(area, replace(act(), at=AT + SAME_WITHIN))
    assert len(await log(area)) == 2
    await notes(area, act(about="2"), act(Did.CLOSED, "2"))
    assert len(await log(area)) == 4


async def test_nothing_of_it_can_be_read_without_the_key_nor_told_by_its_length(area: Area) -> None:
    await notes(area, act(Did.OPENED, ""), act(Did.DECIDED, f"paraphrase {'a' * 32}"))
    kept = await entries(area)
    assert len({len(record.body["sealed"]) for record in kept}) == 1
    assert not any("fay-canary" in str(record) or "opened" in str(record) for record in kept)


async def test_there_is_room_for_the_longest_ids_that_a_person_can_have(area: Area) -> None:
    longest = replace(
        act(Did.DECIDED, "a" * 64), person=Person("\U0001d518" * 128, "\U0001d518" * 128)
    )
    await notes(area, longest)
    assert await log(area) == [Line(1, longest)]


async def test_what_was_taken_out_leaves_a_gap(area: Area) -> None:
    await notes(area, act(about="1"), act(about="2"), act(about="3"))
    await area.records.delete((await entries(area))[1])
    assert [(line.number, line.is_missing) for line in await log(area)] == [
        (1, False),
        (2, True),
        (3, False),
    ]


@pytest.mark.parametrize("other", ["moved", "made up", "empty"])
async def test_what_was_changed_cannot_be_read_and_hides_nothing_else(
    area: Area, other: str
) -> None:
    await notes(area, act(about="1"), act(about="2"))
    first, second = await entries(area)
    body = {"moved": first.body, "made up": {"sealed": "AAAA"}, "empty": {}}[other]
    await area.records.replace(replace(second, body=body))
    assert await log(area) == [Line(1, act(about="1")), Line(2, None)]
    await notes(area, act(about="3"))
    assert (await log(area))[2] == Line(3, act(about="3"))
