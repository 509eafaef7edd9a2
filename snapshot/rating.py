"""From counts to ratings, so that a large agency is not drowned out by a keen small one.

A worked example with six cells stands in docs/rating.md; the tests hold this code to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from snapshot.instrument import Instrument, StatementId
from snapshot.snapshot import OTHER, CellId
from snapshot.tally import Tally


@dataclass(frozen=True, slots=True)
class Scored:
    """How one cell scored one statement: `n` people, whose scores (0-100) add up to `total`."""

    cell: str
    headcount: int
    n: int
    total: Fraction


@dataclass(frozen=True, slots=True)
class Rating:
    """Exact means on 0 to 100. `n` people's scored answers are in both.

    `few`: a weight had to be cut back, because few answers would have stood for many people.
    """

    weighted: Fraction
    unweighted: Fraction
    n: int
    few: bool = False


def merge_small(cells: Sequence[Scored], k: int) -> list[Scored]:
    """Groups of which each has `k` or more people who scored; empty when all have fewer.

    Every cell with fewer than `k` goes into one merged group, with its headcount; if that
    still has fewer, the smallest of the other cells join it until it has `k`.
    """
    alone = sorted((c for c in cells if c.n >= k), key=lambda c: (c.n, c.headcount, c.cell))
    small = [c for c in cells if c.n < k]
    while small and sum(c.n for c in small) < k:
        if not alone:
            return []
        small.append(alone.pop(0))
    if not small:
        return alone
    merged = Scored(
        "+".join(sorted(c.cell for c in small)),
        sum(c.headcount for c in small),
        sum(c.n for c in small),
        _sum(c.total for c in small),
    )
    return [*alone, merged]


def rate_statement(cells: Sequence[Scored], *, k: int, trim: Fraction) -> Rating | None:
    """The rating of one statement, or None when fewer than `k` people scored it.

    A person of a group weighs N / n: its headcount over its scored answers, held between the
    median of that over the groups divided by `trim` and the same times `trim`.
    """
    groups = merge_small(cells, k)
    if not groups:
        return None
    n = sum(g.n for g in groups)
    stands_for = [Fraction(g.headcount, g.n) for g in groups]
    middle = median(stands_for)
    weights = [min(max(each, middle / trim), middle * trim) for each in stands_for]
    weighed = _sum(w * g.n for w, g in zip(weights, groups, strict=True))
    if not weighed:
        return None  # nobody is said to work there, so nobody can be stood for
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
) -> list[Scored]:
    """What the tallies say of one statement, by cell.

    A cell without a tally of its own has given its people to "other", and its headcount too.
    """
    labels = {t.cell for t in tallies}
    stands_for = dict.fromkeys(labels, 0)
    for cell, headcount in headcounts.items():
        label = cell if cell in labels or OTHER not in labels else OTHER
        stands_for[label] = stands_for.get(label, 0) + headcount
    return [
        Scored(label, headcount, *_add_up(instrument, tallies, label, statement))
        for label, headcount in sorted(stands_for.items())
    ]


def _add_up(
    instrument: Instrument, tallies: Sequence[Tally], cell: CellId, statement: StatementId
) -> tuple[int, Fraction]:
    n, total = 0, Fraction()
    for tally in tallies:
        if tally.cell == cell:
            for option, score in instrument.scores.items():
                times = tally.counts[statement].get(option, 0)
                n, total = n + times, total + times * score
    return n, total


def _sum(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction())
