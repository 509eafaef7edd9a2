"""Slips and tallies: what is left of answers after a mix.

A slip is one person's answers to one domain and holds nothing that tells whose. A tally counts
one batch. Only `mix` makes them, and only `rating` and `disclosure` read the counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NewType, Self

from snapshot.envelope import Ballot
from snapshot.instrument import DomainId, Instrument, OptionId, StatementId
from snapshot.snapshot import CellId

SlipId = NewType("SlipId", str)


@dataclass(frozen=True, slots=True)
class Slip:
    """`choices` has one entry for each statement of the domain, in the instrument's order."""

    id: SlipId
    cell: CellId
    domain: DomainId
    choices: tuple[OptionId, ...]

    def as_json(self) -> dict[str, Any]:
        return {"cell": self.cell, "domain": self.domain, "choices": list(self.choices)}

    @classmethod
    def from_json(cls, id: str, value: Mapping[str, Any]) -> Self:
        return cls(SlipId(id), value["cell"], value["domain"], tuple(value["choices"]))


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each option of each statement was chosen in one batch of one cell."""

    id: str
    cell: CellId
    people: int
    counts: Mapping[StatementId, Mapping[OptionId, int]]

    def as_json(self) -> dict[str, Any]:
        return {"cell": self.cell, "people": self.people, "counts": self.counts}

    @classmethod
    def from_json(cls, id: str, value: Mapping[str, Any]) -> Self:
        return cls(id, value["cell"], value["people"], value["counts"])


def cut(
    ballot: Ballot, cell: CellId, instrument: Instrument, new_id: Callable[[], str]
) -> list[Slip]:
    """Cut a complete ballot into one slip for each domain, each with an id of its own."""
    return [
        Slip(
            SlipId(new_id()),
            cell,
            domain.id,
            tuple(ballot.answers[s.id] for s in instrument.of_domain(domain.id)),
        )
        for domain in instrument.domains
    ]


def are_of(tallies: Iterable[Tally], released: Collection[str]) -> bool:
    """Whether these tell of everybody who was released, and of nobody else."""
    return sum(t.people for t in tallies) == len(released)


def count(slips: Iterable[Slip], instrument: Instrument) -> dict[StatementId, dict[OptionId, int]]:
    """How often each option of each statement stands on these slips."""
    counts: dict[StatementId, Counter[OptionId]] = {s.id: Counter() for s in instrument.statements}
    for slip in slips:
        for statement, choice in zip(instrument.of_domain(slip.domain), slip.choices, strict=True):
            counts[statement.id][choice] += 1
    return {statement: dict(sorted(counter.items())) for statement, counter in counts.items()}
