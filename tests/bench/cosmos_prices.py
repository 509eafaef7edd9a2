"""From counted trips to a month's request units and dollars.

Each documented number has the title and the date of its page, as published in the repository
MicrosoftDocs/azure-databases-docs; the others are assumptions of ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from snapshot.ports import Kind
from tests.bench.cosmos_run import MINUTE, MIXING, PROBE, SENT, Counts, times
from tests.bench.cosmos_units import Units, total, units_of
from tests.cosmos.counting import Asked, Trip

# "Understand your Azure Cosmos DB bill", 31 March 2022: US dollars, in a region of the US.
MILLION_RU = 0.25
HUNDRED_RU_S_HOUR = 0.008
HUNDRED_RU_S_HOUR_AUTOSCALE = 0.012
GB_MONTH = 0.25
# "Pricing model in Azure Cosmos DB": the smallest amount that is billed of a container with data.
LEAST_GB = 1.0
# "Azure Cosmos DB lifetime free tier", 24 June 2025. Not for serverless accounts.
FREE_RU_S = 1000
FREE_GB = 25
# "Azure Cosmos DB service quotas", 15 April 2023.
MOST_GB_A_PARTITION = 20
LEAST_RU_S = 400
LEAST_RU_S_AUTOSCALE = 1000
LEAST_SHARE_OF_AUTOSCALE = 0.1
# "Azure Cosmos DB serverless account type", 16 March 2023: of each physical partition.
SERVERLESS_RU_S = 5000
# "Optimize storage cost in Azure Cosmos DB", 26 August 2021: of the items, when all is indexed.
INDEX_SHARE = 0.2

HOURS = 730
MINUTES = HOURS * 60
DAYS_OPEN = 14
MINUTES_OPEN = DAYS_OPEN * 24 * 60
PROBES_A_MINUTE = 6
"""A container's host asks every ten seconds whether it is ready."""
LISTS_A_MINUTE = 2
"""While people answer, one turn reads the list of snapshots every 30 s."""
TRIP_S = 0.010
"""As long as a trip within one region may usually take."""
BUSIEST_HOUR = 0.1
"""Of all people answer within the busiest hour."""
GB = 1e9


@dataclass(frozen=True, slots=True)
class Size:
    """A deployment: so many partnerships, with so many people each, all within one month."""

    name: str
    partnerships: int
    people: int

    @property
    def everybody(self) -> int:
        return self.partnerships * self.people


SIZES = (
    Size("50 people", 1, 50),
    Size("3,000 people", 1, 3000),
    Size("150 × 1,000 people", 150, 1000),
)


@dataclass(frozen=True, slots=True)
class Month:
    """The request units of one month in which each partnership opens, answers and closes."""

    surveys: Units
    mixing: Units
    waiting: Units
    probes: Units

    @property
    def all(self) -> Units:
        return self.surveys + self.mixing + self.waiting + self.probes

    @property
    def a_second(self) -> Units:
        return self.all * (1 / (MINUTES * 60))


def cost(trips: Iterable[Trip]) -> Units:
    return total(units_of(trip) for trip in trips)


def survey(counts: Counts) -> Units:
    return cost(trip for _, trips in counts.turns for trip in trips)


def once(counts: Counts) -> list[Trip]:
    """All that is done once in a snapshot, its people's turns aside."""
    names = [n for n in counts.steps if not n.startswith(MINUTE) and n != PROBE]
    return [trip for name in names for trip in counts.steps[name]]


def lists_all(trip: Trip) -> bool:
    """Such a query is made again for each batch, or decision, and finds all of a kind."""
    return trip.asked is Asked.QUERY and trip.kind in (Kind.ENVELOPE, Kind.COMMENT)


def month(counts: Counts, size: Size) -> Month:
    """What grows with people, what with their square, and what with time."""
    grows = size.people / counts.people
    trips = once(counts)
    lists = cost(t for t in trips if lists_all(t))
    others = cost(t for t in trips if not lists_all(t))
    return Month(
        surveys=survey(counts) * size.everybody,
        mixing=(lists * grows**2 + others * grows) * size.partnerships,
        waiting=_waiting(counts, size),
        probes=_list_of_all(counts, size) * (PROBES_A_MINUTE * MINUTES),
    )


def busiest(counts: Counts, size: Size) -> Units:
    """Request units a second of the turns of the busiest hour."""
    return survey(counts) * (size.everybody * BUSIEST_HOUR / 3600)


def fastest(counts: Counts) -> Units:
    """Request units a second of one worker in the first mixing, if it never waits for long."""
    trips = counts.steps[MIXING]
    return cost(trips) * (1 / (len(trips) * TRIP_S))


def largest(counts: Counts) -> tuple[str, Trip]:
    """The single request that costs most, and the step in which it is made."""
    found = [(name, t) for name, trips in counts.steps.items() for t in trips]
    return max(found, key=lambda one: units_of(one[1]).high)


def _waiting(counts: Counts, size: Size) -> Units:
    """Minutes in which the worker looks, and nothing is due."""
    names = [name for name in counts.steps if name.startswith(MINUTE)]
    before, mixed, *closed = (_minute(counts, size, name) for name in names)
    is_open = (before + mixed) * 0.5 + _list_of_all(counts, size) * LISTS_A_MINUTE
    is_closed = total(closed) * (1 / len(closed))
    return is_open * MINUTES_OPEN + is_closed * (MINUTES - MINUTES_OPEN)


def _minute(counts: Counts, size: Size, name: str) -> Units:
    """One list of all snapshots, and then what is asked for each of them."""
    trips = counts.steps[name]
    lists = cost(times(t, size.partnerships) for t in trips if t.kind == Kind.SNAPSHOT)
    return lists + cost(t for t in trips if t.kind != Kind.SNAPSHOT) * size.partnerships


def _list_of_all(counts: Counts, size: Size) -> Units:
    return cost(times(t, size.partnerships) for t in counts.steps[PROBE])


# -- storage --------------------------------------------------------------------------------------


def stored_bytes(counts: Counts, moment: str) -> float:
    """Of one person, with Cosmos DB's own fields and without the index."""
    kept = counts.kept[moment].values()
    return sum(sum(sizes) + len(sizes) * counts.own_bytes for sizes in kept) / counts.people


def gigabytes(counts: Counts, size: Size) -> Units:
    """When there is most, which is before the mixing: without an index, and with a whole one."""
    low = size.everybody * stored_bytes(counts, SENT) / GB
    return Units(low, low * (1 + INDEX_SHARE))


def most_people(counts: Counts) -> int:
    """In one snapshot, which is one partition."""
    one = gigabytes(counts, Size("one", 1, 1)).high
    return math.floor(MOST_GB_A_PARTITION / one / 1000) * 1000


# -- dollars a month ------------------------------------------------------------------------------


def storage(counts: Counts, size: Size) -> float:
    return max(gigabytes(counts, size).high, LEAST_GB) * GB_MONTH


def serverless(counts: Counts, size: Size) -> Units:
    kept = storage(counts, size)
    return month(counts, size).all * (MILLION_RU / 1e6) + Units(kept, kept)


def needed_ru_s(counts: Counts, size: Size, step: int) -> int:
    """What is enough for the busiest hour and for the mean of the month, in steps of this size."""
    most = max(busiest(counts, size).high, month(counts, size).a_second.high)
    return math.ceil(most / step) * step


def provisioned(counts: Counts, size: Size) -> tuple[int, float]:
    """Request units a second, and dollars."""
    ru_s = max(LEAST_RU_S, needed_ru_s(counts, size, 100))
    return ru_s, ru_s / 100 * HUNDRED_RU_S_HOUR * HOURS + storage(counts, size)


def autoscale(counts: Counts, size: Size) -> tuple[int, Units]:
    """Request units a second at most, and dollars: always at its least, and always at its most."""
    ru_s = max(LEAST_RU_S_AUTOSCALE, needed_ru_s(counts, size, 1000))
    most = ru_s / 100 * HUNDRED_RU_S_HOUR_AUTOSCALE * HOURS
    kept = storage(counts, size)
    return ru_s, Units(most * LEAST_SHARE_OF_AUTOSCALE + kept, most + kept)


def is_free(counts: Counts, size: Size) -> bool:
    """Whether the free tier is enough."""
    fits = gigabytes(counts, size).high <= FREE_GB
    return fits and needed_ru_s(counts, size, 1) <= FREE_RU_S
