"""What a programme recommends: for each statement by its colour, and where a pattern shows.

A library to start from. The facilitator chooses, edits and drops before anything is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from snapshot.instrument import BandId, Instrument, StatementId


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`lead` and `needed` are ids of `Library.leads`, `timescale` one of `Library.timescales`."""

    text: str
    lead: str
    timescale: str
    check: str
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a statement that is red or amber, and what to say of it when it is green."""

    by_band: Mapping[BandId, Recommendation]
    strength: str


class Metric(StrEnum):
    STRATEGIC_MINUS_PRACTICE = "strategic_minus_practice"
    PRACTICE_MINUS_STRATEGIC = "practice_minus_strategic"
    DONT_KNOW_SHARE = "dont_know_share"
    AGENCIES_APART = "highest_agency_minus_lowest_agency"
    STRATEGIC_BAND = "strategic_band"
    BOTH_BANDS = "both_bands"


@dataclass(frozen=True, slots=True)
class Rule:
    """`at_least` points or per cent, or a band; `evidence_below` is a score of 0 to 100."""

    metric: Metric
    at_least: int | None = None
    equals: BandId | None = None
    evidence_below: int | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """`finding` has placeholders for the figures that made the rule apply."""

    id: str
    title: str
    rule: Rule
    finding: str
    meaning: str
    recommendation: Recommendation
    questions: tuple[str, ...]


class Direction(StrEnum):
    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Arrow:
    word: str
    symbol: str
    text: str


@dataclass(frozen=True, slots=True)
class LeadBody:
    """Who would lead on something: an agency, the partnership, commissioners."""

    label: str
    label_wales: str

    def label_in(self, nation: str) -> str:
        return self.label_wales if nation == "Wales" else self.label


@dataclass(frozen=True, slots=True)
class Timescale:
    label: str
    days: int


class BrokenLibrary(ValueError):
    """The library breaks a rule. `place` leads there, by the pack's own keys."""

    def __init__(self, rule: str, *place: str | int) -> None:
        super().__init__(rule)
        self.rule = rule
        self.place = place


@dataclass(frozen=True, slots=True)
class Library:
    """One language of it. Raises `BrokenLibrary`."""

    language: str
    instrument: str
    leads: Mapping[str, LeadBody]
    timescales: Mapping[str, Timescale]
    statements: Mapping[StatementId, Advice]
    patterns: tuple[Pattern, ...]
    arrows: Mapping[Direction, Arrow]

    def __post_init__(self) -> None:
        for id, advice in self.statements.items():
            for band, recommendation in advice.by_band.items():
                self._check(recommendation, "statements", id, band)
        for number, pattern in enumerate(self.patterns):
            self._check(pattern.recommendation, "patterns", number, "recommendation")
        if missing := set(Direction) - set(self.arrows):
            raise BrokenLibrary(f"lacks {', '.join(sorted(missing))}", "direction_of_travel")

    def may_recommend(self, about: str, because: str) -> bool:
        """Whether there is a recommendation for a statement's colour, or for a pattern."""
        advice = self.statements.get(StatementId(about))
        is_colour = advice is not None and because in advice.by_band
        return is_colour or any(p.id == because for p in self.patterns)

    def _check(self, recommendation: Recommendation, *place: str | int) -> None:
        unknown = {recommendation.lead, *recommendation.needed} - set(self.leads)
        if unknown:
            raise BrokenLibrary(f"no such lead: {', '.join(sorted(unknown))}", *place)
        if recommendation.timescale not in self.timescales:
            raise BrokenLibrary(f"no such timescale: {recommendation.timescale}", *place)


def no_advice(instrument: Instrument) -> Library:
    """For a programme without a library."""
    arrows = {d: Arrow("", "", "") for d in Direction}
    return Library(instrument.language, instrument.id, {}, {}, {}, (), arrows)


def check_fits(library: Library, instrument: Instrument) -> None:
    """Raises `BrokenLibrary` when they do not speak of the same statements and bands."""
    if library.instrument != instrument.id:
        raise BrokenLibrary(f"is not for {instrument.id}", "instrument")
    wanted = {s.id for s in instrument.statements}
    if odd := wanted ^ set(library.statements):
        raise BrokenLibrary(
            f"not in both it and the instrument: {', '.join(sorted(odd))}", "statements"
        )
    bands = {b.id for b in instrument.bands}
    for number, pattern in enumerate(library.patterns):
        if pattern.rule.equals is not None and pattern.rule.equals not in bands:
            raise BrokenLibrary("no such band", "patterns", number, "when", "equals")
