"""Working days of England and of Wales."""

from __future__ import annotations

from datetime import date
from functools import cache

import holidays

from snapshot.calendar import IsWorkingDay

_SATURDAY = 5


@cache
def working_days(nation: str) -> IsWorkingDay:
    """Whether a day is neither at the weekend nor a bank holiday of the nation."""
    bank_holidays = holidays.country_holidays("GB", subdiv="WLS" if nation == "Wales" else "ENG")

    def is_working_day(day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in bank_holidays

    return is_working_day
