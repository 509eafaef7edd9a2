"""What a published figure rests on, and when a newer one may take its place.

Two figures of the same statement, published at two times, can be subtracted. So a later one takes
in only what adds k or more people to every group of it, and never takes a group apart: whatever is
worked out from several publications concerns k scored answers or more.
See docs/decisions/0005-figures-over-time.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from snapshot.instrument import NOT_RELEVANT, Instrument, StatementId
from snapshot.rating import Scored, merge_small, scored_by_cell, scored_in
from snapshot.snapshot import CellId
from snapshot.tally import Tally


@dataclass(frozen=True, slots=True)
class Weighed:
    """Cells that count as one, and the people whom they stand for."""

    cells: tuple[CellId, ...]
    headcount: int


@dataclass(frozen=True, slots=True)
class Basis:
    """Of one statement: the ids of the tallies that are in its figure, and its groups.

    Without groups it is not rated.
    """

    tallies: frozenset[str]
    groups: tuple[Weighed, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "tallies": sorted(self.tallies),
            "groups": [[list(g.cells), g.headcount] for g in self.groups],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        groups = tuple(Weighed(tuple(cells), headcount) for cells, headcount in value["groups"])
        return cls(frozenset(value["tallies"]), groups)


type Bases = Mapping[StatementId, Basis]


def next_bases(
    instrument: Instrument,
    tallies: Sequence[Tally],
    headcounts: Mapping[CellId, int],
    *,
    k: int,
    before: Bases | None = None,
    more_to_come: bool = False,
) -> Bases:
    """What the next figures rest on; a statement with too little news keeps that of `before`.

    `more_to_come`: a group with too little news waits for more. Otherwise it joins another.
    """
    before = before or {}
    found = {}
    for s in instrument.statements:
        old, now = before.get(s.id), tallies
        if old and more_to_come:
            now = _with_enough_news(instrument, tallies, s.id, k, old)
        found[s.id] = _next(instrument, now, headcounts, s.id, k, old)
    return found


def scored_groups(
    instrument: Instrument, tallies: Sequence[Tally], statement: StatementId, basis: Basis
) -> list[Scored]:
    """The groups of a basis, as they scored the statement."""
    counted = tallies_of(tallies, basis)
    return [scored_in(instrument, counted, statement, g.cells, g.headcount) for g in basis.groups]


def tallies_of(tallies: Sequence[Tally], basis: Basis) -> list[Tally]:
    return [t for t in tallies if t.id in basis.tallies]


def _next(
    instrument: Instrument,
    tallies: Sequence[Tally],
    headcounts: Mapping[CellId, int],
    statement: StatementId,
    k: int,
    before: Basis | None,
) -> Basis:
    if before and _asked(tallies_of(tallies, before), statement) < k:
        before = None  # too few for a score or a share, so nothing has been said of it
    if before and 0 < _asked([t for t in tallies if t.id not in before.tallies], statement) < k:
        return before
    is_rated = before is not None and bool(before.groups)
    cells = scored_by_cell(
        instrument,
        tallies,
        headcounts,
        statement,
        counted=before.tallies if before and is_rated else (),
    )
    together = _together(tallies, instrument, statement, before) if before else []
    groups = merge_small(cells, k, together)
    if before and is_rated and not groups:
        return before
    return Basis(
        frozenset(t.id for t in tallies), tuple(Weighed(g.cells, g.headcount) for g in groups)
    )


def _with_enough_news(
    instrument: Instrument, tallies: Sequence[Tally], statement: StatementId, k: int, before: Basis
) -> list[Tally]:
    """Without what is new in a group of a rated statement where too few scored it."""
    counted = tallies_of(tallies, before)
    news = [t for t in tallies if t.id not in before.tallies]
    groups = _together(tallies, instrument, statement, before)
    apart = {t.cell for t in news}.difference(*groups) if groups else set()
    for cells in [*groups, *([cell] for cell in apart)]:
        if 0 < scored_in(instrument, news, statement, cells, 0).n < k:
            news = [t for t in news if t.cell not in cells]
    return [*counted, *news]


def _together(
    tallies: Sequence[Tally], instrument: Instrument, statement: StatementId, before: Basis
) -> list[Collection[CellId]]:
    """Cells whose answers were added up in the figure before. One without answers may leave."""
    counted = tallies_of(tallies, before)
    return [
        [c for c in group.cells if scored_in(instrument, counted, statement, [c], 0).n]
        for group in before.groups
    ]


def _asked(tallies: Sequence[Tally], statement: StatementId) -> int:
    """Answers other than "not relevant": what the share of "don't know" is of."""
    return sum(
        times
        for t in tallies
        for option, times in t.counts[statement].items()
        if option != NOT_RELEVANT
    )
