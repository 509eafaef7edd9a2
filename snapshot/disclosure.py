"""The gate: every figure that leaves goes through here, and only here are counts turned into one.

A figure rests on whole batches of k people or more (`mix`), is rounded so that it never
resolves fewer than two people, and near either end says only "under" or "over".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

from snapshot.basis import Bases, next_bases, scored_groups, tallies_of
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
from snapshot.rating import Rating, pooled, rate_domain, rate_statement
from snapshot.snapshot import OTHER, CellId, Snapshot
from snapshot.tally import Tally


class End(StrEnum):
    """Whether a figure is printed as it is, or only as under or over it."""

    AT = "at"
    UNDER = "under"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or score of 0 to 100, fit to be printed: `end` and a rounded `value`."""

    value: int
    end: End = End.AT


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """One domain of a summary. A domain that is not rated has no scores.

    `weighted` and `unweighted` are scores; `favourable` is a share of the scored answers,
    `dont_know` a share of all answers but "not relevant".
    """

    domain: DomainId
    band: BandId
    weighted: Figure | None = None
    unweighted: Figure | None = None
    favourable: Figure | None = None
    dont_know: Figure | None = None
    few: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A domain summary as it is published. Without `domains` it is withheld.

    `people` is rounded; `step` is the rounding of its figures, in points.
    """

    k: int
    people: int
    step: int
    domains: tuple[DomainFigures, ...]

    @property
    def withheld(self) -> bool:
        return not self.domains

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        domains = tuple(_domain_from_json(d) for d in value["domains"])
        return cls(value["k"], value["people"], value["step"], domains)


def _domain_from_json(value: Mapping[str, Any]) -> DomainFigures:
    return DomainFigures(**with_figures(value))


def with_figures(value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a value in which figures stand as JSON."""
    return {
        name: Figure(found["value"], End(found["end"])) if is_figure(found) else found
        for name, found in value.items()
    }


def is_figure(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"value", "end"}


def rounding_step(n: int, limits: Limits) -> int:
    """The first step that no fewer than two of `n` people can move a share by."""
    return next((s for s in limits.steps if s >= 200 / n), limits.steps[-1])


def printable(value: Fraction | float, n: int, limits: Limits) -> Figure:
    """A share or score of 0 to 100 about `n` people, rounded and with its ends coded."""
    step = rounding_step(n, limits)
    least = limits.end_below_50_people if n < 50 else limits.end_from_50_people
    end = max(least, step)
    if value < end:
        return Figure(end, End.UNDER)
    if value > 100 - end:
        return Figure(100 - end, End.OVER)
    return Figure(min(max(_nearest(value, step), end), 100 - end))


def about(people: int, limits: Limits, *, k: int) -> int:
    """A number of people of k or more, rounded, but never to fewer than k."""
    rounded = _nearest(people, limits.people_to_nearest)
    return rounded if rounded >= k else rounded + limits.people_to_nearest


def final_bases(
    snapshot: Snapshot,
    instrument: Instrument,
    tallies: Sequence[Tally],
    before: Bases | None = None,
) -> Bases:
    """What the figures rest on once nobody more can come. `before`: of the last publication."""
    headcounts = pooled(snapshot.headcounts, tallies)
    return next_bases(instrument, tallies, headcounts, k=snapshot.k, before=before)


def interim_bases(
    snapshot: Snapshot, instrument: Instrument, tallies: Sequence[Tally], before: Bases | None
) -> Bases | None:
    """What an interim summary would rest on, or None as long as too few have been mixed."""
    if sum(t.people for t in tallies) < instrument.limits.interim_from:
        return None
    return next_bases(
        instrument,
        tallies,
        snapshot.headcounts,
        k=snapshot.k,
        before=before,
        more_to_come=True,
    )


def summarise(
    snapshot: Snapshot,
    instrument: Instrument,
    tallies: Sequence[Tally],
    bases: Bases | None = None,
) -> Summary:
    """The domain summary of what has been mixed; withheld below k people in all.

    Without `bases` it is that of a close with nothing published before. All figures are rounded
    alike, by the smallest number of people that one of them is about.
    """
    people = sum(t.people for t in tallies)
    if people < snapshot.k:
        return Summary(snapshot.k, 0, 0, ())
    bases = bases or final_bases(snapshot, instrument, tallies)
    counted = [_count(snapshot.k, instrument, tallies, bases, d.id) for d in instrument.domains]
    n = min((c.n for c in counted if c.n), default=people)
    limits = instrument.limits
    domains = tuple(_figures(c, instrument, n) for c in counted)
    return Summary(
        snapshot.k, about(people, limits, k=snapshot.k), rounding_step(n, limits), domains
    )


def progress_band(finished: int, headcount: int, limits: Limits) -> int | None:
    """The share of the headcount that has finished, in per cent; None: too small to say.

    Coarse, and only ever frozen on certain days, so that nobody's sending can be seen in it.
    """
    if headcount < limits.progress_from_headcount:
        return None
    share = Fraction(100 * min(finished, headcount), headcount)
    return _nearest(share, limits.progress_to_nearest)


class Beside(StrEnum):
    """Where an agency group stands beside the others."""

    BELOW = "below"
    NEAR = "near"
    ABOVE = "above"


def beside_each_other(
    snapshot: Snapshot, waiting: Mapping[CellId, int], tallies: Sequence[Tally], limits: Limits
) -> dict[CellId, Beside]:
    """How far each agency group that stands alone has come; empty where fewer than two do.

    `waiting`: those who have sent and are not mixed. Near is whoever is within one step of
    progress of what the others have together.
    """
    floor = math.ceil(snapshot.k / limits.expected_reply_share)
    alone = [cell for cell in snapshot.cells if cell.id != OTHER and cell.headcount >= floor]
    sent = {cell.id: waiting.get(cell.id, 0) for cell in alone}
    for tally in tallies:
        if tally.cell in sent:
            sent[tally.cell] += tally.people
    people = sum(cell.headcount for cell in alone)
    found = {}
    for cell in alone if len(alone) > 1 else ():
        here = Fraction(100 * sent[cell.id], cell.headcount)
        others = Fraction(100 * (sum(sent.values()) - sent[cell.id]), people - cell.headcount)
        found[cell.id] = _beside(here - others, limits.progress_to_nearest)
    return found


def _beside(points: Fraction, step: int) -> Beside:
    if abs(points) <= step:
        return Beside.NEAR
    return Beside.ABOVE if points > 0 else Beside.BELOW


@dataclass(frozen=True, slots=True)
class _Counted:
    """A domain before rounding: nothing of this may leave. `n` is 0 where nothing can be said."""

    domain: DomainId
    rating: Rating | None
    favourable: Fraction
    dont_know: Fraction | None
    n: int


def _count(
    k: int, instrument: Instrument, tallies: Sequence[Tally], bases: Bases, domain: DomainId
) -> _Counted:
    limits = instrument.limits
    found = {s.id: tallies_of(tallies, bases[s.id]) for s in instrument.of_domain(domain)}
    ratings = {
        s: rate_statement(scored_groups(instrument, found[s], s, bases[s]), trim=limits.trim_ratio)
        for s in found
    }
    rating = rate_domain(list(ratings.values()))
    rated = {s: found[s] for s in found if ratings[s]}
    chosen = times(rated, limits.favourable)
    scored = times(rated, instrument.scores)
    relevant = [o.id for o in instrument.practice.options if o.id != NOT_RELEVANT]
    asked = [n for s in found if (n := times({s: found[s]}, relevant)) >= k]
    asked = asked if len(asked) == len(found) else []
    unsure = times(found, [DONT_KNOW])
    return _Counted(
        domain,
        rating,
        Fraction(100 * chosen, scored) if rating else Fraction(),
        Fraction(100 * unsure, sum(asked)) if asked else None,
        min([*asked, *([rating.n] if rating else [])], default=0),
    )


def _figures(counted: _Counted, instrument: Instrument, n: int) -> DomainFigures:
    """What may be said of a domain when `n` people are the fewest that a figure is about."""
    rating, limits = counted.rating, instrument.limits
    band = instrument.band(rating.weighted if rating else None)
    found = DomainFigures(counted.domain, band.id)
    if rating:
        found = replace(found, favourable=printable(counted.favourable, n, limits))
    if n < limits.scores_from:
        return found
    if counted.dont_know is not None:
        found = replace(found, dont_know=printable(counted.dont_know, n, limits))
    if rating is None:
        return found
    return replace(
        found,
        weighted=printable(rating.weighted, n, limits),
        unweighted=printable(rating.unweighted, n, limits),
        few=rating.few,
    )


def times(found: Mapping[StatementId, Sequence[Tally]], options: Iterable[OptionId]) -> int:
    """How often any of these options was chosen, each statement in tallies of its own."""
    wanted = set(options)
    return sum(
        times
        for s, tallies in found.items()
        for t in tallies
        for option, times in t.counts[s].items()
        if option in wanted
    )


def _nearest(value: Fraction | float, step: int) -> int:
    """Half a step goes up."""
    return math.floor(Fraction(value) / step + Fraction(1, 2)) * step
