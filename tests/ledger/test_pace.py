"""One pace for a tenant, whatever the processes, and whatever their clocks say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bot.pace import CALLS_A_SECOND, REFUSALS, RUN, Pace
from snapshot.ports import DIRECTORY, Kind, Records
from storage.sqlite import SqliteRecords
from tests.ledger.checking import MOST_A_SECOND

TEAMS_TAKES = 50
TENANT = "tenant-of-exampleshire"


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    async with SqliteRecords(tmp_path / "snapshot.db") as opened:
        yield opened


def off_by(seconds: float) -> Callable[[], float]:
    return lambda: time.time() + seconds


async def turns(pace: Pace, how_many: int, tenant: str = TENANT) -> list[float]:
    """When each of so many who wait at once may call."""

    async def one() -> float:
        await pace.turn(tenant)
        return time.monotonic()

    return sorted(await asyncio.gather(*(one() for _ in range(how_many))))


def most_in_a_second(times: list[float]) -> int:
    return max(sum(begin <= at < begin + 1.0 for at in times) for begin in times)


async def test_one_process_spaces_its_calls(records: Records) -> None:
    times = await turns(Pace(records), 60)
    assert most_in_a_second(times) <= MOST_A_SECOND
    assert max(sum(begin <= at < begin + 0.1 for at in times) for begin in times) <= 2 * RUN


@pytest.mark.parametrize(
    ("ahead_s", "most"),
    [(0.0, MOST_A_SECOND), *((s, TEAMS_TAKES) for s in (0.3, 2.0, -2.0, 3600.0))],
)
async def test_processes_keep_one_pace_though_their_clocks_differ(
    records: Records, ahead_s: float, most: int
) -> None:
    """Where they do, runs may overlap for a moment, when a process joins or ends."""
    first, second = Pace(records), Pace(records, off_by(ahead_s))
    begun = asyncio.create_task(turns(first, 50))
    await asyncio.sleep(0.7)
    joined = await turns(second, 40)
    assert most_in_a_second(sorted([*await begun, *joined])) <= most


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
async def test_a_clock_that_jumps_in_the_middle_changes_nothing_of_the_pace(
    records: Records, jump_s: float
) -> None:
    ahead_s = 0.0
    jumping, other = Pace(records, lambda: time.time() + ahead_s), Pace(records)
    begun = [asyncio.create_task(turns(pace, 40)) for pace in (jumping, other)]
    await asyncio.sleep(0.7)
    ahead_s = jump_s
    async with asyncio.timeout(10):
        times = sorted([*await begun[0], *await begun[1]])
    assert most_in_a_second(times) <= TEAMS_TAKES
    assert max(after - before for before, after in pairwise(times)) < 1.0


async def test_a_clock_that_was_wrong_by_an_hour_holds_nobody_up(records: Records) -> None:
    await Pace(records, off_by(3600.0)).turn(TENANT)
    async with asyncio.timeout(5):
        await Pace(records).turn(TENANT)


async def test_another_tenant_has_a_pace_of_its_own(records: Records) -> None:
    pace = Pace(records)
    both = [*await asyncio.gather(turns(pace, 20), turns(pace, 20, "another"))]
    assert both[0][0] < both[1][-1]
    assert both[1][0] < both[0][-1]


async def test_a_run_is_no_longer_than_there_are_calls_waiting(records: Records) -> None:
    async def reserved_s() -> float:
        (kept,) = await records.read_all(DIRECTORY, Kind.PACE)
        length: float = kept.body["free_at"] - kept.body["at"]
        return length

    pace = Pace(records)
    await pace.turn(TENANT)
    assert await reserved_s() == pytest.approx(1 / CALLS_A_SECOND, abs=1e-3)
    await turns(pace, RUN)
    assert await reserved_s() <= (RUN + 1) / CALLS_A_SECOND + 1e-3


async def test_the_record_names_neither_tenant_nor_channel(records: Records) -> None:
    await Pace(records).turn_in_channel(TENANT, "19:canary@thread.tacv2")
    kept = await records.read_all(DIRECTORY, Kind.PACE)
    assert len(kept) == 2
    assert not any(word in str(kept) for word in (TENANT, "canary"))


async def test_into_one_channel_goes_one_post_a_second(records: Records) -> None:
    async def one(pace: Pace, channel: str) -> float:
        await pace.turn_in_channel(TENANT, channel)
        return time.monotonic()

    paces = [Pace(records), Pace(records), Pace(records)]
    elsewhere, *times = await asyncio.gather(
        one(paces[0], "19:other"), *(one(pace, "19:here") for pace in paces)
    )
    first, *_, last = sorted(times)
    assert last - first >= 2.0 - 0.1
    assert elsewhere < last


async def test_refused_in_a_row_the_tenant_is_left_alone_by_all_for_as_long_as_teams_asks(
    records: Records,
) -> None:
    pace, other = Pace(records), Pace(records)
    await turns(pace, 5)
    await other.turn(TENANT)
    held_back = time.monotonic()
    for _ in range(REFUSALS):
        await pace.heard(TENANT, refused_for_s=1.0)
    (mine,), (theirs,) = await asyncio.gather(turns(pace, 1), turns(other, 1))
    assert min(mine, theirs) - held_back >= 1.0 - 0.01


async def test_refusals_among_others_concern_their_own_messages_only(records: Records) -> None:
    pace = Pace(records)
    await pace.turn(TENANT)
    for _ in range(3 * REFUSALS):
        await pace.heard(TENANT, refused_for_s=600.0)
        await pace.heard(TENANT)
    async with asyncio.timeout(5):
        await pace.turn(TENANT)


async def test_a_record_that_somebody_has_broken_holds_nobody_up(records: Records) -> None:
    await Pace(records).turn(TENANT)
    (kept,) = await records.read_all(DIRECTORY, Kind.PACE)
    await records.replace(replace(kept, body={"free_at": "never"}))
    async with asyncio.timeout(5):
        await Pace(records).turn(TENANT)
