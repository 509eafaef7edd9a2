"""Whatever happens while a mix runs: nobody is lost, nobody is doubled, no group is too small."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path

import pytest

from snapshot.envelope import State
from snapshot.errors import NotOpen
from snapshot.mix import CLAIMS_BETWEEN_SIGNS, PATIENCE_S
from snapshot.ports import Kind, Record
from tests.core.exampleshire import Area, K, person, told
from tests.core.mixed import (
    Leaving,
    Small,
    a_small_area,
    assert_nothing_is_left_behind,
    ballots_with_labels,
    without_cells,
)
from tests.core.watching import AtWrite, Watched

type Outcomes = list[Outcome]

# -- at every write ------------------------------------------------------------------------------


async def test_whatever_write_a_second_worker_starts_at_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    async with a_small_area(tmp_path, {"police": 4, "health": 3}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                second = AtWrite(number, area.mix(seed=2).flush)
                await area.mix(records=Watched(area.records, second)).flush()
                if not second.came_to_it:
                    break
                assert told(await area.slips()) == small.expected(), number
                assert sorted(t.people for t in await area.tallies()) == [3, 4], number
                assert await area.states() == {State.RELEASED: 7}, number
                await assert_nothing_is_left_behind(area)
        assert number > 30


class Died(Exception):
    """The worker's process is gone."""


async def dies_before(area: Area, when: Callable[[Record], bool]) -> None:
    """A worker whose process ends before the first such write."""

    async def die(record: Record) -> None:
        if when(record):
            raise Died

    with pytest.raises(Died):
        await area.mix(records=Watched(area.records, die)).flush()


async def test_whatever_write_a_worker_dies_at_the_next_one_finishes(tmp_path: Path) -> None:
    async def die() -> None:
        raise Died

    async with a_small_area(tmp_path, {"police": 4, "health": 3}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                with suppress(Died):
                    await area.mix(records=Watched(area.records, AtWrite(number, die))).flush()
                    break
                await area.mix(seed=2).flush()
                assert told(await area.slips()) == small.expected(), number
                assert await area.states() == {State.RELEASED: 7}, number
                await assert_nothing_is_left_behind(area)
        assert number > 30


@pytest.mark.parametrize("people", [3, 4, 5])
async def test_whatever_write_somebody_leaves_at_they_have_left_or_are_counted(
    tmp_path: Path, people: int
) -> None:
    outcomes = set()
    async with a_small_area(tmp_path, {"police": people}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                leaving = Leaving(area, "police-1")
                at_write = AtWrite(number, leaving)
                await area.mix(records=Watched(area.records, at_write)).flush()
                if not at_write.came_to_it:
                    break
                stayed = {n: b for n, b in small.sent.items() if n != "police-1"}
                counted = small.sent if leaving.refused else stayed
                outcomes.add(leaving.refused)
                expected = ballots_with_labels(counted, {}) if len(counted) >= 3 else Counter()
                assert told(await area.slips()) == expected, number
                state = State.RELEASED if leaving.refused else State.WITHDRAWN
                assert (await area.envelope("police-1")).state == state, number
                assert (await area.envelope("police-1")).body["ballot"] is None, number
                await assert_nothing_is_left_behind(area)
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "changed", [{"state": "open"}, {"state": "withdrawn"}, {"group": "health"}]
)
async def test_whatever_write_plain_fields_are_changed_at_no_batch_is_smaller_than_k(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    async with a_small_area(tmp_path, {"police": 4, "health": 3}, k=3) as small:
        for number in count():
            async with small.copy() as area:

                async def isolate_one_person() -> None:
                    for other in range(1, 4):
                        await area.rewrite(f"police-{other}", **changed)

                at_write = AtWrite(number, isolate_one_person)
                await area.mix(records=Watched(area.records, at_write)).flush()
                if not at_write.came_to_it:
                    break
                assert all(t.people >= 3 for t in await area.tallies()), number
                assert not without_cells(told(await area.slips())) - without_cells(
                    small.expected()
                ), number


# -- two workers in turns ------------------------------------------------------------------------


class InTurns:
    """A worker that writes, or waits, only as often as it is let."""

    def __init__(self, area: Area, seed: int) -> None:
        self._left = 0
        self._stands, self._goes = asyncio.Event(), asyncio.Event()
        mix = area.mix(seed=seed, records=Watched(area.records, self._step), wait=self._step)
        self._work = asyncio.create_task(mix.flush())

    async def goes(self, steps: int) -> None:
        """Returns when the worker stands still again or has finished."""
        self._left = steps
        self._stands.clear()
        self._goes.set()
        standing = asyncio.create_task(self._stands.wait())
        await asyncio.wait({self._work, standing}, return_when=asyncio.FIRST_COMPLETED)
        standing.cancel()

    async def finishes(self) -> None:
        await self.goes(10_000)
        await self._work

    async def _step(self, _: object) -> None:
        while not self._left:
            self._goes.clear()
            self._stands.set()
            await self._goes.wait()
        self._left -= 1


@dataclass(frozen=True)
class Outcome:
    """What came of one way in which two workers took turns, in numbers of slips."""

    start: str
    leaves: str
    turns: tuple[int, int, int]
    doubled: int
    missing: int


async def take_turns(
    small: Small, start: str, turns: Iterable[tuple[int, int, int]], *, leaves: str = ""
) -> Outcomes:
    """A slow worker stands still somewhere; the other takes over, and stands still as well.

    `leaves`: who withdraws, or is told that it is too late, before the two go on to the end.
    """
    found = []
    for first, second, third in turns:
        async with small.copy() as area:
            slow, quick = InTurns(area, seed=1), InTurns(area, seed=2)
            await slow.goes(first)
            await quick.goes(second)
            await slow.goes(third)
            counted = dict(small.sent)
            if leaves and await has_left(area, leaves):
                del counted[leaves]
            await quick.finishes()
            await slow.finishes()
            said, expected = told(await area.slips()), ballots_with_labels(counted, {})
            doubled, missing = (said - expected).total(), (expected - said).total()
            found.append(Outcome(start, leaves, (first, second, third), doubled, missing))
    return found


async def has_left(area: Area, name: str) -> bool:
    leaving = Leaving(area, name)
    await leaving()
    return not leaving.refused


async def take_all_turns(folder: Path) -> Outcomes:
    """Where the two meet while they claim: with nothing claimed, or after a worker has died."""
    async with a_small_area(folder, {"police": 3}, k=2) as small:
        meeting = list(product(range(1, 4), range(4, 9), range(1, 6)))
        fresh = await take_turns(small, "nothing claimed", meeting)
        await dies_before(small.area, lambda record: record.state == "commit")
        await small.area.records.forget()
        meeting = list(product(range(4, 6), range(8, 12), range(2, 6)))
        after_a_death = await take_turns(small, "claimed by a dead worker", meeting)
        somebody_leaves = await take_turns(
            small, "claimed by a dead worker", meeting, leaves="police-1"
        )
        return fresh + after_a_death + somebody_leaves


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return asyncio.run(take_all_turns(tmp_path_factory.mktemp("turns")))


def test_between_two_workers_nobody_is_counted_twice(outcomes: Outcomes) -> None:
    assert [o for o in outcomes if o.doubled and not o.leaves] == []


def test_between_two_workers_nobody_is_counted_who_has_left(outcomes: Outcomes) -> None:
    assert [o for o in outcomes if o.doubled and o.leaves] == []


def test_between_two_workers_nobody_is_left_out(outcomes: Outcomes) -> None:
    assert [o for o in outcomes if o.missing] == []


# -- a journal that somebody left ----------------------------------------------------------------


@dataclass
class Patience:
    """Waits no time, but notes for how long it was asked to, and lets others act meanwhile."""

    meanwhile: Callable[[], Awaitable[object]] | None = None
    waited: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        if self.meanwhile:
            await self.meanwhile()


async def test_what_a_dead_worker_committed_is_finished_at_once(area: Area) -> None:
    sent = await area.people_send({"police": K})
    await dies_before(area, lambda record: record.kind is Kind.SLIP)
    assert await area.slips() == []
    with pytest.raises(NotOpen):
        await area.survey.withdraw(person("police-0"))

    patience = Patience()
    await area.mix(seed=2, wait=patience).flush()
    assert patience.waited == []
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    assert await area.states() == {State.RELEASED: K}
    await assert_nothing_is_left_behind(area)


async def test_what_a_dead_worker_only_claimed_is_taken_over_after_the_patience(
    area: Area,
) -> None:
    sent = await area.people_send({"police": K})
    await dies_before(area, lambda record: record.state == "commit")
    assert await area.states() == {State.MIXING: K}

    patience = Patience()
    await area.mix(seed=2, wait=patience).flush()
    assert patience.waited == [PATIENCE_S]
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    await assert_nothing_is_left_behind(area)


async def test_a_worker_that_is_alive_is_left_to_finish(area: Area) -> None:
    await area.people_send({"police": K})
    claim = Record(area.running.snapshot.id, Kind.JOURNAL, "journal", {}, state="claim")
    theirs = [await area.records.create(claim)]
    deleted = []

    async def they_begin_the_next_batch_then_finish() -> None:
        await area.records.delete(theirs[-1])
        if len(theirs) == 1:
            theirs.append(await area.records.create(claim))

    async def watch(record: Record) -> None:
        if record.kind is Kind.JOURNAL and record.etag:
            deleted.append(record.etag)

    patience = Patience(they_begin_the_next_batch_then_finish)
    await area.mix(records=Watched(area.records, watch), wait=patience).flush()
    assert patience.waited == [PATIENCE_S, PATIENCE_S]
    assert not {journal.etag for journal in theirs} & set(deleted)
    assert await area.states() == {State.RELEASED: K}


async def test_a_worker_that_is_slow_but_shows_signs_of_life_is_not_fenced(area: Area) -> None:
    """Otherwise two slow workers would fence each other for ever, and nothing would come out."""
    await area.people_send({"police": 40})
    given_back = []

    async def watch(record: Record) -> None:
        if record.kind is Kind.ENVELOPE and record.state == State.SUBMITTED:
            given_back.append(record.id)

    slow = InTurns(area, seed=1)
    await slow.goes(8)

    async def patience(_: float) -> None:
        await slow.goes(CLAIMS_BETWEEN_SIGNS + 1)

    other = area.mix(seed=2, records=Watched(area.records, watch), wait=patience)
    await asyncio.wait_for(other.flush(), 20)
    await slow.finishes()
    assert given_back == []
    assert [t.people for t in await area.tallies()] == [40]


async def test_a_worker_that_was_fenced_publishes_nothing(area: Area) -> None:
    """Its commit comes after the other worker has done everything."""
    sent = await area.people_send({"police": K})

    async def the_other_does_it_all(record: Record) -> None:
        if record.state == "commit":
            await area.mix(seed=2).flush()

    await area.mix(records=Watched(area.records, the_other_does_it_all)).flush()
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    assert [t.people for t in await area.tallies()] == [K]


async def test_a_slow_worker_does_not_throw_away_what_was_committed_after_it(area: Area) -> None:
    """It stands still before it releases its last one; by then the journal is another batch's."""
    sent = await area.people_send({"police": K, "health": K + 1})
    releases, slips_of_health = count(1), count(1)

    async def the_other_dies_in_the_middle_of_the_next_batch(record: Record) -> None:
        if record.state == State.RELEASED and next(releases) == K:
            await dies_before(
                area,
                lambda r: (
                    r.kind is Kind.SLIP
                    and r.body["cell"] == "health"
                    and next(slips_of_health) == 5
                ),
            )

    watched = Watched(area.records, the_other_dies_in_the_middle_of_the_next_batch)
    await area.mix(seed=2, records=watched).flush()
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    assert sorted(t.people for t in await area.tallies()) == [K, K + 1]
    await assert_nothing_is_left_behind(area)


async def test_a_journal_that_was_never_pinned_publishes_nothing(area: Area) -> None:
    """Whoever may write to the database can make one up, or put an old one back."""
    sent = await area.people_send({"police": K})
    forged = area.running.sealer.seal({"members": [area.tag("police-0")], "slips": {}}, "mix")
    journal = Record(
        area.running.snapshot.id, Kind.JOURNAL, "journal", {"sealed": forged}, state="commit"
    )
    await area.records.create(journal)
    await area.mix().flush()
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    await assert_nothing_is_left_behind(area)
