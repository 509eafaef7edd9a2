"""The other half of the gate: what the report says besides the domains, once and for all.

Each statement; agency groups beside each other; how many of each agency group replied. All of it
rests on the bases of the final summary, whose groups are of k scored answers or more, so that
adding and subtracting leads to none of fewer. See `disclosure` for how figures are rounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, Self

from snapshot.basis import Bases, scored_groups, tallies_of
from snapshot.disclosure import (
    Figure,
    printable,
    progress_band,
    rounding_step,
    times,
    with_figures,
)
from snapshot.instrument import (
    DONT_KNOW,
    NOT_RELEVANT,
    BandId,
    DomainId,
    Instrument,
    Limits,
    OptionId,
    StatementId,
)
from snapshot.rating import Rating, pooled, rate_statement
from snapshot.snapshot import CellId, Snapshot
from snapshot.tally import Tally


@dataclass(frozen=True, slots=True)
class StatementFigures:
    """One statement. Below `scores_from` people it has its colour alone.

    `favourable` is a share of the scored answers, `dont_know` of all but "not relevant". From
    `options_from` people on there are scores, and `options`: the share of each scored one.
    """

    statement: StatementId
    band: BandId
    favourable: Figure | None = None
    dont_know: Figure | None = None
    weighted: Figure | None = None
    unweighted: Figure | None = None
    options: Mapping[OptionId, Figure] | None = None
    few: bool = False


@dataclass(frozen=True, slots=True)
class AgencyFigures:
    """How one agency group sees one domain, or one statement of it.

    Below `scores_from` people it has the favourable share of a domain alone. `step` is the
    rounding, in points.
    """

    cell: CellId
    domain: DomainId
    step: int
    favourable: Figure
    score: Figure | None = None
    statement: StatementId | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """About how many in a hundred of an agency group's headcount replied; None is not told."""

    cell: CellId
    share: int | None


@dataclass(frozen=True, slots=True)
class Detail:
    """`step` is the rounding of statements, in points."""

    statements: tuple[StatementFigures, ...] = ()
    agencies: tuple[AgencyFigures, ...] = ()
    replies: tuple[Reply, ...] = ()
    step: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(
            tuple(_statement_from_json(s) for s in value["statements"]),
            tuple(AgencyFigures(**with_figures(a)) for a in value["agencies"]),
            tuple(Reply(**r) for r in value["replies"]),
            value["step"],
        )


def detail(
    snapshot: Snapshot, instrument: Instrument, tallies: Sequence[Tally], bases: Bases
) -> Detail:
    """All that the report may say besides the summary; empty where that is withheld.

    Statements are rounded alike, by the smallest number of people that one of their figures is
    about; so are the figures of one agency group.
    """
    limits = instrument.limits
    if sum(t.people for t in tallies) < snapshot.k:
        return Detail()
    counted = [_count(snapshot.k, instrument, tallies, bases, s.id) for s in instrument.statements]
    least = min((n for c in counted for n in c.shown(limits)), default=0)
    seen = [*_by_statement(instrument, tallies, bases)]
    agencies = [*_by_domain(instrument, seen), *(a for a in seen if a.n >= limits.scores_from)]
    return Detail(
        tuple(_figures(c, instrument, least) for c in counted),
        tuple(_agency(a, _fewest(agencies, a.cell), limits) for a in agencies),
        _replies(snapshot, tallies, limits),
        rounding_step(least, limits) if least else 0,
    )


# -- statements -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Counted:
    """A statement before rounding: nothing of this may leave.

    `n` scored it, and `asked` could have known; 0 where that is fewer than k.
    """

    statement: StatementId
    rating: Rating | None
    chosen: Mapping[OptionId, int]
    n: int
    asked: int

    def shown(self, limits: Limits) -> list[int]:
        """The numbers of people that its figures are about."""
        return [n for n in (self.n, self.asked) if n >= limits.scores_from]


def _count(
    k: int, instrument: Instrument, tallies: Sequence[Tally], bases: Bases, statement: StatementId
) -> _Counted:
    groups = scored_groups(instrument, tallies, statement, bases[statement])
    rating = rate_statement(groups, trim=instrument.limits.trim_ratio)
    counted = {statement: tallies_of(tallies, bases[statement])}
    chosen = {o.id: times(counted, [o.id]) for o in instrument.practice.options}
    asked = sum(n for option, n in chosen.items() if option != NOT_RELEVANT)
    return _Counted(
        statement, rating, chosen, rating.n if rating else 0, asked if asked >= k else 0
    )


def _figures(counted: _Counted, instrument: Instrument, least: int) -> StatementFigures:
    """`least`: the fewest people that a figure of any statement is about."""
    limits, rating = instrument.limits, counted.rating
    band = instrument.band(rating.weighted if rating else None)
    found = StatementFigures(counted.statement, band.id)
    if counted.asked >= limits.scores_from:
        unsure = Fraction(100 * counted.chosen[DONT_KNOW], counted.asked)
        found = replace(found, dont_know=printable(unsure, least, limits))
    if rating is None or counted.n < limits.scores_from:
        return found
    favourable = sum(counted.chosen[o] for o in limits.favourable)
    found = replace(
        found, favourable=printable(Fraction(100 * favourable, counted.n), least, limits)
    )
    if counted.n < limits.options_from:
        return found
    return replace(
        found,
        weighted=printable(rating.weighted, least, limits),
        unweighted=printable(rating.unweighted, least, limits),
        options={
            option: printable(Fraction(100 * counted.chosen[option], counted.n), least, limits)
            for option in instrument.scores
        },
        few=rating.few,
    )


# -- agency groups --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """How one agency group sees something, before rounding: `n` is at least k."""

    cell: CellId
    domain: DomainId
    score: Fraction
    favourable: Fraction
    n: int
    statement: StatementId | None = None


def _by_statement(
    instrument: Instrument, tallies: Sequence[Tally], bases: Bases
) -> Iterator[_Seen]:
    """Groups that stand alone, where there is another one to set them beside.

    Cells that were merged are not shown: nobody could say whose view it is.
    """
    for s in instrument.statements:
        groups = scored_groups(instrument, tallies, s.id, bases[s.id])
        for group in groups if len(groups) > 1 else ():
            if len(group.cells) > 1:
                continue
            (cell,) = group.cells
            own = [t for t in tallies_of(tallies, bases[s.id]) if t.cell == cell]
            chosen = times({s.id: own}, instrument.limits.favourable)
            share = Fraction(100 * chosen, group.n)
            yield _Seen(cell, s.domain, group.total / group.n, share, group.n, s.id)


def _by_domain(instrument: Instrument, seen: Sequence[_Seen]) -> Iterator[_Seen]:
    """Means over the statements, for a group that stands alone in half of them or more."""
    for domain in instrument.domains:
        of_cell: dict[CellId, list[_Seen]] = {}
        for one in seen:
            if one.domain == domain.id:
                of_cell.setdefault(one.cell, []).append(one)
        for cell, parts in sorted(of_cell.items()):
            if 2 * len(parts) < len(instrument.of_domain(domain.id)):
                continue
            score = sum((p.score for p in parts), Fraction()) / len(parts)
            favourable = sum((p.favourable for p in parts), Fraction()) / len(parts)
            yield _Seen(cell, domain.id, score, favourable, min(p.n for p in parts))


def _fewest(seen: Sequence[_Seen], cell: CellId) -> int:
    return min(one.n for one in seen if one.cell == cell)


def _agency(seen: _Seen, fewest: int, limits: Limits) -> AgencyFigures:
    score = printable(seen.score, fewest, limits) if seen.n >= limits.scores_from else None
    favourable = printable(seen.favourable, fewest, limits)
    step = rounding_step(fewest, limits)
    return AgencyFigures(seen.cell, seen.domain, step, favourable, score, seen.statement)


# -- who replied ----------------------------------------------------------------------------------


def _replies(snapshot: Snapshot, tallies: Sequence[Tally], limits: Limits) -> tuple[Reply, ...]:
    """By agency group; where one alone would not be told, the next smallest is not told either.

    Otherwise the one could be worked out from all together.
    """
    headcounts = pooled(snapshot.headcounts, tallies)
    replied = Counter[CellId]()
    for tally in tallies:
        replied[tally.cell] += tally.people
    shares = {
        cell: progress_band(replied[cell], headcount, limits)
        for cell, headcount in headcounts.items()
        if headcount or replied[cell]
    }
    hidden = [cell for cell, share in shares.items() if share is None]
    told = sorted(set(shares) - set(hidden), key=lambda cell: (headcounts[cell], cell))
    if len(hidden) == 1 and told:
        shares[told[0]] = None
    return tuple(Reply(cell, share) for cell, share in sorted(shares.items()))


def _statement_from_json(value: Mapping[str, Any]) -> StatementFigures:
    options = value["options"] and with_figures(value["options"])
    return StatementFigures(**{**with_figures(value), "options": options})
