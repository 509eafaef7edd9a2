"""When somebody is reminded: pure functions of a snapshot, its calendar and the time.

To whom a reminder goes is decided when it is sent. Nothing that people do moves it, but for an
extension: then everything is worked out anew for the new deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from snapshot.calendar import POSTED_AT, IsWorkingDay, day_of, local, mixings, morning_of, on
from snapshot.snapshot import Phase, Snapshot

WRITTEN_UNTIL = time(16, 30)
"""Local time. Nobody is reminded later in the day, nor before `POSTED_AT`."""

ON_TIME = timedelta(hours=1)
"""A reminder that is begun so soon after its time is on time: nobody wakes to the second."""

LOOKED_FOR_BEFORE = timedelta(hours=1)
"""So long before a list or a reminder, those who were not found are looked for again."""

_A_DAY = timedelta(days=1)
_A_WEEK = timedelta(weeks=1)
_DAYS_BEFORE = 2


class Reminder(StrEnum):
    OPENING = "opening"
    MIDWAY = "midway"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Due:
    """`at` is in the snapshot's zone; `closes` is the day of the deadline that it was made for."""

    which: Reminder
    at: datetime
    closes: date

    @property
    def id(self) -> str:
        """For the ledger, which sends each id once. Only the last one comes again if it moves."""
        return f"{self.which}-{self.closes}" if self.which is Reminder.LAST else str(self.which)


# -- when it is planned ---------------------------------------------------------------------------


def lead_reminders(snapshot: Snapshot, is_working_day: IsWorkingDay) -> tuple[Due, ...]:
    """To leads: at most three, in order, each on a morning on which people are reminded.

    The opening one comes on the first such morning. The others are for the day in the middle and
    for the second day before the deadline's, or for the nearest such morning before: the last
    one never before the first morning, the mid-way one only between the two. Of two that are
    less than 24 hours apart only the later comes. A window without such a morning has none.
    """
    mornings = _Mornings(snapshot, is_working_day)
    first = mornings.first
    if first is None:
        return ()
    closes = day_of(snapshot, snapshot.deadline)
    midway = mornings.by(_middle(snapshot))
    last = mornings.by(closes - timedelta(days=_DAYS_BEFORE)) or first
    planned = [Due(Reminder.OPENING, first, closes)]
    if midway and first < midway < last:
        planned.append(Due(Reminder.MIDWAY, midway, closes))
    planned.append(Due(Reminder.LAST, last, closes))
    apart = set(_a_day_apart(due.at for due in planned))
    newest = {due.at: due for due in planned}
    return tuple(due for at, due in newest.items() if at in apart)


def unfinished_reminders(snapshot: Snapshot, is_working_day: IsWorkingDay) -> tuple[Due, ...]:
    """To practitioners who have begun: as for leads, without the opening one.

    For whoever has begun by then: it is found out once for each of these, not each time that one
    of them is `current`, or somebody would be reminded within minutes of beginning.
    """
    dues = lead_reminders(snapshot, is_working_day)
    return tuple(due for due in dues if due.which is not Reminder.OPENING)


def list_by_email_at(due: Due, snapshot: Snapshot, is_working_day: IsWorkingDay) -> datetime:
    """When the facilitators get the addresses to which this reminder has to go by e-mail.

    Two working days before it, but not before the first morning of the snapshot.
    """
    mornings = _Mornings(snapshot, is_working_day)
    return mornings.two_before(day_of(snapshot, due.at)) or mornings.first or due.at


def look_again_since(snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay) -> datetime:
    """Leads who were looked for before this, and not found, are to be looked for once more.

    The last time that has come of those before each list by e-mail and each reminder.
    """
    dues = lead_reminders(snapshot, is_working_day)
    ahead = [due.at for due in dues]
    ahead += [list_by_email_at(due, snapshot, is_working_day) for due in dues]
    begun = (at - LOOKED_FOR_BEFORE for at in ahead)
    return max((at for at in begun if at <= now), default=snapshot.opened)


def nudges(snapshot: Snapshot, is_working_day: IsWorkingDay) -> tuple[datetime, ...]:
    """To the facilitators' channel, in order.

    On each Monday after the week of opening, or the next morning on which people are reminded,
    since it tells of progress; and two working days before the day of the deadline.
    """
    mornings = _Mornings(snapshot, is_working_day)
    found = [mornings.from_day(monday) for monday in _mondays(snapshot)]
    found.append(mornings.two_before(day_of(snapshot, snapshot.deadline)))
    return tuple(_a_day_apart(at for at in found if at))


# -- what to do now -------------------------------------------------------------------------------


def may_remind(snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay) -> bool:
    """Whether this is an hour in which people are reminded, of a snapshot that is still open."""
    here = local(snapshot, now)
    if not POSTED_AT <= here.time() < WRITTEN_UNTIL or not now < snapshot.deadline:
        return False
    return _Mornings(snapshot, is_working_day).has(here.date())


def current(
    dues: Sequence[Due],
    now: datetime,
    snapshot: Snapshot,
    is_working_day: IsWorkingDay,
    begun: Mapping[str, datetime] | None = None,
) -> Due | None:
    """The newest of these reminders whose time has come, to be sent now; older ones are left out.

    One that is late is sent in the next hour in which people are reminded, unless the one after
    it comes within a day. `begun`: the ids of those of which the ledger knows, and since when.
    One of them may be returned again. After an extension they are heeded in two ways: nobody is
    reminded twice within a day, and what has been overtaken by a later one is left out.
    """
    if not may_remind(snapshot, now, is_working_day):
        return None
    at = _newest([due.at for due in dues], now)
    due = next((due for due in dues if due.at == at), None)
    return due if due and not _is_overtaken(due, begun or {}, now) else None


def current_nudge(
    snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay
) -> datetime | None:
    """The newest nudge whose time has come, to be sent now; the same rules as for `current`."""
    if not may_remind(snapshot, now, is_working_day):
        return None
    return _newest(nudges(snapshot, is_working_day), now)


def current_list(snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay) -> Due | None:
    """The newest reminder of which the list by e-mail has come, to be handed over now."""
    if not may_remind(snapshot, now, is_working_day):
        return None
    dues = lead_reminders(snapshot, is_working_day)
    come = (d for d in reversed(dues) if list_by_email_at(d, snapshot, is_working_day) <= now)
    return next(come, None)


def next_event(
    snapshot: Snapshot,
    now: datetime,
    is_working_day: IsWorkingDay,
    *,
    phase: Phase = Phase.OPEN,
    moderated: bool = False,
    key_due: date | None = None,
) -> datetime | None:
    """When something may be due next, after now; None: nothing that the calendar knows of.

    While it is open: mixings, the deadline, and each working morning, since all posts, reminders,
    nudges and lists come on one, and so does what was missed. After that: working mornings if
    `moderated`, for comments that wait to be read, and the beginning of the day `key_due`.
    """
    found: list[datetime] = []
    if phase is Phase.OPEN:
        found += [*mixings(snapshot), local(snapshot, snapshot.deadline)]
    if phase is Phase.OPEN or moderated:
        found.append(_next_morning(snapshot, now, is_working_day))
    if key_due:
        found.append(on(snapshot, key_due, time()))
    return min((at for at in found if at > now), default=None)


# -- mornings -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mornings:
    """Those on which people are reminded: of working days that are not quiet, while it is open."""

    snapshot: Snapshot
    is_working_day: IsWorkingDay

    def has(self, day: date) -> bool:
        return self.is_working_day(day) and day not in self.snapshot.quiet

    @property
    def first(self) -> datetime | None:
        return self.from_day(day_of(self.snapshot, self.snapshot.opened))

    def from_day(self, day: date) -> datetime | None:
        """The first one on this day or later."""
        while (at := morning_of(self.snapshot, day)) < self.snapshot.deadline:
            if at >= self.snapshot.opened and self.has(day):
                return at
            day += _A_DAY
        return None

    def by(self, day: date) -> datetime | None:
        """The last one on this day or earlier. That of the deadline's day may be after it."""
        while (at := morning_of(self.snapshot, day)) >= self.snapshot.opened:
            if self.has(day):
                return at
            day -= _A_DAY
        return None

    def two_before(self, day: date) -> datetime | None:
        """The last but one before this day."""
        one = self.by(day - _A_DAY)
        return self.by(one.date() - _A_DAY) if one else None


def _middle(snapshot: Snapshot) -> date:
    opened, deadline = snapshot.opened.astimezone(UTC), snapshot.deadline.astimezone(UTC)
    return day_of(snapshot, opened + (deadline - opened) / 2)


def _mondays(snapshot: Snapshot) -> Iterator[date]:
    """Between the week of opening and the deadline."""
    opened = day_of(snapshot, snapshot.opened)
    day = opened + _A_WEEK - timedelta(days=opened.weekday())
    while day <= day_of(snapshot, snapshot.deadline):
        yield day
        day += _A_WEEK


def _next_morning(snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay) -> datetime:
    """Of a working day, quiet or not."""
    day = day_of(snapshot, now)
    while not is_working_day(day) or morning_of(snapshot, day) <= now:
        day += _A_DAY
    return morning_of(snapshot, day)


# -- hours between --------------------------------------------------------------------------------


def _since(earlier: datetime, later: datetime) -> timedelta:
    """What passes by a watch, also when the clocks change in between."""
    return later.astimezone(UTC) - earlier.astimezone(UTC)


def _a_day_apart(times: Iterable[datetime]) -> list[datetime]:
    """In order, without those that another one follows within 24 hours."""
    kept: list[datetime] = []
    for at in sorted(set(times), reverse=True):
        if not kept or _since(at, kept[-1]) >= _A_DAY:
            kept.append(at)
    return kept[::-1]


def _newest(times: Sequence[datetime], now: datetime) -> datetime | None:
    """The newest that has come, unless it is late and the next one comes within a day."""
    newest = max((at for at in times if at <= now), default=None)
    if newest is None or _since(newest, now) < ON_TIME:
        return newest
    later = min((at for at in times if at > now), default=None)
    return newest if later is None or _since(now, later) > _A_DAY else None


def _is_overtaken(due: Due, begun: Mapping[str, datetime], now: datetime) -> bool:
    """Whether another one went out that came later than this, or a short while ago."""
    if due.id in begun or not begun:
        return False
    newest = max(begun.values())
    is_too_late = due.which is not Reminder.LAST and due.at <= newest
    return is_too_late or _since(newest, now) < _A_DAY - ON_TIME
