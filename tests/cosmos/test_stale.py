"""What if a read or a list were old? Accounts in which that happens are refused (`test_opening`).

Whatever is written names the version that was read, so what is old is found out at the next write;
and what rests on lists alone is held against the roll.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from snapshot.closing import FINAL, begin_close, final_summary, finish_close
from snapshot.envelope import Ballot, State
from snapshot.errors import Tampered
from snapshot.mix import Mix
from snapshot.opening import Running, open_snapshot
from snapshot.ports import Kind, Records
from snapshot.publication import find
from storage.cosmos import CosmosRecords
from storage.keyfiles import KeyFiles
from tests.core.exampleshire import (
    INSTRUMENT,
    OPENED,
    OPTIONS,
    Area,
    Cut,
    a_ballot,
    a_snapshot,
    cut_by_hand,
    no_waiting,
    person,
    told,
)
from tests.cosmos.patience import patient
from tests.cosmos.proxy import Fault, Plan, Proxy, Seen, nothing
from tests.cosmos.server import Server

K = 3
SEEDS = range(12)
"""Were writes not to name a version, about three of ten would fail."""


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """So that a busy machine does not decide."""
    with patient():
        yield


@dataclass
class Lagging:
    """An area as it is, and `records` through which it may look as it was before."""

    area: Area
    records: Records
    proxy: Proxy

    @property
    def running(self) -> Running:
        return self.area.running

    async def mixes(self, dice: Random) -> None:
        """As the worker does: what stops with an alarm is tried again."""
        mix = Mix(self.running, INSTRUMENT, self.records, dice=dice, wait=no_waiting)
        for _ in range(50):
            with suppress(Tampered):  # an old roll is not the one that was pinned
                return await mix.run()
        raise AssertionError("it never ends")

    async def finishes(self, running: Running, records: Records, dice: Random) -> None:
        await finish_close(running, INSTRUMENT, records, dice=dice, wait=no_waiting)


@pytest.fixture
async def lagging(cosmos: Server, tmp_path: Path) -> AsyncIterator[Lagging]:
    account = cosmos.new_database()
    async with (
        Proxy(cosmos) as proxy,
        CosmosRecords(account) as straight,
        CosmosRecords(proxy.reach(account)) as behind,
    ):
        snapshot = a_snapshot({"police": 80}, k=K)
        running = await open_snapshot(straight, KeyFiles(tmp_path / "keys"), snapshot)
        yield Lagging(Area(running, straight), behind, proxy)


def some_are_old(dice: Random) -> Plan:
    """A third of what is read of envelopes; of the roll less, since each old one stops the mix."""
    shares: Mapping[str, float] = {Kind.ENVELOPE: 0.3, Kind.ROLL: 0.1}

    def plan(seen: Seen) -> Fault | None:
        return Fault(stale=True) if dice.random() < shares.get(seen.reads, 0) else None

    return plan


def slips_of(ballots: Mapping[str, Ballot]) -> Counter[Cut]:
    return Counter(slip for ballot in ballots.values() for slip in cut_by_hand(ballot))


@pytest.mark.parametrize("seed", SEEDS)
async def test_mixes_that_see_old_versions_and_lists_lose_and_double_nobody(
    lagging: Lagging, seed: int
) -> None:
    """People send, and one leaves, between mixes that see some of what there was before."""
    area, sent, dice = lagging.area, dict[str, Ballot](), Random(seed)
    for number in range(4):
        sent |= await some_send(area, number)
        if number:
            sent.pop(await somebody_leaves(area, sent))
        lagging.proxy.plan = some_are_old(dice)
        await lagging.mixes(dice)
        lagging.proxy.plan = nothing
    closing = await begin_close(area.running, area.records, OPENED)
    await lagging.finishes(closing, area.records, dice)

    assert told(await area.slips()) == slips_of(sent)
    tallies = await area.tallies()
    assert sum(t.people for t in tallies) == len(sent)
    assert min(t.people for t in tallies) >= K
    assert await area.states() == {State.RELEASED: len(sent), State.WITHDRAWN: 3}


async def some_send(area: Area, number: int) -> dict[str, Ballot]:
    dice, sent = Random(number), dict[str, Ballot]()
    for each in range(6):
        name = f"person-{number}-{each}"
        sent[name] = a_ballot("police", [dice.choice(OPTIONS) for _ in INSTRUMENT.statements])
        await area.keeps(name, sent[name])
    return sent


async def somebody_leaves(area: Area, sent: Mapping[str, Ballot]) -> str:
    """The first who has not been mixed yet; their name."""
    for name in sent:
        if (await area.envelope(name)).state == State.SUBMITTED:
            await area.survey.withdraw(person(name))
            return name
    raise AssertionError("k people stay behind")


async def test_figures_do_not_rest_on_a_list_in_which_a_batch_is_missing(lagging: Lagging) -> None:
    area, dice = lagging.area, Random(7)
    await area.people_send({"police": 7})
    closing = await begin_close(area.running, area.records, OPENED)
    await lagging.records.read_all(area.running.snapshot.id, Kind.TALLY)
    lagging.proxy.plan = lambda seen: Fault(stale=True) if seen.reads == Kind.TALLY else None
    with pytest.raises(Tampered):
        await lagging.finishes(closing, lagging.records, dice)
    assert await find(area.records, area.running.snapshot.id, FINAL) is None

    lagging.proxy.plan = nothing
    await lagging.finishes(closing, lagging.records, dice)
    published = await final_summary(area.records, area.running.snapshot.id)
    assert published
    assert published[0].people == 5  # 7, rounded
