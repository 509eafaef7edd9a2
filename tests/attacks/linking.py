"""Linkers, and what they would get by chance.

A linker puts the slips of a batch and its people in some order each, and says that the first slip
is the first person's. It is judged by how many pairs are right, beside the same pairs with the
people of each batch shuffled: slips of one person are not independent, so counting pairs as if
they were gives false alarms.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.attacks.seen import Scene, Slip, Someone

SHUFFLES = 999
ALARM = 0.002
"""The chance of a false alarm that we live with, for each linker over all seeds together."""

type Order = Callable[[Slip], int | str]
type Line = Callable[[Someone], int | str]


@dataclass(frozen=True, slots=True)
class Linker:
    """`reach`: how many places beside the right one count too, for orders that hold roughly."""

    slips: Order
    people: Line
    backwards: bool = False
    reach: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of pairs that are right; `p` is the share of shuffles that do as well or better."""

    right: float
    by_chance: float
    p: float


def both_ways(slips: Order, people: Line) -> list[Linker]:
    return [
        Linker(slips, people, backwards, reach) for backwards in (False, True) for reach in (0, 2)
    ]


def link(scene: Scene, linkers: Sequence[Linker], dice: Random) -> list[Outcome]:
    """All linkers are judged by the same shuffles."""
    sizes = _sizes(scene)
    shuffles = [[dice.sample(range(n), n) for n in sizes] for _ in range(SHUFFLES)]
    return [
        _judge([_matches(*b, scene, linker) for b in _batches(scene)], shuffles, linker)
        for linker in linkers
    ]


def fisher(ps: Sequence[float]) -> float:
    """One p for many independent ones. Source: Fisher (1925), Statistical Methods, 21.1.

    The tail of chi squared with 2n degrees of freedom, which has a closed form.
    """
    half = -sum(math.log(p) for p in ps)
    term = total = math.exp(-half)
    for i in range(1, len(ps)):
        term *= half / i
        total += term
    return min(total, 1.0)


def share_as_extreme(seen: float, shuffled: Sequence[float]) -> float:
    """The p of a permutation test in which large is suspicious."""
    return (1 + sum(s >= seen for s in shuffled)) / (1 + len(shuffled))


type _Batch = tuple[list[Slip], list[Someone]]


def _batches(scene: Scene) -> list[_Batch]:
    found: dict[int | str, _Batch] = defaultdict(lambda: ([], []))
    for slip in scene.slips:
        found[slip.batch][0].append(slip)
    for someone in scene.people:
        found[someone.batch][1].append(someone)
    return list(found.values())


def _sizes(scene: Scene) -> list[int]:
    return [len(people) for _, people in _batches(scene)]


def _matches(
    slips: list[Slip], people: list[Someone], scene: Scene, linker: Linker
) -> list[list[int]]:
    """`[i][j]`: how many slips in place i are what the person in place j has really said."""
    order = sorted(people, key=linker.people, reverse=linker.backwards)
    found = [[0] * len(people) for _ in people]
    by_domain: dict[str, list[Slip]] = defaultdict(list)
    for slip in sorted(slips, key=linker.slips):
        by_domain[slip.domain].append(slip)
    for domain, line in by_domain.items():
        for j, someone in enumerate(order):
            said = scene.truth[someone.name][domain]  # type: ignore[index]
            for at, slip in enumerate(line):
                if slip.choices == said:
                    for i in range(
                        max(0, at - linker.reach), min(len(order), at + linker.reach + 1)
                    ):
                        found[i][j] += 1
    return found


def _judge(
    batches: list[list[list[int]]], shuffles: list[list[list[int]]], linker: Linker
) -> Outcome:
    pairs = 5 * sum(map(len, batches)) * (2 * linker.reach + 1)
    seen = sum(row[i] for batch in batches for i, row in enumerate(batch))
    shuffled = [
        sum(
            row[j]
            for batch, places in zip(batches, shuffle, strict=True)
            for row, j in zip(batch, places, strict=True)
        )
        for shuffle in shuffles
    ]
    mean = sum(shuffled) / len(shuffled)
    return Outcome(seen / pairs, mean / pairs, share_as_extreme(seen, shuffled))
