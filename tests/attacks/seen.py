"""What an attacker makes of a campaign: slips and people, batch by batch, in every order there is.

The attacker knows each person's tag and batch: that much is conceded to somebody who runs both
the database and Teams. What they must not learn is which slip of the batch is whose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from snapshot.envelope import State
from snapshot.instrument import DomainId, OptionId
from snapshot.ports import Kind, Record
from tests.attacks.campaign import Campaign
from tests.attacks.people import Did, Practitioner, instrument
from tests.attacks.recording import Places, Version

type Choices = tuple[OptionId, ...]
type Truth = Mapping[str, Mapping[DomainId, Choices]]


@dataclass(frozen=True, slots=True)
class Slip:
    """`written` counts the writes of the campaign; `places`: what the store tells besides."""

    id: str
    batch: int | str
    domain: DomainId
    choices: Choices
    written: int
    places: Places = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Someone:
    """`begun` and `sent` are seconds in the Teams log; `cleared` counts writes."""

    name: str
    batch: int | str
    tag: str
    begun: int
    sent: int
    cleared: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """Each person of a batch has one slip for each domain in it."""

    slips: Sequence[Slip]
    people: Sequence[Someone]
    truth: Truth


@dataclass(slots=True)
class Batch:
    """Between the making of a journal and its deletion. `left`: who stayed submitted, by cell."""

    label: str = ""
    members: list[tuple[int, str]] = field(default_factory=list)
    slips: list[tuple[int, Record]] = field(default_factory=list)
    comments: list[Record] = field(default_factory=list)
    left: int = 0
    second: int = 0


def scene(campaign: Campaign) -> Scene:
    """The real store, as its history shows it, and where things lie in it."""
    times = log_times(campaign)
    names = {campaign.tag_of(p.name): p.name for p in campaign.people}
    slips, people = [], []
    for number, batch in enumerate(batches(campaign)):
        for written, record in batch.slips:
            body = record.body
            choices, places = tuple(body["choices"]), campaign.places[record.id]
            slips.append(Slip(record.id, number, body["domain"], choices, written, places))
        for cleared, tag in batch.members:
            begun, sent = times[names[tag]]
            people.append(Someone(names[tag], number, tag, begun, sent, cleared))
    return Scene(slips, people, truth(campaign.people))


def truth(people: Sequence[Practitioner]) -> Truth:
    return {
        p.name: {
            d.id: tuple(p.answers[s.id] for s in instrument().of_domain(d.id))
            for d in instrument().domains
        }
        for p in people
    }


def log_times(campaign: Campaign) -> dict[str, tuple[int, int]]:
    """When people began and sent, as Teams logged it."""
    began = {a.name: a.second for a in campaign.log if a.did is Did.BEGIN}
    sent = {a.name: a.second for a in campaign.log if a.did is Did.SEND}
    return {name: (began[name], sent.get(name, -1)) for name in began}


def batches(campaign: Campaign) -> list[Batch]:
    """The batches that released somebody, out of the history alone."""
    return [batch for batch in _journals(campaign) if batch.members]


def _journals(campaign: Campaign) -> Iterator[Batch]:
    waiting: dict[str, str] = {}
    batch = Batch()
    for number, version in enumerate(campaign.history):
        record = version.record
        if record.kind is Kind.ENVELOPE:
            waiting.pop(record.id, None)
            if record.state == State.SUBMITTED:
                waiting[record.id] = record.group
        if record.kind is Kind.JOURNAL and version.verb == "create":
            batch = Batch(second=version.second)
        elif record.kind is Kind.JOURNAL and version.verb == "delete":
            batch.left = sum(cell == batch.label for cell in waiting.values())
            yield batch
        else:
            _put(batch, number, version)


def _put(batch: Batch, number: int, version: Version) -> None:
    """What one write between two journals adds to a batch."""
    record = version.record
    match record.kind:
        case Kind.SLIP:
            batch.slips.append((number, record))
            batch.label = record.body["cell"]
        case Kind.COMMENT if version.verb == "create":
            batch.comments.append(record)
        case Kind.ENVELOPE if record.state == State.RELEASED:
            batch.members.append((number, record.id))
