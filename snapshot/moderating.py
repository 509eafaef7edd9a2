"""When moderators hear of comments: on the working day after a mixing, and when they wait."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from snapshot.calendar import IsWorkingDay, day_of, last_post, posted_after, working_morning
from snapshot.comments import CommentState, fill_queue, undecided
from snapshot.instrument import CommentRules
from snapshot.opening import Running
from snapshot.ports import Kind, Records, SnapshotId
from snapshot.publication import Outbox, Topic, find, id_of, record, topic_of, which_of

_TOLD = (Topic.COMMENTS, Topic.NUDGE)


async def queue_due(
    running: Running, records: Records, now: datetime, is_working_day: IsWorkingDay
) -> bool:
    """Put what was mixed into the moderators' queue, if its day has come; whether there is any."""
    snapshot = running.snapshot
    post = _last_post(running, now, is_working_day)
    if post is None or working_morning(snapshot, now, is_working_day) is None:
        return False  # one that was missed waits for the next working day too
    id = id_of(Topic.COMMENTS, day_of(snapshot, post))
    if await find(records, snapshot.id, id):
        return False
    await fill_queue(records, snapshot.id)
    waiting = (await undecided(records, snapshot.id))[CommentState.WAITING]
    state = Outbox.RECORDED if waiting else Outbox.SILENT
    return await record(records, snapshot.id, id, {}, state=state) and waiting > 0


async def nudge_due(
    running: Running,
    rules: CommentRules,
    records: Records,
    now: datetime,
    is_working_day: IsWorkingDay,
) -> bool:
    """Record a nudge to the moderators, if one is due; whether it was.

    For comments that nobody has read some days after the last notice; each working day as long
    as a concern has not been passed on.
    """
    snapshot = running.snapshot
    if working_morning(snapshot, now, is_working_day) is None:
        return False
    last = await _last_told(records, snapshot.id)
    today = day_of(snapshot, now)
    days = (today - last).days if last else 0
    if days < 1:
        return False
    counts = await undecided(records, snapshot.id)
    is_urgent = counts[CommentState.ESCALATED] > 0
    if not is_urgent and (not counts[CommentState.WAITING] or days < rules.nudge_after_days):
        return False
    return await record(records, snapshot.id, id_of(Topic.NUDGE, today), {"escalated": is_urgent})


def _last_post(running: Running, now: datetime, is_working_day: IsWorkingDay) -> datetime | None:
    """The newest time by now at which something that was mixed may be read.

    The close mixes too, and then everything waits for its own day.
    """
    snapshot = running.snapshot
    if not running.closed:
        return last_post(snapshot, now, is_working_day)
    closed = datetime.combine(
        date.fromisoformat(running.closed), time(), ZoneInfo(snapshot.timezone)
    )
    post = posted_after(snapshot, closed, is_working_day)
    return post if post <= now else None


async def _last_told(records: Records, snapshot: SnapshotId) -> date | None:
    """The day on which moderators heard something last; a day without comments is none."""
    heads = await records.heads(snapshot, Kind.PUBLICATION)
    told = [h.id for h in heads if topic_of(h.id) in _TOLD and h.state != Outbox.SILENT]
    return max((date.fromisoformat(which_of(id)) for id in told), default=None)
