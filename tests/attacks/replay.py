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
from tests.attacks.campaign import SeededKeys
from tests.attacks.stores import OpenStore
from tests.attacks.tampering import an_area, every_third_day, is_mixed
from tests.core.exampleshire import INSTRUMENT, OPENED, OPTIONS, Area, K

ROUNDS = 30
"""Ten of twenty leave each time. After some more rounds than people, each is worked out."""

type Row = tuple[frozenset[str], Mapping[StatementId, Mapping[OptionId, int]]]
"""Who was released, and what the tally says of them."""


async def replay(open_store: OpenStore, folder: Path) -> Result:
    async with an_area(open_store, folder / "ours", every_third_day()) as area:
        right, mixes = await worked_out(area)
    async with an_area(open_store, folder / "naive", every_third_day()) as unpinned:
        naive, of_naive = await worked_out(unpinned, Kind.ROLL)
    return Result(
        f"{100 * right:.0f} % of the answers of {2 * K} people after {mixes} of {ROUNDS} mixes",
        f"with what is pinned put back too: {100 * naive:.0f} % after {of_naive}",
        right == 0,
        naive == 1,
    )


async def worked_out(area: Area, *more: Kind) -> tuple[float, int]:
    """The share of all answers that is found out, and how many mixes there were.

    `more` is put back besides; with the roll, what is pinned beside the keys is put back too.
    """
    sent = await area.people_send({"police": 2 * K})
    sealed = {name: await area.envelope(name) for name in sent}
    rows = [await one_round(area, sealed, seed, more) for seed in range(ROUNDS)]
    found = [row for row in rows if row is not None]
    return share_worked_out(list(sent), sent, found), len(found)


async def one_round(
    area: Area, sealed: Mapping[str, Record], seed: int, more: Sequence[Kind]
) -> Row | None:
    """Let the mixing that is due be carried out, look, and put everything back as it was."""
    first = next(mixings(area.running.snapshot))
    if not await is_mixed(area, (first - OPENED).total_seconds() / 3600, seed):
        return None
    after = {name: await area.envelope(name) for name in sealed}
    released = frozenset(name for name, e in after.items() if e.state == State.RELEASED)
    tallies = await area.tallies()
    for name, record in after.items():
        await area.records.replace(replace(sealed[name], etag=record.etag))
    for kind in (Kind.SLIP, Kind.TALLY, Kind.PUBLICATION, *more):
        for record in await area.records.read_all(area.running.snapshot.id, kind):
            await area.records.delete(record)
    if more and isinstance(area.running.keys, SeededKeys):
        area.running.keys.pins.clear()
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
    stage=replay,
)
