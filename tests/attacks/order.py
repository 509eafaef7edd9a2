"""T1, T2, T4: who sent when, beside the order in which slips were written and lie in the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import and_
from random import Random

from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import Campaign
from tests.attacks.linking import (
    ALARM,
    SHUFFLES,
    Line,
    Order,
    Outcome,
    both_ways,
    fisher,
    in_disorder,
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


TIMES = ("_ts", "_etag")
PLACES = ("file", "_rid", "_lsn", "_etag")
"""What a store may tell of a slip (`Store.places`): of its time, and of where it lies."""

type Orders = Mapping[str, Order]


def told(seen: Scene, names: Sequence[str]) -> Orders:
    """The orders of these that the store tells."""
    return {name: partial(_by_place, name) for name in names if name in seen.slips[0].places}


def _by_place(name: str, slip: Slip) -> int | str:
    return slip.places[name]


type Part = tuple[Mapping[str, list[Outcome]], Mapping[str, list[Outcome]]]
"""For each order of slips, what came of its linkers: on the real store, and on the naive one."""


def linking(
    number: str,
    name: str,
    attacker_has: str,
    orders: Callable[[Scene], Orders],
    lines: Sequence[Line],
    naive: Callable[[Campaign], Scene],
    naive_name: str,
) -> OnCampaigns:
    def outcomes(seen: Scene, campaign: Campaign) -> Mapping[str, list[Outcome]]:
        linkers = {
            name: [linker for line in lines for linker in both_ways(order, line)]
            for name, order in orders(seen).items()
        }
        found = iter(link(seen, [n for some in linkers.values() for n in some], campaign.seed))
        return {name: [next(found) for _ in some] for name, some in linkers.items()}

    def examine(campaign: Campaign) -> Part:
        return outcomes(scene(campaign), campaign), outcomes(naive(campaign), campaign)

    def judge(parts: Sequence[Part]) -> Result:
        reals = _judged([real for real, _ in parts])
        figure, p = min(reals.values(), key=lambda found: found[1])
        # Each order has to be told from a naive store's by itself: the one that is least so counts.
        control, control_p = max(
            _judged([naive for _, naive in parts]).values(), key=lambda found: found[1]
        )
        linkers = len(reals) * len(lines) * len(both_ways(by_id, by_tag))
        of = f", worst of {linkers} by {', '.join(reals)}"
        return Result(f"{figure}{of}", f"{naive_name}: {control}", p > ALARM, control_p <= ALARM)

    passes = f"combined p > {ALARM} for each linker"
    return OnCampaigns(number, name, attacker_has, passes, examine=examine, judge=judge)


def dice(campaign: Campaign) -> Random:
    return Random(campaign.seed)


def _judged(parts: Sequence[Mapping[str, list[Outcome]]]) -> dict[str, tuple[str, float]]:
    return {name: _told([part[name] for part in parts]) for name in parts[0]}


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
    "the change feed with its times (Cosmos DB: `_ts`, ETags), and the Teams log",
    lambda seen: {"writing": by_writing, **told(seen, TIMES)},
    (by_sending, by_beginning),
    lambda campaign: row_at_submission(campaign, random_ids(campaign.seed)),
    "row at sending, random ids, no dates",
)
PLACE = linking(
    "T2",
    "Place in the store",
    "SQLite: the file, byte by byte; Cosmos DB: `_rid`, `_lsn`, ETags; the Teams log",
    lambda seen: told(seen, PLACES),
    (by_sending, by_beginning),
    lambda campaign: row_at_submission(campaign, random_ids(campaign.seed)),
    "row at sending, random ids, no dates",
)
IDS_IN_ORDER = linking(
    "T2",
    "Order of the ids",
    "a dump, and the Teams log",
    lambda _: {"id": by_id},
    (by_sending, by_beginning),
    lambda campaign: row_at_submission(campaign, timed_ids(campaign.seed)),
    "row at sending, UUIDs of version 7",
)
CLEARING = linking(
    "T2",
    "Order of the envelopes",
    "the change feed with everybody's tag and the order in which envelopes were emptied",
    lambda seen: {"writing": by_writing, "id": by_id, **told(seen, PLACES)},
    (by_clearing, by_tag),
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
            for at, other in zip(those, in_disorder(those, dice), strict=True):
                mixed[at] = masks[other]
        shuffled.append(_pairs(mixed))
    return Neighbours(count, max(shuffled), share_as_extreme(count, shuffled))


def _pairs(masks: Sequence[int]) -> int:
    return sum(map(bool, map(and_, masks, masks[1:])))


def _authors(seen: Scene) -> dict[str, int]:
    """For each slip, a bit for everybody in the batch who said just that."""
    bits: dict[tuple[object, ...], int] = defaultdict(int)
    for number, someone in enumerate(seen.people):
        for domain, choices in seen.truth[someone.name].items():
            bits[someone.batch, domain, choices] |= 1 << number
    return {slip.id: bits[slip.batch, slip.domain, slip.choices] for slip in seen.slips}


type Beside = tuple[list[Neighbours], list[Neighbours]]


def examine_neighbours(campaign: Campaign) -> Beside:
    real, naive = scene(campaign), row_at_submission(campaign, random_ids(campaign.seed))
    orders = {"writing": by_writing, **told(real, PLACES)}
    return (
        [neighbours(real, order, dice(campaign)) for order in [*orders.values(), by_id]],
        [neighbours(naive, order, dice(campaign)) for order in orders.values()],
    )


def judge_neighbours(parts: Sequence[Beside]) -> Result:
    ps = _each([real for real, _ in parts])
    control = max(_each([naive for _, naive in parts]))
    seen = [n.seen for real, _ in parts for n in real]
    most = [n.most for real, _ in parts for n in real]
    beside = [n.seen for _, naive in parts for n in naive]
    return Result(
        f"{_mean(seen):.0f} neighbours, by chance at most {_mean(most):.0f}, p {said(min(ps))}, "
        f"worst of {len(ps)} orders",
        f"row at sending: {_mean(beside):.0f} neighbours, p {said(control)}",
        min(ps) > ALARM,
        control <= ALARM,
    )


def _each(parts: Sequence[Sequence[Neighbours]]) -> list[float]:
    return [fisher([n.p for n in found]) for found in zip(*parts, strict=True)]


NEIGHBOURS = OnCampaigns(
    "T4",
    "Slips of one author side by side",
    "the change feed, and where slips lie in the store",
    f"combined p > {ALARM} for each order, by {SHUFFLES // 5} shuffles",
    examine=examine_neighbours,
    judge=judge_neighbours,
)
