"""Days and ranges of days as people write them: "3 April 2026; 14-25 April 2026"."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

from babel.dates import get_month_names

MOST_DAYS = 120
FURTHEST = timedelta(days=366)

_BETWEEN = re.compile(r"[;,]")
_MONTH = r"([^\W\d_]{3,12})"
_DAYS = re.compile(
    rf"(?:([0-9]{{1,2}})(?: {_MONTH}(?: ([0-9]{{4}}))?)? ?(?:[-–—]|to|i) ?)?"
    rf"([0-9]{{1,2}}) {_MONTH} ([0-9]{{4}})"
)


class NotQuietDays(Exception):
    """`message` is the id of the text that says what has to be mended, `values` stand in it."""

    def __init__(self, message: str, **values: str) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


def quiet_days(text: str, today: date) -> tuple[date, ...]:
    """The days from today on, in order. Raises `NotQuietDays`.

    Each part ends in a day, month and year; a range begins with a day, which may have its own
    month and year. Months are read in English and in Welsh. What has begun already is cut off.
    """
    parts = [part for each in _BETWEEN.split(text) if (part := each.strip())]
    days = {day for part in parts for day in _days_in(part, today) if day >= today}
    if len(days) > MOST_DAYS:
        raise NotQuietDays(
            "quiet_dates_too_many", quiet_count=str(len(days)), quiet_most=str(MOST_DAYS)
        )
    return tuple(sorted(days))


def _days_in(part: str, today: date) -> list[date]:
    ends = _ends(part)
    if ends is None:
        raise NotQuietDays("quiet_dates_unread", quiet_part=part)
    first, last = ends
    if last < today or last > today + FURTHEST or first < today - FURTHEST:
        raise NotQuietDays("quiet_dates_too_far", quiet_part=part)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _ends(part: str) -> tuple[date, date] | None:
    """The first and the last day; None when they cannot be read."""
    found = _DAYS.fullmatch(part)
    if found is None:
        return None
    from_day, from_month, from_year, day, month, year = found.groups()
    try:
        first = last = _day(day, month, int(year))
        if from_day:
            first = _day(from_day, from_month or month, int(from_year or year))
        if first > last and from_month and not from_year:  # over New Year
            first = _day(from_day, from_month, int(year) - 1)
    except ValueError:
        return None
    return (first, last) if first <= last else None


def _day(day: str, month: str, year: int) -> date:
    """Raises `ValueError`."""
    return date(year, _month(month), int(day))


def _month(typed: str) -> int:
    """By its first letters, in English or in Welsh: no two have three in common. 0: none."""
    return next((n for n, name in _months() if name.startswith(typed.casefold())), 0)


@cache
def _months() -> list[tuple[int, str]]:
    return [
        (number, name.casefold())
        for language in ("en", "cy")
        for number, name in get_month_names("wide", locale=language).items()
    ]
