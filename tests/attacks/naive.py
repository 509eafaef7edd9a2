"""Stores as they are often built. Each must be broken by the linkers that ours withstands.

All take the same campaign: the same people, answers and times.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from random import Random

from snapshot.envelope import State
from snapshot.errors import Damaged
from snapshot.ports import Kind, Record
from snapshot.sealing import Sealer
from snapshot.survey import from_record
from tests.attacks.campaign import OPENED, Campaign
from tests.attacks.people import Did, Practitioner
from tests.attacks.seen import Scene, Slip, Someone, batches, log_times, place_in, truth
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
    """Written when somebody sends; no names and no dates in it. A plain SQLite table."""
    said = truth(campaign.people)
    slips: list[Slip] = []
    people: list[Someone] = []
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE answers (id TEXT, cell TEXT, domain TEXT, choices TEXT)")
        for number, (second, one) in enumerate(who_sent(campaign)):
            cell = _cell(campaign, one)
            for domain, choices in said[one.name].items():
                id = new_id(one, int(OPENED.timestamp() + second) * 1000)
                db.execute(
                    "INSERT INTO answers VALUES (?, ?, ?, ?)", (id, cell, domain, str(choices))
                )
                slips.append(Slip(id, cell, domain, choices, len(slips)))
            begun, sent = log_times(campaign)[one.name]
            people.append(Someone(one.name, cell, campaign.tag_of(one.name), begun, sent, number))
        db.commit()
        content = db.serialize()
    return Scene(_placed(slips, content), people, said)


def mixed_without_shuffling(campaign: Campaign) -> Scene:
    """Batches as ours, but each is written as its envelopes are opened, with ids that count up."""
    said = truth(campaign.people)
    slips: list[Slip] = []
    people: list[Someone] = []
    names = {campaign.tag_of(p.name): p.name for p in campaign.people}
    for number, batch in enumerate(batches(campaign)):
        for cleared, tag in batch.members:
            name = names[tag]
            begun, sent = log_times(campaign)[name]
            people.append(Someone(name, number, tag, begun, sent, cleared))
            for domain, choices in said[name].items():
                at = len(slips)
                slips.append(Slip(f"{at:032x}", number, domain, choices, at, at))
    return Scene(slips, people, said)


def unpadded_lengths(campaign: Campaign) -> Iterator[tuple[int, bool]]:
    """How long each sealed ballot would be without padding, and whether its owner wrote."""
    for _, one in who_sent(campaign):
        ballot = {"answers": dict(one.answers), "comments": dict(one.comments)}
        yield len(json.dumps(ballot)), bool(one.comments)


def plain_drafts(campaign: Campaign) -> bytes:
    """What is left in a plain SQLite file of drafts that were kept in plain words, then emptied."""
    with closing(sqlite3.connect(":memory:")) as db:
        # What SQLite does unless told otherwise; some distributions switch it on.
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("CREATE TABLE drafts (name TEXT, body TEXT)")
        for one in campaign.people:
            body = json.dumps({**one.answers, **one.comments})
            db.execute("INSERT INTO drafts VALUES (?, ?)", (one.name, body))
        db.execute("DELETE FROM drafts")
        db.commit()
        return db.serialize()


def _cell(campaign: Campaign, one: Practitioner) -> str:
    cell = campaign.running.snapshot.cell_of(one.agency)
    assert cell is not None
    return cell.id


def _placed(slips: list[Slip], content: bytes) -> list[Slip]:
    return [
        Slip(s.id, s.batch, s.domain, s.choices, s.written, place_in(content, s.id)) for s in slips
    ]


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
