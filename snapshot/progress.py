"""How many have finished, in bands, frozen on certain days: nobody's sending can be seen in it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from snapshot.calendar import IsWorkingDay, day_of, next_mixing
from snapshot.disclosure import beside_each_other, progress_band
from snapshot.envelope import State
from snapshot.instrument import Instrument
from snapshot.opening import Running
from snapshot.ports import Kind, Record, Records, SnapshotId
from snapshot.publication import Topic, id_of, newest, record, which_of
from snapshot.reminding import current_nudge, nudges
from snapshot.snapshot import CellId, Snapshot
from snapshot.tally import Tally

_WAITING = {State.SUBMITTED, State.MIXING}


async def progress_due(
    running: Running,
    instrument: Instrument,
    records: Records,
    now: datetime,
    is_working_day: IsWorkingDay,
) -> bool:
    """Freeze progress and record a nudge to the facilitators, if one is due; whether it was."""
    snapshot = running.snapshot
    at = current_nudge(snapshot, now, is_working_day)
    if at is None:
        return False
    id = id_of(Topic.PROGRESS, day_of(snapshot, at))
    last = await newest(records, snapshot.id, Topic.PROGRESS)
    if last and last.id >= id:
        return False
    return await record(records, snapshot.id, id, await frozen(running, instrument, records))


async def frozen(running: Running, instrument: Instrument, records: Records) -> dict[str, Any]:
    """Progress as it stands now, fit to be told: `progress` in per cent or None, and `agencies`."""
    snapshot, limits = running.snapshot, instrument.limits
    heads = await records.heads(snapshot.id, Kind.ENVELOPE)
    finished = sum(head.state in {*_WAITING, State.RELEASED} for head in heads)
    waiting = Counter(CellId(head.group) for head in heads if head.state in _WAITING)
    tallies = await all_tallies(records, snapshot.id)
    return {
        "progress": progress_band(finished, sum(snapshot.headcounts.values()), limits),
        "agencies": beside_each_other(snapshot, waiting, tallies, limits),
    }


async def last_progress(records: Records, snapshot: SnapshotId) -> Record | None:
    """What was frozen last, on the day that `which_of` its id tells."""
    found = [await newest(records, snapshot, topic) for topic in (Topic.MIXING, Topic.PROGRESS)]
    # On a day that has both, the nudge comes later.
    return max((f for f in found if f), key=lambda f: (which_of(f.id), f.id), default=None)


def next_frozen(snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay) -> datetime:
    """When progress is frozen next: at a mixing, with a nudge, or at the latest at the close."""
    nudged = (at for at in nudges(snapshot, is_working_day) if at > now)
    return min(next_mixing(snapshot, now), next(nudged, snapshot.deadline))


async def all_tallies(records: Records, snapshot: SnapshotId) -> list[Tally]:
    found = await records.read_all(snapshot, Kind.TALLY)
    return [Tally.from_json(r.id, r.body) for r in found]
