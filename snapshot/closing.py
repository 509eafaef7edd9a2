"""The close: from here nobody answers; what was sent is mixed, and the final figures are made.

Each step may be repeated, so whoever finds a snapshot in phase `closing` carries on from there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from snapshot.disclosure import Summary, summarise
from snapshot.envelope import State
from snapshot.instrument import Instrument
from snapshot.mix import Mix, Wait, empty_all
from snapshot.opening import Running
from snapshot.ports import (
    DIRECTORY,
    Changed,
    Exists,
    Kind,
    Missing,
    Record,
    Records,
    SnapshotId,
)
from snapshot.snapshot import Phase
from snapshot.tally import Tally

FINAL = "final"


class Outbox(StrEnum):
    """Publications are recorded before they are sent; what was recorded first stands."""

    RECORDED = "recorded"
    SENT = "sent"


async def begin_close(running: Running, records: Records, at: datetime) -> Running:
    """Stop the snapshot taking answers, as of `at`. Closing it twice changes nothing."""
    at = min(at, running.snapshot.deadline)
    day = at.astimezone(ZoneInfo(running.snapshot.timezone)).date()
    while running.phase is Phase.OPEN:
        body = {**running.record.body, "closed": day.isoformat()}
        try:
            record = await records.replace(replace(running.record, state=Phase.CLOSING, body=body))
        except Changed:
            record = await records.read(DIRECTORY, Kind.SNAPSHOT, running.snapshot.id)
        running = running.with_record(record)
    return running


async def finish_close(
    running: Running, instrument: Instrument, records: Records, *, dice: Random, wait: Wait
) -> Summary:
    """Mix what was sent, delete what was not, and record the final figures."""
    mix = Mix(running, instrument, records, dice=dice, wait=wait)
    id = running.snapshot.id
    await sweep(running, records)
    await mix.flush()
    await empty_all(records, id, State.SUBMITTED, State.WITHHELD)
    await empty_all(records, id, State.DAMAGED, State.DAMAGED)
    await sweep(running, records)
    summary = await _publish(running, instrument, records)
    await records.forget()
    if running.phase is Phase.CLOSING:
        with suppress(Changed):  # somebody else finished too
            await records.replace(replace(running.record, state=Phase.CLOSED))
    return summary


async def sweep(running: Running, records: Records) -> None:
    """Empty every envelope that was not sent.

    More than once: somebody may begin between reading that the snapshot is open and its close.
    """
    await empty_all(records, running.snapshot.id, State.OPEN, State.EXPIRED)


async def final_summary(records: Records, snapshot: SnapshotId) -> tuple[Summary, Record] | None:
    """The final figures and the record that they stand in, or None before the close."""
    try:
        record = await records.read(snapshot, Kind.PUBLICATION, FINAL)
    except Missing:
        return None
    return Summary.from_json(record.body), record


async def _publish(running: Running, instrument: Instrument, records: Records) -> Summary:
    found = await records.read_all(running.snapshot.id, Kind.TALLY)
    tallies = [Tally.from_json(r.id, r.body) for r in found]
    summary = summarise(running.snapshot, instrument, tallies)
    body = summary.as_json()
    publication = Record(running.snapshot.id, Kind.PUBLICATION, FINAL, body, state=Outbox.RECORDED)
    with suppress(Exists):  # what was recorded first stands
        await records.create(publication)
    published = await records.read(running.snapshot.id, Kind.PUBLICATION, FINAL)
    return Summary.from_json(published.body)


async def mark_sent(records: Records, publication: Record) -> None:
    """Note that a publication reached its channel; a second note changes nothing."""
    with suppress(Changed):
        await records.replace(replace(publication, state=Outbox.SENT))
