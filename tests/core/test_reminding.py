"""When people are reminded: on mornings of work, before the deadline, and never twice in a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.working_days import working_days
from snapshot.calendar import IsWorkingDay, mixings, posted_after
from snapshot.reminding import (
    Due,
    Reminder,
    current,
    current_list,
    current_nudge,
    lead_reminders,
    list_by_email_at,
    look_again_since,
    may_remind,
    next_event,
    nudges,
    unfinished_reminders,
)
from snapshot.snapshot import Extension, Mixing, Phase, Snapshot
from tests.core.exampleshire import a_snapshot

LONDON = ZoneInfo("Europe/London")
ENGLAND = working_days("England")
A_SECOND, AN_HOUR, A_DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
OPENING, MIDWAY, LAST = Reminder.OPENING, Reminder.MIDWAY, Reminder.LAST

type Plan = list[tuple[Reminder, date]]


def here(day: date, at: str = "09:30") -> datetime:
    return datetime.combine(day, time.fromisoformat(at), LONDON)


def march(day: int, at: str = "09:30") -> datetime:
    """Monday 2 March 2026 and after."""
    return here(date(2026, 3, day), at)


def running(opened: datetime, deadline: datetime, *quiet: date) -> Snapshot:
    return replace(a_snapshot(), opened=opened, deadline=deadline, quiet=quiet)


def moved(snapshot: Snapshot, deadline: datetime) -> Snapshot:
    """As `extend` leaves it: in UTC."""
    extension = Extension(snapshot.deadline, "Half term")
    return replace(
        snapshot, deadline=deadline.astimezone(UTC), extensions=(*snapshot.extensions, extension)
    )


def days(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def plan(snapshot: Snapshot, is_working_day: IsWorkingDay = ENGLAND) -> Plan:
    """Which comes on which day; that each comes at half past nine is asserted here."""
    dues = lead_reminders(snapshot, is_working_day)
    assert {(d.at.time(), d.at.tzinfo) for d in dues} <= {(time(9, 30), LONDON)}
    return [(due.which, due.at.date()) for due in dues]


def in_march(*planned: tuple[Reminder, int]) -> Plan:
    return [(which, date(2026, 3, day)) for which, day in planned]


TWO_WEEKS = running(march(2, "09:00"), march(13, "17:00"))
"""From a Monday to the Friday of the next week."""


# -- which reminder on which day ------------------------------------------------------------------


def test_two_weeks_have_three_reminders() -> None:
    """The middle is on Saturday 7 March at 21:00, so the mid-way one comes on the Friday."""
    assert plan(TWO_WEEKS) == in_march((OPENING, 2), (MIDWAY, 6), (LAST, 11))


def test_who_opens_after_half_past_nine_reminds_on_the_next_working_morning() -> None:
    assert plan(replace(TWO_WEEKS, opened=march(2, "09:30")))[0] == (OPENING, date(2026, 3, 2))
    assert plan(replace(TWO_WEEKS, opened=march(2, "09:31")))[0] == (OPENING, date(2026, 3, 3))
    assert plan(replace(TWO_WEEKS, opened=march(6, "12:00")))[0] == (OPENING, date(2026, 3, 9))


@pytest.mark.parametrize(
    ("opened", "deadline", "expected"),
    [
        (march(2, "09:00"), march(4, "17:00"), in_march((LAST, 2))),
        (march(2, "10:00"), march(4, "17:00"), in_march((LAST, 3))),
        (march(2, "10:00"), march(4, "10:00"), in_march((LAST, 3))),
        (march(5, "10:00"), march(9, "17:00"), in_march((LAST, 6))),
        (march(6, "10:00"), march(8, "17:00"), []),
        (march(6, "10:00"), march(9, "09:30"), []),
        (march(6, "10:00"), march(9, "09:31"), in_march((LAST, 9))),
        (march(2, "09:00"), march(5, "17:00"), in_march((OPENING, 2), (LAST, 3))),
        (march(2, "09:00"), march(6, "17:00"), in_march((OPENING, 2), (LAST, 4))),
        (march(2, "09:00"), march(9, "17:00"), in_march((OPENING, 2), (LAST, 6))),
        (march(2, "09:00"), march(9, "08:00"), in_march((OPENING, 2), (MIDWAY, 5), (LAST, 6))),
    ],
)
def test_in_a_short_window_reminders_collapse_into_the_last(
    opened: datetime, deadline: datetime, expected: Plan
) -> None:
    """In one over a weekend nobody is at work, so nobody is reminded."""
    assert plan(running(opened, deadline)) == expected


def test_eight_weeks_have_no_more_than_three() -> None:
    """The clocks go forward on 29 March. The middle is on Monday 30 March."""
    snapshot = running(march(2, "09:00"), here(date(2026, 4, 27), "12:00"))
    assert plan(snapshot) == [
        (OPENING, date(2026, 3, 2)),
        (MIDWAY, date(2026, 3, 30)),
        (LAST, date(2026, 4, 24)),
    ]


@pytest.mark.parametrize("deadline", ["00:00", "09:00", "17:00", "23:59"])
def test_the_last_comes_on_the_second_day_before_at_whatever_hour_it_closes(deadline: str) -> None:
    assert plan(replace(TWO_WEEKS, deadline=march(12, deadline)))[-1] == (LAST, date(2026, 3, 10))


@pytest.mark.parametrize(("closes", "day"), [(14, 12), (15, 13), (16, 13), (17, 13), (18, 16)])
def test_a_last_one_at_the_weekend_comes_on_the_friday(closes: int, day: int) -> None:
    assert plan(replace(TWO_WEEKS, deadline=march(closes, "17:00")))[-1] == (
        LAST,
        date(2026, 3, day),
    )


def test_practitioners_are_reminded_when_leads_are_but_not_at_the_opening() -> None:
    to_leads = lead_reminders(TWO_WEEKS, ENGLAND)
    assert unfinished_reminders(TWO_WEEKS, ENGLAND) == to_leads[1:]
    two_days = replace(TWO_WEEKS, deadline=march(4, "17:00"))
    assert [d.which for d in unfinished_reminders(two_days, ENGLAND)] == [LAST]


def test_each_has_an_id_of_its_own_and_the_last_one_s_has_the_day_of_the_deadline() -> None:
    ids = [due.id for due in lead_reminders(TWO_WEEKS, ENGLAND)]
    assert ids == ["opening", "midway", "last-2026-03-13"]


def test_the_day_of_the_deadline_is_the_one_on_the_area_s_clocks() -> None:
    """Half past eleven in the evening in Greenwich is tomorrow in the summer."""
    deadline = datetime(2026, 6, 18, 23, 30, tzinfo=UTC)
    snapshot = running(here(date(2026, 6, 1), "09:00"), deadline)
    last = lead_reminders(snapshot, ENGLAND)[-1]
    assert (last.id, last.at.date()) == ("last-2026-06-19", date(2026, 6, 17))


# -- clocks, bank holidays, quiet days ------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "deadline", "hours_utc"),
    [
        (date(2026, 3, 23), date(2026, 4, 10), [9, 8, 8]),
        (date(2026, 10, 19), date(2026, 11, 6), [8, 9, 9]),
    ],
)
def test_it_is_half_past_nine_on_both_sides_of_a_change_of_the_clocks(
    opened: date, deadline: date, hours_utc: list[int]
) -> None:
    snapshot = running(here(opened, "09:00"), here(deadline, "17:00"))
    dues = lead_reminders(snapshot, ENGLAND)
    assert {due.at.time() for due in dues} == {time(9, 30)}
    assert [due.at.astimezone(UTC).hour for due in dues] == hours_utc


def test_from_a_saturday_to_the_sunday_on_which_clocks_go_forward_it_is_less_than_a_day() -> None:
    """23 hours: so only the later of the two is left."""
    snapshot = running(here(date(2026, 3, 28), "09:00"), here(date(2026, 3, 31), "17:00"))
    assert plan(snapshot, every_day_is_worked) == [(LAST, date(2026, 3, 29))]
    in_autumn = running(here(date(2026, 10, 24), "09:00"), here(date(2026, 10, 27), "17:00"))
    assert plan(in_autumn, every_day_is_worked) == [
        (OPENING, date(2026, 10, 24)),
        (LAST, date(2026, 10, 25)),
    ]


def every_day_is_worked(day: date) -> bool:
    return True


@pytest.mark.parametrize(
    ("nation", "deadline", "day"),
    [
        # Good Friday, and Easter Monday, which Scotland works on.
        ("England", date(2026, 4, 8), date(2026, 4, 2)),
        ("Wales", date(2026, 4, 8), date(2026, 4, 2)),
        ("Northern Ireland", date(2026, 4, 8), date(2026, 4, 2)),
        ("Scotland", date(2026, 4, 8), date(2026, 4, 6)),
        # St Patrick's Day, a Tuesday.
        ("England", date(2026, 3, 19), date(2026, 3, 17)),
        ("Northern Ireland", date(2026, 3, 19), date(2026, 3, 16)),
        # The summer bank holiday: the first Monday of August in Scotland, the last elsewhere.
        ("Scotland", date(2026, 8, 5), date(2026, 7, 31)),
        ("England", date(2026, 8, 5), date(2026, 8, 3)),
        ("Scotland", date(2026, 9, 2), date(2026, 8, 31)),
        ("Wales", date(2026, 9, 2), date(2026, 8, 28)),
        # St Andrew's Day, a Monday.
        ("Scotland", date(2026, 12, 2), date(2026, 11, 27)),
        ("Wales", date(2026, 12, 2), date(2026, 11, 30)),
    ],
)
def test_each_nation_has_its_bank_holidays(nation: str, deadline: date, day: date) -> None:
    snapshot = running(here(deadline - timedelta(days=14), "10:00"), here(deadline, "17:00"))
    assert plan(snapshot, working_days(nation))[-1] == (LAST, day)


def test_no_other_nation_is_taken_for_england() -> None:
    with pytest.raises(KeyError):
        working_days("Narnia")


def test_over_christmas_the_last_comes_on_christmas_eve_at_the_latest() -> None:
    """Closing on 29 December: the 26th is a Saturday, so Monday 28 December is a holiday."""
    snapshot = running(here(date(2026, 12, 7), "09:00"), here(date(2026, 12, 29), "17:00"))
    assert plan(snapshot)[-1] == (LAST, date(2026, 12, 24))


EASTER_HOLIDAYS = days(date(2026, 3, 30), date(2026, 4, 10))


def test_a_reminder_on_a_quiet_day_comes_on_the_working_day_before() -> None:
    """The middle is on Monday 30 March, the last would be on 8 April: then both are one."""
    snapshot = running(march(19, "09:00"), here(date(2026, 4, 10), "17:00"))
    assert plan(snapshot)[1:] == [(MIDWAY, date(2026, 3, 30)), (LAST, date(2026, 4, 8))]
    quiet = replace(snapshot, quiet=(date(2026, 3, 30), date(2026, 4, 8)))
    assert plan(quiet)[1:] == [(MIDWAY, date(2026, 3, 27)), (LAST, date(2026, 4, 7))]
    assert plan(replace(snapshot, quiet=EASTER_HOLIDAYS)) == [
        (OPENING, date(2026, 3, 19)),
        (LAST, date(2026, 3, 27)),
    ]


def test_the_opening_waits_for_the_end_of_the_quiet_days() -> None:
    """Before it nothing is open, so there is no working day before to move to."""
    snapshot = running(here(date(2026, 4, 1), "09:00"), here(date(2026, 4, 24), "17:00"))
    assert plan(replace(snapshot, quiet=EASTER_HOLIDAYS)) == [
        (OPENING, date(2026, 4, 13)),
        (LAST, date(2026, 4, 22)),
    ]


def test_a_window_wholly_of_quiet_days_reminds_nobody() -> None:
    snapshot = running(march(30, "09:00"), here(date(2026, 4, 11), "17:00"), *EASTER_HOLIDAYS)
    assert plan(snapshot) == []
    assert nudges(snapshot, ENGLAND) == ()
    assert plan(replace(snapshot, deadline=here(date(2026, 4, 13), "17:00"))) == [
        (LAST, date(2026, 4, 13))
    ]


# -- what is to be sent now -----------------------------------------------------------------------


def now_due(
    snapshot: Snapshot, now: datetime, begun: dict[str, datetime] | None = None
) -> Reminder | None:
    due = current(lead_reminders(snapshot, ENGLAND), now, snapshot, ENGLAND, begun)
    return due.which if due else None


def test_people_are_reminded_from_half_past_nine_until_half_past_four_on_working_days() -> None:
    def may(at: datetime, snapshot: Snapshot = TWO_WEEKS) -> bool:
        return may_remind(snapshot, at, ENGLAND)

    assert not may(march(3) - A_SECOND)
    assert may(march(3))
    assert may(march(3, "16:30") - A_SECOND)
    assert not may(march(3, "16:30"))
    assert not may(march(7, "12:00")), "a Saturday"
    assert not may(march(3, "12:00"), replace(TWO_WEEKS, quiet=(date(2026, 3, 3),)))
    assert not may(march(13, "17:00")), "the deadline"
    assert not may(march(16, "12:00"))


def test_the_hours_are_those_of_the_area_s_clocks() -> None:
    snapshot = running(here(date(2026, 6, 1), "08:00"), here(date(2026, 6, 12), "17:00"))
    assert not may_remind(snapshot, datetime(2026, 6, 2, 8, 29, tzinfo=UTC), ENGLAND)
    assert may_remind(snapshot, datetime(2026, 6, 2, 8, 30, tzinfo=UTC), ENGLAND)
    assert not may_remind(snapshot, datetime(2026, 6, 2, 15, 30, tzinfo=UTC), ENGLAND)


def test_a_reminder_is_sent_from_its_time_on() -> None:
    assert now_due(TWO_WEEKS, march(2) - A_SECOND) is None
    assert now_due(TWO_WEEKS, march(2)) is OPENING
    assert now_due(TWO_WEEKS, march(6)) is MIDWAY
    assert now_due(TWO_WEEKS, march(11)) is LAST


def test_one_that_was_missed_is_sent_in_the_next_hour_in_which_people_are_reminded() -> None:
    assert now_due(TWO_WEEKS, march(2, "18:00")) is None
    assert now_due(TWO_WEEKS, march(3, "08:00")) is None
    assert now_due(TWO_WEEKS, march(4, "11:00")) is OPENING
    assert now_due(TWO_WEEKS, march(8, "11:00")) is None, "a Sunday"
    assert now_due(TWO_WEEKS, march(9, "11:00")) is MIDWAY
    assert now_due(TWO_WEEKS, march(13, "16:29")) is LAST
    assert now_due(TWO_WEEKS, march(13, "17:00")) is None


def test_one_that_was_missed_is_left_out_when_the_next_comes_within_a_day() -> None:
    assert now_due(TWO_WEEKS, march(5) - A_SECOND) is None, "too early in the day"
    assert now_due(TWO_WEEKS, march(4, "16:29")) is OPENING
    assert now_due(TWO_WEEKS, march(5)) is None
    assert now_due(TWO_WEEKS, march(5, "16:00")) is None
    assert now_due(TWO_WEEKS, march(10, "10:00")) is None
    assert now_due(TWO_WEEKS, march(11, "10:00")) is LAST


def test_of_several_that_were_missed_only_the_newest_is_sent() -> None:
    assert now_due(TWO_WEEKS, march(12, "10:00")) is LAST


def test_one_on_time_is_sent_though_the_next_comes_a_day_later() -> None:
    """Whoever wakes for it wakes some seconds late, and less than a day is left."""
    snapshot = running(march(2, "09:00"), march(5, "17:00"))
    assert plan(snapshot) == in_march((OPENING, 2), (LAST, 3))
    assert now_due(snapshot, march(2) + timedelta(minutes=1)) is OPENING
    assert now_due(snapshot, march(2) + AN_HOUR) is None
    assert now_due(snapshot, march(3)) is LAST


def test_nothing_is_sent_after_the_deadline_nor_before_the_opening() -> None:
    assert now_due(TWO_WEEKS, march(27, "10:00")) is None
    assert now_due(TWO_WEEKS, here(date(2026, 2, 27), "10:00")) is None


# -- the deadline moves ---------------------------------------------------------------------------


def test_after_an_extension_the_last_one_comes_again_and_no_other() -> None:
    """Extended by a week when the last one had been sent. The new middle is on 10 March."""
    longer = moved(TWO_WEEKS, march(20, "17:00"))
    assert plan(longer) == in_march((OPENING, 2), (MIDWAY, 11), (LAST, 18))
    begun = {"opening": march(2), "midway": march(6), "last-2026-03-13": march(11)}
    before, after = (lead_reminders(s, ENGLAND) for s in (TWO_WEEKS, longer))
    new = {due.id for due in after} - begun.keys()
    assert new == {"last-2026-03-20"}
    assert before[0].id == after[0].id
    assert now_due(longer, march(18), begun) is LAST


def test_a_mid_way_one_that_has_not_come_moves_with_the_middle() -> None:
    longer = moved(TWO_WEEKS, march(27, "17:00"))
    assert plan(longer) == in_march((OPENING, 2), (MIDWAY, 13), (LAST, 25))
    assert now_due(longer, march(6), {"opening": march(2)}) is OPENING
    assert now_due(longer, march(13), {"opening": march(2)}) is MIDWAY


def test_the_deadline_moves_twice_while_reminders_are_out() -> None:
    """Each of the three deadlines has its last one, a week apart; all else came once."""
    once = moved(TWO_WEEKS, march(20, "17:00"))
    twice = moved(once, march(27, "17:00"))
    assert len(twice.extensions) == 2
    # What was current when somebody looked at noon on each working day of March.
    begun: dict[str, datetime] = {}
    for day in range(2, 28):
        snapshot = TWO_WEEKS if day < 12 else once if day < 19 else twice
        noon = march(day, "12:00")
        due = current(lead_reminders(snapshot, ENGLAND), noon, snapshot, ENGLAND, begun)
        if due:
            begun.setdefault(due.id, noon)
    assert begun == {
        "opening": march(2, "12:00"),
        "midway": march(6, "12:00"),
        "last-2026-03-13": march(11, "12:00"),
        "last-2026-03-20": march(18, "12:00"),
        "last-2026-03-27": march(25, "12:00"),
    }


def test_an_opening_that_collapsed_into_a_last_one_does_not_come_after_it() -> None:
    """Two days, extended to two weeks on the afternoon of the first: its last one is out."""
    two_days = running(march(2, "09:00"), march(4, "17:00"))
    assert plan(two_days) == in_march((LAST, 2))
    longer, begun = moved(two_days, march(13, "17:00")), {"last-2026-03-04": march(2)}
    assert now_due(longer, march(2, "15:00"), begun) is None
    assert now_due(longer, march(4, "10:00"), begun) is None
    assert now_due(longer, march(4, "10:00"), {}) is OPENING, "it would, if nothing had gone out"
    assert now_due(longer, march(6), begun) is MIDWAY


def test_a_new_last_one_waits_for_a_day_after_the_old() -> None:
    """Both deadlines have their second day before on a weekend, so on one Friday."""
    monday = running(march(2, "09:00"), march(16, "17:00"))
    tuesday = moved(monday, march(17, "17:00"))
    assert plan(monday)[-1] == plan(tuesday)[-1] == (LAST, date(2026, 3, 13))
    begun = {"last-2026-03-16": march(13)}
    assert now_due(tuesday, march(13, "15:00"), begun) is None
    assert now_due(tuesday, march(16), begun) is LAST


def test_two_that_are_a_day_apart_are_both_sent_though_the_first_was_some_seconds_late() -> None:
    snapshot = running(march(2, "09:00"), march(5, "17:00"))
    assert now_due(snapshot, march(3), {"opening": march(2) + timedelta(minutes=2)}) is LAST


def test_one_that_has_been_begun_is_told_of_again() -> None:
    """For leads who were added since; the ledger knows who has had it."""
    assert now_due(TWO_WEEKS, march(3, "10:00"), {"opening": march(2)}) is OPENING


def test_an_extension_by_some_hours_of_one_day_brings_no_other_last_one() -> None:
    later = moved(TWO_WEEKS, march(13, "23:00"))
    assert [d.id for d in lead_reminders(later, ENGLAND)][-1] == "last-2026-03-13"


# -- nudges and lists by e-mail -------------------------------------------------------------------


def nudged(snapshot: Snapshot, is_working_day: IsWorkingDay = ENGLAND) -> list[datetime]:
    return list(nudges(snapshot, is_working_day))


def test_the_channel_is_nudged_each_monday_and_two_working_days_before_the_end() -> None:
    assert nudged(TWO_WEEKS) == [march(9), march(11)]
    three_weeks = replace(TWO_WEEKS, deadline=march(20, "17:00"))
    assert nudged(three_weeks) == [march(9), march(16), march(18)]


def test_a_monday_on_which_nobody_works_is_made_up_for_on_the_next_working_day() -> None:
    snapshot = running(march(23, "09:00"), here(date(2026, 4, 17), "17:00"))
    assert nudged(snapshot) == [
        march(30),
        here(date(2026, 4, 7)),
        here(date(2026, 4, 13)),
        here(date(2026, 4, 15)),
    ]
    assert nudged(replace(snapshot, quiet=EASTER_HOLIDAYS)) == [
        here(date(2026, 4, 13)),
        here(date(2026, 4, 15)),
    ]


@pytest.mark.parametrize(
    ("closes", "expected"),
    [(11, [9]), (12, [9, 10]), (14, [9, 12]), (15, [9, 12]), (16, [9, 12, 16]), (10, [6, 9])],
)
def test_nudges_on_one_morning_are_one(closes: int, expected: list[int]) -> None:
    snapshot = replace(TWO_WEEKS, deadline=march(closes, "17:00"))
    assert nudged(snapshot) == [march(day) for day in expected]


def test_in_two_days_the_channel_is_not_nudged_before_the_opening() -> None:
    assert nudged(running(march(2, "09:00"), march(4, "17:00"))) == [march(2)]
    assert nudged(running(march(2, "10:00"), march(4, "17:00"))) == []


def test_a_nudge_is_posted_from_its_time_on_and_a_late_one_not_within_a_day_of_the_next() -> None:
    def due(at: datetime) -> datetime | None:
        return current_nudge(TWO_WEEKS, at, ENGLAND)

    assert due(march(9) - A_SECOND) is None
    assert due(march(9)) == march(9)
    assert due(march(10) - A_SECOND) is None
    assert due(march(10)) is None, "the next one comes tomorrow at this time"
    assert due(march(9, "16:29")) == march(9)
    assert due(march(12, "10:00")) == march(11)
    assert due(march(13, "17:00")) is None


def test_the_list_by_e_mail_comes_two_working_days_before_a_reminder() -> None:
    opening, midway, last = lead_reminders(TWO_WEEKS, ENGLAND)

    def comes(due: Due) -> datetime:
        return list_by_email_at(due, TWO_WEEKS, ENGLAND)

    assert comes(opening) == opening.at, "before it, nothing is open"
    assert comes(midway) == march(4)
    assert comes(last) == march(9)


def test_a_list_that_would_come_before_the_opening_comes_on_the_first_morning() -> None:
    snapshot = running(march(2, "09:00"), march(6, "17:00"))
    assert plan(snapshot) == in_march((OPENING, 2), (LAST, 4))
    assert [list_by_email_at(d, snapshot, ENGLAND) for d in lead_reminders(snapshot, ENGLAND)] == [
        march(2),
        march(2),
    ]
    later = replace(snapshot, opened=march(2, "09:31"))
    assert [list_by_email_at(d, later, ENGLAND) for d in lead_reminders(later, ENGLAND)] == [
        march(3),
        march(3),
    ]


def test_quiet_days_are_no_working_days_for_a_list_either() -> None:
    snapshot = replace(TWO_WEEKS, quiet=days(date(2026, 3, 9), date(2026, 3, 10)))
    *_, last = lead_reminders(snapshot, ENGLAND)
    assert last.at == march(11)
    assert list_by_email_at(last, snapshot, ENGLAND) == march(5)


def test_the_list_to_hand_over_now_is_that_of_the_newest_reminder_that_has_one() -> None:
    def due(at: datetime) -> Reminder | None:
        found = current_list(TWO_WEEKS, at, ENGLAND)
        return found.which if found else None

    assert due(march(2) - A_SECOND) is None
    assert due(march(2)) is OPENING
    assert due(march(4)) is MIDWAY
    assert due(march(9) - A_SECOND) is None, "too early in the day"
    assert due(march(9)) is LAST
    assert due(march(13, "10:00")) is LAST
    assert due(march(13, "17:00")) is None


# -- what is next ---------------------------------------------------------------------------------

CLOSED_ON_FRIDAY = march(13, "17:00")


def test_the_worker_wakes_for_mixings_working_mornings_and_the_deadline() -> None:
    snapshot, now = replace(TWO_WEEKS, mixing=Mixing.EVERY_3_DAYS), march(11)
    woke = []
    while following := next_event(snapshot, now, ENGLAND):
        woke.append(now := following)
        if now == snapshot.deadline:
            break
    assert woke == [
        march(12),
        march(13),
        march(13, "17:00"),
    ]
    assert next_event(snapshot, march(7, "10:00"), ENGLAND) == march(8, "02:00")
    assert next_event(snapshot, march(8, "02:00"), ENGLAND) == march(9)


def test_the_worker_wakes_on_quiet_mornings_too_since_posts_come_on_them() -> None:
    quiet = replace(TWO_WEEKS, quiet=days(date(2026, 3, 4), date(2026, 3, 6)))
    assert next_event(quiet, march(3), ENGLAND) == march(4)


def test_after_the_close_only_unread_comments_and_the_key_are_waited_for() -> None:
    def after(now: datetime, **still: bool | date) -> datetime | None:
        return next_event(TWO_WEEKS, now, ENGLAND, phase=Phase.CLOSED, **still)  # type: ignore[arg-type]  # by name

    assert after(CLOSED_ON_FRIDAY) is None
    assert after(CLOSED_ON_FRIDAY, moderated=True) == march(16)
    assert after(CLOSED_ON_FRIDAY, key_due=date(2026, 3, 15)) == march(15, "00:00")
    assert after(CLOSED_ON_FRIDAY, key_due=date(2026, 3, 30), moderated=True) == march(16)
    assert after(march(15, "00:00"), key_due=date(2026, 3, 15)) is None


def test_closed_early_it_no_longer_wakes_for_its_mixings() -> None:
    daily = replace(TWO_WEEKS, mixing=Mixing.DAILY)
    assert next_event(daily, march(5, "12:00"), ENGLAND, phase=Phase.CLOSED) is None
    assert next_event(daily, march(5, "12:00"), ENGLAND) == march(6, "02:00")


def test_once_the_deadline_moves_the_worker_wakes_for_the_new_one() -> None:
    later = moved(TWO_WEEKS, march(15, "12:00"))
    assert next_event(TWO_WEEKS, march(13, "16:00"), ENGLAND) == march(13, "17:00")
    assert next_event(later, march(13, "17:00"), ENGLAND) == march(15, "12:00")


# -- whatever the window --------------------------------------------------------------------------

moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis adds the zone
nations = st.sampled_from(["England", "Wales", "Scotland", "Northern Ireland"]).map(working_days)
weeks = st.sets(st.integers(0, 6), min_size=1)
calendars = st.one_of(nations, weeks.map(lambda worked: lambda day: day.weekday() in worked))


@st.composite
def windows(draw: st.DrawFn) -> Snapshot:
    opened = draw(moments)
    longest = draw(st.sampled_from([timedelta(days=8), timedelta(days=60)]))
    window = draw(st.timedeltas(timedelta(minutes=1), longest))
    around = st.integers(-3, window.days + 3).map(lambda n: opened.date() + timedelta(days=n))
    quiet: Collection[date] = draw(st.sets(around, max_size=20))
    mixing = draw(st.sampled_from(list(Mixing)))
    return replace(running(opened, opened + window, *sorted(quiet)), mixing=mixing)


def is_morning(snapshot: Snapshot, at: datetime, is_working_day: IsWorkingDay) -> bool:
    """Of a day on which people are reminded, within the window."""
    is_right_day = is_working_day(at.date()) and at.date() not in snapshot.quiet
    is_in_window = snapshot.opened <= at < snapshot.deadline
    return is_right_day and is_in_window and at.time() == time(9, 30) and at.tzinfo == LONDON


def are_a_day_apart(times: list[datetime]) -> bool:
    utc = [at.astimezone(UTC) for at in times]
    return all(later - earlier >= A_DAY for earlier, later in pairwise(utc))


@given(windows(), calendars)
def test_reminders_come_on_mornings_of_work_a_day_apart_and_at_most_three(
    snapshot: Snapshot, is_working_day: IsWorkingDay
) -> None:
    dues = lead_reminders(snapshot, is_working_day)
    assert all(is_morning(snapshot, due.at, is_working_day) for due in dues)
    assert are_a_day_apart([due.at for due in dues])
    order = [OPENING, MIDWAY, LAST]
    assert [due.which for due in dues] == [w for w in order if w in {d.which for d in dues}]


@given(windows(), calendars)
def test_where_there_is_any_morning_of_work_the_last_one_comes(
    snapshot: Snapshot, is_working_day: IsWorkingDay
) -> None:
    every = [
        here(snapshot.opened.date() + timedelta(days=n))
        for n in range(-1, (snapshot.deadline - snapshot.opened).days + 3)
    ]
    mornings = [at for at in every if is_morning(snapshot, at, is_working_day)]
    dues = lead_reminders(snapshot, is_working_day)
    assert [d.which for d in dues][-1:] == ([LAST] if mornings else [])
    assert {d.at for d in dues if d.which is OPENING} <= set(mornings[:1])


@given(windows(), calendars)
def test_nudges_come_on_mornings_of_work_a_day_apart(
    snapshot: Snapshot, is_working_day: IsWorkingDay
) -> None:
    found = nudged(snapshot, is_working_day)
    assert all(is_morning(snapshot, at, is_working_day) for at in found)
    assert are_a_day_apart(found)


@given(windows(), calendars)
def test_a_list_comes_before_its_reminder_on_a_morning_of_work(
    snapshot: Snapshot, is_working_day: IsWorkingDay
) -> None:
    for due in lead_reminders(snapshot, is_working_day):
        at = list_by_email_at(due, snapshot, is_working_day)
        assert is_morning(snapshot, at, is_working_day)
        assert at <= due.at


@given(windows(), calendars, st.data())
def test_whatever_is_current_has_come_and_is_the_newest(
    snapshot: Snapshot, is_working_day: IsWorkingDay, data: st.DataObject
) -> None:
    window = snapshot.deadline - snapshot.opened
    now = snapshot.opened + data.draw(st.timedeltas(-A_DAY, window + A_DAY))
    dues = lead_reminders(snapshot, is_working_day)
    due = current(dues, now, snapshot, is_working_day)
    if due:
        assert may_remind(snapshot, now, is_working_day)
        assert due == [d for d in dues if d.at <= now][-1]
    for each in dues:  # as whoever sleeps until then and wakes a little late
        woken = each.at + timedelta(seconds=20)
        if woken < snapshot.deadline:
            assert current(dues, woken, snapshot, is_working_day) == each


@given(windows(), calendars, st.data())
def test_what_is_next_is_the_soonest_of_everything(
    snapshot: Snapshot, is_working_day: IsWorkingDay, data: st.DataObject
) -> None:
    """Never later than any of it, and always a mixing, a working morning or the deadline."""
    window = snapshot.deadline - snapshot.opened
    now = snapshot.opened + data.draw(st.timedeltas(timedelta(), window - A_SECOND))
    dues = lead_reminders(snapshot, is_working_day)
    everything = [
        snapshot.deadline,
        *mixings(snapshot),
        *(posted_after(snapshot, m, is_working_day) for m in mixings(snapshot)),
        *(due.at for due in dues),
        *(list_by_email_at(due, snapshot, is_working_day) for due in dues),
        *nudges(snapshot, is_working_day),
    ]
    following = next_event(snapshot, now, is_working_day)
    assert following
    assert now < following <= min(at for at in everything if at > now)
    is_working_morning = following.time() == time(9, 30) and is_working_day(following.date())
    assert is_working_morning or following in {snapshot.deadline, *mixings(snapshot)}
    if not may_remind(snapshot, now, is_working_day):
        assert not may_remind(snapshot, following - A_SECOND, is_working_day), "an hour is missed"


# -- leads who were not found ---------------------------------------------------------------------


def test_leads_are_looked_for_again_an_hour_before_each_list_and_each_reminder() -> None:
    snapshot = running(march(2, "09:00"), march(20, "17:00"))
    dues = lead_reminders(snapshot, ENGLAND)
    wanted = sorted(
        {at - AN_HOUR for due in dues for at in (due.at, list_by_email_at(due, snapshot, ENGLAND))}
    )
    assert len(wanted) == 5, "the first list comes with its reminder"
    for at, later in pairwise([*wanted, snapshot.deadline]):
        assert look_again_since(snapshot, at, ENGLAND) == at
        assert look_again_since(snapshot, later - A_SECOND, ENGLAND) == at


def test_before_the_first_list_everybody_is_looked_for_once() -> None:
    snapshot = running(march(7), march(20))
    assert look_again_since(snapshot, march(8), ENGLAND) == snapshot.opened
