"""T6, T13: names, words and labels that lie somewhere in what the store keeps."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snapshot.ports import DIRECTORY, Kind
from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import Campaign, Image
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
HIDDEN_WORDS = list(guises(WORDS))[1:]
PLAIN_WORDS = re.compile(rf"{WORDS}[0-9a-f]{{10}}".encode())


@dataclass(frozen=True, slots=True)
class Found:
    """`names`: in files and versions. `early`: comments in a file before their batch was mixed.

    `elsewhere`: words of comments in other records, or in another guise. `naive`: people whose
    name is left of plain drafts that have been deleted.
    """

    names: int
    early: int
    elsewhere: int
    naive: int
    people: int


def examine_found(campaign: Campaign) -> Found:
    dumped = b"".join(json.dumps(dict(v.record.body)).encode() for v in campaign.history)
    others = b"".join(
        json.dumps(dict(v.record.body)).encode()
        for v in campaign.history
        if v.record.kind is not Kind.COMMENT
    )
    everything = [dumped, *(image.content for image in campaign.images)]
    return Found(
        sum(name in content for content in everything for name in NAMES),
        sum(len(_words(image.content) - _mixed(campaign, image)) for image in campaign.images),
        sum(words in content for content in everything for words in HIDDEN_WORDS)
        + len(_words(others)),
        sum(p.name.encode() in campaign.drafts for p in who_drafted(campaign)),
        len(who_drafted(campaign)),
    )


def _words(content: bytes) -> set[bytes]:
    """How the comments begin that stand in there."""
    return set(PLAIN_WORDS.findall(content))


def _mixed(campaign: Campaign, image: Image) -> set[bytes]:
    """How the comments begin that had come out of a mix by then."""
    return {
        v.record.body["text"].split()[0].encode()
        for v in campaign.history
        if v.record.kind is Kind.COMMENT and v.second < image.second + image.is_last
    }


def judge_found(parts: Sequence[Found]) -> Result:
    names, early, elsewhere = (
        sum(getattr(p, f) for p in parts) for f in ("names", "early", "elsewhere")
    )
    naive, people = sum(p.naive for p in parts), sum(p.people for p in parts)
    return Result(
        f"{names} names, {early} comments before their mix, {elsewhere} in other records",
        f"plain drafts, deleted: names of {naive} of {people} people still there",
        not names + early + elsewhere,
        naive > people / 2,
    )


FOUND = OnCampaigns(
    "T6",
    "Names and words at rest",
    "every version, of Cosmos DB whole items; of SQLite the file and its log at nine moments",
    "no name or id in any of six guises; words of a comment only in comments, only once mixed",
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
