"""T9: released envelopes put back, and mixed again with others, until everybody is worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from snapshot.calendar import mixings
from snapshot.envelope import Ballot, State
from snapshot.instrument import OptionId, StatementId
from snapshot.ports import Kind, Record
from tests.attacks.attack import Result, Staged
from tests.attacks.stores import OpenStore
from tests.attacks.tampering import an_area, every_third_day, is_mixed
from tests.core.exampleshire import INSTRUMENT, OPENED, OPTIONS, Area, K

ROUNDS = 30
"""Ten of twenty leave each time. After some more rounds than people, each is worked out."""

type Row = tuple[frozenset[str], Mapping[StatementId, Mapping[OptionId, int]]]
"""Who was released, and what the tally says of them."""


async def replay(open_store: OpenStore, folder: Path) -> Result:
    async with an_area(open_store, folder, every_third_day()) as area:
        sent = await area.people_send({"police": 2 * K})
        sealed = {name: await area.envelope(name) for name in sent}
        rows = [await one_round(area, sealed, seed) for seed in range(ROUNDS)]
    found = [row for row in rows if row is not None]
    right = share_worked_out(list(sent), sent, found)
    once = share_worked_out(list(sent), sent, found[:1])
    return Result(
        f"{100 * right:.0f} % of the answers of {len(sent)} people after {len(found)} mixes",
        f"one mix: {100 * once:.0f} %",
        right == 0,
        once == 0,
    )


async def one_round(area: Area, sealed: Mapping[str, Record], seed: int) -> Row | None:
    """Let the mixing that is due be carried out, look, and put everything back as it was."""
    first = next(mixings(area.running.snapshot))
    if not await is_mixed(area, (first - OPENED).total_seconds() / 3600, seed):
        return None
    after = {name: await area.envelope(name) for name in sealed}
    released = frozenset(name for name, e in after.items() if e.state == State.RELEASED)
    tallies = await area.tallies()
    for name, record in after.items():
        await area.records.replace(replace(sealed[name], etag=record.etag))
    for kind in (Kind.SLIP, Kind.TALLY, Kind.PUBLICATION):
        for record in await area.records.read_all(area.running.snapshot.id, kind):
            await area.records.delete(record)
    return (released, tallies[0].counts) if tallies else None


def share_worked_out(
    names: Sequence[str], sent: Mapping[str, Ballot], rows: Sequence[Row]
) -> float:
    """The share of all answers that the tallies leave no doubt of, each of them right."""
    right = 0
    for statement in INSTRUMENT.statements:
        for option in OPTIONS:
            known = solve(
                [[int(name in who) for name in names] for who, _ in rows],
                [counts[statement.id].get(option, 0) for _, counts in rows],
            )
            for name, value in zip(names, known, strict=True):
                is_so = sent[name].answers[statement.id] == option
                right += is_so and value == 1
    return right / (len(names) * len(INSTRUMENT.statements))


def solve(rows: Sequence[Sequence[int]], sums: Sequence[int]) -> list[Fraction | None]:
    """Each unknown of a linear system, or None where it is not determined. By Gauss and Jordan."""
    width = len(rows[0]) if rows else 0
    table = [[*map(Fraction, row), Fraction(s)] for row, s in zip(rows, sums, strict=True)]
    pivots: list[int] = []
    for column in range(width):
        at = len(pivots)
        found = next((r for r in range(at, len(table)) if table[r][column]), None)
        if found is None:
            continue
        table[at], table[found] = table[found], table[at]
        head = table[at][column]
        table[at] = [value / head for value in table[at]]
        for r, row in enumerate(table):
            if r != at and row[column]:
                factor = row[column]
                table[r] = [a - factor * b for a, b in zip(row, table[at], strict=True)]
        pivots.append(column)
    known: list[Fraction | None] = [None] * width
    for row, column in zip(table, pivots, strict=False):
        if sum(bool(value) for value in row[:width]) == 1:
            known[column] = row[width]
    return known


REPLAY = Staged(
    "T9",
    "Released envelopes put back and mixed again",
    "writing to the database, its sealed rows from before a mixing, and time",
    "nothing is worked out",
    leaks=(
        "A released envelope does not know that it was released once. Put back with its old seal, "
        "and without the mark that the mixing was done, it is mixed again in another company; "
        "tallies of many companies give every single answer."
    ),
    stage=replay,
)
