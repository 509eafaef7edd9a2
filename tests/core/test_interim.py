"""While a snapshot runs: who is mixed and who waits, and what may be said in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain, combinations, count, pairwise
from pathlib import Path
from random import Random

import pytest

from snapshot.calendar import LATE
from snapshot.closing import FINAL, begin_close, finish_close
from snapshot.disclosure import Summary
from snapshot.envelope import Ballot, State
from snapshot.instrument import NOT_RELEVANT, OptionId
from snapshot.interim import last_interim, mix_due, publish_interim, sent_interim
from snapshot.mix import MOST_IN_A_BATCH, Wait
from snapshot.ports import Kind, Record, Records
from snapshot.progress import last_progress
from snapshot.publication import Outbox, bases_in, find, mark_sent
from snapshot.roll import digest, extend_roll, pin, pinned, released
from snapshot.snapshot import Mixing
from tests.core.exampleshire import (
    FULLY,
    INSTRUMENT,
    OPTIONS,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    a_snapshot,
    no_waiting,
    open_area,
    person,
    told,
)
from tests.core.mixed import (
    Leaving,
    Small,
    a_small_area,
    assert_nothing_is_left_behind,
    ballots_with_labels,
    without_cells,
)
from tests.core.watching import AtWrite, Watched

FIVE_CELLS = {"police": 90, "health": 160, "schools": 210, "housing": 30, "other": 40}


def on(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of March 2026, when the clocks of the area show UTC."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


THURSDAY, SUNDAY, WEDNESDAY, LAST = MIXINGS = tuple(on(day, 2) for day in (5, 8, 11, 14))
"""Of what was opened on Monday the 2nd and is mixed every third day, until the deadline."""


def on_weekdays(day: date) -> bool:
    return day.weekday() < 5


@asynccontextmanager
async def mixed_every_third_day(
    folder: Path, headcounts: dict[str, int], k: int = K
) -> AsyncIterator[Area]:
    snapshot = replace(a_snapshot(headcounts, k=k), mixing=Mixing.EVERY_3_DAYS)
    async with open_area(folder, snapshot) as area:
        yield area


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Area]:
    """Police and health, 60 and 120 people, mixed every third day."""
    async with mixed_every_third_day(tmp_path, {"police": 60, "health": 120}) as area:
        yield area


async def sends(area: Area, cell: str, numbers: range) -> dict[str, Ballot]:
    """People of a cell who have sent, by name; what they answered follows from the name."""
    sent = {}
    for number in numbers:
        dice = Random(name := f"{cell}-{number}")
        sent[name] = a_ballot(cell, [dice.choice(OPTIONS) for _ in INSTRUMENT.statements])
        await area.keeps(name, sent[name])
    return sent


async def mixes(
    area: Area,
    now: datetime,
    *,
    seed: int = 1,
    records: Records | None = None,
    wait: Wait = no_waiting,
) -> bool:
    store = records or area.records
    return await mix_due(area.running, INSTRUMENT, store, now, dice=Random(seed), wait=wait)


async def publishes(area: Area, now: datetime, records: Records | None = None) -> bool:
    store = records or area.records
    return await publish_interim(area.running, INSTRUMENT, store, now, on_weekdays)


async def close(area: Area, now: datetime) -> Summary:
    closing = await begin_close(area.running, area.records, now)
    return await finish_close(closing, INSTRUMENT, area.records, dice=Random(9), wait=no_waiting)


async def in_state(area: Area, names: Iterable[str], state: State) -> set[str]:
    return {name for name in names if (await area.envelope(name)).state == state}


async def sizes(area: Area) -> list[tuple[str, int]]:
    return sorted((t.cell, t.people) for t in await area.tallies())


async def published(area: Area) -> list[str]:
    heads = await area.records.heads(area.running.snapshot.id, Kind.PUBLICATION)
    return [head.id for head in heads]


# -- who is released while more may come ---------------------------------------------------------


async def test_in_each_cell_k_people_stay_and_the_others_are_released(tmp_path: Path) -> None:
    async with open_area(tmp_path, a_snapshot(FIVE_CELLS)) as area:
        sent = await area.people_send(
            {"police": 25, "health": 20, "schools": 19, "housing": 3, "other": 31}
        )
        await area.mix().run()
        assert await sizes(area) == [("health", 10), ("other", 21), ("police", 15)]
        waiting = await in_state(area, sent, State.SUBMITTED)
        stayed = Counter(name.partition("-")[0] for name in waiting)
        assert stayed == {"police": 10, "health": 10, "schools": 19, "housing": 3, "other": 10}
        released = {name: ballot for name, ballot in sent.items() if name not in waiting}
        assert told(await area.slips()) == ballots_with_labels(released, {})
        for name in waiting:
            assert (await area.survey.envelope(person(name))) is not None
        await assert_nothing_is_left_behind(area)


@pytest.mark.parametrize("waiting", [0, 1, K, 2 * K - 1])
async def test_below_twice_k_nobody_is_released(area: Area, waiting: int) -> None:
    await area.people_send({"police": waiting, "health": 2 * K - 1})
    await area.mix().run()
    assert await area.slips() == []
    assert await area.states() == {State.SUBMITTED: waiting + 2 * K - 1}
    assert await area.journals() == []


async def test_those_who_stay_are_drawn_by_lot(tmp_path: Path) -> None:
    """So that whoever came last is no likelier to be among them than anybody else."""
    stayed: list[tuple[int, ...]] = []
    async with a_small_area(tmp_path, {"police": 4}, k=2) as small:
        listed = sorted(small.sent, key=small.area.tag)
        for seed in range(40):
            async with small.copy() as area:
                await area.mix(seed=seed).run()
                waiting = await in_state(area, listed, State.SUBMITTED)
                stayed.append(tuple(n for n, name in enumerate(listed) if name in waiting))
    assert set(stayed) == set(combinations(range(4), 2)), "every pair of the four"
    times = Counter(chain.from_iterable(stayed))
    assert all(10 <= times[number] <= 30 for number in range(4)), "20 of 40, give or take"


async def test_the_same_people_are_not_released_twice_by_mixing_again(running: Area) -> None:
    await running.people_send({"police": 25})
    await running.mix().run()
    before = (await running.slips(), await running.tallies(), await running.states())
    await running.mix(seed=2).run()
    assert (await running.slips(), await running.tallies(), await running.states()) == before


@pytest.mark.parametrize(("people", "k"), [(110, 10), (111, 10), (230, 10), (141, 20), (340, 20)])
async def test_many_leave_in_parts_of_k_to_a_hundred_and_k_stay(
    tmp_path: Path, people: int, k: int
) -> None:
    async with open_area(tmp_path, a_snapshot({"police": 400}, k=k)) as area:
        sent = await area.people_send({"police": people})
        await area.mix().run()
        parts = [n for _, n in await sizes(area)]
        assert sum(parts) == people - k
        assert all(k <= part <= MOST_IN_A_BATCH for part in parts)
        assert len(parts) == -(-(people - k) // MOST_IN_A_BATCH)
        waiting = await in_state(area, sent, State.SUBMITTED)
        released = {name: ballot for name, ballot in sent.items() if name not in waiting}
        assert told(await area.slips()) == ballots_with_labels(released, {})
        await assert_nothing_is_left_behind(area)


async def test_a_bad_ballot_is_not_one_of_those_who_stay(area: Area) -> None:
    await area.people_send({"police": 2 * K - 1})
    await area.keeps("odd", a_ballot("police", SOME_CHOICES[:2]))
    await area.mix().run()
    assert await area.slips() == []
    assert await area.states() == {State.SUBMITTED: 2 * K - 1, State.DAMAGED: 1}


async def test_drafts_wait_for_their_owners(area: Area) -> None:
    await area.people_send({"police": 2 * K})
    await area.keeps("Ada", a_ballot("police", SOME_CHOICES, sent=False), State.OPEN)
    before = await area.envelope("Ada")
    await area.mix().run()
    assert await area.envelope("Ada") == before


# -- while others are at it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "would_be", "outcomes"),
    [
        (6, State.RELEASED, {True, False}),
        (8, State.RELEASED, {True, False}),
        (8, State.SUBMITTED, {False}),
    ],
)
async def test_whatever_write_somebody_leaves_at_they_have_left_or_are_counted(
    tmp_path: Path, people: int, would_be: State, outcomes: set[bool]
) -> None:
    """Somebody who would be released, or would be one of those who stay."""
    refused = set()
    async with a_small_area(tmp_path, {"police": people}, k=3) as small:
        async with small.copy() as area:
            await area.mix().run()
            name = min(await in_state(area, small.sent, would_be))
        for number in count():
            async with small.copy() as area:
                leaving = Leaving(area, name)
                at_write = AtWrite(number, leaving)
                await area.mix(records=Watched(area.records, at_write)).run()
                if not at_write.came_to_it:
                    break
                refused.add(leaving.refused)
                state = State.RELEASED if leaving.refused else State.WITHDRAWN
                assert (await area.envelope(name)).state == state, number
                released = await in_state(area, small.sent, State.RELEASED)
                counted = {name: small.sent[name] for name in released}
                assert told(await area.slips()) == ballots_with_labels(counted, {}), number
                assert (await area.states())[State.SUBMITTED] >= 2, number
                await assert_nothing_is_left_behind(area)
    assert refused == outcomes


async def test_whatever_write_a_second_worker_starts_at_each_is_released_once_and_k_stay(
    tmp_path: Path,
) -> None:
    async with a_small_area(tmp_path, {"police": 7, "health": 6}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                second = AtWrite(number, area.mix(seed=2).run)
                await area.mix(records=Watched(area.records, second)).run()
                if not second.came_to_it:
                    break
                assert await sizes(area) == [("health", 3), ("police", 4)], number
                assert await area.states() == {State.RELEASED: 7, State.SUBMITTED: 6}, number
                await assert_nothing_is_left_behind(area)
                await area.mix(seed=3).flush()
                assert told(await area.slips()) == small.expected(), number
        assert number > 30


# -- when ----------------------------------------------------------------------------------------


async def test_nothing_is_mixed_before_it_is_due(running: Area) -> None:
    await running.people_send({"police": 25})
    assert not await mixes(running, THURSDAY - timedelta(seconds=1))
    assert await running.slips() == []
    assert await published(running) == []


async def test_on_each_day_of_mixing_it_is_done_once(running: Area) -> None:
    await sends(running, "police", range(25))
    assert await mixes(running, THURSDAY)
    await sends(running, "police", range(25, 50))
    assert not await mixes(running, THURSDAY + timedelta(hours=1))
    assert not await mixes(running, SUNDAY - timedelta(seconds=1))
    assert await sizes(running) == [("police", 15)]
    assert await mixes(running, SUNDAY)
    assert await sizes(running) == [("police", 15), ("police", 25)]
    assert await published(running) == ["mixing-2026-03-05", "mixing-2026-03-08"]


async def test_one_that_is_late_is_done_once(running: Area) -> None:
    await running.people_send({"police": 25})
    assert await mixes(running, SUNDAY + LATE - timedelta(seconds=1))
    assert not await mixes(running, SUNDAY + LATE)
    assert await published(running) == ["mixing-2026-03-08"]
    assert await sizes(running) == [("police", 15)]


async def test_one_that_was_missed_is_left_to_the_next(running: Area) -> None:
    """By then people are told the day of the next one."""
    await running.people_send({"police": 25})
    assert not await mixes(running, THURSDAY + LATE)
    assert not await mixes(running, SUNDAY - timedelta(seconds=1))
    assert await mixes(running, SUNDAY)
    assert await published(running) == ["mixing-2026-03-08"]


async def test_a_clock_that_was_put_back_mixes_nothing_again(running: Area) -> None:
    """Otherwise whoever sets the clock could choose a moment around one person."""
    await sends(running, "police", range(25))
    assert await mixes(running, SUNDAY)
    await sends(running, "police", range(25, 50))
    for earlier in (SUNDAY - timedelta(hours=1), SUNDAY - timedelta(days=1), THURSDAY):
        assert not await mixes(running, earlier)
    assert await sizes(running) == [("police", 15)]


async def test_after_the_deadline_no_new_mixing_is_due(running: Area) -> None:
    deadline = running.running.snapshot.deadline
    assert not await mixes(running, deadline + timedelta(days=30))
    assert not await mixes(running, deadline + LATE)
    assert await published(running) == []


async def test_where_mixing_is_at_the_close_none_is_due_before(area: Area) -> None:
    await area.people_send({"police": 25})
    assert not await mixes(area, area.running.snapshot.deadline)
    assert await area.slips() == []


async def test_what_was_overwritten_is_forgotten_before_the_mixing_counts_as_done(
    running: Area,
) -> None:
    await running.people_send({"police": 25})
    watched = Watched(running.records)
    await mixes(running, THURSDAY, records=watched)
    done = len(watched.verbs) - 1 - watched.verbs[::-1].index("forget")
    assert [v for v in watched.verbs[done:] if v in ("create", "replace", "delete")] == ["create"]


class Died(Exception):
    """The worker's process is gone."""


async def test_a_worker_that_dies_before_it_notes_the_mixing_releases_nobody_again(
    running: Area,
) -> None:
    async def die(record: Record) -> None:
        if record.kind is Kind.PUBLICATION:
            raise Died

    sent = await running.people_send({"police": 25})
    with pytest.raises(Died):
        await mixes(running, THURSDAY, records=Watched(running.records, die))
    assert await published(running) == []
    before = await running.slips()
    assert await mixes(running, THURSDAY + timedelta(minutes=1), seed=2)
    assert await running.slips() == before
    assert len(await in_state(running, sent, State.SUBMITTED)) == K
    assert await published(running) == ["mixing-2026-03-05"]


async def test_of_two_workers_at_any_moment_one_notes_the_mixing(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    async with mixed_every_third_day(folder, {"police": 30}, k=3) as prepared:
        sent = await sends(prepared, "police", range(6))
        await prepared.records.forget()
        small = Small(prepared, sent, folder)
        for number in count():
            async with small.copy() as area:
                did: list[bool] = []

                async def second_worker(area: Area = area, did: list[bool] = did) -> None:
                    did.append(await mixes(area, THURSDAY, seed=2))

                at_write = AtWrite(number, second_worker)
                did.append(await mixes(area, THURSDAY, records=Watched(area.records, at_write)))
                if not at_write.came_to_it:
                    break
                assert sorted(did) == [False, True], number
                assert await published(area) == ["mixing-2026-03-05"], number
                assert await sizes(area) == [("police", 3)], number
                await area.mix(seed=3).flush()
                assert told(await area.slips()) == small.expected(), number
        assert number > 15


async def test_two_workers_at_once_mix_once(running: Area) -> None:
    async def a_moment(_: float) -> None:
        await asyncio.sleep(0.1)

    await running.people_send({"police": 25})
    both = [mixes(running, THURSDAY, seed=seed, wait=a_moment) for seed in (1, 2)]
    assert sorted(await asyncio.gather(*both)) == [False, True]
    assert await sizes(running) == [("police", 15)]
    assert await published(running) == ["mixing-2026-03-05"]


# -- progress ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headcount", "sent", "told_as"),
    [(19, 12, None), (20, 0, 0), (20, 12, 60), (60, 32, 50), (60, 33, 60), (20, 23, 100)],
)
async def test_progress_is_told_to_the_nearest_ten_of_a_headcount_of_twenty_or_more(
    tmp_path: Path, headcount: int, sent: int, told_as: int | None
) -> None:
    async with mixed_every_third_day(tmp_path, {"police": headcount}) as area:
        await area.people_send({"police": sent})
        await area.keeps("draft", a_ballot("police", SOME_CHOICES, sent=False), State.OPEN)
        await area.keeps("gone", a_ballot("police", SOME_CHOICES))
        await area.survey.withdraw(person("gone"))
        assert await mixes(area, THURSDAY)
        assert await progress(area) == told_as


async def test_progress_stands_as_it_was_until_the_next_mixing(running: Area) -> None:
    await sends(running, "police", range(30))
    await mixes(running, THURSDAY)
    assert await progress(running) == 20
    await sends(running, "police", range(30, 60))
    assert not await mixes(running, THURSDAY + timedelta(hours=9))
    assert await progress(running) == 20
    await mixes(running, SUNDAY)
    assert await progress(running) == 30


async def test_a_mixing_leaves_nothing_to_be_sent(running: Area) -> None:
    assert await last_progress(running.records, running.running.snapshot.id) is None
    await mixes(running, THURSDAY)
    frozen = await last_progress(running.records, running.running.snapshot.id)
    assert frozen is not None
    assert (frozen.state, set(frozen.body)) == (Outbox.SILENT, {"progress", "agencies"})


async def progress(area: Area) -> int | None:
    frozen = await last_progress(area.records, area.running.snapshot.id)
    assert frozen is not None
    found: int | None = frozen.body["progress"]
    return found


# -- interim summaries ---------------------------------------------------------------------------


async def test_an_interim_summary_is_of_twenty_released_people_or_more(running: Area) -> None:
    await sends(running, "police", range(29))
    await mixes(running, THURSDAY)
    assert not await publishes(running, on(6, 9, 30))
    await sends(running, "health", range(20))
    await mixes(running, SUNDAY)
    assert await publishes(running, on(9, 9, 30))
    found = await last_interim(running.records, running.running.snapshot.id)
    assert found is not None
    assert (found.id, found.state) == ("interim-2026-W11", Outbox.RECORDED)
    assert Summary.from_json(found.body).people == 30


@pytest.mark.parametrize(
    ("now", "is_published"),
    [
        pytest.param(on(4, 9, 30), False, id="the day before the mixing"),
        pytest.param(on(5, 9, 30), False, id="the day of the mixing"),
        pytest.param(on(6, 9, 29), False, id="a minute too early"),
        pytest.param(on(6, 9, 30), True, id="the morning after"),
        pytest.param(on(6, 23, 59), True, id="late on that day"),
        pytest.param(on(7, 9, 30), False, id="a day later"),
        pytest.param(on(8, 9, 30), False, id="the next day of mixing"),
        pytest.param(on(9, 9, 30), True, id="the morning after that"),
        pytest.param(on(16, 9, 30), False, id="after the deadline"),
    ],
)
async def test_it_comes_on_the_working_day_after_a_mixing(
    running: Area, now: datetime, is_published: bool
) -> None:
    await running.people_send({"police": 40})
    await mixes(running, THURSDAY)
    assert await publishes(running, now) == is_published


async def test_a_holiday_puts_it_off(running: Area) -> None:
    await running.people_send({"police": 40})
    await mixes(running, THURSDAY)
    on_a_friday = partial(
        publish_interim, running.running, INSTRUMENT, running.records, on(6, 9, 30)
    )
    assert not await on_a_friday(lambda day: on_weekdays(day) and day.day != 6)
    assert await on_a_friday(on_weekdays)


async def test_in_one_calendar_week_there_is_one(running: Area) -> None:
    await sends(running, "police", range(40))
    await mixes(running, SUNDAY)
    assert await publishes(running, on(9, 9, 30))
    assert not await publishes(running, on(9, 9, 31))
    await sends(running, "health", range(60))
    await mixes(running, WEDNESDAY)
    assert not await publishes(running, on(12, 9, 30))
    assert await published(running) == [
        "interim-2026-W11",
        "mixing-2026-03-08",
        "mixing-2026-03-11",
    ]


async def test_on_friday_and_on_monday_there_may_be_one_each(running: Area) -> None:
    await sends(running, "police", range(40))
    await mixes(running, THURSDAY)
    assert await publishes(running, on(6, 9, 30))
    await sends(running, "health", range(60))
    await mixes(running, SUNDAY)
    assert await publishes(running, on(9, 9, 30))


@pytest.mark.parametrize(
    "earlier",
    [on(9, 8, 30), on(8, 9, 30), on(6, 9, 30), on(6, 12)],
    ids=["an hour", "a day", "to the week before", "to an afternoon of it"],
)
async def test_a_clock_that_was_put_back_publishes_no_second_one(
    running: Area, earlier: datetime
) -> None:
    """What it would rest on is newer than it seems, and the one after would not know of it."""
    await sends(running, "police", range(40))
    await mixes(running, SUNDAY)
    assert await publishes(running, on(9, 9, 30))
    await sends(running, "health", range(60))
    await running.mix().run()
    assert not await publishes(running, earlier)
    assert not await publishes(running, on(9, 9, 30))


async def test_while_a_batch_is_half_written_there_is_none(running: Area) -> None:
    await running.people_send({"police": 40})
    await mixes(running, THURSDAY)
    journal = Record(running.running.snapshot.id, Kind.JOURNAL, "journal", {}, state="claim")
    journal = await running.records.create(journal)
    assert not await publishes(running, on(6, 9, 30))
    await running.records.delete(journal)
    assert await publishes(running, on(6, 9, 30))


async def test_of_two_workers_one_publishes(running: Area) -> None:
    await running.people_send({"police": 40})
    await mixes(running, THURSDAY)
    did = []

    async def the_other(record: Record) -> None:
        did.append(await publishes(running, on(6, 9, 30)))

    watched = Watched(running.records, the_other)
    assert not await publishes(running, on(6, 9, 30), watched)
    assert did == [True]


async def test_it_is_shown_once_the_channel_has_it(running: Area) -> None:
    id = running.running.snapshot.id
    await running.people_send({"police": 40})
    await mixes(running, THURSDAY)
    await publishes(running, on(6, 9, 30))
    assert await sent_interim(running.records, id) is None
    found = await last_interim(running.records, id)
    assert found is not None
    await mark_sent(running.records, found)
    assert await sent_interim(running.records, id) == Summary.from_json(found.body)


async def test_each_publication_rests_on_the_one_before(running: Area) -> None:
    id = running.running.snapshot.id
    sent = 0
    for mixing, morning in ((THURSDAY, on(6, 9, 30)), (SUNDAY, on(9, 9, 30))):
        await sends(running, "police", range(sent, sent := sent + 50))
        await mixes(running, mixing)
        assert await publishes(running, morning)
    await sends(running, "health", range(15))
    await close(running, on(10, 12))
    records = [
        await find(running.records, id, which)
        for which in ("interim-2026-W10", "interim-2026-W11", FINAL)
    ]
    for earlier, later in pairwise(bases_in(record) for record in records):
        assert earlier is not None
        assert later is not None
        for statement, basis in earlier.items():
            assert basis.tallies < later[statement].tallies
            assert {c for g in basis.groups for c in g.cells} == {"police", "health"}


async def twenty_more_are_released(area: Area, chose: Mapping[OptionId, int]) -> None:
    """As a mix would leave it that drew twenty people with these choices."""
    records, keys, id = area.records, area.running.keys, area.running.snapshot.id
    counts = {s.id: chose for s in INSTRUMENT.statements}
    tally = {"cell": "police", "people": 20, "counts": counts}
    await records.create(Record(id, Kind.TALLY, "news", tally))
    roll = await released(keys, records, id) | {f"tag-{n}" for n in range(20)}
    before = await pinned(keys, id)
    await pin(keys, id, before, replace(before, roll=digest(roll)))
    await extend_roll(records, id, roll)


async def test_with_too_little_news_the_next_ones_stand_on_the_same_tallies(running: Area) -> None:
    """The final one as well; the ten who stayed behind leave before the close."""
    id = running.running.snapshot.id
    sent = await sends(running, "police", range(40))
    await mixes(running, THURSDAY)
    await publishes(running, on(6, 9, 30))
    before = bases_in(await last_interim(running.records, id))
    await twenty_more_are_released(running, {FULLY: 9, NOT_RELEVANT: 11})
    assert await publishes(running, on(9, 9, 30))
    assert bases_in(await last_interim(running.records, id)) == before
    for name in await in_state(running, sent, State.SUBMITTED):
        await running.survey.withdraw(person(name))
    await close(running, on(10, 12))
    assert bases_in(await find(running.records, id, FINAL)) == before


# -- to the end ----------------------------------------------------------------------------------


async def test_over_several_mixings_and_the_close_everybody_comes_out_once(tmp_path: Path) -> None:
    """With 10 or more of each cell at the close, everybody keeps their label."""
    sent: dict[str, Ballot] = {}
    async with mixed_every_third_day(tmp_path, FIVE_CELLS) as area:
        for number, mixing in enumerate(MIXINGS):
            for cell, each in (("police", 9), ("health", 14), ("schools", 3)):
                sent |= await sends(area, cell, range(number * each, (number + 1) * each))
            assert await mixes(area, mixing, seed=number)
            await publishes(area, mixing + timedelta(days=1, hours=8))
            await assert_nothing_is_left_behind(area)
        summary = await close(area, area.running.snapshot.deadline)
        assert (summary.withheld, summary.people) == (False, 105)
        assert told(await area.slips()) == ballots_with_labels(sent, {})
        assert await area.states() == {State.RELEASED: len(sent)}
        await assert_nothing_is_left_behind(area)


@pytest.mark.parametrize("seed", range(3))
async def test_however_people_come_and_go_whoever_stays_comes_out_once(
    tmp_path: Path, seed: int
) -> None:
    """Cells too small for a label of their own leave at the close as "other"."""
    dice = Random(seed)
    sent: dict[str, Ballot] = {}
    came = dict.fromkeys(FIVE_CELLS, 0)
    async with mixed_every_third_day(tmp_path, FIVE_CELLS) as area:
        for mixing in MIXINGS:
            for cell in came:
                some = dice.choice([0, 1, 4, 25])
                sent |= await sends(area, cell, range(came[cell], came[cell] + some))
                came[cell] += some
            for name in dice.sample(sorted(sent), k=min(2, len(sent))):
                leaving = Leaving(area, name)
                await leaving()
                if not leaving.refused:
                    del sent[name]
            await mixes(area, mixing, seed=mixing.day)
        await close(area, area.running.snapshot.deadline)
        assert without_cells(told(await area.slips())) == without_cells(
            ballots_with_labels(sent, {})
        )
        assert (await area.states())[State.RELEASED] == len(sent) >= K
        await assert_nothing_is_left_behind(area)
