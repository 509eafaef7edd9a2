"""What leaves, or marks that a day's work is done: recorded before it is sent.

What was recorded first stands, so that two workers never publish two figures of one thing. The id
says what it is, and a second one of the same id cannot be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any

from snapshot.basis import Bases, Basis
from snapshot.disclosure import Summary
from snapshot.instrument import StatementId
from snapshot.ports import Changed, Exists, Kind, Missing, Record, Records, SnapshotId
from snapshot.snapshot import Snapshot


class Topic(StrEnum):
    """What a publication is about: its id begins with it."""

    OPENING = "opening"
    EXTENSION = "extension"
    CORRECTION = "correction"
    MIXING = "mixing"
    PROGRESS = "progress"
    INTERIM = "interim"
    FINAL = "final"
    COMMENTS = "comments"
    NUDGE = "nudge"
    LEADS = "leads"
    UNFINISHED = "unfinished"
    EMAIL = "email"
    REPORT = "report"
    KEEPING = "keeping"


_TOPICS = list(Topic)


class Outbox(StrEnum):
    RECORDED = "recorded"
    SENT = "sent"
    SILENT = "silent"
    """Only marks that something was done; nothing is sent."""


def topic_of(id: str) -> Topic:
    return Topic(id.partition("-")[0])


def id_of(topic: Topic, which: str | date = "") -> str:
    return f"{topic}-{which}" if which else str(topic)


def which_of(id: str) -> str:
    """What sets it apart from others on its topic: a day, a week or a number, or nothing."""
    return id.partition("-")[2]


async def record(
    records: Records,
    snapshot: SnapshotId,
    id: str,
    body: Mapping[str, Any],
    *,
    state: Outbox = Outbox.RECORDED,
) -> bool:
    """Record a publication; False if there is one of this id already, which then stands."""
    try:
        await records.create(Record(snapshot, Kind.PUBLICATION, id, body, state=state))
    except Exists:
        return False
    return True


async def record_moves(records: Records, snapshot: Snapshot) -> None:
    """Record what everyone is to hear of the settings themselves: the opening, and each change.

    From the settings, and not by whoever changes them, who may die before they have told of it.
    A sample snapshot was opened by nobody.
    """
    changes = {Topic.EXTENSION: snapshot.extensions, Topic.CORRECTION: snapshot.corrections}
    wanted: dict[str, dict[str, Any]] = {
        id_of(topic, f"{number:03}"): {"number": number}
        for topic, each in changes.items()
        for number in range(1, len(each) + 1)
    }
    if not snapshot.sample:
        wanted[id_of(Topic.OPENING)] = {}
    known = {head.id for head in await records.heads(snapshot.id, Kind.PUBLICATION)}
    for id in wanted.keys() - known:
        await record(records, snapshot.id, id, wanted[id])


async def find(records: Records, snapshot: SnapshotId, id: str) -> Record | None:
    try:
        return await records.read(snapshot, Kind.PUBLICATION, id)
    except Missing:
        return None


async def newest(records: Records, snapshot: SnapshotId, topic: Topic) -> Record | None:
    """The last publication on a topic whose ids are in the order of time."""
    heads = await records.heads(snapshot, Kind.PUBLICATION)
    last = max((h.id for h in heads if topic_of(h.id) is topic), default=None)
    return await find(records, snapshot, last) if last else None


async def unsent(records: Records, snapshot: SnapshotId) -> list[Record]:
    """By topic, as they are likely to have come, and then by id."""
    heads = await records.heads(snapshot, Kind.PUBLICATION, Outbox.RECORDED)
    found = [await find(records, snapshot, head.id) for head in heads]
    waiting = [r for r in found if r and r.state == Outbox.RECORDED]
    return sorted(waiting, key=lambda r: (_TOPICS.index(topic_of(r.id)), r.id))


async def mark_sent(records: Records, publication: Record) -> None:
    """Note that a publication reached its channel; a second note changes nothing."""
    with suppress(Changed):
        await records.replace(replace(publication, state=Outbox.SENT))


# -- summaries ------------------------------------------------------------------------------------


def summary_body(summary: Summary, bases: Bases) -> dict[str, Any]:
    return {**summary.as_json(), "bases": {s: b.as_json() for s, b in bases.items()}}


def bases_in(publication: Record | None) -> Bases | None:
    """What the figures of a published summary rest on."""
    if publication is None:
        return None
    found = publication.body["bases"]
    return {StatementId(s): Basis.from_json(b) for s, b in found.items()}
