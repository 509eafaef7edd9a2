"""Stores as they are often built. Each must be broken by the linkers that ours withstands.

All take the same campaign: the same people, answers and times.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from random import Random

from snapshot.envelope import State
from snapshot.errors import Damaged
from snapshot.ports import Kind, Record
from snapshot.sealing import Sealer
from snapshot.survey import from_record
from tests.attacks.campaign import OPENED, Campaign
from tests.attacks.people import Did, Practitioner
from tests.attacks.recording import Places, Row
from tests.attacks.seen import Scene, Slip, Someone, batches, log_times, truth
from tests.attacks.stores import Store
from tests.core.exampleshire import Area

type NewId = Callable[[Practitioner, int], str]
"""From who sends and the millisecond."""


def who_sent(campaign: Campaign) -> list[tuple[int, Practitioner]]:
    """Everybody who sent, in the order in which they did."""
    people = {p.name: p for p in campaign.people}
    return [(a.second, people[a.name]) for a in campaign.log if a.did is Did.SEND]


# -- ids -----------------------------------------------------------------------------------------


def random_ids(seed: int) -> NewId:
    dice = Random(seed)
    return lambda _, __: f"{dice.getrandbits(128):032x}"


def counted_ids() -> NewId:
    numbers = count(1)
    return lambda _, __: f"{next(numbers):032x}"


def timed_ids(seed: int) -> NewId:
    """UUIDs of version 7 (RFC 9562): 48 bits of milliseconds first."""
    dice = Random(seed)

    def new(_: Practitioner, ms: int) -> str:
        low = dice.getrandbits(62) | 1 << 63
        return f"{ms:012x}7{dice.getrandbits(12):03x}{low:016x}"

    return new


def hashed_ids() -> NewId:
    """From the person's id, and a number so that each slip gets one of its own."""
    numbers = count()
    return lambda one, _: (
        hashlib.sha256(one.name.encode()).hexdigest()[:28] + f"{next(numbers):04x}"
    )


# -- stores --------------------------------------------------------------------------------------


def row_at_submission(campaign: Campaign, new_id: NewId) -> Scene:
    """Written when somebody sends; no names and no dates in it."""
    rows = _at_submission(campaign, new_id)
    slips = list(_slips(campaign, rows))
    people, times = [], log_times(campaign)
    for number, (_, one) in enumerate(who_sent(campaign)):
        begun, sent = times[one.name]
        cell = _cell(campaign, one)
        people.append(Someone(one.name, cell, campaign.tag_of(one.name), begun, sent, number))
    return Scene(slips, people, truth(campaign.people))


def mixed_without_shuffling(campaign: Campaign) -> Scene:
    """Batches as ours, but each is written as its envelopes are opened, with ids that count up."""
    slips = list(_slips(campaign, _unshuffled(campaign)))
    names = {campaign.tag_of(p.name): p.name for p in campaign.people}
    people, times = [], log_times(campaign)
    for number, batch in enumerate(batches(campaign)):
        for cleared, tag in batch.members:
            begun, sent = times[names[tag]]
            people.append(Someone(names[tag], number, tag, begun, sent, cleared))
    return Scene(slips, people, truth(campaign.people))


async def lay_out(campaign: Campaign, store: Store) -> Mapping[str, Places]:
    """Write what both of them hold into the same store; where that lies then, by its ids."""
    sent = await store.lays(_at_submission(campaign, random_ids(campaign.seed)))
    return {**sent, **await store.lays(_unshuffled(campaign))}


def _at_submission(campaign: Campaign, new_id: NewId) -> list[Row]:
    said = truth(campaign.people)
    return [
        Row(
            new_id(one, int(OPENED.timestamp() + second) * 1000),
            second,
            {"batch": _cell(campaign, one), "domain": domain, "choices": choices},
        )
        for second, one in who_sent(campaign)
        for domain, choices in said[one.name].items()
    ]


def _unshuffled(campaign: Campaign) -> list[Row]:
    said = truth(campaign.people)
    names = {campaign.tag_of(p.name): p.name for p in campaign.people}
    numbers = count()
    return [
        Row(
            f"{next(numbers):032x}",
            batch.second,
            {"batch": number, "domain": domain, "choices": choices},
        )
        for number, batch in enumerate(batches(campaign))
        for _, tag in batch.members
        for domain, choices in said[names[tag]].items()
    ]


def _slips(campaign: Campaign, rows: Sequence[Row]) -> Iterator[Slip]:
    for written, row in enumerate(rows):
        yield Slip(row.id, **row.body, written=written, places=campaign.places.get(row.id, {}))


def unpadded_lengths(campaign: Campaign) -> Iterator[tuple[int, bool]]:
    """How long each sealed ballot would be without padding, and whether its owner wrote."""
    for _, one in who_sent(campaign):
        ballot = {"answers": dict(one.answers), "comments": dict(one.comments)}
        yield len(json.dumps(ballot)), bool(one.comments)


async def plain_drafts(campaign: Campaign, store: Store) -> bytes:
    """What is left in the same store of some drafts in plain words that have been deleted."""
    return await store.emptied(
        [
            Row(one.name, 0, {"answers": dict(one.answers), "comments": dict(one.comments)})
            for one in who_drafted(campaign)
        ]
    )


def who_drafted(campaign: Campaign) -> Sequence[Practitioner]:
    """Every fourth is enough to see it."""
    return campaign.people[::4]


def _cell(campaign: Campaign, one: Practitioner) -> str:
    cell = campaign.running.snapshot.cell_of(one.agency)
    assert cell is not None
    return cell.id


# -- a mix that believes what stands outside the seal ----------------------------------------------


async def batches_by_plain_fields(area: Area) -> list[int]:
    """How many people who really sent would be in each batch, if it looked large enough."""
    snapshot, sealer = area.running.snapshot, area.running.sealer
    looks: dict[str, list[str]] = defaultdict(list)
    for head in await area.records.heads(snapshot.id, Kind.ENVELOPE, State.SUBMITTED):
        looks[head.group].append(head.id)
    found = []
    for tags in looks.values():
        if len(tags) >= snapshot.k:
            records = [await area.records.read(snapshot.id, Kind.ENVELOPE, tag) for tag in tags]
            found.append(sum(_has_sent(record, sealer) for record in records))
    return found


def _has_sent(record: Record, sealer: Sealer) -> bool:
    try:
        envelope = from_record(record, sealer)
    except Damaged:
        return False
    ballot = envelope.ballot
    return ballot is not None and ballot.sent and ballot.cell == record.group
