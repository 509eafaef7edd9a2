"""T7: at each moment, how many envelopes changed together with the slips that appeared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snapshot.snapshot import OTHER
from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import OPENED, Campaign
from tests.attacks.naive import who_sent
from tests.attacks.people import instrument
from tests.attacks.seen import batches
from tests.core.exampleshire import K


@dataclass(frozen=True, slots=True)
class Pools:
    """`fewest`: people of a batch. `stayed`: fewest of a cell that stayed before the close.

    `odd`: batches whose slips are not one of each domain for each person, or of no label of
    theirs. `naive`: envelopes behind one row that is written at sending.
    """

    fewest: int
    stayed: int
    odd: int
    batches: int
    naive: int


def examine(campaign: Campaign) -> Pools:
    found = batches(campaign)
    end = int((campaign.running.snapshot.deadline - OPENED).total_seconds())
    domains = len(instrument().domains)
    return Pools(
        min(len(b.members) for b in found),
        min((b.left for b in found if b.second < end), default=K),
        sum(len(b.slips) != domains * len(b.members) for b in found)
        + sum(b.label not in {*campaign.running.snapshot.headcounts, OTHER} for b in found),
        len(found),
        len({one.name for _, one in who_sent(campaign)[:1]}),
    )


def judge(parts: Sequence[Pools]) -> Result:
    fewest, stayed = min(p.fewest for p in parts), min(p.stayed for p in parts)
    return Result(
        f"{sum(p.batches for p in parts)} batches, smallest {fewest}; "
        f"{stayed} or more stayed before the close",
        f"row at sending: {min(p.naive for p in parts)}",
        fewest >= K and stayed >= K and not sum(p.odd for p in parts),
        min(p.naive for p in parts) < K,
    )


POOLS = OnCampaigns(
    "T7",
    "What changed when slips appeared",
    "every version of every record",
    f"{K} people or more a batch, one slip for each domain and person, {K} stay before the close",
    examine=examine,
    judge=judge,
)
