"""Quiet days are read as people write them, in both languages, and said again as ranges."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns.quiet_days import FURTHEST, MOST_DAYS, NotQuietDays, quiet_days
from cards.page import say_days
from content.packs import load_packs

PACKS = load_packs()
TODAY = date(2026, 3, 2)
A_DAY = timedelta(days=1)


def april(*days: int) -> tuple[date, ...]:
    return tuple(date(2026, 4, day) for day in days)


@pytest.mark.parametrize(
    "typed",
    [
        "3 April 2026; 14-16 April 2026",
        "14-16 April 2026;3 April 2026;",
        "3 april 2026, 14 APRIL 2026, 15 - 16 April 2026",
        "3 Apr 2026; 14–16 Apr 2026",
        "3 April 2026; 14 April - 16 April 2026",
        "3 April 2026; 14 April 2026 – 16 April 2026",
        "03 April 2026; 14 to 16 April 2026; 15 April 2026",
        "3 Ebrill 2026; 14-16 Ebrill 2026",
        "3 ebr 2026; 14 i 16 Ebrill 2026",
    ],
)
def test_days_and_ranges_are_read_in_english_and_in_welsh(typed: str) -> None:
    assert quiet_days(typed, TODAY) == april(3, 14, 15, 16)


@pytest.mark.parametrize("language", ["en-GB", "cy-GB"])
@pytest.mark.parametrize("month", range(1, 13))
def test_each_month_is_read_in_full_and_by_three_letters(language: str, month: int) -> None:
    day = date(2026 if month > 2 else 2027, month, 28)
    said = say_days((day,), PACKS[language])
    number, name, year = said.split()
    assert quiet_days(said, TODAY) == (day,)
    assert quiet_days(f"{number} {name[:3]} {year}", TODAY) == (day,)


def test_a_range_may_go_over_the_end_of_a_month_and_of_a_year() -> None:
    over_easter = quiet_days("30 March - 10 April 2026", TODAY)
    assert (over_easter[0], over_easter[-1], len(over_easter)) == (
        date(2026, 3, 30),
        date(2026, 4, 10),
        12,
    )
    over_christmas = quiet_days("21 December - 1 January 2027", TODAY)
    assert (over_christmas[0], over_christmas[-1], len(over_christmas)) == (
        date(2026, 12, 21),
        date(2027, 1, 1),
        12,
    )


@pytest.mark.parametrize("typed", ["", " ; ", ","])
def test_there_need_be_none(typed: str) -> None:
    assert quiet_days(typed, TODAY) == ()


def test_holidays_that_have_begun_count_from_today_on() -> None:
    assert quiet_days("23 February - 3 March 2026", TODAY) == (TODAY, TODAY + A_DAY)


@pytest.mark.parametrize(
    "part",
    [
        *("Easter", "April 2026", "3 April", "14-25 April", "3/4/2026", "2026-04-03", "3 4 2026"),
        *("31 April 2026", "29 February 2027", "0 April 2026", "3 Smarch 2026", "3 ap 2026"),
        *("25-14 April 2026", "10 April 2026 - 30 March 2026", "1-2-3 April 2026"),
        *("3 April 26", "٣ April 2026", "3 April 0000", "30 December - 1 January 0001"),
    ],
)
def test_what_cannot_be_read_is_named(part: str) -> None:
    with pytest.raises(NotQuietDays) as refused:
        quiet_days(f"3 April 2026; {part}", TODAY)
    assert refused.value.message == "quiet_dates_unread"
    assert refused.value.values == {"quiet_part": part}


def test_days_lie_within_a_year_from_today() -> None:
    assert quiet_days("2 March 2026; 3 March 2027", TODAY) == (TODAY, TODAY + FURTHEST)
    for part in ("1 March 2026", "4 March 2027", "3 April 2025", "1 April 1026 - 3 April 2026"):
        with pytest.raises(NotQuietDays) as refused:
            quiet_days(part, TODAY)
        assert refused.value.message == "quiet_dates_too_far"
        assert refused.value.values == {"quiet_part": part}


def test_there_are_at_most_120_each_counted_once() -> None:
    most = "4 March - 1 July 2026"
    assert len(quiet_days(most, TODAY)) == MOST_DAYS
    assert len(quiet_days(f"{most}; 5 May 2026", TODAY)) == MOST_DAYS
    with pytest.raises(NotQuietDays) as refused:
        quiet_days(f"{most}; 2 July 2026", TODAY)
    assert refused.value.message == "quiet_dates_too_many"
    assert refused.value.values == {"quiet_count": "121", "quiet_most": "120"}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-GB", "3 April 2026; 14 – 16 April 2026; 30 December 2026 – 1 January 2027"),
        ("cy-GB", "3 Ebrill 2026; 14 – 16 Ebrill 2026; 30 Rhagfyr 2026 – 1 Ionawr 2027"),
    ],
)
def test_they_are_said_as_ranges(language: str, said: str) -> None:
    over_new_year = tuple(date(2026, 12, 30) + n * A_DAY for n in range(3))
    assert say_days((*april(3, 14, 15, 16), *over_new_year), PACKS[language]) == said


@given(st.sets(st.integers(0, 366), min_size=1, max_size=MOST_DAYS), st.sampled_from(sorted(PACKS)))
def test_what_is_said_is_read_as_the_same_days(ahead: set[int], language: str) -> None:
    days = tuple(TODAY + n * A_DAY for n in sorted(ahead))
    assert quiet_days(say_days(days, PACKS[language]), TODAY) == days


@given(st.text("0123456789 -–;,AprilMawrth", max_size=60))
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    try:
        days = quiet_days(" ".join(typed.split()), TODAY)
    except NotQuietDays:
        return
    assert all(TODAY <= day <= TODAY + FURTHEST for day in days)
