"""Working days of the nations of the United Kingdom."""

from __future__ import annotations

from datetime import date
from functools import cache

import holidays

from snapshot.calendar import IsWorkingDay

_SATURDAY = 5
_BANK_HOLIDAYS = {"England": "ENG", "Wales": "WLS", "Scotland": "SCT", "Northern Ireland": "NIR"}
"""What `holidays` calls them."""


@cache
def working_days(nation: str) -> IsWorkingDay:
    """Whether a day is neither at the weekend nor a bank holiday. Raises `KeyError`."""
    bank_holidays = holidays.country_holidays("GB", subdiv=_BANK_HOLIDAYS[nation])

    def is_working_day(day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in bank_holidays

    return is_working_day
