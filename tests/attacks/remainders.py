"""T22: what comes of a campaign in which few have answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from snapshot.closing import begin_close, finish_close
from snapshot.envelope import State
from snapshot.ports import Kind
from tests.attacks.attack import Result, Staged
from tests.attacks.stores import OpenStore
from tests.attacks.tampering import an_area
from tests.core.exampleshire import (
    HELPING,
    INSTRUMENT,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    a_snapshot,
    no_waiting,
)

ANSWERED: tuple[Mapping[str, int], ...] = (
    {},
    *({"police": n} for n in (1, K - 1, K, K + 1, 2 * K - 1)),
    {"police": 3, "health": 4, "schools": 2},
    {"police": 12, "health": 3},
    {"police": 9, "health": 9, "schools": 9},
)
HEADCOUNTS = {"police": 60, "health": 120, "schools": 90}


async def remain(open_store: OpenStore, folder: Path) -> Result:
    wrong, fewest, naive = [], 10**6, 10**6
    for number, answered in enumerate(ANSWERED):
        async with an_area(open_store, folder / str(number), a_snapshot(HEADCOUNTS)) as area:
            others = Counter(answered) - Counter(police=1)
            await area.people_send(others)
            if answered:
                await writes(area)
            is_right, people = await close(area, sum(answered.values()))
            wrong += [] if is_right else [answered]
            fewest = min([fewest, *people])
            naive = min([naive, *answered.values()])
    return Result(
        f"{len(ANSWERED) - len(wrong)} of {len(ANSWERED)} closes as they must be; "
        f"smallest label {fewest} people",
        f"each cell by itself, whoever has answered: {naive}",
        not wrong and fewest >= K,
        naive < K,
    )


async def writes(area: Area) -> None:
    """The last of the police, with a comment."""
    ballot = replace(a_ballot("police", SOME_CHOICES), comments={HELPING: "More time."})
    await area.keeps("writer", ballot)


async def close(area: Area, everybody: int) -> tuple[bool, list[int]]:
    """Whether all are counted once, or there is nothing at all; and the people behind labels."""
    closing = await begin_close(area.running, area.records, area.running.snapshot.deadline)
    summary = await finish_close(closing, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)
    people: Counter[str] = Counter()
    for tally in await area.tallies():
        people[tally.cell] += tally.people
    states = await area.states()
    comments = await area.records.heads(area.running.snapshot.id, Kind.COMMENT)
    if everybody < K:
        made = [*await area.slips(), *people, *comments]
        return summary.withheld and not made and states[State.WITHHELD] == everybody, []
    is_whole = sum(people.values()) == states[State.RELEASED] == everybody
    return is_whole and not summary.withheld and len(comments) == 1, list(people.values())


REMAINDERS = Staged(
    "T22",
    "Few have answered",
    "everything after the close: slips, tallies, comments, the summary",
    f"{K} people or more behind each label, everybody counted once; below {K} in all, nothing",
    stage=remain,
)
