"""From counts to ratings, so that a large agency is not drowned out by a keen small one.

A worked example with six cells stands in docs/rating.md; the tests hold this code to it.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from snapshot.instrument import Instrument, StatementId
from snapshot.snapshot import OTHER, CellId
from snapshot.tally import Tally


@dataclass(frozen=True, slots=True)
class Scored:
    """How some cells scored one statement: `n` people, whose scores (0-100) add up to `total`.

    `fresh`: how many of them stand in no figure that has been published yet.
    """

    cells: tuple[CellId, ...]
    headcount: int
    n: int
    total: Fraction
    fresh: int

    @property
    def weight(self) -> Fraction:
        """How many people of its staff one scored answer stands for."""
        return Fraction(self.headcount, self.n)

    def is_large_enough(self, k: int) -> bool:
        """Whether a weight of its own tells of k people or more."""
        return self.n >= k and self.headcount > 0

    def is_new_enough(self, k: int) -> bool:
        """Whether the same is true of what it tells when set beside what was published before."""
        return not 0 < self.fresh < k


@dataclass(frozen=True, slots=True)
class Rating:
    """Exact means on 0 to 100. `n` people's scored answers are in both.

    `few`: a weight had to be cut back, because few answers would have stood for many people.
    """

    weighted: Fraction
    unweighted: Fraction
    n: int
    few: bool = False


def merge_small(
    cells: Sequence[Scored], k: int, together: Iterable[Collection[CellId]] = ()
) -> list[Scored]:
    """Groups that may have weights of their own; empty when there is no way to form them.

    Every cell with fewer than `k` goes into one merged group, with its headcount; if that still
    has fewer, the smallest of the other cells join it until it has `k`. Cells that were weighed
    `together` in a published figure stay together: apart, they could be told from it.
    """
    groups = _rejoin(cells, together)
    alone = sorted(
        (g for g in groups if g.is_large_enough(k)), key=lambda g: (g.n, g.headcount, g.cells)
    )
    small = [g for g in groups if not g.is_large_enough(k)]
    while small and not _merge(small).is_large_enough(k):
        if not alone:
            return []
        small.append(alone.pop(0))
    return _join_alike([*alone, _merge(small)] if small else alone, k)


def _join_alike(groups: Sequence[Scored], k: int) -> list[Scored]:
    """Groups with too little news join the one whose weight is nearest: that changes least."""
    joined = list(groups)
    while stale := next((g for g in joined if not g.is_new_enough(k)), None):
        joined.remove(stale)
        if not joined:
            return []
        alike = min(joined, key=lambda g: (abs(g.weight - stale.weight), g.cells))
        joined.remove(alike)
        joined.append(_merge([stale, alike]))
    return joined


def _rejoin(cells: Sequence[Scored], together: Iterable[Collection[CellId]]) -> list[Scored]:
    groups = list(cells)
    for joined in together:
        parts = [g for g in groups if not set(joined).isdisjoint(g.cells)]
        if len(parts) > 1:
            groups = [g for g in groups if g not in parts] + [_merge(parts)]
    return groups


def _merge(parts: Sequence[Scored]) -> Scored:
    return Scored(
        tuple(sorted(cell for part in parts for cell in part.cells)),
        sum(p.headcount for p in parts),
        sum(p.n for p in parts),
        _sum(p.total for p in parts),
        sum(p.fresh for p in parts),
    )


def rate_statement(groups: Sequence[Scored], *, trim: Fraction) -> Rating | None:
    """The rating of one statement from its groups (`merge_small`), or None when there are none.

    A person of a group weighs N / n: its headcount over its scored answers, held between the
    median of that over the groups divided by `trim` and the same times `trim`.
    """
    if not groups:
        return None
    n = sum(g.n for g in groups)
    stands_for = [Fraction(g.headcount, g.n) for g in groups]
    middle = median(stands_for)
    weights = [min(max(each, middle / trim), middle * trim) for each in stands_for]
    weighed = _sum(w * g.n for w, g in zip(weights, groups, strict=True))
    return Rating(
        _sum(w * g.total for w, g in zip(weights, groups, strict=True)) / weighed,
        _sum(g.total for g in groups) / n,
        n,
        few=any(each > middle * trim for each in stands_for),
    )


def rate_domain(statements: Sequence[Rating | None]) -> Rating | None:
    """The mean of a domain's rated statements; None when fewer than half of them are rated.

    `n` is the smallest of theirs, so that a domain is never shown more finely than a part of it.
    """
    rated = [r for r in statements if r is not None]
    if not rated or 2 * len(rated) < len(statements):
        return None
    return Rating(
        _sum(r.weighted for r in rated) / len(rated),
        _sum(r.unweighted for r in rated) / len(rated),
        min(r.n for r in rated),
        few=any(r.few for r in rated),
    )


def scored_by_cell(
    instrument: Instrument,
    tallies: Sequence[Tally],
    headcounts: Mapping[CellId, int],
    statement: StatementId,
    *,
    counted: Container[str] = (),
) -> list[Scored]:
    """What the tallies say of one statement, by cell.

    `counted` are the ids of tallies that stand in a published figure already.
    """
    cells = {*headcounts, *(t.cell for t in tallies)}
    return [
        scored_in(instrument, tallies, statement, [cell], headcounts.get(cell, 0), counted=counted)
        for cell in sorted(cells)
    ]


def pooled(headcounts: Mapping[CellId, int], tallies: Sequence[Tally]) -> dict[CellId, int]:
    """The headcounts once nobody more can come.

    A cell without a tally of its own has given its people to "other", and its headcount too.
    """
    labels = {t.cell for t in tallies}
    stands_for = dict.fromkeys(labels, 0)
    for cell, headcount in headcounts.items():
        label = cell if cell in labels or OTHER not in labels else OTHER
        stands_for[label] = stands_for.get(label, 0) + headcount
    return stands_for


def scored_in(
    instrument: Instrument,
    tallies: Sequence[Tally],
    statement: StatementId,
    cells: Collection[CellId],
    headcount: int,
    *,
    counted: Container[str] = (),
) -> Scored:
    """How these cells scored a statement, all tallies of theirs added up."""
    n, total, fresh = 0, Fraction(), 0
    for tally in tallies:
        if tally.cell in cells:
            for option, score in instrument.scores.items():
                times = tally.counts[statement].get(option, 0)
                n, total = n + times, total + times * score
                fresh += 0 if tally.id in counted else times
    return Scored(tuple(sorted(cells)), headcount, n, total, fresh)


def _sum(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction())
