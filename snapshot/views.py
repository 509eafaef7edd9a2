"""One domain or statement as both audiences see it, and what shows in that.

It reads nothing but what has been published and what partners agreed, so nothing in here can tell
more than those do. Where a published figure says only "under" or "over", its end is reckoned with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from snapshot.advice import Direction, Library, Metric, Rule
from snapshot.detail import AgencyFigures, Detail, StatementFigures
from snapshot.disclosure import DomainFigures, End, Figure, Summary
from snapshot.instrument import BandId, DomainId, Instrument, Scale, StatementId
from snapshot.session import Agreed
from snapshot.snapshot import CellId

FLAGGED_FROM = 20
"""Points that partners and practitioners lie apart."""

TRAVELLED_FROM = 10
"""Points, from one snapshot to the next."""

type About = DomainId | StatementId
type Value = Figure | CellId | int


@dataclass(frozen=True, slots=True)
class Side:
    """How one audience sees something. `score` is 0 to 100, and missing where few have answered."""

    band: BandId
    score: Figure | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Partners' score less practitioners', in points. `or_more`: one of them is an end."""

    points: int
    or_more: bool = False

    @property
    def is_flagged(self) -> bool:
        return abs(self.points) >= FLAGGED_FROM


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern that shows; `values` are for the placeholders of what it says.

    Agency groups stand there by their ids, and scores as they may be printed.
    """

    pattern: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Travel:
    """`change` in points; None where there is none to be told."""

    direction: Direction
    change: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One domain or statement. `system` is the colour of both audiences together.

    `evidence` is what partners agreed of it, 0 to 100; of a domain, the mean.
    """

    about: About
    strategic: Side | None
    practice: Side | None
    system: BandId
    evidence: int | None = None
    gap: Gap | None = None
    dont_know: Figure | None = None
    favourable: Figure | None = None
    agencies: tuple[AgencyFigures, ...] = ()
    hits: tuple[Hit, ...] = ()
    strategic_travel: Travel | None = None
    practice_travel: Travel | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What another snapshot of the area published. `texts` are its statements, as they were worded.

    `step` is how its figures of practitioners were rounded, in points.
    """

    when: str
    texts: Mapping[StatementId, str]
    strategic: Mapping[About, Figure]
    practice: Mapping[About, Figure]
    step: int


# -- one domain or statement ----------------------------------------------------------------------


@dataclass(frozen=True)
class Views:
    """Of a final publication and what was agreed; either may be empty."""

    instrument: Instrument
    advice: Library
    summary: Summary
    detail: Detail
    agreed: Mapping[StatementId, Agreed]
    earlier: Earlier | None

    def of_statement(self, id: StatementId) -> View:
        found = next((s for s in self.detail.statements if s.statement == id), None)
        agencies = tuple(a for a in self.detail.agencies if a.statement == id)
        return self._view(id, [id], found, self.detail.step, agencies)

    def of_domain(self, id: DomainId) -> View:
        found = next((d for d in self.summary.domains if d.domain == id), None)
        agencies = tuple(a for a in self.detail.agencies if a.domain == id and a.statement is None)
        statements = [s.id for s in self.instrument.of_domain(id)]
        return self._view(id, statements, found, self.summary.step, agencies)

    @cached_property
    def reworded(self) -> tuple[StatementId, ...]:
        """Statements that the earlier snapshot had in other words, or not at all."""
        texts = self.earlier.texts if self.earlier else None
        return tuple(
            s.id
            for s in self.instrument.statements
            if texts is not None and texts.get(s.id) != s.text
        )

    def _view(
        self,
        about: About,
        statements: Sequence[StatementId],
        found: StatementFigures | DomainFigures | None,
        step: int,
        agencies: tuple[AgencyFigures, ...],
    ) -> View:
        partners = self.instrument.strategic
        score = self._mean(statements, partners.progress, "progress") if partners else None
        evidence = self._mean(statements, partners.evidence, "evidence") if partners else None
        strategic = (
            Side(self.instrument.band(score).id, Figure(round(score)))
            if score is not None
            else None
        )
        practice = Side(found.band, found.weighted) if found else None
        view = View(
            about,
            strategic,
            practice,
            _system(self.instrument, score, practice),
            None if evidence is None else round(evidence),
            _gap(score, found.weighted if found else None),
            found.dont_know if found else None,
            found.favourable if found else None,
            agencies,
            strategic_travel=self._travel(about, statements, strategic),
            practice_travel=self._travel(about, statements, practice, step),
        )
        return _with_hits(view, self.advice)

    def _mean(self, statements: Sequence[StatementId], scale: Scale, name: str) -> Fraction | None:
        """Of what was agreed and has a score; None where that is less than half of them."""
        options = (getattr(self.agreed[s].ratings, name) for s in statements if s in self.agreed)
        found = (scale.option(option) for option in options)
        scores = [Fraction(str(o.score)) for o in found if o and o.score is not None]
        if not scores or 2 * len(scores) < len(statements):
            return None
        return sum(scores, Fraction()) / len(scores)

    def _travel(
        self,
        about: About,
        statements: Sequence[StatementId],
        side: Side | None,
        step: int | None = None,
    ) -> Travel | None:
        """Only where both scores are told as they are, and every statement reads as it did.

        `step`: the rounding of practitioners' figures, which must not be wider than the change
        that is told; None for partners.
        """
        earlier = self.earlier
        if earlier is None:
            return Travel(Direction.NEW) if side else None
        if any(s in self.reworded for s in statements) or not (side and side.score):
            return None
        before = earlier.strategic.get(about) if step is None else earlier.practice.get(about)
        steps = [] if step is None else [step, earlier.step]
        ends = {side.score.end, before.end} if before else {End.UNDER}
        if before is None or ends != {End.AT} or max(steps, default=0) > TRAVELLED_FROM:
            return None
        return _travelled(side.score.value - before.value)


def _travelled(change: int) -> Travel:
    if change >= TRAVELLED_FROM:
        return Travel(Direction.BETTER, change)
    if change <= -TRAVELLED_FROM:
        return Travel(Direction.WORSE, -change)
    return Travel(Direction.SAME)


def _gap(score: Fraction | None, practice: Figure | None) -> Gap | None:
    """Whoever is under an end is at least as far from what lies above it."""
    if score is None or practice is None:
        return None
    points = math.floor(score - practice.value + Fraction(1, 2))
    further = {End.UNDER: points > 0, End.OVER: points < 0, End.AT: False}[practice.end]
    return Gap(points, further)


def _system(instrument: Instrument, score: Fraction | None, practice: Side | None) -> BandId:
    """Of the mean of both; where practitioners have a colour and no score, the lower of both."""
    grey = instrument.not_rated.id
    if practice is None or practice.band == grey:
        return instrument.band(score).id
    if score is None:
        return practice.band
    if practice.score:
        return instrument.band((score + practice.score.value) / 2).id
    order = [b.id for b in instrument.bands]
    return min(practice.band, instrument.band(score).id, key=order.index)


# -- patterns -------------------------------------------------------------------------------------


def _with_hits(view: View, library: Library) -> View:
    values = _values(view)
    hits = tuple(Hit(p.id, values) for p in library.patterns if _applies(p.rule, view))
    return replace(view, hits=hits)


def _applies(rule: Rule, view: View) -> bool:
    if rule.evidence_below is not None and not (
        view.evidence is not None and view.evidence < rule.evidence_below
    ):
        return False
    if rule.at_least is not None:
        found = _measured(rule.metric, view)
        return found is not None and found >= rule.at_least
    bands = {
        Metric.STRATEGIC_BAND: [view.strategic],
        Metric.BOTH_BANDS: [view.strategic, view.practice],
    }.get(rule.metric, [None])
    return all(side is not None and side.band == rule.equals for side in bands)


def _measured(metric: Metric, view: View) -> int | None:
    gap = view.gap.points if view.gap else None
    match metric:
        case Metric.STRATEGIC_MINUS_PRACTICE:
            return gap
        case Metric.PRACTICE_MINUS_STRATEGIC:
            return None if gap is None else -gap
        case Metric.DONT_KNOW_SHARE:
            # Under an end, the share is smaller than what is printed.
            unsure = view.dont_know
            return unsure.value if unsure and unsure.end is not End.UNDER else None
        case Metric.AGENCIES_APART:
            scored = _by_score(view)
            return scored[-1][0].value - scored[0][0].value if scored else None
        case _:
            return None


def _by_score(view: View) -> list[tuple[Figure, CellId]]:
    scored = [(a.score, a.cell) for a in view.agencies if a.score]
    return sorted(scored, key=lambda found: (found[0].value, found[1]))


def _values(view: View) -> dict[str, Value]:
    scored = _by_score(view)
    found: dict[str, Value | None] = {
        "gap": abs(view.gap.points) if view.gap else None,
        "strategic_score": view.strategic.score if view.strategic else None,
        "practice_score": view.practice.score if view.practice else None,
        "dont_know_share": view.dont_know,
        "lowest_score": scored[0][0] if scored else None,
        "lowest_agency": scored[0][1] if scored else None,
        "highest_score": scored[-1][0] if scored else None,
        "highest_agency": scored[-1][1] if scored else None,
    }
    return {name: value for name, value in found.items() if value is not None}
