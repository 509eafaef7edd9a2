"""One pace for a tenant, whatever the processes, and whatever their clocks say."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from pathlib import Path

import pytest

from bot.pace import CALLS_A_SECOND, REFUSALS, RUN, Pace
from snapshot.ports import DIRECTORY, Kind, Record, SnapshotId
from storage.sqlite import SqliteRecords
from tests.core.watching import Watched
from tests.ledger.checking import MOST_A_SECOND

TEAMS_TAKES = 50
TENANT = "tenant-of-exampleshire"


TURNS = 50
"""Of the event loop: more than anybody needs who waits for neither the store nor a time."""


@dataclass
class Time:
    """Goes on once nobody has anything left to do before the next time that somebody waits for.

    `busy`: calls of the store. However long they take, by this time they take none.
    """

    now: float = 1_000_000.0
    busy: int = 0
    _waiting: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    async def sleep(self, seconds: float) -> None:
        comes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.now + seconds, next(self._number), comes))
        await comes

    async def goes_on(self) -> None:
        quiet = 0
        while True:
            await asyncio.sleep(0.001 if self.busy else 0)
            quiet = 0 if self.busy else quiet + 1
            if quiet > TURNS and self._waiting:
                self.now, _, comes = heapq.heappop(self._waiting)
                comes.set_result(None)
                quiet = 0

    async def during[T](self, call: Awaitable[T]) -> T:
        self.busy += 1
        try:
            return await call
        finally:
            self.busy -= 1


@dataclass
class Timed(Watched):
    """A store whose calls take no time."""

    time: Time = field(default_factory=Time)

    def pace(self, ahead_s: float = 0.0) -> Pace:
        """Of one more process, by a clock that is ahead."""
        return Pace(self, lambda: self.time.now + ahead_s, self.time.sleep)

    async def create(self, record: Record) -> Record:
        return await self.time.during(super().create(record))

    async def replace(self, record: Record) -> Record:
        return await self.time.during(super().replace(record))

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        return await self.time.during(super().read(snapshot, kind, id))


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Timed]:
    async with SqliteRecords(tmp_path / "snapshot.db") as opened:
        timed = Timed(opened)
        going = asyncio.create_task(timed.time.goes_on())
        yield timed
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going


async def turns(records: Timed, pace: Pace, how_many: int, tenant: str = TENANT) -> list[float]:
    """When each of so many who wait at once may call."""

    async def one() -> float:
        await pace.turn(tenant)
        return records.time.now

    return sorted(await asyncio.gather(*(one() for _ in range(how_many))))


def most_in_a_second(times: list[float]) -> int:
    return max(sum(begin <= at < begin + 1.0 for at in times) for begin in times)


async def test_one_process_spaces_its_calls(records: Timed) -> None:
    times = await turns(records, records.pace(), 60)
    assert most_in_a_second(times) <= MOST_A_SECOND
    assert max(sum(begin <= at < begin + 0.1 for at in times) for begin in times) <= 2 * RUN


@pytest.mark.parametrize(
    ("ahead_s", "most"),
    [(0.0, MOST_A_SECOND), *((s, TEAMS_TAKES) for s in (0.3, 2.0, -2.0, 3600.0))],
)
async def test_processes_keep_one_pace_though_their_clocks_differ(
    records: Timed, ahead_s: float, most: int
) -> None:
    """Where they do, runs may overlap for a moment, when a process joins or ends."""
    first, second = records.pace(), records.pace(ahead_s)
    begun = asyncio.create_task(turns(records, first, 50))
    await records.time.sleep(0.7)
    joined = await turns(records, second, 40)
    assert most_in_a_second(sorted([*await begun, *joined])) <= most


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
async def test_a_clock_that_jumps_in_the_middle_changes_nothing_of_the_pace(
    records: Timed, jump_s: float
) -> None:
    ahead_s = 0.0
    time = records.time
    jumping, other = Pace(records, lambda: time.now + ahead_s, time.sleep), records.pace()
    begun = [asyncio.create_task(turns(records, pace, 40)) for pace in (jumping, other)]
    await records.time.sleep(0.7)
    ahead_s = jump_s
    times = sorted([*await begun[0], *await begun[1]])
    assert most_in_a_second(times) <= TEAMS_TAKES
    assert max(after - before for before, after in pairwise(times)) < 1.0


async def test_a_clock_that_was_wrong_by_an_hour_holds_nobody_up(records: Timed) -> None:
    await records.pace(3600.0).turn(TENANT)
    began = records.time.now
    await records.pace().turn(TENANT)
    assert records.time.now - began < 1.0


async def test_another_tenant_has_a_pace_of_its_own(records: Timed) -> None:
    pace = records.pace()
    both = [*await asyncio.gather(turns(records, pace, 20), turns(records, pace, 20, "another"))]
    assert both[0][0] < both[1][-1]
    assert both[1][0] < both[0][-1]


async def test_a_run_is_no_longer_than_there_are_calls_waiting(records: Timed) -> None:
    async def reserved_s() -> float:
        (kept,) = await records.read_all(DIRECTORY, Kind.PACE)
        length: float = kept.body["free_at"] - kept.body["at"]
        return length

    pace = records.pace()
    await pace.turn(TENANT)
    assert await reserved_s() == pytest.approx(1 / CALLS_A_SECOND, abs=1e-3)
    await turns(records, pace, RUN)
    assert await reserved_s() <= (RUN + 1) / CALLS_A_SECOND + 1e-3


async def test_the_record_names_neither_tenant_nor_channel(records: Timed) -> None:
    await records.pace().turn_in_channel(TENANT, "19:canary@thread.tacv2")
    kept = await records.read_all(DIRECTORY, Kind.PACE)
    assert len(kept) == 2
    assert not any(word in str(kept) for word in (TENANT, "canary"))


async def test_into_one_channel_goes_one_post_a_second(records: Timed) -> None:
    async def one(pace: Pace, channel: str) -> float:
        await pace.turn_in_channel(TENANT, channel)
        return records.time.now

    paces = [records.pace(), records.pace(), records.pace()]
    elsewhere, *times = await asyncio.gather(
        one(paces[0], "19:other"), *(one(pace, "19:here") for pace in paces)
    )
    first, *_, last = sorted(times)
    assert last - first >= 2.0 - 0.1, "but for the turns of the tenant"
    assert elsewhere < last


async def test_refused_in_a_row_the_tenant_is_left_alone_by_all_for_as_long_as_teams_asks(
    records: Timed,
) -> None:
    pace, other = records.pace(), records.pace()
    await turns(records, pace, 5)
    await other.turn(TENANT)
    held_back = records.time.now
    for _ in range(REFUSALS):
        await pace.heard(TENANT, refused_for_s=1.0)
    (mine,), (theirs,) = await asyncio.gather(turns(records, pace, 1), turns(records, other, 1))
    assert min(mine, theirs) - held_back >= 1.0


async def test_refusals_among_others_concern_their_own_messages_only(records: Timed) -> None:
    pace = records.pace()
    await pace.turn(TENANT)
    for _ in range(3 * REFUSALS):
        await pace.heard(TENANT, refused_for_s=600.0)
        await pace.heard(TENANT)
    began = records.time.now
    await pace.turn(TENANT)
    assert records.time.now - began < 1.0


async def test_a_record_that_somebody_has_broken_holds_nobody_up(records: Timed) -> None:
    await records.pace().turn(TENANT)
    (kept,) = await records.read_all(DIRECTORY, Kind.PACE)
    await records.replace(replace(kept, body={"free_at": "never"}))
    began = records.time.now
    await records.pace().turn(TENANT)
    assert records.time.now - began < 1.0
