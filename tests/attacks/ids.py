"""T3: ids that are made of something that the attacker has."""

from __future__ import annotations

import hashlib
import hmac
import math
import uuid
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from snapshot.ports import Kind
from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import TENANT, Campaign, contact
from tests.attacks.naive import counted_ids, hashed_ids, row_at_submission, timed_ids
from tests.attacks.seen import Scene

SAME = 12
"""So many hex digits alike at either end are no chance: 48 bits among some millions of pairs."""
HASHES = ("md5", "sha1", "sha256", "sha512", "blake2b")
UNEVEN = 5.0
"""Standard deviations of chi squared; a false alarm once in three million."""


@dataclass(frozen=True, slots=True)
class Ids:
    """`made`: ids that are a hash of somebody; `nibbles`: how often each digit at each place."""

    made: int
    total: int
    nibbles: tuple[tuple[int, ...], ...]

    @property
    def unevenness(self) -> float:
        """Chi squared over all places against an even spread, in standard deviations."""
        chi = 0.0
        for place in self.nibbles:
            even = sum(place) / 16
            chi += sum((n - even) ** 2 / even for n in place)
        freedom = 15 * len(self.nibbles)
        return (chi - freedom) / math.sqrt(2 * freedom)


def look_at(ids: Sequence[str], ends: Container[str]) -> Ids:
    made = sum(id[:SAME] in ends or id[-SAME:] in ends for id in ids)
    places = [Counter(int(id[at], 16) for id in ids) for at in range(32)]
    return Ids(made, len(ids), tuple(tuple(c[n] for n in range(16)) for c in places))


def _ends(campaign: Campaign) -> Iterator[str]:
    """Either end of everything that could be worked out of somebody without the key."""
    keys = [k.encode() for k in ("", campaign.running.snapshot.id, TENANT, "csa1", "csa-snapshot")]
    for name in (p.name for p in campaign.people):
        tag = campaign.tag_of(name)
        chat = contact(name).address["conversation"]
        for text in (name, tag, chat, f"{TENANT}{name}", f"{TENANT}\x1f{name}", f"{TENANT}/{name}"):
            for digest in digests(text.encode(), keys):
                yield digest[:SAME]
                yield digest[-SAME:]
                yield digest[32 - SAME : 32]


def digests(text: bytes, keys: Iterable[bytes]) -> Iterator[str]:
    yield text.hex()
    for name in HASHES:
        yield hashlib.new(name, text).hexdigest()
    for key in keys:
        for name in HASHES[1:4]:
            yield hmac.new(key, text, name).hexdigest()
    for space in (uuid.NAMESPACE_DNS, uuid.NAMESPACE_OID, uuid.NAMESPACE_URL):
        yield uuid.uuid5(space, text.hex()).hex


type Part = tuple[Ids, list[Ids]]


def examine(campaign: Campaign) -> Part:
    ends = frozenset(_ends(campaign))
    kinds = {Kind.SLIP, Kind.TALLY, Kind.COMMENT}
    ids = {v.record.id for v in campaign.history if v.record.kind in kinds}
    naive = [
        row_at_submission(campaign, new_id)
        for new_id in (hashed_ids(), timed_ids(campaign.seed), counted_ids())
    ]
    return look_at(sorted(ids), ends), [look_at(_ids(scene), ends) for scene in naive]


def _ids(scene: Scene) -> list[str]:
    return [slip.id for slip in scene.slips]


def judge(parts: Sequence[Part]) -> Result:
    real = _together([ids for ids, _ in parts])
    hashed, timed, counted = (
        _together(found) for found in zip(*(n for _, n in parts), strict=True)
    )
    return Result(
        f"{real.made} of {real.total} match; digits {real.unevenness:+.1f} s.d. from even",
        f"hashed ids: {hashed.made} of {hashed.total} match; "
        f"UUIDs of version 7: {timed.unevenness:+.0f} s.d.",
        real.made == 0 and real.unevenness < UNEVEN,
        hashed.made == hashed.total and min(timed.unevenness, counted.unevenness) > UNEVEN,
    )


def _together(found: Sequence[Ids]) -> Ids:
    places = zip(*(ids.nibbles for ids in found), strict=True)
    nibbles = tuple(tuple(map(sum, zip(*place, strict=True))) for place in places)
    return Ids(sum(i.made for i in found), sum(i.total for i in found), nibbles)


IDS = OnCampaigns(
    "T3",
    "Ids made of somebody or of the time",
    "a dump, a list of staff, object ids, conversations, tags",
    "no match with hashes, HMACs under keys that can be guessed, UUIDs of version 5; "
    f"digits even to {UNEVEN:.0f} s.d.",
    examine=examine,
    judge=judge,
)
