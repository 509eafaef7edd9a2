"""The close: what was sent is mixed and published, what was not is deleted unread."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import pytest

from snapshot.closing import FINAL, begin_close, final_summary, finish_close
from snapshot.disclosure import Summary
from snapshot.envelope import State
from snapshot.errors import NotOpen
from snapshot.ports import DIRECTORY, Kind, Record
from snapshot.snapshot import Phase
from tests.core.exampleshire import (
    INSTRUMENT,
    OPENED,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    a_snapshot,
    contact,
    no_waiting,
    open_area,
    person,
)
from tests.core.mixed import a_small_area, assert_nothing_is_left_behind
from tests.core.watching import AtWrite, Watched


async def close(area: Area) -> Summary:
    running = await begin_close(area.running, area.records, OPENED)
    return await finish_close(running, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)


async def test_at_the_close_drafts_are_deleted_unread_and_the_rest_is_published(
    area: Area,
) -> None:
    await area.people_send({"police": K})
    await area.keeps("Ada", a_ballot("police", SOME_CHOICES, sent=False), State.OPEN)
    summary = await close(area)
    assert (summary.withheld, summary.people) == (False, 10)
    assert await area.states() == {State.RELEASED: K, State.EXPIRED: 1}
    assert (await area.envelope("Ada")).body == {"ballot": None, "contact": None}


async def test_below_k_nothing_is_published_and_everything_is_deleted_unread(area: Area) -> None:
    await area.people_send({"police": 5, "health": 4})
    summary = await close(area)
    assert (summary.withheld, summary.people) == (True, 0)
    assert await area.states() == {State.WITHHELD: 9}
    assert await area.slips() == []
    for record in await area.records.read_all(area.running.snapshot.id, Kind.ENVELOPE):
        assert record.body == {"ballot": None, "contact": None}
        assert record.group == ""


async def test_closing_twice_publishes_once(area: Area) -> None:
    await area.people_send({"police": K})
    first = await close(area)
    again = await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)
    assert again.state == Phase.CLOSED
    running = area.running.with_record(again)
    assert await begin_close(running, area.records, OPENED) == running
    assert await close(replace(area, running=running)) == first
    found = await final_summary(area.records, area.running.snapshot.id)
    assert found is not None
    assert found[0] == first


async def test_figures_that_somebody_else_has_recorded_already_stand(area: Area) -> None:
    await area.people_send({"police": K})
    theirs = Summary(k=K, people=0, step=0, domains=())
    await area.records.create(
        Record(area.running.snapshot.id, Kind.PUBLICATION, FINAL, theirs.as_json())
    )
    assert await close(area) == theirs


async def test_after_the_log_was_emptied_only_the_phase_is_written(area: Area) -> None:
    await area.people_send({"police": K})
    watched = Watched(area.records)
    await close(replace(area, records=watched))
    assert watched.verbs[-2:] == ["forget", "replace"]


async def test_whoever_began_while_the_snapshot_closed_is_swept_up(area: Area) -> None:
    await area.people_send({"police": K})

    async def ada_begins(record: Record) -> None:
        if record.kind is Kind.TALLY:
            await area.survey.begin(person("Ada"), "police", contact("Ada"))

    await close(replace(area, records=Watched(area.records, ada_begins)))
    assert await area.states() == {State.RELEASED: K, State.EXPIRED: 1}
    assert (await area.envelope("Ada")).body == {"ballot": None, "contact": None}


async def test_what_was_sent_in_the_last_moment_is_counted_or_deleted_but_never_kept(
    tmp_path: Path,
) -> None:
    async with a_small_area(tmp_path, {"police": 3}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                await area.keeps("late", a_ballot("police", SOME_CHOICES, sent=False), State.OPEN)
                late = AtWrite(number, partial(send_if_still_open, area))
                watched = Watched(area.records, late)
                await close(replace(area, records=watched))
                if not late.came_to_it:
                    break
                state = (await area.envelope("late")).state
                assert state in (State.EXPIRED, State.RELEASED, State.WITHHELD), number
                people = sum(t.people for t in await area.tallies())
                assert people == (4 if state == State.RELEASED else 3), number
                await assert_nothing_is_left_behind(area)


async def send_if_still_open(area: Area) -> None:
    with suppress(NotOpen):
        await area.survey.submit(person("late"))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 13, 23, 59, tzinfo=UTC), "2026-03-13"),
        (datetime(2026, 3, 29, 23, 30, tzinfo=UTC), "2026-03-30"),
        (datetime(2026, 5, 4, 12, 0, tzinfo=UTC), "2026-04-30"),
    ],
    ids=["winter", "an hour later in summer", "noticed only after the deadline"],
)
async def test_the_day_of_the_close_is_that_of_the_area_s_clocks(
    tmp_path: Path, moment: datetime, day: str
) -> None:
    deadline = datetime(2026, 4, 30, 16, 0, tzinfo=UTC)
    async with open_area(tmp_path, replace(a_snapshot(), deadline=deadline)) as area:
        running = await begin_close(area.running, area.records, moment)
    assert (running.phase, running.closed) == (Phase.CLOSING, day)
