"""What must have come out of a mix, worked out without the code under test."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from snapshot.envelope import Ballot, State
from snapshot.errors import NotOpen
from snapshot.ports import Kind
from snapshot.tally import Tally
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.core.exampleshire import (
    INSTRUMENT,
    Area,
    Cut,
    a_snapshot,
    cut_by_hand,
    open_area,
    person,
    told,
)


def ballots_with_labels(sent: Mapping[str, Ballot], labels: Mapping[str, str]) -> Counter[Cut]:
    return Counter(cut for b in sent.values() for cut in cut_by_hand(b, labels.get(b.cell, b.cell)))


def counted_by_hand(slips: Counter[Cut], cell: str) -> dict[str, dict[str, int]]:
    """How often each option stands on the slips of a cell, by statement."""
    counts: dict[str, Counter[str]] = {s.id: Counter() for s in INSTRUMENT.statements}
    for (of, domain, choices), times in slips.items():
        if of == cell:
            ids = [s.id for s in INSTRUMENT.statements if s.domain == domain]
            for statement, choice in zip(ids, choices, strict=True):
                counts[statement][choice] += times
    return {statement: dict(c) for statement, c in counts.items()}


def added_up(tallies: list[Tally], cell: str) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {s.id: Counter() for s in INSTRUMENT.statements}
    for tally in tallies:
        if tally.cell == cell:
            for statement, options in tally.counts.items():
                counts[statement].update(options)
    return {statement: dict(c) for statement, c in counts.items()}


def without_cells(slips: Counter[Cut]) -> Counter[tuple[str, tuple[str, ...]]]:
    return Counter((domain, choices) for _, domain, choices in slips.elements())


async def assert_nothing_is_left_behind(area: Area) -> None:
    """No lock, no claim, nothing sealed in a released envelope, and tallies that fit the slips."""
    assert await area.journals() == []
    assert State.MIXING not in await area.states()
    for record in await area.records.read_all(area.running.snapshot.id, Kind.ENVELOPE):
        if record.state == State.RELEASED:
            assert record.body == {"ballot": None, "contact": None}
            assert record.group == ""
    slips, tallies = told(await area.slips()), await area.tallies()
    for cell in {cell for cell, _, _ in slips} | {t.cell for t in tallies}:
        assert added_up(tallies, cell) == counted_by_hand(slips, cell)
    assert all(t.people >= area.running.snapshot.k for t in tallies)


@dataclass
class Leaving:
    """Somebody withdraws, or is told that it is too late."""

    area: Area
    name: str
    refused: bool = False

    async def __call__(self) -> None:
        try:
            await self.area.survey.withdraw(person(self.name))
        except NotOpen:
            self.refused = True


@dataclass(frozen=True)
class Small:
    """Seven people of two cells, k = 3; each try is a copy on a file of its own."""

    area: Area
    sent: Mapping[str, Ballot]
    folder: Path

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[Area]:
        """With keys of its own too: they remember what has been released."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder / "keys", copy / "keys")
        shutil.copy(self.folder / "snapshot.db", copy)
        running = replace(self.area.running, keys=KeyFiles(copy / "keys"))
        async with SqliteRecords(copy / "snapshot.db") as records:
            yield replace(self.area, running=running, records=records)

    def expected(self) -> Counter[Cut]:
        return ballots_with_labels(self.sent, {})


@asynccontextmanager
async def a_small_area(folder: Path, sending: Mapping[str, int], k: int) -> AsyncIterator[Small]:
    headcounts = dict.fromkeys(sending, 30)
    async with open_area(folder, a_snapshot(headcounts, k=k)) as area:
        sent = await area.people_send(sending)
        await area.records.forget()
        yield Small(area, sent, folder)
