"""When things are due: pure functions of a snapshot, its time zone and the time.

Nothing happens because somebody has done something, only because a day has come: otherwise
who had just answered could be read from what was posted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from snapshot.instrument import Limits
from snapshot.snapshot import Mixing, Snapshot

MIXED_AT = time(2, 0)
POSTED_AT = time(9, 30)
"""Local time, in the snapshot's zone."""

LATE = timedelta(hours=8)
"""How late a mixing may begin, if the bot did not run at its hour: until somebody is at work.

After that it is left to the next one: by then, people are told that day again.
"""

_MONDAY = 0
_EVERY_DAYS = {Mixing.DAILY: 1, Mixing.EVERY_3_DAYS: 3, Mixing.WEEKLY: 7}

type IsWorkingDay = Callable[[date], bool]


def mixings(snapshot: Snapshot) -> Iterator[datetime]:
    """Every mixing between opening and deadline; the close itself is none of them."""
    step = _EVERY_DAYS.get(snapshot.mixing)
    if step is None:
        return
    day = local(snapshot, snapshot.opened).date() + timedelta(days=step)
    if snapshot.mixing is Mixing.WEEKLY:
        day -= timedelta(days=day.weekday() - _MONDAY)
    while (mixing := on(snapshot, day, MIXED_AT)) < snapshot.deadline:
        yield mixing
        day += timedelta(days=step)


def due_mixing(snapshot: Snapshot, now: datetime) -> datetime | None:
    """The mixing that is to be done now, or has been; it is not begun later than `LATE`."""
    return next((m for m in mixings(snapshot) if m <= now < m + LATE), None)


def earliest_mixing(snapshot: Snapshot, now: datetime) -> datetime:
    """When somebody who sends now may be mixed: never after it really happens.

    While a mixing may still be begun, that is the one, even if its hour has passed.
    """
    return due_mixing(snapshot, now) or next_mixing(snapshot, now)


def next_mixing(snapshot: Snapshot, now: datetime) -> datetime:
    """The next mixing, or the deadline if that comes first."""
    later = next((m for m in mixings(snapshot) if m > now), snapshot.deadline)
    return local(snapshot, later)


def posted_after(snapshot: Snapshot, mixing: datetime, is_working_day: IsWorkingDay) -> datetime:
    """When what came of a mixing is posted: in the morning of the next working day."""
    day = local(snapshot, mixing).date() + timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return morning_of(snapshot, day)


def last_post(snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay) -> datetime | None:
    """The newest time by now at which something that was mixed may be posted."""
    posts = (posted_after(snapshot, m, is_working_day) for m in mixings(snapshot) if m <= now)
    return max((p for p in posts if p <= now and p < snapshot.deadline), default=None)


def working_morning(
    snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay
) -> datetime | None:
    """The time of posting of today, if today is a working day and it has come."""
    today = local(snapshot, now).date()
    morning = morning_of(snapshot, today)
    return morning if is_working_day(today) and morning <= now else None


def week_of(snapshot: Snapshot, at: datetime) -> str:
    """The calendar week, for example "2026-W11"."""
    year, week, _ = local(snapshot, at).isocalendar()
    return f"{year}-W{week:02}"


def day_of(snapshot: Snapshot, at: datetime) -> date:
    """The day that it is there."""
    return local(snapshot, at).date()


def first_interim(snapshot: Snapshot, limits: Limits, is_working_day: IsWorkingDay) -> date | None:
    """The day around which a first interim summary is likely; None: expect none.

    As if the expected share of people answered evenly over the whole window.
    """
    window = snapshot.deadline - snapshot.opened
    released = dict.fromkeys(snapshot.headcounts, 0)
    for mixing in mixings(snapshot):
        passed = (mixing - snapshot.opened) / window
        for cell, headcount in snapshot.headcounts.items():
            sent = math.floor(headcount * limits.expected_reply_share * passed)
            if sent - released[cell] >= 2 * snapshot.k:
                released[cell] = sent - snapshot.k
        posted = posted_after(snapshot, mixing, is_working_day)
        if sum(released.values()) >= limits.interim_from and posted < snapshot.deadline:
            return posted.date()
    return None


def local(snapshot: Snapshot, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(snapshot.timezone))


def morning_of(snapshot: Snapshot, day: date) -> datetime:
    """When people are written to on a day, if they are."""
    return on(snapshot, day, POSTED_AT)


def on(snapshot: Snapshot, day: date, at: time) -> datetime:
    """A day and a time of its clocks."""
    return datetime.combine(day, at, ZoneInfo(snapshot.timezone))
