"""How long what is kept of a snapshot stays after its close, and the end of each part of it.

Nothing is deleted before the snapshot's key is gone: until then somebody may still work with it.
Before words go, the facilitators are told, since no report can be made without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from snapshot.calendar import IsWorkingDay, day_of, working_morning
from snapshot.deleting import Name, delete_all, names_of
from snapshot.ledger import is_to_channel
from snapshot.opening import Running
from snapshot.ports import Kind, Records, SnapshotId
from snapshot.publication import Topic, id_of, newest, record, which_of
from snapshot.session import forget_words as forget_words_of_the_session

WARNED_DAYS = 14
"""So long before words are deleted the facilitators are told."""

_OF_PEOPLE = (Kind.ENVELOPE, Kind.ROLL, Kind.LEAD, Kind.INSTALL)
_WORDS = (Kind.COMMENT, Kind.THEME, Kind.PARTNER)


class Part(StrEnum):
    """What goes on a day of its own. `REST`: the figures, and all that is still left by then."""

    PEOPLE = "people"
    """Who has taken part, leads, and messages to either."""
    WORDS = "words"
    """Comments, themes, notes of the session and of concerns that were passed on."""
    PLAN = "plan"
    """The area's, unless a later snapshot of the area still needs it."""
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how many days after the close each part is kept."""

    people_days: int = 30
    words_days: int = 365
    plan_days: int = 1095
    rest_days: int = 1095

    def days(self, part: Part) -> int:
        return {
            Part.PEOPLE: self.people_days,
            Part.WORDS: self.words_days,
            Part.PLAN: self.plan_days,
            Part.REST: self.rest_days,
        }[part]


def kept_until(running: Running, keeping: Keeping, part: Part) -> date | None:
    """The first day on which a part is to be deleted; None before the close."""
    if running.closed is None:
        return None
    return date.fromisoformat(running.closed) + timedelta(days=keeping.days(part))


def is_due(running: Running, keeping: Keeping, part: Part, now: datetime) -> bool:
    """Whether the day has come, and nobody works with it any more."""
    until = kept_until(running, keeping, part)
    return running.key_is_gone and until is not None and day_of(running.snapshot, now) >= until


# -- people ---------------------------------------------------------------------------------------


async def forget_people(running: Running, records: Records) -> bool:
    """Whether there was anything to delete. What was posted into channels stays in the ledger."""
    id = running.snapshot.id
    messages = [
        (Kind.MESSAGE, head.id)
        for head in await records.heads(id, Kind.MESSAGE)
        if not is_to_channel(head.id)
    ]
    return await _delete(records, id, [*messages, *await names_of(records, id, _OF_PEOPLE)])


# -- words ----------------------------------------------------------------------------------------


async def warn_of_words(
    running: Running,
    records: Records,
    keeping: Keeping,
    now: datetime,
    is_working_day: IsWorkingDay,
) -> bool:
    """Record that the facilitators are to be told when words go, if it is time; whether it was."""
    snapshot, until = running.snapshot, kept_until(running, keeping, Part.WORDS)
    if until is None or not running.key_is_gone:
        return False
    today, warned = day_of(snapshot, now), timedelta(days=WARNED_DAYS)
    if today < until - warned or working_morning(snapshot, now, is_working_day) is None:
        return False
    if await _told(running, records):
        return False
    return await record(records, snapshot.id, id_of(Topic.KEEPING, max(until, today + warned)), {})


async def words_are_gone(running: Running, records: Records) -> bool:
    """Whether they have been deleted, or somebody is at it."""
    told = await newest(records, running.snapshot.id, Topic.KEEPING)
    return told is not None and bool(told.body.get("gone"))


async def words_are_due(
    running: Running, records: Records, keeping: Keeping, now: datetime
) -> bool:
    """Whether their day has come, and that of which the facilitators were told."""
    if not is_due(running, keeping, Part.WORDS, now):
        return False
    told = await _told(running, records)
    return told is not None and day_of(running.snapshot, now) >= told


async def forget_words(running: Running, records: Records) -> bool:
    """Whether there was anything to delete. Which ratings were agreed stays with the figures.

    Marked first, so that no report is ever made of a part of them.
    """
    id = running.snapshot.id
    told = await newest(records, id, Topic.KEEPING)
    if told is not None and not told.body.get("gone"):
        await records.replace(replace(told, body={"gone": True}))
    had_notes = await forget_words_of_the_session(running, records)
    return await _delete(records, id, await names_of(records, id, _WORDS)) or had_notes


async def _told(running: Running, records: Records) -> date | None:
    """The day of which the facilitators were told."""
    found = await newest(records, running.snapshot.id, Topic.KEEPING)
    return date.fromisoformat(which_of(found.id)) if found else None


# -- the plan -------------------------------------------------------------------------------------


async def forget_plan(records: Records, area: SnapshotId) -> bool:
    """Whether there was anything to delete."""
    return await _delete(records, area, await names_of(records, area, (Kind.ACTION,)))


# -- inside ---------------------------------------------------------------------------------------


async def _delete(records: Records, snapshot: SnapshotId, names: Sequence[Name]) -> bool:
    async for _ in delete_all(records, snapshot, names):
        pass
    if names:
        await records.forget()
    return bool(names)
