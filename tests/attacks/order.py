"""T1, T2, T4: who sent when, beside the order in which slips were written and lie in the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import Campaign
from tests.attacks.linking import (
    ALARM,
    SHUFFLES,
    Linker,
    Outcome,
    both_ways,
    fisher,
    link,
    share_as_extreme,
)
from tests.attacks.naive import (
    mixed_without_shuffling,
    random_ids,
    row_at_submission,
    timed_ids,
)
from tests.attacks.seen import Scene, Slip, Someone, scene


def by_writing(slip: Slip) -> int:
    return slip.written


def by_place(slip: Slip) -> int:
    return slip.lies


def by_id(slip: Slip) -> str:
    return slip.id


def by_sending(someone: Someone) -> int:
    return someone.sent


def by_beginning(someone: Someone) -> int:
    return someone.begun


def by_clearing(someone: Someone) -> int:
    return someone.cleared


def by_tag(someone: Someone) -> str:
    return someone.tag


type Part = tuple[list[Outcome], list[Outcome]]
"""For each linker: on the real store, and on the naive one."""


def linking(
    number: str,
    name: str,
    attacker_has: str,
    linkers: Sequence[Linker],
    naive: Callable[[Campaign], Scene],
    naive_name: str,
) -> OnCampaigns:
    def examine(campaign: Campaign) -> Part:
        real = link(scene(campaign), linkers, Random(campaign.seed))
        return real, link(naive(campaign), linkers, Random(campaign.seed))

    def judge(parts: Sequence[Part]) -> Result:
        figure, p = _told([real for real, _ in parts])
        control, control_p = _told([naive for _, naive in parts])
        return Result(figure, f"{naive_name}: {control}", p > ALARM, control_p <= ALARM)

    passes = f"combined p > {ALARM} for each of {len(linkers)} linkers"
    return OnCampaigns(number, name, attacker_has, passes, examine=examine, judge=judge)


def _told(parts: Sequence[Sequence[Outcome]]) -> tuple[str, float]:
    """The linker that looks worst, by its p over all seeds."""
    by_linker = list(zip(*parts, strict=True))
    ps = [fisher([o.p for o in outcomes]) for outcomes in by_linker]
    worst = min(range(len(ps)), key=lambda i: (ps[i], -_mean(o.right for o in by_linker[i])))
    right, chance = (
        100 * _mean(getattr(o, field) for o in by_linker[worst]) for field in ("right", "by_chance")
    )
    return f"{right:.1f} % right, {chance:.1f} % by chance, p {said(ps[worst])}", ps[worst]


def said(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.0001 else "< 0.0001"


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


TIME = linking(
    "T1",
    "Time of writing",
    "the change feed with its times, and the Teams log",
    [*both_ways(by_writing, by_sending), *both_ways(by_writing, by_beginning)],
    lambda campaign: row_at_submission(campaign, random_ids(campaign.seed)),
    "row at sending, random ids, no dates",
)
PLACE = linking(
    "T2",
    "Place in the file",
    "the file, byte by byte, and the Teams log",
    [*both_ways(by_place, by_sending), *both_ways(by_place, by_beginning)],
    lambda campaign: row_at_submission(campaign, random_ids(campaign.seed)),
    "row at sending, random ids, no dates",
)
IDS_IN_ORDER = linking(
    "T2",
    "Order of the ids",
    "a dump, and the Teams log",
    [*both_ways(by_id, by_sending), *both_ways(by_id, by_beginning)],
    lambda campaign: row_at_submission(campaign, timed_ids(campaign.seed)),
    "row at sending, UUIDs of version 7",
)
CLEARING = linking(
    "T2",
    "Order of the envelopes",
    "the change feed with everybody's tag and the order in which envelopes were emptied",
    [
        *both_ways(by_writing, by_clearing),
        *both_ways(by_id, by_clearing),
        *both_ways(by_place, by_clearing),
        *both_ways(by_writing, by_tag),
        *both_ways(by_place, by_tag),
    ],
    mixed_without_shuffling,
    "batches that are not shuffled",
)

# -- neighbours -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How many slips of one author may lie side by side: in truth, at most by chance, and p."""

    seen: int
    most: int
    p: float


def neighbours(seen: Scene, order: Callable[[Slip], int | str], dice: Random) -> Neighbours:
    """Slips that one person of the batch may have given, next to each other in some order."""
    line = sorted(seen.slips, key=order)
    authors = _authors(seen)
    places: dict[int | str, list[int]] = defaultdict(list)
    for at, slip in enumerate(line):
        places[slip.batch].append(at)
    masks = [authors[slip.id] for slip in line]
    count = _pairs(masks)
    shuffled = []
    for _ in range(SHUFFLES // 5):
        mixed = list(masks)
        for those in places.values():
            for at, other in zip(those, dice.sample(those, len(those)), strict=True):
                mixed[at] = masks[other]
        shuffled.append(_pairs(mixed))
    return Neighbours(count, max(shuffled), share_as_extreme(count, shuffled))


def _pairs(masks: Sequence[int]) -> int:
    return sum(bool(a & b) for a, b in pairwise(masks))


def _authors(seen: Scene) -> dict[str, int]:
    """For each slip, a bit for everybody in the batch who said just that."""
    bits: dict[tuple[object, ...], int] = defaultdict(int)
    for number, someone in enumerate(seen.people):
        for domain, choices in seen.truth[someone.name].items():
            bits[someone.batch, domain, choices] |= 1 << number
    return {slip.id: bits[slip.batch, slip.domain, slip.choices] for slip in seen.slips}


type Beside = tuple[list[Neighbours], Neighbours]


def examine_neighbours(campaign: Campaign) -> Beside:
    dice, real = Random(campaign.seed), scene(campaign)
    naive = row_at_submission(campaign, random_ids(campaign.seed))
    found = [neighbours(real, order, dice) for order in (by_writing, by_place, by_id)]
    return found, neighbours(naive, by_place, dice)


def judge_neighbours(parts: Sequence[Beside]) -> Result:
    ps = [fisher([n.p for n in found]) for found in zip(*(real for real, _ in parts), strict=True)]
    control = fisher([naive.p for _, naive in parts])
    seen = [n.seen for real, _ in parts for n in real]
    most = [n.most for real, _ in parts for n in real]
    beside = [naive.seen for _, naive in parts]
    return Result(
        f"{_mean(seen):.0f} neighbours, by chance at most {_mean(most):.0f}, p {said(min(ps))}",
        f"row at sending: {_mean(beside):.0f} neighbours, p {said(control)}",
        min(ps) > ALARM,
        control <= ALARM,
    )


NEIGHBOURS = OnCampaigns(
    "T4",
    "Slips of one author side by side",
    "the change feed, the file",
    f"combined p > {ALARM} for each of 3 orders, by {SHUFFLES // 5} shuffles",
    examine=examine_neighbours,
    judge=judge_neighbours,
)
