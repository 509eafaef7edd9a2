"""What both audiences say, and what follows from it for the report: a pure function.

See `views` for what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median_low

from snapshot.advice import Library, Metric, Recommendation
from snapshot.detail import Detail
from snapshot.disclosure import Summary
from snapshot.instrument import BandId, Instrument, StatementId
from snapshot.session import Agreed
from snapshot.snapshot import CellId
from snapshot.views import About, Earlier, View, Views

MEANS_APART = 10
"""Points from the weighted to the unweighted score; beyond, it is said who replied least."""

MOST_KEY_POINTS = 5


@dataclass(frozen=True, slots=True)
class Recommended:
    """`because`: the colour or the pattern that led to it."""

    about: About
    because: BandId | str
    recommendation: Recommendation


class Point(StrEnum):
    """What a key point is about, in the order in which they are told."""

    PRIORITIES = "priorities"
    STRENGTHS = "strengths"
    APART = "apart"
    AGENCIES = "agencies"
    UNSURE = "unsure"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    point: Point
    about: tuple[About, ...]


class Caveat(StrEnum):
    NO_SESSION = "no-session"
    UNFINISHED_SESSION = "unfinished-session"
    NO_PRACTICE = "no-practice"
    FEW = "few"
    MEANS_APART = "means-apart"


@dataclass(frozen=True, slots=True)
class Findings:
    """`reworded`: statements that cannot be compared. `least`: agency groups that replied least."""

    domains: tuple[View, ...]
    statements: tuple[View, ...]
    recommended: tuple[Recommended, ...]
    strengths: tuple[StatementId, ...]
    key_points: tuple[KeyPoint, ...]
    caveats: tuple[Caveat, ...]
    agreed: Mapping[StatementId, Agreed]
    reworded: tuple[StatementId, ...] = ()
    least: tuple[CellId, ...] = ()


def find(
    instrument: Instrument,
    library: Library,
    summary: Summary,
    detail: Detail,
    agreed: Mapping[StatementId, Agreed],
    earlier: Earlier | None = None,
) -> Findings:
    """From the final publication and what was agreed; either may be empty."""
    views = Views(instrument, library, summary, detail, agreed, earlier)
    statements = tuple(views.of_statement(s.id) for s in instrument.statements)
    domains = tuple(views.of_domain(d.id) for d in instrument.domains)
    return Findings(
        domains,
        statements,
        tuple(_recommended(library, domains, statements)),
        tuple(v.about for v in statements if v.system == instrument.bands[-1].id),  # type: ignore[misc]
        _key_points(instrument, library, domains, statements),
        tuple(_caveats(instrument, summary, agreed)),
        agreed,
        views.reworded,
        _least(detail) if _are_apart(summary) else (),
    )


# -- what follows ---------------------------------------------------------------------------------


def _recommended(
    library: Library, domains: Sequence[View], statements: Sequence[View]
) -> Iterator[Recommended]:
    """Of each statement by its colour, red first; then by what shows, the largest gap first."""
    patterns = {p.id: p for p in library.patterns}
    bands = list(dict.fromkeys(b for a in library.statements.values() for b in a.by_band))
    for band in bands:
        for view in statements:
            if view.system == band:
                advice = library.statements[view.about].by_band  # type: ignore[index]
                yield Recommended(view.about, band, advice[band])
    shown = [(view, hit) for view in (*domains, *statements) for hit in view.hits]
    for view, hit in sorted(shown, key=lambda found: -abs(_points(found[0]))):
        yield Recommended(view.about, hit.pattern, patterns[hit.pattern].recommendation)


def _points(view: View) -> int:
    return view.gap.points if view.gap else 0


def _key_points(
    instrument: Instrument,
    library: Library,
    domains: Sequence[View],
    statements: Sequence[View],
) -> tuple[KeyPoint, ...]:
    """What stands out, in a fixed order; no more than a page bears."""
    red, green = instrument.bands[0].id, instrument.bands[-1].id
    everything = (*domains, *statements)
    apart = max((v for v in everything if v.gap and v.gap.is_flagged), key=_apart, default=None)
    found = {
        Point.PRIORITIES: [v for v in domains if v.system == red]
        or [v for v in statements if v.system == red],
        Point.STRENGTHS: [v for v in domains if v.system == green]
        or [v for v in statements if v.system == green],
        Point.APART: [apart] if apart else [],
        Point.AGENCIES: _showing(Metric.AGENCIES_APART, library, everything),
        Point.UNSURE: _showing(Metric.DONT_KNOW_SHARE, library, everything),
        Point.UNPROVEN: _showing(Metric.STRATEGIC_BAND, library, everything),
    }
    points = [KeyPoint(p, tuple(v.about for v in views)) for p, views in found.items() if views]
    return tuple(points[:MOST_KEY_POINTS])


def _apart(view: View) -> int:
    return abs(_points(view))


def _showing(metric: Metric, library: Library, views: Sequence[View]) -> list[View]:
    wanted = {p.id for p in library.patterns if p.rule.metric is metric}
    return [v for v in views if any(hit.pattern in wanted for hit in v.hits)]


# -- how to read it -------------------------------------------------------------------------------


def _caveats(
    instrument: Instrument, summary: Summary, agreed: Mapping[StatementId, Agreed]
) -> Iterator[Caveat]:
    if not agreed:
        yield Caveat.NO_SESSION
    elif len(agreed) < len(instrument.statements):
        yield Caveat.UNFINISHED_SESSION
    if summary.withheld:
        yield Caveat.NO_PRACTICE
    if any(d.few for d in summary.domains):
        yield Caveat.FEW
    if _are_apart(summary):
        yield Caveat.MEANS_APART


def _are_apart(summary: Summary) -> bool:
    """Whether weighing makes so much difference that it has to be said who replied least."""
    return any(
        d.weighted and d.unweighted and abs(d.weighted.value - d.unweighted.value) > MEANS_APART
        for d in summary.domains
    )


def _least(detail: Detail) -> tuple[CellId, ...]:
    """Agency groups whose share of replies lies below the middle one; of others it is not told."""
    told = {r.cell: r.share for r in detail.replies if r.share is not None}
    middle = median_low(told.values()) if told else 0
    return tuple(cell for cell, share in told.items() if share < middle)
