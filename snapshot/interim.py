"""While a snapshot runs: the mixings that are due, and what may be said in between."""

from __future__ import annotations

from datetime import datetime
from random import Random

from snapshot.calendar import IsWorkingDay, day_of, due_mixing, last_post, week_of
from snapshot.disclosure import Summary, interim_bases, summarise
from snapshot.instrument import Instrument
from snapshot.mix import Mix, Wait
from snapshot.opening import Running
from snapshot.ports import Kind, Record, Records, SnapshotId
from snapshot.progress import all_tallies, frozen
from snapshot.publication import (
    Outbox,
    Topic,
    bases_in,
    id_of,
    newest,
    record,
    summary_body,
)
from snapshot.roll import is_mixed, pin_mixed


async def mix_due(
    running: Running,
    instrument: Instrument,
    records: Records,
    now: datetime,
    *,
    dice: Random,
    wait: Wait,
) -> bool:
    """Carry out the mixing that is due, unless it has been done; whether it was.

    One that was missed is left to the next, which opens whatever it would have.
    Progress is frozen at the same time.
    """
    snapshot = running.snapshot
    mixing = due_mixing(snapshot, now)
    if mixing is None:
        return False
    id = id_of(Topic.MIXING, day_of(snapshot, mixing))
    last = await newest(records, snapshot.id, Topic.MIXING)
    if last and last.id >= id:  # later: the clock was put back
        return False
    # Its mark in the database may be deleted by whoever wants a mixing at an hour of their own.
    if not await is_mixed(running.keys, snapshot.id, day_of(snapshot, mixing)):
        await Mix(running, instrument, records, dice=dice, wait=wait).run()
        await records.forget()
        await pin_mixed(running.keys, snapshot.id, day_of(snapshot, mixing))
    progress = await frozen(running, instrument, records)
    return await record(records, snapshot.id, id, progress, state=Outbox.SILENT)


async def publish_interim(
    running: Running,
    instrument: Instrument,
    records: Records,
    now: datetime,
    is_working_day: IsWorkingDay,
) -> bool:
    """Record the interim summary of the day, if one is due; whether it was.

    Only on the working day after a mixing, and at most one in a calendar week.
    """
    snapshot = running.snapshot
    post = last_post(snapshot, now, is_working_day)
    if post is None or day_of(snapshot, post) != day_of(snapshot, now):
        return False
    id = id_of(Topic.INTERIM, week_of(snapshot, now))
    last = await last_interim(records, snapshot.id)
    if last and last.id >= id:  # later: the clock was put back, and the next rests on that one
        return False
    if await _is_mixing(records, snapshot.id):
        return False
    tallies = await all_tallies(records, snapshot.id)
    bases = interim_bases(snapshot, instrument, tallies, bases_in(last))
    if bases is None:
        return False
    summary = summarise(snapshot, instrument, tallies, bases)
    return await record(records, snapshot.id, id, summary_body(summary, bases))


async def last_interim(records: Records, snapshot: SnapshotId) -> Record | None:
    return await newest(records, snapshot, Topic.INTERIM)


async def sent_interim(records: Records, snapshot: SnapshotId) -> Summary | None:
    """The last interim summary that the channel has been shown."""
    found = await last_interim(records, snapshot)
    return Summary.from_json(found.body) if found and found.state == Outbox.SENT else None


async def _is_mixing(records: Records, snapshot: SnapshotId) -> bool:
    """While a batch is half written, its tally may be there without the rest."""
    return bool(await records.heads(snapshot, Kind.JOURNAL))
