"""When mixings and posts are due: in local time, before the deadline, and by the calendar alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snapshot.calendar import (
    LATE,
    IsWorkingDay,
    day_of,
    due_mixing,
    earliest_mixing,
    first_interim,
    last_post,
    mixings,
    next_mixing,
    posted_after,
    week_of,
    working_morning,
)
from snapshot.snapshot import Mixing, Snapshot
from tests.core.exampleshire import INSTRUMENT, OPENED, a_snapshot

LONDON = ZoneInfo("Europe/London")
A_SECOND = timedelta(seconds=1)
AN_HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)

GOOD_FRIDAY, EASTER_MONDAY = date(2026, 4, 3), date(2026, 4, 6)


def running(
    mixing: Mixing, days: int = 12, *, opened: datetime = OPENED, deadline: datetime | None = None
) -> Snapshot:
    deadline = deadline or opened + timedelta(days=days)
    return replace(a_snapshot(), mixing=mixing, opened=opened, deadline=deadline)


def utc(month: int, day: int, hour: int, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def london(month: int, day: int, hour: int, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LONDON)


def days_of(snapshot: Snapshot) -> list[date]:
    return [m.date() for m in mixings(snapshot)]


def march(*days: int) -> list[date]:
    return [date(2026, 3, day) for day in days]


def every_day_is_worked(day: date) -> bool:
    return True


def monday_to_friday(day: date) -> bool:
    return day.weekday() < 5


def not_at_easter(day: date) -> bool:
    return monday_to_friday(day) and day not in (GOOD_FRIDAY, EASTER_MONDAY)


choices = st.sampled_from(list(Mixing))
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis adds the zone
windows = st.timedeltas(timedelta(minutes=1), timedelta(days=60))
snapshots = st.builds(
    lambda mixing, opened, window: running(mixing, opened=opened, deadline=opened + window),
    choices,
    moments,
    windows,
)


def working_on(weekdays: set[int]) -> IsWorkingDay:
    return lambda day: day.weekday() in weekdays


weeks = st.sets(st.integers(0, 6), min_size=1).map(working_on)


# -- which days are mixing days ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mixing", "days", "expected"),
    [
        (Mixing.DAILY, 2, march(3, 4)),
        (Mixing.EVERY_3_DAYS, 2, []),
        (Mixing.WEEKLY, 2, []),
        (Mixing.CLOSE, 2, []),
        (Mixing.DAILY, 12, march(*range(3, 15))),
        (Mixing.EVERY_3_DAYS, 12, march(5, 8, 11, 14)),
        (Mixing.WEEKLY, 12, march(9)),
        (Mixing.CLOSE, 12, []),
        (Mixing.DAILY, 56, [date(2026, 3, 3) + timedelta(days=n) for n in range(56)]),
        (Mixing.EVERY_3_DAYS, 56, [date(2026, 3, 5) + timedelta(days=3 * n) for n in range(18)]),
        (Mixing.WEEKLY, 56, [date(2026, 3, 9) + timedelta(weeks=n) for n in range(8)]),
        (Mixing.CLOSE, 56, []),
    ],
)
def test_each_choice_has_its_days(mixing: Mixing, days: int, expected: list[date]) -> None:
    assert days_of(running(mixing, days)) == expected


@pytest.mark.parametrize("weekday", range(7))
def test_weekly_is_on_the_first_monday_after_the_day_of_opening(weekday: int) -> None:
    """Whoever opens on a Monday waits a whole week, even if it is only just Monday."""
    opened = london(3, 2 + weekday, 0, 1)
    assert days_of(running(Mixing.WEEKLY, 12, opened=opened))[0] == date(2026, 3, 9)


def test_the_day_of_opening_is_the_one_on_the_area_s_clocks() -> None:
    """Half past eleven in the evening in Greenwich is tomorrow in the summer."""
    opened = utc(6, 1, 23, 30)
    assert days_of(running(Mixing.DAILY, 2, opened=opened))[0] == date(2026, 6, 3)


@given(snapshots)
def test_mixings_are_at_two_after_the_day_of_opening_and_before_the_deadline(
    snapshot: Snapshot,
) -> None:
    for mixing in mixings(snapshot):
        local = mixing.astimezone(LONDON)
        assert local.time() == time(2, 0)
        assert local.date() > snapshot.opened.astimezone(LONDON).date()
        assert mixing < snapshot.deadline
        assert snapshot.mixing is not Mixing.WEEKLY or local.weekday() == 0


@given(snapshots)
def test_no_day_that_belongs_is_left_out(snapshot: Snapshot) -> None:
    opened = day_of(snapshot, snapshot.opened)
    days = [opened + n * A_DAY for n in range(1, 62)]
    belongs = {
        Mixing.DAILY: days,
        Mixing.EVERY_3_DAYS: days[2::3],
        Mixing.WEEKLY: [day for day in days if day.weekday() == 0],
        Mixing.CLOSE: [],
    }[snapshot.mixing]
    in_time = [d for d in belongs if datetime.combine(d, time(2), LONDON) < snapshot.deadline]
    assert days_of(snapshot) == in_time


# -- summer and winter time ----------------------------------------------------------------------


def test_in_spring_two_o_clock_comes_an_hour_sooner() -> None:
    """On 29 March 2026 there is no time between one and two: two comes right after one."""
    snapshot = running(Mixing.DAILY, 4, opened=utc(3, 27, 12))
    assert [m.astimezone(UTC) for m in mixings(snapshot)] == [
        utc(3, 28, 2),
        utc(3, 29, 1),
        utc(3, 30, 1),
        utc(3, 31, 1),
    ]


def test_in_autumn_two_o_clock_comes_an_hour_later() -> None:
    """On 25 October 2026 the hour from one to two comes twice, and two comes once."""
    snapshot = running(Mixing.DAILY, 4, opened=utc(10, 23, 12))
    assert [m.astimezone(UTC) for m in mixings(snapshot)] == [
        utc(10, 24, 1),
        utc(10, 25, 2),
        utc(10, 26, 2),
        utc(10, 27, 2),
    ]


@pytest.mark.parametrize(
    ("opened", "first_in_utc"),
    [(utc(3, 23, 9), utc(3, 30, 1)), (utc(10, 19, 9), utc(10, 26, 2))],
    ids=["spring", "autumn"],
)
def test_weeks_and_thirds_of_days_keep_two_o_clock_across_the_change(
    opened: datetime, first_in_utc: datetime
) -> None:
    weekly, thirds = (running(m, opened=opened) for m in (Mixing.WEEKLY, Mixing.EVERY_3_DAYS))
    assert next(mixings(weekly)).astimezone(UTC) == first_in_utc
    assert [m.astimezone(LONDON).hour for m in mixings(thirds)] == [2, 2, 2, 2]


def test_in_the_hour_that_comes_twice_the_mixing_is_still_to_come_both_times() -> None:
    snapshot = running(Mixing.DAILY, 4, opened=utc(10, 23, 12))
    first = london(10, 25, 1, 30)
    for half_past_one in (first, first.replace(fold=1)):
        assert due_mixing(snapshot, half_past_one) is None
        assert earliest_mixing(snapshot, half_past_one) == utc(10, 25, 2)
        assert next_mixing(snapshot, half_past_one) == utc(10, 25, 2)


def test_posts_keep_their_local_hour_across_the_change() -> None:
    snapshot = running(Mixing.DAILY, 4, opened=utc(3, 27, 12))
    posts = [posted_after(snapshot, m, every_day_is_worked) for m in mixings(snapshot)]
    assert [p.astimezone(UTC) for p in posts[:2]] == [utc(3, 29, 8, 30), utc(3, 30, 8, 30)]


# -- the deadline --------------------------------------------------------------------------------


def test_a_mixing_that_would_be_at_the_deadline_is_left_to_the_close() -> None:
    two = london(3, 5, 2)
    at, after = (running(Mixing.DAILY, deadline=d) for d in (two, two + A_SECOND))
    assert days_of(at) == march(3, 4)
    assert days_of(after) == march(3, 4, 5)


@given(snapshots, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_an_extension_adds_mixings_and_moves_none(snapshot: Snapshot, longer: timedelta) -> None:
    extended = replace(snapshot, deadline=snapshot.deadline + longer)
    before, after = list(mixings(snapshot)), list(mixings(extended))
    assert after[: len(before)] == before
    assert all(m >= snapshot.deadline for m in after[len(before) :])


# -- the last and the next -----------------------------------------------------------------------


def test_a_mixing_is_due_at_its_second_and_not_before() -> None:
    snapshot = running(Mixing.EVERY_3_DAYS)
    first, second = london(3, 5, 2), london(3, 8, 2)
    assert due_mixing(snapshot, OPENED) is None
    assert due_mixing(snapshot, first - A_SECOND) is None
    assert due_mixing(snapshot, first) == first
    assert due_mixing(snapshot, first + LATE - A_SECOND) == first
    assert due_mixing(snapshot, first + LATE) is None
    assert due_mixing(snapshot, second) == second


@given(snapshots, moments, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_nobody_is_told_a_day_after_the_one_on_which_they_may_be_mixed(
    snapshot: Snapshot, sent: datetime, after: timedelta
) -> None:
    """Whatever mixing is found to be due from then on."""
    told = earliest_mixing(snapshot, sent)
    due = due_mixing(snapshot, sent + after)
    assert due is None or told <= due


def test_the_next_mixing_is_the_following_one_from_the_second_of_the_last() -> None:
    snapshot = running(Mixing.EVERY_3_DAYS)
    first, second = london(3, 5, 2), london(3, 8, 2)
    assert next_mixing(snapshot, first - A_SECOND) == first
    assert next_mixing(snapshot, first) == second
    assert next_mixing(snapshot, first + A_SECOND) == second


@pytest.mark.parametrize("mixing", Mixing)
def test_when_none_is_left_the_close_is_the_next_mixing(mixing: Mixing) -> None:
    snapshot = running(mixing)
    for now in (snapshot.deadline - A_SECOND, snapshot.deadline, snapshot.deadline + A_DAY):
        assert next_mixing(snapshot, now) == snapshot.deadline


def test_the_next_mixing_is_told_in_the_area_s_time() -> None:
    """A card prints it as it is."""
    deadline = utc(4, 30, 16)
    assert next_mixing(running(Mixing.CLOSE, deadline=deadline), OPENED).hour == 17
    assert next_mixing(running(Mixing.DAILY, deadline=deadline), utc(4, 1, 12)).hour == 2


@given(snapshots, moments)
def test_the_due_and_the_next_are_neighbours_and_now_is_between_them(
    snapshot: Snapshot, now: datetime
) -> None:
    stops = [*mixings(snapshot), snapshot.deadline]
    due, following = due_mixing(snapshot, now), next_mixing(snapshot, now)
    assert due is None or due <= now < due + LATE
    if now < snapshot.deadline:
        number = stops.index(following)
        assert now < following
        assert due is None or due == stops[number - 1]
    else:
        assert following == snapshot.deadline


@given(snapshots, moments, weeks)
@example(running(Mixing.DAILY), london(3, 5, 2), monday_to_friday)
@example(running(Mixing.DAILY), london(3, 5, 9, 30), monday_to_friday)
def test_a_clock_that_is_put_back_names_nothing_that_was_not_due_already(
    snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay
) -> None:
    """What has been decided is found again under its day, so nothing is done a second time."""
    put_back = now - AN_HOUR
    due = [m for m in mixings(snapshot) if m <= now]
    posts = [posted_after(snapshot, m, is_working_day) for m in due]
    assert due_mixing(snapshot, put_back) in [None, *due[-2:]]
    assert last_post(snapshot, put_back, is_working_day) in [None, *posts]
    assert next_mixing(snapshot, put_back) <= next_mixing(snapshot, now)


# -- when it is posted ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mixed_on", "posted_on"),
    [
        (date(2026, 3, 4), date(2026, 3, 5)),
        (date(2026, 3, 6), date(2026, 3, 9)),
        (date(2026, 3, 7), date(2026, 3, 9)),
        (date(2026, 3, 8), date(2026, 3, 9)),
        (date(2026, 3, 9), date(2026, 3, 10)),
        (date(2026, 4, 2), date(2026, 4, 7)),
    ],
    ids=["Wednesday", "Friday", "Saturday", "Sunday", "Monday", "Maundy Thursday"],
)
def test_what_was_mixed_is_posted_on_the_working_day_after(mixed_on: date, posted_on: date) -> None:
    """Never on the same day, also where that is a working day itself."""
    snapshot = running(Mixing.DAILY, 56)
    mixing = datetime.combine(mixed_on, time(2, 0), LONDON)
    posted = posted_after(snapshot, mixing, not_at_easter)
    assert posted == datetime.combine(posted_on, time(9, 30), LONDON)


def test_the_day_of_a_mixing_is_the_one_on_the_area_s_clocks() -> None:
    """Handed in as UTC, two in the morning of a summer day is one o'clock, and still that day."""
    just_after_midnight = utc(6, 1, 23, 30)
    posted = posted_after(running(Mixing.DAILY), just_after_midnight, every_day_is_worked)
    assert posted == london(6, 3, 9, 30)


@given(snapshots, weeks)
def test_a_post_is_on_the_first_working_day_after_its_mixing(
    snapshot: Snapshot, is_working_day: IsWorkingDay
) -> None:
    for mixing in mixings(snapshot):
        posted = posted_after(snapshot, mixing, is_working_day)
        assert is_working_day(posted.date())
        assert posted.time() == time(9, 30)
        days_between = range(1, (posted.date() - mixing.date()).days)
        assert not any(is_working_day(mixing.date() + n * A_DAY) for n in days_between)
        assert posted.date() > mixing.date()


def test_a_post_is_due_at_half_past_nine_and_not_before() -> None:
    snapshot = running(Mixing.EVERY_3_DAYS)
    first, second = london(3, 6, 9, 30), london(3, 9, 9, 30)
    assert last_post(snapshot, first - A_SECOND, monday_to_friday) is None
    assert last_post(snapshot, first, monday_to_friday) == first
    assert last_post(snapshot, second - A_SECOND, monday_to_friday) == first
    assert last_post(snapshot, second, monday_to_friday) == second


def test_the_mixings_of_a_weekend_are_posted_together() -> None:
    snapshot = running(Mixing.DAILY)
    thursday_s, weekend_s = london(3, 6, 9, 30), london(3, 9, 9, 30)
    assert last_post(snapshot, london(3, 8, 23), monday_to_friday) == thursday_s
    assert last_post(snapshot, london(3, 9, 12), monday_to_friday) == weekend_s


def test_what_would_be_posted_at_the_deadline_is_left_to_the_close() -> None:
    posted = london(3, 6, 9, 30)
    at, after = (running(Mixing.EVERY_3_DAYS, deadline=d) for d in (posted, posted + A_SECOND))
    assert last_post(at, posted + A_DAY, monday_to_friday) is None
    assert last_post(after, posted + A_DAY, monday_to_friday) == posted


@given(snapshots, moments, weeks)
def test_the_last_post_is_the_newest_by_now_and_before_the_deadline(
    snapshot: Snapshot, now: datetime, is_working_day: IsWorkingDay
) -> None:
    posts = [posted_after(snapshot, m, is_working_day) for m in mixings(snapshot)]
    allowed = [p for p in posts if p <= now and p < snapshot.deadline]
    assert last_post(snapshot, now, is_working_day) == (allowed[-1] if allowed else None)


def test_a_working_morning_begins_at_half_past_nine_local_time_and_lasts_all_day() -> None:
    snapshot = running(Mixing.CLOSE)
    morning = london(6, 1, 9, 30)
    assert working_morning(snapshot, utc(6, 1, 8, 30) - A_SECOND, monday_to_friday) is None
    assert working_morning(snapshot, utc(6, 1, 8, 30), monday_to_friday) == morning
    assert working_morning(snapshot, london(6, 1, 23, 59), monday_to_friday) == morning
    assert working_morning(snapshot, london(6, 2, 0, 0), monday_to_friday) is None


def test_in_summer_a_friday_s_morning_is_over_at_local_midnight() -> None:
    friday = utc(6, 5, 23, 0)
    snapshot = running(Mixing.CLOSE)
    assert working_morning(snapshot, friday - A_SECOND, monday_to_friday) is not None
    assert working_morning(snapshot, friday, monday_to_friday) is None


def test_a_day_off_has_no_working_morning() -> None:
    snapshot = running(Mixing.CLOSE)
    for day_off in (GOOD_FRIDAY, date(2026, 4, 4), date(2026, 4, 5), EASTER_MONDAY):
        noon = datetime.combine(day_off, time(12), LONDON)
        assert working_morning(snapshot, noon, not_at_easter) is None


# -- weeks and days ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 3, 9), "2026-W11"),
        (date(2025, 12, 28), "2025-W52"),
        (date(2025, 12, 29), "2026-W01"),
        (date(2026, 12, 31), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
    ],
)
def test_a_week_keeps_its_number_over_new_year(day: date, week: str) -> None:
    assert week_of(running(Mixing.CLOSE), datetime.combine(day, time(12), LONDON)) == week


@given(moments, moments)
def test_the_names_of_weeks_are_in_the_order_of_time(one: datetime, other: datetime) -> None:
    """`publication.newest` relies on it."""
    snapshot = running(Mixing.CLOSE)
    earlier, later = sorted((one, other))
    assert week_of(snapshot, earlier) <= week_of(snapshot, later)


def test_days_and_weeks_change_at_local_midnight() -> None:
    snapshot = running(Mixing.CLOSE)
    sunday_night = utc(6, 7, 23, 0)
    assert day_of(snapshot, sunday_night - A_SECOND) == date(2026, 6, 7)
    assert day_of(snapshot, sunday_night) == date(2026, 6, 8)
    assert week_of(snapshot, sunday_night - A_SECOND) == "2026-W23"
    assert week_of(snapshot, sunday_night) == "2026-W24"


# -- when a first interim summary is likely ------------------------------------------------------


def expected_day(
    headcounts: dict[str, int], mixing: Mixing, days: int = 12, k: int = 10
) -> date | None:
    snapshot = replace(
        a_snapshot(headcounts, k=k), mixing=mixing, deadline=OPENED + timedelta(days=days)
    )
    return first_interim(snapshot, INSTRUMENT.limits, monday_to_friday)


def test_a_large_area_can_expect_an_interim_summary_early() -> None:
    """By Thursday 5 March, 40% of 600 people in 2.7 of 12 days are 54: with k to stay, 44 go."""
    assert expected_day({"police": 600}, Mixing.EVERY_3_DAYS) == date(2026, 3, 6)


def test_a_middling_area_has_to_wait_until_enough_have_answered() -> None:
    """By 5 March 22 are likely, of whom 12 go, which is under 20; by Sunday 8 March 47."""
    assert expected_day({"police": 250}, Mixing.EVERY_3_DAYS) == date(2026, 3, 9)


def test_twenty_people_are_enough_and_nineteen_are_not() -> None:
    """Of 158 people 30 are likely by Sunday 8 March, of 157 only 29."""
    assert expected_day({"police": 158}, Mixing.EVERY_3_DAYS) == date(2026, 3, 9)
    assert expected_day({"police": 157}, Mixing.EVERY_3_DAYS) == date(2026, 3, 12)


def test_each_cell_needs_k_to_go_and_k_to_stay() -> None:
    """By 8 March 57 are likely, but 19 in each cell; by Wednesday 11 March 29 in each."""
    cells = {"police": 100, "health": 100, "schools": 100}
    assert expected_day(cells, Mixing.EVERY_3_DAYS) == date(2026, 3, 12)


def test_who_has_gone_already_does_not_wait_again() -> None:
    """By 5 March 22 of 245: 12 go. By the 6th 30: 18 wait, too few. By the 7th 38: 16 more go."""
    snapshot = replace(a_snapshot({"police": 245}), mixing=Mixing.DAILY)
    day = first_interim(snapshot, INSTRUMENT.limits, every_day_is_worked)
    assert day == date(2026, 3, 8)


@pytest.mark.parametrize("mixing", Mixing)
def test_a_small_area_can_expect_none(mixing: Mixing) -> None:
    assert expected_day({"police": 40, "health": 30}, mixing) is None


def test_who_mixes_at_the_close_only_can_expect_none() -> None:
    assert expected_day({"police": 100_000}, Mixing.CLOSE) is None


def test_a_summary_that_would_come_after_the_deadline_is_not_promised() -> None:
    """The mixing of Monday 9 March is in time; its post on the 10th at 9:30 is not."""
    assert expected_day({"police": 5_000}, Mixing.WEEKLY, days=8) is None
    assert expected_day({"police": 5_000}, Mixing.WEEKLY, days=9) == date(2026, 3, 10)


def test_with_a_larger_k_more_people_are_needed() -> None:
    assert expected_day({"police": 170}, Mixing.EVERY_3_DAYS) == date(2026, 3, 9)
    assert expected_day({"police": 170}, Mixing.EVERY_3_DAYS, k=20) == date(2026, 3, 12)


@given(snapshots, st.integers(0, 3_000), weeks)
def test_a_promised_day_is_a_day_of_posting(
    snapshot: Snapshot, people: int, is_working_day: IsWorkingDay
) -> None:
    cells = a_snapshot({"police": people, "health": people // 2}).cells
    snapshot = replace(snapshot, cells=cells)
    day = first_interim(snapshot, INSTRUMENT.limits, is_working_day)
    posts = [posted_after(snapshot, m, is_working_day) for m in mixings(snapshot)]
    assert day is None or day in [p.date() for p in posts if p < snapshot.deadline]
