"""The close: from here nobody answers; what was sent is mixed, and the final figures are made.

Each step may be repeated, so whoever finds a snapshot in phase `closing` carries on from there.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from snapshot.attempts import Attempts
from snapshot.detail import Detail, detail
from snapshot.disclosure import Summary, final_bases, summarise
from snapshot.envelope import State
from snapshot.errors import Tampered
from snapshot.instrument import Instrument
from snapshot.interim import last_interim
from snapshot.mix import Mix, Wait, empty_all
from snapshot.opening import Running, check_not_old, in_phase
from snapshot.ports import DIRECTORY, Changed, Kind, Record, Records, SnapshotId
from snapshot.progress import all_tallies
from snapshot.publication import Topic, bases_in, find, id_of, record, summary_body
from snapshot.roll import is_behind, pin_closed, pinned, released
from snapshot.snapshot import Phase
from snapshot.tally import are_of

FINAL = id_of(Topic.FINAL)


async def begin_close(
    running: Running, records: Records, at: datetime, *, only_if_due: bool = False
) -> Running:
    """Stop the snapshot taking answers, as of `at`. Closing it twice changes nothing.

    `only_if_due`: not before the deadline, which somebody may have moved in this very moment.
    Raises `Tampered` when the record is an old one.
    """
    attempts = Attempts()
    while running.phase is Phase.OPEN and not (only_if_due and at < running.snapshot.deadline):
        attempts.begin()
        snapshot = running.snapshot
        known = await pinned(running.keys, snapshot.id)
        found = await records.read(DIRECTORY, Kind.SNAPSHOT, snapshot.id)
        if found != running.record:  # what the caller knows may be from before an extension
            running = running.with_record(found)
            continue
        await check_not_old(running, known)
        day = min(at, snapshot.deadline).astimezone(ZoneInfo(snapshot.timezone)).date()
        with suppress(Changed):
            record = await records.replace(in_phase(running, Phase.CLOSING, day.isoformat()))
            running = running.with_record(record)
    return running


async def finish_close(
    running: Running, instrument: Instrument, records: Records, *, dice: Random, wait: Wait
) -> Summary:
    """Mix what was sent, delete what was not, and record the final figures.

    Raises `Tampered` when the figures would rest on others than those who were released, and before
    anything is done for good where this is an old copy of the database: a newer one may be brought.
    """
    if await is_behind(running.keys, records, running.snapshot.id):
        raise Tampered(running.snapshot.id)
    mix = Mix(running, instrument, records, dice=dice, wait=wait)
    id = running.snapshot.id
    await pin_closed(running.keys, id)
    await sweep(running, records)
    await mix.flush()
    await empty_all(records, id, State.SUBMITTED, State.WITHHELD)
    await empty_all(records, id, State.DAMAGED, State.DAMAGED)
    await sweep(running, records)
    summary = await _publish(running, instrument, records)
    await records.forget()
    if running.phase is Phase.CLOSING:
        with suppress(Changed):  # somebody else finished too
            await records.replace(in_phase(running, Phase.CLOSED, running.closed))
    return summary


async def sweep(running: Running, records: Records) -> None:
    """Empty every envelope that was not sent.

    More than once: somebody may begin between reading that the snapshot is open and its close.
    """
    await empty_all(records, running.snapshot.id, State.OPEN, State.EXPIRED)


async def final_summary(records: Records, snapshot: SnapshotId) -> tuple[Summary, Record] | None:
    """The final figures and the record that they stand in, or None before the close."""
    found = await find(records, snapshot, FINAL)
    return (Summary.from_json(found.body), found) if found else None


async def final_detail(records: Records, snapshot: SnapshotId) -> Detail:
    """What was published besides the summary; empty before the close."""
    found = await find(records, snapshot, FINAL)
    return Detail.from_json(found.body["detail"]) if found and "detail" in found.body else Detail()


async def _publish(running: Running, instrument: Instrument, records: Records) -> Summary:
    snapshot = running.snapshot
    tallies = await all_tallies(records, snapshot.id)
    # What is published stands for good, and a list may lack a batch: the roll knows of all.
    if not are_of(tallies, await released(running.keys, records, snapshot.id)):
        raise Tampered(snapshot.id)
    before = bases_in(await last_interim(records, snapshot.id))
    bases = final_bases(snapshot, instrument, tallies, before)
    summary = summarise(snapshot, instrument, tallies, bases)
    body = summary_body(summary, bases)
    # A later report compares only what still reads as it did.
    body["texts"] = {s.id: s.text for s in instrument.statements}
    body["detail"] = detail(snapshot, instrument, tallies, bases).as_json()
    await record(records, snapshot.id, FINAL, body)
    published = await final_summary(records, snapshot.id)
    return published[0] if published else summary
