"""T5: lengths, numbers of versions, and how long somebody looked at the comments card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from snapshot.comments import opened
from snapshot.envelope import State
from snapshot.ports import Kind
from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import Campaign
from tests.attacks.linking import ALARM, SHUFFLES, fisher, in_disorder, share_as_extreme
from tests.attacks.naive import unpadded_lengths
from tests.attacks.order import said
from tests.attacks.people import instrument
from tests.attacks.seen import batches
from tests.core.exampleshire import K

# -- lengths --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lengths:
    """Every length that a sealed part ever had; `forms`: in which order slips name their parts.

    `naive`: how many lengths ballots would have unpadded. `spotted`: of those who wrote, the
    share among the longest.
    """

    ballots: frozenset[int]
    contacts: frozenset[int]
    forms: frozenset[tuple[str, ...]]
    naive: int
    spotted: float


def examine_lengths(campaign: Campaign) -> Lengths:
    bodies = [v.record.body for v in campaign.history if v.record.kind is Kind.ENVELOPE]
    slips = [v.record.body for v in campaign.history if v.record.kind is Kind.SLIP]
    unpadded = sorted(unpadded_lengths(campaign), reverse=True)
    writers = sum(wrote for _, wrote in unpadded)
    return Lengths(
        frozenset(len(b["ballot"]) for b in bodies if b["ballot"]),
        frozenset(len(b["contact"]) for b in bodies if b["contact"]),
        frozenset(tuple(b) for b in slips),
        len({length for length, _ in unpadded}),
        sum(wrote for _, wrote in unpadded[:writers]) / writers,
    )


def judge_lengths(parts: Sequence[Lengths]) -> Result:
    ballots, contacts, forms = (
        frozenset[object]().union(*(getattr(p, name) for p in parts))
        for name in ("ballots", "contacts", "forms")
    )
    spotted = sum(p.spotted for p in parts) / len(parts)
    naive = sum(p.naive for p in parts) / len(parts)
    return Result(
        f"ballots {len(ballots)}, contacts {len(contacts)}, forms of slips {len(forms)}",
        f"unpadded: {naive:.0f} lengths a campaign, {100 * spotted:.0f} % of writers spotted",
        len(ballots) == len(contacts) == len(forms) == 1,
        naive > 1 and spotted > 0.9,
    )


LENGTHS = OnCampaigns(
    "T5",
    "Length and form of what is kept",
    "every version of every record",
    "one length each for ballots and contacts, one form of slip",
    examine=examine_lengths,
    judge=judge_lengths,
)

# -- how many versions ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Versions:
    """p that writers and others differ so much in how many versions their envelopes have."""

    more: float
    p: float
    naive_p: float


def examine_versions(campaign: Campaign) -> Versions:
    kept = Counter(
        v.record.id
        for v in campaign.history
        if v.record.kind is Kind.ENVELOPE and v.record.state in (State.OPEN, State.SUBMITTED)
    )
    wrote = {campaign.tag_of(p.name): bool(p.comments) for p in campaign.people}
    sent = {
        v.record.id
        for v in campaign.history
        if v.record.kind is Kind.ENVELOPE and v.record.state == State.SUBMITTED
    }
    real = [(kept[tag], wrote[tag]) for tag in sorted(sent)]
    # A store that writes a comment only where there is one has a version less for the others.
    naive = [(n if writes else n - 1, writes) for n, writes in real]
    dice = Random(campaign.seed)
    return Versions(_more(real), _p(real, dice), _p(naive, dice))


def _more(found: Sequence[tuple[int, bool]]) -> float:
    """How many more versions those have who wrote."""
    wrote, others = ([n for n, w in found if w is which] for which in (True, False))
    return sum(wrote) / len(wrote) - sum(others) / len(others)


def _p(found: Sequence[tuple[int, bool]], dice: Random) -> float:
    counts, flags = [n for n, _ in found], [w for _, w in found]
    shuffled = [
        abs(_more(list(zip(in_disorder(counts, dice), flags, strict=True))))
        for _ in range(SHUFFLES)
    ]
    return share_as_extreme(abs(_more(found)), shuffled)


def judge_versions(parts: Sequence[Versions]) -> Result:
    p, naive = fisher([v.p for v in parts]), fisher([v.naive_p for v in parts])
    more = sum(v.more for v in parts) / len(parts)
    return Result(
        f"writers have {more:+.2f} versions, p {said(p)}",
        f"saved only if there are words: p {said(naive)}",
        p > ALARM,
        naive <= ALARM,
    )


VERSIONS = OnCampaigns(
    "T5",
    "Number of versions and comments",
    "every version of every envelope",
    f"combined p > {ALARM} that those who wrote have more versions or fewer",
    examine=examine_versions,
    judge=judge_versions,
)

# -- time spent on the comments card --------------------------------------------------------------

STATEMENTS = len(instrument().statements)


@dataclass(frozen=True, slots=True)
class Lingering:
    """How many comments were given to their author, of how many.

    `printed`: of those in the report. `plain`: of all, batch by batch, if the database held them
    as they were written. `spotted`: writers among as many of the slowest as there are writers.
    """

    printed: int
    of_printed: int
    chance: float
    plain: int
    of_plain: int
    spotted: int
    writers: int


@dataclass(frozen=True, slots=True)
class Written:
    domain: str
    text: str
    author: str


def examine_lingering(campaign: Campaign) -> Lingering:
    gaps = _gaps(campaign)
    authors = {
        text: campaign.tag_of(p.name) for p in campaign.people for text in p.comments.values()
    }
    everybody, everything = list[str](), list[Written]()
    plain = spotted = writers = 0
    for batch in batches(campaign):
        slowest = sorted((tag for _, tag in batch.members), key=lambda tag: -gaps[tag])
        comments = [opened(campaign.running, record) for record in batch.comments]
        written = [Written(c.domain, c.text, authors[c.text]) for c in comments]
        wrote = {each.author for each in written}
        spotted += len(wrote.intersection(slowest[: len(wrote)]))
        writers += len(wrote)
        plain += _hits(slowest, written)
        everybody += slowest
        everything += written
    often = Counter(each.domain for each in everything)
    printed = [w for w in everything if often[w.domain] >= instrument().comments.quotes_from]
    right = _hits(sorted(everybody, key=lambda tag: -gaps[tag]), printed)
    chance = len(printed) / len(everybody)
    return Lingering(right, len(printed), chance, plain, len(everything), spotted, writers)


def _hits(tags: Sequence[str], written: Sequence[Written]) -> int:
    """The longest comment goes to the slowest, and so on."""
    longest = sorted(written, key=lambda each: len(each.text), reverse=True)
    return sum(tag == each.author for tag, each in zip(tags, longest, strict=False))


def _gaps(campaign: Campaign) -> dict[str, int]:
    """The seconds before the comments card was saved: after the first version and 22 answers."""
    seconds: dict[str, list[int]] = {}
    for version in campaign.history:
        if version.record.kind is Kind.ENVELOPE and version.record.state == State.OPEN:
            seconds.setdefault(version.record.id, []).append(version.second)
    return {
        tag: times[STATEMENTS + 1] - times[STATEMENTS] if len(times) > STATEMENTS + 1 else 0
        for tag, times in seconds.items()
    }


def judge_lingering(parts: Sequence[Lingering]) -> Result:
    printed, plain, spotted = (
        sum(getattr(p, right) for p in parts) / sum(getattr(p, of) for p in parts)
        for right, of in (
            ("printed", "of_printed"),
            ("plain", "of_plain"),
            ("spotted", "writers"),
        )
    )
    number = sum(p.of_printed for p in parts)
    chance = sum(p.chance for p in parts) / number
    return Result(
        f"{100 * spotted:.0f} % of writers spotted; {100 * printed:.1f} % of {number} comments "
        f"given to their author, {100 * chance:.1f} % by chance",
        f"comments that the database tells, batch by batch: {100 * plain:.0f} %",
        printed < 1 / K,
        plain > 1 / K,
    )


LINGERING = OnCampaigns(
    "T5",
    "Time spent on the comments card",
    "every version of every envelope with its second, and the comments that the report prints",
    f"fewer than one comment in {K} is given to its author",
    examine=examine_lingering,
    judge=judge_lingering,
)
