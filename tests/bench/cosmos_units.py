"""What Microsoft's documentation says that a request to Cosmos DB costs, in request units (RU).

It gives costs for some sizes of items and none in between, so everything here is a range: the low
end takes the documented size below, the high end the one above. Each number has the title
and the date of its page, as published in the repository MicrosoftDocs/azure-databases-docs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from tests.cosmos.counting import Asked, Trip

KB = 1024

# "Understand request units consumption in Azure Cosmos DB", 21 April 2026: size in KB, RU of a
# point read with session consistency, RU of a write.
BY_SIZE = (
    (1, 1.00, 4.95),
    (2, 1.04, 6.29),
    (4, 1.14, 6.67),
    (8, 1.33, 7.04),
    (16, 1.67, 9.52),
    (32, 2.19, 11.23),
    (64, 4.76, 22.67),
    (128, 9.95, 48.19),
    (256, 20.28, 98.29),
    (512, 40.95, 184.57),
    (1024, 145.90, 625.00),
    (2048, 291.80, 1250.00),
)

LARGEST_ITEM_KB = BY_SIZE[-1][0]

# The same page: a create is the write and its indexed terms; a replace deletes what was there,
# inserts what comes, and deletes and inserts the terms that differ; a delete is like a create.
TERM_RU = 0.2
TERMS = 3
"""Indexed for each item: its snapshot, kind and state."""
TERMS_THAT_CHANGE = 1
"""The state, at most: the others stand in the item's id."""

# "Optimize request cost in Azure Cosmos DB", 26 August 2021: with strong consistency or bounded
# staleness, which the bot asks for, any read is doubled.
READS_TIMES = 2

# The same page: a query that loads one item of 9,963 bytes was charged 3.19 RU.
SAMPLE_QUERY_RU = 3.19
SAMPLE_QUERY_BYTES = 9_963


@dataclass(frozen=True, slots=True)
class Units:
    """From `low` to `high` request units."""

    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: Units) -> Units:
        return Units(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> Units:
        return Units(self.low * factor, self.high * factor)


def total(found: Iterable[Units]) -> Units:
    return sum(found, Units())


def units_of(trip: Trip) -> Units:
    """What one request costs. What was refused costs at least a read, at most what was asked."""
    if trip.asked is Asked.ELSE:
        return Units()  # of the account, free of charge up to a limit
    if trip.asked is Asked.READ:
        return _read(trip.size)
    if trip.asked is Asked.QUERY:
        return _page(trip)
    asked = _written(trip)
    return Units(_read(0).low, asked.high) if trip.status >= 400 else asked


def _written(trip: Trip) -> Units:
    if trip.asked is Asked.CREATE:
        return _write(trip.size) + Units(0, TERMS * TERM_RU)
    if trip.asked is Asked.DELETE:
        return _write(trip.before) + Units(0, TERMS * TERM_RU)
    changed = Units(0, 2 * TERMS_THAT_CHANGE * TERM_RU)
    return _write(trip.before) + _write(trip.size) + changed


def _page(trip: Trip) -> Units:
    """A page of a query, which nobody documents: the sample's own part, and what it reads.

    The low end reads only what the query returns, as if it were one item; the high end reads every
    item that it finds, whole, since what it selects is not in the index.
    """
    itself = SAMPLE_QUERY_RU * READS_TIMES
    sample = _read(SAMPLE_QUERY_BYTES)
    returned = _read(trip.size).low if trip.loaded else 0.0
    loaded = sum(_read(size).high for size in trip.loaded)
    return Units(max(itself - sample.high, 0) + returned, itself - sample.low + loaded)


def _read(size: int) -> Units:
    low, high = _neighbours(size)
    return Units(low[1] * READS_TIMES, high[1] * READS_TIMES)


def _write(size: int) -> Units:
    low, high = _neighbours(size)
    return Units(low[2], high[2])


type _Row = tuple[int, float, float]


def _neighbours(size: int) -> tuple[_Row, _Row]:
    """The documented sizes on both sides of this one, in bytes; below the first both are the first.

    What a page of a query returns may be larger than any item: then in proportion to the last.
    """
    largest = BY_SIZE[-1]
    if size > largest[0] * KB:
        factor = size / (largest[0] * KB)
        row = (0, largest[1] * factor, largest[2] * factor)
        return row, row
    above = bisect_left(BY_SIZE, size / KB, key=lambda row: row[0])
    return BY_SIZE[max(above - 1, 0)], BY_SIZE[above]
