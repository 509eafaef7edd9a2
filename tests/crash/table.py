"""What came of kills, put together by what was written when they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.crash.killing import Outcome, Point
from tests.crash.working import When


@dataclass(frozen=True, slots=True)
class Row:
    """`runs` were killed at some write of a kind, half of them before and half after it."""

    what: str
    runs: int
    ballots_in: int
    ballots_out: int
    lost: int
    doubled: int
    amiss: int


def rows(found: Iterable[tuple[Point, Outcome]], people: int) -> list[Row]:
    """In the order in which each kind of write comes first."""
    kinds: dict[str, list[Outcome]] = {}
    for point, outcome in sorted(found, key=lambda each: each[0].at):
        kinds.setdefault(point.what, []).append(outcome)
    return [
        Row(
            what,
            len(outcomes),
            ballots_in=people * len(outcomes),
            ballots_out=sum(o.ballots for o in outcomes),
            lost=sum(o.lost for o in outcomes),
            doubled=sum(o.doubled for o in outcomes),
            amiss=sum(bool(o.amiss) for o in outcomes),
        )
        for what, outcomes in kinds.items()
    ]


def each_kind(points: Sequence[Point]) -> list[Point]:
    """One write of each kind, the middle one, before and after."""
    kinds: dict[tuple[str, When], list[Point]] = {}
    for point in points:
        kinds.setdefault((point.what, point.when), []).append(point)
    return [same[len(same) // 2] for same in kinds.values()]
