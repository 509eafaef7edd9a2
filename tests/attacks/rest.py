"""T6, T13: names, words and labels that lie somewhere in what the store keeps."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from snapshot.ports import DIRECTORY, Kind
from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import Campaign
from tests.attacks.naive import who_drafted, who_sent
from tests.attacks.people import NAME, SMALL, WORDS
from tests.core.exampleshire import K

SEALED = ("ballot", "contact", "sealed")

# -- names and words ------------------------------------------------------------------------------


def guises(text: str) -> Iterator[bytes]:
    """A text as it may stand in a file: plain, as UTF-16, in hexadecimal, in base64."""
    raw = text.encode()
    yield raw
    yield raw.lower()
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        # Without the first and last digits, which hang on the neighbours too.
        encoded = base64.b64encode(b"\0" * shift + raw)
        yield encoded[4 if shift else 0 : len(encoded) - 4]


NAMES = list(guises(NAME))
COMMENTS = list(guises(WORDS))


@dataclass(frozen=True, slots=True)
class Found:
    """`names` and `words` of comments in files and versions.

    `naive`: people whose name is left of plain drafts that have been deleted.
    """

    names: int
    words: int
    naive: int
    people: int


def examine_found(campaign: Campaign) -> Found:
    dumped = b"".join(orjson.dumps(dict(v.record.body)) for v in campaign.history)
    everything = [dumped, *(image.content for image in campaign.images)]
    return Found(
        sum(name in content for content in everything for name in NAMES),
        sum(words in content for content in everything for words in COMMENTS),
        sum(p.name.encode() in campaign.drafts for p in who_drafted(campaign)),
        len(who_drafted(campaign)),
    )


def judge_found(parts: Sequence[Found]) -> Result:
    names, words = (sum(getattr(p, f) for p in parts) for f in ("names", "words"))
    naive, people = sum(p.naive for p in parts), sum(p.people for p in parts)
    return Result(
        f"{names} names, {words} comments",
        f"plain drafts, deleted: names of {naive} of {people} people still there",
        not names + words,
        naive > people / 2,
    )


FOUND = OnCampaigns(
    "T6",
    "Names and words at rest",
    "every version, of Cosmos DB whole items; of SQLite the file and its log at nine moments",
    "no name or id in any of six guises, no words of a comment",
    examine=examine_found,
    judge=judge_found,
)

# -- small agencies -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Labels:
    """`small`: small agencies named outside seals. `fewest`: people behind a label of slips."""

    small: int
    fewest: int
    naive: int


def examine_labels(campaign: Campaign) -> Labels:
    told = [
        json.dumps([v.record.id, v.record.state, v.record.group, _unsealed(v.record.body)])
        for v in campaign.history
        if v.record.snapshot != DIRECTORY  # the settings, which say what everybody is offered
    ]
    people: Counter[str] = Counter()
    for version in campaign.history:
        if version.record.kind is Kind.TALLY:
            people[version.record.body["cell"]] += version.record.body["people"]
    by_agency = Counter(one.agency for _, one in who_sent(campaign))
    return Labels(
        sum(agency in text for text in told for agency in SMALL),
        min(people.values()),
        min(by_agency.values()),
    )


def _unsealed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in SEALED}


def judge_labels(parts: Sequence[Labels]) -> Result:
    fewest, naive = min(p.fewest for p in parts), min(p.naive for p in parts)
    small = sum(p.small for p in parts)
    return Result(
        f"{small} labels of small agencies; behind each label {fewest} people or more",
        f"rows with their agency: {naive}",
        not small and fewest >= K,
        naive < K,
    )


LABELS = OnCampaigns(
    "T13",
    "Agencies of three people",
    "every version of every record but the settings",
    f"no label of theirs; {K} people or more behind each label that there is",
    examine=examine_labels,
    judge=judge_labels,
)
