"""Progress: in bands, on certain days, and of agencies only where they stand beside each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from snapshot.disclosure import beside_each_other
from snapshot.progress import frozen, last_progress, next_frozen, progress_due
from snapshot.publication import Outbox, unsent
from snapshot.snapshot import OTHER, CellId, Mixing
from tests.core.exampleshire import INSTRUMENT, OPENED, Area, a_snapshot, open_area
from tests.core.test_interim import WEDNESDAY, mixes, on, on_weekdays, sends

MONDAY = on(9, 9, 30)
"""A week after the opening. The deadline is on Monday the 16th."""

TWO_BEFORE = on(12, 9, 30)
"""Two working days before the deadline."""

LIMITS = INSTRUMENT.limits


@asynccontextmanager
async def an_area(
    folder: Path, headcounts: Mapping[str, int], mixing: Mixing = Mixing.EVERY_3_DAYS
) -> AsyncIterator[Area]:
    async with open_area(folder, replace(a_snapshot(dict(headcounts)), mixing=mixing)) as area:
        yield area


@pytest.fixture
async def area(tmp_path: Path) -> AsyncIterator[Area]:
    async with an_area(tmp_path, {"police": 60, "health": 120}) as area:
        yield area


async def is_due(area: Area, now: datetime) -> bool:
    return await progress_due(area.running, INSTRUMENT, area.records, now, on_weekdays)


async def told(area: Area) -> Mapping[str, object]:
    last = await last_progress(area.records, area.running.snapshot.id)
    assert last is not None
    return last.body


# -- when -----------------------------------------------------------------------------------------


async def test_facilitators_are_nudged_once_on_its_morning(area: Area) -> None:
    await sends(area, "police", range(30))
    assert not await is_due(area, MONDAY - timedelta(minutes=1))
    assert await is_due(area, MONDAY)
    assert not await is_due(area, MONDAY)
    (nudge,) = await unsent(area.records, area.running.snapshot.id)
    assert (nudge.id, nudge.state) == ("progress-2026-03-09", Outbox.RECORDED)
    assert nudge.body["progress"] == 20


async def test_what_was_told_does_not_change_before_the_next_day_on_which_it_is_frozen(
    area: Area,
) -> None:
    await sends(area, "police", range(30))
    await is_due(area, MONDAY)
    await sends(area, "health", range(60))
    assert not await is_due(area, MONDAY + timedelta(hours=5))
    assert (await told(area))["progress"] == 20
    await mixes(area, WEDNESDAY)
    assert (await told(area))["progress"] == 50
    assert await is_due(area, TWO_BEFORE)


async def test_a_clock_that_was_put_back_freezes_nothing_again(area: Area) -> None:
    assert await is_due(area, TWO_BEFORE)
    assert not await is_due(area, MONDAY)


async def test_the_next_figure_comes_with_a_mixing_or_a_nudge_whichever_is_first(
    area: Area,
) -> None:
    snapshot = area.running.snapshot
    assert next_frozen(snapshot, OPENED, on_weekdays) == on(5, 2)
    assert next_frozen(snapshot, on(8, 3), on_weekdays) == MONDAY
    assert next_frozen(snapshot, on(14, 3), on_weekdays) == snapshot.deadline
    at_the_close = replace(snapshot, mixing=Mixing.CLOSE)
    assert next_frozen(at_the_close, OPENED, on_weekdays) == MONDAY


# -- agencies beside each other --------------------------------------------------------------------


async def test_those_who_were_mixed_count_with_those_who_wait(area: Area) -> None:
    await sends(area, "police", range(40))
    await mixes(area, WEDNESDAY)
    assert (await frozen(area.running, INSTRUMENT, area.records))["agencies"] == {
        "police": "above",
        "health": "below",
    }


@pytest.mark.parametrize(
    ("police", "health", "stands"),
    [(30, 60, "near"), (36, 60, "near"), (37, 60, "above"), (24, 60, "near"), (23, 60, "below")],
)
def test_within_one_step_of_the_others_is_near(police: int, health: int, stands: str) -> None:
    snapshot = a_snapshot({"police": 60, "health": 120})
    waiting = {CellId("police"): police, CellId("health"): health}
    assert beside_each_other(snapshot, waiting, [], LIMITS)[CellId("police")] == stands


@pytest.mark.parametrize(
    "headcounts",
    [{"police": 60}, {"police": 60, "health": 24}, {"police": 60, OTHER: 60}],
    ids=["one", "the other too small", "the other combined"],
)
def test_nothing_is_said_of_agencies_unless_two_stand_alone(headcounts: dict[str, int]) -> None:
    waiting = {CellId(cell): 20 for cell in headcounts}
    assert beside_each_other(a_snapshot(headcounts), waiting, [], LIMITS) == {}


async def test_below_twenty_people_nothing_is_said_of_how_many(tmp_path: Path) -> None:
    async with an_area(tmp_path, {"police": 19}) as area:
        await sends(area, "police", range(12))
        assert await is_due(area, MONDAY)
        assert await told(area) == {"progress": None, "agencies": {}}
