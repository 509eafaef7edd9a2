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
from functools import lru_cache
from random import Random

from snapshot.instrument import DomainId
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


def link(scene: Scene, linkers: Sequence[Linker], seed: int) -> list[Outcome]:
    """All linkers are judged by the same shuffles; those that say the same, once."""
    found = _batches(scene)
    shuffles = _shuffles(seed, tuple(len(people) for _, people in found))
    judged: dict[tuple[object, ...], Outcome] = {}
    outcomes = []
    for linker in linkers:
        lines = [_lines(*batch, linker) for batch in found]
        said = (linker.reach, *(s.id for slips, _ in lines for s in slips), *_names(lines))
        if said not in judged:
            judged[said] = _judge(lines, shuffles, scene, linker.reach)
        outcomes.append(judged[said])
    return outcomes


@lru_cache(maxsize=2)  # of a real store and a naive one, for every attack on a campaign
def _shuffles(seed: int, sizes: Sequence[int]) -> list[list[int]]:
    dice = Random(seed)
    return [_pairs(sizes, [in_disorder(range(n), dice) for n in sizes]) for _ in range(SHUFFLES)]


def in_disorder[T](values: Sequence[T], dice: Random) -> list[T]:
    """Half the work of `Random.sample`, of which there would be two million calls a campaign."""
    keys = [dice.random() for _ in values]
    return [values[at] for at in sorted(range(len(values)), key=keys.__getitem__)]


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


def _lines(slips: list[Slip], people: list[Someone], linker: Linker) -> _Batch:
    """The batch in the order that the linker gives it."""
    return (
        sorted(slips, key=linker.slips),
        sorted(people, key=linker.people, reverse=linker.backwards),
    )


def _names(lines: Sequence[_Batch]) -> list[str]:
    return [someone.name for _, people in lines for someone in people]


def _pairs(sizes: Sequence[int], places: Sequence[Sequence[int]]) -> list[int]:
    """Where the pairs (i, `places[i]`) of all batches stand in their tables, put end to end."""
    found, start = [], 0
    for size, of_batch in zip(sizes, places, strict=True):
        found += [start + i * size + j for i, j in enumerate(of_batch)]
        start += size * size
    return found


def _matches(slips: list[Slip], people: list[Someone], scene: Scene, reach: int) -> list[int]:
    """A table row by row: how many slips in place i are what the person in place j really said."""
    size = len(people)
    found = [0] * size * size
    by_domain: dict[DomainId, list[Slip]] = defaultdict(list)
    for slip in slips:
        by_domain[slip.domain].append(slip)
    for domain, line in by_domain.items():
        for j, someone in enumerate(people):
            said = scene.truth[someone.name][domain]
            for at, slip in enumerate(line):
                if slip.choices == said:
                    for i in range(max(0, at - reach), min(size, at + reach + 1)):
                        found[i * size + j] += 1
    return found


def _judge(
    lines: Sequence[_Batch], shuffles: Sequence[Sequence[int]], scene: Scene, reach: int
) -> Outcome:
    sizes = [len(people) for _, people in lines]
    table = [n for batch in lines for n in _matches(*batch, scene, reach)]
    pairs = 5 * sum(sizes) * (2 * reach + 1)
    seen = sum(table[at] for at in _pairs(sizes, [range(n) for n in sizes]))
    shuffled = [sum(map(table.__getitem__, shuffle)) for shuffle in shuffles]
    mean = sum(shuffled) / len(shuffled)
    return Outcome(seen / pairs, mean / pairs, share_as_extreme(seen, shuffled))
