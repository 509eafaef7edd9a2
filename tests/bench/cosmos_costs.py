"""Counts what the bot asks of Cosmos DB, works out what that costs, writes docs/costs.md."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from snapshot.ports import Kind
from tests.bench.cosmos_prices import (
    BUSIEST_HOUR,
    DAYS_OPEN,
    FREE_GB,
    FREE_RU_S,
    GB,
    GB_MONTH,
    HUNDRED_RU_S_HOUR,
    HUNDRED_RU_S_HOUR_AUTOSCALE,
    INDEX_SHARE,
    LEAST_GB,
    LEAST_RU_S,
    LEAST_RU_S_AUTOSCALE,
    LEAST_SHARE_OF_AUTOSCALE,
    MILLION_RU,
    MOST_GB_A_PARTITION,
    PROBES_A_MINUTE,
    SERVERLESS_RU_S,
    SIZES,
    TRIP_S,
    Size,
    autoscale,
    busiest,
    cost,
    fastest,
    gigabytes,
    is_free,
    largest,
    lists_all,
    month,
    most_people,
    once,
    provisioned,
    serverless,
    stored_bytes,
    survey,
)
from tests.bench.cosmos_run import (
    CLOSE,
    MIXING,
    REPLY_SHARE,
    SENT,
    UNFINISHED,
    WORDS,
    WRITERS,
    Counts,
    counted,
)
from tests.bench.cosmos_units import KB, LARGEST_ITEM_KB, Units, units_of
from tests.cosmos.counting import Asked, Trip
from tests.cosmos.server import why_not

PAGE = Path(__file__).parents[2] / "docs" / "costs.md"
PEOPLE = 1000

_MANY = SIZES[-1]
_PAGES = "https://github.com/MicrosoftDocs/azure-databases-docs/tree/main/articles/cosmos-db"


def page(counts: Counts) -> str:
    parts = (_about, _survey, _steps, _throughput, _month, _dollars, _storage, _sources)
    return "\n".join("\n".join(part(counts)) for part in parts)


def _about(counts: Counts) -> Iterator[str]:
    yield f"""\
# What Cosmos DB costs

`make costs` wrote this page. It runs a snapshot of {counts.people:,} people, from its opening
to the end of its key, on the server of the tests; a proxy counts what the real bot asks and how
many bytes that moves; Microsoft's documentation says what that costs. No charge of a real account
was looked at.

{WRITERS:.0%} of the people write one comment of {len(WORDS)} characters. For each who sends,
{UNFINISHED:g} begin and do not. {REPLY_SHARE:.0%} of the headcount answers. One person goes
through the survey by the cards, the others' sealed envelopes are put into the store, and the worker
and a moderator do the rest.

**Ranges.** Request units (RU) are documented for items of 1, 2, 4, 8, 16 KB and so on; an envelope
has some 12. The low figure takes the documented size below, the high one the size above and the
terms that are indexed. For queries there is one documented sample: the low figure adds to its own
part what the query returns, the high one every item that it finds, read whole, since what it
selects is not in the index. The bot asks for bounded staleness, so all reads count double.
"""


def _survey(counts: Counts) -> Iterator[str]:
    trips = [t for _, found in counts.turns for t in found]
    yield "## One survey\n"
    yield "| turn | round trips | which | bytes read | bytes written | RU |"
    yield "|---|---|---|---|---|---|"
    for name, one, how_many in _alike(counts.turns):
        times = f"{how_many} × " if how_many > 1 else ""
        yield _row(name, f"{times}{len(one)}", _listed(one), *_bytes(one), _ru(cost(one)))
    yield _row("**all**", f"{len(trips)}", "", *_bytes(trips), _ru(survey(counts)))
    yield """
An answer takes two: one read, one replace. Two turns take one more, since they must not miss a
close elsewhere: choosing an agency, and sending. Every 30 s, a turn also reads the list of
snapshots, and so does each that comes while it is read. `tests/stories/test_round_trips.py` holds
all of this for one person.
"""


def _steps(counts: Counts) -> Iterator[str]:
    kinds = (Asked.READ, Asked.CREATE, Asked.REPLACE, Asked.DELETE, Asked.QUERY)
    yield f"## The rest of a snapshot of {counts.people:,} people\n"
    yield _row("step", *(f"{kind}s" for kind in kinds), "bytes read", "bytes written", "RU")
    yield "|---" * (len(kinds) + 4) + "|"
    for name, trips in counts.steps.items():
        often = Counter(trip.asked for trip in trips)
        yield _row(name, *(f"{often[k]:,}" for k in kinds), *_bytes(trips), _ru(cost(trips)))
    whole = cost(once(counts))
    lists = cost(t for t in once(counts) if lists_all(t))
    yield f"""
All but the minutes and the probe come once: {_ru(whole)} RU,
{_ru(whole * (1 / counts.people))} for each person. A further mixing adds only its lists. Of the
high figure {lists.high / whole.high:.0%} is for listing everybody's envelopes, again for each
batch, and all comments in the queue, again for each decision: that part grows with the square of
the people.
"""


def _throughput(counts: Counts) -> Iterator[str]:
    name, trip = largest(counts)
    yield f"""\
## How fast it has to be

- The dearest request: a {trip.asked} that finds {len(trip.loaded):,} items ({trip.kind}), in
  *{name}*: {_ru(units_of(trip))} RU.
- A worker that mixes, at {TRIP_S * 1000:.0f} ms a round trip:
  {_ru(fastest(counts))} RU a second."""
    for size in SIZES:
        yield (
            f"- {size.name}, {BUSIEST_HOUR:.0%} of them in the busiest hour:"
            f" {_ru(busiest(counts, size))} RU a second."
        )
    yield f"""
Serverless gives up to {SERVERLESS_RU_S:,} RU a second and physical partition. With less than a
worker asks for, the server answers 429, and the bot waits as long as it is told, within the time of
one verb (1.4 s); what does not fit is begun again a minute later. A request that costs more than
a second's worth holds up those after it for as long: no account may be smaller than the dearest.
"""


def _month(counts: Counts) -> Iterator[str]:
    yield f"""\
## A month

In which every partnership opens a snapshot, closes it after {DAYS_OPEN} days, and keeps it. One
process, which looks every minute and is probed {PROBES_A_MINUTE} times a minute; each further
process adds those two again. A snapshot that is over goes on being looked at. What was counted is
taken in proportion to the people, and what lists everybody to their square. In million RU:

| deployment | surveys | mixing to end | looking each minute | probes | all | mean RU/s |
|---|---|---|---|---|---|---|"""
    for size in SIZES:
        one = month(counts, size)
        parts = (one.surveys, one.mixing, one.waiting, one.probes, one.all)
        cells = " | ".join(_ru(part * 1e-6, digits=2) for part in parts)
        yield _row(size.name, cells, _ru(one.a_second))
    yield ""


def _dollars(counts: Counts) -> Iterator[str]:
    yield """\
In US dollars, storage included:

| deployment | serverless | autoscale | provisioned | free tier |
|---|---|---|---|---|"""
    for size in SIZES:
        yield _row(size.name, *_offers(counts, size))
    yield """
Autoscale and provisioned: as much as the busiest hour and the mean of the month need, and no less
than may be had; a mixing then waits for its turn. Autoscale is from "never busy" to "always busy".
One region, without backups, network and tax.

| what | price or limit |
|---|---|"""
    hour = "an hour for 100 RU/s, at least"
    always = f"of which {LEAST_SHARE_OF_AUTOSCALE:.0%} are always paid"
    yield _row("serverless", f"${MILLION_RU} for a million RU")
    yield _row("provisioned", f"${HUNDRED_RU_S_HOUR} {hour} {LEAST_RU_S}")
    scaled = f"${HUNDRED_RU_S_HOUR_AUTOSCALE} {hour} {LEAST_RU_S_AUTOSCALE:,}, {always}"
    yield _row("autoscale", scaled)
    yield _row("storage", f"${GB_MONTH} a month for a GB, at least {LEAST_GB:g}")
    yield _row("free tier", f"{FREE_RU_S:,} RU/s, {FREE_GB} GB; one a subscription; not serverless")
    yield """
**The prices are from examples on a page of 31 March 2022, for the US. The price list itself, UK
regions and pounds could not be looked up: do so before you rely on them.**
"""


def _offers(counts: Counts, size: Size) -> tuple[str, ...]:
    most, scaled = autoscale(counts, size)
    ru_s, fixed = provisioned(counts, size)
    return (
        _ru(serverless(counts, size), digits=2),
        f"{_ru(scaled, digits=2)} ({most:,} RU/s)",
        f"{fixed:,.2f} ({ru_s:,} RU/s)",
        "enough" if is_free(counts, size) else "too small",
    )


def _storage(counts: Counts) -> Iterator[str]:
    yield f"## Storage\n\n| when | bytes a person | GB for {_MANY.name} |\n|---|---|---|"
    for moment in (SENT, MIXING, CLOSE):
        size = stored_bytes(counts, moment)
        yield _row(moment, f"{size:,.0f}", f"{size * _MANY.everybody / GB:.2f}")
    roll = max(counts.kept[CLOSE][Kind.ROLL])
    fits = LARGEST_ITEM_KB * KB * counts.people // roll
    yield f"""
With what the server adds to an item ({counts.own_bytes:.0f} bytes), without the index. Where
everything is indexed, that is 10 to 20 %; here four short fields are. With {INDEX_SHARE:.0%} it is
{gigabytes(counts, _MANY).high:.2f} GB at most.

A snapshot is one logical partition, which takes {MOST_GB_A_PARTITION} GB, and so some
{most_people(counts):,} people. The roll of those released is one item: {roll:,} bytes for
{counts.people:,} people. It reaches the {LARGEST_ITEM_KB // KB} MB of an item with {fits:,}.
"""


def _sources(_: Counts) -> Iterator[str]:
    yield f"""\
## From which pages

All in [MicrosoftDocs/azure-databases-docs]({_PAGES}),
in a stored copy, with their own dates:

- *Understand request units consumption in Azure Cosmos DB*, 21 April 2026: RU by size, and of
  creates, replaces, deletes and terms of the index. It calls its values illustrative;
- *Optimize request cost in Azure Cosmos DB*, 26 August 2021: doubled reads, and the sample query;
- *Understand your Azure Cosmos DB bill*, 31 March 2022: prices;
- *Pricing model in Azure Cosmos DB*, without a date: the least that is billed of storage;
- *Azure Cosmos DB lifetime free tier*, 24 June 2025; *Azure Cosmos DB serverless account type*,
  16 March 2023; *Azure Cosmos DB service quotas*, 15 April 2023: limits;
- *Optimize storage cost in Azure Cosmos DB*, 26 August 2021: the share of the index.

A real account says in the header `x-ms-request-charge` of each answer what that took.
"""


# -- in a table -----------------------------------------------------------------------------------


def _alike(turns: Sequence[tuple[str, list[Trip]]]) -> Iterator[tuple[str, list[Trip], int]]:
    """Turns that ask for the same, one after the other, as one row; the trips are the first's."""
    for _, some in groupby(turns, key=lambda turn: (turn[0].split()[0], _listed(turn[1]))):
        (first, trips), *more = some
        name = f"{first} to {more[-1][0].split()[-1]}, each" if more else first
        yield name, trips, 1 + len(more)


def _listed(trips: Iterable[Trip]) -> str:
    return ", ".join(f"{trip.asked} of {trip.kind}" for trip in trips)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _bytes(trips: Sequence[Trip]) -> tuple[str, str]:
    """Read and written."""
    read = sum(t.size for t in trips if t.asked in (Asked.READ, Asked.QUERY))
    written = sum(t.size for t in trips if t.asked in (Asked.CREATE, Asked.REPLACE))
    return f"{read:,}", f"{written:,}"


def _ru(units: Units, digits: int | None = None) -> str:
    if digits is None:
        digits = 1 if units.high < 100 else 0
    low, high = f"{units.low:,.{digits}f}", f"{units.high:,.{digits}f}"
    return low if low == high else f"{low} to {high}"


def main() -> None:
    if reason := why_not():
        sys.exit(reason)
    PAGE.write_text(page(counted(PEOPLE)), encoding="utf-8")


if __name__ == "__main__":
    main()
