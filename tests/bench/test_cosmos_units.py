"""The costs that docs/costs.md is made of, against what the documentation gives as examples."""

from __future__ import annotations

import pytest

from snapshot.ports import Kind, Record
from snapshot.sealing import BALLOT_BYTES, CONTACT_BYTES
from storage.cosmos import CosmosRecords
from tests.bench.cosmos_prices import LEAST_RU_S
from tests.bench.cosmos_units import (
    KB,
    READS_TIMES,
    SAMPLE_QUERY_BYTES,
    SAMPLE_QUERY_RU,
    Units,
    total,
    units_of,
)
from tests.contract.records_contract import HERE
from tests.cosmos.counting import Asked, Counting, Trip
from tests.cosmos.server import Server

ENVELOPES = 240


@pytest.mark.parametrize(("size", "low", "high"), [(300, 1, 1), (KB, 1, 1), (12 * KB, 1.33, 1.67)])
def test_a_read_costs_what_the_sizes_on_both_sides_cost_twice(
    size: int, low: float, high: float
) -> None:
    found = units_of(Trip(Asked.READ, Kind.ENVELOPE, 200, size))
    assert found == Units(low * READS_TIMES, high * READS_TIMES)


def test_a_replace_costs_as_much_as_deleting_and_creating() -> None:
    replaced = units_of(Trip(Asked.REPLACE, Kind.ENVELOPE, 200, size=12 * KB, before=300))
    deleted = units_of(Trip(Asked.DELETE, Kind.ENVELOPE, 204, before=300))
    created = units_of(Trip(Asked.CREATE, Kind.ENVELOPE, 201, size=12 * KB))
    assert replaced.low == deleted.low + created.low == 4.95 + 7.04
    assert replaced.high == pytest.approx(4.95 + 9.52 + 2 * 0.2)


def test_the_documented_query_lies_within_the_range() -> None:
    sample = Trip(Asked.QUERY, "", 200, size=10_012, loaded=[SAMPLE_QUERY_BYTES])
    found = units_of(sample)
    assert found.low <= SAMPLE_QUERY_RU * READS_TIMES <= found.high


async def test_no_page_of_heads_costs_more_than_the_smallest_account_gives_in_a_second(
    cosmos: Server,
) -> None:
    """Otherwise whatever comes after it would be refused until its time is over."""
    sealed = {"ballot": "A" * (4 * BALLOT_BYTES // 3), "contact": "A" * (4 * CONTACT_BYTES // 3)}
    async with (
        Counting(cosmos) as proxy,
        CosmosRecords(proxy.reach(cosmos.new_database())) as records,
    ):
        for number in range(ENVELOPES):
            await records.create(Record(HERE, Kind.ENVELOPE, f"{number}", sealed, "submitted"))
        proxy.take()
        assert len(await records.heads(HERE, Kind.ENVELOPE)) == ENVELOPES
        pages = [units_of(trip) for trip in proxy.take() if trip.asked is Asked.QUERY]
    assert max(page.high for page in pages) <= LEAST_RU_S
    assert total(pages).high > LEAST_RU_S, "there is more than a single page could hold"
