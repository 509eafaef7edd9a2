"""T19: comments that say who is meant, and what stands beside them once they are mixed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import orjson

from content.screening import load_screener
from snapshot.ports import Kind
from tests.attacks.attack import Result, Staged
from tests.attacks.stores import OpenStore
from tests.attacks.tampering import an_area
from tests.core.exampleshire import HELPING, SOME_CHOICES, Area, K, a_ballot
from tests.core.test_screening import IDENTIFIERS, NAMES, UNMARKED

SHARE_OF_NAMES = 0.95

# What one would write at first, to be searched for in the words as they come.
_PLAIN = re.compile(
    r"\b\d{3} ?\d{3} ?\d{4}\b|\b[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]\b|\b0\d{4} ?\d{6}\b"
    r"|\S+@\S+\.\S+|\b[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b"
    r"|\b(Mr|Mrs|Miss|Ms|Dr) [A-Z]\w+"
)


async def words(open_store: OpenStore, folder: Path) -> Result:
    screener = load_screener()
    stopped = sum(kind in screener.screen(text).identifiers for kind, text in IDENTIFIERS)
    names = NAMES + UNMARKED
    asked = sum(screener.screen(name).likely_name for name in names)
    plain = sum(bool(_PLAIN.search(text)) for _, text in IDENTIFIERS)
    async with an_area(open_store, folder / "mixed") as area:
        beside, found = await _beside_a_cell(area)
    return Result(
        f"{stopped} of {len(IDENTIFIERS)} identifiers stopped; {asked} of {len(names)} names asked "
        f"about; {beside} of {found} mixed comments beside a cell",
        f"a plain pattern on the words as they come: {plain} of {len(IDENTIFIERS)} stopped",
        stopped == len(IDENTIFIERS)
        and asked >= SHARE_OF_NAMES * len(names)
        and found == K
        and not beside,
        0 < plain < len(IDENTIFIERS),
    )


async def _beside_a_cell(area: Area) -> tuple[int, int]:
    """How many mixed comments have the name of a cell in their record, and how many there are."""
    for number in range(K):
        ballot = a_ballot("police", SOME_CHOICES)
        comment = {HELPING: f"More time, as often said ({number})."}
        await area.keeps(f"police-{number}", replace(ballot, comments=comment))
    await area.mix().flush()
    snapshot = area.running.snapshot.id
    records = await area.records.read_all(snapshot, Kind.COMMENT)
    told = [orjson.dumps([r.group, r.state, r.body]) for r in records]
    unsealed = [
        orjson.dumps(area.running.service.open(r.body["sealed"], "comment", snapshot, r.id))
        for r in records
    ]
    pairs = zip(told, unsealed, strict=True)
    return sum(b"police" in kept + inside for kept, inside in pairs), len(records)


WORDS = Staged(
    "T19",
    "Names and numbers in comments",
    "comments with identifiers in disguise: full-width digits, spaces, split lines, characters "
    "without width; names",
    "every identifier is stopped, 95 % of the names are asked about, no words beside a cell",
    stage=words,
)
